//! Central's audit journal as this kiosk has seen it: checkpoints that only go forward. Each is
//! signed here and the signature goes back with the next pull; one that goes back is told to the
//! mediator, and what it contradicts is kept. Never reads an entry.

use super::heard;
use crate::contract::Problem;
use crate::kiosk::{Inner, Kiosk};
use domain::audit::SignedCheckpoint;
use domain::bytes::{Hash, Signature};
use seal::audit::{BEFORE_FIRST, cosign, is_by_central};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vault::Tx;

const AUDIT: &str = "audit";

/// What this kiosk was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    last: SignedCheckpoint,
    /// Central has not had our signature over it yet.
    owed: bool,
    /// The largest checkpoint that a later one did not follow: evidence of what was there.
    contradicted: Option<SignedCheckpoint>,
}

/// What a pull names: the head of the last checkpoint, zeros for none, and the signature over it
/// while central has not had it.
pub(super) fn named(inner: &Inner, tx: &Tx<'_>) -> Result<(Hash, Option<Signature>), Problem> {
    let Some(shown) = tx.get_json::<Shown>(AUDIT)? else { return Ok((BEFORE_FIRST, None)) };
    let checkpoint = &shown.last.checkpoint;
    let signature = shown.owed.then(|| cosign(&inner.identity.device, checkpoint));
    Ok((checkpoint.head, signature))
}

/// Takes up the answer to a pull that named what [`named`] said.
pub(super) fn shown(inner: &Inner, tx: &Tx<'_>, told: Option<&SignedCheckpoint>) -> Result<(), Problem> {
    let before = tx.get_json::<Shown>(AUDIT)?;
    // Our signature went with the question.
    let mut now = before.clone().map(|shown| Shown { owed: false, ..shown });
    if let Some(told) = told {
        if !is_by_central(&inner.identity.told().ring, told) {
            tracing::warn!("a checkpoint that is not central's is passed over");
        } else if let Some(known) = now.take() {
            now = Some(next(inner, tx, known, told)?);
        } else {
            now = Some(Shown { last: told.clone(), owed: told.checkpoint.size > 0, contradicted: None });
        }
    }
    if now != before {
        tx.put_json(AUDIT, &now)?;
    }
    Ok(())
}

fn next(inner: &Inner, tx: &Tx<'_>, known: Shown, told: &SignedCheckpoint) -> Result<Shown, Problem> {
    if told.checkpoint.may_follow(&known.last.checkpoint) {
        return Ok(Shown { last: told.clone(), owed: true, ..known });
    }
    tracing::error!(
        known = known.last.checkpoint.size,
        told = told.checkpoint.size,
        "central's audit journal has gone back"
    );
    heard::note(inner, tx, "central_audit_back")?;
    let contradicted = match known.contradicted {
        Some(one) if one.checkpoint.size >= known.last.checkpoint.size => one,
        _ => known.last,
    };
    Ok(Shown { last: told.clone(), owed: false, contradicted: Some(contradicted) })
}

impl Kiosk {
    /// The checkpoint of central's audit journal this kiosk was shown last, and one that a later
    /// one contradicted: what `jalonctl audit verify --checkpoint` takes.
    ///
    /// # Errors
    /// The vault fails.
    pub async fn audit_checkpoint(&self) -> Result<Value, Problem> {
        self.off(|inner| {
            let shown = inner.vault.read(|tx| Ok::<_, Problem>(tx.get_json::<Shown>(AUDIT)?))?;
            let (last, contradicted) =
                shown.map_or((None, None), |shown| (Some(shown.last), shown.contradicted));
            Ok(json!({ "kiosk": inner.identity.kiosk, "checkpoint": last, "contradicted": contradicted }))
        })
        .await
    }
}
