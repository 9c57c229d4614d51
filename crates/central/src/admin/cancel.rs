//! A cancellation that came by the person's own telephone or mail, written down by the agent who took it.
//! It is carried out a day later by the central that runs, unless withdrawn; seen before it is said.

use super::{AdminRefusal, line, refused};
use crate::calendar::change::lock;
use crate::{Random, annulment, arrivals, audit, changes, dates, own_channel};
use domain::audit::{AGENT_MAX, Act, Who};
use domain::code::FollowUpCode;
use domain::ids::{KioskId, RegistrationId, SiteId, WordId};
use domain::own_channel::{Channel, due, may_ask};
use domain::registration::Registration;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool, Row};
use wire::messages::{CancelAsked, Change};

/// What an agent was told.
#[derive(Debug, Clone)]
pub struct AskedCancel {
    /// The follow-up code on the paper.
    pub code: String,
    /// As said: a year, or year, month and day.
    pub birth: (i16, Option<i8>, Option<i8>),
    pub step: CancelStep,
    /// Without it what would be done is checked and told, and nothing is written.
    pub apply: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelStep {
    /// The request came by this channel.
    Ask(Channel),
    /// It was not theirs, or they changed their mind.
    Withdraw,
}

struct Case {
    registration: Registration,
    kiosk: KioskId,
    begins: Option<Timestamp>,
    cancelled: bool,
}

/// Writes the request, or takes it back.
///
/// # Errors
/// The code or the birth date is nobody's, no agent is named, the registration has no such contact, or
/// there is nothing to cancel or to take back; the sentence says why, and what to do next.
pub async fn cancel(
    pool: &PgPool,
    ask: &AskedCancel,
    now: Timestamp,
    random: &Random,
) -> Result<Value, AdminRefusal> {
    let Who::Agent(agent) = audit::who() else {
        return Err(refused("who takes a call or a mail is named; add --agent NAME"));
    };
    let agent = line("the agent's name", &agent, AGENT_MAX)?;
    let mut tx = pool.begin().await?;
    let (id, site) = find(&mut tx, ask).await?;
    lock(&mut tx, &site).await?;
    let case = Case::read(&mut tx, id, &site).await?;
    let open = own_channel::open_of(&mut tx, id).await?;
    let (told, act) = match ask.step {
        CancelStep::Ask(channel) => {
            case.may_cancel(&mut tx, channel, open.as_ref(), now).await?;
            let asked = write(&mut tx, (id, &site), (channel, &agent), now, random).await?;
            (vec![Change::CancelAsked { registration: id, asked }], Act::CancelAsked)
        }
        CancelStep::Withdraw => {
            let over = own_channel::withdraw(&mut tx, id, now).await?;
            if over.is_empty() {
                return Err(refused(
                    "no cancellation waits here; one that was carried out is taken back at a reception point, within \
                     30 days",
                ));
            }
            (over, Act::CancelWithdrawn)
        }
    };
    changes::append_drawn(&mut tx, random, case.kiosk, &told).await?;
    let stands = own_channel::open_of(&mut tx, id).await?;
    let slot_at = dates::slot_of(&mut tx, id).await?.map(|(_, at)| at);
    let told = json!({
        "code": case.registration.code, "slot_at": slot_at, "applied": ask.apply,
        "asked": stands.map(|asked| json!({ "channel": asked.channel, "at": asked.at, "carried_out": asked.due })),
    });
    if ask.apply {
        audit::by_us(&mut tx, act, Some(&id), 1).await?;
        tx.commit().await?;
        return Ok(told);
    }
    tx.rollback().await?;
    let mut db = pool.acquire().await?;
    audit::by_us(&mut db, Act::FollowUpRead, Some(&id), 1).await?;
    Ok(told)
}

async fn write(
    db: &mut PgConnection,
    (id, site): (RegistrationId, &SiteId),
    (channel, agent): (Channel, &str),
    now: Timestamp,
    random: &Random,
) -> Result<CancelAsked, AdminRefusal> {
    let mut word = WordId([0; 16]);
    random(&mut word.0);
    let at = Timestamp::from_second(now.as_second()).map_err(|_| refused("the clock cannot be read"))?;
    sqlx::query(
        "INSERT INTO asked_cancel (id, registration, site, channel, asked_s, asked_by, state) \
         VALUES ($1, $2, $3, $4, $5, $6, 'open')",
    )
    .bind(word.0.as_slice())
    .bind(id.0.as_slice())
    .bind(site.as_str())
    .bind(channel.key())
    .bind(at.as_second())
    .bind(agent)
    .execute(db)
    .await?;
    Ok(CancelAsked { word, channel, at, due: due(at) })
}

impl Case {
    async fn read(db: &mut PgConnection, id: RegistrationId, site: &SiteId) -> Result<Self, AdminRefusal> {
        let row = sqlx::query(
            "SELECT body::text, kiosk, cancelled_s IS NOT NULL FROM registration WHERE id = $1 FOR UPDATE",
        )
        .bind(id.0.as_slice())
        .fetch_one(&mut *db)
        .await?;
        let kiosk = row.try_get::<&[u8], _>(1)?.try_into();
        let zone = dates::zone_of(&mut *db, site).await?;
        let zone = TimeZone::get(&zone).map_err(|_| refused("the site's time zone cannot be read"))?;
        let at = dates::slot_of(&mut *db, id).await?.map(|(_, at)| zone.to_timestamp(at)).transpose();
        Ok(Self {
            registration: serde_json::from_str(row.try_get(0)?)
                .map_err(|_| refused("a stored registration cannot be read"))?,
            kiosk: KioskId(kiosk.map_err(|_| refused("a stored id cannot be read"))?),
            begins: at.map_err(|_| refused("a stored hour cannot be read"))?,
            cancelled: row.try_get(2)?,
        })
    }

    async fn may_cancel(
        &self,
        db: &mut PgConnection,
        channel: Channel,
        open: Option<&CancelAsked>,
        now: Timestamp,
    ) -> Result<(), AdminRefusal> {
        let id = self.registration.id;
        let contact = &self.registration.applicant.contact;
        let (known, what) = match channel {
            Channel::Phone => (contact.phone.is_some(), "telephone number"),
            Channel::Email => (contact.email.is_some(), "e-mail address"),
        };
        if !known {
            return Err(refused(format!(
                "the registration has no {what}, so nobody can say that it is theirs; the person cancels at any \
                 reception point, with a document"
            )));
        }
        if arrivals::is_honoured(&mut *db, id).await? {
            return Err(refused("the person was received; there is no appointment left to cancel"));
        }
        if annulment::stands(&mut *db, id).await? {
            return Err(refused("the appointment is annulled; there is none to cancel"));
        }
        if self.cancelled {
            return Err(refused("the appointment is cancelled already"));
        }
        if let Some(open) = open {
            return Err(refused(format!(
                "it is asked already, and carried out at {} unless withdrawn",
                open.due
            )));
        }
        if !may_ask(now, self.begins) {
            return Err(refused(
                "the appointment begins before a day is over, or its hour has come: it would free the slot for \
                 nobody; the person need not come, or cancels at any reception point",
            ));
        }
        Ok(())
    }
}

/// The registration of a code and a birth date. One answer for either that is wrong.
async fn find(db: &mut PgConnection, ask: &AskedCancel) -> Result<(RegistrationId, SiteId), AdminRefusal> {
    let code = FollowUpCode::parse(&ask.code)
        .ok_or_else(|| refused(format!("{} is no follow-up code; write it as on the paper", ask.code)))?;
    let bits = i64::try_from(code.to_bits()).map_err(|_| refused("the code cannot be read"))?;
    let row = sqlx::query("SELECT body::text, site FROM registration WHERE code = $1")
        .bind(bits)
        .fetch_optional(db)
        .await?;
    let nobody = || refused("nobody registered here has this code and this birth date; ask again for both");
    let row = row.ok_or_else(nobody)?;
    let told: Registration =
        serde_json::from_str(row.try_get(0)?).map_err(|_| refused("a stored registration cannot be read"))?;
    let (year, month, day) = ask.birth;
    if !told.applicant.birth.is_said(year, month, day) {
        return Err(nobody());
    }
    let site = SiteId::parse(row.try_get(1)?).ok_or_else(|| refused("a stored site id cannot be read"))?;
    Ok((told.id, site))
}
