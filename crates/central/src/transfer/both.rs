//! Both appointments stand, the one left behind and the one that follows it, until the person keeps the
//! new one or was received with either: then the other ends as a place that is given up does, and its
//! slot goes to whoever is next.

use super::{link, registration_id};
use crate::device::Device;
use crate::offers;
use crate::{Central, Refusal, arrivals, calendar, changes};
use domain::ids::{KioskId, RegistrationId, SiteId};
use domain::set_aside::Reason;
use jiff::Timestamp;
use sqlx::{PgConnection, Row};
use wire::body::Transfer;
use wire::messages::Change;

/// The person keeps the appointment of the registration that follows.
const TRANSFERRED: &str = "transferred";
/// They were received at the other site.
const RECEIVED: &str = "received";

/// The person keeps this one. Where the earlier place is not known here yet it ends once it is. Again,
/// it is the same.
pub(crate) async fn keep(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    said: &Transfer,
) -> Result<Result<Vec<Change>, Reason>, Refusal> {
    calendar::hold(&mut *db, &device.site).await?;
    let id = said.registration;
    let row = sqlx::query(
        "SELECT cancelled_s IS NOT NULL, transfer.registration IS NOT NULL FROM registration \
         LEFT JOIN transfer ON transfer.registration = registration.id \
         WHERE registration.id = $1 AND registration.kiosk = $2 AND state = 'kept' FOR UPDATE OF registration",
    )
    .bind(id.0.as_slice())
    .bind(device.kiosk.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(Err(Reason::RegistrationUnknown)) };
    let (cancelled, follows): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if !follows {
        return Ok(Err(Reason::FollowsNone));
    }
    if cancelled {
        return Ok(Err(Reason::Cancelled));
    }
    sqlx::query("UPDATE transfer SET kept_s = coalesce(kept_s, $2) WHERE registration = $1")
        .bind(id.0.as_slice())
        .bind(said.at.min(central.now()).as_second())
        .execute(&mut *db)
        .await?;
    link(db, central, id).await?;
    Ok(Ok(Vec::new()))
}

/// Ends the place a kept one follows, where the person said so; not while agents mean to annul it, for
/// nobody shakes that off by moving.
pub(super) async fn end_left(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
) -> Result<(), Refusal> {
    let row = sqlx::query(
        "SELECT earlier FROM transfer JOIN registration ON registration.id = transfer.registration \
         WHERE registration.id = $1 AND earlier IS NOT NULL AND kept_s IS NOT NULL AND state = 'kept' AND cancelled_s IS NULL \
         AND NOT EXISTS (SELECT 1 FROM annulment WHERE annulment.registration = transfer.earlier \
                         AND annulment.state IN ('proposed', 'annulling'))",
    )
    .bind(id.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    match row {
        Some(row) => end(db, central, registration_id(row.try_get(0)?)?, (TRANSFERRED, id)).await,
        None => Ok(()),
    }
}

/// The person was received with this one: whatever else stands of the line of their moves is over.
pub(crate) async fn honoured(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
) -> Result<(), Refusal> {
    for other in line(&mut *db, id).await? {
        end(&mut *db, central, other, (RECEIVED, id)).await?;
    }
    Ok(())
}

/// Does the person have another place in this one's stead, kept or honoured? Then it is not taken up
/// again: neither the one left behind, nor one that was given up to go back to it.
pub(crate) async fn is_elsewhere(db: &mut PgConnection, id: RegistrationId) -> Result<bool, Refusal> {
    for other in line(&mut *db, id).await? {
        if arrivals::is_honoured(&mut *db, other).await? {
            return Ok(true);
        }
    }
    let row = sqlx::query(
        "WITH RECURSIVE kept AS (\
            SELECT following.registration AS id FROM transfer AS following \
            WHERE following.kept_s IS NOT NULL AND (following.earlier = $1 \
                  OR following.earlier = (SELECT own.was FROM transfer AS own WHERE own.registration = $1)) \
            UNION SELECT transfer.registration FROM transfer JOIN kept ON transfer.earlier = kept.id) \
         SELECT EXISTS (SELECT 1 FROM kept JOIN registration USING (id) WHERE cancelled_s IS NULL AND id <> $1)",
    )
    .bind(id.0.as_slice())
    .fetch_one(db)
    .await?;
    Ok(row.try_get(0)?)
}

/// Every other registration of the line of moves this one is in, or was in until it was given up.
async fn line(db: &mut PgConnection, id: RegistrationId) -> Result<Vec<RegistrationId>, Refusal> {
    let rows = sqlx::query(
        "WITH RECURSIVE up AS (\
            SELECT $1::bytea AS id \
            UNION SELECT coalesce(transfer.earlier, transfer.was) FROM transfer JOIN up ON transfer.registration = up.id \
            WHERE coalesce(transfer.earlier, transfer.was) IS NOT NULL), \
         line AS (SELECT id FROM up \
            UNION SELECT transfer.registration FROM transfer JOIN line ON coalesce(transfer.earlier, transfer.was) = line.id) \
         SELECT id FROM line WHERE id <> $1 ORDER BY id",
    )
    .bind(id.0.as_slice())
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| registration_id(row.try_get(0)?)).collect()
}

/// Ends a place that stands, and tells its kiosk at which site the person's is.
async fn end(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
    (because, other): (&str, RegistrationId),
) -> Result<(), Refusal> {
    let row = sqlx::query(
        "SELECT kiosk.id, registration.site, site.name, other.registered_s FROM registration JOIN kiosk ON kiosk.id = registration.kiosk \
         JOIN registration AS other ON other.id = $2 JOIN site ON site.id = other.site \
         WHERE registration.id = $1 AND registration.cancelled_s IS NULL FOR UPDATE OF registration",
    )
    .bind(id.0.as_slice())
    .bind(other.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(()) };
    if arrivals::is_honoured(&mut *db, id).await? {
        return Ok(());
    }
    let kiosk = KioskId(row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?);
    let site = SiteId::parse(row.try_get(1)?).ok_or(Refusal::Stored("site id"))?;
    // After the other was registered, whatever its kiosk's clock said: until then this one stood.
    let registered: i64 = row.try_get(3)?;
    let after = Timestamp::from_second(registered.saturating_add(1)).unwrap_or(Timestamp::MAX);
    let (at, because) = (central.now().max(after), because.to_owned());
    let over = offers::end(&mut *db, central, &site, (id, at), &because).await?;
    let mut told = vec![Change::Ended { registration: id, at, because, site: Some(row.try_get(2)?) }];
    told.extend(over);
    changes::append(db, central, kiosk, &told).await
}
