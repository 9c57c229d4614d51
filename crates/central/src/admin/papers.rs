//! Papers of lost kiosks: lists them, and opens their rebuild codes with the recovery key,
//! which its holders bring and take away again. The key is read, used and never kept.

use super::{AdminRefusal, known_site, refused};
use crate::{Refusal, audit};
use domain::audit::Act;
use domain::code::FollowUpCode;
use jiff::tz::TimeZone;
use seal::door::Door;
use seal::{rebuild, rebuilt};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::path::Path;
use zeroize::Zeroizing;

/// The papers brought to counters of any site for registrations of this one.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn papers(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let rows = sqlx::query(
        "SELECT code, name, birth, to_char(at, 'YYYY-MM-DD\"T\"HH24:MI'), issued_s, brought_s, \
         rebuild IS NOT NULL, body IS NOT NULL, whole FROM paper WHERE site = $1 ORDER BY at, issued_s",
    )
    .bind(site.as_str())
    .fetch_all(pool)
    .await?;
    let papers = rows
        .iter()
        .map(|row| {
            let code = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
            let state = match (row.try_get(6)?, row.try_get(7)?, row.try_get(8)?) {
                (_, _, true) => "whole",
                (_, true, false) => "opened",
                (true, false, false) => "locked",
                (false, false, false) => "door_only",
            };
            Ok(json!({
                "code": FollowUpCode::from_random(code.to_be_bytes()).to_string(),
                "name": row.try_get::<String, _>(1)?,
                "birth": row.try_get::<String, _>(2)?,
                "slot_at": row.try_get::<Option<String>, _>(3)?,
                "issued_s": row.try_get::<i64, _>(4)?,
                "brought_s": row.try_get::<i64, _>(5)?,
                "state": state,
            }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let mut db = pool.acquire().await?;
    audit::by_us(&mut db, Act::PapersRead, Some(&site), papers.len()).await?;
    Ok(json!({ "papers": papers }))
}

/// Opens every locked paper of the site. Central enters them in the waitlist at the next
/// exchange of a kiosk of the site.
///
/// # Errors
/// The site is unknown, the file is not a recovery key, or the database fails.
pub async fn open_papers(pool: &PgPool, site: &str, recovery: &Path) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let key = recovery_key(recovery)?;
    let zone: String = sqlx::query("SELECT zone FROM site WHERE id = $1")
        .bind(site.as_str())
        .fetch_one(pool)
        .await?
        .try_get(0)?;
    let zone = TimeZone::get(&zone).map_err(|_| Refusal::Stored("time zone"))?;
    let rows = sqlx::query(
        "SELECT registration, door, rebuild FROM paper WHERE site = $1 AND rebuild IS NOT NULL AND body IS NULL",
    )
    .bind(site.as_str())
    .fetch_all(pool)
    .await?;
    let (mut opened, mut unread) = (0_u32, 0_u32);
    for row in &rows {
        let (id, code): (&[u8], &[u8]) = (row.try_get(0)?, row.try_get(2)?);
        let door = Door::read(row.try_get(1)?).ok_or(Refusal::Stored("door code"))?.0;
        let registration = rebuild::open(&key, id, code)
            .ok()
            .and_then(|content| rebuilt::registration(&door, &content, &zone))
            .and_then(|registration| serde_json::to_string(&registration).ok());
        let Some(registration) = registration else {
            unread += 1;
            continue;
        };
        let mut tx = pool.begin().await?;
        sqlx::query("UPDATE paper SET body = $2::text::jsonb WHERE registration = $1")
            .bind(id)
            .bind(registration)
            .execute(&mut *tx)
            .await?;
        audit::by_us(&mut tx, Act::PapersOpened, Some(&door.registration), 1).await?;
        tx.commit().await?;
        opened += 1;
    }
    Ok(json!({ "opened": opened, "not_opened": unread }))
}

/// Reads the key's 64 hexadecimal digits.
fn recovery_key(file: &Path) -> Result<Zeroizing<[u8; 32]>, AdminRefusal> {
    let text = std::fs::read_to_string(file).map(Zeroizing::new).map_err(|_| {
        refused(format!("{} cannot be read; name the recovery key file with --recovery", file.display()))
    })?;
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), key.as_mut()).map_err(|_| {
        refused(format!("{} is not a recovery key: it has 64 hexadecimal digits", file.display()))
    })?;
    Ok(key)
}
