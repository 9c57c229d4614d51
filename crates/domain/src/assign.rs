//! Which slot a person gets (I4): with all given dates fixed and the slots then free to
//! the assigner, the earliest one between the person's earliest and latest day.
//!
//! Central asks its database in the same order; a property test compares the two.

use crate::ids::SlotId;
use crate::lease::Stratum;
use crate::limit::TimeLimit;
use crate::place::Class;
use crate::planted;
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};

/// Days between the registration and the first day a person can be asked to come:
/// nobody is convened for the day they ask.
pub const LEAD_DAYS: i32 = 1;

/// A slot free to whoever assigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSlot {
    pub slot: SlotId,
    pub at: DateTime,
    /// None at central, where every free slot serves everyone.
    pub stratum: Option<Stratum>,
}

/// What bounds a person's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub earliest: Date,
    /// The last day on which the date still serves; none for an ordinary request.
    pub latest: Option<Date>,
    pub class: Class,
}

impl Window {
    /// The window of a request made on `today`.
    #[must_use]
    pub fn new(today: Date, limit: Option<&TimeLimit>) -> Self {
        Self {
            earliest: if planted::on("lead_day_ignored") {
                today
            } else {
                today.saturating_add(LEAD_DAYS.days())
            },
            latest: limit.map(|limit| limit.last_day),
            class: if limit.is_some() { Class::WithTimeLimit } else { Class::Ordinary },
        }
    }

    /// May this person's date be this slot? A backstop is a date only where it serves a
    /// time limit: for everyone else central finds an earlier one.
    #[must_use]
    pub fn may_take(&self, slot: &FreeSlot) -> bool {
        match slot.stratum {
            Some(Stratum::Near) => self.class == Class::WithTimeLimit || planted::on("near_slot_to_anyone"),
            Some(Stratum::Backstop) if planted::on("backstop_as_date") => true,
            Some(Stratum::Backstop) => self.latest.is_some_and(|latest| slot.at.date() <= latest),
            Some(Stratum::Front | Stratum::Tail) | None => true,
        }
    }
}

/// The answer to a request for a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The earliest slot inside the window.
    Inside(FreeSlot),
    /// Nothing inside the window; the earliest after it, and an escalation is due.
    AfterLimit(FreeSlot),
    /// Nothing at all.
    Nothing,
}

impl Choice {
    #[must_use]
    pub fn slot(self) -> Option<FreeSlot> {
        match self {
            Self::Inside(slot) | Self::AfterLimit(slot) => Some(slot),
            Self::Nothing => None,
        }
    }
}

/// Takes the earliest free slot the window allows; slots of one minute go by id.
pub fn choose(free: impl IntoIterator<Item = FreeSlot>, window: &Window) -> Choice {
    let eligible = free.into_iter().filter(|slot| slot.at.date() >= window.earliest && window.may_take(slot));
    let key = |slot: &FreeSlot| (slot.at, slot.slot);
    let first =
        if planted::on("last_slot_first") { eligible.max_by_key(key) } else { eligible.min_by_key(key) };
    match (first, window.latest) {
        (None, _) => Choice::Nothing,
        (Some(slot), Some(latest)) if slot.at.date() > latest => Choice::AfterLimit(slot),
        (Some(slot), _) => Choice::Inside(slot),
    }
}

/// The slot a ranked receipt holds when [`choose`] finds nothing: the earliest backstop
/// from the window's first day on. The person is received then at the latest.
pub fn hold(free: impl IntoIterator<Item = FreeSlot>, window: &Window) -> Option<FreeSlot> {
    if planted::on("backstop_never_held") {
        return None;
    }
    free.into_iter()
        .filter(|slot| slot.stratum == Some(Stratum::Backstop) && slot.at.date() >= window.earliest)
        .min_by_key(|slot| (slot.at, slot.slot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Right;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2027, 3, 1);

    fn slots() -> impl Strategy<Value = Vec<FreeSlot>> {
        let slot = (
            0i32..60,
            0i8..8,
            prop::sample::select(vec![
                None,
                Some(Stratum::Near),
                Some(Stratum::Front),
                Some(Stratum::Tail),
                Some(Stratum::Backstop),
            ]),
        );
        prop::collection::vec(slot, 0..40).prop_map(|rows| {
            rows.into_iter()
                .enumerate()
                .map(|(i, (day, hour, stratum))| FreeSlot {
                    slot: SlotId(i as u64),
                    at: TODAY.saturating_add(day.days()).at(9 + hour, 0, 0, 0),
                    stratum,
                })
                .collect()
        })
    }

    proptest! {
        /// I4, against the definition written out the slow way.
        #[test]
        fn the_earliest_slot_inside_if_there_is_one(free in slots(), days in prop::option::of(0i32..70)) {
            let limit = days.map(|days| TimeLimit {
                right: Right::CourtInjunction,
                last_day: TODAY.saturating_add(days.days()),
                evidence: "x".into(),
            });
            let window = Window::new(TODAY, limit.as_ref());
            let allowed = |s: &&FreeSlot| {
                s.at.date() > TODAY
                    && (limit.is_some() || s.stratum != Some(Stratum::Near))
                    && (s.stratum != Some(Stratum::Backstop)
                        || limit.as_ref().is_some_and(|l| s.at.date() <= l.last_day))
            };
            let inside = free.iter().filter(allowed)
                .filter(|s| limit.as_ref().is_none_or(|l| s.at.date() <= l.last_day))
                .min_by_key(|s| (s.at, s.slot));
            let any = free.iter().filter(allowed).min_by_key(|s| (s.at, s.slot));
            let expected = match (inside, any) {
                (Some(s), _) => Choice::Inside(*s),
                (None, Some(s)) => Choice::AfterLimit(*s),
                (None, None) => Choice::Nothing,
            };
            prop_assert_eq!(choose(free.iter().copied(), &window), expected);
        }

        /// A receipt holds a backstop, the earliest still to come, and nothing else.
        #[test]
        fn a_receipt_holds_the_earliest_backstop(free in slots()) {
            let held = hold(free.iter().copied(), &Window::new(TODAY, None));
            let mut backstops: Vec<_> = free
                .iter()
                .filter(|s| s.stratum == Some(Stratum::Backstop) && s.at.date() > TODAY)
                .collect();
            backstops.sort_by_key(|s| (s.at, s.slot));
            prop_assert_eq!(held.as_ref(), backstops.first().copied());
        }
    }
}
