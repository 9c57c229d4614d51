//! A person gives their appointment up, or comes back within the days their place waits. The slot
//! goes to whoever is next in rank, never to whoever asks next.

use super::limit;
use crate::device::Device;
use crate::lease_log::{self, Sent};
use crate::{
    Central, Refusal, annulment, arrivals, busy, calendar, dates, lists, offers, task, transfer, words,
};
use domain::ids::{RegistrationId, SiteId, SlotId};
use domain::offer::may_return;
use domain::registration::Registration;
use domain::set_aside::Reason;
use domain::task::TaskKind;
use domain::word::Word;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sqlx::{PgConnection, Row};
use wire::messages::Change;

/// A registration of this kiosk, as far as it matters here.
struct Known {
    body: String,
    cancelled_s: Option<i64>,
    cancelled_slot: Option<i64>,
    cancelled_at: Option<String>,
    /// Its date waits for the desk: see [`crate::busy`].
    waits: bool,
}

impl Known {
    fn registration(&self) -> Result<Registration, Refusal> {
        serde_json::from_str(&self.body).map_err(|_| Refusal::Stored("registration"))
    }
}

async fn known(db: &mut PgConnection, device: &Device, id: RegistrationId) -> Result<Option<Known>, Refusal> {
    let row = sqlx::query(
        "SELECT body::text, cancelled_s, cancelled_slot, cancelled_at::text, waits_on IS NOT NULL FROM registration WHERE id = $1 AND kiosk = $2 FOR UPDATE",
    )
    .bind(id.0.as_slice())
    .bind(device.kiosk.0.as_slice())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(Known {
            body: row.try_get(0)?,
            cancelled_s: row.try_get(1)?,
            cancelled_slot: row.try_get(2)?,
            cancelled_at: row.try_get(3)?,
            waits: row.try_get(4)?,
        })
    })
    .transpose()
}

/// The person gives their appointment up: their papers are listed as cancelled, their slot is
/// offered, and what the desk had to do for them is done. Again, it is the same.
pub(crate) async fn cancel(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    (id, at): (RegistrationId, Timestamp),
) -> Result<Result<Vec<Change>, Reason>, Refusal> {
    calendar::hold(&mut *db, &device.site).await?;
    let Some(known) = known(&mut *db, device, id).await? else { return Ok(Err(Reason::RegistrationUnknown)) };
    if known.cancelled_s.is_some() {
        transfer::given_up(db, central, (id, at)).await?;
        return Ok(Ok(Vec::new()));
    }
    match words::later(&mut *db, id, at).await? {
        // Brought late: at another kiosk they have taken it back since.
        Some(Word::TakeBack) => return Ok(Ok(Vec::new())),
        // Or have said that they come. This kiosk shows it as given up, and hears the date they have.
        Some(Word::Come) => return date_held(db, central, device, &known).await.map(Ok),
        Some(Word::Cancel) | None => {}
    }
    // They were received: there is nothing left to give up, nor a rank to come back to.
    if arrivals::is_honoured(&mut *db, id).await? {
        return Ok(Err(Reason::Honoured));
    }
    let at = at.min(central.now());
    let mut told = task::settle_given_up(&mut *db, id, ("cancelled", central.now())).await?;
    told.extend(set_ended(&mut *db, central, &device.site, (id, at)).await?);
    transfer::given_up(db, central, (id, at)).await?;
    Ok(Ok(told))
}

/// A place ends by another's word than its person's: `answer` is what the desk's tasks about it are
/// answered by.
pub(crate) async fn end(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    (id, at): (RegistrationId, Timestamp),
    answer: &str,
) -> Result<Vec<Change>, Refusal> {
    calendar::hold(&mut *db, site).await?;
    let mut told = task::settle_all(&mut *db, id, (answer, central.now())).await?;
    told.extend(set_ended(db, central, site, (id, at)).await?);
    Ok(told)
}

/// The slot goes back, the papers are listed, and nothing is offered any more.
async fn set_ended(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    (id, at): (RegistrationId, Timestamp),
) -> Result<Vec<Change>, Refusal> {
    let held = dates::slot_of(&mut *db, id).await?;
    if let Some((slot, _)) = held {
        offers::set_free(&mut *db, central, slot).await?;
    }
    sqlx::query(
        "UPDATE registration SET cancelled_s = $2, cancelled_slot = $3, cancelled_at = $4::text::timestamp WHERE id = $1",
    )
        .bind(id.0.as_slice())
        .bind(at.as_second())
        .bind(held.map(|(slot, _)| dates::slot_key(slot)).transpose()?)
        .bind(held.map(|(_, at)| at.to_string()))
        .execute(&mut *db)
        .await?;
    let today = dates::today(&mut *db, central, site).await?;
    lists::replace(&mut *db, central, id, (None, held.map(|(_, at)| at)), today).await?;
    let offer = offers::withdraw(db, central, id).await?;
    Ok(offer.map(|offer| Change::OfferEnded { registration: id, offer }).into_iter().collect())
}

/// The person comes back: their registration time counts as before. They have the slot they gave
/// up where nobody was asked about it, and else the first free one.
pub(crate) async fn reinstate(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    (id, at): (RegistrationId, Timestamp),
) -> Result<Result<Vec<Change>, Reason>, Refusal> {
    calendar::hold(&mut *db, &device.site).await?;
    let Some(known) = known(&mut *db, device, id).await? else { return Ok(Err(Reason::RegistrationUnknown)) };
    let Some(cancelled_s) = known.cancelled_s else {
        // Their place was ended because nobody knew that they had come.
        if arrivals::is_honoured(&mut *db, id).await? {
            return Ok(Err(Reason::Honoured));
        }
        return stands(db, central, device, (id, &known)).await.map(Ok);
    };
    // Brought late: at another kiosk they have given it up again since.
    if words::later(&mut *db, id, at).await? == Some(Word::Cancel) {
        return Ok(Ok(Vec::new()));
    }
    // By another's word than the person's: only an agent undoes it.
    if annulment::stands(&mut *db, id).await? {
        return Ok(Err(Reason::Annulled));
    }
    // They keep, or were received with, another appointment of the same line.
    if transfer::is_elsewhere(&mut *db, id).await? {
        return Ok(Err(Reason::Transferred));
    }
    let zone = dates::zone_of(&mut *db, &device.site).await?;
    let zone = TimeZone::get(&zone).map_err(|_| Refusal::Stored("time zone"))?;
    let day = |at: Timestamp| zone.to_datetime(at).date();
    let cancelled = Timestamp::from_second(cancelled_s).map_err(|_| Refusal::Stored("cancellation"))?;
    if !may_return(day(cancelled), day(at.min(central.now()))) {
        return Ok(Err(Reason::TooLate));
    }
    come_back(db, central, device, id, (day(at.min(central.now())), "reinstated")).await.map(Ok)
}

/// The place never ended here: a database put back to before. Its kiosk asks the first time, and hears the
/// date they have.
async fn stands(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    (id, known): (RegistrationId, &Known),
) -> Result<Vec<Change>, Refusal> {
    let again = sqlx::query(
        "SELECT 1 FROM record WHERE registration = $1 AND kind = 'reinstatement' AND state = 'applied' LIMIT 1",
    )
    .bind(id.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    match again {
        Some(_) => Ok(Vec::new()),
        None => date_held(db, central, device, known).await,
    }
}

/// The date of a place that stands, for a kiosk that took it for given up.
async fn date_held(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    known: &Known,
) -> Result<Vec<Change>, Refusal> {
    let registration = known.registration()?;
    let id = registration.id;
    let Some((_, from)) = dates::slot_of(&mut *db, id).await? else { return Ok(Vec::new()) };
    let Some(given) = dates::give(db, central, device, &registration.alone()).await? else {
        return Ok(Vec::new());
    };
    let (token, because) = (given.token.to_bytes().into(), "reinstated".to_owned());
    Ok(vec![Change::Moved { registration: id, from, token, because }])
}

/// A place that had ended counts as before: its registration time, and the slot given up where nobody
/// was asked about it, else the first free one.
pub(crate) async fn come_back(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    id: RegistrationId,
    (day, because): (Date, &str),
) -> Result<Vec<Change>, Refusal> {
    let known = known(&mut *db, device, id).await?.ok_or(Refusal::Stored("registration"))?;
    sqlx::query(
        "UPDATE registration SET cancelled_s = NULL, cancelled_slot = NULL, cancelled_at = NULL WHERE id = $1",
    )
        .bind(id.0.as_slice())
        .execute(&mut *db)
        .await?;
    transfer::back(&mut *db, central, id).await?;
    task::check_limits(&mut *db, central, &device.site, &[id.0.as_slice()]).await?;
    task::ask_again(&mut *db, id).await?;
    // Whoever did not come twice is here: nobody need look for them.
    task::settle(&mut *db, central, id, (TaskKind::MissedTwice, ""), "reinstated").await?;
    let registration = known.registration()?;
    if known.waits && busy::may_wait(&registration) {
        // As before they went: it comes with the others'.
        return Ok(Vec::new());
    }
    sqlx::query("UPDATE registration SET waits_on = NULL WHERE id = $1")
        .bind(id.0.as_slice())
        .execute(&mut *db)
        .await?;
    let today = dates::today(&mut *db, central, &device.site).await?;
    let before = known.cancelled_at.as_deref().map(dates::civil).transpose()?;
    if let Some(slot) = known.cancelled_slot.map(dates::slot_number).transpose()? {
        take_back(&mut *db, central, device, (id, slot), today).await?;
    }
    // The first free one is theirs: what they said of others was said of the visit before.
    let given = dates::give(&mut *db, central, device, &registration.alone()).await?;
    let Some(given) = given else { return Ok(Vec::new()) };
    lists::replace(&mut *db, central, id, (Some(given.token.token.at), before), today).await?;
    let token = given.token.to_bytes().into();
    let mut changes = vec![match before {
        Some(from) => Change::Moved { registration: id, from, token, because: because.to_owned() },
        None => Change::Dated { registration: id, token },
    }];
    if registration.limit.is_some() {
        // What the desk had to do was answered when they cancelled, and a limit may have been
        // declared since.
        changes.extend(limit::serve(db, central, device, &registration, day).await?);
    }
    Ok(changes)
}

/// The slot the person gave up, while nobody else has been asked about it and it still serves them.
async fn take_back(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    (id, slot): (RegistrationId, SlotId),
    today: Date,
) -> Result<(), Refusal> {
    // What left central before a restore is not known.
    if central.extras_only() {
        return Ok(());
    }
    let still = sqlx::query(
        "DELETE FROM freed_slot USING slot, registration WHERE freed_slot.slot = $1 AND slot.id = $1 AND NOT slot.outside \
         AND slot.at >= $3::text::date + 1 AND registration.id = $2 AND coalesce(registration.procedure = ANY (slot.procedures), true) \
         AND NOT EXISTS (SELECT 1 FROM offer WHERE offer.slot = $1 AND offer.state = 'open') RETURNING slot.at::text",
    )
    .bind(dates::slot_key(slot)?)
    .bind(id.0.as_slice())
    .bind(today.to_string())
    .fetch_optional(&mut *db)
    .await?;
    let Some(still) = still else { return Ok(()) };
    let at = dates::civil(still.try_get(0)?)?;
    sqlx::query("UPDATE slot SET registration = $2, withheld = false WHERE id = $1 AND registration IS NULL")
        .bind(dates::slot_key(slot)?)
        .bind(id.0.as_slice())
        .execute(&mut *db)
        .await?;
    // It leaves central again.
    let sent = Sent { site: device.site.clone(), slot, at, kiosk: device.kiosk, lent: None };
    lease_log::write(db, central, vec![sent]).await
}
