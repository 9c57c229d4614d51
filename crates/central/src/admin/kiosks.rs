//! The kiosks of a site: how each stands, and what an agent says of one that was copied,
//! lost, or taken out of service.

use super::{AdminRefusal, known_site, refused};
use crate::{audit, nearby};
use domain::audit::Act;
use domain::ids::SiteId;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use wire::messages::ListKind;

/// The kiosks of a site, the chains each has written and whether it is quarantined.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn kiosks(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let rows = sqlx::query(
        "SELECT encode(kiosk.id, 'hex'), kiosk.enrolled_s, kiosk.quarantined_s, count(chain.n), \
         coalesce(max(chain.incarnation), 1), kiosk.lost_s, kiosk.heard_s, kiosk.retired_s FROM kiosk LEFT JOIN chain ON chain.kiosk = kiosk.id \
         WHERE kiosk.site = $1 GROUP BY kiosk.id ORDER BY kiosk.enrolled_s, kiosk.id",
    )
    .bind(site.as_str())
    .fetch_all(pool)
    .await?;
    let kiosks = rows
        .iter()
        .map(|row| {
            let is = |at: usize| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(at)?.is_some());
            let (standing, to_do) = stands(is(5)?, is(7)?, is(2)?);
            Ok(json!({
                "kiosk": row.try_get::<String, _>(0)?,
                "standing": standing,
                "to_do": to_do,
                "enrolled_s": row.try_get::<i64, _>(1)?,
                "quarantined_s": row.try_get::<Option<i64>, _>(2)?,
                "chains": row.try_get::<i64, _>(3)?,
                "incarnation": row.try_get::<i32, _>(4)?,
                "lost_s": row.try_get::<Option<i64>, _>(5)?,
                "heard_s": row.try_get::<Option<i64>, _>(6)?,
                "retired_s": row.try_get::<Option<i64>, _>(7)?,
            }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    Ok(json!({ "kiosks": kiosks }))
}

/// One word for how a kiosk stands, and what whoever looks after it has to do.
fn stands(lost: bool, retired: bool, quarantined: bool) -> (&'static str, Option<&'static str>) {
    match (lost, retired, quarantined) {
        (true, ..) => ("lost", None),
        (_, true, _) => ("retired", None),
        (.., true) => (
            "quarantined",
            Some(
                "two machines have written as this kiosk: find both, keep one, enrol the other anew; then \
                 central admin kiosks --release KIOSK",
            ),
        ),
        _ => ("accepted", None),
    }
}

/// The quarantined kiosks of a site, for its desk: nobody else takes them out of it.
pub(super) async fn quarantined(pool: &PgPool, site: &SiteId) -> Result<Vec<Value>, AdminRefusal> {
    let rows = sqlx::query(
        "SELECT encode(id, 'hex'), quarantined_s FROM kiosk WHERE site = $1 AND quarantined_s IS NOT NULL \
         AND lost_s IS NULL AND retired_s IS NULL ORDER BY quarantined_s, id",
    )
    .bind(site.as_str())
    .fetch_all(pool)
    .await?;
    let (_, to_do) = stands(false, false, true);
    let told = rows.iter().map(|row| {
        let (kiosk, since_s) = (row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?);
        Ok(json!({ "kiosk": kiosk, "quarantined_s": since_s, "to_do": to_do }))
    });
    Ok(told.collect::<Result<Vec<_>, sqlx::Error>>()?)
}

/// An agent has looked at a quarantined kiosk: only one machine runs its vault. It is lent
/// to again.
///
/// # Errors
/// The site or the kiosk is unknown, or it is not quarantined.
pub async fn release_kiosk(pool: &PgPool, site: &str, kiosk: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE kiosk SET quarantined_s = NULL WHERE site = $1 AND encode(id, 'hex') = $2 \
         AND quarantined_s IS NOT NULL AND lost_s IS NULL AND retired_s IS NULL",
    )
    .bind(site.as_str())
    .bind(kiosk)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(refused(format!(
            "site {site} has no quarantined kiosk {kiosk} that is neither lost nor retired; central admin kiosks \
             --site {site} lists them"
        )));
    }
    audit::by_us(&mut tx, Act::KioskReleased, Some(&kiosk), 1).await?;
    tx.commit().await?;
    Ok(json!({ "kiosk": kiosk, "released": true }))
}

/// What hangs on a kiosk, before it is reported lost or taken out of service: neither is taken back.
/// Changes nothing.
///
/// # Errors
/// The site or the kiosk is unknown.
pub async fn preview_kiosk(
    pool: &PgPool,
    site: &str,
    kiosk: &str,
    now: Timestamp,
) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let row = sqlx::query(
        "SELECT kiosk.lost_s IS NOT NULL, kiosk.retired_s IS NOT NULL, kiosk.quarantined_s IS NOT NULL, \
                (SELECT count(*) FROM registration JOIN slot ON slot.registration = registration.id \
                 WHERE registration.kiosk = kiosk.id AND slot.at > to_timestamp($3) AT TIME ZONE site.zone), \
                (SELECT count(*) FROM slot JOIN lease ON lease.id = slot.lease WHERE lease.kiosk = kiosk.id \
                 AND slot.registration IS NULL AND slot.at > to_timestamp($3) AT TIME ZONE site.zone) \
         FROM kiosk JOIN site ON site.id = kiosk.site WHERE site.id = $1 AND encode(kiosk.id, 'hex') = $2",
    )
    .bind(site.as_str())
    .bind(kiosk)
    .bind(now.as_second())
    .fetch_optional(pool)
    .await?
    .ok_or_else(|| unknown(&site, kiosk))?;
    let (standing, _) = stands(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(json!({
        "kiosk": kiosk,
        "standing": standing,
        "dates_to_come": row.try_get::<i64, _>(3)?,
        "lent_and_not_known_given": row.try_get::<i64, _>(4)?,
    }))
}

/// A kiosk is lost or stolen: it is heard no more. Those of its papers whose record is here
/// stay good; at any other a person looks.
///
/// # Errors
/// The site or the kiosk is unknown.
pub async fn lose_kiosk(
    pool: &PgPool,
    site: &str,
    kiosk: &str,
    now: Timestamp,
) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE kiosk SET lost_s = coalesce(lost_s, $3) WHERE site = $1 AND encode(id, 'hex') = $2",
    )
    .bind(site.as_str())
    .bind(kiosk)
    .bind(now.as_second())
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(unknown(&site, kiosk));
    }
    nearby::raise(&mut tx, &site, ListKind::Issuers, now).await?;
    audit::by_us(&mut tx, Act::KioskLost, Some(&kiosk), 1).await?;
    tx.commit().await?;
    Ok(json!({ "kiosk": kiosk, "lost": true }))
}

/// A kiosk is taken out of service: it is lent nothing more, and may still send what it
/// has and give back what it holds. Its papers stay good.
///
/// # Errors
/// The site or the kiosk is unknown.
pub async fn retire_kiosk(
    pool: &PgPool,
    site: &str,
    kiosk: &str,
    now: Timestamp,
) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE kiosk SET retired_s = coalesce(retired_s, $3) \
         WHERE site = $1 AND encode(id, 'hex') = $2 AND lost_s IS NULL",
    )
    .bind(site.as_str())
    .bind(kiosk)
    .bind(now.as_second())
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(refused(format!(
            "site {site} has no kiosk {kiosk}, or it is reported lost and stays so; central admin kiosks --site {site} \
             lists them"
        )));
    }
    audit::by_us(&mut tx, Act::KioskRetired, Some(&kiosk), 1).await?;
    tx.commit().await?;
    Ok(json!({ "kiosk": kiosk, "retired": true }))
}

fn unknown(site: &SiteId, kiosk: &str) -> AdminRefusal {
    refused(format!("site {site} has no kiosk {kiosk}; central admin kiosks --site {site} lists them"))
}
