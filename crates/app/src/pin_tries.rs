//! Wrong PINs in a row, kept in the vault: the window and `jalonctl`, one after the other, and a
//! program started anew, count together.

use crate::contract::Problem;
use crate::kiosk::{Inner, lock};
use domain::tries::Tries;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

const PIN_TRIES: &str = "pin_tries";
/// No wait is longer, in seconds: a later end was noted on a day the clock was ahead.
const WAIT_MAX_S: i64 = 900;

#[derive(Serialize, Deserialize)]
struct Kept {
    wrong: u32,
    next_s: i64,
}

/// # Errors
/// It is too soon after wrong ones, or the vault fails.
pub(crate) fn may_try(inner: &Inner, now: Timestamp) -> Result<(), Problem> {
    tries(inner, now)?.may_try(now).map_err(|s| Problem::new("pin_wait").with("seconds", s))
}

/// A wrong one: kept before anybody is told that it was.
pub(crate) fn note_wrong(inner: &Inner, now: Timestamp) -> Result<(), Problem> {
    keep(inner, tries(inner, now)?.after_wrong(now));
    Ok(())
}

/// The right one.
pub(crate) fn forget(inner: &Inner, now: Timestamp) -> Result<(), Problem> {
    if tries(inner, now)?.wrong > 0 {
        keep(inner, Tries::default());
    }
    Ok(())
}

/// What this process knows and what the vault has kept, whichever waits longer.
fn tries(inner: &Inner, now: Timestamp) -> Result<Tries, Problem> {
    let own = *lock(&inner.pin_tries);
    let kept: Option<Kept> = inner.vault.read::<_, Problem>(|tx| Ok(tx.get_json(PIN_TRIES)?))?;
    let mut tries = match kept {
        Some(kept) if kept.wrong > own.wrong => Tries {
            wrong: kept.wrong,
            next: Timestamp::from_second(kept.next_s).unwrap_or(Timestamp::UNIX_EPOCH),
        },
        _ => own,
    };
    let longest = now.saturating_add(WAIT_MAX_S.seconds()).unwrap_or(now);
    if tries.next > longest {
        tries.next = longest;
        keep(inner, tries);
    }
    Ok(tries)
}

/// A disk that takes nothing does not stop the counter: this process goes on counting.
fn keep(inner: &Inner, tries: Tries) {
    *lock(&inner.pin_tries) = tries;
    let kept = Kept { wrong: tries.wrong, next_s: tries.next.as_second() };
    if let Err(problem) = inner.vault.transact(|tx| Ok::<_, Problem>(tx.put_json(PIN_TRIES, &kept)?)) {
        tracing::error!(code = problem.code, "wrong PINs are counted in this program only");
    }
}
