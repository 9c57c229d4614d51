//! A date that stands on a paper, come to central's knowledge: what was printed is the
//! date. The slot is taken as said; where somebody else has it, an extra slot at the same
//! site, day and hour keeps both papers true (I1).

use crate::calendar::{self, Calendar};
use crate::device::Device;
use crate::{Central, Refusal, chain, dates, lease_log, lists, nearby, offers, planted, redate, task};
use domain::calendar::CAPACITY_MAX;
use domain::ids::{KioskId, RegistrationId, SiteId, SlotId};
use domain::procedure::{Procedure, ProcedureSet};
use domain::registration::Registration;
use domain::set_aside::Reason;
use domain::token::{SignedToken, SlotToken};
use jiff::civil::DateTime;
use sqlx::{PgConnection, Row};
use wire::bytes::Bytes;

/// Most extra slots at one counter and hour: beyond it somebody plays with the protocol.
const EXTRAS: i64 = 99;

/// A token central signed for this kiosk, or the reason it is none.
pub(crate) fn own_token(central: &Central, device: &Device, token: &Bytes) -> Result<SignedToken, Reason> {
    let signed = SignedToken::from_bytes(&token.0).ok_or(Reason::TokenUnreadable)?;
    let ours = seal::token::check(&central.keys.ring, &signed).is_ok()
        && (signed.token.kiosk == device.key || planted::on("token_not_bound"));
    ours.then_some(signed).ok_or(Reason::TokenNotOurs)
}

/// What becomes of a slot the registration held before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nobody was told of it: it is free again.
    Free,
    /// It may stand on a paper of the same person: it is given to nobody else.
    MayBePrinted,
}

/// Gives the slot of a token this kiosk has printed to the registration it printed it for.
/// Answers the reason when it cannot be.
pub(crate) async fn settle(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    token: &SlotToken,
    id: RegistrationId,
    before: Before,
) -> Result<Option<Reason>, Refusal> {
    let held = dates::slot_of(&mut *tx, id).await?;
    if held.is_some_and(|(slot, _)| slot == token.slot) {
        return Ok(None);
    }
    if held.is_some() && redate::was_moved_from(&mut *tx, id, token.at).await? {
        // The calendar has it no more, and the date that followed stands.
        return Ok(None);
    }
    if let Some((_, held)) = held
        && offers::was_left(&mut *tx, id, (token.at, held)).await?
    {
        return Ok(None);
    }
    if held.is_some() && planted::on("late_answer_stands") {
        return Ok(None);
    }
    let Some(place) = place(&mut *tx, token.slot, &token.site, token.at).await? else {
        return Ok(Some(Reason::SlotUnknown));
    };
    // An extra slot at this very hour was settled when the record came before.
    if held.is_some_and(|(_, at)| at == token.at) && place.holder.is_some() {
        return Ok(None);
    }
    match before {
        Before::Free if redate::was_moved(&mut *tx, id).await? => dates::withdraw(&mut *tx, id).await?,
        Before::Free => dates::free(&mut *tx, id).await?,
        Before::MayBePrinted if planted::on("withdrawn_slot_freed") => dates::free(&mut *tx, id).await?,
        Before::MayBePrinted => dates::withdraw(&mut *tx, id).await?,
    }
    let others =
        !planted::on("slot_of_another_lease") && place.lent_to.is_some_and(|kiosk| kiosk != device.kiosk);
    if (place.holder.is_none() || planted::on("second_holder_wins")) && !others {
        dates::take(&mut *tx, token.slot, id).await?;
        nearby::stands_at(&mut *tx, id, &token.site).await?;
        offers::taken(&mut *tx, token.slot).await?;
        tell_outside(tx, central, token, &place.beside, id).await?;
        return Ok(None);
    }
    if place.holder == Some(device.kiosk) {
        // One lease, two papers: only two machines running one vault do that.
        chain::quarantine(&mut *tx, central, device.kiosk).await?;
    }
    if !place.left_again && (others || place.holder.is_some_and(|holder| holder != device.kiosk)) {
        lease_log::doubt(&mut *tx, central, (token.slot, device.kiosk)).await?;
    }
    let Some(slot) = extra(&mut *tx, central, &token.site, &place.beside).await? else {
        return Ok(Some(Reason::SlotTaken));
    };
    dates::take(&mut *tx, slot, id).await?;
    nearby::stands_at(&mut *tx, id, &token.site).await?;
    tell_outside(tx, central, token, &place.beside, id).await?;
    Ok(None)
}

/// A paper came in with a date that the calendar no longer has: its kiosk did not know yet.
/// The date stands, and the desk is told; so do the lists, where they named another.
async fn tell_outside(
    tx: &mut PgConnection,
    central: &Central,
    token: &SlotToken,
    slot: &Beside,
    id: RegistrationId,
) -> Result<(), Refusal> {
    lists::follow(&mut *tx, central, id, slot.at).await?;
    if slot.outside {
        return task::write_outside(tx, central, &token.site, id, (task::CLOSED, slot.at)).await;
    }
    if slot.serves.is_all() {
        return Ok(());
    }
    let row = sqlx::query("SELECT procedure FROM registration WHERE id = $1")
        .bind(id.0.as_slice())
        .fetch_one(&mut *tx)
        .await?;
    match Procedure::parse(row.try_get(0)?) {
        Some(procedure) if !slot.serves.includes(procedure) => {
            task::write_outside(tx, central, &token.site, id, (task::NOT_SERVED, slot.at)).await
        }
        _ => Ok(()),
    }
}

/// An hour of a counter, and what the calendar says of it.
pub(crate) struct Beside {
    pub counter: i64,
    pub at: DateTime,
    pub serves: ProcedureSet,
    /// The calendar no longer has it.
    pub outside: bool,
}

/// Gives slots lent to this kiosk, as its papers say, to registrations that have none yet;
/// answers whether every one was lent to it and free, and the calendar has it for them. Where not, [`settle`] says why, one by
/// one, and nothing of this may stand.
pub(crate) async fn settle_lent(
    tx: &mut PgConnection,
    device: &Device,
    leased: &[(SignedToken, &Registration)],
) -> Result<bool, Refusal> {
    if leased.is_empty() {
        return Ok(true);
    }
    let slots = leased.iter().map(|(signed, _)| dates::slot_key(signed.token.slot));
    let done = sqlx::query(
        "UPDATE slot SET registration = printed.for_whom FROM unnest($1::bigint[], $2::bytea[]) AS printed (slot, for_whom), lease \
         WHERE slot.id = printed.slot AND slot.site = $3 AND slot.registration IS NULL \
         AND lease.id = slot.lease AND lease.kiosk = $4 AND NOT slot.outside AND (slot.procedures IS NULL OR EXISTS \
         (SELECT 1 FROM registration WHERE id = printed.for_whom AND procedure = ANY (slot.procedures)))",
    )
    .bind(slots.collect::<Result<Vec<_>, _>>()?)
    .bind(leased.iter().map(|(_, registration)| registration.id.0.as_slice()).collect::<Vec<_>>())
    .bind(device.site.as_str())
    .bind(device.kiosk.0.as_slice())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == leased.len() as u64)
}

/// Who has a slot.
pub(crate) struct Place {
    pub beside: Beside,
    /// The kiosk of the registration that holds it.
    pub holder: Option<KioskId>,
    pub lent_to: Option<KioskId>,
    /// The lease log says that it was given to somebody else after whoever holds it here.
    pub left_again: bool,
}

/// The row of a slot that has left central, locked; made when a restored database does
/// not have it yet. None when its site has no counter.
pub(crate) async fn place(
    tx: &mut PgConnection,
    slot: SlotId,
    site: &SiteId,
    at: DateTime,
) -> Result<Option<Place>, Refusal> {
    let id = i64::try_from(slot.0).map_err(|_| Refusal::BadRecord)?;
    calendar::hold(&mut *tx, site).await?;
    let find = "SELECT slot.counter, registration.kiosk, lease.kiosk, slot.procedures, slot.outside, slot.left_again FROM slot \
                LEFT JOIN lease ON lease.id = slot.lease \
                LEFT JOIN registration ON registration.id = slot.registration \
                WHERE slot.id = $1 AND slot.site = $2 FOR UPDATE OF slot";
    let mut row = sqlx::query(find).bind(id).bind(site.as_str()).fetch_optional(&mut *tx).await?;
    if row.is_none() {
        make(&mut *tx, slot, site, at).await?;
        row = sqlx::query(find).bind(id).bind(site.as_str()).fetch_optional(&mut *tx).await?;
    }
    let Some(row) = row else { return Ok(None) };
    let kiosk = |id: Option<&[u8]>| id.and_then(|id| id.try_into().ok()).map(KioskId);
    Ok(Some(Place {
        beside: Beside {
            counter: row.try_get(0)?,
            at,
            serves: calendar::procedures(&row, 3)?,
            outside: row.try_get(4)?,
        },
        holder: kiosk(row.try_get(1)?),
        lent_to: kiosk(row.try_get(2)?),
        left_again: row.try_get(5)?,
    }))
}

/// Makes the slot: a counter's ordinary one when its id says so, else an extra one of a
/// history this database does not know.
async fn make(tx: &mut PgConnection, slot: SlotId, site: &SiteId, at: DateTime) -> Result<(), Refusal> {
    let calendar = Calendar::read(&mut *tx, site).await?;
    let numbers = || (0..CAPACITY_MAX).map(|seat| -i32::from(seat));
    let mut ordinary = calendar.counters.iter().flat_map(|counter| numbers().map(move |n| (counter, n)));
    let ordinary = ordinary.find(|(counter, n)| calendar::slot_id(site, &counter.name, at, *n) == slot);
    // Any number above 0 that stands for this id alone.
    let extra = || Some((calendar.counters.first()?, number_of(slot)));
    let Some((counter, number)) = ordinary.or_else(extra) else { return Ok(()) };
    let serves = calendar.serves(counter, at, number);
    let serves_all = serves.unwrap_or(ProcedureSet::ALL);
    let beside = Beside { counter: counter.id, at, serves: serves_all, outside: serves.is_none() };
    insert(tx, (slot, number), site, &beside).await
}

/// An extra slot nobody holds, at this counter and hour. None when there are enough.
pub(crate) async fn extra(
    tx: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    beside: &Beside,
) -> Result<Option<SlotId>, Refusal> {
    let row = sqlx::query(
        "SELECT counter.name, count(slot.id) FROM counter \
         LEFT JOIN slot ON slot.counter = counter.id AND slot.at = $2::text::timestamp AND slot.extra > 0 \
         WHERE counter.id = $1 GROUP BY counter.name",
    )
    .bind(beside.counter)
    .bind(beside.at.to_string())
    .fetch_one(&mut *tx)
    .await?;
    let (name, extras): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
    if extras >= EXTRAS {
        return Ok(None);
    }
    let [a, b, c, d, ..] = central.random_16();
    let number = (i32::from_be_bytes([a, b, c, d]) & i32::MAX).max(1);
    let number =
        if planted::on("extra_number_reused") { i32::try_from(extras).unwrap_or(0) + 1 } else { number };
    let slot = calendar::slot_id(site, &name, beside.at, number);
    insert(tx, (slot, number), site, beside).await?;
    Ok(Some(slot))
}

fn number_of(slot: SlotId) -> i32 {
    let [a, b, c, d, ..] = slot.0.to_be_bytes();
    (i32::from_be_bytes([a, b, c, d]) & i32::MAX).max(1)
}

async fn insert(
    tx: &mut PgConnection,
    (slot, extra): (SlotId, i32),
    site: &SiteId,
    beside: &Beside,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO slot (id, site, counter, at, extra, procedures, outside) \
         VALUES ($1, $2, $3, $4::text::timestamp, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(i64::try_from(slot.0).map_err(|_| Refusal::BadRecord)?)
    .bind(site.as_str())
    .bind(beside.counter)
    .bind(beside.at.to_string())
    .bind(extra)
    .bind(beside.serves.keys())
    .bind(beside.outside)
    .execute(tx)
    .await?;
    Ok(())
}
