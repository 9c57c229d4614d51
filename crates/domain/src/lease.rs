//! Real slots lent to one kiosk, so that a date it gives without the network is firm.
//!
//! *near* slots serve declared time limits only; *front* holds about one day of the
//! kiosk's demand at the queue front; *tail* lies beyond, where slots are not scarce.
//! *backstop* slots lie beyond those: when the rest is gone, a ranked receipt holds one as
//! the day the person is received at the latest (I5).

use crate::ids::{LeaseId, SlotId};
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
/// Days before its date from which an unused backstop is given back: near slots are
/// scarce, and a receipt made today would hold a later one.
pub const BACKSTOP_RETURN_DAYS: i32 = 14;

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

/// How many slots of each stratum a kiosk holds when its lease is full; backstops come on
/// top of it and are not counted in its total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseShape {
    pub near: u16,
    pub front: u16,
    pub tail: u16,
}

impl LeaseShape {
    /// Splits a lease of `slots`: about a quarter near (one at least when there are
    /// two or more), a quarter tail, the rest front.
    #[must_use]
    pub fn of(slots: u16) -> Self {
        let near = if slots >= 2 { (slots / 4).max(1) } else { 0 };
        let tail = slots / 4;
        Self { near, front: slots - near - tail, tail }
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
            Stratum::Backstop => BACKSTOPS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_falls_in_one_stratum() {
        for slots in 0..400 {
            assert_eq!(LeaseShape::of(slots).total(), slots);
        }
        assert_eq!(LeaseShape::of(4), LeaseShape { near: 1, front: 2, tail: 1 });
    }
}
