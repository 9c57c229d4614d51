#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A far date is asked about once before it comes. Who says that they come has it noted, who says nothing
//! keeps it all the same, and nobody is asked about a near date.

use app::contract::{ToTellKind, WordKind};
use central::admin;
use domain::ids::WordId;
use domain::registration::Registration;
use domain::token::SignedToken;
use domain::word::Word;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, date};
use journeys::counter::{Counter, person, register};
use journeys::device::{Device, Service};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use wire::body::{Body, Cancellation, Outcome, Registered, Said, WordNoted};
use wire::messages::{Change, Told};

const DAY: i64 = 86_400;
const TODAY: Date = date(2027, 3, 9);

struct Person {
    told: Registration,
    at: DateTime,
}

async fn close(pool: &central::Pool, site: &str, (first, last): (Date, Date), now: jiff::Timestamp) {
    let closed = domain::calendar::Closure { first, last };
    let ask = admin::Ask::at(now, central::system_random());
    let preview = admin::Ask { preview: true, ..ask.clone() };
    let seen = admin::closure(pool, site, None, closed, &preview).await.unwrap();
    let token = seen["token"].as_str().map(str::to_owned);
    admin::closure(pool, site, None, closed, &admin::Ask { token, ..ask }).await.unwrap();
}

async fn registers(service: &Service, device: &mut Device, n: u8) -> Person {
    let mut told = device.registration(service, n, "A").unwrap();
    told.applicant.contact.phone = Some("0612345678".into());
    let asked = json!({ "registration": told });
    let said = device.say(service, "POST", "/v1/registrations", &asked).await.unwrap();
    let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
    let at = SignedToken::from_bytes(&token.0).unwrap().token.at;
    let (registration, now) = (told.clone(), service.now());
    let kept = Registered { registration, outcome: Outcome::Online { token }, at: now, day_declared: false };
    says(service, device, &Body::Registration(Box::new(kept))).await;
    Person { told, at }
}

async fn says(service: &Service, device: &mut Device, body: &Body) {
    let record = device.says(body).unwrap();
    assert_eq!(device.push(service, vec![record]).await.unwrap().status, 200);
}

/// What another kiosk is told of whoever has this paper.
async fn asked(service: &Service, device: &Device, one: &Person) -> Value {
    let asked = json!({ "code": one.told.code, "year": 1990 });
    device.say(service, "POST", "/v1/follow-up", &asked).await.unwrap().json["found"]["reconfirm"].clone()
}

async fn silent(service: &Service) -> (Value, Value, Vec<String>) {
    let told = admin::unconfirmed(&service.pool, "ONE", service.now()).await.unwrap();
    let people = told["people"].as_array().unwrap().iter();
    let codes = people.map(|one| one["code"].as_str().unwrap().to_owned()).collect();
    (told["confirmed"].clone(), told["not_confirmed"].clone(), codes)
}

/// The clock goes to noon of so many days before the date.
fn before(service: &Service, one: &Person, days: i64) {
    let ahead = i64::from(one.at.date().since(TODAY).unwrap().get_days());
    service.clock.store(Service::NOON + (ahead - days) * DAY, Ordering::SeqCst);
}

#[tokio::test]
async fn asked_in_its_days_and_silence_loses_nothing() {
    let service = Service::start().await.unwrap();
    let mut own = service.device("ONE", 1).await.unwrap();
    let other = service.device("TWO", 2).await.unwrap();
    let near = registers(&service, &mut own, 1).await;
    // Half a year is closed: the next dates lie behind it.
    close(
        &service.pool,
        "ONE",
        (TODAY.saturating_add(5.days()), TODAY.saturating_add(180.days())),
        service.now(),
    )
    .await;
    let mut far = Vec::new();
    let mut n = 2;
    while far.len() < 3 {
        let one = registers(&service, &mut own, n).await;
        if one.at.date() > TODAY.saturating_add(90.days()) {
            far.push(one);
        }
        n += 1;
    }
    assert_eq!(asked(&service, &other, &near).await, Value::Null, "a near date is not asked about");
    assert_eq!(silent(&service).await, (json!(0), json!(0), Vec::new()));
    before(&service, &far[0], 31);
    assert_eq!(asked(&service, &other, &far[0]).await, Value::Null, "not yet");
    before(&service, &far[0], 30);
    let last = far[0].at.date().saturating_sub(10.days());
    assert_eq!(asked(&service, &other, &far[0]).await, json!({ "last": last, "said": false }));
    let codes: Vec<String> = far.iter().map(|one| one.told.code.to_string()).collect();
    assert_eq!(silent(&service).await, (json!(0), json!(3), codes.clone()));

    // One says it at another kiosk, one at their own; the third gives it up.
    let word = |id: u8, at: DateTime, code| {
        json!({ "word": WordId([id; 16]), "code": code, "year": 1990, "says": "come", "appointment": at,
                "mediator": "demo", "document_seen": false })
    };
    let said = other.say(&service, "POST", "/v1/words", &word(1, far[0].at, far[0].told.code)).await.unwrap();
    assert_eq!(said.json["state"], "done");
    let again =
        other.say(&service, "POST", "/v1/words", &word(1, far[0].at, far[0].told.code)).await.unwrap();
    assert_eq!(again.json, said.json);
    let comes = Said {
        id: WordId([2; 16]),
        registration: far[1].told.id,
        code: far[1].told.code,
        says: Word::Come,
        appointment: Some(far[1].at),
        kiosk: own.kiosk,
        mediator: far[1].told.mediator.clone(),
        at: service.now(),
    };
    let at = service.now();
    says(&service, &mut own, &Body::Word(WordNoted { said: comes, at })).await;
    assert_eq!(asked(&service, &other, &far[0]).await["said"], true);
    assert_eq!(asked(&service, &other, &far[1]).await["said"], true);
    assert_eq!(silent(&service).await, (json!(2), json!(1), codes[2..].to_vec()));
    // Its own kiosk is told what was said elsewhere, and not its own word.
    let told = own.pull(&service, 0).await.unwrap().changes;
    let words = told.iter().filter(|told| matches!(told, Told::Known(Change::Word { .. }))).count();
    assert_eq!(words, 1);

    // The days are over and the third has said nothing: listed still, and the date stands.
    before(&service, &far[2], 9);
    assert_eq!(asked(&service, &other, &far[2]).await, Value::Null);
    assert_eq!(silent(&service).await.2, codes[2..]);
    service.central.date_missed().await.unwrap();
    service.central.carry_out_words().await.unwrap();
    service.central.carry_out_cancellations().await.unwrap();
    let stands = json!({ "code": far[2].told.code, "year": 1990 });
    let stands = other.say(&service, "POST", "/v1/follow-up", &stands).await.unwrap().json;
    assert_eq!(stands["found"]["at"], json!(far[2].at));
    let tasks = admin::tasks(&service.pool, "ONE", false).await.unwrap();
    assert_eq!(tasks["tasks"], json!([]), "silence is no task while no channel is used");
    let (registration, mediator, at) = (far[2].told.id, far[2].told.mediator.clone(), service.now());
    says(&service, &mut own, &Body::Cancellation(Cancellation { registration, mediator, at })).await;
    assert_eq!(silent(&service).await, (json!(2), json!(0), Vec::new()));
}

/// The date was moved meanwhile: what was said of the one before says nothing of this, and nobody is asked
/// before the days of the new one.
#[tokio::test]
async fn moved_meanwhile_it_is_the_new_date_that_is_asked_about() {
    let service = Service::start().await.unwrap();
    let mut own = service.device("ONE", 1).await.unwrap();
    let other = service.device("TWO", 2).await.unwrap();
    close(&service.pool, "ONE", (TODAY, TODAY.saturating_add(180.days())), service.now()).await;
    let far = registers(&service, &mut own, 1).await;
    before(&service, &far, 20);
    let word = json!({ "word": WordId([1; 16]), "code": far.told.code, "year": 1990, "says": "come",
                       "appointment": far.at, "mediator": "demo", "document_seen": false });
    other.say(&service, "POST", "/v1/words", &word).await.unwrap();
    assert_eq!(asked(&service, &other, &far).await["said"], true);
    // Their day is closed, and they are given one within the next weeks: not far, seen from today.
    let day = far.at.date();
    close(&service.pool, "ONE", (day, day), service.now()).await;
    let ask = admin::Ask::at(service.now(), central::system_random());
    let preview = admin::Ask { preview: true, ..ask.clone() };
    let seen = admin::redate(&service.pool, "ONE", &preview).await.unwrap();
    let token = seen["token"].as_str().map(str::to_owned);
    admin::redate(&service.pool, "ONE", &admin::Ask { token, ..ask }).await.unwrap();
    service.central.redate_due().await.unwrap();
    let moved = own.pull(&service, 0).await.unwrap().changes.into_iter().find_map(|told| match told {
        Told::Known(Change::Moved { token, .. }) => Some(token),
        _ => None,
    });
    let (registration, token, at) = (far.told.id, moved.unwrap(), service.now());
    assert_eq!(asked(&service, &other, &far).await, Value::Null, "no paper names it yet");
    says(&service, &mut own, &Body::Dated(wire::body::Dated { registration, token, at })).await;
    assert_eq!(asked(&service, &other, &far).await, Value::Null, "not far");
    assert_eq!(silent(&service).await, (json!(0), json!(0), Vec::new()));
}

/// At a counter: the card, the list of whom to tell, and one touch, here without a network, and at another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_counter() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let today = jiff::Zoned::now().date();
    let closed = (today, today.saturating_add(120.days()));
    close(&pool, journeys::stand::SITE, closed, jiff::Timestamp::now()).await;
    counter.kiosk.exchange().await.unwrap();
    let one = register(&counter.kiosk, "UNE").await.unwrap();
    let two = register(&counter.kiosk, "AUTRE").await.unwrap();
    assert!(one.reconfirm.is_none() && one.slot_at.is_some());
    counter.kiosk.exchange().await.unwrap();
    assert!(counter.kiosk.home().await.unwrap().to_tell.is_empty());
    // Their days have come; the network is away.
    let day: DateTime = one.slot_at.as_deref().unwrap().parse().unwrap();
    let ahead = i64::from(day.date().since(today).unwrap().get_days());
    counter = counter.days_later(ahead - 20).await.unwrap();
    let told = counter.kiosk.home().await.unwrap().to_tell;
    assert!(told.iter().all(|one| one.kind == ToTellKind::Reconfirm));
    // Received at one hour, they are in no order.
    let who: BTreeSet<&str> = told.iter().map(|one| one.visit.as_str()).collect();
    assert_eq!(who, BTreeSet::from([one.visit.as_str(), two.visit.as_str()]));
    let shown = counter.kiosk.date(&one.visit).await.unwrap().reconfirm.unwrap();
    assert_eq!((shown.said, shown.until), (false, day.date().saturating_sub(10.days()).to_string()));
    // One touch, without a network; twice is once. The other says it at another kiosk.
    counter = counter.cut_off(None).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.say_coming(&one.visit).await.unwrap();
    }
    let words = counter.kiosk.outbox().await.unwrap().items;
    assert_eq!(words.iter().filter(|item| item.kind == "word").count(), 1, "twice is once");
    counter = counter.home(None).await.unwrap();
    let other = counter.another(None).await.unwrap();
    let born = person("X").birth;
    let found = other.follow_up(&two.code, born.clone()).await.unwrap().elsewhere.unwrap();
    assert!(found.reconfirm.is_none(), "not yet");
    other.say_elsewhere(&two.code, born, WordKind::Come, found.slot_at, false).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let status = counter.kiosk.status().await.unwrap();
    assert_eq!((&status["journal"]["waiting"], &status["journal"]["set_aside"]), (&json!(0), &json!(0)));
    counter = counter.days_later(ahead - 20).await.unwrap();
    assert!(counter.kiosk.home().await.unwrap().to_tell.is_empty());
    for visit in [&one.visit, &two.visit] {
        let shown = counter.kiosk.date(visit).await.unwrap();
        assert!(shown.reconfirm.unwrap().said && shown.slot_at.is_some());
    }
}

/// Who gives a far date up is asked no more; who takes it back is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_up_it_is_asked_about_no_more() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let today = jiff::Zoned::now().date();
    let closed = (today, today.saturating_add(120.days()));
    close(&pool, journeys::stand::SITE, closed, jiff::Timestamp::now()).await;
    counter.kiosk.exchange().await.unwrap();
    let one = register(&counter.kiosk, "UNE").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.cancel(&one.visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let day: DateTime = one.slot_at.as_deref().unwrap().parse().unwrap();
    let ahead = i64::from(day.date().since(today).unwrap().get_days());
    counter = counter.days_later(ahead - 20).await.unwrap();
    assert!(counter.kiosk.home().await.unwrap().to_tell.is_empty());
    counter = counter.home(None).await.unwrap();
    counter.kiosk.reinstate(&one.visit).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    counter = counter.days_later(ahead - 20).await.unwrap();
    assert_eq!(counter.kiosk.home().await.unwrap().to_tell.len(), 1);
}
