//! What a person says of their appointment at a kiosk that did not make their paper: they give it up,
//! take that back, or will come. Done here, in one transaction, by the same rules as at their own kiosk,
//! which is told. Whoever said something last is heard, whatever arrives late.

use crate::calendar::{self, change::lock};
use crate::device::Device;
use crate::each_site::{Due, each_row};
use crate::{Central, Refusal, annulment, arrivals, audit, changes, dates, offers, own_channel};
use domain::audit::Act;
use domain::bytes::PublicKey;
use domain::code::FollowUpCode;
use domain::ids::{KioskId, MediatorId, RegistrationId, SiteId, WordId};
use domain::offer::{UNDO_DAYS, may_return};
use domain::set_aside::Reason;
use domain::word::Word;
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use wire::body::Said;
use wire::messages::{Change, WordAnswer, WordState};

/// Why a place ended, told to its kiosk: a cancellation by the person's own telephone or mail.
pub(crate) const OWN_CHANNEL: &str = "cancelled";

/// Who brings a word, and its place among those of its second.
#[derive(Clone, Copy)]
struct Brought {
    by: KioskId,
    /// None while it is not written: it comes after all others.
    arrived: Option<i64>,
}

impl Brought {
    fn now(by: KioskId) -> Self {
        Self { by, arrived: None }
    }
}

/// Takes a word said at a counter that central answers at once. The same again is the same.
pub(crate) async fn answer(
    central: &Central,
    said: &Said,
    told: Option<DateTime>,
) -> Result<WordAnswer, Refusal> {
    let id = said.registration;
    let Some(registrar) = registrar(&mut *central.pool.acquire().await?, id).await? else {
        return Ok(WordAnswer {
            state: Some(WordState::PaperAlone),
            registration: None,
            at: None,
            until: None,
        });
    };
    let mut tx = central.pool.begin().await?;
    lock(&mut tx, &registrar.site).await?;
    let state = match known(&mut tx, said.id).await? {
        Some(other) if other != id => return Err(Refusal::BadBody),
        Some(_) => WordState::Done,
        None => {
            let ended = is_ended(&mut tx, id).await?;
            let held = dates::slot_of(&mut tx, id).await?.map(|(_, at)| at);
            match (said.says, ended) {
                // It is so already: nothing is done twice.
                (Word::Cancel, true) | (Word::TakeBack, false) => standing(&mut tx, id, said.says).await?,
                (Word::Cancel | Word::Come, _) if held != told => WordState::Otherwise,
                _ => hear(&mut tx, central, &registrar, (said, Brought::now(said.kiosk))).await?,
            }
        }
    };
    let at = dates::slot_of(&mut tx, id).await?.map(|(_, at)| at);
    // What is theirs at another site is not taken back within any days.
    let until = match state {
        WordState::Transferred => None,
        _ => until(&mut tx, central, &registrar.site, id).await?,
    };
    tx.commit().await?;
    let registration = (state == WordState::Done).then_some(id);
    Ok(WordAnswer { state: Some(state), registration, at, until })
}

/// What stands already, said again.
async fn standing(db: &mut PgConnection, id: RegistrationId, says: Word) -> Result<WordState, Refusal> {
    Ok(match says {
        _ if annulment::stands(&mut *db, id).await? => WordState::Annulled,
        Word::TakeBack if arrivals::is_honoured(&mut *db, id).await? => WordState::Honoured,
        _ => WordState::Done,
    })
}

/// A kiosk's record of a word: its own counter's, or what it was told. Known already, nothing follows;
/// a database that was restored to before it learns it here.
pub(crate) async fn bring(
    db: &mut PgConnection,
    central: &Central,
    said: &Said,
    by: KioskId,
) -> Result<Result<(), Reason>, Refusal> {
    match known(&mut *db, said.id).await? {
        Some(other) if other != said.registration => return Ok(Err(Reason::RegistrationUnknown)),
        Some(_) => return Ok(Ok(())),
        None => {}
    }
    let said = Said { at: said.at.min(central.now()), ..said.clone() };
    let Some(registrar) = registrar(&mut *db, said.registration).await? else {
        // Its own kiosk sends it again; then it is carried out.
        write(db, &said, Brought::now(by), ("waits", None)).await?;
        return Ok(Ok(()));
    };
    calendar::hold(&mut *db, &registrar.site).await?;
    if !is_of(&mut *db, &said).await? {
        return Ok(Err(Reason::RegistrationUnknown));
    }
    again(db, central, &registrar, (&said, Brought::now(by))).await?;
    Ok(Ok(()))
}

/// What a restored database had lost: done as far as it can be, and noted either way.
async fn again(
    db: &mut PgConnection,
    central: &Central,
    registrar: &Device,
    (said, brought): (&Said, Brought),
) -> Result<(), Refusal> {
    let state = match is_over(&mut *db, said, brought).await? {
        true => None,
        false => Some(hear(&mut *db, central, registrar, (said, brought)).await?),
    };
    if state != Some(WordState::Done) {
        write(db, said, brought, ("over", Some(central.now()))).await?;
    }
    Ok(())
}

/// Does what was said, tells the kiosk of the paper, and notes it, in the audit journal for the kiosk
/// that brings it. Refused, nothing is noted.
async fn hear(
    db: &mut PgConnection,
    central: &Central,
    registrar: &Device,
    (said, brought): (&Said, Brought),
) -> Result<WordState, Refusal> {
    let id = said.registration;
    let done = match said.says {
        Word::Cancel => offers::cancel(&mut *db, central, registrar, (id, said.at)).await?,
        Word::TakeBack => offers::reinstate(&mut *db, central, registrar, (id, said.at)).await?,
        Word::Come if arrivals::is_honoured(&mut *db, id).await? => Err(Reason::Honoured),
        Word::Come if is_ended(&mut *db, id).await? => {
            // Their kiosk was away when it ended, by a word said elsewhere or by their own channel: they
            // were there since, and that counts as taken back.
            let in_time = said.kiosk == registrar.kiosk && ended(&mut *db, id, said.at).await?;
            match in_time {
                true => offers::reinstate(&mut *db, central, registrar, (id, said.at)).await?,
                false => return Ok(WordState::Otherwise),
            }
        }
        // One made after the word stands: brought late, it takes nothing back.
        Word::Come => Ok(own_channel::withdraw_until(&mut *db, id, (said.at, central.now())).await?),
    };
    let follows = match done {
        Ok(follows) => follows,
        Err(Reason::Honoured) => return Ok(WordState::Honoured),
        Err(Reason::Annulled) => return Ok(WordState::Annulled),
        Err(Reason::Transferred) => return Ok(WordState::Transferred),
        Err(Reason::TooLate) => return Ok(WordState::TooLate),
        Err(_) => return Ok(WordState::Otherwise),
    };
    write(&mut *db, said, brought, ("done", Some(central.now()))).await?;
    let mut told = match said.kiosk == registrar.kiosk {
        true => Vec::new(),
        false => vec![Change::Word { said: said.clone() }],
    };
    told.extend(follows);
    changes::append(&mut *db, central, registrar.kiosk, &told).await?;
    let act = match said.says {
        Word::Cancel => Act::CancelledElsewhere,
        Word::TakeBack => Act::TakenBackElsewhere,
        Word::Come => Act::ComingSaid,
    };
    audit::by_kiosk(db, brought.by, act, Some(&id), 1).await?;
    Ok(WordState::Done)
}

/// What the person said last of their place at another kiosk after this moment, where it was done.
pub(crate) async fn later(
    db: &mut PgConnection,
    id: RegistrationId,
    at: Timestamp,
) -> Result<Option<Word>, Refusal> {
    later_than(db, id, (at, None)).await
}

/// The same after a word; of one second, after the place it has there.
async fn later_than(
    db: &mut PgConnection,
    id: RegistrationId,
    (at, arrived): (Timestamp, Option<i64>),
) -> Result<Option<Word>, Refusal> {
    let row = sqlx::query(
        "SELECT says FROM word WHERE registration = $1 AND (said_s, arrived) > ($2, $3) AND state = 'done' \
         ORDER BY said_s DESC, arrived DESC LIMIT 1",
    )
    .bind(id.0.as_slice())
    .bind(at.as_second())
    .bind(arrived.unwrap_or(i64::MAX))
    .fetch_optional(db)
    .await?;
    row.map(|row| Word::parse(row.try_get(0)?).ok_or(Refusal::Stored("word"))).transpose()
}

/// Was a place that is given up given up elsewhere than at its own kiosk, which may not have heard, and
/// before `until`?
pub(crate) async fn ended(
    db: &mut PgConnection,
    id: RegistrationId,
    until: Timestamp,
) -> Result<bool, Refusal> {
    let last = later(&mut *db, id, Timestamp::UNIX_EPOCH).await?;
    Ok(last == Some(Word::Cancel) || own_channel::ended(db, id, until).await?)
}

/// Was something else said of this place since, at its own kiosk or at another?
async fn is_over(db: &mut PgConnection, said: &Said, brought: Brought) -> Result<bool, Refusal> {
    if later_than(&mut *db, said.registration, (said.at, brought.arrived)).await?.is_some() {
        return Ok(true);
    }
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM record WHERE registration = $1 AND kind IN ('cancellation', 'reinstatement') \
         AND state = 'applied' AND body <> '' \
         AND (convert_from(body, 'UTF8')::jsonb ->> 'at')::timestamptz > to_timestamp($2::bigint + 1))",
    )
    .bind(said.registration.0.as_slice())
    .bind(said.at.as_second())
    .fetch_one(db)
    .await?;
    Ok(row.try_get(0)?)
}

/// The last day on which a place that was given up may be taken back; none where there is no such day.
pub(crate) async fn until(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    id: RegistrationId,
) -> Result<Option<Date>, Refusal> {
    let row = sqlx::query(
        "SELECT cancelled_s FROM registration WHERE id = $1 AND cancelled_s IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = registration.id)",
    )
    .bind(id.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if annulment::stands(&mut *db, id).await? {
        return Ok(None);
    }
    let cancelled = Timestamp::from_second(row.try_get(0)?).map_err(|_| Refusal::Stored("cancellation"))?;
    let zone = dates::zone_of(&mut *db, site).await?;
    let zone = TimeZone::get(&zone).map_err(|_| Refusal::Stored("time zone"))?;
    let day = zone.to_datetime(cancelled).date();
    let today = dates::today(db, central, site).await?;
    Ok(may_return(day, today).then(|| day.saturating_add(UNDO_DAYS.days())))
}

impl Central {
    /// Carries out what was brought before the registration it is about; answers how much.
    ///
    /// # Errors
    /// The database or the lease log fails; what was carried out stays so.
    pub async fn carry_out_words(&self) -> Result<usize, Refusal> {
        let sites = "SELECT DISTINCT site FROM word JOIN registration ON registration.id = word.registration \
                     WHERE word.state = 'waits' ORDER BY site";
        let due = |site: &SiteId| -> Due {
            sqlx::query(
                "SELECT word.id, word.registration, word.code, says, appointment::text, word.kiosk, mediator, said_s, \
                        brought_by, arrived FROM word JOIN registration ON registration.id = word.registration \
                 WHERE registration.site = $1 AND word.state = 'waits' ORDER BY said_s, arrived LIMIT $2 OFFSET $3",
            )
            .bind(site.as_str().to_owned())
        };
        each_row(self, (sites, "what a person said at another kiosk cannot be carried out"), due, carry_out)
            .await
    }
}

/// A word that waited for its registration.
async fn carry_out(
    db: &mut PgConnection,
    central: &Central,
    _: &SiteId,
    row: &PgRow,
) -> Result<bool, Refusal> {
    let said = stored(row)?;
    let brought = Brought { by: KioskId(id(row, 8)?), arrived: Some(row.try_get(9)?) };
    match registrar(&mut *db, said.registration).await? {
        Some(registrar) if is_of(&mut *db, &said).await? => {
            again(db, central, &registrar, (&said, brought)).await?;
        }
        // With a code that is another's it is nobody's word.
        _ => {
            sqlx::query("DELETE FROM word WHERE id = $1").bind(said.id.0.as_slice()).execute(db).await?;
        }
    }
    Ok(true)
}

fn stored(row: &PgRow) -> Result<Said, Refusal> {
    Ok(Said {
        id: WordId(id(row, 0)?),
        registration: RegistrationId(id(row, 1)?),
        code: FollowUpCode::parse(row.try_get(2)?).ok_or(Refusal::Stored("code"))?,
        says: Word::parse(row.try_get(3)?).ok_or(Refusal::Stored("word"))?,
        appointment: row.try_get::<Option<&str>, _>(4)?.map(dates::civil).transpose()?,
        kiosk: KioskId(id(row, 5)?),
        mediator: MediatorId::parse(row.try_get(6)?).map_err(|_| Refusal::Stored("mediator"))?,
        at: Timestamp::from_second(row.try_get(7)?).map_err(|_| Refusal::Stored("moment"))?,
    })
}

fn id(row: &PgRow, at: usize) -> Result<[u8; 16], Refusal> {
    row.try_get::<&[u8], _>(at)?.try_into().map_err(|_| Refusal::Stored("word"))
}

/// The kiosk whose paper it is.
pub(crate) async fn registrar(db: &mut PgConnection, id: RegistrationId) -> Result<Option<Device>, Refusal> {
    let row = sqlx::query(
        "SELECT kiosk.id, registration.site, kiosk.key FROM registration JOIN kiosk ON kiosk.id = registration.kiosk \
         WHERE registration.id = $1",
    )
    .bind(id.0.as_slice())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let kiosk = row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?;
        Ok(Device {
            kiosk: KioskId(kiosk),
            site: SiteId::parse(row.try_get(1)?).ok_or(Refusal::Stored("site id"))?,
            key: PublicKey::from_slice(row.try_get(2)?).ok_or(Refusal::Stored("device key"))?,
        })
    })
    .transpose()
}

async fn known(db: &mut PgConnection, word: WordId) -> Result<Option<RegistrationId>, Refusal> {
    let row = sqlx::query("SELECT registration FROM word WHERE id = $1")
        .bind(word.0.as_slice())
        .fetch_optional(db)
        .await?;
    row.map(|row| {
        let id = row.try_get::<&[u8], _>(0)?.try_into();
        id.map(RegistrationId).map_err(|_| Refusal::Stored("registration id"))
    })
    .transpose()
}

/// Is the code the one on that paper?
async fn is_of(db: &mut PgConnection, said: &Said) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT code = $2 FROM registration WHERE id = $1")
        .bind(said.registration.0.as_slice())
        .bind(i64::try_from(said.code.to_bits()).map_err(|_| Refusal::BadBody)?)
        .fetch_one(db)
        .await?;
    Ok(row.try_get(0)?)
}

async fn is_ended(db: &mut PgConnection, id: RegistrationId) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT cancelled_s IS NOT NULL FROM registration WHERE id = $1 FOR UPDATE")
        .bind(id.0.as_slice())
        .fetch_one(db)
        .await?;
    Ok(row.try_get(0)?)
}

/// Notes a word, or what became of one that waited: it keeps its place among those of its second.
async fn write(
    db: &mut PgConnection,
    said: &Said,
    brought: Brought,
    (state, done): (&str, Option<Timestamp>),
) -> Result<(), Refusal> {
    let done = done.map(Timestamp::as_second);
    if brought.arrived.is_some() {
        sqlx::query("UPDATE word SET state = $2, done_s = $3 WHERE id = $1")
            .bind(said.id.0.as_slice())
            .bind(state)
            .bind(done)
            .execute(db)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO word (id, registration, code, says, appointment, kiosk, mediator, said_s, done_s, state, brought_by) \
         VALUES ($1, $2, $3, $4, $5::text::timestamp, $6, $7, $8, $9, $10, $11)",
    )
    .bind(said.id.0.as_slice())
    .bind(said.registration.0.as_slice())
    .bind(said.code.to_string())
    .bind(said.says.key())
    .bind(said.appointment.map(|at| at.to_string()))
    .bind(said.kiosk.0.as_slice())
    .bind(said.mediator.as_str())
    .bind(said.at.as_second())
    .bind(done)
    .bind(state)
    .bind(brought.by.0.as_slice())
    .execute(db)
    .await?;
    Ok(())
}
