//! Extra slots: where no slot serves a time limit any more, one more person is received beside the
//! others of an hour. Bounded, so that a day stays one that a counter can work through.

use crate::assign::Window;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use std::collections::BTreeMap;

/// Of the slots of a day, one extra for so many, begun ones counted: at a counter with a slot every
/// twenty minutes, two or three in a day.
pub const ONE_IN: u32 = 10;
/// Days after the first possible one within which a right that is due as soon as possible is
/// received, with an extra slot where no other lies so near.
pub const SOON_DAYS: i32 = 7;

/// An hour of a counter, as the days stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// Which counter, and the order of those that are open at one hour.
    pub counter: i64,
    pub at: DateTime,
    /// Its slots, given or not, that serve what is asked for.
    pub slots: u32,
    /// People received beside them already, whatever for.
    pub extras: u32,
}

/// Does a date on this day do for the time limit: in time, and near where it is due as soon as possible?
/// Without a limit any day does.
#[must_use]
pub fn serves(window: &Window, day: Date) -> bool {
    let soon = window.earliest.saturating_add(SOON_DAYS.days());
    window.latest.is_none_or(|latest| day <= latest && !(window.soon && day > soon))
}

/// The days, both included, on which an extra slot is looked for: none where the slot `found` will do.
#[must_use]
pub fn days(window: &Window, found: Option<Date>) -> Option<(Date, Date)> {
    let latest = window.latest?;
    let last = match found {
        Some(found) if serves(window, found) => return None,
        // Never on the day found, or after it.
        Some(found) => latest.min(found.saturating_sub(1.days())),
        None => latest,
    };
    (window.earliest <= last).then_some((window.earliest, last))
}

/// The hour beside which an extra slot is made: on the first day that has room for one, the hour
/// with the fewest, the earliest of those.
#[must_use]
pub fn choose(hours: impl IntoIterator<Item = Hour>, (first, last): (Date, Date)) -> Option<Hour> {
    let mut days: BTreeMap<Date, Vec<Hour>> = BTreeMap::new();
    for hour in hours.into_iter().filter(|hour| hour.slots > 0) {
        let day = hour.at.date();
        if (first..=last).contains(&day) {
            days.entry(day).or_default().push(hour);
        }
    }
    days.into_values()
        .find(|hours| has_room(hours))
        .and_then(|hours| hours.into_iter().min_by_key(|hour| (hour.extras, hour.at, hour.counter)))
}

fn has_room(hours: &[Hour]) -> bool {
    let sum = |of: fn(&Hour) -> u32| hours.iter().map(of).fold(0u32, u32::saturating_add);
    sum(|hour| hour.extras) < sum(|hour| hour.slots).div_ceil(ONE_IN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Class;
    use jiff::civil::date;
    use proptest::prelude::*;

    const FIRST: Date = date(2027, 3, 10);

    fn window(limit: Option<i32>, soon: bool) -> Window {
        let latest = limit.map(|days| FIRST.saturating_add(days.days()));
        let class = if limit.is_some() { Class::WithTimeLimit } else { Class::Ordinary };
        Window { earliest: FIRST, latest, soon, class, procedure: None }
    }

    fn hours() -> impl Strategy<Value = Vec<Hour>> {
        let hour =
            (0i64..3, 0i32..6, 9i8..12, 0u32..15, 0u32..3).prop_map(|(counter, day, hour, slots, extras)| {
                Hour { counter, at: FIRST.saturating_add(day.days()).at(hour, 0, 0, 0), slots, extras }
            });
        prop::collection::vec(hour, 0..40)
    }

    proptest! {
        /// The bound holds after it, no earlier day had room, and the hour is the least crowded.
        #[test]
        fn a_day_is_never_overfilled(hours in hours(), last in 0i32..6) {
            let days = (FIRST, FIRST.saturating_add(last.days()));
            let of = |day: Date| -> (u32, u32) {
                let of = hours.iter().filter(|hour| hour.at.date() == day && hour.slots > 0);
                of.fold((0, 0), |(slots, extras), hour| (slots + hour.slots, extras + hour.extras))
            };
            let full = |day: Date| { let (slots, extras) = of(day); extras * ONE_IN >= slots };
            match choose(hours.iter().copied(), days) {
                Some(hour) => {
                    let day = hour.at.date();
                    prop_assert!(days.0 <= day && day <= days.1 && hour.slots > 0);
                    let (slots, extras) = of(day);
                    prop_assert!((extras + 1) <= slots.div_ceil(ONE_IN));
                    prop_assert!(FIRST.series(1.day()).take_while(|before| *before < day).all(full));
                    let others = hours.iter().filter(|other| other.at.date() == day && other.slots > 0);
                    for other in others {
                        prop_assert!((hour.extras, hour.at) <= (other.extras, other.at));
                    }
                }
                None => prop_assert!(FIRST.series(1.day()).take_while(|day| *day <= days.1).all(full)),
            }
        }

        /// Only for a limit, only where what was found does not serve it, and only before that.
        #[test]
        fn only_where_nothing_else_serves(limit in prop::option::of(0i32..60), soon: bool, found in prop::option::of(0i32..90)) {
            let window = window(limit, soon);
            let found = found.map(|days| FIRST.saturating_add(days.days()));
            let late = window.latest.is_some_and(|latest| found.is_none_or(|found| found > latest));
            let far = limit.is_some() && soon && found.is_none_or(|found| found > FIRST.saturating_add(SOON_DAYS.days()));
            match days(&window, found) {
                Some((first, last)) => {
                    prop_assert!(late || far);
                    prop_assert_eq!(first, FIRST);
                    prop_assert!(window.latest.is_some_and(|latest| last <= latest));
                    prop_assert!(found.is_none_or(|found| last < found));
                }
                None => prop_assert!(!late && !far || found == Some(FIRST)),
            }
        }
    }

    #[test]
    fn a_small_counter_receives_one_more_and_not_two() {
        let hour = |minute: i8, extras| Hour { counter: 1, at: FIRST.at(9, minute, 0, 0), slots: 1, extras };
        let days = days(&window(Some(0), false), None).unwrap();
        assert_eq!(choose([hour(0, 0), hour(20, 0), hour(40, 0)], days), Some(hour(0, 0)));
        assert_eq!(choose([hour(0, 1), hour(20, 0), hour(40, 0)], days), None);
    }
}
