//! How this kiosk stands with central, as central said last: what a mediator, `status`, the end of
//! the day and `doctor` tell. Never asks by itself, but for [`Kiosk::is_taken`].

use super::heard::is_quarantined;
use super::told::is_retired;
use super::transfer::RemoteFailure;
use crate::contract::Problem;
use crate::kiosk::{Inner, Kiosk};
use vault::Tx;

/// Central lends it nothing until an agent has looked at it.
const QUARANTINED: &str = "quarantined";
const RETIRED: &str = "retired";
/// Central was told that it is lost or stolen, and hears it no more.
pub(super) const LOST: &str = "kiosk_lost";
/// What answers does not know it and does not take it back.
pub(super) const OTHER: &str = "central_other";

/// [`LOST`] or [`OTHER`], for as long as central's last word was that.
const REFUSED: &str = "refused";

/// The word that counts most, and none when central takes this kiosk as any other. Its sentences
/// are `notice-<word>` for the window and `error-<word>` for a terminal.
pub(crate) fn standing(tx: &Tx<'_>) -> Result<Option<String>, Problem> {
    if let Some(refused) = tx.get_json::<Option<String>>(REFUSED)?.flatten() {
        return Ok(Some(refused));
    }
    if is_quarantined(tx)? {
        return Ok(Some(QUARANTINED.to_owned()));
    }
    Ok(is_retired(tx)?.then(|| RETIRED.to_owned()))
}

/// Does this problem say that central hears this kiosk no more?
pub(crate) fn refuses(problem: &Problem) -> bool {
    problem.code == LOST || problem.code == OTHER
}

/// Keeps what an exchange has shown. One that reached nobody shows nothing.
pub(super) fn note(inner: &Inner, done: &Result<(), Problem>) -> Result<(), Problem> {
    let refused = match done {
        Ok(()) => None,
        Err(problem) if refuses(problem) => Some(problem.code.clone()),
        Err(_) => return Ok(()),
    };
    let known = inner.vault.read::<_, Problem>(|tx| Ok(tx.get_json::<Option<String>>(REFUSED)?.flatten()))?;
    if known == refused {
        return Ok(());
    }
    inner.vault.transact(|tx| Ok(tx.put_json(REFUSED, &refused)?))
}

impl Kiosk {
    /// How it stands with central, as far as this kiosk knows.
    ///
    /// # Errors
    /// The vault fails.
    pub async fn standing(&self) -> Result<Option<String>, Problem> {
        self.off(|inner| inner.vault.read(standing)).await
    }

    /// Does central take this kiosk's requests? Changes nothing, here or there.
    ///
    /// # Errors
    /// It refuses, or is out of reach.
    pub(crate) async fn is_taken(&self) -> Result<(), Problem> {
        match self.inner.remote.ask_for_nothing(self.inner.caller()).await {
            Ok(()) => Ok(()),
            Err(RemoteFailure::Refused { code, .. }) if code == "not_enrolled" => Err(Problem::new(OTHER)),
            Err(failure) => Err(failure.into()),
        }
    }
}
