#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Who came is noted at the door from the paper alone, offline too, at any kiosk of the site. Who did
//! not come is an agent's word, never a guess: the place is kept once, and an arrival that is heard of
//! later undoes whatever was made of the absence.

use app::World;
use central::admin::{self, NoShow};
use domain::applicant::Agdref;
use domain::birth::Birth;
use domain::bytes::Hash;
use domain::ids::AttemptId;
use domain::registration::Registration;
use domain::token::{SignedToken, SlotToken};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use journeys::counter::{Counter, register};
use journeys::device::{Device, Service};
use serde_json::{Value, json};
use sqlx::Row as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wire::body::{
    Arrival, Body, Cancellation, Dated, Outcome, Print, PrintOutcome, Registered, Reinstatement,
};
use wire::messages::{Applied, Change, Told};

/// The appointments of whoever registers on [`Service::NOON`].
const FIRST: Date = date(2027, 3, 10);

/// The first open day that leaves whoever missed it, said the day after, three days to be told.
const NEXT: Date = date(2027, 3, 15);

/// Somebody with an appointment, and the date that was told.
struct Person {
    told: Registration,
    slot: SlotToken,
}

async fn dated(service: &Service, device: &mut Device, told: Registration) -> Person {
    let asked = json!({ "registration": told });
    let said = device.say(service, "POST", "/v1/registrations", &asked).await.unwrap();
    let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
    let slot = SignedToken::from_bytes(&token.0).unwrap().token;
    let (registration, at) = (told.clone(), service.now());
    let outcome = Outcome::Online { token };
    let kept = Registered { registration, outcome, at, day_declared: false };
    push(service, device, Body::Registration(Box::new(kept))).await;
    Person { told, slot }
}

async fn push(service: &Service, device: &mut Device, body: Body) {
    let record = device.says(&body).unwrap();
    assert_eq!(device.push(service, vec![record]).await.unwrap().status, 200);
}

fn came(service: &Service, person: &Person) -> Body {
    Body::Arrival(Arrival {
        registration: person.told.id,
        slot: person.slot.slot,
        appointment: person.slot.at,
        mediator: person.told.mediator.clone(),
        at: service.now(),
    })
}

async fn changes(service: &Service, device: &Device) -> Vec<Change> {
    let told = device.pull(service, 0).await.unwrap().changes;
    told.into_iter()
        .map(|told| match told {
            Told::Known(change) => change,
            Told::Later(later) => panic!("{later:?}"),
        })
        .collect()
}

async fn set_aside(service: &Service, device: &Device) -> Vec<String> {
    let all = changes(service, device).await.into_iter().filter_map(|change| match change {
        Change::Result { result: Applied::SetAside { reason }, .. } => Some(reason),
        _ => None,
    });
    all.collect()
}

/// The newest date told in the place of a missed one.
async fn moved(service: &Service, device: &Device, person: &Person) -> Option<SlotToken> {
    let mut last = None;
    for change in changes(service, device).await {
        if let Change::Moved { registration, from, token, because } = change
            && registration == person.told.id
        {
            assert!((from, because.as_str()) == (person.slot.at, "missed") || because == "reinstated");
            last = SignedToken::from_bytes(&token.0).map(|signed| signed.token);
        }
    }
    last
}

/// The kiosk makes the paper with the newest date told in the place of a missed one, and it is printed.
async fn paper_made(service: &Service, device: &mut Device, person: &Person, printed: bool) {
    let moved = changes(service, device).await.into_iter().rev().find_map(|change| match change {
        Change::Moved { registration, token, .. } if registration == person.told.id => Some(token),
        _ => None,
    });
    let (registration, at) = (person.told.id, service.now());
    let body = Body::Dated(Dated { registration, token: moved.unwrap(), at });
    push(service, device, body).await;
    if printed {
        let (attempt, sha256) = (AttemptId([person.told.id.0[15]; 16]), Hash([1; 32]));
        let (state, mediator) = (PrintOutcome::Printed, person.told.mediator.clone());
        let print = Print { registration, attempt, state, sha256, mediator, at };
        push(service, device, Body::Print(print)).await;
    }
}

async fn no_show(service: &Service, day: Date, said: Option<&str>) -> Result<Value, String> {
    asked(
        service,
        NoShow {
            site: "ONE".into(),
            day,
            came: Vec::new(),
            although: Vec::new(),
            by: said.map(str::to_owned),
        },
    )
    .await
}

async fn asked(service: &Service, ask: NoShow) -> Result<Value, String> {
    admin::no_show(&service.pool, &ask, service.now()).await.map_err(|refusal| refusal.to_string())
}

async fn tasks(service: &Service) -> Vec<(String, String)> {
    let told = admin::tasks(&service.pool, "ONE", false).await.unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    told["tasks"].as_array().unwrap().iter().map(|one| (word(&one["kind"]), word(&one["code"]))).collect()
}

async fn holder(service: &Service, slot: &SlotToken) -> Option<Vec<u8>> {
    let row =
        sqlx::query("SELECT registration FROM slot WHERE id = $1").bind(i64::try_from(slot.slot.0).unwrap());
    row.fetch_one(&service.pool).await.unwrap().get(0)
}

fn forward(service: &Service, days: i64) {
    service.clock.fetch_add(days * 86_400, Ordering::SeqCst);
}

#[tokio::test]
async fn who_did_not_come_has_another_date_once_and_a_place_that_waits_after() {
    let service = Service::start().await.unwrap();
    let (mut one, mut two) =
        (service.device("ONE", 1).await.unwrap(), service.device("ONE", 2).await.unwrap());
    let mut people = Vec::new();
    for n in 1..=3 {
        let told = one.registration(&service, n, "A").unwrap();
        people.push(dated(&service, &mut one, told).await);
    }
    assert!(people.iter().all(|person| person.slot.at.date() == FIRST));
    assert!(no_show(&service, FIRST, None).await.unwrap_err().contains("is not over"));

    forward(&service, 2);
    // Neither kiosk was heard since: either may hold who came.
    let told = no_show(&service, FIRST, None).await.unwrap();
    assert_eq!((&told["absent"], told["not_heard_since"].as_array().unwrap().len()), (&json!(3), 2));
    let refused = no_show(&service, FIRST, Some("Agent")).await.unwrap_err();
    assert!(
        refused.contains(&one.kiosk.to_string()) && refused.contains(&two.kiosk.to_string()),
        "{refused}"
    );
    // The first came to another kiosk than the one that registered them.
    push(&service, &mut two, came(&service, &people[0])).await;
    push(&service, &mut two, came(&service, &people[0])).await;
    assert!(set_aside(&service, &two).await.is_empty());
    changes(&service, &one).await;
    let told = no_show(&service, FIRST, Some("Agent")).await.unwrap();
    assert_eq!((&told["absent"], &told["not_heard_since"]), (&json!(2), &json!([])));
    assert_eq!(no_show(&service, FIRST, Some("Agent")).await.unwrap()["absent"], 0, "said once");
    assert_eq!(service.central.date_missed().await.unwrap(), 2);
    assert_eq!(service.central.date_missed().await.unwrap(), 0);
    assert!(moved(&service, &one, &people[0]).await.is_none(), "they came");
    let second = [&people[1], &people[2]];
    let mut given = Vec::new();
    for person in second {
        given.push(moved(&service, &one, person).await.unwrap());
    }
    // The first free slots with time to tell them, in the order of the list.
    let day = NEXT;
    assert_eq!([given[0].at, given[1].at], [day.at(9, 0, 0, 0), day.at(9, 30, 0, 0)]);
    assert_eq!(holder(&service, &people[1].slot).await, None);
    assert_eq!(tasks(&service).await, []);

    // The second of them comes to the new date; the other does not again. As long as no paper with
    // that date was out, nobody has missed it.
    paper_made(&service, &mut one, &people[1], false).await;
    forward(&service, 6);
    let new = Person { told: people[2].told.clone(), slot: given[1].clone() };
    push(&service, &mut two, came(&service, &new)).await;
    changes(&service, &two).await;
    changes(&service, &one).await;
    let told = no_show(&service, day, Some("Agent")).await.unwrap();
    assert_eq!((&told["absent"], &told["not_told"]), (&json!(0), &json!(1)));
    service.clock.fetch_sub(6 * 86_400, Ordering::SeqCst);
    paper_made(&service, &mut one, &people[1], true).await;
    forward(&service, 6);
    changes(&service, &two).await;
    changes(&service, &one).await;
    let told = no_show(&service, day, Some("Agent")).await.unwrap();
    assert_eq!((&told["absent"], &told["not_told"]), (&json!(1), &json!(0)));
    assert_eq!(service.central.date_missed().await.unwrap(), 1);
    let ended = changes(&service, &one).await.into_iter().find_map(|change| match change {
        Change::Ended { registration, because, .. } => Some((registration, because)),
        _ => None,
    });
    assert_eq!(ended, Some((people[1].told.id, "missed".to_owned())));
    assert_eq!(tasks(&service).await, [("missed_twice".to_owned(), people[1].told.code.to_string())]);
    // They come back within thirty days: a date again, and nobody looks for them.
    let (registration, mediator, at) = (people[1].told.id, people[1].told.mediator.clone(), service.now());
    push(&service, &mut one, Body::Reinstatement(Reinstatement { registration, mediator, at })).await;
    let again = changes(&service, &one).await.into_iter().any(|change| {
        matches!(change, Change::Moved { registration: id, because, .. } if id == registration && because == "reinstated")
    });
    assert!(again && tasks(&service).await.is_empty());
    assert!(set_aside(&service, &one).await.is_empty());
}

#[tokio::test]
async fn an_arrival_heard_of_later_undoes_what_was_made_of_the_absence() {
    let service = Service::start().await.unwrap();
    let (mut one, mut two) =
        (service.device("ONE", 1).await.unwrap(), service.device("ONE", 2).await.unwrap());
    let told = one.registration(&service, 1, "A").unwrap();
    let person = dated(&service, &mut one, told).await;
    let told = one.registration(&service, 2, "B").unwrap();
    let seen = dated(&service, &mut one, told).await;
    forward(&service, 2);
    changes(&service, &one).await;
    // The second kiosk is not waited for; an agent saw one of them.
    let mut ask = NoShow {
        site: "ONE".into(),
        day: FIRST,
        came: vec![seen.told.code.to_string()],
        although: vec![two.kiosk.to_string()],
        by: Some("Agent".into()),
    };
    let told = asked(&service, ask.clone()).await.unwrap();
    assert_eq!((&told["absent"], &told["came"]), (&json!(1), &json!(1)));
    service.central.date_missed().await.unwrap();
    let new = moved(&service, &one, &person).await.unwrap();
    assert_eq!(holder(&service, &new).await, Some(person.told.id.0.to_vec()));
    push(&service, &mut two, came(&service, &person)).await;
    assert!(set_aside(&service, &two).await.is_empty());
    assert_eq!(
        holder(&service, &person.slot).await,
        Some(person.told.id.0.to_vec()),
        "that date was honoured"
    );
    assert_eq!(holder(&service, &new).await, None, "the new one is somebody else's");
    // Their kiosk makes a paper of the change that was on its way: nothing follows from it, nor from
    // a cancellation.
    paper_made(&service, &mut one, &person, true).await;
    assert_eq!(holder(&service, &new).await, None);
    assert_eq!(holder(&service, &person.slot).await, Some(person.told.id.0.to_vec()));
    let (registration, mediator, at) = (person.told.id, person.told.mediator.clone(), service.now());
    push(&service, &mut one, Body::Cancellation(Cancellation { registration, mediator, at })).await;
    assert_eq!(set_aside(&service, &one).await, ["honoured"]);
    // A code of nobody who is looked for is a slip.
    (ask.although, ask.by) = (Vec::new(), None);
    assert!(asked(&service, ask).await.unwrap_err().contains("--came"));
    // Honoured, nothing brings a date back.
    let (registration, mediator, at) = (person.told.id, person.told.mediator.clone(), service.now());
    push(&service, &mut one, Body::Reinstatement(Reinstatement { registration, mediator, at })).await;
    assert_eq!(set_aside(&service, &one).await, ["honoured", "honoured"]);
    // Another site says nothing of them, and of somebody unknown an arrival waits for their kiosk.
    let mut far = service.device("TWO", 3).await.unwrap();
    push(&service, &mut far, came(&service, &person)).await;
    assert_eq!(set_aside(&service, &far).await, ["other_site"]);
}

#[tokio::test]
async fn an_agent_takes_back_that_somebody_did_not_come() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let mut people = Vec::new();
    for n in 1..=3 {
        let told = device.registration(&service, n, "A").unwrap();
        people.push(dated(&service, &mut device, told).await);
    }
    let [one, two, three] = &people[..] else { panic!("three") };
    forward(&service, 2);
    changes(&service, &device).await;
    assert_eq!(no_show(&service, FIRST, Some("Agent")).await.unwrap()["absent"], 3);
    let ask = |came: &[&Person], by: Option<&str>, day: Date| NoShow {
        site: "ONE".into(),
        day,
        came: came.iter().map(|person| person.told.code.to_string()).collect(),
        although: Vec::new(),
        by: by.map(str::to_owned),
    };
    // Before anything followed: nothing does.
    asked(&service, ask(&[three], Some("Agent"), FIRST)).await.unwrap();
    assert_eq!(service.central.date_missed().await.unwrap(), 2);
    assert_eq!(service.central.carry_out_arrivals().await.unwrap(), 1);
    assert_eq!(service.central.carry_out_arrivals().await.unwrap(), 0);
    assert_eq!(holder(&service, &three.slot).await, Some(three.told.id.0.to_vec()));
    assert!(moved(&service, &device, three).await.is_none());

    // Once another date was given: looked at it says which, and only said it goes to others.
    let new = moved(&service, &device, one).await.unwrap();
    let shown = json!([{ "code": one.told.code.to_string(), "slot_at": new.at.strftime("%Y-%m-%dT%H:%M").to_string() }]);
    assert_eq!(asked(&service, ask(&[one], None, FIRST)).await.unwrap()["taken_back"], shown);
    assert_eq!(service.central.carry_out_arrivals().await.unwrap(), 0);
    assert_eq!(holder(&service, &new).await, Some(one.told.id.0.to_vec()));
    let nobody = [&Person { told: device.registration(&service, 9, "Z").unwrap(), slot: new.clone() }, one];
    let refused = asked(&service, ask(&nobody, Some("Agent"), FIRST)).await.unwrap_err();
    assert!(refused.contains(&nobody[0].told.code.to_string()), "{refused}");
    assert!(!refused.contains(&one.told.code.to_string()), "{refused}");
    assert_eq!(service.central.carry_out_arrivals().await.unwrap(), 0, "all of it or nothing");
    assert_eq!(asked(&service, ask(&[one], Some("Agent"), FIRST)).await.unwrap()["taken_back"], shown);
    assert_eq!(service.central.carry_out_arrivals().await.unwrap(), 1);
    assert_eq!(holder(&service, &new).await, None);
    assert_eq!(holder(&service, &one.slot).await, Some(one.told.id.0.to_vec()));
    assert!(asked(&service, ask(&[one], Some("Agent"), FIRST)).await.is_err(), "they came");
    assert_eq!(service.central.date_missed().await.unwrap(), 0);

    // The second time ended their place: it stands again, and the desk need not look for them.
    let again = Person { told: two.told.clone(), slot: moved(&service, &device, two).await.unwrap() };
    paper_made(&service, &mut device, two, true).await;
    forward(&service, 6);
    changes(&service, &device).await;
    let day = again.slot.at.date();
    assert_eq!(no_show(&service, day, Some("Agent")).await.unwrap()["absent"], 1);
    assert_eq!(service.central.date_missed().await.unwrap(), 1);
    assert_eq!(tasks(&service).await, [("missed_twice".to_owned(), two.told.code.to_string())]);
    let told = asked(&service, ask(&[&again], Some("Agent"), day)).await.unwrap();
    assert_eq!(told["taken_back"], json!([{ "code": two.told.code.to_string(), "slot_at": null }]));
    assert_eq!(service.central.carry_out_arrivals().await.unwrap(), 1);
    assert_eq!(tasks(&service).await, []);
    assert_eq!(holder(&service, &again.slot).await, Some(two.told.id.0.to_vec()));
    let ended = "SELECT count(*) FROM registration WHERE cancelled_s IS NOT NULL";
    let ended: i64 = sqlx::query_scalar(ended).fetch_one(&service.pool).await.unwrap();
    assert_eq!(ended, 0);
    let said =
        "SELECT about FROM audit_waiting WHERE act = 'came_said' AND who = 'agent:Agent' ORDER BY about";
    let said: Vec<String> = sqlx::query_scalar(said).fetch_all(&service.pool).await.unwrap();
    let mut ids: Vec<String> = people.iter().map(|person| person.told.id.to_string()).collect();
    ids.sort();
    assert_eq!(said, ids);
}

#[tokio::test]
async fn received_once_the_desk_asks_about_the_other_date_and_an_arrival_may_come_first() {
    let service = Service::start().await.unwrap();
    let (mut one, mut two) =
        (service.device("ONE", 1).await.unwrap(), service.device("ONE", 2).await.unwrap());
    let mut same = Vec::new();
    for n in 1..=2 {
        service.clock.fetch_add(1, Ordering::SeqCst);
        let mut told = one.registration(&service, n, "DIALLO").unwrap();
        told.applicant.agdref = Agdref::parse("1234567890");
        told.applicant.birth = Birth::Whole { date: date(1990, 5, 2) };
        same.push(told);
    }
    let first = dated(&service, &mut one, same.remove(0)).await;
    forward(&service, 1);
    let mut later = same.remove(0);
    later.registered_at = service.now();
    later.registered_on = FIRST;
    let second = dated(&service, &mut one, later).await;
    assert!(second.slot.at.date() > FIRST);
    push(&service, &mut two, came(&service, &first)).await;
    assert_eq!(tasks(&service).await, [("second_date".to_owned(), second.told.code.to_string())]);
    assert_eq!(
        holder(&service, &second.slot).await,
        Some(second.told.id.0.to_vec()),
        "both dates stood, and do"
    );

    // Their own kiosk has not sent them yet: the arrival is kept, and holds when it does.
    let told = one.registration(&service, 9, "LATER").unwrap();
    let asked = json!({ "registration": told });
    let said = one.say(&service, "POST", "/v1/registrations", &asked).await.unwrap();
    let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
    let slot = SignedToken::from_bytes(&token.0).unwrap().token;
    sqlx::raw_sql("UPDATE slot SET registration = NULL, withheld = true WHERE registration IN (SELECT id FROM registration WHERE state = 'asked'); \
                   DELETE FROM registration WHERE state = 'asked'").execute(&service.pool).await.unwrap();
    let person = Person { told: told.clone(), slot };
    push(&service, &mut two, came(&service, &person)).await;
    assert!(set_aside(&service, &two).await.is_empty());
    let kept = Registered {
        registration: told,
        outcome: Outcome::Online { token },
        at: service.now(),
        day_declared: false,
    };
    push(&service, &mut one, Body::Registration(Box::new(kept))).await;
    forward(&service, 3);
    changes(&service, &one).await;
    changes(&service, &two).await;
    let told = no_show(&service, person.slot.at.date(), None).await.unwrap();
    let codes: Vec<_> = told["people"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert!(!codes.contains(&json!(person.told.code.to_string())), "{told}");
}

/// The counter on the day: another machine's clock, no network.
async fn on(counter: Counter, moment: Timestamp) -> Counter {
    let clock = Arc::new(move || moment);
    counter.elsewhere(World { clock, ..World::system() }).await.unwrap()
}

#[tokio::test]
async fn a_paper_good_today_says_who_came_without_a_network_and_no_other_does() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let given = register(&counter.kiosk, "VENUE").await.unwrap();
    let paper = given.code_large.clone();
    let shown = counter.kiosk.show_paper(&paper).await.unwrap();
    assert_eq!((shown.verdict.as_str(), shown.arrive), ("valid", None), "not today");
    assert_eq!(counter.kiosk.arrive(&paper).await.unwrap_err().code, "arrival_not_today");
    let day: jiff::civil::DateTime = given.slot_at.unwrap().parse().unwrap();
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let moment = zone.to_timestamp(day.date().at(8, 0, 0, 0)).unwrap();

    let counter = on(counter, moment).await;
    let shown = counter.kiosk.show_paper(&paper).await.unwrap();
    assert_eq!((shown.arrive.as_deref(), &shown.arrived_at), (Some(paper.as_str()), &None));
    let first = counter.kiosk.arrive(&paper).await.unwrap();
    assert!(first.arrived_at.is_some() && first.arrive.is_none());
    assert_eq!(counter.kiosk.arrive(&paper).await.unwrap().arrived_at, first.arrived_at, "twice is once");
    // Nothing is left to give up, here as at central.
    assert_eq!(counter.kiosk.cancel(&given.visit).await.unwrap_err().code, "word_honoured");
    let kinds = |outbox: app::contract::OutboxView| -> Vec<String> {
        outbox.items.into_iter().map(|item| item.kind).filter(|kind| kind == "arrival").collect()
    };
    assert_eq!(kinds(counter.kiosk.outbox().await.unwrap()).len(), 1);
    assert_eq!(counter.kiosk.arrive("JALON1.AAAA").await.unwrap_err().code, "paper_no_code");

    let tomorrow = zone.to_timestamp(day.date().saturating_add(1.days()).at(8, 0, 0, 0)).unwrap();
    let counter = on(counter, tomorrow).await;
    assert_eq!(counter.kiosk.show_paper(&paper).await.unwrap().arrive, None);
    assert_eq!(counter.kiosk.arrive(&paper).await.unwrap_err().code, "arrival_not_today");

    let counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let row = sqlx::query(
        "SELECT count(*), (SELECT count(*) FROM record WHERE state IN ('set_aside', 'held')) FROM arrival \
         JOIN slot USING (registration, at)",
    );
    let row = row.fetch_one(&pool).await.unwrap();
    assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (1, 0));
}
