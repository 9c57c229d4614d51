//! What this kiosk holds, in figures: for `jalonctl` and for checks from outside. Codes
//! and dates, never a name.

use crate::contract::Problem;
use crate::kiosk::{Kiosk, lock};
use crate::{set_aside, sync};
use domain::assign::LEAD_DAYS;
use domain::lease::Stratum;
use domain::token::SignedToken;
use jiff::ToSpan;
use serde_json::{Value, json};
use vault::EntryState;
use wire::body::Outcome;

impl Kiosk {
    /// # Errors
    /// The vault fails.
    pub async fn status(&self) -> Result<Value, Problem> {
        self.off(|inner| {
            let state = lock(&inner.sync).clone();
            let from = inner.today().saturating_add(LEAD_DAYS.days());
            let storage = inner.storage();
            let status = inner.vault.read(|tx| {
                let [waiting, held, applied, set_aside] = tx.counts()?;
                let (backstops, free): (Vec<_>, Vec<_>) =
                    tx.free_slots(from)?.into_iter().partition(|slot| slot.stratum == Some(Stratum::Backstop));
                let mut registrations = Vec::new();
                for id in tx.papers()? {
                    let Some(paper) = tx.paper(id)? else { continue };
                    let token = paper.token.as_deref().and_then(SignedToken::from_bytes).map(|signed| signed.token);
                    let state = tx.registration_state(id)?;
                    registrations.push(json!({
                        "code": paper.registered.registration.code,
                        "source": match paper.registered.outcome {
                            Outcome::Online { .. } => "online",
                            Outcome::Lease { .. } => "lease",
                            Outcome::Rank { .. } => "rank",
                        },
                        "slot_at": token.as_ref().map(|token| token.at.strftime("%Y-%m-%dT%H:%M").to_string()),
                        "zone": inner.identity.told().site.zone,
                        "slot": token.as_ref().map(|token| token.slot.to_string()),
                        "acknowledged": state.is_some_and(|state| state != EntryState::Waiting),
                        "applied": state == Some(EntryState::Applied),
                    }));
                }
                let mut status = json!({
                    "kiosk": inner.identity.kiosk,
                    "site": inner.identity.site_id,
                    "standing": sync::standing(tx)?.unwrap_or_else(|| "accepted".to_owned()),
                    "journal": { "waiting": waiting, "held": held, "applied": applied, "set_aside": set_aside },
                    "lease": { "free": free.len(), "given": tx.given_slots()?, "backstops": backstops.len() },
                    "pages_waiting": tx.unsent_pages()?,
                    "storage": storage,
                    "vaults_set_aside": set_aside::unsent(inner.vault.folder()),
                    "registrations": registrations,
                });
                // A program that has not asked central does not know.
                if state.tried && let Some(status) = status.as_object_mut() {
                    status.insert("connection".to_owned(), json!(state.connection));
                }
                Ok::<_, Problem>(status)
            })?;
            Ok(status)
        })
        .await
    }

    /// Reads the vault through: every page of the file, every record of the chain.
    ///
    /// # Errors
    /// Something in it cannot be read or does not follow.
    pub async fn check_vault(&self) -> Result<(), Problem> {
        self.off(|inner| Ok(inner.vault.check(&inner.identity.device.public())?)).await
    }
}
