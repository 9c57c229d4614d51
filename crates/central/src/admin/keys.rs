//! Retiring a key of central's from signing. It never stops verifying: what it signed until
//! then stays good, and what it could have signed after is forged.

use super::{AdminRefusal, refused};
use crate::keys::CentralKeys;
use crate::{audit, lists};
use domain::audit::Act;
use domain::ids::SiteId;
use domain::token::KeyId;
use jiff::{Timestamp, tz::TimeZone};
use seal::ring::Role;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use wire::messages::ListKind;

/// Puts the key on every site's list, with the latest appointment (a slot key) or day (an
/// acknowledgement key) it signed for. A central that still runs with it gives no more dates.
///
/// # Errors
/// It is no key of this ring, or the one these keys sign with now; what left central before a restore is
/// not known.
pub async fn retire_key(
    pool: &PgPool,
    keys: &CentralKeys,
    key: &str,
    now: Timestamp,
) -> Result<Value, AdminRefusal> {
    let bytes = hex::decode(key.trim()).ok().and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let id = KeyId(bytes.ok_or_else(|| {
        refused(format!("{key:?} is not a key id; write the 8 hexadecimal digits renew-key told"))
    })?);
    if id == keys.slot.key_id() || id == keys.acknowledgement.key_id() {
        return Err(refused(format!(
            "{key} is the key these keys sign with; first make the one that follows with central admin renew-key, \
             and start every central again"
        )));
    }
    let is_slot = keys.ring.find(Role::Slot, id).is_some();
    if !is_slot && keys.ring.find(Role::Acknowledgement, id).is_none() {
        return Err(refused(format!("the ring has no slot or acknowledgement key {key}; correct --key")));
    }
    let mut tx = pool.begin().await?;
    // Waits for the dates that are being given, and lets none be given meanwhile.
    sqlx::query("LOCK TABLE slot IN SHARE MODE").execute(&mut *tx).await?;
    let row = sqlx::query("SELECT broken FROM lease_log").fetch_one(&mut *tx).await?;
    if is_slot && row.try_get::<bool, _>(0)? {
        return Err(refused(
            "what left central before it was restored is not known, nor the last day this key has signed for: papers that are \
             out would be turned away; see central admin lease-log, then retire it",
        ));
    }
    let row = sqlx::query(
        "SELECT max(at)::date::text FROM slot WHERE lease IS NOT NULL OR registration IS NOT NULL OR withheld",
    )
    .fetch_one(&mut *tx)
    .await?;
    let today = TimeZone::UTC.to_datetime(now).date().to_string();
    let last_day = row.try_get::<Option<String>, _>(0)?.filter(|_| is_slot).unwrap_or(today);
    sqlx::query("INSERT INTO retired_key (key, last_day) VALUES ($1, $2::text::date) ON CONFLICT DO NOTHING")
        .bind(id.0.as_slice())
        .bind(&last_day)
        .execute(&mut *tx)
        .await?;
    let sites = sqlx::query("SELECT id FROM site ORDER BY id").fetch_all(&mut *tx).await?;
    for row in &sites {
        let site = SiteId::parse(row.try_get(0)?).ok_or_else(|| refused("a site's id cannot be read"))?;
        lists::raise(&mut tx, &site, ListKind::Issuers, now).await?;
    }
    audit::by_us(&mut tx, Act::KeyRetired, Some(&key.trim()), 1).await?;
    tx.commit().await?;
    Ok(json!({ "key": key.trim(), "last_day": last_day, "sites": sites.len() }))
}
