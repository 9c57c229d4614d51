//! Wrong tries, and how long the next one waits: a few are free, then the wait doubles.

use jiff::{Timestamp, ToSpan};

/// Tries before a wait is due: somebody mistypes.
const FREE: u32 = 3;
/// The longest wait, in seconds.
const LONGEST_S: i64 = 900;

/// Wrong tries in a row, and when the next one is taken.
#[derive(Debug, Clone, Copy)]
pub struct Tries {
    pub wrong: u32,
    pub next: Timestamp,
}

impl Default for Tries {
    fn default() -> Self {
        Self { wrong: 0, next: Timestamp::UNIX_EPOCH }
    }
}

impl Tries {
    /// # Errors
    /// The seconds still to wait.
    pub fn may_try(&self, now: Timestamp) -> Result<(), i64> {
        let wait = self.next.as_second() - now.as_second();
        if wait > 0 { Err(wait) } else { Ok(()) }
    }

    /// After one more wrong try at `now`.
    #[must_use]
    pub fn after_wrong(self, now: Timestamp) -> Self {
        let wrong = self.wrong.saturating_add(1);
        if wrong < FREE {
            return Self { wrong, next: self.next };
        }
        let wait = (1_i64 << (wrong - FREE).min(20)).min(LONGEST_S);
        Self { wrong, next: now.saturating_add(wait.seconds()).unwrap_or(now) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
    use super::*;

    #[test]
    fn the_wait_grows_to_its_limit() {
        let now = Timestamp::from_second(1_000).unwrap();
        let mut tries = Tries::default();
        let mut waits = Vec::new();
        for _ in 0..14 {
            assert!(tries.may_try(now).is_ok() || tries.wrong >= FREE);
            tries = tries.after_wrong(now);
            waits.push(tries.may_try(now).err().unwrap_or(0));
        }
        assert_eq!(waits[..5], [0, 0, 1, 2, 4]);
        assert_eq!(waits.last(), Some(&LONGEST_S));
        assert!(tries.may_try(now.saturating_add(LONGEST_S.seconds()).unwrap()).is_ok());
    }
}
