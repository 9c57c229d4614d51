//! What an administrator knows and central cannot: that what left central before a restore
//! is known again, and that a backup was read back.

use super::{AdminRefusal, refused};
use crate::{Refusal, audit};
use domain::audit::Act;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

/// Most kiosks named in a refusal.
const NAMED: i64 = 12;

/// How far the database has followed the lease log, and whether it gave up following it.
///
/// # Errors
/// The database fails.
pub async fn lease_log(pool: &PgPool) -> Result<Value, AdminRefusal> {
    let row = sqlx::query(
        "SELECT n, broken, (SELECT count(*) FROM slot WHERE withheld AND registration IS NULL) FROM lease_log",
    )
    .fetch_one(pool)
    .await?;
    Ok(json!({
        "lines": row.try_get::<i64, _>(0)?,
        "extras_only": row.try_get::<bool, _>(1)?,
        "withheld": row.try_get::<i64, _>(2)?,
    }))
}

/// An administrator says that what had left central before a restore is known again:
/// ordinary slots are given from the next start of central.
///
/// # Errors
/// A kiosk that is not reported lost has not been heard since; or the database fails.
pub async fn accept_lease_log(pool: &PgPool) -> Result<Value, AdminRefusal> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query("SELECT broken FROM lease_log FOR UPDATE").fetch_one(&mut *tx).await?;
    if !row.try_get::<bool, _>(0)? {
        return Err(refused("the lease log is followed: there is nothing to accept"));
    }
    let rows = sqlx::query(
        "SELECT site, encode(id, 'hex') FROM kiosk WHERE heard_s IS NULL AND lost_s IS NULL ORDER BY site, id LIMIT $1",
    )
    .bind(NAMED)
    .fetch_all(&mut *tx)
    .await?;
    if !rows.is_empty() {
        let silent = rows
            .iter()
            .map(|row| Ok(format!("{} of site {}", row.try_get::<&str, _>(1)?, row.try_get::<&str, _>(0)?)))
            .collect::<Result<Vec<_>, sqlx::Error>>()?
            .join(", ");
        return Err(refused(format!(
            "not heard since the restore: {silent}; wait for each, or report it with central admin kiosks --site SITE --lost KIOSK"
        )));
    }
    sqlx::query("UPDATE lease_log SET broken = false, lost_n = NULL, lost_hash = NULL")
        .execute(&mut *tx)
        .await?;
    audit::by_us(&mut tx, Act::LeaseLogAccepted, None, 1).await?;
    tx.commit().await?;
    lease_log(pool).await
}

/// Everything received before `until` is in a backup on other storage that was read back.
/// Only forward: kiosks may have dropped what it said.
///
/// # Errors
/// The moment lies ahead of `now`; or the database fails.
pub async fn durable(pool: &PgPool, until: Timestamp, now: Timestamp) -> Result<Value, AdminRefusal> {
    if until > now {
        return Err(refused("a backup holds nothing of the future; give --until the moment it was begun"));
    }
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "INSERT INTO durable (until_s) VALUES ($1) ON CONFLICT (one) \
         DO UPDATE SET until_s = greatest(durable.until_s, excluded.until_s) RETURNING until_s",
    )
    .bind(until.as_second())
    .fetch_one(&mut *tx)
    .await?;
    audit::by_us(&mut tx, Act::DurableSaid, None, 1).await?;
    tx.commit().await?;
    let until = Timestamp::from_second(row.try_get(0)?).map_err(|_| Refusal::Stored("durable"))?;
    Ok(json!({ "durable_until": until }))
}
