//! How many people one kiosk and one mediator register in an hour before somebody looks. Beyond it
//! nobody is refused: they are registered, and the desk is told of the hour.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Registrations of one mediator in an hour: one every minute and a half. The quickest that was
/// read back to the person and printed takes longer.
const BY_MEDIATOR: u16 = 40;
/// Registrations of one kiosk in an hour: one a minute, two mediators at one counter.
const BY_KIOSK: u16 = 60;
/// Most a site may allow, registrations an hour: one a second.
pub const PER_HOUR_MAX: u16 = 3_600;
/// Over how long they are counted, in seconds of trusted time.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a site allows, in registrations an hour. Signed by central, so that no kiosk raises its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerHour {
    pub kiosk: u16,
    pub mediator: u16,
}

impl Default for PerHour {
    fn default() -> Self {
        Self { kiosk: BY_KIOSK, mediator: BY_MEDIATOR }
    }
}

/// Whose hour is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Busy {
    Kiosk,
    Mediator,
}

impl Busy {
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Kiosk => "kiosk",
            Self::Mediator => "mediator",
        }
    }
}

impl PerHour {
    /// Is the hour that ends with this registration full without it? `before` are the kiosk's other
    /// registrations and their mediators' ids; those outside the hour do not count.
    #[must_use]
    pub fn busy<'a>(
        self,
        before: impl IntoIterator<Item = (Timestamp, &'a str)>,
        (at, mediator): (Timestamp, &str),
    ) -> Option<Busy> {
        let (mut all, mut theirs) = (0u32, 0u32);
        for (_, author) in before.into_iter().filter(|(other, _)| since(at) < *other && *other <= at) {
            all = all.saturating_add(1);
            theirs = theirs.saturating_add(u32::from(author == mediator));
        }
        if all >= u32::from(self.kiosk) {
            Some(Busy::Kiosk)
        } else if theirs >= u32::from(self.mediator) {
            Some(Busy::Mediator)
        } else {
            None
        }
    }

    /// So many of one kiosk in an hour, and nobody's is full.
    #[must_use]
    pub fn least(self) -> u16 {
        self.kiosk.min(self.mediator)
    }

    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What was registered then or before is of an earlier hour.
#[must_use]
pub fn since(at: Timestamp) -> Timestamp {
    at.checked_sub(HOUR).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn who(n: u8) -> String {
        format!("m{n}")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn the_last_one_an_hour_holds_is_within_it_and_the_next_is_not() {
        let limits = PerHour { kiosk: 3, mediator: 2 };
        let told = |before: &[(i64, u8)], (second, mediator): (i64, u8)| {
            let people: Vec<_> = before.iter().map(|(second, n)| (at(*second), who(*n))).collect();
            limits.busy(people.iter().map(|(at, who)| (*at, who.as_str())), (at(second), &who(mediator)))
        };
        assert_eq!(told(&[(0, 1)], (10, 1)), None);
        assert_eq!(told(&[(0, 1), (5, 1)], (10, 1)), Some(Busy::Mediator));
        assert_eq!(told(&[(0, 1), (5, 1)], (10, 2)), None, "another one may go on");
        assert_eq!(told(&[(0, 1), (5, 1), (9, 2)], (10, 2)), Some(Busy::Kiosk));
        assert_eq!(told(&[(0, 1), (5, 1)], (3_600, 1)), None, "an hour ago to the second is another hour");
        assert_eq!(told(&[(0, 1), (5, 1)], (3_599, 1)), Some(Busy::Mediator));
        assert_eq!(told(&[(20, 1), (21, 1)], (10, 1)), None, "what came later is not before it");
    }

    proptest! {
        /// However they come, no hour has more that are within the limits than the limits say; and
        /// whoever is told to be beyond them has a full hour behind them.
        #[test]
        fn no_hour_holds_more(
            seconds in proptest::collection::vec((0i64..9_000, 0u8..3), 1..120),
            kiosk in 1u16..20,
            mediator in 1u16..20,
        ) {
            let limits = PerHour { kiosk, mediator };
            let mut seconds = seconds;
            seconds.sort_unstable();
            let people: Vec<_> = seconds.iter().map(|(second, n)| (at(*second), who(*n))).collect();
            for (n, (when, author)) in people.iter().enumerate() {
                let before = || people[..n].iter().map(|(at, who)| (*at, who.as_str()));
                let hour: Vec<_> = before().filter(|(at, _)| *at > since(*when)).collect();
                let theirs = hour.iter().filter(|(_, who)| who == author).count();
                let full = hour.len() >= usize::from(kiosk) || theirs >= usize::from(mediator);
                prop_assert_eq!(limits.busy(before(), (*when, author)).is_some(), full);
                if hour.len() < usize::from(limits.least()) {
                    prop_assert!(limits.busy(before(), (*when, author)).is_none());
                }
            }
        }
    }
}
