//! Which slot a person gets (I4): with all given dates fixed and the slots then free to
//! them, the earliest one between the person's earliest and latest day. What the site keeps for
//! near time limits ([`Reserve`]) is free to those only whose limit would be missed without it,
//! and to whoever is due as soon as possible.
//!
//! Central asks its database in the same order; a property test compares the two.

use crate::batch::Bucket;
use crate::ids::SlotId;
use crate::lease::Stratum;
use crate::limit::TimeLimit;
use crate::place::Class;
use crate::planted;
use crate::procedure::{Procedure, ProcedureSet};
use crate::reserve::Reserve;
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};
use std::collections::BTreeMap;

/// Days between the registration and the first day a person can be asked to come:
/// nobody is convened for the day they ask.
pub const LEAD_DAYS: i32 = 1;

/// A slot free to whoever assigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSlot {
    pub slot: SlotId,
    pub at: DateTime,
    /// None at central, where free slots are of no stratum.
    pub stratum: Option<Stratum>,
    /// What its counter receives people for then.
    pub serves: ProcedureSet,
}

/// What bounds a person's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub earliest: Date,
    /// The last day on which the date still serves; none for an ordinary request.
    pub latest: Option<Date>,
    /// Due as soon as possible: the latest day is a backstop, never a target.
    pub soon: bool,
    pub class: Class,
    /// What the person comes for; none where only days are asked about.
    pub procedure: Option<Procedure>,
}

impl Window {
    /// The window of a request made on `today`, whatever it is for.
    #[must_use]
    pub fn new(today: Date, limit: Option<&TimeLimit>) -> Self {
        Self {
            earliest: if planted::on("lead_day_ignored") {
                today
            } else {
                today.saturating_add(LEAD_DAYS.days())
            },
            latest: limit.map(|limit| limit.last_day),
            soon: limit.is_some_and(|limit| limit.right.is_due_soon()),
            class: if limit.is_some() { Class::WithTimeLimit } else { Class::Ordinary },
            procedure: None,
        }
    }

    /// The same window, for slots that serve `procedure` alone.
    #[must_use]
    pub fn for_procedure(self, procedure: Procedure) -> Self {
        Self { procedure: Some(procedure), ..self }
    }

    fn is_served_by(&self, slot: &FreeSlot) -> bool {
        self.procedure.is_none_or(|procedure| slot.serves.includes(procedure))
    }

    /// May this person's date be this slot? A backstop is a date only where it serves a
    /// time limit: for everyone else central finds an earlier one.
    #[must_use]
    pub fn may_take(&self, slot: &FreeSlot) -> bool {
        if !self.is_served_by(slot) {
            return false;
        }
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

/// Takes the earliest free slot the window and the reserve allow. Of one hour the slot that serves
/// fewest procedures goes first, so that the others stay for whom they serve; then by id.
pub fn choose(free: impl IntoIterator<Item = FreeSlot>, window: &Window, reserve: &Reserve) -> Choice {
    let free: Vec<FreeSlot> = free.into_iter().collect();
    let picked = (!reserve.is_none()).then(|| pick(&buckets(&free), window, reserve));
    let eligible = free.into_iter().filter(|slot| {
        slot.at.date() >= window.earliest
            && window.may_take(slot)
            && picked.as_ref().is_none_or(|picked| picked.as_ref().is_some_and(|one| one.allows(slot)))
    });
    let key = |slot: &FreeSlot| (slot.at, slot.serves.breadth(), slot.slot);
    let first =
        if planted::on("last_slot_first") { eligible.max_by_key(key) } else { eligible.min_by_key(key) };
    match (first, window.latest) {
        (None, _) => Choice::Nothing,
        (Some(slot), Some(latest)) if slot.at.date() > latest => Choice::AfterLimit(slot),
        (Some(slot), _) => Choice::Inside(slot),
    }
}

/// Where a person's slot lies: on a day, among those that serve one of these sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    pub day: Date,
    pub among: Vec<ProcedureSet>,
    /// How many of them may be given before the rest is kept; one of what is kept already.
    pub room: u32,
}

impl Pick {
    pub(crate) fn allows(&self, slot: &FreeSlot) -> bool {
        slot.at.date() == self.day && self.among.contains(&slot.serves)
    }
}

/// The day on which a person gets their slot, of the free ones in `buckets`, the earliest day first
/// and no day in two places. None when there is none.
#[must_use]
pub fn pick(buckets: &[Bucket], window: &Window, reserve: &Reserve) -> Option<Pick> {
    if window.soon {
        return earliest(buckets, window, None);
    }
    let open = earliest(buckets, window, Some(reserve));
    if planted::on("kept_from_everybody") {
        return open;
    }
    match (open, window.latest) {
        (Some(open), None) => Some(open),
        (Some(open), Some(latest)) if open.day <= latest => Some(open),
        // A kept one keeps the limit, or nothing does: then the earliest of all. And where nothing
        // else is left, kept ones are everybody's.
        _ => earliest(buckets, window, None).map(|any| Pick { room: 1, ..any }),
    }
}

/// Do these buckets reach far enough ahead to tell where the person's slot lies? Not while only kept
/// slots are seen: the days after them may have others.
#[must_use]
pub fn reach(buckets: &[Bucket], window: &Window, reserve: &Reserve) -> bool {
    earliest(buckets, window, (!window.soon).then_some(reserve)).is_some()
}

/// The first day from the window's on with a slot for the person; of those not kept, where a
/// reserve is given.
fn earliest(buckets: &[Bucket], window: &Window, reserve: Option<&Reserve>) -> Option<Pick> {
    let days = buckets.chunk_by(|one, next| one.day == next.day);
    days.into_iter().find_map(|of_day| open_on(of_day, window, reserve)).map(|(pick, _)| pick)
}

/// What of one day's slots the person may have, none before their window; of those not kept, where
/// a reserve is given. With how many may be given in all.
pub(crate) fn open_on(of_day: &[Bucket], window: &Window, reserve: Option<&Reserve>) -> Option<(Pick, u32)> {
    let day = of_day.first().map(|one| one.day).filter(|day| *day >= window.earliest)?;
    let free: Vec<(ProcedureSet, u32)> =
        of_day.iter().filter(|one| one.free > 0).map(|one| (one.serves, one.free)).collect();
    let serves = |set: &ProcedureSet| window.procedure.is_none_or(|procedure| set.includes(procedure));
    let room = |set: ProcedureSet| reserve.map_or(u32::MAX, |reserve| reserve.room(day, set, &free));
    let open = free.iter().filter(|(set, _)| serves(set)).map(|(set, free)| (*set, room(*set), *free));
    let open: Vec<(ProcedureSet, u32, u32)> = open.filter(|(_, room, _)| *room > 0).collect();
    let all = open.iter().fold(0_u32, |all, (_, room, free)| all.saturating_add(*room.min(free)));
    let room = open.iter().map(|(_, room, _)| *room).min()?;
    Some((Pick { day, among: open.into_iter().map(|(set, ..)| set).collect(), room }, all))
}

/// Free slots by day and by what they serve.
#[must_use]
pub fn buckets(free: &[FreeSlot]) -> Vec<Bucket> {
    let mut counted: BTreeMap<(Date, ProcedureSet), u32> = BTreeMap::new();
    for slot in free {
        *counted.entry((slot.at.date(), slot.serves)).or_default() += 1;
    }
    counted.into_iter().map(|((day, serves), free)| Bucket { day, serves, free }).collect()
}

/// The slot a ranked receipt holds when [`choose`] finds nothing: the earliest backstop
/// from the window's first day on. The person is received then at the latest.
pub fn hold(free: impl IntoIterator<Item = FreeSlot>, window: &Window) -> Option<FreeSlot> {
    if planted::on("backstop_never_held") {
        return None;
    }
    free.into_iter()
        .filter(|slot| slot.stratum == Some(Stratum::Backstop) && slot.at.date() >= window.earliest)
        .filter(|slot| window.is_served_by(slot))
        .min_by_key(|slot| (slot.at, slot.serves.breadth(), slot.slot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Right;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2027, 3, 1);

    fn procedure() -> impl Strategy<Value = Procedure> {
        prop::sample::select(vec!["renewal", "duplicate", "naturalisation"])
            .prop_map(|key| Procedure::parse(key).unwrap())
    }

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
            prop_oneof![Just(ProcedureSet::ALL), procedure().prop_map(|only| ProcedureSet::of([only]))],
        );
        prop::collection::vec(slot, 0..40).prop_map(|rows| {
            rows.into_iter()
                .enumerate()
                .map(|(i, (day, hour, stratum, serves))| FreeSlot {
                    slot: SlotId(i as u64),
                    at: TODAY.saturating_add(day.days()).at(9 + hour, 0, 0, 0),
                    stratum,
                    serves,
                })
                .collect()
        })
    }

    proptest! {
        /// I4, against the definition written out the slow way.
        #[test]
        fn the_earliest_slot_inside_if_there_is_one(
            free in slots(), days in prop::option::of(0i32..70), procedure in procedure()
        ) {
            let limit = days.map(|days| TimeLimit {
                right: Right::CourtInjunction,
                last_day: TODAY.saturating_add(days.days()),
                evidence: "x".into(),
            });
            let window = Window::new(TODAY, limit.as_ref()).for_procedure(procedure);
            let allowed = |s: &&FreeSlot| {
                s.at.date() > TODAY
                    && s.serves.includes(procedure)
                    && (limit.is_some() || s.stratum != Some(Stratum::Near))
                    && (s.stratum != Some(Stratum::Backstop)
                        || limit.as_ref().is_some_and(|l| s.at.date() <= l.last_day))
            };
            let inside = free.iter().filter(allowed)
                .filter(|s| limit.as_ref().is_none_or(|l| s.at.date() <= l.last_day))
                .min_by_key(|s| (s.at, s.serves.breadth(), s.slot));
            let any = free.iter().filter(allowed).min_by_key(|s| (s.at, s.serves.breadth(), s.slot));
            let expected = match (inside, any) {
                (Some(s), _) => Choice::Inside(*s),
                (None, Some(s)) => Choice::AfterLimit(*s),
                (None, None) => Choice::Nothing,
            };
            prop_assert_eq!(choose(free.iter().copied(), &window, &Reserve::none()), expected);
        }

        /// A receipt holds a backstop, the earliest still to come, and nothing else.
        #[test]
        fn a_receipt_holds_the_earliest_backstop(free in slots(), procedure in procedure()) {
            let held = hold(free.iter().copied(), &Window::new(TODAY, None).for_procedure(procedure));
            let mut backstops: Vec<_> = free
                .iter()
                .filter(|s| s.stratum == Some(Stratum::Backstop) && s.at.date() > TODAY)
                .filter(|s| s.serves.includes(procedure))
                .collect();
            backstops.sort_by_key(|s| (s.at, s.serves.breadth(), s.slot));
            prop_assert_eq!(held.as_ref(), backstops.first().copied());
        }
    }
}
