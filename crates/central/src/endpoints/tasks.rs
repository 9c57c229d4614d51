//! `GET` and `POST /v1/tasks`, `POST /v1/tasks/{task}`: a site's desk reads what it has to do, writes a
//! question down that came in, and answers. The same as `central admin tasks`, `question` and
//! `answer-task`, for an agent with a key, and for the agent's own site alone.

use crate::agent::Agent;
use crate::desk::{self, DeskRefusal, Question};
use crate::device::read_body;
use crate::{Central, Refusal};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::Request;
use domain::audit::Who;
use domain::code::FollowUpCode;
use domain::task::Inbound;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Answered ones too.
    #[serde(default)]
    all: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    code: FollowUpCode,
    channel: Inbound,
    question: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    answer: String,
}

pub(super) async fn list(
    State(central): State<Central>,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
    request: Request<Body>,
) -> Result<Json<Value>, Refusal> {
    let (parts, body) = request.into_parts();
    let agent = Agent::of(&central, &parts).await?;
    read_body(body).await?;
    let Query(Which { all }) = which.map_err(|_| in_query(parts.uri.query().unwrap_or_default()))?;
    let who = Who::Agent(agent.name);
    let tasks = desk::tasks(&mut *central.pool.acquire().await?, &agent.site, all, &who).await?;
    Ok(Json(json!({ "tasks": tasks })))
}

pub(super) async fn ask(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<Value>, Refusal> {
    let (parts, body) = request.into_parts();
    let agent = Agent::of(&central, &parts).await?;
    let Asked { code, channel, question } = read(body, &ASKED).await?;
    // Sent again because the answer was lost, it is one question.
    let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = Some(key.ok_or_else(|| Refusal::BadBody.of(KEY, "missing"))?);
    let asked = Question { code, channel, question: &question, key };
    let who = Who::Agent(agent.name);
    let mut tx = central.pool.begin().await?;
    let made = desk::ask(&mut tx, &agent.site, &asked, (&who, central.now())).await.map_err(refusal)?;
    tx.commit().await?;
    Ok(Json(made))
}

pub(super) async fn answer(
    State(central): State<Central>,
    task: Result<Path<i64>, axum::extract::rejection::PathRejection>,
    request: Request<Body>,
) -> Result<Json<Value>, Refusal> {
    let (parts, body) = request.into_parts();
    let agent = Agent::of(&central, &parts).await?;
    let Answered { answer } = read(body, &ANSWERED).await?;
    let Path(task) = task.map_err(|_| Refusal::NotFound.of("task", "not_a_number"))?;
    let said = (agent.name.as_str(), answer.as_str());
    desk::answer(&central.pool, (Some(&agent.site), task), said, central.now(), &central.random)
        .await
        .map_err(refusal)?;
    Ok(Json(json!({ "task": task, "answered": true })))
}

/// The header that makes a question the same one when it is sent again.
const KEY: &str = "idempotency-key";
/// Longest name told back of a field that is none, in characters.
const NAME_MAX: usize = 40;

/// A field of a body, and what is wrong with a value that it does not take.
type Field = (&'static str, fn(&Value) -> Option<&'static str>);

const ASKED: [Field; 3] = [
    ("code", |value| (!of::<FollowUpCode>(value)).then_some("not_a_code")),
    ("channel", |value| (!of::<Inbound>(value)).then_some("not_one_of")),
    ("question", not_text),
];
const ANSWERED: [Field; 1] = [("answer", not_text)];

fn of<T: DeserializeOwned>(value: &Value) -> bool {
    T::deserialize(value).is_ok()
}

fn not_text(value: &Value) -> Option<&'static str> {
    (!value.is_string()).then_some("not_text")
}

async fn read<T: DeserializeOwned>(body: Body, fields: &[Field]) -> Result<T, Refusal> {
    let bytes = read_body(body).await?;
    serde_json::from_slice(&bytes).map_err(|_| wrong(&bytes, fields))
}

/// The first field that keeps a body from being read.
fn wrong(bytes: &[u8], fields: &[Field]) -> Refusal {
    let Ok(Value::Object(said)) = serde_json::from_slice(bytes) else { return Refusal::BadBody };
    for (name, wrong) in fields {
        let reason = said.get(*name).map_or(Some("missing"), wrong);
        if let Some(reason) = reason {
            return Refusal::BadBody.of(name, reason);
        }
    }
    match said.keys().find(|said| fields.iter().all(|(name, _)| name != said)) {
        Some(unknown) => Refusal::BadBody.of(&short(unknown), "unknown"),
        // Said twice, for one.
        None => Refusal::BadBody,
    }
}

/// The same for what stands behind the `?`.
fn in_query(query: &str) -> Refusal {
    let names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    match names.into_iter().find(|name| *name != "all") {
        Some(unknown) => Refusal::BadBody.of(&short(unknown), "unknown"),
        None => Refusal::BadBody.of("all", "not_true_or_false"),
    }
}

fn short(name: &str) -> String {
    name.chars().take(NAME_MAX).collect()
}

/// What the command line says in a sentence is a code here, with what it is about.
fn refusal(refusal: DeskRefusal) -> Refusal {
    match refusal {
        DeskRefusal::NoTask => Refusal::NotFound.of("task", "unknown"),
        DeskRefusal::NoPaper => Refusal::NotFound.of("code", "unknown"),
        DeskRefusal::Annulment => Refusal::Conflict.of("task", "annulment"),
        DeskRefusal::Answered => Refusal::Conflict.of("task", "answered"),
        DeskRefusal::Outside => Refusal::Conflict.of("task", "date_outside"),
        DeskRefusal::Key => Refusal::Conflict.of(KEY, "used"),
        DeskRefusal::NoContact => Refusal::BadBody.of("channel", "no_contact"),
        DeskRefusal::Text(what, why) => Refusal::BadBody.of(line_of(what), why.code()),
        DeskRefusal::Failed(refusal) => refusal,
    }
}

/// The field a line stood in, by what the command line calls it.
fn line_of(what: &str) -> &'static str {
    match what {
        "the question" => "question",
        "the key" => KEY,
        _ => "answer",
    }
}
