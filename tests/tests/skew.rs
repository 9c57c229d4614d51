#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A kiosk and a central of different versions: the older kiosk is served, the newer one's records are
//! held and wait, what a newer central adds holds up nothing and is taken up later.

use app::contract::DateSource;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use central::keys::CentralKeys;
use journeys::counter::{Counter, Listening, register};
use journeys::device::{Device, Service};
use journeys::tls;
use serde_json::{Value, json};
use sqlx::Row as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use wire::body::{Body as Says, Outcome, Registered};

/// The kinds of records the first version wrote.
const FIRST_KINDS: [&str; 7] = ["registration", "dated", "incarnation", "piece", "print", "release", "paper"];

fn first(name: &str) -> Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/wire/tests/version-1");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A message with the fields the first version had, and no other: their values from `now` where it
/// has them.
fn as_first(shape: &Value, now: &Value) -> Value {
    match (shape, now) {
        // One of several shapes, told apart by a word: the first version's stays whole.
        (Value::Object(shape), Value::Object(now)) if shape.get("known") != now.get("known") => {
            Value::Object(shape.clone())
        }
        (Value::Object(shape), Value::Object(now)) => shape
            .iter()
            .map(|(key, then)| (key.clone(), now.get(key).map_or(then.clone(), |now| as_first(then, now))))
            .collect(),
        (Value::Array(shape), Value::Array(now)) if !shape.is_empty() => {
            now.iter().map(|one| as_first(&shape[0], one)).collect()
        }
        _ => now.clone(),
    }
}

async fn states(service: &Service) -> Vec<(String, String)> {
    let rows =
        sqlx::query("SELECT kind, state FROM record ORDER BY kiosk, seq").fetch_all(&service.pool).await;
    rows.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn ranked(device: &Device, service: &Service, n: u8) -> Says {
    let registration = device.registration(service, n, "A").unwrap();
    let outcome = Outcome::Rank { held: None, told: None, busy: None };
    Says::Registration(Box::new(Registered { registration, outcome, at: service.now(), day_declared: false }))
}

#[tokio::test]
async fn a_kiosk_of_the_first_version_is_served() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let date = json!({ "registration": device.registration(&service, 1, "A").unwrap() });
    let today = date["registration"]["registered_on"].clone();
    for (name, method, target, now) in [
        ("date-request", "POST", "/v1/registrations", date),
        ("lease-request", "POST", "/v1/lease", json!({ "today": today })),
        ("follow-up-request", "POST", "/v1/follow-up", Value::Null),
        ("return-request", "POST", "/v1/return", json!({ "certificate": device.certificate })),
    ] {
        let shape = first(name);
        let asked = if now.is_null() { shape } else { as_first(&shape, &now) };
        let said = device.say(&service, method, target, &asked).await.unwrap();
        assert_eq!(said.status, 200, "{name}: {} to {asked}", said.json);
    }
    // Its pulls named a cursor and no more.
    let said = device.say(&service, "GET", "/v1/changes?cursor=0", &Value::Null).await.unwrap();
    assert_eq!(said.status, 200, "{}", said.json);
    // Every body it wrote, in the records it wrote: held, and applied or set aside with a reason.
    let mut kinds = Vec::new();
    for kind in FIRST_KINDS {
        let mut body = first(&format!("body-{kind}"));
        if kind == "registration" {
            body = as_first(&body, &serde_json::to_value(ranked(&device, &service, 2)).unwrap());
        }
        let record = device.record(kind, serde_json::to_vec(&body).unwrap()).unwrap();
        let push = as_first(&first("push-request"), &json!({ "records": [record] }));
        let said = device.say(&service, "POST", "/v1/journal", &push).await.unwrap();
        assert_eq!(said.status, 200, "{kind}: {}", said.json);
        kinds.push(kind);
    }
    let states = states(&service).await;
    assert_eq!(states.len(), kinds.len());
    assert!(states.iter().all(|(_, state)| state == "applied" || state == "set_aside"), "{states:?}");
}

#[tokio::test]
async fn a_newer_kiosks_records_are_held_and_wait_for_a_central_that_knows_them() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let mut newer = serde_json::to_value(ranked(&device, &service, 1)).unwrap();
    newer["registration"]["priority"] = json!("later");
    let mut records = vec![
        device.record("advance_request", br#"{"kind":"advance_request","why":"later"}"#.to_vec()).unwrap(),
        device.record("registration", serde_json::to_vec(&newer).unwrap()).unwrap(),
    ];
    // A known kind under a schema of its own, with nothing in it that is not known.
    records.push(device.record_of("release", 2, br#"{"kind":"release","lease":"09090909090909090909090909090909","slots":[],"at":"2027-01-15T08:00:00Z"}"#.to_vec()).unwrap());
    let known = ranked(&device, &service, 2);
    records.push(device.says(&known).unwrap());
    let said = device.push(&service, records).await.unwrap();
    assert_eq!(
        (said.status, &said.json["received"]["head"]["seq"]),
        (200, &json!(4)),
        "held, and acknowledged"
    );
    let pulled = device.pull(&service, 0).await.unwrap();
    let of = |state: &str| {
        let changes = serde_json::to_value(&pulled.changes).unwrap();
        changes.as_array().unwrap().iter().filter(|one| one["result"]["state"] == state).count()
    };
    assert_eq!((of("applied"), of("set_aside")), (1, 0), "the kiosk is told of what was applied only");
    let waits = |states: &[(String, String)]| states.iter().filter(|(_, state)| state == "waits").count();
    assert_eq!(waits(&states(&service).await), 3);

    // The same version started again reads no more of them; one that knows a kind takes it up.
    let again = async || {
        let keys = CentralKeys::load(service.keys()).unwrap();
        let (clock, random) = (central::system_clock(), central::system_random());
        central::Central::new(service.pool.clone(), keys, clock, random).await.unwrap();
        device.pull(&service, 0).await.unwrap();
        states(&service).await
    };
    assert_eq!(waits(&again().await), 3);
    sqlx::query("UPDATE record SET state = 'waits' WHERE seq = 4").execute(&service.pool).await.unwrap();
    let states = again().await;
    assert_eq!((waits(&states), states[3].1.as_str()), (3, "applied"));

    // What it asks for with fields central does not know is refused, never half understood.
    for (target, mut asked) in [
        ("/v1/lease", json!({ "today": "2027-03-09", "incarnation": 1 })),
        ("/v1/registrations", json!({ "registration": device.registration(&service, 3, "A").unwrap() })),
    ] {
        asked["later"] = json!(1);
        let said = device.say(&service, "POST", target, &asked).await.unwrap();
        assert_eq!((said.status, said.code()), (400, "bad_body"), "{target}");
    }
}

/// What a central of another version makes of today's answers.
const SAME: u8 = 0;
/// It adds fields everywhere, and changes of kinds of its own.
const ADDS: u8 = 1;
/// Its word for a lease is another.
const RENAMES: u8 = 2;
/// It does not understand what is asked for.
const REFUSES: u8 = 3;

fn add_everywhere(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_everywhere);
            fields.insert("later".into(), json!({ "of": ["another", 1] }));
        }
        Value::Array(all) => all.iter_mut().for_each(add_everywhere),
        _ => {}
    }
}

fn other_version(how: u8, answer: &mut Value) {
    if how == ADDS {
        add_everywhere(answer);
        if let Some(changes) = answer["changes"].as_array_mut() {
            let strange = json!({ "change": "offer", "registration": "07".repeat(16), "until": 3 });
            let superseded = json!({ "change": "result", "incarnation": 1, "seq": 1, "hash": "00", "result": { "state": "superseded" } });
            changes.insert(0, strange);
            changes.push(superseded);
            let list =
                json!({ "kind": "prices", "list": "e30=", "key": "01020304", "signature": "05".repeat(64) });
            answer["lists"].as_array_mut().unwrap().push(list);
        }
    } else if let (RENAMES, Some(changes)) = (how, answer["changes"].as_array_mut()) {
        for change in changes.iter_mut().filter(|change| change["change"] == "lease") {
            change["change"] = json!("loan");
        }
    }
}

async fn through(how: Arc<AtomicU8>, request: Request, next: Next) -> Response {
    let how = how.load(Ordering::SeqCst);
    if how == REFUSES && ["/v1/registrations", "/v1/lease"].contains(&request.uri().path()) {
        let problem = json!({ "code": "bad_body", "status": 400, "args": {} }).to_string();
        let kind = [("content-type", "application/problem+json")];
        return (axum::http::StatusCode::BAD_REQUEST, kind, problem).into_response();
    }
    let (mut head, body) = next.run(request).await.into_parts();
    let bytes = to_bytes(body, 64 << 20).await.unwrap();
    let bytes = match serde_json::from_slice::<Value>(&bytes) {
        Ok(mut answer) if how != SAME => {
            other_version(how, &mut answer);
            serde_json::to_vec(&answer).unwrap()
        }
        _ => bytes.to_vec(),
    };
    head.headers.remove("content-length");
    Response::from_parts(head, Body::from(bytes))
}

/// A counter whose central speaks as `how` says.
async fn counter() -> (Counter, Listening, Arc<AtomicU8>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let how = Arc::new(AtomicU8::new(SAME));
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let lay = |router: Router| {
        let how = Arc::clone(&how);
        router.layer(middleware::from_fn(move |request, next| through(Arc::clone(&how), request, next)))
    };
    let other = Listening::with(pool, counter.folder.path(), lay).await.unwrap();
    let ca = counter.folder.path().join(tls::CA);
    let url = format!("https://localhost:{}", other.address.port());
    (counter.asking(&url, &ca).await.unwrap(), other, how)
}

#[tokio::test]
async fn what_a_newer_central_adds_holds_up_nothing() {
    let (counter, _other, how) = counter().await;
    how.store(ADDS, Ordering::SeqCst);
    assert_eq!(register(&counter.kiosk, "DIALLO").await.unwrap().source, DateSource::Online);
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let home = counter.kiosk.home().await.unwrap();
    assert_eq!((home.waiting, home.held, home.set_aside), (0, 0, 0), "its records are applied, and it knows");
    assert!(home.lease.free > 0, "its lease came between changes it cannot read");
    assert_eq!(home.notices, ["central_newer"], "said to the mediator, once");
}

#[tokio::test]
async fn a_change_passed_over_is_taken_up_by_a_kiosk_that_can_read_it() {
    let (counter, _other, how) = counter().await;
    how.store(RENAMES, Ordering::SeqCst);
    counter.kiosk.exchange().await.unwrap();
    let free = async |counter: &Counter| counter.kiosk.home().await.unwrap().lease.free;
    assert_eq!(free(&counter).await, 0);
    // The same program asks from where it stands: the cursor has gone on.
    how.store(SAME, Ordering::SeqCst);
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(free(&counter).await, 0);
    // Another version of it, which can read what the one before could not.
    let counter = counter
        .home_with(|vault| {
            vault.transact(|tx| {
                let mut noted: Value = tx.get_json("passed_over")?.unwrap();
                assert_eq!(noted["kinds"], json!(["loan"]));
                noted["by"] = json!("0.0.1");
                tx.put_json("passed_over", &noted)
            })
        })
        .await
        .unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert!(free(&counter).await > 0, "what was lent meanwhile is there");
    let before = free(&counter).await;
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(free(&counter).await, before);
}

#[tokio::test]
async fn an_older_central_that_does_not_understand_is_done_without() {
    let (counter, _other, how) = counter().await;
    counter.kiosk.exchange().await.unwrap();
    how.store(REFUSES, Ordering::SeqCst);
    assert_eq!(
        register(&counter.kiosk, "DIALLO").await.unwrap().source,
        DateSource::Lease,
        "a date all the same"
    );
    // What it cannot have is said; what it wrote is delivered.
    let _ = counter.kiosk.exchange().await;
    how.store(SAME, Ordering::SeqCst);
    counter.kiosk.exchange().await.unwrap();
    let home = counter.kiosk.home().await.unwrap();
    assert_eq!((home.waiting, home.held, home.set_aside), (0, 0, 0));
}
