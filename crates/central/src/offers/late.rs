//! People whose date does not serve their time limit: one dated without the network, one whose day was
//! closed, one for whom nothing was left. They are offered what somebody who registers now with their
//! limit would be given, so that nobody gains by registering again. The date they have holds until they
//! accept, and their escalation stays with the desk until one serves.

use super::{OFFERS_MAX, limit};
use crate::device::Device;
use crate::each_site::{Due, each_row};
use crate::{Central, Refusal, dates, planted};
use domain::bytes::PublicKey;
use domain::extra;
use domain::ids::{KioskId, RegistrationId, SiteId};
use domain::offer::{NOTICE_DAYS, OFFER_DAYS};
use domain::registration::Registration;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// Seconds until somebody is looked at again. What could serve them comes free by a cancellation, not by
/// the minute, and each look reads the days of a site.
const AGAIN_S: i64 = 900;

/// Somebody's date does not serve their time limit: noted for [`Central::offer_late`].
pub(crate) async fn note(
    db: &mut PgConnection,
    central: &Central,
    registration: &Registration,
) -> Result<(), Refusal> {
    if planted::on("late_forgotten") {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO late (registration, site, since_s, next_s) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING",
    )
        .bind(registration.id.0.as_slice())
        .bind(registration.site.as_str())
        .bind(central.now().as_second())
        .execute(db)
        .await?;
    Ok(())
}

/// Another limit is another question: what they declined before says nothing about it.
pub(super) async fn forget(db: &mut PgConnection, id: RegistrationId) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM late WHERE registration = $1").bind(id.0.as_slice()).execute(db).await?;
    Ok(())
}

impl Central {
    /// Looks for an earlier day for everybody whose date does not serve their limit, in rank order;
    /// answers how many were looked at.
    ///
    /// # Errors
    /// The database or the lease log fails; what was offered stays offered.
    pub(super) async fn offer_late(&self) -> Result<usize, Refusal> {
        // What left central before a restore is not known: nothing is offered then.
        if self.extras_only() {
            return Ok(0);
        }
        let now = self.now().as_second();
        let due = |site: &SiteId| -> Due {
            sqlx::query(
                "SELECT registration.body::text, kiosk.id, kiosk.key, \
                        registration.state = 'kept' AND cancelled_s IS NULL, kiosk.lost_s IS NOT NULL \
                 FROM late JOIN registration ON registration.id = late.registration \
                 JOIN kiosk ON kiosk.id = registration.kiosk \
                 WHERE late.site = $1 AND next_s <= $2 AND $3 > (SELECT count(*) FROM offer \
                 WHERE offer.registration = late.registration AND made_s >= since_s AND offer.state IN ('declined', 'lapsed')) \
                 ORDER BY ranked_s, tie_break, registration.id LIMIT $4 OFFSET $5",
            )
            .bind(site.as_str().to_owned())
            .bind(now)
            .bind(i64::from(OFFERS_MAX))
        };
        let sites = "SELECT DISTINCT site FROM late ORDER BY site";
        each_row(self, (sites, "somebody with a time limit cannot be looked at"), due, look).await
    }
}

async fn look(db: &mut PgConnection, central: &Central, site: &SiteId, row: &PgRow) -> Result<bool, Refusal> {
    let registration: Registration =
        serde_json::from_str(row.try_get(0)?).map_err(|_| Refusal::Stored("registration"))?;
    let kiosk = row.try_get::<&[u8], _>(1)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?;
    let key = PublicKey::from_slice(row.try_get(2)?).ok_or(Refusal::Stored("device key"))?;
    let device = Device { kiosk: KioskId(kiosk), site: site.clone(), key };
    let (id, stands, lost): (_, bool, bool) = (registration.id, row.try_get(3)?, row.try_get(4)?);
    let today = dates::today(&mut *db, central, site).await?;
    let held = dates::slot_of(&mut *db, id).await?.map(|(_, at)| at);
    match held.filter(|_| stands) {
        // Their kiosk could not tell them, or they were asked these days.
        Some(_) if lost || was_asked(&mut *db, central, id).await? => again(db, central, id).await?,
        Some(held) if could_be_sooner(&registration, held, today) => {
            limit::offer_sooner(&mut *db, central, &device, &registration, (held, today)).await?;
            again(db, central, id).await?;
        }
        // It serves them, or nothing before it can any more; or they gave it up: back, they are noted anew.
        _ => forget(db, id).await?,
    }
    Ok(true)
}

/// With time to be told, as anybody who is not at the counter.
fn could_be_sooner(registration: &Registration, held: DateTime, today: Date) -> bool {
    let mut window = dates::window(registration, today);
    window.earliest = window.earliest.max(today.saturating_add(NOTICE_DAYS.days()));
    extra::days(&window, Some(held.date())).is_some()
}

/// Have they an offer to answer, or had they one within the days an offer stands that they declined or let
/// pass? Nobody is asked day after day. One that the site withdrew was no question to them.
async fn was_asked(db: &mut PgConnection, central: &Central, id: RegistrationId) -> Result<bool, Refusal> {
    let since = central.now().saturating_sub((i64::from(OFFER_DAYS) * 24).hours());
    let row = sqlx::query(
        "SELECT 1 FROM offer WHERE registration = $1 \
         AND (state = 'open' OR state IN ('declined', 'lapsed') AND made_s > $2) LIMIT 1",
    )
    .bind(id.0.as_slice())
    .bind(since.map_err(|_| Refusal::Stored("clock"))?.as_second())
    .fetch_optional(db)
    .await?;
    Ok(row.is_some())
}

/// All of a site at the same quarters of an hour, and so in rank order.
async fn again(db: &mut PgConnection, central: &Central, id: RegistrationId) -> Result<(), Refusal> {
    let now = central.now().as_second();
    sqlx::query("UPDATE late SET next_s = $2 WHERE registration = $1")
        .bind(id.0.as_slice())
        .bind(now.saturating_sub(now.rem_euclid(AGAIN_S)).saturating_add(AGAIN_S))
        .execute(db)
        .await?;
    Ok(())
}

/// The site took back what these were offered: they are looked at again at once.
pub(super) async fn at_once(db: &mut PgConnection, ids: &[RegistrationId]) -> Result<(), Refusal> {
    sqlx::query("UPDATE late SET next_s = 0 WHERE registration = ANY ($1)")
        .bind(ids.iter().map(|id| id.0.as_slice()).collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(())
}
