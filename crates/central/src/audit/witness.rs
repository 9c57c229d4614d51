//! Checkpoints: central signs how far its journal goes, kiosks sign that they were shown it.
//! What a kiosk has signed it keeps, so a journal that was cut or written anew is found even by
//! whoever trusts nobody at central.

use super::chain::{last, lock};
use crate::Refusal;
use crate::device::Device;
use crate::keys::CentralKeys;
use domain::audit::{Checkpoint, SignedCheckpoint};
use domain::bytes::{Hash, Signature};
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};

/// Least time between two checkpoints nobody asked for.
const EVERY_MS: i64 = 60_000;

/// The checkpoint of the largest size.
pub(crate) async fn newest(db: &mut PgConnection) -> Result<Option<SignedCheckpoint>, Refusal> {
    let row = sqlx::query(
        "SELECT size, head, at_ms, key, signature FROM audit_checkpoint ORDER BY size DESC LIMIT 1",
    )
    .fetch_optional(db)
    .await?;
    row.as_ref().map(signed).transpose()
}

/// From columns `size, head, at_ms, key, signature`.
pub(super) fn signed(row: &PgRow) -> Result<SignedCheckpoint, Refusal> {
    let signature = Signature::from_slice(row.try_get(4)?).ok_or(Refusal::Stored("checkpoint signature"))?;
    Ok(SignedCheckpoint { checkpoint: checkpoint(row)?, key: row.try_get(3)?, signature })
}

/// From columns `size, head, at_ms`.
pub(super) fn checkpoint(row: &PgRow) -> Result<Checkpoint, Refusal> {
    let unread = || Refusal::Stored("checkpoint");
    Ok(Checkpoint {
        size: u64::try_from(row.try_get::<i64, _>(0)?).map_err(|_| unread())?,
        head: Hash::from_slice(row.try_get(1)?).ok_or_else(unread)?,
        at: Timestamp::from_millisecond(row.try_get(2)?).map_err(|_| unread())?,
    })
}

/// Signs how far the chain goes, when it has grown since the last checkpoint and a minute has
/// passed, or it was `asked` for. The first is of an empty journal: a kiosk shown one that begins
/// anew notices.
pub(crate) async fn write_checkpoint(
    pool: &PgPool,
    keys: &CentralKeys,
    now: Timestamp,
    asked: bool,
) -> Result<(), Refusal> {
    let mut tx = pool.begin().await?;
    lock(&mut tx).await?;
    let (last, before) = (last(&mut tx).await?, newest(&mut tx).await?);
    let before_ms = before.as_ref().map_or(i64::MIN, |one| one.checkpoint.at.as_millisecond());
    if let Some(SignedCheckpoint { checkpoint: before, .. }) = &before {
        if last.n < before.size || (last.n == before.size && last.head != before.head) {
            // Nothing is signed over it: what was signed goes on telling what was there.
            tracing::error!(signed = before.size, there = last.n, "the audit journal was cut or changed");
            return Ok(());
        }
        if last.n == before.size || (!asked && now.as_millisecond() < before_ms.saturating_add(EVERY_MS)) {
            return Ok(());
        }
    }
    let at_ms = now.as_millisecond().max(last.at_ms).max(before_ms);
    let at = Timestamp::from_millisecond(at_ms).map_err(|_| Refusal::Stored("audit time"))?;
    let new = seal::audit::sign(&keys.acknowledgement, Checkpoint { size: last.n, head: last.head, at });
    sqlx::query(
        "INSERT INTO audit_checkpoint (size, head, at_ms, key, signature) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(i64::try_from(new.checkpoint.size).map_err(|_| Refusal::Stored("checkpoint"))?)
    .bind(new.checkpoint.head.0.as_slice())
    .bind(at_ms)
    .bind(&new.key)
    .bind(new.signature.0.as_slice())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// A kiosk has signed the checkpoint with this head. One that is not here, or not so signed,
/// changes nothing: the kiosk has its own and central says no more about it.
pub(crate) async fn cosigned(
    db: &mut PgConnection,
    device: &Device,
    head: &Hash,
    signature: &Signature,
) -> Result<(), Refusal> {
    let row = sqlx::query("SELECT size, head, at_ms FROM audit_checkpoint WHERE head = $1")
        .bind(head.0.as_slice())
        .fetch_optional(&mut *db)
        .await?;
    let known = row.as_ref().map(checkpoint).transpose()?;
    let Some(known) = known.filter(|one| seal::audit::is_cosigned(&device.key, one, signature)) else {
        tracing::warn!(kiosk = %device.kiosk, "a cosignature of no checkpoint that is here");
        return Ok(());
    };
    // The largest stays: after a restore it still tells what was there.
    sqlx::query(
        "INSERT INTO audit_cosignature (kiosk, size, head, at_ms, signature) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (kiosk) DO UPDATE SET size = excluded.size, head = excluded.head, at_ms = excluded.at_ms, \
         signature = excluded.signature WHERE excluded.size > audit_cosignature.size",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(i64::try_from(known.size).map_err(|_| Refusal::Stored("checkpoint"))?)
    .bind(known.head.0.as_slice())
    .bind(known.at.as_millisecond())
    .bind(signature.0.as_slice())
    .execute(db)
    .await?;
    Ok(())
}
