//! When one counter receives people: weekly patterns and openings on a single day. Knows
//! nothing of closures and holidays; see [`super::SiteCalendar`].

use crate::procedure::ProcedureSet;
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
};
use serde::{Deserialize, Serialize};

/// Most people one counter receives at once: a room of desks under one name. More is a slip.
pub const CAPACITY_MAX: u8 = 20;
/// Most patterns of one counter, ended ones not counted: a pattern for each day and season.
pub const PATTERNS_MAX: usize = 100;

fn one() -> u8 {
    1
}

fn is_one(capacity: &u8) -> bool {
    *capacity == 1
}

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
    /// People received at once, 1 to [`CAPACITY_MAX`]: that many slots at each hour.
    // Left out when it is 1, so that a central of an earlier version reads what it knows.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub capacity: u8,
    /// What it serves; all when absent.
    #[serde(default, skip_serializing_if = "ProcedureSet::is_all")]
    pub procedures: ProcedureSet,
    /// First day the pattern holds.
    pub from: Date,
    /// Last day it holds, if it ends.
    #[serde(default)]
    pub until: Option<Date>,
}

/// One counter's opening on one day, whatever the weekday, a closure or a public holiday:
/// it is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    pub day: Date,
    pub opens: Time,
    pub closes: Time,
    pub every_minutes: u16,
    #[serde(default = "one")]
    pub capacity: u8,
    #[serde(default)]
    pub procedures: ProcedureSet,
}

/// A pattern or opening no calendar can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternRefusal {
    /// A weekday outside 1 to 7, or none.
    Weekday,
    /// Opens at or after it closes.
    Hours,
    /// Not 5 to 480 minutes.
    Step,
    /// No slot fits between opening and closing.
    NoRoom,
    /// Not 1 to [`CAPACITY_MAX`] people at once.
    Capacity,
    /// Serves nothing.
    Procedures,
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
        if minutes(self.closes) - minutes(self.opens) < i64::from(self.every_minutes) {
            return Err(PatternRefusal::NoRoom);
        }
        if !(1..=CAPACITY_MAX).contains(&self.capacity) {
            return Err(PatternRefusal::Capacity);
        }
        if self.procedures.is_empty() {
            return Err(PatternRefusal::Procedures);
        }
        if self.until.is_some_and(|until| until < self.from) {
            return Err(PatternRefusal::Days);
        }
        Ok(())
    }

    /// The starts of this pattern's slots on `day`, in order. Closures, holidays and clock
    /// changes are the site's.
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

impl Opening {
    /// The same as a pattern that holds on its day alone.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        Pattern {
            weekdays: vec![self.day.weekday().to_monday_one_offset().unsigned_abs()],
            opens: self.opens,
            closes: self.closes,
            every_minutes: self.every_minutes,
            capacity: self.capacity,
            procedures: self.procedures,
            from: self.day,
            until: Some(self.day),
        }
    }

    /// # Errors
    /// See [`PatternRefusal`].
    pub fn check(&self) -> Result<(), PatternRefusal> {
        self.pattern().check()
    }
}

/// What becomes of a counter's weekly patterns from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternChange {
    /// From its first day on this one alone holds.
    Replace(Pattern),
    /// It holds beside the others.
    Add(Pattern),
    /// From this day on none holds.
    End(Date),
}

impl PatternChange {
    /// The first day on which anything may differ.
    #[must_use]
    pub fn from(&self) -> Date {
        match self {
            Self::Replace(pattern) | Self::Add(pattern) => pattern.from,
            Self::End(day) => *day,
        }
    }

    /// The counter's patterns afterwards. Days before [`Self::from`] stay as they were.
    #[must_use]
    pub fn made(&self, patterns: &[Pattern]) -> Vec<Pattern> {
        let before = |day: Date| {
            let ended = patterns.iter().filter(move |pattern| pattern.from < day).map(move |pattern| {
                let last = day.saturating_sub(1.days());
                let until = pattern.until.map_or(last, |until| until.min(last));
                Pattern { until: Some(until), ..pattern.clone() }
            });
            ended.collect::<Vec<_>>()
        };
        match self {
            Self::Add(pattern) => patterns.iter().chain([pattern]).cloned().collect(),
            Self::End(day) => before(*day),
            Self::Replace(pattern) => before(pattern.from).into_iter().chain([pattern.clone()]).collect(),
        }
    }
}

fn minutes(time: Time) -> i64 {
    i64::from(time.hour()) * 60 + i64::from(time.minute())
}

/// Weekdays from 9 to 16, every twenty minutes: what tests of the calendar begin with.
#[cfg(test)]
pub(super) fn demo() -> Pattern {
    use jiff::civil::{date, time};
    Pattern {
        weekdays: vec![1, 2, 3, 4, 5],
        opens: time(9, 0, 0, 0),
        closes: time(16, 0, 0, 0),
        every_minutes: 20,
        capacity: 1,
        procedures: ProcedureSet::ALL,
        from: date(2026, 1, 1),
        until: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    #[test]
    fn what_no_calendar_can_hold_is_refused() {
        let refusal = |change: fn(&mut Pattern)| {
            let mut pattern = demo();
            change(&mut pattern);
            pattern.check().unwrap_err()
        };
        assert_eq!(refusal(|p| p.weekdays = vec![8]), PatternRefusal::Weekday);
        assert_eq!(refusal(|p| p.closes = p.opens), PatternRefusal::Hours);
        assert_eq!(refusal(|p| p.every_minutes = 4), PatternRefusal::Step);
        assert_eq!(refusal(|p| p.every_minutes = 480), PatternRefusal::NoRoom);
        assert_eq!(refusal(|p| p.capacity = 0), PatternRefusal::Capacity);
        assert_eq!(refusal(|p| p.capacity = CAPACITY_MAX + 1), PatternRefusal::Capacity);
        assert_eq!(refusal(|p| p.procedures = ProcedureSet::NONE), PatternRefusal::Procedures);
        assert_eq!(refusal(|p| p.until = Some(date(2025, 1, 1))), PatternRefusal::Days);
        assert_eq!(demo().check(), Ok(()));
    }

    /// What is as it always was is written as it always was.
    #[test]
    fn a_pattern_of_the_first_version_reads_and_writes_the_same() {
        let first = r#"{"weekdays":[1,2,3,4,5],"opens":"09:00:00","closes":"16:00:00","every_minutes":20,"from":"2026-01-01","until":null}"#;
        assert_eq!(serde_json::from_str::<Pattern>(first).unwrap(), demo());
        assert_eq!(serde_json::to_string(&demo()).unwrap(), first);
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

        /// Before its first day a change changes nothing; after it, what it says and no more.
        #[test]
        fn a_change_begins_on_its_day(at in 0i32..60, look in 0i32..90, ends in prop::option::of(0i32..90)) {
            let day = |n: i32| date(2027, 3, 1).saturating_add(n.days());
            let old = [
                Pattern { from: day(0), until: ends.map(day), ..demo() },
                Pattern { from: day(30), weekdays: vec![6], ..demo() },
            ];
            let new = Pattern { from: day(at), opens: time(10, 0, 0, 0), ..demo() };
            let starts = |patterns: &[Pattern]| -> Vec<DateTime> {
                patterns.iter().flat_map(|pattern| pattern.starts(day(look))).collect()
            };
            let (ended, replaced) = (PatternChange::End(day(at)), PatternChange::Replace(new.clone()));
            prop_assert!(ended.made(&old).iter().all(|pattern| pattern.check().is_ok()));
            if look < at {
                prop_assert_eq!(starts(&ended.made(&old)), starts(&old));
                prop_assert_eq!(starts(&replaced.made(&old)), starts(&old));
            } else {
                prop_assert_eq!(starts(&ended.made(&old)), vec![]);
                prop_assert_eq!(starts(&replaced.made(&old)), new.starts(day(look)));
            }
            let both = [starts(&old), new.starts(day(look))].concat();
            prop_assert_eq!(starts(&PatternChange::Add(new).made(&old)), both);
        }
    }
}
