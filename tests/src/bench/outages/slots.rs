//! A site's free slots by day. Of a day with free ones the earliest stands for all: that is the
//! one `domain::assign` takes.

use super::arrivals::is_open;
use domain::assign::FreeSlot;
use domain::ids::SlotId;
use domain::lease::Stratum;
use domain::procedure::ProcedureSet;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

/// Day 0, a Monday.
const FIRST: Date = date(2027, 1, 4);
/// Ids of one day: more than a site has slots.
const A_DAY: u64 = 1_000;
/// Minutes a site is open for a day.
const MINUTES: u32 = 480;

pub struct Slots {
    /// Slots of an open day.
    each: u16,
    /// Days with a free slot: the first that was never taken, and those that came back, from which stratum.
    free: BTreeMap<Date, (u16, BTreeMap<u16, Stratum>)>,
}

impl Slots {
    /// Free from `front` on, up to `days`.
    pub fn open(each: u16, front: i32, days: i32) -> Self {
        let open = (front..days).filter(|day| is_open(*day));
        Self { each, free: open.map(|number| (day(number), (0, BTreeMap::new()))).collect() }
    }

    /// The earliest free slot from a day on.
    pub fn first(&self, from: Date) -> Option<FreeSlot> {
        self.first_that(from, |_| true)
    }

    /// The earliest of them that was never lent, or went back from a stratum that may be lent again.
    pub fn first_that(&self, from: Date, again: impl Fn(Stratum) -> bool) -> Option<FreeSlot> {
        let numbers = self.free.range(from..).filter_map(|(day, (next, back))| {
            let back = back.iter().find(|(_, before)| again(**before)).map(|(number, _)| *number);
            let number = back.into_iter().chain((*next < self.each).then_some(*next)).min()?;
            Some((*day, number))
        });
        let (day, number) = numbers.into_iter().next()?;
        let minute = u32::from(number) * MINUTES / u32::from(self.each.max(1));
        let part = |n: u32| i8::try_from(n).unwrap_or(0);
        let at = day.at(9 + part(minute / 60), part(minute % 60), 0, 0);
        let days = u64::try_from(number_of(day)).unwrap_or(0);
        let slot = SlotId(days * A_DAY + u64::from(number));
        Some(FreeSlot { slot, at, stratum: None, serves: ProcedureSet::ALL })
    }

    pub fn take(&mut self, slot: &FreeSlot) {
        let (day, number) = (slot.at.date(), number_in_day(slot));
        let Some((next, back)) = self.free.get_mut(&day) else { return };
        if back.remove(&number).is_none() {
            *next += 1;
        }
        if *next >= self.each && back.is_empty() {
            self.free.remove(&day);
        }
    }

    /// A slot that was lent in this stratum and given to nobody.
    pub fn give_back(&mut self, slot: &FreeSlot, before: Stratum) {
        let day = self.free.entry(slot.at.date()).or_insert((self.each, BTreeMap::new()));
        day.1.insert(number_in_day(slot), before);
    }
}

fn number_in_day(slot: &FreeSlot) -> u16 {
    u16::try_from(slot.slot.0 % A_DAY).unwrap_or(u16::MAX)
}

pub fn day(number: i32) -> Date {
    FIRST.saturating_add(number.days())
}

pub fn number_of(day: Date) -> i32 {
    FIRST.until(day).map_or(0, |span| span.get_days())
}

/// Open days from the first one to this: what differences in days are told in.
pub fn working(day: Date) -> i32 {
    let days = number_of(day);
    days.div_euclid(7) * 5 + days.rem_euclid(7).min(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_is_first_also_when_it_came_back() {
        let mut slots = Slots::open(2, 3, 10);
        let mut take = |from: i32| {
            let slot = slots.first(day(from)).unwrap();
            slots.take(&slot);
            slot
        };
        let taken: Vec<_> = (0..5).map(|_| take(0)).collect();
        let days: Vec<i32> = taken.iter().map(|slot| number_of(slot.at.date())).collect();
        // Days 5 and 6 are a week-end.
        assert_eq!(days, [3, 3, 4, 4, 7]);
        assert!(taken.is_sorted_by_key(|slot| slot.at));
        slots.give_back(&taken[3], Stratum::Tail);
        slots.give_back(&taken[1], Stratum::Front);
        assert_eq!(slots.first(day(0)), Some(taken[1]));
        let of_the_tail = |before| before == Stratum::Tail;
        assert_eq!(slots.first_that(day(0), of_the_tail), Some(taken[3]));
        let new = slots.first_that(day(0), |_| false).unwrap();
        assert_eq!((number_of(new.at.date()), new.slot != taken[4].slot), (7, true));
        assert_eq!(slots.first(day(4)), Some(taken[3]));
        slots.take(&taken[1]);
        slots.take(&taken[3]);
        assert_eq!(slots.first(day(0)).map(|slot| number_of(slot.at.date())), Some(7));
        assert!(slots.first(day(10)).is_none());
    }

    #[test]
    fn working_days_pass_over_week_ends() {
        let days: Vec<i32> = (0..10).map(|number| working(day(number))).collect();
        assert_eq!(days, [0, 1, 2, 3, 4, 5, 5, 5, 6, 7]);
    }
}
