//! To whom a slot that came free is offered next: the people of a site in rank order, by pages, until
//! `domain::offer` finds one who gains. Nobody who cannot gain stands in another's way.

use super::registration_id;
use crate::{Refusal, dates};
use domain::assign::FreeSlot;
use domain::ids::{RegistrationId, SiteId};
use domain::offer::{self, Dated};
use domain::place::{Class, PlaceKey};
use domain::registration::Registration;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::BTreeSet;

/// People looked at in one page. The first of the first page gains as a rule.
const PEOPLE_AT_ONCE: i64 = 20;
/// People with an offer to answer who are looked at for one slot.
const ASKED_MAX: i64 = 200;
/// Pages looked at for one slot: two thousand people, who are read within half a second. Beyond them
/// the slot goes like any other.
const PAGES_MAX: usize = 100;

/// The first in rank of those who gain from the slot and were not asked about it; `besides` stands
/// among them whatever they are being offered.
pub(super) async fn in_rank(
    db: &mut PgConnection,
    site: &SiteId,
    slot: &FreeSlot,
    besides: Option<Dated>,
) -> Result<Option<Dated>, Refusal> {
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let page = page(&mut *db, site, slot, after.as_ref()).await?;
        let others = page
            .people
            .iter()
            .filter(|one| besides.is_none_or(|besides| besides.registration != one.registration));
        if let Some(first) = offer::next(slot, others.copied()) {
            return Ok(offer::next(slot, besides.into_iter().chain([first])));
        }
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    Ok(offer::next(slot, besides))
}

/// The first in rank of those who have an offer to answer, would gain from this slot too, and have it
/// waiting for none of them yet.
pub(super) async fn asked(
    db: &mut PgConnection,
    site: &SiteId,
    slot: &FreeSlot,
    besides: &BTreeSet<RegistrationId>,
) -> Result<Option<RegistrationId>, Refusal> {
    let rows = sqlx::query(
        "SELECT registration.id, class, ranked_s, tie_break, slot.at::text, registration.body::text, false \
         FROM offer JOIN registration ON registration.id = offer.registration \
         JOIN slot ON slot.registration = registration.id \
         WHERE offer.site = $1 AND offer.state = 'open' AND slot.at >= $2::text::date + 1 \
         AND NOT EXISTS (SELECT 1 FROM offer AS other WHERE other.registration = registration.id AND other.slot = $3) \
         ORDER BY class = 'ordinary', ranked_s, tie_break, registration.id LIMIT $4",
    )
    .bind(site.as_str())
    .bind(slot.at.date().to_string())
    .bind(dates::slot_key(slot.slot)?)
    .bind(ASKED_MAX)
    .fetch_all(db)
    .await?;
    let read =
        |row: &PgRow| dated(row).inspect_err(|cause| tracing::error!(?cause, "a place cannot be read")).ok();
    let others = rows.iter().filter_map(read).filter(|one| !besides.contains(&one.registration));
    Ok(offer::next(slot, others).map(|one| one.registration))
}

struct Page {
    people: Vec<Dated>,
    /// Where the next one begins; none when this was the last.
    last: Option<Mark>,
}

/// A place in rank order: not of a limit, time, tie-break, id.
type Mark = (bool, i64, i64, Vec<u8>);

/// People who have a later day, come for what the slot serves, and were neither asked about it nor
/// have an offer to answer. The first day one of them may come on was written with the registration.
async fn page(
    db: &mut PgConnection,
    site: &SiteId,
    slot: &FreeSlot,
    after: Option<&Mark>,
) -> Result<Page, Refusal> {
    let rows = sqlx::query(
        "SELECT registration.id, class, ranked_s, tie_break, slot.at::text, registration.body::text, \
                EXISTS (SELECT 1 FROM registration AS other \
                        WHERE other.body -> 'party' ->> 'first' = encode(registration.id, 'hex')) \
         FROM slot JOIN registration ON registration.id = slot.registration \
         JOIN kiosk ON kiosk.id = registration.kiosk \
         WHERE slot.site = $1 AND slot.at >= $2::text::date + 1 AND registration.state = 'kept' \
         AND registration.cancelled_s IS NULL AND kiosk.lost_s IS NULL \
         AND ($3::text[] IS NULL OR procedure = ANY ($3)) \
         AND (registration.earliest IS NULL OR registration.earliest <= $2::text::date) \
         AND NOT EXISTS (SELECT 1 FROM offer WHERE offer.registration = registration.id \
                         AND (offer.state = 'open' OR offer.slot = $4)) \
         AND ($6::boolean IS NULL OR (class = 'ordinary', ranked_s, tie_break, registration.id) > ($6, $7, $8, $9)) \
         ORDER BY class = 'ordinary', ranked_s, tie_break, registration.id LIMIT $5",
    )
    .bind(site.as_str())
    .bind(slot.at.date().to_string())
    .bind(slot.serves.keys())
    .bind(dates::slot_key(slot.slot)?)
    .bind(PEOPLE_AT_ONCE)
    .bind(after.map(|mark| mark.0))
    .bind(after.map(|mark| mark.1))
    .bind(after.map(|mark| mark.2))
    .bind(after.map(|mark| mark.3.as_slice()))
    .fetch_all(db)
    .await?;
    // One that cannot be read never holds up the others.
    let read =
        |row: &PgRow| dated(row).inspect_err(|cause| tracing::error!(?cause, "a place cannot be read")).ok();
    let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= PEOPLE_AT_ONCE;
    let last = rows.last().filter(|_| full).map(mark).transpose()?;
    Ok(Page { people: rows.iter().filter_map(read).collect(), last })
}

fn mark(row: &PgRow) -> Result<Mark, Refusal> {
    let ordinary = row.try_get::<&str, _>(1)? == Class::Ordinary.key();
    Ok((ordinary, row.try_get(2)?, row.try_get(3)?, row.try_get(0)?))
}

fn dated(row: &PgRow) -> Result<Dated, Refusal> {
    let class: &str = row.try_get(1)?;
    let class = [Class::WithTimeLimit, Class::Ordinary].into_iter().find(|one| one.key() == class);
    let class = class.ok_or(Refusal::Stored("class"))?;
    let tie_break = u32::try_from(row.try_get::<i64, _>(3)?).map_err(|_| Refusal::Stored("tie-break"))?;
    let followed: bool = row.try_get(6)?;
    let registration: Registration =
        serde_json::from_str(row.try_get(5)?).map_err(|_| Refusal::Stored("registration"))?;
    Ok(Dated {
        registration: registration_id(row, 0)?,
        place: PlaceKey { class, registered_s: row.try_get(2)?, tie_break },
        at: dates::civil(row.try_get(4)?)?,
        window: registration.window(),
        passed: false,
        // Who comes with others, or whom others follow, is asked: one of them alone would be moved.
        notice: registration.accepts_earlier.filter(|_| registration.party.is_none() && !followed),
    })
}

/// The place of this registration, by the time that ranks: its own, or the one it took over.
pub(super) async fn place(db: &mut PgConnection, registration: &Registration) -> Result<PlaceKey, Refusal> {
    let row = sqlx::query("SELECT ranked_s FROM registration WHERE id = $1")
        .bind(registration.id.0.as_slice())
        .fetch_one(db)
        .await?;
    Ok(registration.place().since(row.try_get(0)?))
}
