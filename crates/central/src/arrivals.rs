//! A person came to their appointment with their paper: the registration is honoured. Said by any
//! kiosk of the site, and perhaps long after; whatever was made of their absence meanwhile is undone.

use crate::device::Device;
use crate::{Central, Refusal, calendar, changes, dates, lists, offers, task, transfer};
use domain::ids::{KioskId, RegistrationId, SiteId};
use domain::set_aside::Reason;
use domain::task::TaskKind;
use sqlx::{PgConnection, Row};
use wire::body::Arrival;
use wire::messages::Change;

/// They were received.
pub(crate) const HONOURED: &str = "honoured";

/// Takes the record. Again, it is the same.
pub(crate) async fn apply(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    said: &Arrival,
) -> Result<Result<(), Reason>, Refusal> {
    calendar::hold(&mut *db, &device.site).await?;
    let id = said.registration;
    let known = sqlx::query("SELECT site, kiosk FROM registration WHERE id = $1 FOR UPDATE")
        .bind(id.0.as_slice())
        .fetch_optional(&mut *db)
        .await?;
    if let Some(row) = &known
        && row.try_get::<&str, _>(0)? != device.site.as_str()
    {
        return Ok(Err(Reason::OtherSite));
    }
    let new = sqlx::query(
        "INSERT INTO arrival (registration, at, site, kiosk, came_s) VALUES ($1, $2::text::timestamp, $3, $4, $5) \
         ON CONFLICT (registration, at) DO NOTHING",
    )
    .bind(id.0.as_slice())
    .bind(said.appointment.to_string())
    .bind(device.site.as_str())
    .bind(device.kiosk.0.as_slice())
    .bind(said.at.as_second())
    .execute(&mut *db)
    .await?;
    let Some(row) = known.filter(|_| new.rows_affected() == 1) else { return Ok(Ok(())) };
    let kiosk = KioskId(row.try_get::<&[u8], _>(1)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?);
    was_there(&mut *db, central, device, said).await?;
    let mut told = task::settle_all(&mut *db, id, (HONOURED, central.now())).await?;
    let offer = offers::withdraw(&mut *db, central, id).await?;
    told.extend(offer.map(|offer| Change::OfferEnded { registration: id, offer }));
    changes::append(&mut *db, central, kiosk, &told).await?;
    transfer::honoured(&mut *db, central, id).await?;
    second_dates(db, central, id).await?;
    Ok(Ok(()))
}

/// They were said not to have come: what followed from it is taken back, and the slot it gave goes to
/// others.
async fn was_there(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    said: &Arrival,
) -> Result<(), Refusal> {
    let id = said.registration;
    let row = sqlx::query(
        "DELETE FROM missed WHERE registration = $1 AND at::date = $2::text::date \
         RETURNING slot, at::text, done_s IS NOT NULL, ended",
    )
    .bind(id.0.as_slice())
    .bind(said.appointment.date().to_string())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let (slot, at) = (row.try_get::<i64, _>(0)?, dates::civil(row.try_get(1)?)?);
    if !row.try_get::<bool, _>(2)? {
        return Ok(());
    }
    let given = dates::slot_of(&mut *db, id).await?;
    if given.is_some_and(|(held, _)| dates::slot_key(held).is_ok_and(|held| held == slot)) {
        return Ok(());
    }
    if let Some((given, _)) = given {
        offers::set_free(&mut *db, central, given).await?;
    }
    if row.try_get(3)? {
        sqlx::query(
            "UPDATE registration SET cancelled_s = NULL, cancelled_slot = NULL, cancelled_at = NULL WHERE id = $1",
        )
        .bind(id.0.as_slice())
        .execute(&mut *db)
        .await?;
    }
    sqlx::query("UPDATE slot SET registration = $2, withheld = false WHERE id = $1 AND registration IS NULL")
        .bind(slot)
        .bind(id.0.as_slice())
        .execute(&mut *db)
        .await?;
    let today = dates::today(&mut *db, central, &device.site).await?;
    lists::replace(db, central, id, (Some(at), given.map(|(_, at)| at)), today).await
}

/// Both dates of one person stood until now (I2): the desk asks whether they need the other.
async fn second_dates(db: &mut PgConnection, central: &Central, id: RegistrationId) -> Result<(), Refusal> {
    let rows = sqlx::query(
        "WITH root AS (SELECT coalesce((SELECT earlier FROM merge_link WHERE later = $1), $1) AS id) \
         SELECT registration.id, registration.site FROM registration JOIN slot ON slot.registration = registration.id \
         WHERE registration.id <> $1 AND cancelled_s IS NULL \
         AND (registration.id = (SELECT id FROM root) \
              OR registration.id IN (SELECT later FROM merge_link WHERE earlier = (SELECT id FROM root))) \
         AND NOT EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = registration.id) \
         AND slot.at > (to_timestamp($2::bigint) AT TIME ZONE (SELECT zone FROM site WHERE site.id = registration.site)) \
         ORDER BY slot.at, registration.id",
    )
    .bind(id.0.as_slice())
    .bind(central.now().as_second())
    .fetch_all(&mut *db)
    .await?;
    for row in &rows {
        let other: &[u8] = row.try_get(0)?;
        let other = RegistrationId(other.try_into().map_err(|_| Refusal::Stored("registration id"))?);
        let site = SiteId::parse(row.try_get(1)?).ok_or(Refusal::Stored("site id"))?;
        let what = (TaskKind::SecondDate, HONOURED);
        task::write(&mut *db, central, &site, other, what, central.now().as_second()).await?;
    }
    Ok(())
}

/// Did they come, at whatever hour?
pub(crate) async fn is_honoured(db: &mut PgConnection, id: RegistrationId) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM arrival WHERE registration = $1)")
        .bind(id.0.as_slice())
        .fetch_one(db)
        .await?;
    Ok(row.try_get(0)?)
}
