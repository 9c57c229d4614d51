//! Giving a registration its date: the earliest free slot in its window, in one short
//! transaction. The rule is `domain::assign`'s; a test holds the two against each other.

use crate::device::Device;
use crate::lease_log::{self, Sent};
use crate::{Central, Refusal, calendar, claim, lists, planted, task};
use domain::assign::Window;
use domain::birth::Birth;
use domain::bytes::PublicKey;
use domain::ids::{KioskId, RegistrationId, SiteId, SlotId};
use domain::registration::Registration;
use domain::task::TaskKind;
use domain::token::{SignedToken, SlotToken};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use seal::keys::sha256;
use sqlx::{PgConnection, Row};
use wire::messages::ListKind;

/// How far ahead of central's own day a kiosk's day is followed, in days: wrong clocks are
/// years off, and slots are made as far as somebody asks.
pub(crate) const AHEAD_DAYS: i32 = 366;

/// A date given: the signed token, and whether it lies after the time limit.
pub(crate) struct Given {
    pub token: SignedToken,
    pub after_limit: bool,
}

/// Gives `registration` its date, or the one it already has. None when the site has no
/// capacity at all; an escalation then stands in the same transaction.
pub(crate) async fn give(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
) -> Result<Option<Given>, Refusal> {
    let today = today(&mut *db, central, &device.site).await?;
    if let Some(held) = slot_of(&mut *db, registration.id).await? {
        let valid = held.1.date() > today || is_kept(&mut *db, registration.id).await?;
        if valid && !planted::on("asked_again_dated_anew") {
            return sign(db, central, device, registration, held).await.map(Some);
        }
        // Asked long ago, never kept, and the day is over: nobody holds a paper with it.
        free(&mut *db, registration.id).await?;
    }
    let mut window = registration.window();
    if window.earliest > today.saturating_add(AHEAD_DAYS.days()) {
        // A clock that is years ahead makes no slots for years to come.
        window.earliest = today;
    }
    // A registration may arrive days after it was made: nobody is given a day gone by.
    if !planted::on("day_gone_by_given") {
        window.earliest = window.earliest.max(Window::new(today, None).earliest);
    }
    if planted::on("limit_last") && window.latest.is_some() {
        window.earliest = window.earliest.saturating_add(30.days());
    }
    let slot = match earliest(&mut *db, central, &device.site, &window).await? {
        Some(slot) => slot,
        None => {
            escalate(db, central, registration, "no_capacity").await?;
            return Ok(None);
        }
    };
    take(&mut *db, slot.0, registration.id).await?;
    let sent = Sent { site: device.site.clone(), slot: slot.0, at: slot.1, kiosk: device.kiosk, lent: None };
    if !planted::on("lease_log_of_leases_only") {
        lease_log::write(&mut *db, central, vec![sent]).await?;
    }
    escalate_late(&mut *db, central, registration, slot.1).await?;
    sign(db, central, device, registration, slot).await.map(Some)
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
        && held.0 == backstop.slot
    {
        return Ok(None);
    }
    let given = give(&mut *db, central, device, registration).await?;
    let later = planted::on("rank_dated_later");
    if given.as_ref().is_some_and(|given| given.token.token.at < backstop.at || later) {
        return Ok(given);
    }
    free(&mut *db, registration.id).await?;
    Ok(None)
}

/// Central's own civil day at a site.
pub(crate) async fn today(db: &mut PgConnection, central: &Central, site: &SiteId) -> Result<Date, Refusal> {
    let zone = zone_of(db, site).await?;
    let zone = TimeZone::get(&zone).map_err(|_| Refusal::Stored("time zone"))?;
    Ok(zone.to_datetime(central.now()).date())
}

async fn is_kept(db: &mut PgConnection, id: RegistrationId) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT state = 'kept' FROM registration WHERE id = $1")
        .bind(id.0.as_slice())
        .fetch_one(db)
        .await?;
    Ok(row.try_get(0)?)
}

/// Writes a registration central has not seen yet; keeps the one it has. A different
/// registration under the same id is a conflict.
pub(crate) async fn remember(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
) -> Result<(), Refusal> {
    let place = registration.place();
    let body = serde_json::to_string(registration).map_err(|_| Refusal::BadBody)?;
    let code = i64::try_from(registration.code.to_bits()).map_err(|_| Refusal::BadBody)?;
    let person = person_key(registration);
    let inserted = sqlx::query(
        "INSERT INTO registration (id, code, site, kiosk, procedure, class, registered_s, tie_break, body, person, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10, 'asked') ON CONFLICT (id) DO NOTHING",
    )
    .bind(registration.id.0.as_slice())
    .bind(code)
    .bind(registration.site.as_str())
    .bind(device.kiosk.0.as_slice())
    .bind(registration.procedure.key())
    .bind(if planted::on("class_dropped") { "ordinary" } else { place.class.key() })
    .bind(if planted::on("place_by_arrival") { central.now().as_second() } else { place.registered_s })
    .bind(if planted::on("tie_break_dropped") { 0 } else { i64::from(place.tie_break) })
    .bind(&body)
    .bind(person.as_ref().map(<[u8; 32]>::as_slice))
    .execute(&mut *db)
    .await
    .map_err(|error| match &error {
        // Another registration with the same 60-bit code: the kiosk draws a new one.
        sqlx::Error::Database(cause) if cause.is_unique_violation() => Refusal::Conflict,
        _ => error.into(),
    })?;
    if inserted.rows_affected() == 0 {
        let row =
            sqlx::query("SELECT kiosk, body = $2::text::jsonb, rebuilt FROM registration WHERE id = $1")
                .bind(registration.id.0.as_slice())
                .bind(&body)
                .fetch_one(&mut *db)
                .await?;
        let (kiosk, same, rebuilt): (&[u8], bool, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if kiosk != device.kiosk.0 || !(same || rebuilt) {
            return Err(Refusal::Conflict);
        }
        if rebuilt {
            // The kiosk lives: its own record says what the paper had no room for.
            sqlx::query("UPDATE registration SET body = $2::text::jsonb, rebuilt = false WHERE id = $1")
                .bind(registration.id.0.as_slice())
                .bind(&body)
                .execute(db)
                .await?;
        }
    } else if let Some(person) = person {
        link_duplicate(db, central, registration, &person).await?;
    }
    Ok(())
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

/// Gives a free slot to a registration. The unique index is I1's last word.
pub(crate) async fn take(db: &mut PgConnection, slot: SlotId, id: RegistrationId) -> Result<(), Refusal> {
    let slot = i64::try_from(slot.0).map_err(|_| Refusal::Stored("slot id"))?;
    let over = || format!("UPDATE slot SET registration = NULL WHERE id = {slot}");
    planted::sql(&mut *db, "second_holder_wins", over).await?;
    let done = sqlx::query("UPDATE slot SET registration = $2 WHERE id = $1 AND registration IS NULL")
        .bind(slot)
        .bind(id.0.as_slice())
        .execute(db)
        .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Refusal::Conflict) }
}

/// A paper names this registration: its date is no longer only asked about. When its kiosk
/// is lost, its papers are good from now on wherever the list is known.
pub(crate) async fn keep(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
) -> Result<(), Refusal> {
    let row = sqlx::query(
        "UPDATE registration SET state = 'kept' FROM kiosk WHERE registration.id = $1 \
         AND kiosk.id = registration.kiosk RETURNING kiosk.site, kiosk.lost_s IS NOT NULL",
    )
    .bind(id.0.as_slice())
    .fetch_one(&mut *db)
    .await?;
    if row.try_get(1)? {
        let site = SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?;
        lists::raise(db, &site, ListKind::Issuers, central.now()).await?;
    }
    Ok(())
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

/// The earliest free slot of the site from the window's first day on, locked. Slots
/// another transaction is taking are passed over, so nobody waits.
async fn earliest(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    window: &Window,
) -> Result<Option<(SlotId, DateTime)>, Refusal> {
    first_free_from(db, central, site, window.earliest).await
}

/// The earliest slot of a site that may be given from a day on, locked. Where what left
/// central before a restore is not known, an extra one beside the earliest hour that has
/// none yet: its id is new whatever was given before.
pub(crate) async fn first_free_from(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    from: Date,
) -> Result<Option<(SlotId, DateTime)>, Refusal> {
    let ordinary = "SELECT id, at::text, counter FROM slot \
                    WHERE site = $1 AND lease IS NULL AND registration IS NULL AND extra = 0 AND NOT withheld \
                    AND at >= $2::text::timestamp ORDER BY at, id LIMIT 1 FOR UPDATE SKIP LOCKED";
    let beside = "SELECT id, at::text, counter FROM slot \
                  WHERE site = $1 AND extra = 0 AND at >= $2::text::timestamp AND NOT EXISTS \
                  (SELECT 1 FROM slot AS other WHERE other.counter = slot.counter AND other.at = slot.at \
                   AND other.extra <> 0) ORDER BY at, id LIMIT 1 FOR UPDATE SKIP LOCKED";
    let given = || {
        format!(
            "UPDATE slot SET registration = NULL WHERE id = (SELECT id FROM slot WHERE site = '{site}' \
        AND registration IS NOT NULL AND lease IS NULL AND at >= '{from}' ORDER BY at LIMIT 1)"
        )
    };
    planted::sql(&mut *db, "given_slot_taken_over", given).await?;
    let lent = || {
        format!("UPDATE slot SET lease = NULL, stratum = NULL WHERE site = '{site}' AND registration IS NULL")
    };
    planted::sql(&mut *db, "lent_slot_given", lent).await?;
    let withheld =
        || format!("UPDATE slot SET withheld = false WHERE site = '{site}' AND registration IS NULL");
    planted::sql(&mut *db, "withheld_slot_given", withheld).await?;
    loop {
        let row = sqlx::query(if central.extras_only() { beside } else { ordinary })
            .bind(site.as_str())
            .bind(from.to_string())
            .fetch_optional(&mut *db)
            .await?;
        if let Some(row) = row {
            let (slot, at) = (slot_number(row.try_get(0)?)?, civil(row.try_get(1)?)?);
            if !central.extras_only() {
                return Ok(Some((slot, at)));
            }
            let counter: i64 = row.try_get(2)?;
            return Ok(claim::extra(db, central, site, counter, at).await?.map(|slot| (slot, at)));
        }
        if !calendar::extend(&mut *db, site).await? {
            return Ok(None);
        }
    }
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

async fn sign(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
    slot: (SlotId, DateTime),
) -> Result<Given, Refusal> {
    may_sign(&mut *db, central).await?;
    let zone = zone_of(db, &device.site).await?;
    let after_limit = registration.limit.as_ref().is_some_and(|limit| slot.1.date() > limit.last_day);
    Ok(Given { token: token(central, device.key, &device.site, &zone, slot)?, after_limit })
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

/// A date after the time limit is told to the desk, whoever gave it.
pub(crate) async fn escalate_late(
    db: &mut PgConnection,
    central: &Central,
    registration: &Registration,
    at: DateTime,
) -> Result<(), Refusal> {
    match registration.window().latest {
        Some(latest) if at.date() > latest => escalate(db, central, registration, "after_limit").await,
        _ => Ok(()),
    }
}

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
    sqlx::query("UPDATE registration SET after_limit = true WHERE id = $1")
        .bind(registration.id.0.as_slice())
        .execute(&mut *db)
        .await?;
    let now = central.now().as_second();
    task::write(db, central, &registration.site, registration.id, (TaskKind::Escalation, reason), now).await
}

/// *Certain* needs the same AGDREF number and name and whole birth date (I2).
fn person_key(registration: &Registration) -> Option<[u8; 32]> {
    let applicant = &registration.applicant;
    if planted::on("duplicate_missed") {
        return None;
    }
    if planted::on("duplicate_by_name") {
        return Some(sha256(&[registration.site.as_str().as_bytes(), applicant.name_folded().as_bytes()]).0);
    }
    let agdref = applicant.agdref.as_ref()?;
    let Birth::Whole { date } = applicant.birth else { return None };
    let name = applicant.name_folded();
    Some(sha256(&[agdref.as_str().as_bytes(), b"\n", name.as_bytes(), b"\n", date.to_string().as_bytes()]).0)
}

/// Links every registration of a certain duplicate to the earliest one, whatever the
/// order in which central came to know them. All dates stand, and the kiosk is told
/// nothing: what the counter shows never depends on another file.
async fn link_duplicate(
    db: &mut PgConnection,
    central: &Central,
    registration: &Registration,
    person: &[u8; 32],
) -> Result<(), Refusal> {
    // Two that arrive at once must see each other: the second waits for the first here.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended(encode($1, 'hex') || $2, 0))")
        .bind(person.as_slice())
        .bind(registration.procedure.key())
        .execute(&mut *db)
        .await?;
    macro_rules! link {
        ($order:literal) => {
            concat!(
                "WITH same AS (SELECT id, row_number() OVER (ORDER BY ", $order, ") AS place \
                               FROM registration WHERE person = $1 AND procedure = $2), \
                      unlinked AS (DELETE FROM merge_link USING same WHERE later = same.id AND place = 1) \
                 INSERT INTO merge_link (later, earlier, made_s) \
                 SELECT other.id, first.id, $3 FROM same AS first JOIN same AS other ON other.place > 1 \
                 WHERE first.place = 1 ON CONFLICT (later) DO UPDATE SET earlier = excluded.earlier",
            )
        };
    }
    sqlx::query(if planted::on("duplicate_linked_to_the_later") {
        link!("registered_s DESC")
    } else if planted::on("duplicate_linked_on_arrival") {
        link!("ctid")
    } else {
        link!("registered_s, tie_break, id")
    })
    .bind(person.as_slice())
    .bind(registration.procedure.key())
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}

/// Slots already lent to this incarnation of a kiosk that nobody holds and that are still to come.
pub(crate) async fn unused_lent(
    db: &mut PgConnection,
    kiosk: KioskId,
    incarnation: u32,
    today: Date,
) -> Result<Vec<(String, i64)>, Refusal> {
    let rows = sqlx::query(
        "SELECT slot.stratum, count(*) FROM slot JOIN lease ON lease.id = slot.lease \
         WHERE lease.kiosk = $1 AND slot.registration IS NULL AND slot.at >= $2::text::timestamp \
         AND lease.incarnation = $3 \
         GROUP BY slot.stratum",
    )
    .bind(kiosk.0.as_slice())
    .bind(today.saturating_add(1.days()).to_string())
    .bind(i32::try_from(incarnation).map_err(|_| Refusal::BadBody)?)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(crate) fn slot_number(id: i64) -> Result<SlotId, Refusal> {
    u64::try_from(id).map(SlotId).map_err(|_| Refusal::Stored("slot id"))
}

fn civil(text: &str) -> Result<DateTime, Refusal> {
    text.parse().map_err(|_| Refusal::Stored("slot time"))
}
