//! When a site receives people: the weekly patterns and single openings of its counters,
//! its closures, its public holidays, the changes of its clocks.
//! Slots exist as far ahead as anybody asks: there is no horizon, only the next day.

mod change;
mod holidays;
mod pattern;

pub use change::{Fate, Hold, Standing, fate};
pub use holidays::Holidays;
pub use pattern::{CAPACITY_MAX, Opening, PATTERNS_MAX, Pattern, PatternChange, PatternRefusal};

use crate::procedure::ProcedureSet;
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Civil days looked through for working ones: two years, longer than any closure.
const FURTHEST_WORKING_DAYS: u16 = 731;

/// Days on which a site or one counter is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    pub first: Date,
    pub last: Date,
}

impl Closure {
    #[must_use]
    pub fn covers(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// For how long a site stands, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteKind {
    Fixed,
    /// It closes for good after its last day.
    Temporary {
        last: Date,
    },
    /// It is there on the days an opening names, and on no other.
    Mobile,
}

impl SiteKind {
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Temporary { .. } => "temporary",
            Self::Mobile => "mobile",
        }
    }

    #[must_use]
    pub fn last(self) -> Option<Date> {
        match self {
            Self::Temporary { last } => Some(last),
            Self::Fixed | Self::Mobile => None,
        }
    }

    /// None for what is no kind, or a temporary site without its last day.
    #[must_use]
    pub fn parse(key: &str, last: Option<Date>) -> Option<Self> {
        match (key, last) {
            ("fixed", None) => Some(Self::Fixed),
            ("temporary", Some(last)) => Some(Self::Temporary { last }),
            ("mobile", None) => Some(Self::Mobile),
            _ => None,
        }
    }
}

/// What holds for all counters of a site.
#[derive(Debug, Clone)]
pub struct SiteCalendar {
    pub kind: SiteKind,
    /// The first day on which there may be slots.
    pub first: Date,
    pub holidays: Holidays,
    pub closures: Vec<Closure>,
    pub zone: TimeZone,
}

/// What holds for one counter.
#[derive(Debug, Clone, Default)]
pub struct CounterCalendar {
    pub patterns: Vec<Pattern>,
    pub openings: Vec<Opening>,
    /// Its own, beside the site's.
    pub closures: Vec<Closure>,
}

/// One hour of a counter: as many slots as it receives people at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    pub at: DateTime,
    /// What each of them serves.
    pub seats: Vec<ProcedureSet>,
}

impl Hour {
    /// What somebody may be received for at this hour.
    #[must_use]
    pub fn serves(&self) -> ProcedureSet {
        self.seats.iter().fold(ProcedureSet::NONE, |all, seat| all.with(*seat))
    }
}

impl SiteCalendar {
    /// The hours of a counter on `day`, in order. Where two patterns name one hour it is one
    /// hour: the larger capacity holds, and each seat serves what either says of it.
    #[must_use]
    pub fn hours(&self, counter: &CounterCalendar, day: Date) -> Vec<Hour> {
        if day < self.first || self.kind.last().is_some_and(|last| day > last) {
            return Vec::new();
        }
        let closed = self.kind == SiteKind::Mobile
            || self.holidays.include(day)
            || self.closures.iter().chain(&counter.closures).any(|closure| closure.covers(day));
        let patterns = counter.patterns.iter().filter(|_| !closed).cloned();
        let openings = counter.openings.iter().filter(|opening| opening.day == day).map(Opening::pattern);
        let mut hours: BTreeMap<DateTime, Vec<ProcedureSet>> = BTreeMap::new();
        for pattern in patterns.chain(openings) {
            for at in pattern.starts(day) {
                let seats = hours.entry(at).or_default();
                let capacity = usize::from(pattern.capacity);
                if seats.len() < capacity {
                    seats.resize(capacity, ProcedureSet::NONE);
                }
                for seat in seats.iter_mut().take(capacity) {
                    *seat = seat.with(pattern.procedures);
                }
            }
        }
        let hours = hours.into_iter().map(|(at, seats)| Hour { at, seats });
        hours.filter(|hour| self.exists(hour.at)).collect()
    }

    /// Is there such a time on the clocks? Not in the hour that is passed over in spring. An
    /// hour that comes twice in autumn is one: the first.
    #[must_use]
    pub fn exists(&self, at: DateTime) -> bool {
        !matches!(self.zone.to_ambiguous_timestamp(at).offset(), AmbiguousOffset::Gap { .. })
    }

    /// The first day after `after`, at most `furthest`, with a slot that `serves`.
    #[must_use]
    pub fn next_serving<'c>(
        &self,
        counters: impl Iterator<Item = &'c CounterCalendar> + Clone,
        serves: impl Fn(ProcedureSet) -> bool,
        (after, furthest): (Date, Date),
    ) -> Option<Date> {
        // Where nothing can come any more, no day needs to be looked at.
        let last = counters.clone().filter_map(|counter| self.last_serving(counter, &serves)).max()?;
        let last = self.kind.last().map_or(last, |end| end.min(last)).min(furthest);
        let mut day = after;
        while day < last {
            day = day.saturating_add(1.days());
            let hours = |counter| self.hours(counter, day);
            if counters.clone().flat_map(hours).any(|hour| serves(hour.serves())) {
                return Some(day);
            }
        }
        None
    }

    /// The last day of any pattern or opening that serves; the end of time if a pattern has none.
    fn last_serving(&self, counter: &CounterCalendar, serves: impl Fn(ProcedureSet) -> bool) -> Option<Date> {
        let patterns = counter
            .patterns
            .iter()
            .filter(|pattern| self.kind != SiteKind::Mobile && serves(pattern.procedures))
            .map(|pattern| pattern.until.unwrap_or(Date::MAX));
        let openings =
            counter.openings.iter().filter(|opening| serves(opening.procedures)).map(|opening| opening.day);
        patterns.chain(openings).max()
    }
}

impl CounterCalendar {
    /// What each pattern and opening that holds on `day` or later serves.
    pub fn served_from(&self, day: Date) -> impl Iterator<Item = ProcedureSet> {
        let patterns = self.patterns.iter().filter(move |one| one.until.is_none_or(|until| until >= day));
        let openings = self.openings.iter().filter(move |one| one.day >= day);
        patterns.map(|one| one.procedures).chain(openings.map(|one| one.procedures))
    }
}

/// The `days`th working day after `day`: Monday to Friday, no public holiday here, the site
/// not closed. A site closed for good answers the last day looked at.
#[must_use]
pub fn working_day_after(day: Date, days: u16, holidays: Holidays, closures: &[Closure]) -> Date {
    let works = |day: Date| {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !holidays.include(day)
            && !closures.iter().any(|closure| closure.covers(day))
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

#[cfg(test)]
mod tests;
