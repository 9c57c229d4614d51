//! What the desk reads: leases, registrations, links, locked pages. Never changes a date.

use super::{AdminRefusal, known_site, refused};
use crate::audit;
use crate::erase::LEAST_DAYS;
use domain::audit::Act;
use domain::code::FollowUpCode;
use domain::ids::SiteId;
use jiff::{ToSpan as _, civil::Date};
use seal::keys::sha256;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::path::Path;

/// The leases of a site: how many slots each kiosk holds and how many it has given.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn leases(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let rows = sqlx::query(
        "SELECT encode(lease.kiosk, 'hex'), count(*) FILTER (WHERE stratum <> 'backstop'), count(slot.registration), \
         count(*) FILTER (WHERE stratum = 'backstop') FROM slot JOIN lease ON lease.id = slot.lease WHERE slot.site = $1 GROUP BY lease.kiosk ORDER BY 1",
    )
    .bind(site.as_str())
    .fetch_all(pool)
    .await?;
    let leases = rows
        .iter()
        .map(|row| {
            let (kiosk, slots, given, backstops): (String, i64, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            Ok(json!({ "kiosk": kiosk, "slots": slots, "given": given, "backstops": backstops }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    Ok(json!({ "leases": leases }))
}

/// Every registration of a site with its date and the state of its record: what the
/// desk works from, and what a check from outside counts.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn registrations(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let rows = sqlx::query(
        "SELECT registration.body ->> 'code', registration.state, \
                registration.after_limit AND registration.body ->> 'limit' IS NOT NULL, slot.id, \
                replace(left(slot.at::text, 16), ' ', 'T'), slot.lease IS NOT NULL, \
                (SELECT count(*) FROM piece_page WHERE piece_page.registration = registration.id), \
                (SELECT count(*) FROM slot AS held WHERE held.registration = registration.id), \
                registration.body -> 'limit' ->> 'last_day', registration.cancelled_s \
         FROM registration LEFT JOIN slot ON slot.registration = registration.id \
         WHERE registration.site = $1 ORDER BY ranked_s, tie_break, registration.id",
    )
    .bind(site.as_str())
    .fetch_all(pool)
    .await?;
    let list = rows
        .iter()
        .map(|row| {
            Ok(json!({
                "code": row.try_get::<String, _>(0)?,
                "state": row.try_get::<String, _>(1)?,
                "after_limit": row.try_get::<bool, _>(2)?,
                "slot": row.try_get::<Option<i64>, _>(3)?,
                "slot_at": row.try_get::<Option<String>, _>(4)?,
                "from_lease": row.try_get::<bool, _>(5)?,
                "pages": row.try_get::<i64, _>(6)?,
                "slots_held": row.try_get::<i64, _>(7)?,
                "limit": row.try_get::<Option<String>, _>(8)?,
                // Its place is over, by whoever's word.
                "ended_s": row.try_get::<Option<i64>, _>(9)?,
            }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM (SELECT registration FROM slot WHERE registration IS NOT NULL AND site = $1 \
                 GROUP BY registration HAVING count(*) > 1) AS twice), \
                (SELECT count(*) FROM record WHERE state IN ('held', 'waits')), \
                (SELECT count(*) FROM record WHERE state = 'set_aside')",
    )
    .bind(site.as_str())
    .fetch_one(pool)
    .await?;
    seen(pool, Act::RegistrationsRead, &site, list.len()).await?;
    Ok(json!({
        "registrations": list,
        "registrations_with_two_slots": row.try_get::<i64, _>(0)?,
        "records_not_applied": row.try_get::<i64, _>(1)?,
        "records_set_aside": row.try_get::<i64, _>(2)?,
    }))
}

/// The links between registrations of one person and procedure, for the desk: each
/// later one by its code, with the earlier one.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn links(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let rows = sqlx::query(
        "SELECT later.body ->> 'code', earlier.body ->> 'code' FROM merge_link \
         JOIN registration AS later ON later.id = merge_link.later \
         JOIN registration AS earlier ON earlier.id = merge_link.earlier \
         WHERE later.site = $1 ORDER BY later.registered_s, later.tie_break",
    )
    .bind(site.as_str())
    .fetch_all(pool)
    .await?;
    let links = rows
        .iter()
        .map(|row| {
            Ok(json!({ "later": row.try_get::<String, _>(0)?, "earlier": row.try_get::<String, _>(1)? }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    seen(pool, Act::LinksRead, &site, links.len()).await?;
    Ok(json!({ "links": links }))
}

/// Files of people are shown: said before they are.
async fn seen(pool: &PgPool, act: Act, about: &SiteId, count: usize) -> Result<(), AdminRefusal> {
    let mut db = pool.acquire().await?;
    Ok(audit::by_us(&mut db, act, Some(about), count).await?)
}

/// Writes the locked pages of a registration to `out`, as `page-<n>.age`, for agents
/// who hold the site key.
///
/// # Errors
/// The code is unknown or a page has not arrived whole.
pub async fn pieces(pool: &PgPool, code: &str, out: &Path) -> Result<Value, AdminRefusal> {
    let typed = FollowUpCode::parse(code).ok_or_else(|| {
        refused(format!(
            "{code:?} is not a follow-up code; copy it from the paper, for example 7K3Q-9MZT-4XW2-P"
        ))
    })?;
    let code = i64::try_from(typed.to_bits()).map_err(|_| refused("this is not a follow-up code"))?;
    let known = sqlx::query("SELECT encode(id, 'hex') FROM registration WHERE code = $1")
        .bind(code)
        .fetch_optional(pool)
        .await?;
    let Some(known) = known else {
        return Err(refused(format!(
            "central has no registration {typed}; its kiosk may not have exchanged since: try again later"
        )));
    };
    let about: String = known.try_get(0)?;
    std::fs::create_dir_all(out).map_err(|error| AdminRefusal::Io(out.display().to_string(), error))?;
    let rows = sqlx::query(
        "SELECT piece_page.number, piece_page.page, upload.complete FROM piece_page \
         JOIN registration ON registration.id = piece_page.registration \
         LEFT JOIN upload ON upload.page = piece_page.page WHERE registration.code = $1 ORDER BY number",
    )
    .bind(code)
    .fetch_all(pool)
    .await?;
    {
        let mut db = pool.acquire().await?;
        audit::by_us(&mut db, Act::PieceRead, Some(&about), rows.len()).await?;
    }
    let mut written = Vec::new();
    for row in &rows {
        let (number, page): (i32, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        if row.try_get::<Option<bool>, _>(2)? != Some(true) {
            return Err(refused(format!("page {number} has not arrived whole yet; try again later")));
        }
        let parts = sqlx::query("SELECT bytes FROM upload_part WHERE page = $1 ORDER BY start")
            .bind(&page)
            .fetch_all(pool)
            .await?;
        let mut bytes = Vec::new();
        for part in &parts {
            bytes.extend_from_slice(part.try_get(0)?);
        }
        let file = out.join(format!("page-{number}.age"));
        std::fs::write(&file, &bytes).map_err(|error| AdminRefusal::Io(file.display().to_string(), error))?;
        written.push(json!({ "number": number, "file": file.display().to_string(), "bytes": bytes.len(),
            "sha256": sha256(&[&bytes]).to_string() }));
    }
    Ok(json!({ "pages": written }))
}

/// Erases what is kept of people whose appointment was before `day`.
///
/// # Errors
/// The day is less than 35 days before `today`, or the database fails.
pub async fn erase(pool: &PgPool, day: Date, today: Date) -> Result<Value, AdminRefusal> {
    let latest = today.saturating_sub(i32::from(LEAST_DAYS).days());
    if day > latest {
        return Err(refused(format!(
            "kiosks keep theirs for {LEAST_DAYS} days, and what is younger is kept here too; give --before {latest} or earlier"
        )));
    }
    Ok(json!({ "erased": crate::erase::before(pool, day).await?, "before": day.to_string() }))
}
