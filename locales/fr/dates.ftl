# review: draft, not reviewed by a native speaker
# Dates and times in words. Gregorian months, Western digits, 24-hour clock: the counter reads them too.

language-name = Français

date-long = { $day ->
    [1] { $weekday } 1er { $month } { $year }
   *[other] { $weekday } { $day } { $month } { $year }
}
date-short = { $day }/{ $month }/{ $year }
# $hour has no leading zero, $minute and $second have one.
time-of-day = { $hour } h { $minute }
time-to-second = { $hour } h { $minute } min { $second } s
date-time-long = { $date } à { $time }

weekday-1 = lundi
weekday-2 = mardi
weekday-3 = mercredi
weekday-4 = jeudi
weekday-5 = vendredi
weekday-6 = samedi
weekday-7 = dimanche

month-1 = janvier
month-2 = février
month-3 = mars
month-4 = avril
month-5 = mai
month-6 = juin
month-7 = juillet
month-8 = août
month-9 = septembre
month-10 = octobre
month-11 = novembre
month-12 = décembre
