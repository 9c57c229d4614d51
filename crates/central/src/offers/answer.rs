//! A person's answer to an offer. The date they have holds until they accept; accepting gives the
//! new one and frees the old in one transaction.

use super::set_free;
use crate::calendar::change::lock;
use crate::lease_log::{self, Sent};
use crate::{Central, Refusal, audit, changes, dates, lists, own_channel};
use domain::audit::Act;
use domain::bytes::PublicKey;
use domain::ids::{KioskId, OfferId, RegistrationId, SiteId, SlotId};
use domain::registration::Registration;
use domain::task::TaskKind;
use jiff::civil::{Date, DateTime};
use sqlx::{PgConnection, Row};
use wire::messages::{Change, OfferAnswer, OfferState, Offered};

/// The offer a registration has not answered yet.
pub(crate) async fn open_of(
    db: &mut PgConnection,
    registration: RegistrationId,
    today: Date,
) -> Result<Option<Offered>, Refusal> {
    let row = sqlx::query(
        "SELECT id, at::text, last_day::text FROM offer \
         WHERE registration = $1 AND state = 'open' AND last_day >= $2::text::date",
    )
    .bind(registration.0.as_slice())
    .bind(today.to_string())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let until: &str = row.try_get(2)?;
        Ok(Offered {
            offer: super::offer_id(&row, 0)?,
            at: dates::civil(row.try_get(1)?)?,
            until: until.parse().map_err(|_| Refusal::Stored("date"))?,
        })
    })
    .transpose()
}

/// Why a date is another: the person accepted what they were offered.
const OFFER_ACCEPTED: &str = "offer_accepted";

/// A slot that came free, to be given.
pub(super) struct Freed<'a> {
    pub site: &'a SiteId,
    pub slot: SlotId,
    pub at: DateTime,
}

/// Whose offer it is, and where.
struct Made {
    site: SiteId,
    slot: SlotId,
    at: DateTime,
    last: Date,
    state: String,
}

impl Made {
    fn slot_of(&self) -> Freed<'_> {
        Freed { site: &self.site, slot: self.slot, at: self.at }
    }
}

/// Takes a person's answer, told at `by`. The same answer again is the same; none when this
/// registration has no such offer.
pub(crate) async fn answer(
    central: &Central,
    by: KioskId,
    (registration, offer): (RegistrationId, OfferId),
    accept: bool,
) -> Result<Option<OfferAnswer>, Refusal> {
    let site = match find(&mut *central.pool.acquire().await?, registration, offer).await? {
        Some(made) => made.site,
        None => return Ok(None),
    };
    let mut tx = central.pool.begin().await?;
    lock(&mut tx, &site).await?;
    // Read again under the lock: it may have been answered meanwhile.
    let Some(made) = find(&mut tx, registration, offer).await? else { return Ok(None) };
    let today = dates::today(&mut tx, central, &site).await?;
    let held = dates::slot_of(&mut tx, registration).await?;
    let state = match made.state.as_str() {
        "accepted" => OfferState::Accepted,
        "declined" if !accept => OfferState::Declined,
        "open" if made.last < today => OfferState::Over,
        "open" if !accept => {
            end(&mut tx, central, offer, None).await?;
            OfferState::Declined
        }
        "open" => {
            match give(&mut tx, central, registration, (&made.slot_of(), held), OFFER_ACCEPTED).await? {
                Some(before) => {
                    end(&mut tx, central, offer, Some(before)).await?;
                    OfferState::Accepted
                }
                None => OfferState::Over,
            }
        }
        _ => OfferState::Over,
    };
    if made.state == "open" && state != OfferState::Over {
        let (kiosk, _) = registrar(&mut tx, registration).await?;
        let mut told = vec![Change::OfferEnded { registration, offer }];
        if state == OfferState::Accepted {
            // Who takes another date means to come.
            told.extend(own_channel::withdraw(&mut tx, registration, central.now()).await?);
        }
        changes::append(&mut tx, central, kiosk, &told).await?;
        audit::by_kiosk(&mut tx, by, Act::OfferAnswered, Some(&registration), 1).await?;
    }
    let now = dates::slot_of(&mut tx, registration).await?;
    tx.commit().await?;
    Ok(Some(OfferAnswer { state: Some(state), at: now.map(|(_, at)| at) }))
}

async fn find(
    db: &mut PgConnection,
    registration: RegistrationId,
    offer: OfferId,
) -> Result<Option<Made>, Refusal> {
    let row = sqlx::query(
        "SELECT site, slot, at::text, last_day::text, state FROM offer WHERE id = $1 AND registration = $2",
    )
    .bind(offer.0.as_slice())
    .bind(registration.0.as_slice())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let last: &str = row.try_get(3)?;
        Ok(Made {
            site: SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?,
            slot: dates::slot_number(row.try_get(1)?)?,
            at: dates::civil(row.try_get(2)?)?,
            last: last.parse().map_err(|_| Refusal::Stored("date"))?,
            state: row.try_get(4)?,
        })
    })
    .transpose()
}

/// Accepted in the place of this hour, or declined.
async fn end(
    db: &mut PgConnection,
    central: &Central,
    offer: OfferId,
    before: Option<DateTime>,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE offer SET state = CASE WHEN $2::text IS NULL THEN 'declined' ELSE 'accepted' END, \
         before = $2::text::timestamp, \
         answered_s = $3 WHERE id = $1",
    )
    .bind(offer.0.as_slice())
    .bind(before.map(|at| at.to_string()))
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a slot that came free, and frees the one before; answers its hour. None when it cannot be
/// had any more, or is no longer the earlier one: the date before stands.
pub(super) async fn give(
    db: &mut PgConnection,
    central: &Central,
    registration: RegistrationId,
    (made, held): (&Freed<'_>, Option<(SlotId, DateTime)>),
    because: &str,
) -> Result<Option<DateTime>, Refusal> {
    let Some((old, from)) = held.filter(|(_, at)| made.at < *at) else { return Ok(None) };
    if central.extras_only() {
        return Ok(None);
    }
    // The calendar may have changed since it was offered.
    let kept = sqlx::query(
        "DELETE FROM freed_slot USING slot, registration WHERE freed_slot.slot = $1 AND slot.id = $1 AND NOT slot.outside \
         AND registration.id = $2 AND coalesce(registration.procedure = ANY (slot.procedures), true) \
         RETURNING freed_slot.slot",
    )
    .bind(dates::slot_key(made.slot)?)
    .bind(registration.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    if kept.is_none() {
        return Ok(None);
    }
    set_free(&mut *db, central, old).await?;
    let done = sqlx::query(
        "UPDATE slot SET registration = $2, withheld = false \
         WHERE id = $1 AND registration IS NULL AND NOT outside",
    )
    .bind(dates::slot_key(made.slot)?)
    .bind(registration.0.as_slice())
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Refusal::Conflict);
    }
    let (kiosk, key) = registrar(&mut *db, registration).await?;
    let sent = Sent { site: made.site.clone(), slot: made.slot, at: made.at, kiosk, lent: None };
    lease_log::write(&mut *db, central, vec![sent]).await?;
    dates::may_sign(&mut *db, central).await?;
    let zone = dates::zone_of(&mut *db, made.site).await?;
    let token = dates::token(central, key, made.site, &zone, (made.slot, made.at))?;
    in_time(&mut *db, central, registration, made.at).await?;
    let because = because.to_owned();
    let moved = Change::Moved { registration, from, token: token.to_bytes().into(), because };
    changes::append(&mut *db, central, kiosk, &[moved]).await?;
    let today = dates::today(&mut *db, central, made.site).await?;
    lists::replace(db, central, registration, (Some(made.at), Some(from)), today).await?;
    Ok(Some(from))
}

/// What an earlier date settles: a date outside the calendar, and one that did not serve the time limit
/// where this one does.
async fn in_time(
    db: &mut PgConnection,
    central: &Central,
    registration: RegistrationId,
    at: DateTime,
) -> Result<(), Refusal> {
    const ANSWER: &str = "an earlier date was accepted";
    let row = sqlx::query("SELECT body::text FROM registration WHERE id = $1")
        .bind(registration.0.as_slice())
        .fetch_one(&mut *db)
        .await?;
    let told: Registration =
        serde_json::from_str(row.try_get(0)?).map_err(|_| Refusal::Stored("registration"))?;
    dates::in_time(&mut *db, central, &told, (at, ANSWER)).await?;
    sqlx::query(
        "UPDATE task SET answer = $3, answered_by = 'central', answered_s = $4 \
         WHERE registration = $1 AND kind = $2 AND answer IS NULL",
    )
    .bind(registration.0.as_slice())
    .bind(TaskKind::DateOutside.key())
    .bind(ANSWER)
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}

/// The kiosk that registered somebody, whose papers theirs are, and its key.
async fn registrar(
    db: &mut PgConnection,
    registration: RegistrationId,
) -> Result<(KioskId, PublicKey), Refusal> {
    let row = sqlx::query(
        "SELECT kiosk.id, kiosk.key FROM registration JOIN kiosk ON kiosk.id = registration.kiosk \
         WHERE registration.id = $1",
    )
    .bind(registration.0.as_slice())
    .fetch_one(db)
    .await?;
    let key = PublicKey::from_slice(row.try_get(1)?).ok_or(Refusal::Stored("device key"))?;
    Ok((super::kiosk_id(&row, 0)?, key))
}
