//! Which slots many people get at once (I4): after a closure, for all whose date no longer
//! holds. Of those with a last useful day as many are served by it as any allocation could
//! serve; where not all can be, their rank decides who. Knows days, not hours, until the end:
//! slots of one day that serve the same are alike.

mod bits;
mod matching;

use crate::assign::{FreeSlot, Window};
use crate::place::PlaceKey;
use crate::procedure::{Procedure, ProcedureSet};
use bits::Bits;
use jiff::civil::Date;
use matching::{Matching, Seeker};
use std::collections::BTreeMap;

/// Somebody who is to be given a slot. The window's class is not looked at: whoever has a last
/// day has a time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    pub place: PlaceKey,
    pub window: Window,
}

/// The slots of one day that serve the same procedures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    pub day: Date,
    pub serves: ProcedureSet,
    pub free: u32,
}

/// What a person gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<T> {
    /// A slot, or the number of a bucket.
    pub what: T,
    /// It lies after the last day that serves: the desk is told.
    pub late: bool,
}

/// For each person, in the order given, a slot or none.
///
/// People with a time limit come first, in rank order: each is served inside their window
/// unless one before them then could not be, and of these each has the earliest day that leaves
/// all the others served. Then those whose limit cannot be kept, then everybody else, each in
/// rank order, with the earliest slot that is left from their first day on. On one day the slot
/// that serves fewest procedures goes first, then the earlier hour.
#[must_use]
pub fn assign(people: &[Person], free: &[FreeSlot]) -> Vec<Option<Placed<FreeSlot>>> {
    let mut days: BTreeMap<(Date, u32, ProcedureSet), Vec<FreeSlot>> = BTreeMap::new();
    for slot in free {
        days.entry((slot.at.date(), slot.serves.breadth(), slot.serves)).or_default().push(*slot);
    }
    let buckets: Vec<Bucket> = days
        .iter()
        .map(|(&(day, _, serves), slots)| Bucket { day, serves, free: count(slots.len()) })
        .collect();
    let mut slots: Vec<_> = days
        .into_values()
        .map(|mut slots| {
            slots.sort_by_key(|slot| (slot.at, slot.slot));
            slots.into_iter()
        })
        .collect();
    let placed = allocate(people, &buckets);
    let mut order: Vec<usize> = (0..people.len()).collect();
    let late = |n: &usize| placed.get(*n).is_some_and(|one| one.is_none_or(|one| one.late));
    order.sort_by_key(|n| {
        let person = people.get(*n);
        (person.is_none_or(|one| one.window.latest.is_none()), late(n), person.map(|one| one.place), *n)
    });
    let mut given = vec![None; people.len()];
    for n in order {
        let Some(Some(Placed { what, late })) = placed.get(n).copied() else { continue };
        let slot = slots.get_mut(what).and_then(Iterator::next);
        if let Some(one) = given.get_mut(n) {
            *one = slot.map(|slot| Placed { what: slot, late });
        }
    }
    given
}

/// The same by day and what is served: for each person the number of a bucket, or none.
#[must_use]
pub fn allocate(people: &[Person], buckets: &[Bucket]) -> Vec<Option<Placed<usize>>> {
    let mut sorted: Vec<usize> = (0..buckets.len()).collect();
    sorted.sort_by_key(|n| buckets.get(*n).map(|one| (one.day, one.serves.breadth(), one.serves, *n)));
    let sorted_buckets: Vec<Bucket> = sorted.iter().filter_map(|n| buckets.get(*n).copied()).collect();
    let (seekers, served) = seekers(people, &sorted_buckets);
    let mut matching = Matching::new(&seekers, served, sorted_buckets.iter().map(|one| one.free));
    let mut order: Vec<usize> = (0..people.len()).collect();
    order.sort_by_key(|n| (people.get(*n).map(|one| one.place), *n));
    let limited = |n: &usize| people.get(*n).is_some_and(|one| one.window.latest.is_some());
    let (limited, ordinary): (Vec<usize>, Vec<usize>) = order.into_iter().partition(limited);
    let (inside, missed): (Vec<usize>, Vec<usize>) = limited.into_iter().partition(|n| matching.admit(*n));
    let mut placed = vec![None; people.len()];
    let mut put = |n: usize, bucket: Option<usize>, late| {
        let what = bucket.and_then(|bucket| sorted.get(bucket).copied());
        if let Some(one) = placed.get_mut(n) {
            *one = what.map(|what| Placed { what, late });
        }
    };
    for n in inside {
        put(n, matching.fix(n), false);
    }
    for n in missed {
        put(n, matching.left_over(n), true);
    }
    for n in ordinary {
        put(n, matching.left_over(n), false);
    }
    placed
}

/// The people by positions among the buckets, and for each procedure the buckets that serve it.
fn seekers(people: &[Person], buckets: &[Bucket]) -> (Vec<Seeker>, Vec<Bits>) {
    let mut classes: BTreeMap<Option<Procedure>, usize> = BTreeMap::new();
    let mut served = Vec::new();
    let seekers = people
        .iter()
        .map(|Person { window, .. }| {
            let class = *classes.entry(window.procedure).or_insert_with(|| {
                let serves = |one: &Bucket| window.procedure.is_none_or(|wanted| one.serves.includes(wanted));
                served.push(Bits::of(buckets.iter().map(serves)));
                served.len() - 1
            });
            let first = buckets.partition_point(|one| one.day < window.earliest);
            let after = match window.latest {
                Some(latest) => buckets.partition_point(|one| one.day <= latest),
                None => buckets.len(),
            };
            Seeker { class, first, after }
        })
        .collect();
    (seekers, served)
}

fn count(slots: usize) -> u32 {
    u32::try_from(slots).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
