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
    let Query(Which { all }) = which.map_err(|_| Refusal::BadBody)?;
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
    let Asked { code, channel, question } = read(body).await?;
    // Sent again because the answer was lost, it is one question.
    let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = Some(key.ok_or(Refusal::BadBody)?);
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
    let Answered { answer } = read(body).await?;
    let Path(task) = task.map_err(|_| Refusal::NotFound)?;
    let said = (agent.name.as_str(), answer.as_str());
    desk::answer(&central.pool, (Some(&agent.site), task), said, central.now(), &central.random)
        .await
        .map_err(refusal)?;
    Ok(Json(json!({ "task": task, "answered": true })))
}

async fn read<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    serde_json::from_slice(&read_body(body).await?).map_err(|_| Refusal::BadBody)
}

/// What the command line says in a sentence is a code here.
fn refusal(refusal: DeskRefusal) -> Refusal {
    match refusal {
        DeskRefusal::NoTask | DeskRefusal::NoPaper => Refusal::NotFound,
        DeskRefusal::Annulment | DeskRefusal::Answered | DeskRefusal::Outside | DeskRefusal::Key => {
            Refusal::Conflict
        }
        DeskRefusal::Text(..) | DeskRefusal::NoContact => Refusal::BadBody,
        DeskRefusal::Failed(refusal) => refusal,
    }
}
