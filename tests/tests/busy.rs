#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! An hour with more registrations than a kiosk or a mediator makes: everybody is registered and has
//! paper, the desk has one task for the hour, and dates beyond it wait until somebody looked or had
//! the time to. Central counts for itself, whatever a kiosk says.

use app::contract::{DateSource, LimitFields};
use central::admin::{self, SiteChange};
use domain::busy::Busy;
use domain::ids::RegistrationId;
use domain::limit::{Right, TimeLimit};
use domain::registration::Registration;
use domain::token::SignedToken;
use jiff::ToSpan as _;
use journeys::counter::{Counter, person, register};
use journeys::device::{Device, Service};
use journeys::stand::SITE;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use wire::body::{Body, Cancellation, Outcome, Registered, Reinstatement};
use wire::messages::{Applied, Change, Told};

async fn allow(service: &Service, kiosk: u16, mediator: u16) {
    let change = SiteChange {
        per_hour_kiosk: Some(kiosk),
        per_hour_mediator: Some(mediator),
        ..SiteChange::default()
    };
    admin::change_site(&service.pool, "ONE", &change, service.now()).await.unwrap();
}

/// Somebody of the next second, as the kiosk keeps them.
fn somebody(service: &Service, device: &Device, n: u8) -> Registration {
    service.clock.fetch_add(1, Ordering::SeqCst);
    device.registration(service, n, "A").unwrap()
}

fn kept(service: &Service, registration: &Registration, outcome: Outcome) -> Body {
    let registration = registration.clone();
    Body::Registration(Box::new(Registered { registration, outcome, at: service.now(), day_declared: false }))
}

const RANK: Outcome = Outcome::Rank { held: None, told: None, busy: None };

async fn push(service: &Service, device: &mut Device, bodies: &[Body]) {
    let records = bodies.iter().map(|body| device.says(body).unwrap()).collect();
    assert_eq!(device.push(service, records).await.unwrap().status, 200);
}

async fn dated(service: &Service, device: &Device) -> Vec<(RegistrationId, SignedToken)> {
    let pulled = device.pull(service, 0).await.unwrap();
    for told in &pulled.changes {
        if let Told::Known(Change::Result { result: Applied::SetAside { reason }, .. }) = told {
            panic!("set aside: {reason}");
        }
    }
    let dated = pulled.changes.into_iter().filter_map(|told| match told {
        Told::Known(Change::Dated { registration, token }) => {
            Some((registration, SignedToken::from_bytes(&token.0).unwrap()))
        }
        _ => None,
    });
    dated.collect()
}

async fn tasks(service: &Service) -> Vec<Value> {
    let told = admin::tasks(&service.pool, "ONE", false).await.unwrap();
    let all = told["tasks"].as_array().unwrap().iter();
    all.filter(|task| task["kind"] == "busy_hour").cloned().collect()
}

async fn answer(service: &Service, task: &Value) {
    let (task, random) = (task["task"].as_i64().unwrap(), central::system_random());
    admin::answer_task(&service.pool, task, ("Agent", "looked at"), service.now(), &random).await.unwrap();
}

#[tokio::test]
async fn beyond_a_full_hour_dates_wait_for_the_desk_and_come_in_rank_order() {
    let service = Service::start().await.unwrap();
    allow(&service, 3, 3).await;
    let mut device = service.device("ONE", 1).await.unwrap();
    let people: Vec<_> = (1..=5).map(|n| somebody(&service, &device, n)).collect();
    // Together in one push, and the kiosk says nothing: central counts.
    let bodies: Vec<_> = people.iter().map(|one| kept(&service, one, RANK)).collect();
    push(&service, &mut device, &bodies).await;
    let given = dated(&service, &device).await;
    let ids: Vec<_> = given.iter().map(|one| one.0).collect();
    assert_eq!(ids, [people[0].id, people[1].id, people[2].id], "within the hour");
    let open = tasks(&service).await;
    assert_eq!(open.len(), 1, "one task for the hour: {open:?}");
    assert_eq!((&open[0]["reason"], &open[0]["waiting"]), (&json!("kiosk"), &json!(2)));
    assert_eq!(open[0]["due"], "2027-03-11");
    assert_eq!(open[0]["kiosk"], json!(device.kiosk.to_string()));

    assert_eq!(service.central.date_waiting().await.unwrap(), 0, "nobody looked yet");
    // One of the two goes and comes back: that is no way around the desk.
    let (id, mediator, at) = (people[3].id, people[3].mediator.clone(), service.now());
    let gone = Body::Cancellation(Cancellation { registration: id, mediator: mediator.clone(), at });
    let back = Body::Reinstatement(Reinstatement { registration: id, mediator, at });
    push(&service, &mut device, &[gone, back]).await;
    assert_eq!(dated(&service, &device).await.len(), 3);
    assert_eq!(tasks(&service).await.len(), 1, "their going settles nothing for the others");

    answer(&service, &open[0]).await;
    assert_eq!(service.central.date_waiting().await.unwrap(), 2);
    let given = dated(&service, &device).await;
    assert_eq!(given[3..].iter().map(|one| one.0).collect::<Vec<_>>(), [people[3].id, people[4].id]);
    assert!(given[3].1.token.at < given[4].1.token.at, "the rank stands");
    assert_eq!(service.central.date_waiting().await.unwrap(), 0, "nobody twice");

    // The hour was looked at: who still comes in it is dated at once. The next full one is another.
    let one_more = somebody(&service, &device, 6);
    push(&service, &mut device, &[kept(&service, &one_more, RANK)]).await;
    assert_eq!(dated(&service, &device).await.len(), 6);
    service.clock.fetch_add(3_600, Ordering::SeqCst);
    for n in 7..=10 {
        let next = somebody(&service, &device, n);
        push(&service, &mut device, &[kept(&service, &next, RANK)]).await;
    }
    assert_eq!(dated(&service, &device).await.len(), 9);
    assert_eq!(tasks(&service).await.len(), 1);
}

#[tokio::test]
async fn whom_nobody_looked_at_is_dated_when_the_desks_time_is_over() {
    let service = Service::start().await.unwrap();
    allow(&service, 1, 1).await;
    let mut device = service.device("ONE", 1).await.unwrap();
    for n in 1..=2 {
        let one = somebody(&service, &device, n);
        push(&service, &mut device, &[kept(&service, &one, RANK)]).await;
    }
    // Due on Thursday: on that day the desk may still answer, on Friday nobody waits any more.
    service.clock.fetch_add(2 * 86_400, Ordering::SeqCst);
    assert_eq!(service.central.date_waiting().await.unwrap(), 0);
    service.clock.fetch_add(86_400, Ordering::SeqCst);
    assert_eq!(service.central.date_waiting().await.unwrap(), 1);
    assert_eq!(dated(&service, &device).await.len(), 2);
    assert_eq!(tasks(&service).await.len(), 1, "the task stays with the desk");
}

#[tokio::test]
async fn what_stands_on_a_paper_and_a_time_limit_do_not_wait() {
    let service = Service::start().await.unwrap();
    allow(&service, 1, 1).await;
    let mut device = service.device("ONE", 1).await.unwrap();
    let ask = async |told: &Registration| {
        device.say(&service, "POST", "/v1/registrations", &json!({ "registration": told })).await.unwrap()
    };
    let first = somebody(&service, &device, 1);
    let said = ask(&first).await;
    assert_eq!(said.status, 200);
    // Asked at once, the next one is told to wait, and the first is answered as before.
    let second = somebody(&service, &device, 2);
    let refused = ask(&second).await;
    assert_eq!((refused.status, refused.code()), (429, "busy_hour"));
    assert_eq!(ask(&first).await.json["token"], said.json["token"]);
    let mut urgent = somebody(&service, &device, 3);
    let last_day = urgent.registered_on.saturating_add(30.days());
    urgent.limit = Some(TimeLimit { right: Right::CourtInjunction, last_day, evidence: "TA".into() });
    let given = ask(&urgent).await;
    assert_eq!(given.status, 200);
    let text = |said: &Value| serde_json::from_value::<wire::bytes::Bytes>(said["token"].clone()).unwrap();
    let online = |said: &Value| Outcome::Online { token: text(said) };
    let bodies = [
        kept(&service, &first, online(&said.json)),
        kept(&service, &urgent, online(&given.json)),
        // The kiosk says which hour was full, whatever central would count.
        kept(&service, &second, Outcome::Rank { held: None, told: None, busy: Some(Busy::Mediator) }),
    ];
    push(&service, &mut device, &bodies).await;
    assert!(dated(&service, &device).await.is_empty(), "what was printed stands, the other waits");
    let open = tasks(&service).await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["waiting"], 1);
    let ranked = Outcome::Rank { held: None, told: None, busy: None };
    let mut late = somebody(&service, &device, 4);
    late.limit = urgent.limit.clone();
    push(&service, &mut device, &[kept(&service, &late, ranked)]).await;
    assert_eq!(dated(&service, &device).await.len(), 1, "a time limit is dated at once");
}

/// The window's own path: the kiosk hears the site's limit, keeps the person, and takes nothing of
/// its lease beyond it, with or without a network.
#[tokio::test]
async fn the_kiosk_gives_a_rank_beyond_a_full_hour_and_the_date_comes_after() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let now = central::system_clock();
    let change = SiteChange { per_hour_mediator: Some(1), ..SiteChange::default() };
    admin::change_site(&pool, SITE, &change, now()).await.unwrap();
    counter.kiosk.sync_now().await.unwrap();
    let first = register(&counter.kiosk, "PREMIER").await.unwrap();
    assert_eq!((first.source, first.busy), (DateSource::Online, false));
    let second = register(&counter.kiosk, "DEUXIEME").await.unwrap();
    assert_eq!((second.source, second.busy, second.slot_at.as_deref()), (DateSource::Rank, true, None));
    assert!(second.no_later_than.is_some(), "they are received then at the latest");
    // A time limit takes the lease or central's date as ever.
    let mut urgent = person("PRESSEE");
    urgent.limit = Some(LimitFields {
        right: "court_injunction".into(),
        last_day: String::new(),
        days: "60".into(),
        evidence: "TA".into(),
    });
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    counter.kiosk.save_draft(&visit, urgent).await.unwrap();
    assert_eq!(counter.kiosk.confirm(&visit).await.unwrap().source, DateSource::Online);

    let counter = counter.cut_off(None).await.unwrap();
    let third = register(&counter.kiosk, "TROISIEME").await.unwrap();
    assert_eq!((third.source, third.busy), (DateSource::Rank, true), "the lease has slots, and keeps them");
    let counter = counter.home(None).await.unwrap();
    counter.kiosk.sync_now().await.unwrap();
    assert!(counter.kiosk.date(&second.visit).await.unwrap().busy, "the desk has not looked");
    let told = admin::tasks(&pool, SITE, false).await.unwrap();
    let busy: Vec<_> =
        told["tasks"].as_array().unwrap().iter().filter(|task| task["kind"] == "busy_hour").collect();
    assert_eq!(busy.len(), 1, "{told}");
    assert_eq!((&busy[0]["waiting"], &busy[0]["reason"]), (&json!(2), &json!("mediator")));
    let (task, random) = (busy[0]["task"].as_i64().unwrap(), central::system_random());
    admin::answer_task(&pool, task, ("Agent", "vu"), now(), &random).await.unwrap();
    counter.own.central.date_waiting().await.unwrap();
    counter.kiosk.sync_now().await.unwrap();
    for receipt in [&second, &third] {
        let date = counter.kiosk.date(&receipt.visit).await.unwrap();
        assert!(!date.busy && date.slot_at.is_some(), "{date:?}");
        assert!(date.slot_at < receipt.no_later_than, "earlier than what the receipt held");
    }
}
