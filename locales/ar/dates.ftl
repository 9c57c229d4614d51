# review: draft, not reviewed by a native speaker
# Dates and times in words. Gregorian months, Western digits, 24-hour clock: the counter reads them too.

language-name = العربية

date-long = { $weekday } { $day } { $month } { $year }
date-short = { $day }/{ $month }/{ $year }
# $hour has no leading zero, $minute and $second have one.
time-of-day = { $hour }:{ $minute }
time-to-second = { $hour }:{ $minute }:{ $second }
date-time-long = { $date } على الساعة { $time }

weekday-1 = الاثنين
weekday-2 = الثلاثاء
weekday-3 = الأربعاء
weekday-4 = الخميس
weekday-5 = الجمعة
weekday-6 = السبت
weekday-7 = الأحد

month-1 = يناير
month-2 = فبراير
month-3 = مارس
month-4 = أبريل
month-5 = مايو
month-6 = يونيو
month-7 = يوليو
month-8 = أغسطس
month-9 = سبتمبر
month-10 = أكتوبر
month-11 = نوفمبر
month-12 = ديسمبر
