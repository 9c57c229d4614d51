#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Two weeks of closure: everybody whose date the calendar no longer has is given another, time
//! limits first, in rank order, seen before it is done; the old paper is replaced and the new one
//! is printed. Nobody else is moved, and a database put back moves nobody again.

use app::contract::{BirthFields, DateSource, PrintState};
use central::admin::{self, Ask};
use central::keys::CentralKeys;
use central::lease_log::LeaseLog;
use central::{Central, system_random};
use domain::calendar::Closure;
use domain::ids::{LeaseId, RegistrationId, SlotId};
use domain::limit::{Right, TimeLimit};
use domain::registration::Registration;
use domain::token::SignedToken;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, date};
use journeys::archive::SiteRows;
use journeys::counter::{Counter, register};
use journeys::device::{Device, Service};
use journeys::stand::SITE;
use serde_json::{Value, json};
use sim::simulation::Archive as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wire::body::{Body, Dated, Outcome, Registered};
use wire::messages::{Change, LentSlot, Told};

/// Longest wait for a printer on this machine.
const WAIT: Duration = Duration::from_secs(20);
/// Two weeks from the day after [`Service::NOON`]: ten working days of six slots.
const WEEKS: Closure = Closure { first: date(2027, 3, 10), last: date(2027, 3, 23) };

fn now(service: &Service) -> Ask {
    Ask::at(service.now(), system_random())
}

fn preview(service: &Service) -> Ask {
    Ask { preview: true, ..now(service) }
}

fn seen(service: &Service, answer: &Value) -> Ask {
    Ask { token: Some(answer["token"].as_str().unwrap().to_owned()), ..now(service) }
}

async fn close(service: &Service) {
    let told = admin::closure(&service.pool, "ONE", None, WEEKS, &preview(service)).await.unwrap();
    admin::closure(&service.pool, "ONE", None, WEEKS, &seen(service, &told)).await.unwrap();
}

/// Says that all outside are to be moved; answers how many.
async fn redate(service: &Service) -> i64 {
    let told = admin::redate(&service.pool, "ONE", &preview(service)).await.unwrap();
    let done = admin::redate(&service.pool, "ONE", &seen(service, &told)).await.unwrap();
    assert_eq!(done["said"], told["moved"], "{done}");
    done["said"].as_i64().unwrap()
}

fn sentence(refusal: Result<Value, admin::AdminRefusal>) -> String {
    let refusal = refusal.unwrap_err();
    assert!(refusal.is_refusal(), "{refusal}");
    refusal.to_string()
}

/// A person of this number, a minute after the one before, with a last useful day.
fn person(device: &Device, service: &Service, n: u8, last_day: Option<Date>) -> Registration {
    let mut registration = device.registration(service, n, "A").unwrap();
    registration.registered_at = service.now() - (60 - i64::from(n)).minutes();
    registration.limit =
        last_day.map(|last_day| TimeLimit { right: Right::PermitExpiry, last_day, evidence: "titre".into() });
    registration
}

/// Asks for a date and keeps it.
async fn registered(device: &mut Device, service: &Service, registration: Registration) -> DateTime {
    let asked = json!({ "registration": registration });
    let said = device.say(service, "POST", "/v1/registrations", &asked).await.unwrap();
    assert_eq!(said.status, 200, "{}", said.json);
    let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
    let at = SignedToken::from_bytes(&token.0).unwrap().token.at;
    let outcome = Outcome::Online { token };
    let says = Registered { registration, outcome, at: service.now(), day_declared: false };
    let record = device.says(&Body::Registration(Box::new(says))).unwrap();
    assert_eq!(device.push(service, vec![record]).await.unwrap().status, 200);
    at
}

async fn lent(device: &Device, service: &Service) -> (LeaseId, Vec<LentSlot>) {
    let day = service.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let asked = json!({ "today": day, "incarnation": 1 });
    assert_eq!(device.say(service, "POST", "/v1/lease", &asked).await.unwrap().status, 200);
    let pulled = device.pull(service, 0).await.unwrap();
    let found = pulled.changes.into_iter().find_map(|told| match told {
        Told::Known(Change::Lease { lease, slots, .. }) => Some((lease, slots)),
        _ => None,
    });
    found.unwrap()
}

async fn comes_home(
    device: &mut Device,
    service: &Service,
    registration: Registration,
    lease: LeaseId,
    slot: &LentSlot,
) {
    let outcome = Outcome::Lease { lease, token: slot.token.clone() };
    let says = Registered { registration, outcome, at: service.now(), day_declared: false };
    let record = device.says(&Body::Registration(Box::new(says))).unwrap();
    assert_eq!(device.push(service, vec![record]).await.unwrap().status, 200);
}

/// What the kiosk is told of moved dates: from which slot, to which.
async fn moved(device: &Device, service: &Service) -> Vec<(RegistrationId, SlotId, SignedToken)> {
    let pulled = device.pull(service, 0).await.unwrap();
    let moved = pulled.changes.into_iter().filter_map(|told| match told {
        Told::Known(Change::Moved { registration, from, token, because }) => {
            assert_eq!(because, "closed");
            Some((registration, from, SignedToken::from_bytes(&token.0).unwrap()))
        }
        _ => None,
    });
    moved.collect()
}

/// Where everybody stands: the slot and hour of each.
async fn dates(service: &Service) -> BTreeMap<Vec<u8>, (i64, String)> {
    let rows: Vec<(Vec<u8>, i64, String)> =
        sqlx::query_as("SELECT registration, id, at::text FROM slot WHERE registration IS NOT NULL")
            .fetch_all(&service.pool)
            .await
            .unwrap();
    rows.into_iter().map(|(id, slot, at)| (id, (slot, at))).collect()
}

async fn tasks(service: &Service, kind: &str, reason: &str) -> usize {
    let listed = admin::tasks(&service.pool, "ONE", false).await.unwrap();
    let all = listed["tasks"].as_array().unwrap().iter();
    all.filter(|task| task["kind"] == kind && (reason.is_empty() || task["reason"] == reason)).count()
}

#[tokio::test]
async fn everybody_outside_is_moved_in_rank_order_time_limits_first() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 9).await.unwrap();
    let mut silent = service.device("ONE", 8).await.unwrap();
    let (lease, theirs) = lent(&silent, &service).await;
    // Twelve people: the last two have a limit after the closure and one inside it.
    let mut people = Vec::new();
    for n in 1..=12 {
        let last_day = match n {
            11 => Some(date(2027, 4, 30)),
            12 => Some(date(2027, 3, 12)),
            _ => None,
        };
        let one = person(&device, &service, n, last_day);
        people.push((one.id, registered(&mut device, &service, one).await));
    }
    // And one after it, whom nothing moves.
    let mut far = person(&device, &service, 13, None);
    far.registered_on = date(2027, 3, 25);
    let far = (far.id, registered(&mut device, &service, far).await);
    close(&service).await;
    let before = dates(&service).await;
    assert_eq!(tasks(&service, "date_outside", "closed").await, 12);

    // Seen before it is done, with nobody named; a date given meanwhile makes it another plan.
    let blind = admin::redate(&service.pool, "ONE", &now(&service)).await;
    assert!(sentence(blind).contains("--preview"));
    let told = admin::redate(&service.pool, "ONE", &preview(&service)).await.unwrap();
    assert_eq!(
        (&told["moved"], &told["limits_missed"], &told["without_a_date"]),
        (&json!(12), &json!(1), &json!(0))
    );
    assert_eq!(told["days"][0]["with_time_limit"], 2, "{told}");
    assert!(!told.to_string().contains(&device.registration(&service, 1, "A").unwrap().code.to_string()));
    let between = person(&device, &service, 20, None);
    registered(&mut device, &service, between).await;
    let stale = admin::redate(&service.pool, "ONE", &seen(&service, &told)).await;
    assert!(sentence(stale).contains("not those of this token any more"));
    assert_eq!(redate(&service).await, 12);
    // Said is not done: the central that runs does it, and nothing has left it yet.
    let waiting = admin::redated(&service.pool, "ONE", service.now()).await.unwrap();
    assert_eq!((&waiting["waiting"], &waiting["redated"]), (&json!(12), &json!([])), "{waiting}");
    for (id, (slot, at)) in &before {
        assert_eq!(dates(&service).await.get(id), Some(&(*slot, at.clone())));
    }
    let again = admin::redate(&service.pool, "ONE", &preview(&service)).await.unwrap();
    assert_eq!(again["outside"], 0, "they are being moved: {again}");

    // An exchange of any kiosk of the site does it.
    silent.pull(&service, 0).await.unwrap();
    let told = moved(&device, &service).await;
    assert_eq!(told.len(), 12);
    let mut order: Vec<(DateTime, RegistrationId)> =
        told.iter().map(|(id, _, new)| (new.token.at, *id)).collect();
    assert!(order.is_sorted(), "told in the order in which they are received");
    order.sort();
    let ids: Vec<RegistrationId> = order.iter().map(|(_, id)| *id).collect();
    // The limit that can be kept, the one that cannot, then everybody by the time they registered.
    let rank: Vec<RegistrationId> = [10, 11].into_iter().chain(0..10).map(|n| people[n].0).collect();
    assert_eq!(ids, rank);
    assert!(order.iter().all(|(at, _)| at.date() > WEEKS.last), "{order:?}");
    for (id, from, _) in &told {
        assert_eq!(from.0, u64::try_from(before[&id.0.to_vec()].0).unwrap());
    }
    assert_eq!(dates(&service).await[&far.0.0.to_vec()], before[&far.0.0.to_vec()], "nobody else is moved");
    assert_eq!(tasks(&service, "date_outside", "").await, 0);
    assert_eq!(tasks(&service, "escalation", "after_limit").await, 1, "the limit that is missed");
    let replaced = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM replaced_paper");
    assert_eq!(replaced.fetch_one(&service.pool).await.unwrap(), 12);

    // The desk calls whoever's kiosk has not said that the new paper is made.
    let calls = async || {
        let listed = admin::redated(&service.pool, "ONE", service.now()).await.unwrap();
        let all = listed["redated"].as_array().unwrap();
        all.iter().filter(|one| one["call"] == true).count()
    };
    assert_eq!(calls().await, 12);
    let says = Dated { registration: told[0].0, token: told[0].2.to_bytes().into(), at: service.now() };
    let record = device.says(&Body::Dated(says)).unwrap();
    device.push(&service, vec![record]).await.unwrap();
    assert_eq!(calls().await, 11);

    // A date printed before its kiosk knew of the closure comes in: the next one catches it.
    let printed = theirs.iter().find(|slot| WEEKS.covers(slot.at.date())).unwrap();
    let late = person(&silent, &service, 30, None);
    comes_home(&mut silent, &service, late, lease, printed).await;
    assert_eq!(tasks(&service, "date_outside", "closed").await, 1);
    assert_eq!(redate(&service).await, 1);
    let told = moved(&silent, &service).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1, printed.slot);
    // What comes of it a second time, from a disk that was put back, changes nothing.
    let stands = dates(&service).await;
    let mut copy = silent.copy();
    copy.incarnation = 2;
    let late = person(&silent, &service, 30, None);
    comes_home(&mut copy, &service, late, lease, printed).await;
    assert_eq!(dates(&service).await, stands);

    // Taken back: nobody is moved, and the slots that papers name are given to nobody.
    admin::remove_closure(&service.pool, "ONE", None, WEEKS, &now(&service)).await.unwrap();
    assert_eq!(dates(&service).await, stands);
    assert_eq!(admin::redate(&service.pool, "ONE", &preview(&service)).await.unwrap()["outside"], 0);
    let mut given = BTreeSet::new();
    for n in 40..60 {
        let one = person(&device, &service, n, None);
        let id = one.id;
        registered(&mut device, &service, one).await;
        given.insert(dates(&service).await[&id.0.to_vec()].0);
    }
    assert!(
        before.values().filter(|(_, at)| at.as_str() < "2027-03-24").all(|(slot, _)| !given.contains(slot))
    );
    assert!(!given.contains(&i64::try_from(printed.slot.0).unwrap()));
}

/// A closure taken back between the word and the deed: who is inside again keeps the date.
#[tokio::test]
async fn who_is_inside_again_before_it_is_done_is_not_moved() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 9).await.unwrap();
    for n in 1..=3 {
        let one = person(&device, &service, n, None);
        registered(&mut device, &service, one).await;
    }
    let before = dates(&service).await;
    close(&service).await;
    assert_eq!(redate(&service).await, 3);
    admin::remove_closure(&service.pool, "ONE", None, WEEKS, &now(&service)).await.unwrap();
    assert_eq!(moved(&device, &service).await, []);
    assert_eq!(dates(&service).await, before);
    let set_aside = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE withheld");
    assert_eq!(set_aside.fetch_one(&service.pool).await.unwrap(), 0, "what was set aside is free again");
    let waiting = admin::redated(&service.pool, "ONE", service.now()).await.unwrap();
    assert_eq!((&waiting["waiting"], &waiting["moved"]), (&json!(0), &json!(0)));
}

/// A kiosk that used its own slot because central's answer came too late: what it printed is the
/// date, though central has moved the other one meanwhile.
#[tokio::test]
async fn what_was_printed_stands_beside_a_date_nobody_printed() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 9).await.unwrap();
    let (lease, slots) = lent(&device, &service).await;
    let one = person(&device, &service, 1, None);
    let asked = json!({ "registration": one });
    assert_eq!(device.say(&service, "POST", "/v1/registrations", &asked).await.unwrap().status, 200);
    close(&service).await;
    assert_eq!(redate(&service).await, 1);
    let told = moved(&device, &service).await;
    assert_eq!(told.len(), 1);
    let printed = slots.iter().find(|slot| slot.at.date() > WEEKS.last).unwrap();
    let id = one.id;
    comes_home(&mut device, &service, one, lease, printed).await;
    assert_eq!(dates(&service).await[&id.0.to_vec()].0, i64::try_from(printed.slot.0).unwrap());
    let listed = sqlx::query_scalar::<_, String>("SELECT replace(at::text, ' ', 'T') FROM replaced_paper");
    let listed = listed.fetch_one(&service.pool).await.unwrap();
    assert_eq!(listed.parse::<DateTime>().unwrap(), printed.at, "the list names what was printed");
    let free = sqlx::query_scalar::<_, bool>("SELECT withheld FROM slot WHERE id = $1");
    let free = free.bind(i64::try_from(told[0].2.token.slot.0).unwrap());
    assert!(free.fetch_one(&service.pool).await.unwrap(), "the other was told: it is nobody else's");
}

/// A central on this service's database with a lease log of its own.
async fn following(service: &mut Service) {
    let clock = Arc::clone(&service.clock);
    let clock: central::Clock =
        Arc::new(move || jiff::Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap());
    let keys = CentralKeys::load(service.keys()).unwrap();
    // The one before lets go of the log first.
    service.router = axum::Router::new();
    let made = Central::new(service.pool.clone(), keys, clock, system_random()).await.unwrap();
    let log = LeaseLog::open(&service.keys().join("lease.log"), &system_random()).unwrap();
    service.router = central::router(made.following(log).await.unwrap());
}

/// The database is put back to before the dates were moved: its log says what has left it, and
/// the kiosk's own record which date each has.
#[tokio::test]
async fn a_database_put_back_keeps_the_new_dates() {
    let mut service = Service::start().await.unwrap();
    following(&mut service).await;
    let mut device = service.device("ONE", 9).await.unwrap();
    for n in 1..=4 {
        let one = person(&device, &service, n, None);
        registered(&mut device, &service, one).await;
    }
    close(&service).await;
    let rows = SiteRows(service.pool.clone());
    let backup = rows.back_up("ONE").await.unwrap();
    assert_eq!(redate(&service).await, 4);
    let told = moved(&device, &service).await;
    // Three of the four papers are made before the loss.
    let mut records = Vec::new();
    for (registration, _, token) in &told[..3] {
        let says = Dated { registration: *registration, token: token.to_bytes().into(), at: service.now() };
        records.push(device.says(&Body::Dated(says)).unwrap());
    }
    assert_eq!(device.push(&service, records.clone()).await.unwrap().status, 200);
    let stood = dates(&service).await;

    rows.restore("ONE", &backup).await.unwrap();
    following(&mut service).await;
    assert_eq!(device.push(&service, records).await.unwrap().status, 200);
    device.pull(&service, 0).await.unwrap();
    let stands = dates(&service).await;
    for (id, _, _) in &told[..3] {
        assert_eq!(stands[&id.0.to_vec()], stood[&id.0.to_vec()]);
    }
    assert_eq!(tasks(&service, "date_outside", "").await, 1, "the one whose paper nobody has made");
    // What had left is given to nobody else.
    assert_eq!(redate(&service).await, 1);
    device.pull(&service, 0).await.unwrap();
    let one = person(&device, &service, 9, None);
    registered(&mut device, &service, one).await;
    let left: BTreeSet<i64> =
        told.iter().map(|(_, _, new)| i64::try_from(new.token.slot.0).unwrap()).collect();
    let held: Vec<i64> =
        dates(&service).await.values().map(|(slot, _)| *slot).filter(|slot| left.contains(slot)).collect();
    assert_eq!(held.len(), 3, "those of the three papers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kiosk_prints_the_new_paper_and_the_old_one_is_replaced() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let printer = sim::ipp_printer::IppPrinter::start().unwrap();
    let mut counter = Counter::start(None, Some(printer.uri())).await.unwrap();
    let other = counter.another(None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let online = register(&counter.kiosk, "EN LIGNE").await.unwrap();
    printed(&counter, &online.visit).await;
    counter.kiosk.exchange().await.unwrap();
    counter = counter.cut_off(Some(printer.uri())).await.unwrap();
    let offline = register(&counter.kiosk, "HORS LIGNE").await.unwrap();
    assert_eq!(offline.source, DateSource::Lease);

    // Closed before central knows of the second.
    let day = jiff::Zoned::now().date();
    let last = day.saturating_add(60.days());
    let closure = Closure { first: day.tomorrow().unwrap(), last };
    let ask = Ask::at(jiff::Timestamp::now(), system_random());
    let look = Ask { preview: true, ..ask.clone() };
    let told = admin::closure(&pool, SITE, None, closure, &look).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    admin::closure(&pool, SITE, None, closure, &Ask { token, ..ask.clone() }).await.unwrap();
    counter = counter.home(Some(printer.uri())).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let told = admin::redate(&pool, SITE, &look).await.unwrap();
    assert_eq!(told["moved"], 2, "{told}");
    let token = told["token"].as_str().map(str::to_owned);
    admin::redate(&pool, SITE, &Ask { token, ..ask }).await.unwrap();
    counter.kiosk.exchange().await.unwrap();

    let home = counter.kiosk.home().await.unwrap();
    assert!(home.notices.iter().any(|notice| notice == "date_moved"), "{:?}", home.notices);
    let to_tell = counter.kiosk.outbox().await.unwrap();
    for date in [&online, &offline] {
        let new = counter.kiosk.date(&date.visit).await.unwrap();
        assert!(new.slot_at.as_deref().unwrap()[..10] > *last.to_string().as_str(), "{new:?}");
        assert!(
            to_tell.items.iter().any(|item| item.kind == "dated" && item.code.as_deref() == Some(&date.code))
        );
        assert_ne!(new.code_large, date.code_large);
        // At every door that has heard.
        other.exchange().await.unwrap();
        let old = other.show_paper(&date.code_large).await.unwrap();
        assert_eq!((old.verdict.as_str(), old.replaced_by.as_deref()), ("replaced", new.slot_at.as_deref()));
        assert_eq!(other.show_paper(&new.code_large).await.unwrap().verdict, "valid");
        // The person comes back with the old paper, here or elsewhere.
        let born = || BirthFields {
            day: "2".into(),
            month: "5".into(),
            year: "1990".into(),
            ..BirthFields::default()
        };
        let elsewhere = other.follow_up(&date.code, born()).await.unwrap().elsewhere.unwrap();
        assert_eq!(elsewhere.slot_at, new.slot_at);
        assert_eq!(
            counter.kiosk.follow_up(&date.code, born()).await.unwrap().visit,
            Some(date.visit.clone())
        );
        printed(&counter, &date.visit).await;
    }
    assert_eq!(printer.received().unwrap().len(), 3, "one old paper, two new ones");
    // Nothing more comes of it, and the desk has nobody to call.
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(
        counter.kiosk.outbox().await.unwrap().items.iter().filter(|item| item.kind == "dated").count(),
        2
    );
    let listed = admin::redated(&pool, SITE, jiff::Timestamp::now()).await.unwrap();
    assert_eq!((&listed["moved"], &listed["without_new_paper"]), (&json!(2), &json!(0)), "{listed}");
    let records = admin::registrations(&pool, SITE).await.unwrap();
    assert_eq!((&records["records_not_applied"], &records["records_set_aside"]), (&json!(0), &json!(0)));
}

async fn printed(counter: &Counter, visit: &str) {
    counter.kiosk.print(visit).await.unwrap();
    let from = Instant::now();
    while counter.kiosk.print_status(visit).await.unwrap().state != PrintState::Printed {
        assert!(from.elapsed() < WAIT, "nothing was printed");
        tokio::task::yield_now().await;
    }
}
