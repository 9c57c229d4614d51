#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A site's calendar on a real central: several people at one hour, counters that serve some
//! procedures only, sites that move or end, single openings, clocks that change; and a change
//! that is seen before it is made and moves no date.

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
        lease_slots,
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
async fn a_kiosk_is_lent_by_its_demand_and_only_what_it_can_tell_apart() {
    let service = Service::start().await.unwrap();
    let renewals = Pattern { procedures: only(&["renewal"]), ..hour(TODAY) };
    // The rare one has the earlier hour every day: first come would lend nothing else.
    let rare = Pattern {
        procedures: only(&["naturalisation"]),
        opens: time(8, 0, 0, 0),
        closes: time(9, 0, 0, 0),
        ..hour(TODAY)
    };
    with(&service, "MIX", 8, &[renewals, rare]).await;
    let mut device = service.device("MIX", 9).await.unwrap();
    let person = |n| wanting(&device, &service, n, "renewal");
    let ranked: Vec<Registration> = (1..=5).map(person).collect();
    for registration in ranked {
        let outcome = Outcome::Rank { held: None, told: None };
        let says = Registered { registration, outcome, at: service.now(), day_declared: false };
        let record = device.says(&Body::Registration(Box::new(says))).unwrap();
        device.push(&service, vec![record]).await.unwrap();
    }

    // A kiosk of an earlier version would give any slot to anybody: there is none it may have.
    assert_eq!(lent(&device, &service, "/v1/lease").await, []);
    let slots = lent(&device, &service, "/v1/lease?procedures=1").await;
    let front: Vec<&LentSlot> = slots.iter().filter(|slot| slot.stratum == Stratum::Front).collect();
    let of = |key: &str, slots: &[&LentSlot]| {
        slots.iter().filter(|slot| slot.procedures == Some(vec![key.to_owned()])).count()
    };
    assert_eq!(front.len(), 4);
    // Six parts to one: five asked for renewals, and each procedure counts once more.
    assert_eq!((of("renewal", &front), of("naturalisation", &front)), (4, 0), "{front:?}");
    let all: Vec<&LentSlot> = slots.iter().collect();
    assert!(of("renewal", &all) > 4 * of("naturalisation", &all), "{all:?}");
    assert!(of("naturalisation", &all) >= 1, "the rare one is not forgotten");
    assert!(lent(&device, &service, "/v1/lease?procedures=1").await.len() == slots.len(), "it is full");

    // One counter for everybody, and an older kiosk is lent that one's slots.
    admin::counter(&service.pool, "MIX", "ALL", &[hour(TODAY)]).await.unwrap();
    let old = service.device("MIX", 7).await.unwrap();
    let slots = lent(&old, &service, "/v1/lease").await;
    assert!(slots.len() >= 8 && slots.iter().all(|slot| slot.procedures.is_none()), "{slots:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offline_kiosk_gives_nobody_a_slot_of_another_procedure() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let tomorrow = jiff::Zoned::now().date().tomorrow().unwrap();
    let travel = Pattern { procedures: only(&["refugee_travel_document"]), ..hour(tomorrow) };
    let act = PatternChange::Replace(travel);
    let ask = Ask::at(jiff::Timestamp::now(), central::system_random());
    admin::counter_change(&pool, SITE, "A", &act, &ask).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert!(counter.kiosk.home().await.unwrap().lease.free > 0);
    counter = counter.cut_off(None).await.unwrap();
    // They come for a renewal: none of the slots held is for them, backstops neither.
    let date = register(&counter.kiosk, "LOIN").await.unwrap();
    assert_eq!((date.kind, date.source), (PaperKind::Receipt, DateSource::Rank));
    assert_eq!((date.slot_at, date.no_later_than), (None, None));
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let mut fields = person("PRES");
    fields.procedure = "refugee_travel_document".into();
    counter.kiosk.save_draft(&visit, fields).await.unwrap();
    assert_eq!(counter.kiosk.confirm(&visit).await.unwrap().source, DateSource::Lease);

    // Home again: the first has no date at this site, and the desk knows.
    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let listed = admin::tasks(&pool, SITE, false).await.unwrap();
    assert_eq!(listed["tasks"][0]["reason"], "no_capacity", "{listed}");
    assert_eq!(listed["tasks"].as_array().unwrap().len(), 1, "{listed}");
}

/// A kiosk that is heard gives what was closed back by its own record, and is lent other slots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connected_kiosk_gives_no_date_into_a_closure() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let lease = counter.kiosk.home().await.unwrap().lease;
    let day = |text: &Option<String>| text.as_deref().unwrap().parse::<Date>().unwrap();
    let closure = Closure { first: day(&lease.first_day), last: day(&lease.last_day) };
    let ask = Ask::at(jiff::Timestamp::now(), central::system_random());
    let look = Ask { preview: true, ..ask.clone() };
    let told = admin::closure(&pool, SITE, None, closure, &look).await.unwrap();
    assert_eq!(told["kiosks"][0]["lent"], lease.free, "{told}");
    let token = told["token"].as_str().map(str::to_owned);
    let done = admin::closure(&pool, SITE, None, closure, &Ask { token, ..ask.clone() }).await.unwrap();
    assert_eq!(done["tasks"], 0, "nobody was dated: {done}");
    // It hears, gives back, and is lent to again.
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let again = counter.kiosk.home().await.unwrap().lease;
    assert_eq!(again.free, lease.free);
    assert!(day(&again.first_day) > closure.last, "{again:?}");
    counter = counter.cut_off(None).await.unwrap();
    let date = register(&counter.kiosk, "LOIN").await.unwrap();
    assert_eq!(date.source, DateSource::Lease);
    assert!(day(&date.slot_at.map(|at| at[..10].to_owned())) > closure.last);
    let lent = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE outside AND lease IS NOT NULL");
    assert_eq!(lent.fetch_one(&pool).await.unwrap(), 0, "central has them back");
    let told = admin::remove_closure(&pool, SITE, None, closure, &ask).await.unwrap();
    assert_eq!(told["outside"], 0);
    let outside = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE outside");
    assert_eq!(outside.fetch_one(&pool).await.unwrap(), 0);
}

/// While the calendar changes nobody is sent past the days it locks, nor given what vanishes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_and_a_crowd_wait_for_each_other() {
    let service = Service::start().await.unwrap();
    with(&service, "BUSY", 0, &[Pattern { capacity: 20, ..hour(TODAY) }]).await;
    let device = service.device("BUSY", 9).await.unwrap();
    given(&device, &service, 99, "renewal").await.unwrap();
    let act = PatternChange::Replace(Pattern { capacity: 10, ..hour(date(2027, 3, 10)) });
    let people = (1..=16).map(|n| given(&device, &service, n, "renewal"));
    let change = async {
        loop {
            let told =
                admin::counter_change(&service.pool, "BUSY", "C0", &act, &preview(&service)).await.unwrap();
            match admin::counter_change(&service.pool, "BUSY", "C0", &act, &seen(&service, &told)).await {
                Ok(done) => break done,
                // Another date was given meanwhile: looked at again.
                Err(refusal) => assert!(refusal.is_refusal(), "{refusal}"),
            }
        }
    };
    let (days, done) = tokio::join!(all_at_once(people), change);
    assert!(days.iter().all(|at| at.is_some_and(|at| at.date() <= date(2027, 3, 11))), "{days:?}");
    let outside =
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE outside AND registration IS NOT NULL");
    assert_eq!(json!(outside.fetch_one(&service.pool).await.unwrap()), done["tasks"]);
    assert_eq!(dates(&service).await.len(), 17);
}

/// All at once, in their order.
async fn all_at_once<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (one, slot) in waiting.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = one.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
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
async fn a_closure_is_seen_before_it_is_made_and_moves_no_date() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 9).await.unwrap();
    let silent = service.device("ONE", 8).await.unwrap();
    // Two online dates, a lease at a kiosk that exchanges, another at one that falls silent.
    for n in 1..=2 {
        let registration = wanting(&device, &service, n, "renewal");
        let said = ask(&device, &service, &registration).await;
        let token = token(&said).unwrap().to_bytes().into();
        let says = Registered {
            registration,
            outcome: Outcome::Online { token },
            at: service.now(),
            day_declared: false,
        };
        let record = device.says(&Body::Registration(Box::new(says))).unwrap();
        device.push(&service, vec![record]).await.unwrap();
    }
    let near = |slots: Vec<LentSlot>| -> Vec<LentSlot> {
        slots.into_iter().filter(|slot| slot.stratum == Stratum::Front).collect()
    };
    let mine = near(lent(&device, &service, "/v1/lease?procedures=1").await);
    let theirs = near(lent(&silent, &service, "/v1/lease?procedures=1").await);
    let registration = wanting(&device, &service, 3, "renewal");
    let (lease, incarnation) = leased(&device, &service).await;
    assert_eq!(incarnation, 1);
    let outcome = Outcome::Lease { lease, token: mine[0].token.clone() };
    let says = Registered { registration, outcome, at: service.now(), day_declared: false };
    let record = device.says(&Body::Registration(Box::new(says))).unwrap();
    device.push(&service, vec![record]).await.unwrap();
    // A day passes, and only one of the two is heard.
    service.clock.fetch_add(86_400, Ordering::SeqCst);
    device.pull(&service, 0).await.unwrap();

    let week = Closure { first: date(2027, 3, 10), last: date(2027, 3, 16) };
    let before = dates(&service).await;
    let told = admin::closure(&service.pool, "ONE", None, week, &preview(&service)).await.unwrap();
    let count = |key: &str| -> i64 {
        told["days"].as_array().unwrap().iter().map(|day| day[key].as_i64().unwrap()).sum()
    };
    assert_eq!((count("online"), count("from_lease")), (2, 1), "{told}");
    let held = i64::try_from(mine.len() - 1 + theirs.len()).unwrap();
    // One near slot each besides.
    assert_eq!(count("lent"), held + 2, "{told}");
    let kiosks = told["kiosks"].as_array().unwrap();
    let silence = |device: &Device| {
        let of = kiosks.iter().find(|kiosk| kiosk["kiosk"] == device.kiosk.to_string()).unwrap();
        of["silent_s"].as_i64().unwrap()
    };
    assert_eq!(kiosks.len(), 2);
    assert_eq!((silence(&device), silence(&silent)), (0, 86_400), "{told}");
    assert!(told["slots_vanish"].as_i64().unwrap() > 0);
    let codes: Vec<String> = admin::registrations(&service.pool, "ONE").await.unwrap()["registrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect();
    assert!(codes.iter().all(|code| !told.to_string().contains(code)), "no code is in it");
    assert_eq!(dates(&service).await, before);
    assert_eq!(tasks(&service, "ONE").await, [], "a preview does nothing");

    // Not without having seen it; not when another date was given meanwhile.
    let blind = admin::closure(&service.pool, "ONE", None, week, &now(&service)).await;
    assert!(sentence(blind).contains("--preview"));
    given(&device, &service, 4, "renewal").await.unwrap();
    let stale = admin::closure(&service.pool, "ONE", None, week, &seen(&service, &told)).await;
    assert!(sentence(stale).contains("not those of this token any more"));
    let other = Closure { last: date(2027, 3, 15), ..week };
    let told = admin::closure(&service.pool, "ONE", None, week, &preview(&service)).await.unwrap();
    let stale = admin::closure(&service.pool, "ONE", None, other, &seen(&service, &told)).await;
    assert!(sentence(stale).contains("token"), "a token is for one act");
    let before = dates(&service).await;
    let done = admin::closure(&service.pool, "ONE", None, week, &seen(&service, &told)).await.unwrap();
    assert_eq!(done["tasks"], 4, "{done}");
    assert_eq!(dates(&service).await, before, "nobody is moved");
    let outside = tasks(&service, "ONE").await;
    assert_eq!(outside.len(), 4);
    assert!(outside.iter().all(|task| task.0 == "date_outside" && task.1 == "closed"), "{outside:?}");
    assert!(outside.iter().all(|task| task.2.as_str() <= "2027-03-17"), "{outside:?}");

    // New dates lie after it, and a slot inside that comes back is given to nobody.
    assert_eq!(given(&silent, &service, 5, "renewal").await.map(|at| at.date()), Some(date(2027, 3, 17)));
    // The silent kiosk has given one, and comes home: the date on the paper stands, and is a task.
    let mut silent = silent;
    let registration = wanting(&silent, &service, 6, "renewal");
    let (lease, _) = leased(&silent, &service).await;
    let outcome = Outcome::Lease { lease, token: theirs[0].token.clone() };
    let says = Registered { registration, outcome, at: service.now(), day_declared: false };
    let record = silent.says(&Body::Registration(Box::new(says))).unwrap();
    silent.push(&service, vec![record]).await.unwrap();
    silent.pull(&service, 0).await.unwrap();
    assert_eq!(tasks(&service, "ONE").await.len(), 5);

    // Taken back: all is as it was, and nothing is left to do.
    let back = admin::remove_closure(&service.pool, "ONE", None, week, &now(&service)).await.unwrap();
    assert!(back["slots_appear"].as_i64().unwrap() > 0);
    assert_eq!(tasks(&service, "ONE").await, []);
    let outside = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE outside");
    assert_eq!(outside.fetch_one(&service.pool).await.unwrap(), 0);
    let again = admin::remove_closure(&service.pool, "ONE", None, week, &now(&service)).await;
    assert!(sentence(again).contains("no closure"));
}

async fn leased(device: &Device, service: &Service) -> (domain::ids::LeaseId, u32) {
    let pulled = device.pull(service, 0).await.unwrap();
    let found = pulled.changes.into_iter().find_map(|told| match told {
        Told::Known(Change::Lease { lease, incarnation, .. }) => Some((lease, incarnation)),
        _ => None,
    });
    found.unwrap()
}

#[tokio::test]
async fn other_hours_and_other_procedures_put_only_those_dates_in_question() {
    let service = Service::start().await.unwrap();
    with(&service, "DESK", 0, &[Pattern { capacity: 2, ..hour(TODAY) }]).await;
    let device = service.device("DESK", 9).await.unwrap();
    for (n, procedure) in [(1, "renewal"), (2, "naturalisation"), (3, "renewal"), (4, "duplicate")] {
        given(&device, &service, n, procedure).await.unwrap();
    }
    // From the second day on one person at once, for renewals and duplicates.
    let less = Pattern { procedures: only(&["renewal", "duplicate"]), ..hour(date(2027, 3, 11)) };
    let act = PatternChange::Replace(less);
    let change = async |ask: Ask| admin::counter_change(&service.pool, "DESK", "C0", &act, &ask).await;
    let told = change(preview(&service)).await.unwrap();
    assert_eq!(told["outside"], 1, "the second of the two received at once on the 11th: {told}");
    assert_eq!(told["listed"][0]["reason"], "closed");
    change(seen(&service, &told)).await.unwrap();
    // From the first day on renewals alone: the one for naturalisation is not served.
    let fewer = PatternChange::Replace(Pattern { procedures: only(&["renewal"]), ..hour(date(2027, 3, 10)) });
    let change = async |ask: Ask| admin::counter_change(&service.pool, "DESK", "C0", &fewer, &ask).await;
    let told = change(preview(&service)).await.unwrap();
    let reasons: BTreeSet<&str> =
        told["listed"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert!(!reasons.is_empty() && told["outside"].as_i64().unwrap() <= 3, "{told}");
    let before = dates(&service).await;
    change(seen(&service, &told)).await.unwrap();
    assert_eq!(dates(&service).await, before);
    // No weekly hours at all any more.
    let end = PatternChange::End(date(2027, 3, 10));
    let told = admin::counter_change(&service.pool, "DESK", "C0", &end, &preview(&service)).await.unwrap();
    admin::counter_change(&service.pool, "DESK", "C0", &end, &seen(&service, &told)).await.unwrap();
    assert_eq!(dates(&service).await, before);
    assert_eq!(given(&device, &service, 5, "renewal").await, None);
    let free = sqlx::query_scalar::<_, i64>(
        "SELECT count(*) FROM slot WHERE site = 'DESK' AND at > '2027-03-10' AND registration IS NULL",
    );
    assert_eq!(free.fetch_one(&service.pool).await.unwrap(), 0);

    // What cannot be is refused with what can.
    for (pattern, word) in [
        (Pattern { capacity: CAPACITY_MAX + 1, ..hour(date(2027, 3, 20)) }, "--capacity"),
        (Pattern { procedures: ProcedureSet::NONE, ..hour(date(2027, 3, 20)) }, "--procedures"),
        (hour(date(2027, 3, 1)), "--from"),
    ] {
        let act = PatternChange::Add(pattern);
        let refused = admin::counter_change(&service.pool, "DESK", "C0", &act, &now(&service)).await;
        assert!(sentence(refused).contains(word));
    }
    let unknown = admin::counter_change(&service.pool, "DESK", "NONE", &end, &now(&service)).await;
    assert!(sentence(unknown).contains("there is C0"));
}

/// A date asked for and never kept, inside a closure made meanwhile: the kiosk that asks again
/// is told another one.
#[tokio::test]
async fn a_date_nobody_keeps_yet_is_not_printed_into_a_closure() {
    let service = Service::start().await.unwrap();
    let device = service.device("ONE", 9).await.unwrap();
    let registration = wanting(&device, &service, 1, "renewal");
    assert_eq!(
        token(&ask(&device, &service, &registration).await).unwrap().token.at.date(),
        date(2027, 3, 10)
    );
    let day = Closure { first: date(2027, 3, 10), last: date(2027, 3, 10) };
    let told = admin::closure(&service.pool, "ONE", None, day, &preview(&service)).await.unwrap();
    admin::closure(&service.pool, "ONE", None, day, &seen(&service, &told)).await.unwrap();
    assert_eq!(
        token(&ask(&device, &service, &registration).await).unwrap().token.at.date(),
        date(2027, 3, 11)
    );
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
