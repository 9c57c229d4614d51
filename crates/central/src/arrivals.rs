//! A person came to their appointment with their paper: the registration is honoured. Said by any
//! kiosk of the site, or by an agent, and perhaps long after; whatever was made of their absence
//! meanwhile is undone.

use crate::device::Device;
use crate::each_site::{Due, each_row};
use crate::{Central, Refusal, calendar, changes, dates, lists, offers, task, transfer};
use domain::ids::{KioskId, RegistrationId, SiteId};
use domain::set_aside::Reason;
use domain::task::TaskKind;
use jiff::civil::DateTime;
use sqlx::postgres::PgRow;
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
    honour(db, central, (&device.site, kiosk), (id, said.appointment)).await.map(Ok)
}

impl Central {
    /// Carries out what agents said of people who came though no kiosk does; answers of how many.
    ///
    /// # Errors
    /// The database fails; what was carried out stays so.
    pub async fn carry_out_arrivals(&self) -> Result<usize, Refusal> {
        let sites = "SELECT DISTINCT site FROM arrival WHERE due ORDER BY site";
        let due = |site: &SiteId| -> Due {
            sqlx::query(
                "SELECT registration.id, arrival.at::text, registration.kiosk FROM arrival \
                 JOIN registration ON registration.id = arrival.registration WHERE arrival.site = $1 AND due \
                 ORDER BY came_s, registration.id, arrival.at LIMIT $2 OFFSET $3",
            )
            .bind(site.as_str().to_owned())
        };
        each_row(self, (sites, "an arrival an agent told of cannot be carried out"), due, carry_out).await
    }
}

async fn carry_out(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    row: &PgRow,
) -> Result<bool, Refusal> {
    let id: &[u8] = row.try_get(0)?;
    let id = RegistrationId(id.try_into().map_err(|_| Refusal::Stored("registration id"))?);
    let at = dates::civil(row.try_get(1)?)?;
    let kiosk = KioskId(row.try_get::<&[u8], _>(2)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?);
    honour(&mut *db, central, (site, kiosk), (id, at)).await?;
    sqlx::query("UPDATE arrival SET due = false WHERE registration = $1 AND at = $2::text::timestamp")
        .bind(id.0.as_slice())
        .bind(at.to_string())
        .execute(db)
        .await?;
    Ok(true)
}

/// What follows once somebody was received at this hour; `kiosk` made their paper, and hears of it.
async fn honour(
    db: &mut PgConnection,
    central: &Central,
    (site, kiosk): (&SiteId, KioskId),
    (id, at): (RegistrationId, DateTime),
) -> Result<(), Refusal> {
    was_there(&mut *db, central, site, (id, at)).await?;
    let mut told = task::settle_all(&mut *db, id, (HONOURED, central.now())).await?;
    let offer = offers::withdraw(&mut *db, central, id).await?;
    told.extend(offer.map(|offer| Change::OfferEnded { registration: id, offer }));
    changes::append(&mut *db, central, kiosk, &told).await?;
    transfer::honoured(&mut *db, central, id).await?;
    second_dates(db, central, id).await
}

/// They were said not to have come: what followed from it is taken back, and the slot it gave goes to
/// others.
async fn was_there(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    (id, at): (RegistrationId, DateTime),
) -> Result<(), Refusal> {
    let row = sqlx::query(
        "DELETE FROM missed WHERE registration = $1 AND at::date = $2::text::date \
         RETURNING slot, at::text, done_s IS NOT NULL, ended",
    )
    .bind(id.0.as_slice())
    .bind(at.date().to_string())
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
    let today = dates::today(&mut *db, central, site).await?;
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
