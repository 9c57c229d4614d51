# review: draft, not reviewed by a native speaker
# Dates and times in words. Gregorian months, Western digits, 24-hour clock: the counter reads them too.

language-name = English

date-long = { $weekday } { $day } { $month } { $year }
date-short = { $day }/{ $month }/{ $year }
# $hour has no leading zero, $minute and $second have one.
time-of-day = { $hour }:{ $minute }
time-to-second = { $hour }:{ $minute }:{ $second }
date-time-long = { $date } at { $time }

weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday

month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
