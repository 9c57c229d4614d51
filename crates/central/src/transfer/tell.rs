//! What the kiosk of a registration that follows another is told: the time that ranks, and the earlier
//! appointment while both stand. Said again only when it is another.

use super::{link, registration_id};
use crate::device::Device;
use crate::{Central, Refusal, changes, dates};
use domain::ids::RegistrationId;
use jiff::Timestamp;
use sqlx::{Connection as _, PgConnection, Row};
use wire::messages::{Change, EarlierDate, Transferred};

/// Registrations looked at in one exchange; where more are open, the others come next.
const AT_ONCE: i64 = 100;

/// Looks again for what was not known yet, and tells this kiosk what changed since.
pub(crate) async fn tell(db: &mut PgConnection, central: &Central, device: &Device) -> Result<(), Refusal> {
    let rows = sqlx::query(
        "SELECT transfer.registration FROM transfer JOIN registration ON registration.id = transfer.registration \
         WHERE transfer.kiosk = $1 AND NOT over AND state = 'kept' ORDER BY looked, registration.registered_s, registration.id LIMIT $2",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(AT_ONCE)
    .fetch_all(&mut *db)
    .await?;
    for row in &rows {
        let id = registration_id(row.try_get(0)?)?;
        let mut tx = db.begin().await?;
        match one(&mut tx, central, device, id).await {
            Ok(()) => tx.commit().await?,
            // One that cannot be read never holds up the others.
            Err(Refusal::Stored(what)) => {
                tracing::error!(what, "what a registration follows cannot be told");
                tx.rollback().await?;
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

async fn one(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    id: RegistrationId,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE transfer SET looked = looked + 1 WHERE registration = $1")
        .bind(id.0.as_slice())
        .execute(&mut *db)
        .await?;
    link(&mut *db, central, id).await?;
    let transfer = standing(&mut *db, central, id).await?;
    let now = serde_json::to_string(&transfer).map_err(|_| Refusal::Stored("transfer"))?;
    let changed = sqlx::query(
        "UPDATE transfer SET told = $2::text::jsonb WHERE registration = $1 AND told IS DISTINCT FROM $2::text::jsonb",
    )
    .bind(id.0.as_slice())
    .bind(now)
    .execute(&mut *db)
    .await?;
    if changed.rows_affected() > 0 {
        let change = Change::Transfer { registration: id, transfer };
        changes::append(&mut *db, central, device.kiosk, &[change]).await?;
    }
    sqlx::query(
        "UPDATE transfer SET over = true FROM registration WHERE transfer.registration = $1 AND registration.id = $1 \
         AND (cancelled_s IS NOT NULL OR EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = $1))",
    )
    .bind(id.0.as_slice())
    .execute(db)
    .await?;
    Ok(())
}

/// What there is to tell of a registration that names a paper it follows.
pub(super) async fn standing(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
) -> Result<Transferred, Refusal> {
    let row = sqlx::query(
        "SELECT nullif(new.ranked_s, new.registered_s), taken.name, slot.at::text, place.zone, \
                earlier.cancelled_s IS NULL AND NOT EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = earlier.id) \
                AND (slot.at IS NULL OR slot.at >= date_trunc('day', to_timestamp($2::bigint) AT TIME ZONE place.zone)) \
         FROM transfer JOIN registration AS new ON new.id = transfer.registration \
         LEFT JOIN site AS taken ON taken.id = transfer.site \
         LEFT JOIN registration AS earlier ON earlier.id = transfer.earlier \
         LEFT JOIN site AS place ON place.id = earlier.site \
         LEFT JOIN slot ON slot.registration = earlier.id WHERE transfer.registration = $1",
    )
    .bind(id.0.as_slice())
    .bind(central.now().as_second())
    .fetch_one(db)
    .await?;
    let Some(ranked_s) = row.try_get::<Option<i64>, _>(0)? else { return Ok(Transferred::default()) };
    let ranked_at = Timestamp::from_second(ranked_s).map_err(|_| Refusal::Stored("registration time"))?;
    let (zone, stands): (Option<String>, Option<bool>) = (row.try_get(3)?, row.try_get(4)?);
    let at = row.try_get::<Option<&str>, _>(2)?.map(dates::civil).transpose()?;
    Ok(Transferred {
        ranked_at: Some(ranked_at),
        site: row.try_get(1)?,
        earlier: zone.filter(|_| stands == Some(true)).map(|zone| EarlierDate { at, zone }),
    })
}
