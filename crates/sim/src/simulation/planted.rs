//! Faults put in on purpose, to show that the simulation finds them. They act outside the
//! product: on central's answers, on a vault's files, on central's tables.

use app::sync::transfer::Answer;
use domain::token::{SignedToken, SlotToken};
use jiff::ToSpan as _;
use seal::keys::Signer;
use std::sync::{Arc, Mutex, PoisonError};
use wire::messages::{Change, ChangesAnswer, DateAnswer, Told};

/// A bug of docs/planted.md, switched on as long as this lives. The switch is the whole
/// process's: one at a time, and nothing clean beside it.
pub struct Bug(String);

impl Bug {
    #[must_use]
    pub fn on(name: &str) -> Self {
        // An action of one word always reads.
        let _ = fail::cfg(name, "return");
        Self(name.to_owned())
    }
}

impl Drop for Bug {
    fn drop(&mut self) {
        fail::remove(&self.0);
    }
}

/// Which fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    None,
    /// Central's answer carries a slot it gave to another kiosk before (I1).
    SlotTwice,
    /// Central forgets which registrations are the same person's (I2).
    LinksForgotten,
    /// Central dates a ranked person after the day their receipt promised (I3).
    DatedTooLate,
    /// A restored central follows no lease log and does not know that it should (I1).
    LogIgnored,
    /// After a date is kept, a vault goes back to a copy made before it (I6).
    VaultRestored,
}

/// The faults that act on central's answers, with central's own slot key to sign them.
pub(super) struct Planted {
    plant: Plant,
    slot_key: Signer,
    last: Mutex<Option<SlotToken>>,
}

impl Planted {
    /// None when the fault acts elsewhere.
    pub fn of(plant: Plant, seed: [u8; 32]) -> Option<Arc<Self>> {
        matches!(plant, Plant::SlotTwice | Plant::DatedTooLate)
            .then(|| Arc::new(Self { plant, slot_key: Signer::from_seed(&seed), last: Mutex::new(None) }))
    }

    /// None when this answer stays as it is.
    pub fn change(&self, target: &str, answer: &mut Answer) -> Option<()> {
        match self.plant {
            Plant::SlotTwice if target == "/v1/registrations" => self.slot_twice(answer),
            Plant::DatedTooLate if target.starts_with("/v1/changes") => self.dated_too_late(answer),
            _ => None,
        }
    }

    fn slot_twice(&self, answer: &mut Answer) -> Option<()> {
        let mut given: DateAnswer = serde_json::from_slice(&answer.body).ok()?;
        let token = SignedToken::from_bytes(&given.token.as_ref()?.0)?.token;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.take() {
            Some(other) if other.kiosk != token.kiosk => {
                let token = SlotToken { kiosk: token.kiosk, ..other };
                given.token = Some(seal::token::sign(&self.slot_key, token).to_bytes().into());
                answer.body = serde_json::to_vec(&given).ok()?;
            }
            _ => *last = Some(token),
        }
        Some(())
    }

    fn dated_too_late(&self, answer: &mut Answer) -> Option<()> {
        let mut pulled: ChangesAnswer = serde_json::from_slice(&answer.body).ok()?;
        for change in &mut pulled.changes {
            let Told::Known(Change::Dated { token, .. }) = change else { continue };
            let signed = SignedToken::from_bytes(&token.0)?.token;
            let late = SlotToken { at: signed.at.saturating_add(1_000.days()), ..signed };
            *token = seal::token::sign(&self.slot_key, late).to_bytes().into();
        }
        answer.body = serde_json::to_vec(&pulled).ok()?;
        Some(())
    }
}
