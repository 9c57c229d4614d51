//! What a change of the calendar does to the slots there are. Nothing somebody may hold is
//! ever taken away or moved by it: it stays, and is told.

use crate::procedure::{Procedure, ProcedureSet};

/// Who may count on a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    Nobody,
    /// It left central in a history that is gone: nobody is known, somebody may hold it.
    Unknown,
    /// A kiosk may give it, or has and has not told.
    Lent,
    /// It is the date of a registration for this procedure.
    Given(Option<Procedure>),
}

/// A slot as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub hold: Hold,
    pub serves: ProcedureSet,
    /// A change before has left it outside the calendar already.
    pub outside: bool,
}

/// What becomes of a slot when the calendar is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in the calendar; it serves this from now on.
    Stays(ProcedureSet),
    /// It is in the calendar and no longer serves whoever holds it, or whoever its kiosk may
    /// give it to.
    NotServed(ProcedureSet),
    /// The calendar has no such slot; somebody may hold it, so it stays, never to be given again.
    Outside,
    /// The calendar has no such slot and nobody can hold it.
    Vanishes,
}

/// `now` is what the calendar says of this slot after the change; none when it has no such slot.
#[must_use]
pub fn fate(slot: &Standing, now: Option<ProcedureSet>) -> Fate {
    let Some(serves) = now else {
        return if slot.hold == Hold::Nobody { Fate::Vanishes } else { Fate::Outside };
    };
    let served = match slot.hold {
        Hold::Nobody | Hold::Unknown => true,
        Hold::Lent => serves.covers(slot.serves),
        Hold::Given(procedure) => procedure.is_none_or(|procedure| serves.includes(procedure)),
    };
    if served { Fate::Stays(serves) } else { Fate::NotServed(serves) }
}

impl Standing {
    /// Does this fate put somebody's date in question that was not before?
    #[must_use]
    pub fn newly(&self, fate: Fate) -> bool {
        match fate {
            Fate::Outside => !self.outside,
            Fate::NotServed(_) => match self.hold {
                Hold::Given(procedure) => procedure.is_none_or(|procedure| self.serves.includes(procedure)),
                Hold::Nobody | Hold::Unknown | Hold::Lent => true,
            },
            Fate::Stays(_) | Fate::Vanishes => false,
        }
    }

    /// The slot after the change; none when it is gone.
    #[must_use]
    pub fn after(&self, fate: Fate) -> Option<Self> {
        match fate {
            Fate::Stays(serves) | Fate::NotServed(serves) => Some(Self { serves, outside: false, ..*self }),
            Fate::Outside => Some(Self { outside: true, ..*self }),
            Fate::Vanishes => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::all;
    use proptest::prelude::*;

    fn procedure() -> impl Strategy<Value = Procedure> {
        (0..all().len()).prop_map(|n| Procedure::parse(&all()[n].key).unwrap())
    }

    fn set() -> impl Strategy<Value = ProcedureSet> {
        prop_oneof![
            Just(ProcedureSet::ALL),
            prop::collection::vec(procedure(), 1..5).prop_map(ProcedureSet::of)
        ]
    }

    fn standing() -> impl Strategy<Value = Standing> {
        let hold = prop_oneof![
            Just(Hold::Nobody),
            Just(Hold::Unknown),
            Just(Hold::Lent),
            prop::option::of(procedure()).prop_map(Hold::Given),
        ];
        (hold, set(), any::<bool>()).prop_map(|(hold, serves, outside)| Standing { hold, serves, outside })
    }

    proptest! {
        /// Whoever may hold a slot keeps it through any changes.
        #[test]
        fn nothing_held_is_taken_away(slot in standing(), calendars in prop::collection::vec(prop::option::of(set()), 1..8)) {
            let mut now = slot;
            for calendar in calendars {
                match now.after(fate(&now, calendar)) {
                    Some(after) => {
                        prop_assert_eq!(after.hold, slot.hold);
                        prop_assert_eq!(after.outside, calendar.is_none());
                        now = after;
                    }
                    None => {
                        prop_assert_eq!(slot.hold, Hold::Nobody);
                        prop_assert_eq!(calendar, None);
                        return Ok(());
                    }
                }
            }
        }

        /// The same change a second time puts nobody's date in question again.
        #[test]
        fn a_change_is_told_once(slot in standing(), calendar in prop::option::of(set())) {
            if let Some(after) = slot.after(fate(&slot, calendar)) {
                prop_assert!(!after.newly(fate(&after, calendar)));
            }
        }

        /// A date is told as outside exactly when the calendar no longer receives that person then.
        #[test]
        fn a_date_is_outside_when_nobody_receives_the_person(
            procedure in procedure(), serves in set(), calendar in prop::option::of(set())
        ) {
            let slot = Standing { hold: Hold::Given(Some(procedure)), serves, outside: false };
            let received = calendar.is_some_and(|now| now.includes(procedure));
            let fate = fate(&slot, calendar);
            prop_assert_eq!(matches!(fate, Fate::Stays(_)), received);
            if serves.includes(procedure) {
                prop_assert_eq!(slot.newly(fate), !received);
            }
        }
    }
}
