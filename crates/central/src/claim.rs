//! A date that stands on a paper, come to central's knowledge: what was printed is the
//! date. The slot is taken as said; where somebody else has it, an extra slot at the same
//! site, day and hour keeps both papers true (I1).

use crate::device::Device;
use crate::{Central, Refusal, calendar, chain, dates};
use domain::ids::{KioskId, RegistrationId, SlotId};
use domain::token::{SignedToken, SlotToken};
use sqlx::{PgConnection, Row};
use wire::bytes::Bytes;

/// Most extra slots beside one ordinary one, as the table has it.
const EXTRAS: i16 = 99;

/// A token central signed for this kiosk, or the reason it is none.
pub(crate) fn own_token(
    central: &Central,
    device: &Device,
    token: &Bytes,
) -> Result<SignedToken, &'static str> {
    let signed = SignedToken::from_bytes(&token.0).ok_or("token_unreadable")?;
    let ours = seal::token::check(&central.keys.ring, &signed).is_ok()
        && signed.token.kiosk == device.key
        && signed.token.site == device.site;
    ours.then_some(signed).ok_or("token_not_ours")
}

/// Gives the slot of a token this kiosk has printed to the registration it printed it for;
/// what the registration held before is free again. Answers the reason when it cannot be.
pub(crate) async fn settle(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    token: &SlotToken,
    id: RegistrationId,
) -> Result<Option<&'static str>, Refusal> {
    let held = dates::slot_of(&mut *tx, id).await?;
    if held.is_some_and(|(slot, _)| slot == token.slot) {
        return Ok(None);
    }
    let Some(place) = place(&mut *tx, token).await? else { return Ok(Some("slot_unknown")) };
    // An extra slot at this very hour was settled when the record came before.
    if held.is_some_and(|(_, at)| at == token.at) && place.holder.is_some() {
        return Ok(None);
    }
    dates::free(&mut *tx, id).await?;
    let others = place.lent_to.is_some_and(|kiosk| kiosk != device.kiosk);
    if place.holder.is_none() && !others {
        dates::take(&mut *tx, token.slot, id).await?;
        return Ok(None);
    }
    if place.holder == Some(device.kiosk) {
        // One lease, two papers: only two machines running one vault do that.
        chain::quarantine(&mut *tx, central, device.kiosk).await?;
    }
    extra(tx, token, place.counter, id).await
}

/// Who has a slot.
pub(crate) struct Place {
    counter: i64,
    /// The kiosk of the registration that holds it.
    pub holder: Option<KioskId>,
    pub lent_to: Option<KioskId>,
}

/// The row of a token's slot, locked; made when a restored database does not have it yet.
/// None when no counter of the site ever had a slot of this id.
pub(crate) async fn place(tx: &mut PgConnection, token: &SlotToken) -> Result<Option<Place>, Refusal> {
    let id = i64::try_from(token.slot.0).map_err(|_| Refusal::BadRecord)?;
    let find = "SELECT slot.counter, registration.kiosk, lease.kiosk FROM slot \
                LEFT JOIN lease ON lease.id = slot.lease \
                LEFT JOIN registration ON registration.id = slot.registration \
                WHERE slot.id = $1 AND slot.site = $2 FOR UPDATE OF slot";
    let mut row = sqlx::query(find).bind(id).bind(token.site.as_str()).fetch_optional(&mut *tx).await?;
    if row.is_none() {
        if !make(&mut *tx, token).await? {
            return Ok(None);
        }
        row = sqlx::query(find).bind(id).bind(token.site.as_str()).fetch_optional(&mut *tx).await?;
    }
    let Some(row) = row else { return Ok(None) };
    let kiosk = |id: Option<&[u8]>| id.and_then(|id| id.try_into().ok()).map(KioskId);
    Ok(Some(Place {
        counter: row.try_get(0)?,
        holder: kiosk(row.try_get(1)?),
        lent_to: kiosk(row.try_get(2)?),
    }))
}

/// Makes the slot a token names, if its id is that of a counter's slot at that hour.
async fn make(tx: &mut PgConnection, token: &SlotToken) -> Result<bool, Refusal> {
    for counter in calendar::counters(&mut *tx, &token.site).await? {
        for extra in 0..=EXTRAS {
            if calendar::slot_id(&token.site, &counter.name, token.at, extra) == token.slot {
                insert(&mut *tx, token, counter.id, (token.slot, extra)).await?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The first extra slot nobody holds beside the token's own, given to `id`.
async fn extra(
    tx: &mut PgConnection,
    token: &SlotToken,
    counter: i64,
    id: RegistrationId,
) -> Result<Option<&'static str>, Refusal> {
    let row = sqlx::query(
        "SELECT counter.name, coalesce(max(slot.extra), 0::smallint) FROM counter \
         JOIN slot ON slot.counter = counter.id AND slot.at = $2::text::timestamp \
         WHERE counter.id = $1 GROUP BY counter.name",
    )
    .bind(counter)
    .bind(token.at.to_string())
    .fetch_one(&mut *tx)
    .await?;
    let (name, last): (String, i16) = (row.try_get(0)?, row.try_get(1)?);
    if last >= EXTRAS {
        return Ok(Some("slot_taken"));
    }
    let slot = calendar::slot_id(&token.site, &name, token.at, last + 1);
    insert(&mut *tx, token, counter, (slot, last + 1)).await?;
    dates::take(tx, slot, id).await?;
    Ok(None)
}

async fn insert(
    tx: &mut PgConnection,
    token: &SlotToken,
    counter: i64,
    (slot, extra): (SlotId, i16),
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO slot (id, site, counter, at, extra) VALUES ($1, $2, $3, $4::text::timestamp, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(i64::try_from(slot.0).map_err(|_| Refusal::BadRecord)?)
    .bind(token.site.as_str())
    .bind(counter)
    .bind(token.at.to_string())
    .bind(extra)
    .execute(tx)
    .await?;
    Ok(())
}
