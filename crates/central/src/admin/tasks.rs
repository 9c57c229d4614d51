//! The desk's work from the command line: what is open, a question written down, an agent's answer; and
//! the keys by which agents do the same over the network.

use super::kiosks::quarantined;
use super::{AdminRefusal, known_site, line, line_refusal, refused};
use crate::desk::{self, AGENT_MAX, DeskRefusal, Question};
use crate::{Random, agent, audit};
use domain::audit::Act;
use domain::bytes::Hash;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

/// Most days an agent's key is good for: whoever has left the desk reads it no longer than that.
pub const KEY_DAYS_MAX: u16 = 366;

/// A site's tasks, and beside them its quarantined kiosks: no task of their own, for a task is answered
/// once, while a quarantine lasts until the kiosk is released.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn tasks(pool: &PgPool, site: &str, all: bool) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut db = pool.acquire().await?;
    let tasks = desk::tasks(&mut db, &site, all, &audit::who()).await?;
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
    desk::answer(pool, (None, task), (agent, answer), now, random).await.map_err(said)?;
    Ok(json!({ "task": task, "answered": true }))
}

/// A question that came in, by whatever way, as a task of the desk.
///
/// # Errors
/// No paper of this site has the code, or the question is not one line.
pub async fn question(
    pool: &PgPool,
    site: &str,
    asked: &Question<'_>,
    now: Timestamp,
) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    let made = desk::ask(&mut tx, &site, asked, (&audit::who(), now)).await.map_err(said)?;
    tx.commit().await?;
    Ok(made)
}

/// A key for an agent of a site's desk, told this once.
///
/// # Errors
/// The site is unknown, the name is not one line, or the days are too many.
pub async fn add_agent(
    pool: &PgPool,
    (site, name): (&str, &str),
    days: u16,
    now: Timestamp,
    random: &Random,
) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let name = line("the agent's name", name, AGENT_MAX)?;
    if !(1..=KEY_DAYS_MAX).contains(&days) {
        return Err(refused(format!("a key is good for 1 to {KEY_DAYS_MAX} days; write a number between")));
    }
    let mut bytes = [0; 32];
    random(&mut bytes);
    let key = Hash(bytes).to_string();
    let until = now.saturating_add((i64::from(days) * 24).hours()).unwrap_or(Timestamp::MAX);
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "INSERT INTO agent (site, name, key_hash, made_s, until_s) VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(site.as_str())
    .bind(&name)
    .bind(agent::key_hash(&key).as_slice())
    .bind(now.as_second())
    .bind(until.as_second())
    .fetch_one(&mut *tx)
    .await?;
    let id: i64 = row.try_get(0)?;
    audit::by_us(&mut tx, Act::AgentAdded, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "agent": id, "name": name, "key": key, "until_s": until.as_second() }))
}

/// Who of a site's desk has a key, ended ones too. No key is told again.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn agents(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let rows =
        sqlx::query("SELECT id, name, made_s, until_s, ended_s FROM agent WHERE site = $1 ORDER BY id")
            .bind(site.as_str())
            .fetch_all(pool)
            .await?;
    let agents = rows
        .iter()
        .map(|row| {
            Ok(json!({
                "agent": row.try_get::<i64, _>(0)?,
                "name": row.try_get::<String, _>(1)?,
                "made_s": row.try_get::<i64, _>(2)?,
                "until_s": row.try_get::<i64, _>(3)?,
                "ended_s": row.try_get::<Option<i64>, _>(4)?,
            }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    audit::by_us(&mut *pool.acquire().await?, Act::AgentsRead, Some(&site), agents.len()).await?;
    Ok(json!({ "agents": agents }))
}

/// Ends an agent's key, from the next request on. Twice is once.
///
/// # Errors
/// There is no such agent at this site.
pub async fn end_agent(pool: &PgPool, site: &str, agent: i64, now: Timestamp) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    let done = sqlx::query("UPDATE agent SET ended_s = coalesce(ended_s, $3) WHERE id = $1 AND site = $2")
        .bind(agent)
        .bind(site.as_str())
        .bind(now.as_second())
        .execute(&mut *tx)
        .await?;
    if done.rows_affected() == 0 {
        return Err(refused(format!("there is no agent {agent} at {site}; central admin agents lists them")));
    }
    audit::by_us(&mut tx, Act::AgentEnded, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "agent": agent, "ended": true }))
}

fn said(refusal: DeskRefusal) -> AdminRefusal {
    match refusal {
        DeskRefusal::NoTask => {
            refused("there is no such task; central admin tasks lists those that are open")
        }
        DeskRefusal::Annulment => {
            refused("an annulment is not answered so; it is decided with central admin annul --decide")
        }
        DeskRefusal::Outside => refused(
            "the date is still outside the calendar, and who has it would keep it: central admin redate gives them \
             another and answers this, and so does opening that hour again",
        ),
        DeskRefusal::NoContact => refused(
            "the registration has no such contact by which the answer could go back; write it with --channel counter, \
             and the number or address in the question",
        ),
        DeskRefusal::Answered => {
            refused("this task was answered before, and an answer stands; central admin tasks --all shows it")
        }
        DeskRefusal::NoPaper => {
            refused("no registration of this site has this code; check it with the person, and the site")
        }
        DeskRefusal::Key => refused("this key was used for another question; take a new one"),
        DeskRefusal::Text(what, why) => refused(line_refusal(what, why)),
        DeskRefusal::Failed(refusal) => refusal.into(),
    }
}
