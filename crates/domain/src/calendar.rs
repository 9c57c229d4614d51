//! When a site's counters are open: weekly patterns, closures, French public holidays.
//! Slots exist as far ahead as anybody asks: there is no horizon, only the next day.

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time, Weekday},
};
use serde::{Deserialize, Serialize};

/// Civil days looked through for working ones: two years, longer than any closure.
const FURTHEST_WORKING_DAYS: u16 = 731;

/// A counter's opening on some weekdays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Monday is 1, Sunday 7 (ISO 8601).
    pub weekdays: Vec<u8>,
    pub opens: Time,
    /// The last slot ends by this time.
    pub closes: Time,
    /// Minutes from one slot to the next; 5 to 480.
    pub every_minutes: u16,
    /// First day the pattern holds.
    pub from: Date,
    /// Last day it holds, if it ends.
    #[serde(default)]
    pub until: Option<Date>,
}

/// Days on which a site or one counter is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    pub first: Date,
    pub last: Date,
}

/// Which public holidays a site keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holidays {
    Metropolitan,
    /// Good Friday and 26 December too (local law).
    AlsaceMoselle,
    Guadeloupe,
    Guyane,
    Martinique,
    Mayotte,
    Reunion,
}

impl Holidays {
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Some(match key {
            "metropolitan" => Self::Metropolitan,
            "alsace_moselle" => Self::AlsaceMoselle,
            "guadeloupe" => Self::Guadeloupe,
            "guyane" => Self::Guyane,
            "martinique" => Self::Martinique,
            "mayotte" => Self::Mayotte,
            "reunion" => Self::Reunion,
            _ => return None,
        })
    }

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Metropolitan => "metropolitan",
            Self::AlsaceMoselle => "alsace_moselle",
            Self::Guadeloupe => "guadeloupe",
            Self::Guyane => "guyane",
            Self::Martinique => "martinique",
            Self::Mayotte => "mayotte",
            Self::Reunion => "reunion",
        }
    }

    /// Is this day a public holiday here? (Code du travail L.3133-1, L.3134-13 and the
    /// commemorations of the abolition of slavery overseas.)
    #[must_use]
    pub fn include(self, day: Date) -> bool {
        let easter_offset = day.since(easter(day.year())).map_or(i32::MIN, |span| span.get_days());
        let national = matches!(
            (day.month(), day.day()),
            (1 | 5 | 11, 1) | (5, 8) | (7, 14) | (8, 15) | (11, 11) | (12, 25)
        ) || matches!(easter_offset, 1 | 39 | 50);
        let local = match self {
            Self::Metropolitan => false,
            Self::AlsaceMoselle => easter_offset == -2 || (day.month(), day.day()) == (12, 26),
            Self::Guadeloupe => (day.month(), day.day()) == (5, 27),
            Self::Guyane => (day.month(), day.day()) == (6, 10),
            Self::Martinique => (day.month(), day.day()) == (5, 22),
            Self::Mayotte => (day.month(), day.day()) == (4, 27),
            Self::Reunion => (day.month(), day.day()) == (12, 20),
        };
        national || local
    }
}

/// A pattern no calendar can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternRefusal {
    /// A weekday outside 1 to 7, or none.
    Weekday,
    /// Opens at or after it closes.
    Hours,
    /// Not 5 to 480 minutes.
    Step,
    /// Ends before it begins.
    Days,
}

impl Pattern {
    /// # Errors
    /// See [`PatternRefusal`].
    pub fn check(&self) -> Result<(), PatternRefusal> {
        if self.weekdays.is_empty() || self.weekdays.iter().any(|day| !(1..=7).contains(day)) {
            return Err(PatternRefusal::Weekday);
        }
        if self.opens >= self.closes {
            return Err(PatternRefusal::Hours);
        }
        if !(5..=480).contains(&self.every_minutes) {
            return Err(PatternRefusal::Step);
        }
        if self.until.is_some_and(|until| until < self.from) {
            return Err(PatternRefusal::Days);
        }
        Ok(())
    }

    /// The starts of this pattern's slots on `day`, in order. Closures and holidays are
    /// the caller's: see [`open_starts`].
    #[must_use]
    pub fn starts(&self, day: Date) -> Vec<DateTime> {
        let weekday = day.weekday().to_monday_one_offset().unsigned_abs();
        let holds = day >= self.from
            && self.until.is_none_or(|until| day <= until)
            && self.weekdays.contains(&weekday)
            && self.check().is_ok();
        if !holds {
            return Vec::new();
        }
        let step = i64::from(self.every_minutes);
        let opens = minutes(self.opens);
        let count = (minutes(self.closes) - opens) / step;
        (0..count)
            .filter_map(|n| day.to_datetime(self.opens).checked_add((n * step).minutes()).ok())
            .collect()
    }
}

/// The starts of one counter's slots on `day`.
#[must_use]
pub fn open_starts(
    patterns: &[Pattern],
    closures: &[Closure],
    holidays: Holidays,
    day: Date,
) -> Vec<DateTime> {
    if holidays.include(day) || closures.iter().any(|c| (c.first..=c.last).contains(&day)) {
        return Vec::new();
    }
    let mut starts: Vec<_> = patterns.iter().flat_map(|pattern| pattern.starts(day)).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The `days`th working day after `day`: Monday to Friday, no public holiday here, the site
/// not closed. A site closed for good answers the last day looked at.
#[must_use]
pub fn working_day_after(day: Date, days: u16, holidays: Holidays, closures: &[Closure]) -> Date {
    let works = |day: Date| {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !holidays.include(day)
            && !closures.iter().any(|closure| (closure.first..=closure.last).contains(&day))
    };
    let (mut at, mut left) = (day, days);
    for _ in 0..FURTHEST_WORKING_DAYS {
        if left == 0 {
            break;
        }
        at = at.saturating_add(1.days());
        left -= u16::from(works(at));
    }
    at
}

fn minutes(time: Time) -> i64 {
    i64::from(time.hour()) * 60 + i64::from(time.minute())
}

/// Easter Sunday in the Gregorian calendar (Meeus, Jones, Butcher).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    let month = i8::try_from(month).unwrap_or(4);
    let day = i8::try_from(day).unwrap_or(1);
    Date::new(year, month, day).unwrap_or(Date::ZERO)
}

/// The first day on or after `day` that is neither Saturday nor Sunday.
#[must_use]
pub fn next_weekday(day: Date) -> Date {
    let mut day = day;
    while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        day = day.saturating_add(1.days());
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    fn demo() -> Pattern {
        Pattern {
            weekdays: vec![1, 2, 3, 4, 5],
            opens: time(9, 0, 0, 0),
            closes: time(16, 0, 0, 0),
            every_minutes: 20,
            from: date(2026, 1, 1),
            until: None,
        }
    }

    #[test]
    fn a_working_day_has_its_slots_and_a_holiday_none() {
        let starts = |day| open_starts(&[demo()], &[], Holidays::Metropolitan, day);
        let monday = starts(date(2027, 3, 8));
        assert_eq!(monday.len(), 21);
        assert_eq!(monday.first().map(|at| at.time()), Some(time(9, 0, 0, 0)));
        assert_eq!(monday.last().map(|at| at.time()), Some(time(15, 40, 0, 0)));
        assert!(starts(date(2027, 3, 7)).is_empty(), "Sunday");
        assert!(starts(date(2027, 3, 29)).is_empty(), "Easter Monday");
        assert!(starts(date(2027, 5, 6)).is_empty(), "Ascension");
        assert!(starts(date(2027, 5, 17)).is_empty(), "Whit Monday");
        assert!(starts(date(2027, 7, 14)).is_empty());
        assert!(!starts(date(2027, 3, 26)).is_empty(), "Good Friday is worked in Paris");
        let closed = [Closure { first: date(2027, 3, 8), last: date(2027, 3, 9) }];
        assert!(open_starts(&[demo()], &closed, Holidays::Metropolitan, date(2027, 3, 9)).is_empty());
    }

    #[test]
    fn each_territory_keeps_its_own_days() {
        assert!(Holidays::AlsaceMoselle.include(date(2027, 3, 26)));
        assert!(Holidays::Mayotte.include(date(2027, 4, 27)));
        assert!(Holidays::Martinique.include(date(2027, 5, 22)));
        assert!(Holidays::Guadeloupe.include(date(2027, 5, 27)));
        assert!(Holidays::Guyane.include(date(2027, 6, 10)));
        assert!(Holidays::Reunion.include(date(2027, 12, 20)));
        assert!(!Holidays::Metropolitan.include(date(2027, 12, 20)));
    }

    /// Dates of Easter as published (INSEE, 2024-2030).
    #[test]
    fn easter_as_published() {
        for day in [
            date(2024, 3, 31),
            date(2025, 4, 20),
            date(2026, 4, 5),
            date(2027, 3, 28),
            date(2028, 4, 16),
            date(2029, 4, 1),
            date(2030, 4, 21),
        ] {
            assert_eq!(easter(day.year()), day);
        }
    }

    proptest! {
        #[test]
        fn slots_never_leave_the_opening_hours(day in 0i32..4000, every in 5u16..=480) {
            let pattern = Pattern { every_minutes: every, ..demo() };
            let day = date(2026, 1, 1).saturating_add(day.days());
            for at in pattern.starts(day) {
                prop_assert!(at.time() >= pattern.opens);
                prop_assert!(minutes(at.time()) + i64::from(every) <= minutes(pattern.closes));
                prop_assert_eq!(at.date(), day);
            }
        }
    }

    #[test]
    fn working_days_pass_over_weekends_holidays_and_closures() {
        let after =
            |day, days, closures: &[Closure]| working_day_after(day, days, Holidays::Metropolitan, closures);
        // A Friday before Easter Monday 2027.
        assert_eq!(after(date(2027, 3, 26), 1, &[]), date(2027, 3, 30));
        assert_eq!(after(date(2027, 3, 26), 2, &[]), date(2027, 3, 31));
        let closed = Closure { first: date(2027, 3, 30), last: date(2027, 4, 4) };
        assert_eq!(after(date(2027, 3, 26), 1, &[closed]), date(2027, 4, 5));
        assert_eq!(after(date(2027, 3, 26), 0, &[]), date(2027, 3, 26));
        let for_ever = Closure { first: date(2000, 1, 1), last: date(2100, 1, 1) };
        assert_eq!(after(date(2027, 3, 26), 1, &[for_ever]), date(2029, 3, 26));
    }
}
