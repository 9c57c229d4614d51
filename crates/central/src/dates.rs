//! Giving a registration its date: the earliest free slot in its window, or an extra one where
//! none serves a time limit, in one short transaction. The rule is `domain::assign`'s; a test holds the two against each other.

use crate::calendar;
use crate::device::Device;
use crate::lease_log::{self, Sent};
use crate::pick::Free;
use crate::{Central, Refusal, company, extra, offers, planted, redate, task};
use domain::assign::Window;
use domain::bytes::PublicKey;
use domain::ids::{KioskId, RegistrationId, SiteId, SlotId};
use domain::offer;
use domain::procedure::ProcedureSet;
use domain::registration::Registration;
use domain::task::TaskKind;
use domain::token::{SignedToken, SlotToken};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// How far ahead of central's own day a kiosk's day is followed, in days: wrong clocks are
/// years off, and slots are made as far as somebody asks.
pub(crate) const AHEAD_DAYS: i32 = 366;

/// A date given: the signed token, whether it lies after the time limit, and whether its slot was
/// made beside the others to meet that.
pub(crate) struct Given {
    pub token: SignedToken,
    pub after_limit: bool,
    pub extra: bool,
}

/// Gives `registration` its date at the site the device acts for, or the one it already has. None when the site has no
/// capacity at all; an escalation then stands in the same transaction.
pub(crate) async fn give(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
) -> Result<Option<Given>, Refusal> {
    calendar::hold(&mut *db, &device.site).await?;
    let today = today(&mut *db, central, &device.site).await?;
    if let Some(held) = slot_of(&mut *db, registration.id).await? {
        let stands = held.1.date() > today && !is_outside(&mut *db, held.0).await?;
        let valid = stands || is_kept(&mut *db, registration.id).await?;
        if valid && !planted::on("asked_again_dated_anew") {
            may_sign(&mut *db, central).await?;
            let zone = zone_of(&mut *db, &device.site).await?;
            let extra = is_extra(&mut *db, held.0).await?;
            let given = sign(central, device, registration, &zone, held)?;
            return Ok(Some(Given { extra, ..given }));
        }
        // Asked before, never kept, and the day is over or the counter closed then: nobody
        // holds a paper with it.
        free(&mut *db, registration.id).await?;
    }
    match give_new(&mut *db, central, device, &[registration]).await?.pop() {
        Some(given) => Ok(Some(given)),
        None => {
            escalate(db, central, registration, "no_capacity").await?;
            Ok(None)
        }
    }
}

/// Gives each of these, who hold no slot, its date, in this order; as if they came one after
/// the other. Fewer than asked when the site has no more for one of them: then nothing holds
/// of what was begun, unless there was one only.
pub(crate) async fn give_new(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registrations: &[&Registration],
) -> Result<Vec<Given>, Refusal> {
    let today = today(&mut *db, central, &device.site).await?;
    let windows: Vec<Window> = registrations.iter().map(|told| window(told, today)).collect();
    give_within(db, central, device, (registrations, &windows)).await
}

/// The same, each in these days.
async fn give_within(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    (registrations, windows): (&[&Registration], &[Window]),
) -> Result<Vec<Given>, Refusal> {
    let today = today(&mut *db, central, &device.site).await?;
    let Some(from) = windows.iter().map(|window| window.earliest).min() else { return Ok(Vec::new()) };
    let mut free = Free::from(&mut *db, central, &device.site, (today, from)).await?;
    let mut taken = Vec::with_capacity(windows.len());
    let mut extras = Vec::with_capacity(windows.len());
    for (n, window) in windows.iter().enumerate() {
        // Whoever looks for the same as this one.
        let alike = |other: &&Window| other.procedure == window.procedure && other.soon == window.soon;
        let more = windows.iter().skip(n).filter(alike).count();
        let before = registrations.iter().copied().zip(taken.iter().map(|(_, at): &(SlotId, DateTime)| *at));
        let party = match registrations.get(n) {
            Some(told) => company::of(&mut *db, told, before).await?,
            None => None,
        };
        let beside = match &party {
            Some(party) => free.beside(&mut *db, window, party).await?,
            None => None,
        };
        let found = match beside {
            Some(slot) => Some(slot),
            None => free.next(&mut *db, window, more).await?,
        };
        let day = found.map(|slot| slot.at.date());
        let others: Vec<SlotId> = taken.iter().map(|(slot, _)| *slot).collect();
        let extra = extra::instead_of(&mut *db, central, &device.site, window, (day, &others)).await?;
        if let (Some(found), Some(_)) = (found, extra) {
            free.leave(&found);
        }
        let Some(slot) = extra.or(found) else {
            return Ok(Vec::new());
        };
        taken.push((slot.slot, slot.at));
        extras.push(extra.is_some());
    }
    let ids: Vec<RegistrationId> = registrations.iter().map(|told| told.id).collect();
    take_all(&mut *db, &taken.iter().map(|slot| slot.0).collect::<Vec<_>>(), &ids).await?;
    let sent = |&(slot, at): &(SlotId, DateTime)| Sent {
        site: device.site.clone(),
        slot,
        at,
        kiosk: device.kiosk,
        lent: None,
    };
    if !planted::on("lease_log_of_leases_only") {
        lease_log::write(&mut *db, central, taken.iter().map(sent).collect()).await?;
    }
    may_sign(&mut *db, central).await?;
    let zone = zone_of(&mut *db, &device.site).await?;
    let mut given = Vec::with_capacity(taken.len());
    for ((registration, slot), extra) in registrations.iter().zip(taken).zip(extras) {
        escalate_late(&mut *db, central, registration, slot.1).await?;
        let signed = sign(central, device, registration, &zone, slot)?;
        given.push(Given { extra, ..signed });
    }
    Ok(given)
}

/// Gives a registration without a date another than the one it had `held`, to be told to a person who
/// is not at the counter: in time to tell them. None as with [`give`].
pub(crate) async fn give_another(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    (registration, held): (&Registration, DateTime),
) -> Result<Option<Given>, Refusal> {
    calendar::hold(&mut *db, &device.site).await?;
    let today = today(&mut *db, central, &device.site).await?;
    let window = offer::moved_window(window(registration, today), held, today);
    let given = give_within(&mut *db, central, device, (&[registration], &[window])).await?.pop();
    if given.is_none() {
        escalate(db, central, registration, "no_capacity").await?;
    }
    Ok(given)
}

/// The days a registration's date may lie in, asked for today.
pub(crate) fn window(registration: &Registration, today: Date) -> Window {
    let mut window = registration.window();
    if window.earliest > today.saturating_add(AHEAD_DAYS.days()) {
        // A clock that is years ahead makes no slots for years to come. Filing opens when it opens.
        window = registration.window_from(today);
    }
    if window.earliest > today.saturating_add(AHEAD_DAYS.days()) {
        // Nor does a permit that ends in years: no kiosk takes one.
        window.earliest = today;
    }
    // A registration may arrive days after it was made: nobody is given a day gone by.
    if !planted::on("day_gone_by_given") {
        window.earliest = window.earliest.max(Window::new(today, None).earliest);
    }
    if planted::on("limit_last") && window.latest.is_some() {
        window.earliest = window.earliest.saturating_add(30.days());
    }
    window
}

/// Gives a registration that holds `backstop` an earlier date, or none: nobody is dated
/// later than the paper says. What central gave for it meanwhile goes back then.
pub(crate) async fn give_before(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
    backstop: &SlotToken,
) -> Result<Option<Given>, Refusal> {
    if let Some(held) = slot_of(&mut *db, registration.id).await?
        && (held.0 == backstop.slot || redate::was_moved_from(&mut *db, registration.id, backstop.at).await?)
    {
        return Ok(None);
    }
    let given = give(&mut *db, central, device, registration).await?;
    let later = planted::on("rank_dated_later");
    if given.as_ref().is_some_and(|given| given.token.token.at < backstop.at || later) {
        return Ok(given);
    }
    free(&mut *db, registration.id).await?;
    if registration.party.is_none() {
        return Ok(None);
    }
    // Not for the others' sake then: alone they may be received before it.
    let alone = give(&mut *db, central, device, &registration.alone()).await?;
    if alone.as_ref().is_some_and(|given| given.token.token.at < backstop.at) {
        return Ok(alone);
    }
    free(&mut *db, registration.id).await?;
    Ok(None)
}

/// Central's own civil day at a site.
pub(crate) async fn today(db: &mut PgConnection, central: &Central, site: &SiteId) -> Result<Date, Refusal> {
    day(db, site, central.now()).await
}

/// The civil day at a site at this moment.
pub(crate) async fn day(db: &mut PgConnection, site: &SiteId, now: Timestamp) -> Result<Date, Refusal> {
    let zone = zone_of(db, site).await?;
    let zone = TimeZone::get(&zone).map_err(|_| Refusal::Stored("time zone"))?;
    Ok(zone.to_datetime(now).date())
}

/// Has the calendar changed so that it no longer has this slot?
async fn is_outside(db: &mut PgConnection, slot: SlotId) -> Result<bool, Refusal> {
    let row =
        sqlx::query("SELECT outside FROM slot WHERE id = $1").bind(slot_key(slot)?).fetch_one(db).await?;
    Ok(row.try_get(0)?)
}

async fn is_extra(db: &mut PgConnection, slot: SlotId) -> Result<bool, Refusal> {
    let row =
        sqlx::query("SELECT extra > 0 FROM slot WHERE id = $1").bind(slot_key(slot)?).fetch_one(db).await?;
    Ok(row.try_get(0)?)
}

pub(crate) async fn is_kept(db: &mut PgConnection, id: RegistrationId) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT state = 'kept' FROM registration WHERE id = $1")
        .bind(id.0.as_slice())
        .fetch_one(db)
        .await?;
    Ok(row.try_get(0)?)
}

/// The slot a registration holds, with its start.
pub(crate) async fn slot_of(
    db: &mut PgConnection,
    id: RegistrationId,
) -> Result<Option<(SlotId, DateTime)>, Refusal> {
    let row = sqlx::query("SELECT id, at::text FROM slot WHERE registration = $1")
        .bind(id.0.as_slice())
        .fetch_optional(db)
        .await?;
    row.map(|row| Ok((slot_number(row.try_get(0)?)?, civil(row.try_get(1)?)?))).transpose()
}

/// Gives a free slot to a registration.
pub(crate) async fn take(db: &mut PgConnection, slot: SlotId, id: RegistrationId) -> Result<(), Refusal> {
    take_all(db, &[slot], &[id]).await
}

/// Gives free slots to registrations, one each. The unique index is I1's last word.
async fn take_all(db: &mut PgConnection, slots: &[SlotId], ids: &[RegistrationId]) -> Result<(), Refusal> {
    let slots = slots.iter().map(|slot| slot_key(*slot)).collect::<Result<Vec<_>, _>>()?;
    let over = || {
        let slots: Vec<String> = slots.iter().map(i64::to_string).collect();
        format!("UPDATE slot SET registration = NULL WHERE id IN ({})", slots.join(","))
    };
    planted::sql(&mut *db, "second_holder_wins", over).await?;
    let done = sqlx::query(
        "UPDATE slot SET registration = taken.by FROM unnest($1::bigint[], $2::bytea[]) AS taken (slot, by) \
         WHERE slot.id = taken.slot AND slot.registration IS NULL",
    )
    .bind(&slots)
    .bind(ids.iter().map(|id| id.0.as_slice()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    if done.rows_affected() == slots.len() as u64 { Ok(()) } else { Err(Refusal::Conflict) }
}

/// Frees whatever slot a registration holds.
pub(crate) async fn free(db: &mut PgConnection, id: RegistrationId) -> Result<(), Refusal> {
    sqlx::query("UPDATE slot SET registration = NULL, withheld = false WHERE registration = $1")
        .bind(id.0.as_slice())
        .execute(db)
        .await?;
    Ok(())
}

/// Takes a registration's slot from it without freeing it: a paper may name it.
pub(crate) async fn withdraw(db: &mut PgConnection, id: RegistrationId) -> Result<(), Refusal> {
    sqlx::query("UPDATE slot SET registration = NULL, withheld = true WHERE registration = $1")
        .bind(id.0.as_slice())
        .execute(db)
        .await?;
    Ok(())
}

/// Signs the token that lets `kiosk` print this slot, until the slot begins.
pub(crate) fn token(
    central: &Central,
    kiosk: PublicKey,
    site: &SiteId,
    zone: &str,
    slot: (SlotId, DateTime),
) -> Result<SignedToken, Refusal> {
    let zone = TimeZone::get(zone).map_err(|_| Refusal::Stored("time zone"))?;
    let last_issue = zone.to_timestamp(slot.1).map_err(|_| Refusal::Stored("slot time"))?;
    let kiosk = if planted::on("token_not_bound") { PublicKey([0; 32]) } else { kiosk };
    let token = SlotToken { slot: slot.0, site: site.clone(), at: slot.1, kiosk, last_issue };
    Ok(seal::token::sign(&central.keys.slot, token))
}

fn sign(
    central: &Central,
    device: &Device,
    registration: &Registration,
    zone: &str,
    slot: (SlotId, DateTime),
) -> Result<Given, Refusal> {
    let after_limit = registration.limit.as_ref().is_some_and(|limit| slot.1.date() > limit.last_day);
    Ok(Given { token: token(central, device.key, &device.site, zone, slot)?, after_limit, extra: false })
}

/// Is this central's slot key still one that signs? Asked after the slot is taken: whoever
/// retires a key waits for those that are being taken, and no later one is signed by it.
pub(crate) async fn may_sign(db: &mut PgConnection, central: &Central) -> Result<(), Refusal> {
    let row = sqlx::query("SELECT 1 FROM retired_key WHERE key = $1")
        .bind(central.keys.slot.key_id().0.as_slice())
        .fetch_optional(db)
        .await?;
    if row.is_some() { Err(Refusal::KeyRetired) } else { Ok(()) }
}

pub(crate) async fn zone_of(db: &mut PgConnection, site: &SiteId) -> Result<String, Refusal> {
    let row = sqlx::query("SELECT zone FROM site WHERE id = $1").bind(site.as_str()).fetch_one(db).await?;
    Ok(row.try_get(0)?)
}

/// Why the desk is told of a date: it lies after the time limit; or in time, and not soon for whoever is
/// due as soon as possible.
const AFTER_LIMIT: &str = "after_limit";
const NOT_SOON: &str = "not_soon";

/// A date that does not serve the time limit is told to the desk, whoever gave it, and looked at again.
pub(crate) async fn escalate_late(
    db: &mut PgConnection,
    central: &Central,
    registration: &Registration,
    at: DateTime,
) -> Result<(), Refusal> {
    let Some(latest) = registration.window().latest else { return Ok(()) };
    let today = today(&mut *db, central, &registration.site).await?;
    if domain::extra::serves(&window(registration, today), at.date()) {
        return Ok(());
    }
    offers::late::note(&mut *db, central, registration).await?;
    let reason = if at.date() > latest { AFTER_LIMIT } else { NOT_SOON };
    escalate(db, central, registration, reason).await
}

/// This date serves, though the one given first did not: nothing is left for the desk to do about it but
/// to read this answer.
pub(crate) async fn in_time(
    db: &mut PgConnection,
    central: &Central,
    registration: &Registration,
    (at, answer): (DateTime, &str),
) -> Result<(), Refusal> {
    let in_time = registration.window().latest.filter(|latest| at.date() <= *latest);
    if in_time.is_none() {
        return Ok(());
    }
    let id = registration.id;
    let today = today(&mut *db, central, &registration.site).await?;
    let window = window(registration, today);
    if domain::extra::serves(&window, at.date()) {
        task::settle(&mut *db, central, id, (TaskKind::Escalation, NOT_SOON), answer).await?;
    }
    let changed = sqlx::query("UPDATE registration SET after_limit = false WHERE id = $1 AND after_limit")
        .bind(registration.id.0.as_slice())
        .execute(&mut *db)
        .await?;
    if changed.rows_affected() == 0 {
        return Ok(());
    }
    task::settle(db, central, id, (TaskKind::Escalation, AFTER_LIMIT), answer).await
}

/// What a task about a date is answered by when another one serves.
pub(crate) const IN_TIME: &str = "dated in time";

async fn escalate(
    db: &mut PgConnection,
    central: &Central,
    registration: &Registration,
    reason: &str,
) -> Result<(), Refusal> {
    if planted::on("escalation_forgotten") {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO escalation (site, registration, reason, made_s) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (registration, reason) DO NOTHING",
    )
    .bind(registration.site.as_str())
    .bind(registration.id.0.as_slice())
    .bind(reason)
    .bind(central.now().as_second())
    .execute(&mut *db)
    .await?;
    sqlx::query("UPDATE registration SET after_limit = true WHERE id = $1 AND $2 <> $3")
        .bind(registration.id.0.as_slice())
        .bind(reason)
        .bind(NOT_SOON)
        .execute(&mut *db)
        .await?;
    let now = central.now().as_second();
    task::write(db, central, &registration.site, registration.id, (TaskKind::Escalation, reason), now).await
}

/// A slot lent and nobody's.
pub(crate) struct Unused {
    pub stratum: String,
    pub serves: ProcedureSet,
    /// The day from which its kiosk gives it back.
    pub back: Option<Date>,
}

/// Slots already lent to this incarnation of a kiosk that nobody holds and that are still to
/// come. Those the calendar no longer has are none.
pub(crate) async fn unused_lent(
    db: &mut PgConnection,
    kiosk: KioskId,
    incarnation: u32,
    today: Date,
) -> Result<Vec<Unused>, Refusal> {
    let rows = sqlx::query(
        "SELECT slot.stratum, slot.procedures, slot.back::text FROM slot JOIN lease ON lease.id = slot.lease \
         WHERE lease.kiosk = $1 AND slot.registration IS NULL AND slot.at >= $2::text::timestamp \
         AND lease.incarnation = $3 AND NOT slot.outside",
    )
    .bind(kiosk.0.as_slice())
    .bind(today.saturating_add(1.days()).to_string())
    .bind(i32::try_from(incarnation).map_err(|_| Refusal::BadBody)?)
    .fetch_all(db)
    .await?;
    let unused = |row: &PgRow| {
        let back: Option<&str> = row.try_get(2)?;
        let back = back.map(|day| day.parse().map_err(|_| Refusal::Stored("date"))).transpose()?;
        Ok(Unused { stratum: row.try_get(0)?, serves: calendar::procedures(row, 1)?, back })
    };
    rows.iter().map(unused).collect()
}

pub(crate) fn slot_key(slot: SlotId) -> Result<i64, Refusal> {
    i64::try_from(slot.0).map_err(|_| Refusal::Stored("slot id"))
}

pub(crate) fn slot_number(id: i64) -> Result<SlotId, Refusal> {
    u64::try_from(id).map(SlotId).map_err(|_| Refusal::Stored("slot id"))
}

pub(crate) fn civil(text: &str) -> Result<DateTime, Refusal> {
    text.parse().map_err(|_| Refusal::Stored("slot time"))
}
