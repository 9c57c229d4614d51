//! A time limit learnt after the registration: the place is that of whoever registered then with a
//! limit, the desk looks at the evidence, and an earlier date is offered at once where there is one: what
//! somebody who registers now with this limit would be given, an extra slot where no other serves.
//! The date the person has holds until they accept; nobody else's is touched.

use super::{await_another, late, make, next, unasked, withdraw};
use crate::device::Device;
use crate::pick::Free;
use crate::{Central, Refusal, busy, calendar, changes, dates, extra, missed, registered, task};
use domain::assign::{FreeSlot, Window};
use domain::ids::{RegistrationId, SiteId};
use domain::offer::{self, Dated, NOTICE_DAYS, OFFERS_MAX};
use domain::registration::Registration;
use domain::set_aside::Reason;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use sqlx::{PgConnection, Row};
use wire::body::LimitDeclared;
use wire::messages::Change;

/// Takes what was declared at the counter. The same record again, or after a later one, changes nothing;
/// the same limit said another day asks for an earlier date once more. Of a place that was given up it is
/// kept for the day the person takes it back.
pub(crate) async fn declare(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    said: &LimitDeclared,
) -> Result<Result<Vec<Change>, Reason>, Refusal> {
    calendar::hold(&mut *db, &device.site).await?;
    let row = sqlx::query(
        "SELECT body::text, cancelled_s IS NOT NULL, limit_said_s FROM registration \
         WHERE id = $1 AND kiosk = $2 AND state = 'kept' FOR UPDATE",
    )
    .bind(said.registration.0.as_slice())
    .bind(device.kiosk.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(Err(Reason::RegistrationUnknown)) };
    let mut registration: Registration =
        serde_json::from_str(row.try_get(0)?).map_err(|_| Refusal::Stored("registration"))?;
    let (cancelled, before): (bool, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
    // No clock that is ahead makes a later limit wait.
    let at = said.at.min(central.now());
    let day = dates::day(&mut *db, &device.site, at).await?;
    if !said.limit.is_sound(day) {
        return Ok(Err(Reason::LimitRefused));
    }
    let same = registration.limit.as_ref() == Some(&said.limit);
    let again = |before| at.as_second() < before || same && at.as_second() == before;
    if before.is_some_and(again) {
        return Ok(Ok(Vec::new()));
    }
    registration.limit = Some(said.limit.clone());
    sqlx::query(
        "UPDATE registration SET class = $2, body = jsonb_set(body, '{limit}', $3::text::jsonb), earliest = $6::text::date, \
         first_limit = coalesce(first_limit, body -> 'limit', 'null'), limit_said_s = $4, limit_heard_s = $5 \
         WHERE id = $1",
    )
    .bind(registration.id.0.as_slice())
    .bind(registration.class().key())
    .bind(serde_json::to_string(&said.limit).map_err(|_| Refusal::BadRecord)?)
    .bind(at.as_second())
    .bind(central.now().as_second())
    .bind(registered::earliest(&registration))
    .execute(&mut *db)
    .await?;
    if cancelled {
        return Ok(Ok(Vec::new()));
    }
    if !same {
        late::forget(&mut *db, registration.id).await?;
        task::limit_replaced(&mut *db, central, registration.id).await?;
        task::check_limits(&mut *db, central, &device.site, &[registration.id.0.as_slice()]).await?;
    }
    serve(db, central, device, &registration, day).await.map(Ok)
}

/// What a limit said on this day asks for: a date where there is none, else an earlier one offered.
/// While the date held lies after the limit the desk has an escalation; an offer that is accepted
/// in time answers it.
pub(super) async fn serve(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
    said: Date,
) -> Result<Vec<Change>, Refusal> {
    let Some((_, held)) = dates::slot_of(&mut *db, registration.id).await? else {
        // A limit never waits for the desk; never later than what their receipt holds.
        if busy::at_once(&mut *db, central, device, registration).await? {
            return Ok(Vec::new());
        }
        let today = dates::today(&mut *db, central, &device.site).await?;
        let missed = missed::before(&mut *db, registration.id).await?.filter(|_| said < today);
        let given = match missed {
            // Said without the network on a day before: they are to be told, as after any absence.
            Some(held) => dates::give_another(&mut *db, central, device, (registration, held)).await?,
            None => dates::give(&mut *db, central, device, registration).await?,
        };
        return match given {
            Some(given) => Ok(vec![missed::dated(db, central, device, registration.id, &given.token).await?]),
            None => Ok(Vec::new()),
        };
    };
    dates::escalate_late(&mut *db, central, registration, held).await?;
    dates::in_time(&mut *db, central, registration, (held, dates::IN_TIME)).await?;
    offer_at_once(db, central, &device.site, registration, (held, said)).await
}

/// The same for somebody who is not at the counter, and is to be told first.
pub(super) async fn offer_sooner(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
    (held, today): (DateTime, Date),
) -> Result<(), Refusal> {
    let before = today.saturating_sub(1.days());
    let ended = offer_at_once(&mut *db, central, &device.site, registration, (held, before)).await?;
    changes::append(db, central, device.kiosk, &ended).await
}

/// Offers the earliest slot that may be had, where it lies before the date held and before what
/// this person is being offered already. Answers what ended by it.
async fn offer_at_once(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    registration: &Registration,
    (held, said): (DateTime, Date),
) -> Result<Vec<Change>, Refusal> {
    // What left central before a restore is not known: nothing is offered then.
    if central.extras_only() {
        return Ok(Vec::new());
    }
    let id = registration.id;
    let today = dates::today(&mut *db, central, site).await?;
    let mut window = dates::window(registration, today);
    if said < today {
        window.earliest = window.earliest.max(today.saturating_add(NOTICE_DAYS.days()));
    }
    let offered = super::open_of(&mut *db, id, today).await?;
    let before = offered.as_ref().map_or(held, |offered| offered.at.min(held));
    let place = next::place(&mut *db, registration).await?;
    // They are at the counter: asked, whatever they said in advance.
    let person = Dated { registration: id, place, at: before, window, passed: false, notice: None };
    let freed = freed(&mut *db, site, &person, (said, today)).await?;
    let before = freed.map_or(before, |(slot, _)| slot.at);
    let free = free(&mut *db, central, site, (&window, before, today)).await?;
    let free = free.and_then(|slot| Some((slot, offer::last_day_for_limit(said, today, slot.at)?)));
    let near = free.or(freed).map_or(before, |(slot, _)| slot.at).date();
    let extra = extra::instead_of(&mut *db, central, site, &window, (Some(near), &[])).await?;
    let extra = extra.and_then(|slot| Some((slot, offer::last_day_for_limit(said, today, slot.at)?)));
    let Some((slot, last)) = extra.or(free).or(freed) else { return Ok(Vec::new()) };
    let mut changes = Vec::new();
    if let Some(offer) = withdraw(&mut *db, central, id).await? {
        changes.push(Change::OfferEnded { registration: id, offer });
    }
    if extra.or(free).is_some() {
        hold_out(&mut *db, site, &slot).await?;
    }
    make(db, central, site, (&slot, id), last).await?;
    Ok(changes)
}

/// The first slot that came free and nobody is asked about, where this person is the next in rank
/// who gains from it; and how long it may be offered.
async fn freed(
    db: &mut PgConnection,
    site: &SiteId,
    person: &Dated,
    (said, today): (Date, Date),
) -> Result<Option<(FreeSlot, Date)>, Refusal> {
    if await_another(&mut *db, site, today).await? {
        return Ok(None);
    }
    for (slot, offers) in unasked(&mut *db, site).await? {
        let last = offer::last_day_for_limit(said, today, slot.at).filter(|_| offers < OFFERS_MAX);
        let Some(last) = last.filter(|_| offer::gains(&slot, person)) else { continue };
        let passed = was_asked(&mut *db, person.registration, &slot).await?;
        let besides = Some(Dated { passed, ..*person });
        let next = next::in_rank(&mut *db, site, &slot, besides).await?;
        if next.is_some_and(|next| next.registration == person.registration)
            && still_there(&mut *db, &slot, offers).await?
        {
            return Ok(Some((slot, last)));
        }
    }
    Ok(None)
}

async fn was_asked(db: &mut PgConnection, id: RegistrationId, slot: &FreeSlot) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT 1 FROM offer WHERE registration = $1 AND slot = $2")
        .bind(id.0.as_slice())
        .bind(dates::slot_key(slot.slot)?)
        .fetch_optional(db)
        .await?;
    Ok(row.is_some())
}

/// Locks the slot for this offer, unless another at this moment is made or was since it was read.
async fn still_there(db: &mut PgConnection, slot: &FreeSlot, offers: u32) -> Result<bool, Refusal> {
    let row = sqlx::query(
        "SELECT 1 FROM freed_slot WHERE slot = $1 AND offers = $2 AND NOT EXISTS \
         (SELECT 1 FROM offer WHERE offer.slot = freed_slot.slot AND state = 'open') FOR UPDATE SKIP LOCKED",
    )
    .bind(dates::slot_key(slot.slot)?)
    .bind(i32::try_from(offers).map_err(|_| Refusal::Stored("offers"))?)
    .fetch_optional(db)
    .await?;
    Ok(row.is_some())
}

/// The slot this person would get if they registered now, locked, where it is of an earlier day.
async fn free(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    (window, before, today): (&Window, DateTime, Date),
) -> Result<Option<FreeSlot>, Refusal> {
    if window.earliest >= before.date() {
        return Ok(None);
    }
    let mut free = Free::from(&mut *db, central, site, (today, window.earliest)).await?;
    Ok(free.next(db, window, 1).await?.filter(|slot| slot.at.date() < before.date()))
}

/// Nobody else gets the slot while it is offered; left, it is like any other again at once, and an extra
/// one nobody's.
async fn hold_out(db: &mut PgConnection, site: &SiteId, slot: &FreeSlot) -> Result<(), Refusal> {
    let key = dates::slot_key(slot.slot)?;
    sqlx::query("UPDATE slot SET withheld = true WHERE id = $1").bind(key).execute(&mut *db).await?;
    sqlx::query("INSERT INTO freed_slot (slot, site, offers) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(key)
        .bind(site.as_str())
        .bind(i32::try_from(OFFERS_MAX - 1).map_err(|_| Refusal::Stored("offers"))?)
        .execute(db)
        .await?;
    Ok(())
}
