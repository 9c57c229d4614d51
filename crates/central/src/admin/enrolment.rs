//! Who may work at a site: single-use enrolment codes for kiosks, the roster of mediators.

use super::{AdminRefusal, known_site, line, line_refusal, refused};
use crate::{Random, audit};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, SaltString};
use domain::audit::Act;
use domain::code::FollowUpCode;
use domain::ids::MediatorId;
use jiff::Timestamp;
use seal::keys::sha256;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool, Row};

/// Minutes an enrolment code lives.
const CODE_MINUTES: i64 = 15;
/// Longest name of a mediator, in characters: one line of the screen's list.
const NAME_MAX: usize = 100;

/// Makes a single-use enrolment code; it is shown here and never again.
///
/// # Errors
/// The site is unknown.
pub async fn code(pool: &PgPool, site: &str, now: Timestamp, random: &Random) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut bytes = [0; 8];
    random(&mut bytes);
    let code = FollowUpCode::from_random(bytes).to_string();
    let expires = now.as_second() + CODE_MINUTES * 60;
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO enrol_code (code_hash, site, expires_s) VALUES ($1, $2, $3)")
        .bind(sha256(&[normal_code(&code).as_bytes()]).0.as_slice())
        .bind(site.as_str())
        .bind(expires)
        .execute(&mut *tx)
        .await?;
    audit::by_us(&mut tx, Act::CodeMade, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "code": code, "site": site, "minutes": CODE_MINUTES }))
}

/// A code without case, spaces and dashes.
pub(crate) fn normal_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// A mediator as an administrator tells it.
#[derive(Clone, Copy)]
pub struct NewMediator<'a> {
    /// What the mediator signs in with.
    pub id: &'a str,
    /// As shown on screens.
    pub name: &'a str,
    /// 4 to 12 digits.
    pub pin: &'a str,
    /// May open drafts that others began; as it was when not told, and not for a new one.
    pub supervisor: Option<bool>,
    /// The one who has this id under another name gives it up.
    pub replace: bool,
}

/// A site's mediators by id. Never their PINs, locked or not.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn mediators(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let rows = sqlx::query("SELECT id, name, supervisor FROM mediator WHERE site = $1 ORDER BY id")
        .bind(site.as_str())
        .fetch_all(pool)
        .await?;
    let mediators = rows
        .iter()
        .map(|row| {
            Ok(json!({
                "id": row.try_get::<String, _>(0)?,
                "name": row.try_get::<String, _>(1)?,
                "supervisor": row.try_get::<bool, _>(2)?,
            }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let mut db = pool.acquire().await?;
    audit::by_us(&mut db, Act::MediatorsRead, Some(&site), mediators.len()).await?;
    Ok(json!({ "mediators": mediators }))
}

/// Adds a mediator to a site's roster, or gives an existing one a new PIN. A record names its
/// mediator by this id: it does not pass to somebody else by a slip.
///
/// # Errors
/// The id or PIN is not one, the site is unknown, or somebody of another name has this id, or one
/// that differs from it in capitals only.
pub async fn mediator(
    pool: &PgPool,
    site: &str,
    told: &NewMediator<'_>,
    now: Timestamp,
    random: &Random,
) -> Result<Value, AdminRefusal> {
    let NewMediator { id, name, pin, supervisor, replace } = *told;
    let id = MediatorId::parse(id).map_err(|refusal| refused(line_refusal("the mediator's id", refusal)))?;
    let name = line("the mediator's name", name, NAME_MAX)?;
    if !(4..=12).contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused("a PIN is 4 to 12 digits, given on standard input"));
    }
    let site = known_site(pool, site).await?;
    let mut salt = [0; 16];
    random(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|_| refused("the salt cannot be written"))?;
    let pin = Argon2::default()
        .hash_password(pin.as_bytes(), &salt)
        .map_err(|_| refused("the PIN cannot be hashed"))?
        .to_string();
    let mut tx = pool.begin().await?;
    let held = sqlx::query(
        "SELECT id, name FROM mediator WHERE site = $1 AND lower(id) = lower($2) ORDER BY id <> $2",
    )
    .bind(site.as_str())
    .bind(id.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    let held =
        held.map(|row| Ok::<_, sqlx::Error>((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?)));
    if let Some((other, who)) = held.transpose()? {
        if other != id.as_str() {
            return Err(refused(format!(
                "{other} is the id of {who} at site {site}; choose one that differs by more than capitals"
            )));
        }
        if who != name && !replace {
            let id = id.as_str();
            return Err(refused(format!(
                "{id} is the id of {who} at site {site}; choose another --id, or give --replace if {who} is to be \
                 known as {name} from now on, with the PIN given"
            )));
        }
    }
    let row = sqlx::query(
        "INSERT INTO mediator (site, id, name, pin, supervisor) VALUES ($1, $2, $3, $4, coalesce($5, false)) \
         ON CONFLICT (site, id) DO UPDATE SET name = excluded.name, pin = excluded.pin, \
         supervisor = coalesce($5, mediator.supervisor) RETURNING supervisor",
    )
    .bind(site.as_str())
    .bind(id.as_str())
    .bind(&name)
    .bind(pin)
    .bind(supervisor)
    .fetch_one(&mut *tx)
    .await?;
    let supervisor: bool = row.try_get(0)?;
    raise_roster(&mut tx, site.as_str(), now).await?;
    audit::by_us(&mut tx, Act::MediatorSet, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "mediator": id, "site": site, "supervisor": supervisor }))
}

/// Takes a mediator off a site's roster: kiosks unlock for them no more once they have heard.
/// What they have written stays theirs.
///
/// # Errors
/// The site or the mediator is unknown, or nobody would be left to unlock its kiosks.
pub async fn remove_mediator(
    pool: &PgPool,
    site: &str,
    id: &str,
    now: Timestamp,
) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    // Two that take each other off would leave nobody.
    sqlx::query("SELECT 1 FROM site WHERE id = $1 FOR NO KEY UPDATE")
        .bind(site.as_str())
        .execute(&mut *tx)
        .await?;
    let row = sqlx::query("SELECT count(*) FILTER (WHERE id = $2), count(*) FROM mediator WHERE site = $1")
        .bind(site.as_str())
        .bind(id)
        .fetch_one(&mut *tx)
        .await?;
    let (there, all): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    if there == 0 {
        return Err(refused(format!("site {site} has no mediator {id}; correct --id")));
    }
    if all == 1 {
        return Err(refused(format!(
            "{id} is the only mediator of site {site}: nobody could unlock its kiosks; add another first"
        )));
    }
    sqlx::query("DELETE FROM mediator WHERE site = $1 AND id = $2")
        .bind(site.as_str())
        .bind(id)
        .execute(&mut *tx)
        .await?;
    raise_roster(&mut tx, site.as_str(), now).await?;
    audit::by_us(&mut tx, Act::MediatorRemoved, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "mediator": id, "site": site, "removed": true }))
}

/// By the clock: a restored database never counts again what kiosks have seen.
async fn raise_roster(db: &mut PgConnection, site: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE site SET roster_version = greatest(roster_version + 1, $2) WHERE id = $1")
        .bind(site)
        .bind(now.as_millisecond())
        .execute(db)
        .await?;
    Ok(())
}
