//! Slots that came free, offered to one person after the other in rank order. The rules are
//! `domain::offer`'s. While a slot is offered it is withheld, so that no other way of giving a
//! slot sees it, and nobody who registers at that moment gets it.

mod ahead;
mod answer;
mod given_up;
pub(crate) mod late;
mod limit;
mod next;

pub(crate) use answer::{answer, open_of};
pub(crate) use given_up::{cancel, come_back, end, reinstate};
pub(crate) use limit::declare;

use crate::calendar::change::lock;
use crate::{Central, Refusal, calendar, changes, dates};
use domain::assign::FreeSlot;
use domain::ids::{KioskId, OfferId, RegistrationId, SiteId, SlotId};
use domain::offer::{self, OFFERS_MAX};
use domain::task::TaskKind;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::BTreeSet;
use std::time::Duration;
use wire::messages::{Change, Offered};

/// How often a central that runs looks whether offers are over or slots are to be offered.
const EVERY: Duration = Duration::from_secs(30);
/// Slots gone on with in one transaction: a site's people wait for it.
const SLOTS_AT_ONCE: i64 = 100;

/// A registration gives its slot up. Where the slot can still be offered to somebody it is kept for
/// that; else it goes back as it came.
pub(crate) async fn set_free(db: &mut PgConnection, central: &Central, slot: SlotId) -> Result<(), Refusal> {
    // What left central before a restore is not known: the slot may be somebody else's already.
    if central.extras_only() {
        sqlx::query("UPDATE slot SET registration = NULL, withheld = true WHERE id = $1")
            .bind(dates::slot_key(slot)?)
            .execute(db)
            .await?;
        return Ok(());
    }
    // Its kiosk has given it by its own record: it is lent no more. An hour the calendar does not
    // have, and an extra slot, are given to nobody as they are.
    sqlx::query(
        "UPDATE slot SET registration = NULL, lease = NULL, stratum = NULL, \
         withheld = left_again OR NOT outside AND extra <= 0 WHERE id = $1",
    )
    .bind(dates::slot_key(slot)?)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "INSERT INTO freed_slot (slot, site) SELECT id, site FROM slot \
         WHERE id = $1 AND NOT outside AND NOT left_again AND extra <= 0 ON CONFLICT DO NOTHING",
    )
    .bind(dates::slot_key(slot)?)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes back the offer a registration has not answered. Its kiosk is told by whoever calls this.
pub(crate) async fn withdraw(
    db: &mut PgConnection,
    central: &Central,
    registration: RegistrationId,
) -> Result<Option<OfferId>, Refusal> {
    let row = sqlx::query(
        "UPDATE offer SET state = 'withdrawn', answered_s = $2 WHERE registration = $1 AND state = 'open' \
         RETURNING id",
    )
    .bind(registration.0.as_slice())
    .bind(central.now().as_second())
    .fetch_optional(db)
    .await?;
    row.map(|row| offer_id(&row, 0)).transpose()
}

/// Did this registration leave the hour `at` for an earlier one it accepted, and holds that or one
/// before it now? A paper that names it is
/// replaced, whenever its record comes.
pub(crate) async fn was_left(
    db: &mut PgConnection,
    registration: RegistrationId,
    (at, held): (DateTime, DateTime),
) -> Result<bool, Refusal> {
    let row = sqlx::query(
        "SELECT 1 FROM offer WHERE registration = $1 AND before = $2::text::timestamp AND at >= $3::text::timestamp",
    )
        .bind(registration.0.as_slice())
        .bind(at.to_string())
        .bind(held.to_string())
        .fetch_optional(db)
        .await?;
    Ok(row.is_some())
}

/// Of slots the calendar has from now on, those that somebody waits beyond and can still be asked
/// about: they go round like any that came free, before whoever registers next gets them.
pub(crate) async fn set_apart(
    db: &mut PgConnection,
    site: &SiteId,
    slots: &[i64],
    today: Date,
) -> Result<(), Refusal> {
    sqlx::query(
        "WITH freed AS (INSERT INTO freed_slot (slot, site) SELECT id, site FROM slot \
              WHERE id = ANY ($2) AND site = $1 AND registration IS NULL AND lease IS NULL AND NOT withheld \
              AND (at >= $3::text::date AND at < (SELECT max(given.at)::date FROM slot AS given \
                                                  WHERE given.site = $1 AND given.registration IS NOT NULL) \
                   OR EXISTS (SELECT 1 FROM escalation JOIN registration ON registration.id = escalation.registration \
                              WHERE escalation.site = $1 AND reason = 'no_capacity' AND state = 'kept' AND cancelled_s IS NULL \
                              AND NOT EXISTS (SELECT 1 FROM slot AS own WHERE own.registration = registration.id))) \
              ON CONFLICT DO NOTHING RETURNING slot) \
         UPDATE slot SET withheld = true FROM freed WHERE slot.id = freed.slot",
    )
    .bind(site.as_str())
    .bind(slots)
    .bind(today.saturating_add(offer::NOTICE_DAYS.days()).to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Slots that came free and that nobody is being asked about, to be given in this transaction to
/// whoever has no date at all; [`kept_apart`] ends it.
pub(crate) async fn at_hand(db: &mut PgConnection, site: &SiteId, today: Date) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE slot SET withheld = false FROM freed_slot WHERE slot.id = freed_slot.slot AND freed_slot.site = $1 \
         AND slot.registration IS NULL AND NOT EXISTS \
         (SELECT 1 FROM offer WHERE offer.slot = slot.id AND offer.state = 'open' AND last_day >= $2::text::date)",
    )
    .bind(site.as_str())
    .bind(today.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// What is left of them goes round as before: as often offered, and theirs who may come back.
pub(crate) async fn kept_apart(db: &mut PgConnection, site: &SiteId) -> Result<(), Refusal> {
    sqlx::query(
        "DELETE FROM freed_slot USING slot WHERE slot.id = freed_slot.slot AND freed_slot.site = $1 \
         AND slot.registration IS NOT NULL",
    )
    .bind(site.as_str())
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "UPDATE slot SET withheld = true FROM freed_slot WHERE slot.id = freed_slot.slot AND freed_slot.site = $1",
    )
    .bind(site.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// A paper names the slot: it is nobody's to be offered.
pub(crate) async fn taken(db: &mut PgConnection, slot: SlotId) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM freed_slot WHERE slot = $1").bind(dates::slot_key(slot)?).execute(db).await?;
    Ok(())
}

/// Goes on with the slots of a site that came free: offers that are over end, and each slot is
/// offered to the next person, or, when nobody is left to ask, is given like any other. Answers
/// how many were offered or given.
pub(crate) async fn turn(central: &Central, site: &SiteId) -> Result<usize, Refusal> {
    if central.extras_only() {
        return Ok(0);
    }
    let mut tx = central.pool.begin().await?;
    lock(&mut tx, site).await?;
    let today = dates::today(&mut tx, central, site).await?;
    end_late(&mut tx, central, site, today).await?;
    let others_first = await_another(&mut tx, site, today).await?;
    let mut offered = 0;
    // Who has an offer to answer, and for whom another slot waits meanwhile.
    let mut waited_for = BTreeSet::new();
    for (slot, offers) in unasked(&mut tx, site).await? {
        let last = offer::last_day(today, slot.at).filter(|_| offers < OFFERS_MAX);
        if others_first && last.is_some() {
            continue;
        }
        let next = match last {
            Some(_) => next::in_rank(&mut tx, site, &slot, None).await?,
            None => None,
        };
        let ahead = match &next {
            Some(next) if offer::is_taken_ahead(&slot, next, today) => {
                ahead::can_be_told(&mut tx, central, next.registration).await?
            }
            _ => false,
        };
        match last.zip(next) {
            // What they said when they registered: it is theirs, and their own slot goes round.
            Some((_, next)) if ahead => {
                ahead::give(&mut tx, central, site, (&slot, &next), today).await?;
                offered += 1;
            }
            Some((last, next)) => {
                make(&mut tx, central, site, (&slot, next.registration), last).await?;
                offered += 1;
            }
            None => {
                let waits = match offers < OFFERS_MAX && offer::can_wait(today, slot.at) {
                    true => next::asked(&mut tx, site, &slot, &waited_for).await?,
                    false => None,
                };
                match waits {
                    Some(person) => drop(waited_for.insert(person)),
                    None => let_go(&mut tx, slot.slot).await?,
                }
            }
        }
    }
    tx.commit().await?;
    Ok(offered)
}

/// Does the calendar no longer have somebody's date, and has the desk still time to give them
/// another? They come before whoever has one.
async fn await_another(db: &mut PgConnection, site: &SiteId, today: Date) -> Result<bool, Refusal> {
    let row = sqlx::query(
        "SELECT 1 FROM task JOIN slot ON slot.registration = task.registration \
         WHERE task.site = $1 AND task.kind = $2 AND task.answer IS NULL AND task.due >= $3::text::date \
         AND slot.at >= $3::text::date LIMIT 1",
    )
    .bind(site.as_str())
    .bind(TaskKind::DateOutside.key())
    .bind(today.to_string())
    .fetch_optional(db)
    .await?;
    Ok(row.is_some())
}

/// The slot is like any other again.
async fn let_go(db: &mut PgConnection, slot: SlotId) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM freed_slot WHERE slot = $1")
        .bind(dates::slot_key(slot)?)
        .execute(&mut *db)
        .await?;
    sqlx::query("UPDATE slot SET withheld = false WHERE id = $1 AND registration IS NULL")
        .bind(dates::slot_key(slot)?)
        .execute(db)
        .await?;
    Ok(())
}

/// Offers whose last day is over, or whose slot the calendar no longer has.
async fn end_late(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    today: Date,
) -> Result<(), Refusal> {
    let rows = sqlx::query(
        "UPDATE offer SET state = CASE WHEN last_day < $2::text::date THEN 'lapsed' ELSE 'withdrawn' END, answered_s = $3 \
         FROM registration WHERE registration.id = offer.registration AND offer.site = $1 AND offer.state = 'open' \
         AND (last_day < $2::text::date OR NOT EXISTS \
              (SELECT 1 FROM freed_slot JOIN slot ON slot.id = freed_slot.slot \
               WHERE freed_slot.slot = offer.slot AND NOT slot.outside \
               AND coalesce(registration.procedure = ANY (slot.procedures), true))) \
         RETURNING offer.id, offer.registration, registration.kiosk, offer.state",
    )
    .bind(site.as_str())
    .bind(today.to_string())
    .bind(central.now().as_second())
    .fetch_all(&mut *db)
    .await?;
    let mut withdrawn = Vec::new();
    for row in &rows {
        let registration = registration_id(row, 1)?;
        let ended = Change::OfferEnded { registration, offer: offer_id(row, 0)? };
        changes::append(&mut *db, central, kiosk_id(row, 2)?, &[ended]).await?;
        if row.try_get::<&str, _>(3)? == "withdrawn" {
            withdrawn.push(registration);
        }
    }
    late::at_once(&mut *db, &withdrawn).await?;
    // The calendar took the hour away: nobody is offered it, and nobody gets it.
    sqlx::query(
        "DELETE FROM freed_slot USING slot WHERE slot.id = freed_slot.slot AND freed_slot.site = $1 AND slot.outside",
    )
    .bind(site.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// Slots nobody is asked about now, and how often each was offered.
async fn unasked(db: &mut PgConnection, site: &SiteId) -> Result<Vec<(FreeSlot, u32)>, Refusal> {
    let rows = sqlx::query(
        "SELECT slot.id, slot.at::text, slot.procedures, offers FROM freed_slot JOIN slot ON slot.id = freed_slot.slot \
         WHERE freed_slot.site = $1 AND NOT EXISTS \
         (SELECT 1 FROM offer WHERE offer.slot = freed_slot.slot AND offer.state = 'open') \
         ORDER BY slot.at, slot.id LIMIT $2",
    )
    .bind(site.as_str())
    .bind(SLOTS_AT_ONCE)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let slot = FreeSlot {
                slot: dates::slot_number(row.try_get(0)?)?,
                at: dates::civil(row.try_get(1)?)?,
                stratum: None,
                serves: calendar::procedures(row, 2)?,
            };
            let offers = u32::try_from(row.try_get::<i32, _>(3)?).map_err(|_| Refusal::Stored("offers"))?;
            Ok((slot, offers))
        })
        .collect()
}

async fn make(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    (slot, to): (&FreeSlot, RegistrationId),
    last: Date,
) -> Result<(), Refusal> {
    let id = OfferId(central.random_16());
    let row = sqlx::query(
        "WITH counted AS (UPDATE freed_slot SET offers = offers + 1 WHERE slot = $3), \
              made AS (INSERT INTO offer (id, site, slot, at, registration, made_s, last_day, state) \
                       VALUES ($1, $2, $3, $4::text::timestamp, $5, $6, $7::text::date, 'open')) \
         SELECT kiosk FROM registration WHERE id = $5",
    )
    .bind(id.0.as_slice())
    .bind(site.as_str())
    .bind(dates::slot_key(slot.slot)?)
    .bind(slot.at.to_string())
    .bind(to.0.as_slice())
    .bind(central.now().as_second())
    .bind(last.to_string())
    .fetch_one(&mut *db)
    .await?;
    let offer = Offered { offer: id, at: slot.at, until: last };
    let told = Change::Offered { registration: to, offer };
    changes::append(db, central, kiosk_id(&row, 0)?, &[told]).await
}

impl Central {
    /// Goes on with offers every half minute from now on. Ends with the process; several
    /// centrals take turns.
    pub fn keep_offering(&self) {
        let central = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(refusal) = central.offer_freed().await {
                    // What came free stays free; the next turn takes it.
                    tracing::error!(cause = ?refusal, "freed slots could not be offered");
                }
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// Goes on with the offers of every site that has some; answers how many slots that came free were
    /// offered or given. Then with everybody whose date does not serve their time limit.
    ///
    /// # Errors
    /// The database fails.
    pub async fn offer_freed(&self) -> Result<usize, Refusal> {
        // Whoever has no date at all comes before whoever has a later one.
        self.date_undated().await?;
        let rows = sqlx::query(
            "SELECT DISTINCT site FROM freed_slot UNION SELECT DISTINCT site FROM offer WHERE state = 'open'",
        )
        .fetch_all(&self.pool)
        .await?;
        let (mut offered, mut failed) = (0, None);
        for row in &rows {
            let site = SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?;
            match turn(self, &site).await {
                Ok(some) => offered += some,
                // The other sites are not held up.
                Err(refusal) => failed = Some(refusal),
            }
        }
        match self.offer_late().await {
            Ok(_) => {}
            Err(refusal) => failed = Some(refusal),
        }
        failed.map_or(Ok(offered), Err)
    }
}

fn offer_id(row: &PgRow, at: usize) -> Result<OfferId, Refusal> {
    row.try_get::<&[u8], _>(at)?.try_into().map(OfferId).map_err(|_| Refusal::Stored("offer id"))
}

fn registration_id(row: &PgRow, at: usize) -> Result<RegistrationId, Refusal> {
    let bytes: &[u8] = row.try_get(at)?;
    bytes.try_into().map(RegistrationId).map_err(|_| Refusal::Stored("registration id"))
}

fn kiosk_id(row: &PgRow, at: usize) -> Result<KioskId, Refusal> {
    row.try_get::<&[u8], _>(at)?.try_into().map(KioskId).map_err(|_| Refusal::Stored("kiosk id"))
}
