//! Real slots lent to one kiosk, so that a date it gives without the network is firm.
//!
//! *near* slots serve declared time limits only; *front* holds about one day of the
//! kiosk's demand at the queue front; *tail* lies beyond, where slots are not scarce.
//! *backstop* slots lie beyond those: when the rest is gone, a ranked receipt holds one as
//! the day the person is received at the latest (I5).

mod sized;

pub use sized::{COVER_DAYS, COVER_MAX_DAYS, LEASE_MAX, Reach, Seen};

use crate::ids::{LeaseId, SlotId};
use crate::procedure::{Procedure, ProcedureSet};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratum {
    Near,
    Front,
    Tail,
    Backstop,
}

/// Backstop slots a kiosk holds, on top of its lease: ranked receipts one kiosk can hand
/// out before it must say that no date exists. About two days of a busy counter.
pub const BACKSTOPS: u16 = 40;
/// Days beyond the queue front where tail slots are taken: far enough that nobody
/// waiting today would have been given them.
pub const TAIL_DAYS: i32 = 14;
/// Days beyond the tail where backstops are taken: a person who holds one is practically
/// always given an earlier date.
pub const BACKSTOP_DAYS: i32 = 28;
/// Days before its date from which an unused backstop is given back: near slots are
/// scarce, and a receipt made today would hold a later one.
const BACKSTOP_RETURN_DAYS: i32 = 14;

impl Stratum {
    /// Nearest first, as a lease is filled.
    pub const ALL: [Self; 4] = [Self::Near, Self::Front, Self::Tail, Self::Backstop];

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Front => "front",
            Self::Tail => "tail",
            Self::Backstop => "backstop",
        }
    }

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.key() == key)
    }
}

/// One slot of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasedSlot {
    pub lease: LeaseId,
    pub slot: SlotId,
    /// Civil date and time at the site.
    pub at: DateTime,
    pub stratum: Stratum,
}

/// How many slots of each stratum a kiosk holds when its lease is full. Backstops come on
/// top and are not counted in its total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseShape {
    pub near: u16,
    pub front: u16,
    pub tail: u16,
    pub backstop: u16,
}

impl LeaseShape {
    /// Splits a lease of `slots`: about a quarter near (one at least when there are
    /// two or more), a quarter tail, the rest front.
    #[must_use]
    pub fn of(slots: u16) -> Self {
        let near = if slots >= 2 { (slots / 4).max(1) } else { 0 };
        let tail = slots / 4;
        Self { near, front: slots - near - tail, tail, backstop: BACKSTOPS }
    }

    #[must_use]
    pub fn total(self) -> u16 {
        self.near + self.front + self.tail
    }

    #[must_use]
    pub fn wanted(self, stratum: Stratum) -> u16 {
        match stratum {
            Stratum::Near => self.near,
            Stratum::Front => self.front,
            Stratum::Tail => self.tail,
            Stratum::Backstop => self.backstop,
        }
    }
}

/// The procedure a kiosk's next slot is to serve: the one with the most demand for each slot
/// that serves it, counting the slot to come (highest averages, as seats are shared among
/// lists). So no kiosk is lent slots of a rare procedure alone, and none is left without.
/// Equal ones go by the order of the procedures. None when nothing is asked for.
#[must_use]
pub fn next_to_serve(demand: &[(Procedure, u32)], lent: &[ProcedureSet]) -> Option<Procedure> {
    let average = |(procedure, wanted): &(Procedure, u32)| {
        let slots = lent.iter().filter(|serves| serves.includes(*procedure)).count();
        (u64::from(*wanted), u64::try_from(slots).unwrap_or(u64::MAX).saturating_add(1))
    };
    demand
        .iter()
        .filter(|(_, wanted)| *wanted > 0)
        .map(|one| (average(one), one.0))
        // a/b against c/d without a fraction.
        .reduce(|best, other| {
            let ((a, b), (c, d)) = (best.0, other.0);
            if c.saturating_mul(b) > a.saturating_mul(d) { other } else { best }
        })
        .map(|(_, procedure)| procedure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn three() -> [Procedure; 3] {
        ["renewal", "duplicate", "naturalisation"].map(|key| Procedure::parse(key).unwrap())
    }

    proptest! {
        /// Slots that serve one procedure each are shared by demand: nobody has less than the
        /// share rounded down, and the most asked for has one first.
        #[test]
        fn slots_are_shared_by_demand(wanted in prop::array::uniform3(1u32..200), slots in 1usize..60) {
            let demand: Vec<_> = three().into_iter().zip(wanted).collect();
            let mut lent = Vec::new();
            for _ in 0..slots {
                lent.push(ProcedureSet::of([next_to_serve(&demand, &lent).unwrap()]));
            }
            let total: u32 = wanted.iter().sum();
            let of = |procedure| lent.iter().filter(|one| one.includes(procedure)).count() as f64;
            for (procedure, wanted) in &demand {
                let share = f64::from(*wanted) * slots as f64 / f64::from(total);
                prop_assert!(of(*procedure) >= share.floor() - f64::EPSILON, "{share}");
            }
            // Of two asked for as much, the first.
            let most = demand.iter().min_by_key(|one| std::cmp::Reverse(one.1)).unwrap();
            prop_assert!(of(most.0) >= 1.0);
        }
    }

    #[test]
    fn a_slot_for_everybody_counts_for_everybody() {
        let [renewal, duplicate, _] = three();
        let demand = [(renewal, 10), (duplicate, 4)];
        assert_eq!(next_to_serve(&demand, &[]), Some(renewal));
        assert_eq!(next_to_serve(&demand, &[ProcedureSet::ALL; 5]), Some(renewal));
        assert_eq!(next_to_serve(&demand, &[ProcedureSet::of([renewal]); 3]), Some(duplicate));
        assert_eq!(
            next_to_serve(&[(duplicate, 4), (renewal, 4)], &[]),
            Some(duplicate),
            "the first of equals"
        );
        assert_eq!(next_to_serve(&[(renewal, 0)], &[]), None);
        assert_eq!(next_to_serve(&[], &[]), None);
    }

    #[test]
    fn every_slot_falls_in_one_stratum() {
        for slots in 0..400 {
            assert_eq!(LeaseShape::of(slots).total(), slots);
        }
        assert_eq!(LeaseShape::of(4), LeaseShape { near: 1, front: 2, tail: 1, backstop: BACKSTOPS });
        let shape = LeaseShape::of(40);
        assert_eq!(shape, LeaseShape { near: 10, front: 20, tail: 10, backstop: BACKSTOPS });
        assert_eq!(Stratum::ALL.map(|stratum| shape.wanted(stratum)), [10, 20, 10, BACKSTOPS]);
        assert_eq!(Stratum::ALL.map(Stratum::key), ["near", "front", "tail", "backstop"]);
        assert_eq!(Stratum::ALL.map(|stratum| Stratum::parse(stratum.key())), Stratum::ALL.map(Some));
        assert_eq!(Stratum::parse("far"), None);
    }
}
