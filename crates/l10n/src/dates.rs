//! Dates and times in words, from the month and weekday names of `locales/<lang>/dates.ftl`.
//! Gregorian calendar and Western digits in every language: they must be read by the counter too.
//! It never converts a time zone: what comes in is the civil time of the place.

use jiff::civil::{Date, DateTime, Time, Weekday};

use crate::{Lang, text};

/// `mardi 12 janvier 2027`, `الثلاثاء 12 يناير 2027`.
pub fn date_long(lang: &Lang, date: &Date) -> String {
    text(
        lang,
        "date-long",
        &[
            ("weekday", &weekday_name(lang, date.weekday())),
            ("day", &date.day().to_string()),
            ("month", &month_name(lang, date.month())),
            ("year", &date.year().to_string()),
        ],
    )
}

/// `12/01/2027`: figures only, in the order of the language.
pub fn date_short(lang: &Lang, date: &Date) -> String {
    text(
        lang,
        "date-short",
        &[
            ("day", &format!("{:02}", date.day())),
            ("month", &format!("{:02}", date.month())),
            ("year", &format!("{:04}", date.year())),
        ],
    )
}

/// `9 h 30`, `9:30`: the 24-hour clock, seconds left out.
pub fn time(lang: &Lang, at: Time) -> String {
    text(lang, "time-of-day", &[("hour", &at.hour().to_string()), ("minute", &format!("{:02}", at.minute()))])
}

/// A day and a time to the second, for what ranks: `mardi 12 janvier 2027 à 9 h 30 min 07 s`.
pub fn date_time_to_second(lang: &Lang, at: &DateTime) -> String {
    let two = |figure: i8| format!("{figure:02}");
    let (minute, second) = (two(at.minute()), two(at.second()));
    let parts = [("hour", at.hour().to_string()), ("minute", minute), ("second", second)];
    let time = text(lang, "time-to-second", &parts.each_ref().map(|(name, value)| (*name, value.as_str())));
    text(lang, "date-time-long", &[("date", &date_long(lang, &at.date())), ("time", &time)])
}

/// Both in one phrase: `mardi 12 janvier 2027 à 9 h 30`.
pub fn date_time_long(lang: &Lang, at: &DateTime) -> String {
    text(lang, "date-time-long", &[("date", &date_long(lang, &at.date())), ("time", &time(lang, at.time()))])
}

/// The name of month 1 to 12; outside it, nothing.
pub fn month_name(lang: &Lang, month: i8) -> String {
    if (1..=12).contains(&month) { text(lang, &format!("month-{month}"), &[]) } else { String::new() }
}

/// The name of a day of the week.
pub fn weekday_name(lang: &Lang, day: Weekday) -> String {
    text(lang, &format!("weekday-{}", day.to_monday_one_offset()), &[])
}
