//! Sites as papers and kiosks know them, and the signed roster of their mediators.

use crate::Refusal;
use crate::keys::CentralKeys;
use domain::busy::PerHour;
use domain::ids::{MediatorId, SiteId};
use seal::keys::Context;
use sqlx::{PgConnection, Row};
use wire::messages::{Roster, RosterEntry, SignedRoster, Site};

pub(crate) async fn site(db: &mut PgConnection, id: &SiteId) -> Result<Site, Refusal> {
    let row = sqlx::query(
        "SELECT name, address, phone, zone, per_hour_kiosk, per_hour_mediator FROM site WHERE id = $1",
    )
    .bind(id.as_str())
    .fetch_one(db)
    .await?;
    Ok(Site {
        id: id.clone(),
        name: row.try_get("name")?,
        address: row.try_get("address")?,
        phone: row.try_get("phone")?,
        zone: row.try_get("zone")?,
        per_hour: per_hour(row.try_get("per_hour_kiosk")?, row.try_get("per_hour_mediator")?)?,
    })
}

/// What a site allows in an hour; the usual where nothing was said.
pub(crate) fn per_hour(kiosk: Option<i16>, mediator: Option<i16>) -> Result<PerHour, Refusal> {
    let usual = PerHour::default();
    let said = |said: Option<i16>, usual: u16| match said {
        None => Ok(usual),
        Some(said) => u16::try_from(said).map_err(|_| Refusal::Stored("registrations an hour")),
    };
    Ok(PerHour { kiosk: said(kiosk, usual.kiosk)?, mediator: said(mediator, usual.mediator)? })
}

/// The site's age recipient.
pub(crate) async fn site_key(db: &mut PgConnection, id: &SiteId) -> Result<String, Refusal> {
    let row = sqlx::query("SELECT site_key FROM site WHERE id = $1").bind(id.as_str()).fetch_one(db).await?;
    Ok(row.try_get(0)?)
}

pub(crate) async fn roster_version(db: &mut PgConnection, id: &SiteId) -> Result<u64, Refusal> {
    let row =
        sqlx::query("SELECT roster_version FROM site WHERE id = $1").bind(id.as_str()).fetch_one(db).await?;
    let version: i64 = row.try_get(0)?;
    u64::try_from(version).map_err(|_| Refusal::Stored("roster version"))
}

/// The roster of this site, signed now.
pub(crate) async fn roster(
    db: &mut PgConnection,
    keys: &CentralKeys,
    id: &SiteId,
) -> Result<SignedRoster, Refusal> {
    let version = roster_version(&mut *db, id).await?;
    let rows = sqlx::query("SELECT id, name, pin, supervisor FROM mediator WHERE site = $1 ORDER BY id")
        .bind(id.as_str())
        .fetch_all(db)
        .await?;
    let mediators = rows
        .iter()
        .map(|row| {
            let id = MediatorId::parse(row.try_get("id")?).map_err(|_| Refusal::Stored("mediator id"))?;
            Ok(RosterEntry {
                id,
                name: row.try_get("name")?,
                pin: row.try_get("pin")?,
                supervisor: row.try_get("supervisor")?,
            })
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    let roster = Roster { site: id.clone(), version, mediators };
    let bytes = serde_json::to_vec(&roster).map_err(|_| Refusal::Stored("roster"))?;
    let signature = keys.acknowledgement.sign(Context::Roster, &bytes);
    Ok(SignedRoster { roster: bytes.into(), key: hex::encode(keys.acknowledgement.key_id().0), signature })
}
