#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A site's calendar on a real central: several people at one hour, counters that serve some
//! procedures only, sites that move or end, single openings, clocks that change; and a change
//! that is seen before it is made and moves no date.

mod change;
mod lease;

use app::contract::{DateSource, PaperKind};
use central::admin::{self, AdminRefusal, Ask, NewSite};
use domain::calendar::{CAPACITY_MAX, Closure, Opening, Pattern, PatternChange, SiteKind};
use domain::lease::Stratum;
use domain::procedure::{Procedure, ProcedureSet};
use domain::registration::Registration;
use domain::token::SignedToken;
use jiff::civil::{Date, DateTime, date, time};
use journeys::counter::{Counter, person, register};
use journeys::device::{Device, Said, Service};
use journeys::stand::SITE;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use wire::body::{Body, Outcome, Registered};
use wire::messages::{Change, LentSlot, Told};

/// The day [`Service::NOON`] lies on, a Tuesday.
const TODAY: Date = date(2027, 3, 9);

fn only(keys: &[&str]) -> ProcedureSet {
    ProcedureSet::of(keys.iter().map(|key| Procedure::parse(key).unwrap()))
}

/// Every day from nine to ten, one slot.
fn hour(from: Date) -> Pattern {
    Pattern {
        weekdays: vec![1, 2, 3, 4, 5, 6, 7],
        opens: time(9, 0, 0, 0),
        closes: time(10, 0, 0, 0),
        every_minutes: 60,
        capacity: 1,
        procedures: ProcedureSet::ALL,
        from,
        until: None,
    }
}

fn opening(day: Date) -> Opening {
    Opening {
        day,
        opens: time(14, 0, 0, 0),
        closes: time(15, 0, 0, 0),
        every_minutes: 30,
        capacity: 1,
        procedures: ProcedureSet::ALL,
    }
}

async fn site(service: &Service, id: &str, kind: SiteKind, zone: &str, lease_slots: i16) {
    let site = NewSite {
        id: id.into(),
        name: id.into(),
        address: Vec::new(),
        phone: None,
        zone: zone.into(),
        holidays: "metropolitan".into(),
        site_key: age::x25519::Identity::generate().to_public().to_string(),
        lease_slots: Some(lease_slots),
        kind,
        from: TODAY,
    };
    admin::site(&service.pool, &site).await.unwrap();
}

/// A site open every day, with these counters.
async fn with(service: &Service, id: &str, lease_slots: i16, counters: &[Pattern]) {
    site(service, id, SiteKind::Fixed, "Europe/Paris", lease_slots).await;
    for (n, pattern) in counters.iter().enumerate() {
        let name = format!("C{n}");
        admin::counter(&service.pool, id, &name, std::slice::from_ref(pattern)).await.unwrap();
    }
}

fn wanting(device: &Device, service: &Service, n: u8, procedure: &str) -> Registration {
    let mut registration = device.registration(service, n, "A").unwrap();
    registration.procedure = Procedure::parse(procedure).unwrap();
    registration
}

async fn ask(device: &Device, service: &Service, registration: &Registration) -> Said {
    let asked = json!({ "registration": registration });
    let said = device.say(service, "POST", "/v1/registrations", &asked).await.unwrap();
    assert_eq!(said.status, 200, "{}", said.json);
    said
}

fn token(said: &Said) -> Option<SignedToken> {
    let bytes: Option<wire::bytes::Bytes> = serde_json::from_value(said.json["token"].clone()).unwrap();
    SignedToken::from_bytes(&bytes?.0)
}

/// The hour a person asking for this is given.
async fn given(device: &Device, service: &Service, n: u8, procedure: &str) -> Option<DateTime> {
    let said = ask(device, service, &wanting(device, service, n, procedure)).await;
    token(&said).map(|signed| signed.token.at)
}

async fn lent(device: &Device, service: &Service, target: &str) -> Vec<LentSlot> {
    let asked = json!({ "today": TODAY, "incarnation": 1 });
    let said = device.say(service, "POST", target, &asked).await.unwrap();
    assert_eq!(said.status, 200, "{}", said.json);
    let pulled = device.pull(service, 0).await.unwrap();
    let slots = pulled.changes.into_iter().filter_map(|told| match told {
        Told::Known(Change::Lease { slots, .. }) => Some(slots),
        _ => None,
    });
    slots.flatten().collect()
}

fn now(service: &Service) -> Ask {
    Ask::at(service.now(), central::system_random())
}

fn preview(service: &Service) -> Ask {
    Ask { preview: true, ..now(service) }
}

fn seen(service: &Service, answer: &Value) -> Ask {
    Ask { token: Some(answer["token"].as_str().unwrap().to_owned()), ..now(service) }
}

fn sentence(refusal: Result<Value, AdminRefusal>) -> String {
    let refusal = refusal.unwrap_err();
    assert!(refusal.is_refusal(), "{refusal}");
    refusal.to_string()
}

async fn tasks(service: &Service, site: &str) -> Vec<(String, String, String)> {
    let listed = admin::tasks(&service.pool, site, false).await.unwrap();
    let text = |task: &Value, key: &str| task[key].as_str().unwrap().to_owned();
    let tasks = listed["tasks"].as_array().unwrap().iter();
    tasks.map(|task| (text(task, "kind"), text(task, "reason"), text(task, "due"))).collect()
}

/// Where every registration of the site stands.
async fn dates(service: &Service) -> Vec<(i64, String)> {
    sqlx::query_as(
        "SELECT id, at::text || ' ' || encode(registration, 'hex') FROM slot WHERE registration IS NOT NULL ORDER BY id",
    )
    .fetch_all(&service.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn an_hour_has_as_many_slots_as_people_received_at_once() {
    let service = Service::start().await.unwrap();
    with(&service, "WIDE", 0, &[Pattern { capacity: 3, ..hour(TODAY) }]).await;
    let device = service.device("WIDE", 9).await.unwrap();
    let (first, second) = (date(2027, 3, 10).at(9, 0, 0, 0), date(2027, 3, 11).at(9, 0, 0, 0));
    let mut slots = BTreeSet::new();
    for n in 1..=3 {
        let said = ask(&device, &service, &wanting(&device, &service, n, "renewal")).await;
        let token = token(&said).unwrap().token;
        assert_eq!(token.at, first);
        slots.insert(token.slot);
    }
    assert_eq!(slots.len(), 3, "each has a slot of its own");
    assert_eq!(given(&device, &service, 4, "renewal").await, Some(second), "a fourth is not received then");

    // The first slot of an hour has the id it had when an hour had one.
    with(&service, "THIN", 0, &[hour(TODAY)]).await;
    let ids = |site: &'static str| {
        sqlx::query_scalar::<_, i64>(
            "SELECT slot.id FROM slot WHERE site = $1 AND extra = 0 ORDER BY at LIMIT 5",
        )
        .bind(site)
        .fetch_all(&service.pool)
    };
    let thin = service.device("THIN", 8).await.unwrap();
    given(&thin, &service, 11, "renewal").await.unwrap();
    let change = PatternChange::Replace(Pattern { capacity: 2, ..hour(date(2027, 3, 10)) });
    let before = ids("THIN").await.unwrap();
    let told = admin::counter_change(&service.pool, "THIN", "C0", &change, &now(&service)).await.unwrap();
    assert_eq!((&told["outside"], &told["slots_vanish"]), (&json!(0), &json!(0)), "{told}");
    assert!(told["slots_appear"].as_i64().unwrap() > 20, "{told}");
    assert_eq!(ids("THIN").await.unwrap(), before);
}

#[tokio::test]
async fn a_person_is_given_a_slot_that_serves_what_they_come_for() {
    let service = Service::start().await.unwrap();
    let renewals = Pattern { procedures: only(&["renewal", "duplicate"]), ..hour(TODAY) };
    let travel = Pattern { procedures: only(&["refugee_travel_document"]), weekdays: vec![4], ..hour(TODAY) };
    with(&service, "SOME", 0, &[renewals, travel]).await;
    let device = service.device("SOME", 9).await.unwrap();
    let at = |day| Some(date(2027, 3, day).at(9, 0, 0, 0));
    assert_eq!(given(&device, &service, 1, "refugee_travel_document").await, at(11));
    assert_eq!(given(&device, &service, 2, "refugee_travel_document").await, at(18));
    assert_eq!(given(&device, &service, 3, "renewal").await, at(10));
    assert_eq!(given(&device, &service, 4, "duplicate").await, at(11), "beside the one for travel documents");

    // What no counter serves: no date, told at once, and no slots made to look for one.
    let made = sqlx::query_scalar::<_, String>("SELECT slots_until::text FROM site WHERE id = 'SOME'");
    let before = made.fetch_one(&service.pool).await.unwrap();
    assert_eq!(given(&device, &service, 5, "naturalisation").await, None);
    let made = sqlx::query_scalar::<_, String>("SELECT slots_until::text FROM site WHERE id = 'SOME'");
    assert_eq!(made.fetch_one(&service.pool).await.unwrap(), before);
    let tasks = tasks(&service, "SOME").await;
    assert_eq!(tasks.len(), 1);
    assert_eq!((tasks[0].0.as_str(), tasks[0].1.as_str()), ("escalation", "no_capacity"));

    // A counter that serves it from far ahead: the days until then are made, no horizon.
    let far = Pattern { procedures: only(&["naturalisation"]), ..hour(date(2029, 9, 3)) };
    admin::counter(&service.pool, "SOME", "FAR", &[far]).await.unwrap();
    let begun = std::time::Instant::now();
    let far = given(&device, &service, 6, "naturalisation").await;
    assert_eq!(far, Some(date(2029, 9, 3).at(9, 0, 0, 0)));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_temporary_site_ends_and_a_mobile_one_is_there_on_its_days() {
    let service = Service::start().await.unwrap();
    let last = date(2027, 3, 12);
    site(&service, "FAIR", SiteKind::Temporary { last }, "Europe/Paris", 0).await;
    admin::counter(&service.pool, "FAIR", "A", &[hour(TODAY)]).await.unwrap();
    let device = service.device("FAIR", 9).await.unwrap();
    for (n, day) in [(1, 10), (2, 11), (3, 12)] {
        let at = Some(date(2027, 3, day).at(9, 0, 0, 0));
        assert_eq!(given(&device, &service, n, "renewal").await, at);
    }
    assert_eq!(given(&device, &service, 4, "renewal").await, None, "it stands no more");
    let late =
        admin::opening(&service.pool, "FAIR", "A", &[opening(date(2027, 3, 13))], &now(&service)).await;
    assert!(sentence(late).contains("does not stand on 2027-03-13"));
    admin::site_days(&service.pool, "FAIR", date(2027, 3, 14), &now(&service)).await.unwrap();
    let at = Some(date(2027, 3, 13).at(9, 0, 0, 0));
    assert_eq!(given(&device, &service, 5, "renewal").await, at, "longer than was said");
    // And shorter: whoever is dated keeps the date, and is a task.
    let until = date(2027, 3, 11);
    let refused = admin::site_days(&service.pool, "FAIR", until, &now(&service)).await;
    assert!(sentence(refused).contains("--preview"));
    let told = admin::site_days(&service.pool, "FAIR", until, &preview(&service)).await.unwrap();
    assert_eq!(told["outside"], 2, "{told}");
    admin::site_days(&service.pool, "FAIR", until, &seen(&service, &told)).await.unwrap();
    assert_eq!(tasks(&service, "FAIR").await.iter().filter(|task| task.0 == "date_outside").count(), 2);

    site(&service, "BUS", SiteKind::Mobile, "Europe/Paris", 0).await;
    let weekly = admin::counter(&service.pool, "BUS", "A", &[hour(TODAY)]).await;
    assert!(sentence(weekly).contains("mobile"));
    admin::counter(&service.pool, "BUS", "A", &[]).await.unwrap();
    let device = service.device("BUS", 8).await.unwrap();
    assert_eq!(given(&device, &service, 11, "renewal").await, None, "no day is named yet");
    let days = [date(2027, 3, 20), date(2027, 5, 1)].map(opening);
    admin::opening(&service.pool, "BUS", "A", &days, &now(&service)).await.unwrap();
    let at = |month, day, minute| Some(date(2027, month, day).at(14, minute, 0, 0));
    assert_eq!(given(&device, &service, 12, "renewal").await, at(3, 20, 0));
    assert_eq!(given(&device, &service, 13, "renewal").await, at(3, 20, 30));
    assert_eq!(given(&device, &service, 14, "renewal").await, at(5, 1, 0), "a holiday, and named");
    assert_eq!(given(&device, &service, 15, "renewal").await, at(5, 1, 30));
    assert_eq!(given(&device, &service, 16, "renewal").await, None);
    let empty = admin::counter(&service.pool, "ONE", "B", &[]).await;
    assert!(sentence(empty).contains("--weekdays"), "a site that stays has weekly hours");
}

#[tokio::test]
async fn a_counter_opens_on_a_named_day_until_somebody_is_dated_there() {
    let service = Service::start().await.unwrap();
    let device = service.device("ONE", 9).await.unwrap();
    // Days are made already: the opening's slots come into them.
    given(&device, &service, 1, "renewal").await.unwrap();
    let sunday = date(2027, 3, 14);
    let told = admin::opening(&service.pool, "ONE", "A", &[opening(sunday)], &now(&service)).await.unwrap();
    assert_eq!((&told["slots_appear"], &told["outside"]), (&json!(2), &json!(0)), "{told}");
    let stands = admin::calendar(&service.pool, "ONE").await.unwrap();
    assert_eq!(stands["counters"][0]["openings"][0]["day"], "2027-03-14", "{stands}");
    for (day, words) in [(TODAY, "not to come"), (date(2020, 1, 1), "not to come")] {
        let late = admin::opening(&service.pool, "ONE", "A", &[opening(day)], &now(&service)).await;
        assert!(sentence(late).contains(words));
    }
    let gone = admin::remove_opening(&service.pool, "ONE", "A", &[sunday], &now(&service)).await.unwrap();
    assert_eq!(gone["slots_vanish"], 2, "nobody was dated there: {gone}");
    let none = admin::remove_opening(&service.pool, "ONE", "A", &[sunday], &now(&service)).await;
    assert!(sentence(none).contains("has no opening on 2027-03-14"));

    admin::opening(&service.pool, "ONE", "A", &[opening(sunday)], &now(&service)).await.unwrap();
    let mut someone = wanting(&device, &service, 2, "renewal");
    someone.registered_on = date(2027, 3, 13);
    let at = token(&ask(&device, &service, &someone).await).unwrap().token.at;
    assert_eq!(at, sunday.at(14, 0, 0, 0));
    let held = admin::remove_opening(&service.pool, "ONE", "A", &[sunday], &now(&service)).await;
    assert!(sentence(held).contains("central admin closure"));
    // Closed all the same, by somebody who has seen it: the date stands and is a task.
    let closure = Closure { first: sunday, last: sunday };
    let before = dates(&service).await;
    let told = admin::closure(&service.pool, "ONE", Some("A"), closure, &preview(&service)).await.unwrap();
    assert_eq!((&told["outside"], &told["slots_vanish"]), (&json!(1), &json!(1)), "{told}");
    admin::closure(&service.pool, "ONE", Some("A"), closure, &seen(&service, &told)).await.unwrap();
    assert_eq!(dates(&service).await, before);
    assert_eq!(tasks(&service, "ONE").await.len(), 1);
}

#[tokio::test]
async fn no_date_lies_in_the_hour_the_clocks_pass_over() {
    let service = Service::start().await.unwrap();
    // Sundays from two to three, in Paris and where no clock ever changes.
    let night = Pattern {
        weekdays: vec![7],
        opens: time(2, 0, 0, 0),
        closes: time(3, 0, 0, 0),
        every_minutes: 30,
        ..hour(TODAY)
    };
    for (id, zone, seed) in [("PARIS", "Europe/Paris", 9), ("REUNION", "Indian/Reunion", 8)] {
        site(&service, id, SiteKind::Fixed, zone, 0).await;
        admin::counter(&service.pool, id, "A", std::slice::from_ref(&night)).await.unwrap();
        let device = service.device(id, seed).await.unwrap();
        let mut days = BTreeSet::new();
        for n in 0..6 {
            let n = seed * 10 + n;
            let mut registration = wanting(&device, &service, n, "renewal");
            registration.registered_on = date(2027, 3, 20);
            let signed = token(&ask(&device, &service, &registration).await).unwrap().token;
            days.insert(signed.at.date());
            // Valid until the slot begins, by the clocks of the site.
            let begins = signed.at.to_zoned(jiff::tz::TimeZone::get(zone).unwrap()).unwrap();
            assert_eq!((signed.last_issue, begins.datetime()), (begins.timestamp(), signed.at));
        }
        assert_eq!(days.contains(&date(2027, 3, 28)), id == "REUNION", "{id}: {days:?}");
    }
}
