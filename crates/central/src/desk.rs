//! What a site's desk has to do: what is open, the most urgent first; a question that came in; an agent's
//! answer. The same for `central admin` and for an agent over the network. The answer to a request for
//! an earlier date goes back to the kiosk that sent it.

use crate::{Random, Refusal, audit, changes, task};
use domain::audit::{Act, Who};
use domain::code::FollowUpCode;
use domain::ids::{KioskId, RegistrationId, SiteId};
use domain::task::{Inbound, TaskKind};
use domain::text::{self, TextRefusal};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use std::fmt::Display;
use wire::messages::Change;

/// Longest answer, in characters: it is read aloud at a counter.
const ANSWER_MAX: usize = 500;
/// Longest name of an agent, in characters.
pub(crate) const AGENT_MAX: usize = 100;
/// Longest question, in characters: a telephone call in a few sentences.
const QUESTION_MAX: usize = 1_000;
/// Longest key of a question, in characters.
const KEY_MAX: usize = 64;
/// Tasks listed at once.
const LISTED: i64 = 500;

/// Why the desk's word is not taken.
#[derive(Debug)]
pub enum DeskRefusal {
    /// There is no such open task, or not at this site.
    NoTask,
    /// An annulment is decided by two agents, not answered.
    Annulment,
    /// The date it is about is still outside the calendar: answered, nobody would be given another.
    Outside,
    /// It was answered before, by somebody else or otherwise.
    Answered,
    /// No paper of this site has this code.
    NoPaper,
    /// The registration has no contact by which the answer could go back.
    NoContact,
    /// This key was used for another question.
    Key,
    /// What is not one line, and why.
    Text(&'static str, TextRefusal),
    Failed(Refusal),
}

impl<T: Into<Refusal>> From<T> for DeskRefusal {
    fn from(cause: T) -> Self {
        Self::Failed(cause.into())
    }
}

/// Tasks of a site, the one due first at the top, limits to be checked after all others: no number of
/// them hides a person without a date; with `all`, answered ones too.
pub(crate) async fn tasks(
    db: &mut PgConnection,
    site: &SiteId,
    all: bool,
    who: &Who,
) -> Result<Vec<Value>, Refusal> {
    let rows = sqlx::query(
        "SELECT task.id, task.kind, task.reason, registration.body ->> 'code', task.made_s, task.due::text, \
                task.answer, task.answered_by, task.answered_s, replace(left(slot.at::text, 16), ' ', 'T'), \
                registration.body -> 'limit' ->> 'last_day', registration.body -> 'limit' ->> 'evidence', \
                encode(coalesce(task.kiosk, registration.kiosk), 'hex'), \
                (SELECT count(*) FROM registration AS other WHERE other.site = task.site AND other.waits_on = task.id), \
                task.question, registration.body -> 'applicant' -> 'contact' ->> task.reason \
         FROM task LEFT JOIN registration ON registration.id = task.registration \
         LEFT JOIN slot ON slot.registration = registration.id \
         WHERE task.site = $1 AND ($2 OR task.answer IS NULL) ORDER BY task.answer IS NOT NULL, task.kind = 'limit_check', task.due, task.id LIMIT $3",
    )
    .bind(site.as_str())
    .bind(all)
    .bind(LISTED)
    .fetch_all(&mut *db)
    .await?;
    let tasks = rows.iter().map(|row| listed(site, row)).collect::<Result<Vec<_>, sqlx::Error>>()?;
    audit::write(db, who, Act::TasksRead, None, tasks.len()).await?;
    Ok(tasks)
}

fn listed(site: &SiteId, row: &PgRow) -> Result<Value, sqlx::Error> {
    let kind: &str = row.try_get(1)?;
    let is = |other: TaskKind| kind == other.key();
    let text = |column: usize| row.try_get::<Option<String>, _>(column);
    // What is to be looked at, where that is the task.
    let limit = |column: usize| Ok::<_, sqlx::Error>(text(column)?.filter(|_| is(TaskKind::LimitCheck)));
    // The hour is a kiosk's, and people wait; a record is a kiosk's too.
    let busy = is(TaskKind::BusyHour);
    let question = is(TaskKind::Question);
    Ok(json!({
        "task": row.try_get::<i64, _>(0)?,
        "owner": format!("desk of {site}"),
        "kind": kind,
        "reason": row.try_get::<String, _>(2)?,
        "code": text(3)?,
        "made_s": row.try_get::<i64, _>(4)?,
        "due": row.try_get::<String, _>(5)?,
        "answer": text(6)?,
        "answered_by": text(7)?,
        "answered_s": row.try_get::<Option<i64>, _>(8)?,
        "slot_at": text(9)?,
        "last_day": limit(10)?,
        "evidence": limit(11)?,
        "kiosk": text(12)?.filter(|_| busy || is(TaskKind::FailedStep)),
        "waiting": busy.then(|| row.try_get::<i64, _>(13)).transpose()?,
        "question": text(14)?,
        // By which the answer goes back, where the registration has it.
        "contact": text(15)?.filter(|_| question),
    }))
}

/// A question that came in about a registration of this site.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub code: FollowUpCode,
    pub channel: Inbound,
    pub question: &'a str,
    /// Said again with the same, it is the same question.
    pub key: Option<&'a str>,
}

/// Writes a question down as a task of the desk.
pub(crate) async fn ask(
    db: &mut PgConnection,
    site: &SiteId,
    asked: &Question<'_>,
    (who, now): (&Who, Timestamp),
) -> Result<Value, DeskRefusal> {
    let question = line("the question", asked.question, QUESTION_MAX)?;
    let key = asked.key.map(|key| line("the key", key, KEY_MAX)).transpose()?;
    let row = sqlx::query(
        "SELECT registration.id, site.zone, $3 = 'counter' OR registration.body -> 'applicant' -> 'contact' ->> $3 IS NOT NULL \
         FROM registration JOIN site ON site.id = registration.site \
         WHERE registration.code = $1 AND registration.site = $2",
    )
    .bind(i64::try_from(asked.code.to_bits()).map_err(|_| Refusal::BadBody)?)
    .bind(site.as_str())
    .bind(asked.channel.key())
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DeskRefusal::NoPaper)?;
    if !row.try_get::<bool, _>(2)? {
        return Err(DeskRefusal::NoContact);
    }
    let registration = RegistrationId(row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| STORED_ID)?);
    let zone = TimeZone::get(row.try_get(1)?).map_err(|_| Refusal::Stored("time zone"))?;
    let due = task::due(&mut *db, site, TaskKind::Question, zone.to_datetime(now).date()).await?;
    let made = sqlx::query(
        "INSERT INTO task (site, kind, reason, registration, made_s, due, question, key) \
         VALUES ($1, $2, $3, $4, $5, $6::text::date, $7, $8) \
         ON CONFLICT (site, key) WHERE key IS NOT NULL DO NOTHING RETURNING id, due::text",
    )
    .bind(site.as_str())
    .bind(TaskKind::Question.key())
    .bind(asked.channel.key())
    .bind(registration.0.as_slice())
    .bind(now.as_second())
    .bind(due.to_string())
    .bind(&question)
    .bind(&key)
    .fetch_optional(&mut *db)
    .await?;
    let row = match made {
        Some(row) => {
            audit::write(&mut *db, who, Act::QuestionAsked, Some(&registration), 1).await?;
            row
        }
        // Said before; another under the same key is refused.
        None => sqlx::query(
            "SELECT id, due::text FROM task \
             WHERE site = $1 AND key = $2 AND registration = $3 AND question = $4 AND reason = $5",
        )
        .bind(site.as_str())
        .bind(&key)
        .bind(registration.0.as_slice())
        .bind(&question)
        .bind(asked.channel.key())
        .fetch_optional(db)
        .await?
        .ok_or(DeskRefusal::Key)?,
    };
    Ok(json!({ "task": row.try_get::<i64, _>(0)?, "due": row.try_get::<String, _>(1)? }))
}

/// An agent's answer to a task, at one site where that is given. It stands once given: the same by the
/// same agent again is the same.
pub(crate) async fn answer(
    pool: &PgPool,
    (site, task): (Option<&SiteId>, i64),
    (agent, answer): (&str, &str),
    now: Timestamp,
    random: &Random,
) -> Result<(), DeskRefusal> {
    let agent = line("the agent's name", agent, AGENT_MAX)?;
    let answer = line("the answer", answer, ANSWER_MAX)?;
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "SELECT task.kind, task.registration, registration.kiosk, task.made_s, task.answer, task.answered_by, \
                slot.at > to_timestamp($3::bigint) AT TIME ZONE site.zone \
                AND (slot.outside OR NOT coalesce(registration.procedure = ANY (slot.procedures), true)) \
         FROM task JOIN site ON site.id = task.site LEFT JOIN registration ON registration.id = task.registration \
         LEFT JOIN slot ON slot.registration = registration.id \
         WHERE task.id = $1 AND ($2::text IS NULL OR task.site = $2) FOR UPDATE OF task",
    )
    .bind(task)
    .bind(site.map(SiteId::as_str))
    .bind(now.as_second())
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(DeskRefusal::NoTask)?;
    let kind: String = row.try_get(0)?;
    if kind == TaskKind::Annulment.key() {
        return Err(DeskRefusal::Annulment);
    }
    let outside = row.try_get::<Option<bool>, _>(6)?.unwrap_or(false);
    if let Some(before) = row.try_get::<Option<String>, _>(4)? {
        let by: Option<String> = row.try_get(5)?;
        return match before == answer && by.as_deref() == Some(agent.as_str()) {
            true => Ok(()),
            false => Err(DeskRefusal::Answered),
        };
    }
    if kind == TaskKind::DateOutside.key() && outside {
        return Err(DeskRefusal::Outside);
    }
    sqlx::query("UPDATE task SET answer = $2, answered_by = $3, answered_s = $4 WHERE id = $1")
        .bind(task)
        .bind(&answer)
        .bind(&agent)
        .bind(now.as_second())
        .execute(&mut *tx)
        .await?;
    let id = |column: usize| -> Result<Option<[u8; 16]>, DeskRefusal> {
        let bytes: Option<&[u8]> = row.try_get(column)?;
        Ok(bytes.map(|bytes| bytes.try_into().map_err(|_| STORED_ID)).transpose()?)
    };
    let (registration, kiosk) = (id(1)?.map(RegistrationId), id(2)?.map(KioskId));
    let about = registration.as_ref().map(|id| id as &(dyn Display + Sync));
    audit::write(&mut tx, &Who::Agent(agent), Act::TaskAnswered, about, 1).await?;
    if let (Some(registration), Some(kiosk), true) =
        (registration, kiosk, kind == TaskKind::AdvanceRequest.key())
    {
        let asked =
            Timestamp::from_second(row.try_get(3)?).map_err(|_| Refusal::Stored("moment of a request"))?;
        let change = Change::Answered { registration, asked, answer, at: now };
        changes::append_drawn(&mut tx, random, kiosk, &[change]).await?;
    }
    Ok(tx.commit().await?)
}

const STORED_ID: Refusal = Refusal::Stored("id");

fn line(what: &'static str, text: &str, max: usize) -> Result<String, DeskRefusal> {
    text::one_line(text, max).map_err(|refusal| DeskRefusal::Text(what, refusal))
}
