//! The desk's tasks: what is open, the most urgent first, and an agent's answer. The answer to
//! a request for an earlier date goes back to the kiosk that sent it.

use super::kiosks::quarantined;
use super::{AdminRefusal, known_site, line, refused};
use crate::{Random, audit, changes};
use domain::audit::{Act, Who};
use domain::ids::{KioskId, RegistrationId};
use domain::task::TaskKind;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use wire::messages::Change;

/// Longest answer, in characters: it is read aloud at a counter.
const ANSWER_MAX: usize = 500;
/// Longest name of an agent, in characters.
const AGENT_MAX: usize = 100;
/// Tasks listed at once.
const LISTED: i64 = 500;

/// Open tasks of a site, the one due first at the top, limits to be checked after all others: no
/// number of them hides a person without a date; with `all`, answered ones too. Beside them
/// its quarantined kiosks: no task of their own, for a task is about a registration and is answered
/// once, while a quarantine lasts until the kiosk is released.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn tasks(pool: &PgPool, site: &str, all: bool) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let rows = sqlx::query(
        "SELECT task.id, task.kind, task.reason, registration.body ->> 'code', task.made_s, task.due::text, \
                task.answer, task.answered_by, task.answered_s, replace(left(slot.at::text, 16), ' ', 'T'), \
                registration.body -> 'limit' ->> 'last_day', registration.body -> 'limit' ->> 'evidence', \
                encode(registration.kiosk, 'hex'), \
                (SELECT count(*) FROM registration AS other WHERE other.site = task.site AND other.waits_on = task.id) \
         FROM task JOIN registration ON registration.id = task.registration \
         LEFT JOIN slot ON slot.registration = registration.id \
         WHERE task.site = $1 AND ($2 OR task.answer IS NULL) ORDER BY task.answer IS NOT NULL, task.kind = 'limit_check', task.due, task.id LIMIT $3",
    )
    .bind(site.as_str())
    .bind(all)
    .bind(LISTED)
    .fetch_all(pool)
    .await?;
    let tasks = rows
        .iter()
        .map(|row| {
            // What is to be looked at, where that is the task.
            let checked = row.try_get::<&str, _>(1)? == TaskKind::LimitCheck.key();
            let limit = |column: usize| -> Result<Option<String>, sqlx::Error> {
                Ok(row.try_get::<Option<String>, _>(column)?.filter(|_| checked))
            };
            // The hour is a kiosk's, and people wait.
            let busy = row.try_get::<&str, _>(1)? == TaskKind::BusyHour.key();
            Ok(json!({
                "task": row.try_get::<i64, _>(0)?,
                "owner": format!("desk of {site}"),
                "kind": row.try_get::<String, _>(1)?,
                "reason": row.try_get::<String, _>(2)?,
                "code": row.try_get::<Option<String>, _>(3)?,
                "made_s": row.try_get::<i64, _>(4)?,
                "due": row.try_get::<String, _>(5)?,
                "answer": row.try_get::<Option<String>, _>(6)?,
                "answered_by": row.try_get::<Option<String>, _>(7)?,
                "answered_s": row.try_get::<Option<i64>, _>(8)?,
                "slot_at": row.try_get::<Option<String>, _>(9)?,
                "last_day": limit(10)?,
                "evidence": limit(11)?,
                "kiosk": row.try_get::<Option<String>, _>(12)?.filter(|_| busy),
                "waiting": busy.then(|| row.try_get::<i64, _>(13)).transpose()?,
            }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let mut db = pool.acquire().await?;
    audit::by_us(&mut db, Act::TasksRead, Some(&site), tasks.len()).await?;
    let kiosks = quarantined(pool, &site).await?;
    Ok(json!({ "tasks": tasks, "kiosks_to_look_at": kiosks }))
}

/// An agent's answer to a task. It stands once given.
///
/// # Errors
/// There is no such open task, or a text is not one line.
pub async fn answer_task(
    pool: &PgPool,
    task: i64,
    (agent, answer): (&str, &str),
    now: Timestamp,
    random: &Random,
) -> Result<Value, AdminRefusal> {
    let agent = line("the agent's name", agent, AGENT_MAX)?;
    let answer = line("the answer", answer, ANSWER_MAX)?;
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "UPDATE task SET answer = $2, answered_by = $3, answered_s = $4 FROM registration \
         WHERE task.id = $1 AND task.answer IS NULL AND registration.id = task.registration AND task.kind <> $5 \
         RETURNING task.kind, task.registration, registration.kiosk, task.made_s",
    )
    .bind(task)
    .bind(&answer)
    .bind(&agent)
    .bind(now.as_second())
    .bind(TaskKind::Annulment.key())
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| {
        refused(format!(
            "there is no open task {task} that is answered so; central admin tasks lists them, and an annulment is \
             decided with central admin annul --decide"
        ))
    })?;
    let id = |at: usize| -> Result<[u8; 16], AdminRefusal> {
        row.try_get::<&[u8], _>(at)?.try_into().map_err(|_| refused("a stored id cannot be read"))
    };
    let (registration, kiosk) = (RegistrationId(id(1)?), KioskId(id(2)?));
    audit::write(&mut tx, &Who::Agent(agent), Act::TaskAnswered, Some(&registration), 1).await?;
    if row.try_get::<&str, _>(0)? == TaskKind::AdvanceRequest.key() {
        let asked =
            Timestamp::from_second(row.try_get(3)?).map_err(|_| refused("a stored moment cannot be read"))?;
        let change = Change::Answered { registration, asked, answer, at: now };
        changes::append_drawn(&mut tx, random, kiosk, &[change]).await?;
    }
    tx.commit().await?;
    Ok(json!({ "task": task, "answered": true }))
}
