//! What a kiosk pulls: a numbered list of its own, written under its row lock so that
//! a cursor never passes over a change that commits late.

use crate::device::Device;
use crate::{Central, Random, Refusal, planted};
use domain::ids::KioskId;
use jiff::Timestamp;
use seal::keys::Context;
use sqlx::{PgConnection, Row};
use wire::limits::PULL_CHANGES;
use wire::messages::Change;
use wire::record::{Acknowledgement, Head};

/// Central's signed word on this head.
pub(crate) fn acknowledge(central: &Central, epoch: &str, kiosk: KioskId, head: Head) -> Acknowledgement {
    sign(central, epoch, kiosk, head, Context::Acknowledgement)
}

/// Central's signed word that everything up to this record is on other storage too.
pub(crate) fn durable(central: &Central, epoch: &str, kiosk: KioskId, head: Head) -> Acknowledgement {
    sign(central, epoch, kiosk, head, Context::Durable)
}

fn sign(central: &Central, epoch: &str, kiosk: KioskId, head: Head, context: Context) -> Acknowledgement {
    let at = Timestamp::from_second(central.now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut acknowledgement = Acknowledgement {
        kiosk,
        head,
        epoch: epoch.to_owned(),
        at,
        key: hex::encode(central.keys.acknowledgement.key_id().0),
        signature: domain::bytes::Signature([0; 64]),
    };
    acknowledgement.signature = central.keys.acknowledgement.sign(context, &acknowledgement.to_bytes());
    acknowledgement
}

/// Appends changes for a kiosk whose row this transaction has locked.
pub(crate) async fn append(
    db: &mut PgConnection,
    central: &Central,
    kiosk: KioskId,
    changes: &[Change],
) -> Result<(), Refusal> {
    append_drawn(db, &central.random, kiosk, changes).await
}

/// The same for an administrator's act, beside the central that runs.
pub(crate) async fn append_drawn(
    db: &mut PgConnection,
    random: &Random,
    kiosk: KioskId,
    changes: &[Change],
) -> Result<(), Refusal> {
    let mut marks = Vec::with_capacity(changes.len());
    let mut bodies = Vec::with_capacity(changes.len());
    for change in changes {
        let mut mark = [0; 8];
        random(&mut mark);
        marks.push(mark.to_vec());
        bodies.push(serde_json::to_string(change).map_err(|_| Refusal::Stored("change"))?);
    }
    if changes.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "WITH next AS (UPDATE kiosk SET change_n = change_n + cardinality($2::text[]) WHERE id = $1 \
                       RETURNING change_n - cardinality($2::text[]) AS before) \
         INSERT INTO change (kiosk, n, body, mark) SELECT $1, before + told.n, told.body::jsonb, told.mark \
         FROM next, unnest($2::text[], $3::bytea[]) WITH ORDINALITY AS told (body, mark, n)",
    )
    .bind(kiosk.0.as_slice())
    .bind(bodies)
    .bind(marks)
    .execute(db)
    .await?;
    Ok(())
}

/// What a kiosk pulls, and where it goes on from.
pub(crate) struct Pulled {
    pub changes: Vec<Change>,
    pub cursor: Cursor,
    pub more: bool,
}

/// The newest change a kiosk has, and the mark it bore.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cursor {
    pub n: u64,
    pub mark: String,
}

/// Changes after `cursor`; all of them when it is from a history this database does not
/// know: a restored one counts its changes anew.
pub(crate) async fn after(db: &mut PgConnection, device: &Device, cursor: Cursor) -> Result<Pulled, Refusal> {
    let asked = i64::try_from(cursor.n).map_err(|_| Refusal::BadBody)?;
    let known = sqlx::query("SELECT 1 FROM change WHERE kiosk = $1 AND n = $2 AND encode(mark, 'hex') = $3")
        .bind(device.kiosk.0.as_slice())
        .bind(asked)
        .bind(&cursor.mark)
        .fetch_optional(&mut *db)
        .await?;
    let (from, mut last) = match known {
        Some(_) => (asked, cursor),
        None if planted::on("changes_of_another_history") => (asked, cursor),
        None => (0, Cursor::default()),
    };
    let limit = i64::try_from(PULL_CHANGES).unwrap_or(i64::MAX);
    let rows =
        sqlx::query("SELECT n, body::text, encode(mark, 'hex') FROM change WHERE kiosk = $1 AND n > $2 ORDER BY n LIMIT $3")
            .bind(device.kiosk.0.as_slice())
            .bind(from)
            .bind(limit)
            .fetch_all(db)
            .await?;
    let mut changes = Vec::with_capacity(rows.len());
    for row in &rows {
        let n: i64 = row.try_get(0)?;
        last = Cursor {
            n: u64::try_from(n).map_err(|_| Refusal::Stored("change number"))?,
            mark: row.try_get(2)?,
        };
        let body: &str = row.try_get(1)?;
        changes.push(serde_json::from_str(body).map_err(|_| Refusal::Stored("change"))?);
    }
    let more = rows.len() == PULL_CHANGES;
    Ok(Pulled { changes, cursor: last, more })
}
