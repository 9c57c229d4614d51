//! Somebody said when they registered that they take any earlier date with some days' notice: a slot
//! that comes to them is given at once, and their kiosk is told. The one they had goes on to others.

use super::answer::{self, Freed};
use crate::{Central, Refusal, dates};
use domain::assign::FreeSlot;
use domain::ids::{OfferId, RegistrationId, SiteId};
use domain::offer::Dated;
use jiff::civil::Date;
use sqlx::PgConnection;

/// Why a date is another: what the person said in advance.
const ACCEPTED_AHEAD: &str = "accepted_ahead";

/// Seconds in which a kiosk must have been heard for its people to learn of a date in time: a day, a
/// night and a weekend's begin.
const HEARD_S: i64 = 36 * 3_600;

/// Can the person learn of it? The kiosk that makes their papers was heard lately, and is at work.
pub(super) async fn can_be_told(
    db: &mut PgConnection,
    central: &Central,
    registration: RegistrationId,
) -> Result<bool, Refusal> {
    let row = sqlx::query(
        "SELECT 1 FROM registration JOIN kiosk ON kiosk.id = registration.kiosk WHERE registration.id = $1 \
         AND heard_s >= $2 AND lost_s IS NULL AND retired_s IS NULL",
    )
    .bind(registration.0.as_slice())
    .bind(central.now().as_second().saturating_sub(HEARD_S))
    .fetch_optional(db)
    .await?;
    Ok(row.is_some())
}

/// Gives the slot, as an offer accepted the moment it is made. Where it cannot be had any more
/// nothing is done.
pub(super) async fn give(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    (slot, to): (&FreeSlot, &Dated),
    today: Date,
) -> Result<(), Refusal> {
    let held = dates::slot_of(&mut *db, to.registration).await?;
    let freed = Freed { site, slot: slot.slot, at: slot.at };
    let given = answer::give(&mut *db, central, to.registration, (&freed, held), ACCEPTED_AHEAD).await?;
    let Some(before) = given else { return Ok(()) };
    // A record of the paper before may come late: it says the hour that was left.
    sqlx::query(
        "INSERT INTO offer (id, site, slot, at, registration, made_s, last_day, state, answered_s, before) \
         VALUES ($1, $2, $3, $4::text::timestamp, $5, $6, $7::text::date, 'accepted', $6, $8::text::timestamp)",
    )
    .bind(OfferId(central.random_16()).0.as_slice())
    .bind(site.as_str())
    .bind(dates::slot_key(slot.slot)?)
    .bind(slot.at.to_string())
    .bind(to.registration.0.as_slice())
    .bind(central.now().as_second())
    .bind(today.to_string())
    .bind(before.to_string())
    .execute(db)
    .await?;
    Ok(())
}
