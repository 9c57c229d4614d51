//! A site's free slots by day. Of a day with free ones the earliest stands for all: that is the
//! one `domain::assign` takes.

use super::arrivals::is_open;
use domain::assign::FreeSlot;
use domain::ids::SlotId;
use domain::procedure::ProcedureSet;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use std::collections::{BTreeMap, BTreeSet};

/// Day 0, a Monday.
const FIRST: Date = date(2027, 1, 4);
/// Ids of one day: more than a site has slots.
const A_DAY: u64 = 1_000;
/// Minutes a site is open for a day.
const MINUTES: u32 = 480;

pub struct Slots {
    /// Slots of an open day.
    each: u16,
    /// Days with a free slot: the first that was never taken, and those that came back.
    free: BTreeMap<Date, (u16, BTreeSet<u16>)>,
}

impl Slots {
    /// Free from `front` on, up to `days`.
    pub fn open(each: u16, front: i32, days: i32) -> Self {
        let open = (front..days).filter(|day| is_open(*day));
        Self { each, free: open.map(|number| (day(number), (0, BTreeSet::new()))).collect() }
    }

    /// The earliest free slot from a day on.
    pub fn first(&self, from: Date) -> Option<FreeSlot> {
        let (day, (next, back)) = self.free.range(from..).next()?;
        let number = back.first().copied().unwrap_or(*next).min(*next);
        let minute = u32::from(number) * MINUTES / u32::from(self.each.max(1));
        let part = |n: u32| i8::try_from(n).unwrap_or(0);
        let at = day.at(9 + part(minute / 60), part(minute % 60), 0, 0);
        let days = u64::try_from(number_of(*day)).unwrap_or(0);
        let slot = SlotId(days * A_DAY + u64::from(number));
        Some(FreeSlot { slot, at, stratum: None, serves: ProcedureSet::ALL })
    }

    pub fn take(&mut self, slot: &FreeSlot) {
        let (day, number) = (slot.at.date(), number_in_day(slot));
        let Some((next, back)) = self.free.get_mut(&day) else { return };
        if !back.remove(&number) {
            *next += 1;
        }
        if *next >= self.each && back.is_empty() {
            self.free.remove(&day);
        }
    }

    pub fn give_back(&mut self, slot: &FreeSlot) {
        let day = self.free.entry(slot.at.date()).or_insert((self.each, BTreeSet::new()));
        day.1.insert(number_in_day(slot));
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
