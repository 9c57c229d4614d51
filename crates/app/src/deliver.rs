//! Carrying another kiosk's export file to central. It stays locked; its records stay their
//! author's.

use crate::contract::Problem;
use crate::export::read_back;
use crate::kiosk::{Kiosk, blocking};
use crate::sync::CarryFailure;
use crate::sync::transfer::RemoteFailure;
use domain::bytes::Hash;
use seal::delivery::DeliveryRefusal;
use seal::ring::Role;
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;
use wire::limits::DELIVERY_BYTES;
use wire::messages::{DeliveryAnswer, DeliveryState};

/// Longest wait for central to have read a file; it goes on reading after that.
const READING_LIMIT: Duration = Duration::from_secs(600);
/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(250);

impl Kiosk {
    /// Sends an export file to central and answers what became of it.
    ///
    /// # Errors
    /// It is no export file of this central's, central refuses it or is out of reach.
    pub async fn deliver(&self, file: &Path) -> Result<DeliveryAnswer, Problem> {
        let told = |code: &str| Problem::new(code).with("file", file.display());
        let path = file.to_owned();
        let ring = self.inner.identity.told().ring.clone();
        let looked = blocking(move || {
            Ok(look(&path, |key| {
                // A ring from before there were such keys cannot tell.
                ring.latest(Role::Delivery).is_none() || ring.find(Role::Delivery, key).is_some()
            }))
        })
        .await?;
        let (mut open, hash, length) = looked.map_err(told)?;
        let inner = &self.inner;
        inner.remote.carry(inner.caller(), &mut open, length, hash).await.map_err(
            |failure| match failure {
                CarryFailure::Remote(failure) => not_sent(failure, file),
                CarryFailure::File => told("delivery_unreadable"),
            },
        )?;
        let from = Instant::now();
        while from.elapsed() < READING_LIMIT {
            let asked = inner.remote.delivered(inner.caller(), hash).await;
            let answer = asked.map_err(|failure| not_sent(failure, file))?;
            match (answer.state, &answer.code) {
                (DeliveryState::Done, _) => return Ok(answer),
                (DeliveryState::Refused, Some(code)) if is_told(code) => return Err(told(code)),
                (DeliveryState::Refused, code) => {
                    let reason = code.clone().unwrap_or_default();
                    return Err(told("delivery_refused").with("reason", reason));
                }
                (DeliveryState::Uploading | DeliveryState::Reading, _) => {
                    tokio::time::sleep(ASK_EVERY).await;
                }
            }
        }
        Err(told("delivery_still_reading"))
    }
}

/// What the outbox says of a silent central holds for this kiosk's own records, not for a file
/// that is carried: whoever brought it must keep it.
fn not_sent(failure: RemoteFailure, file: &Path) -> Problem {
    let problem = Problem::from(failure);
    if problem.code == "central_unreachable" {
        return Problem::new("delivery_not_sent").with("file", file.display());
    }
    problem
}

/// Does this refusal have a sentence of its own?
fn is_told(code: &str) -> bool {
    matches!(
        code,
        "delivery_no_key" | "delivery_not_one" | "delivery_newer" | "delivery_other_key" | "delivery_damaged"
    )
}

/// What can be known of a file without its key.
fn look(path: &Path, ours: impl Fn(domain::token::KeyId) -> bool) -> Result<(File, Hash, u64), &'static str> {
    // Asked before it is opened: opening a pipe already waits.
    match std::fs::metadata(path) {
        Ok(about) if !about.is_file() || about.len() > DELIVERY_BYTES => return Err("delivery_not_one"),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err("delivery_missing"),
        Err(_) => return Err("delivery_unreadable"),
    }
    let mut file = File::open(path).map_err(|_| "delivery_unreadable")?;
    match seal::delivery::header(&mut file) {
        Ok(key) if ours(key) => {}
        Ok(_) => return Err("delivery_other_key"),
        Err(DeliveryRefusal::Newer(_)) => return Err("delivery_newer"),
        Err(_) => return Err("delivery_not_one"),
    }
    let (hash, length) = read_back(path).map_err(|_| "delivery_unreadable")?;
    Ok((file, hash, length))
}
