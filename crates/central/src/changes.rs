//! What a kiosk pulls: a numbered list of its own, written under its row lock so that
//! a cursor never passes over a change that commits late.

use crate::device::Device;
use crate::{Central, Refusal};
use domain::ids::KioskId;
use jiff::Timestamp;
use seal::keys::Context;
use sqlx::{PgConnection, Row};
use wire::limits::PULL_CHANGES;
use wire::messages::Change;
use wire::record::{Acknowledgement, Head};

/// Central's signed word on this head.
pub(crate) fn acknowledge(central: &Central, kiosk: KioskId, head: Head) -> Acknowledgement {
    let at = Timestamp::from_second(central.now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut acknowledgement = Acknowledgement {
        kiosk,
        head,
        epoch: central.epoch.to_string(),
        at,
        key: hex::encode(central.keys.acknowledgement.key_id().0),
        signature: domain::bytes::Signature([0; 64]),
    };
    acknowledgement.signature =
        central.keys.acknowledgement.sign(Context::Acknowledgement, &acknowledgement.to_bytes());
    acknowledgement
}

/// Appends changes for a kiosk whose row this transaction has locked.
pub(crate) async fn append(db: &mut PgConnection, kiosk: KioskId, changes: &[Change]) -> Result<(), Refusal> {
    for change in changes {
        let body = serde_json::to_string(change).map_err(|_| Refusal::Stored("change"))?;
        sqlx::query(
            "WITH next AS (UPDATE kiosk SET change_n = change_n + 1 WHERE id = $1 RETURNING change_n) \
             INSERT INTO change (kiosk, n, body) SELECT $1, change_n, $2::text::jsonb FROM next",
        )
        .bind(kiosk.0.as_slice())
        .bind(body)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Changes after `cursor`, the new cursor, and whether there are more.
pub(crate) async fn after(
    db: &mut PgConnection,
    device: &Device,
    cursor: u64,
) -> Result<(Vec<Change>, u64, bool), Refusal> {
    let from = i64::try_from(cursor).map_err(|_| Refusal::BadBody)?;
    let limit = i64::try_from(PULL_CHANGES).unwrap_or(i64::MAX);
    let rows =
        sqlx::query("SELECT n, body::text FROM change WHERE kiosk = $1 AND n > $2 ORDER BY n LIMIT $3")
            .bind(device.kiosk.0.as_slice())
            .bind(from)
            .bind(limit)
            .fetch_all(db)
            .await?;
    let mut last = cursor;
    let mut changes = Vec::with_capacity(rows.len());
    for row in &rows {
        let n: i64 = row.try_get(0)?;
        last = u64::try_from(n).map_err(|_| Refusal::Stored("change number"))?;
        let body: &str = row.try_get(1)?;
        changes.push(serde_json::from_str(body).map_err(|_| Refusal::Stored("change"))?);
    }
    let more = rows.len() == PULL_CHANGES;
    Ok((changes, last, more))
}
