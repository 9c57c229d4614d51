//! The way between a kiosk and central's own router, in process: up, down, losing
//! requests or answers, late, answering something that is not central's.

use super::chance::Dice;
use super::planted::Planted;
use app::sync::transfer::{Answer, Call, RemoteFailure, Sending, Transport};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use domain::bytes::Signature;
use seal::keys::sha256;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tower::ServiceExt as _;
use wire::limits::MESSAGE_BYTES;
use wire::messages::{PushAnswer, PushRequest};
use wire::record::{Acknowledgement, Head};

/// The state of one kiosk's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Up,
    Down,
    /// Each message has its own fate.
    Bad,
}

/// When the kiosk's power goes, counted in messages from now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Death {
    pub after: u64,
    /// Has central done the work of the last message?
    pub arrived: bool,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Through,
    /// Never reaches central.
    Lost,
    /// Central does the work; nobody hears of it.
    AnswerLost,
    /// Reaches central before the next message that gets through, long after the kiosk
    /// has given up.
    Late,
    /// Some other machine answers with its welcome page.
    Welcome,
    /// Central is there and its database is not.
    Busy,
    /// Somebody else says in central's name that it holds what was pushed.
    Forged,
    Dies {
        arrived: bool,
    },
}

pub(super) struct Network {
    /// None while central is away.
    router: Mutex<Option<Router>>,
    state: Mutex<State>,
    /// Told when the kiosk's power has gone.
    pub died: Notify,
    planted: Option<Arc<Planted>>,
    /// The id of central's acknowledgement key, for whoever forges its word.
    key: String,
}

struct State {
    link: Link,
    dice: Dice,
    death: Option<Death>,
    late: Vec<Call>,
}

impl Network {
    pub fn new(router: Option<Router>, dice: Dice, planted: Option<Arc<Planted>>, key: &str) -> Self {
        let state = State { link: Link::Up, dice, death: None, late: Vec::new() };
        Self {
            router: Mutex::new(router),
            state: Mutex::new(state),
            died: Notify::new(),
            planted,
            key: key.to_owned(),
        }
    }

    pub fn router(&self) -> Option<Router> {
        lock(&self.router).clone()
    }

    /// Central goes away, or another takes its place.
    pub fn lead_to(&self, router: Option<Router>) {
        *lock(&self.router) = router;
    }

    /// Goes on with other dice.
    pub fn turn(&self, dice: Dice) {
        lock(&self.state).dice = dice;
    }

    pub fn link(&self) -> Link {
        lock(&self.state).link
    }

    pub fn set(&self, link: Link) {
        lock(&self.state).link = link;
    }

    /// Lets the power go at a message to come, or no longer.
    pub fn set_death(&self, death: Option<Death>) {
        lock(&self.state).death = death;
    }

    fn fate(&self) -> Fate {
        let mut state = lock(&self.state);
        match state.death.as_mut() {
            Some(death) if death.after == 0 => {
                let arrived = death.arrived && state.link != Link::Down;
                state.death = None;
                return Fate::Dies { arrived };
            }
            Some(death) => death.after -= 1,
            None => {}
        }
        match state.link {
            Link::Up => Fate::Through,
            Link::Down => Fate::Lost,
            Link::Bad => match state.dice.below(100) {
                0..25 => Fate::Lost,
                25..50 => Fate::AnswerLost,
                50..62 => Fate::Late,
                62..66 => Fate::Welcome,
                66..70 => Fate::Busy,
                70..73 => Fate::Forged,
                _ => Fate::Through,
            },
        }
    }

    async fn deliver(&self, call: Call) -> Result<Answer, RemoteFailure> {
        let mut request = Request::builder().method(call.method).uri(&call.target);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(call.body)).map_err(|_| RemoteFailure::BadAnswer)?;
        let Some(router) = lock(&self.router).clone() else { return Err(RemoteFailure::Unreachable) };
        let Ok(response) = router.oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, MESSAGE_BYTES).await.map_err(|_| RemoteFailure::BadAnswer)?;
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut answer = Answer { status: parts.status.as_u16(), headers, body: body.to_vec() };
        if let Some(planted) = &self.planted {
            let _ = planted.change(&call.target, &mut answer);
        }
        Ok(answer)
    }
}

impl Transport for Network {
    fn send(&self, call: Call) -> Sending<'_> {
        Box::pin(async move {
            match self.fate() {
                Fate::Through => {
                    let late = std::mem::take(&mut lock(&self.state).late);
                    for call in late {
                        let _ = self.deliver(call).await;
                    }
                    self.deliver(call).await
                }
                Fate::Lost => Err(RemoteFailure::Unreachable),
                Fate::AnswerLost => {
                    let _ = self.deliver(call).await;
                    Err(RemoteFailure::Unreachable)
                }
                Fate::Late => {
                    lock(&self.state).late.push(call);
                    Err(RemoteFailure::Unreachable)
                }
                Fate::Welcome => {
                    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
                    Ok(Answer { status: 200, headers, body: b"<!doctype html><h1>It works!</h1>".to_vec() })
                }
                Fate::Busy => Ok(Answer { status: 503, headers: Vec::new(), body: Vec::new() }),
                Fate::Forged => forged(&call, &self.key).ok_or(RemoteFailure::Unreachable),
                Fate::Dies { arrived } => {
                    if arrived {
                        let _ = self.deliver(call).await;
                    }
                    self.died.notify_one();
                    std::future::pending().await
                }
            }
        })
    }
}

/// An acknowledgement of everything pushed that names central's key and is not signed by it.
fn forged(call: &Call, key: &str) -> Option<Answer> {
    let pushed: PushRequest = serde_json::from_slice(&call.body).ok()?;
    let header = &pushed.records.last()?.header;
    let hash = sha256(&[&header.to_bytes()]);
    let received = Acknowledgement {
        kiosk: header.kiosk,
        head: Head { incarnation: header.incarnation, seq: header.seq, hash },
        epoch: "0-0".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        key: key.to_owned(),
        signature: Signature([0; 64]),
    };
    let answer = PushAnswer { epoch: "0-0".to_owned(), received: Some(received), durable: None };
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Some(Answer { status: 200, headers, body: serde_json::to_vec(&answer).ok()? })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
