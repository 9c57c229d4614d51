//! What an administrator does, each as one function that answers JSON.

use crate::{Random, Refusal};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, SaltString};
use domain::calendar::{Closure, Holidays, Pattern};
use domain::code::FollowUpCode;
use domain::ids::{MediatorId, SiteId};
use domain::text;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use seal::keys::sha256;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::path::Path;

/// Minutes an enrolment code lives.
const CODE_MINUTES: i64 = 15;

/// What an administrator asked that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum AdminRefusal {
    #[error("{0}")]
    Bad(String),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("stored data cannot be read")]
    Stored(#[from] Refusal),
    #[error("cannot write {0}")]
    Io(String, #[source] std::io::Error),
}

fn bad(text: impl Into<String>) -> AdminRefusal {
    AdminRefusal::Bad(text.into())
}

/// A new site.
#[derive(Debug)]
pub struct NewSite {
    pub id: String,
    pub name: String,
    pub address: Vec<String>,
    pub phone: Option<String>,
    pub zone: String,
    pub holidays: String,
    pub site_key: String,
    pub lease_slots: i16,
    /// The first day that may have slots.
    pub from: Date,
}

/// # Errors
/// A field is not what it should be, or the site exists already.
pub async fn site(pool: &PgPool, site: &NewSite) -> Result<Value, AdminRefusal> {
    let id = SiteId::parse(&site.id).ok_or_else(|| bad("a site id is 1 to 16 of A-Z 0-9 -"))?;
    TimeZone::get(&site.zone).map_err(|_| bad("unknown time zone"))?;
    let holidays = Holidays::parse(&site.holidays).ok_or_else(|| bad("unknown set of holidays"))?;
    site.site_key
        .parse::<age::x25519::Recipient>()
        .map_err(|_| bad("the site key is not an age recipient (age1…)"))?;
    let done = sqlx::query(
        "INSERT INTO site (id, name, address, phone, zone, holidays, site_key, lease_slots, slots_until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::date) ON CONFLICT (id) DO NOTHING",
    )
    .bind(id.as_str())
    .bind(&site.name)
    .bind(&site.address)
    .bind(&site.phone)
    .bind(&site.zone)
    .bind(holidays.key())
    .bind(&site.site_key)
    .bind(site.lease_slots)
    .bind(site.from.to_string())
    .execute(pool)
    .await?;
    if done.rows_affected() == 0 {
        return Err(bad("this site exists already"));
    }
    Ok(json!({ "site": id }))
}

/// # Errors
/// A pattern no calendar can hold, an unknown site, or a name already used.
pub async fn counter(
    pool: &PgPool,
    site: &str,
    name: &str,
    patterns: &[Pattern],
) -> Result<Value, AdminRefusal> {
    for pattern in patterns {
        pattern.check().map_err(|refusal| bad(format!("the opening pattern is wrong: {refusal:?}")))?;
    }
    let patterns = serde_json::to_string(patterns).map_err(|_| bad("the opening pattern cannot be kept"))?;
    let row = sqlx::query(
        "INSERT INTO counter (site, name, patterns) VALUES ($1, $2, $3::text::jsonb) RETURNING id",
    )
    .bind(site)
    .bind(name)
    .bind(patterns)
    .fetch_one(pool)
    .await?;
    Ok(json!({ "counter": row.try_get::<i64, _>(0)? }))
}

/// Closes a site for some days. Dates already given stand: re-dating is the desk's act.
///
/// # Errors
/// The days are the wrong way round or the site is unknown.
pub async fn closure(pool: &PgPool, site: &str, closure: Closure) -> Result<Value, AdminRefusal> {
    if closure.last < closure.first {
        return Err(bad("the closure ends before it begins"));
    }
    let (first, last) = (closure.first.to_string(), closure.last.to_string());
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO closure (site, first, last) VALUES ($1, $2::text::date, $3::text::date)")
        .bind(site)
        .bind(&first)
        .bind(&last)
        .execute(&mut *tx)
        .await?;
    // Free slots of those days go; what is lent or given is counted and told.
    let removed = sqlx::query(
        "DELETE FROM slot WHERE site = $1 AND at::date BETWEEN $2::text::date AND $3::text::date \
         AND lease IS NULL AND registration IS NULL",
    )
    .bind(site)
    .bind(&first)
    .bind(&last)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    let row = sqlx::query(
        "SELECT count(registration), count(*) - count(registration) FROM slot \
         WHERE site = $1 AND at::date BETWEEN $2::text::date AND $3::text::date",
    )
    .bind(site)
    .bind(&first)
    .bind(&last)
    .fetch_one(&mut *tx)
    .await?;
    let (given, lent): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    tx.commit().await?;
    Ok(json!({ "removed": removed, "given_in_closure": given, "lent_in_closure": lent }))
}

/// Makes a single-use enrolment code; it is shown here and never again.
///
/// # Errors
/// The site is unknown.
pub async fn code(pool: &PgPool, site: &str, now: Timestamp, random: &Random) -> Result<Value, AdminRefusal> {
    let mut bytes = [0; 8];
    random(&mut bytes);
    let code = FollowUpCode::from_random(bytes).to_string();
    let expires = now.as_second() + CODE_MINUTES * 60;
    sqlx::query("INSERT INTO enrol_code (code_hash, site, expires_s) VALUES ($1, $2, $3)")
        .bind(sha256(&[normal_code(&code).as_bytes()]).0.as_slice())
        .bind(site)
        .bind(expires)
        .execute(pool)
        .await?;
    Ok(json!({ "code": code, "site": site, "minutes": CODE_MINUTES }))
}

/// A code without case, spaces and dashes.
pub(crate) fn normal_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// Adds a mediator to a site's roster, or gives an existing one a new PIN.
///
/// # Errors
/// The id or PIN is not one, or the site is unknown.
pub async fn mediator(
    pool: &PgPool,
    site: &str,
    id: &str,
    name: &str,
    pin: &str,
    random: &Random,
) -> Result<Value, AdminRefusal> {
    let id =
        MediatorId::parse(id).map_err(|refusal| bad(format!("the mediator's id: {}", refusal.code())))?;
    let name = text::one_line(name, 100)
        .map_err(|refusal| bad(format!("the mediator's name: {}", refusal.code())))?;
    if !(4..=12).contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad("a PIN is 4 to 12 digits"));
    }
    let mut salt = [0; 16];
    random(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|_| bad("the salt cannot be written"))?;
    let pin = Argon2::default()
        .hash_password(pin.as_bytes(), &salt)
        .map_err(|_| bad("the PIN cannot be hashed"))?
        .to_string();
    let mut tx = pool.begin().await?;
    sqlx::query(
        "INSERT INTO mediator (site, id, name, pin) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (site, id) DO UPDATE SET name = excluded.name, pin = excluded.pin",
    )
    .bind(site)
    .bind(id.as_str())
    .bind(name)
    .bind(pin)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE site SET roster_version = roster_version + 1 WHERE id = $1")
        .bind(site)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(json!({ "mediator": id, "site": site }))
}

/// The leases of a site: how many slots each kiosk holds and how many it has given.
///
/// # Errors
/// The database fails.
pub async fn leases(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let rows = sqlx::query(
        "SELECT encode(lease.kiosk, 'hex'), count(*), count(slot.registration) FROM slot \
         JOIN lease ON lease.id = slot.lease WHERE slot.site = $1 GROUP BY lease.kiosk ORDER BY 1",
    )
    .bind(site)
    .fetch_all(pool)
    .await?;
    let leases = rows
        .iter()
        .map(|row| {
            let (kiosk, slots, given): (String, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            Ok(json!({ "kiosk": kiosk, "slots": slots, "given": given }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    Ok(json!({ "leases": leases }))
}

/// Every registration of a site with its date and the state of its record: what the
/// desk works from, and what a check from outside counts.
///
/// # Errors
/// The database fails.
pub async fn registrations(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let rows = sqlx::query(
        "SELECT registration.body ->> 'code', registration.state, registration.after_limit, slot.id, \
                replace(left(slot.at::text, 16), ' ', 'T'), slot.lease IS NOT NULL, \
                (SELECT count(*) FROM piece_page WHERE piece_page.registration = registration.id), \
                (SELECT count(*) FROM slot AS held WHERE held.registration = registration.id) \
         FROM registration LEFT JOIN slot ON slot.registration = registration.id \
         WHERE registration.site = $1 ORDER BY registered_s, tie_break, registration.id",
    )
    .bind(site)
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
            }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM (SELECT registration FROM slot WHERE registration IS NOT NULL AND site = $1 \
                 GROUP BY registration HAVING count(*) > 1) AS twice), \
                (SELECT count(*) FROM record WHERE state IN ('held', 'waits')), \
                (SELECT count(*) FROM record WHERE state = 'set_aside')",
    )
    .bind(site)
    .fetch_one(pool)
    .await?;
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
/// The database fails.
pub async fn links(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let rows = sqlx::query(
        "SELECT later.body ->> 'code', earlier.body ->> 'code' FROM merge_link \
         JOIN registration AS later ON later.id = merge_link.later \
         JOIN registration AS earlier ON earlier.id = merge_link.earlier \
         WHERE later.site = $1 ORDER BY later.registered_s, later.tie_break",
    )
    .bind(site)
    .fetch_all(pool)
    .await?;
    let links = rows
        .iter()
        .map(|row| {
            Ok(json!({ "later": row.try_get::<String, _>(0)?, "earlier": row.try_get::<String, _>(1)? }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    Ok(json!({ "links": links }))
}

/// Writes the locked pages of a registration to `out`, as `page-<n>.age`, for agents
/// who hold the site key.
///
/// # Errors
/// The code is unknown or a page has not arrived whole.
pub async fn pieces(pool: &PgPool, code: &str, out: &Path) -> Result<Value, AdminRefusal> {
    let code = FollowUpCode::parse(code).ok_or_else(|| bad("this is not a follow-up code"))?;
    let rows = sqlx::query(
        "SELECT piece_page.number, piece_page.page, upload.complete FROM piece_page \
         JOIN registration ON registration.id = piece_page.registration \
         LEFT JOIN upload ON upload.page = piece_page.page WHERE registration.code = $1 ORDER BY number",
    )
    .bind(i64::try_from(code.to_bits()).map_err(|_| bad("this is not a follow-up code"))?)
    .fetch_all(pool)
    .await?;
    let mut written = Vec::new();
    for row in &rows {
        let (number, page): (i32, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        if row.try_get::<Option<bool>, _>(2)? != Some(true) {
            return Err(bad(format!("page {number} has not arrived whole yet")));
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
