#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A renewal is filed from a day on (CESEDA R.431-5): nobody is given a date before it, online, from a
//! lease, from a rank or when dates are moved; and whoever waits for it holds up nobody.

use app::contract::{DateSource, DateView, PaperKind, RenewalFields, RenewalStanding};
use domain::limit::{Right, TimeLimit};
use domain::registration::Registration;
use domain::renewal::{Regime, Renewal};
use domain::token::SignedToken;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use journeys::counter::{Counter, person};
use journeys::device::{Device, Said, Service, site};
use journeys::tls;
use serde_json::json;
use std::sync::atomic::Ordering;
use wire::body::{Body, Outcome, Registered};
use wire::messages::{Change, Told};

/// 2027-03-09, a Tuesday, the day of `Service::NOON`; `ONE` receives six people a working day.
const TODAY: Date = date(2027, 3, 9);

fn renewing(device: &Device, service: &Service, n: u8, (ends, regime): (Date, Regime)) -> Registration {
    let mut registration = device.registration(service, n, "A").unwrap();
    registration.renewal = Some(Renewal { expires_on: ends, regime });
    registration
}

async fn ask(device: &Device, service: &Service, registration: &Registration) -> Said {
    let asked = json!({ "registration": registration });
    device.say(service, "POST", "/v1/registrations", &asked).await.unwrap()
}

fn day(said: &Said) -> Option<Date> {
    let bytes: Option<wire::bytes::Bytes> = serde_json::from_value(said.json["token"].clone()).unwrap();
    Some(SignedToken::from_bytes(&bytes?.0).unwrap().token.at.date())
}

async fn given(device: &Device, service: &Service, registration: &Registration) -> Option<Date> {
    let said = ask(device, service, registration).await;
    assert_eq!(said.status, 200, "{}", said.json);
    day(&said)
}

fn ranked(service: &Service, registration: Registration) -> Body {
    let outcome = Outcome::Rank { held: None, told: None, busy: None };
    Body::Registration(Box::new(Registered { registration, outcome, at: service.now(), day_declared: false }))
}

#[tokio::test]
async fn central_gives_the_first_slot_from_the_day_filing_opens() {
    let service = Service::start().await.unwrap();
    let device = service.device("ONE", 1).await.unwrap();
    // The two months before 2027-07-11, a Sunday, open on 2027-05-11; the 120th day before 2027-08-28
    // is a Friday, the one before 2027-08-29 a Saturday.
    for (n, ends, regime, expected) in [
        (1, date(2027, 7, 11), Regime::Other, date(2027, 5, 11)),
        (2, date(2027, 8, 28), Regime::Listed, date(2027, 4, 30)),
        (3, date(2027, 8, 29), Regime::Listed, date(2027, 5, 3)),
        (4, date(2027, 8, 29), Regime::Unknown, date(2027, 5, 3)),
        // In time and late: tomorrow, as anybody.
        (5, date(2027, 5, 9), Regime::Other, date(2027, 3, 10)),
        (6, date(2027, 4, 9), Regime::Listed, date(2027, 3, 10)),
        (7, date(2026, 4, 9), Regime::Other, date(2027, 3, 10)),
    ] {
        let registration = renewing(&device, &service, n, (ends, regime));
        assert_eq!(given(&device, &service, &registration).await, Some(expected), "{n}");
    }
    // Whoever comes after them has the days before.
    let next = device.registration(&service, 8, "A").unwrap();
    assert_eq!(given(&device, &service, &next).await, Some(date(2027, 3, 10)));
}

#[tokio::test]
async fn both_bounds_hold_and_a_limit_before_the_opening_comes_first() {
    let service = Service::start().await.unwrap();
    let device = service.device("ONE", 1).await.unwrap();
    let mut n = 0;
    let mut asked = async |last_day: Date| {
        n += 1;
        let mut one = renewing(&device, &service, n, (date(2027, 7, 11), Regime::Other));
        one.limit = Some(TimeLimit { right: Right::PermitExpiry, last_day, evidence: "x".into() });
        let said = ask(&device, &service, &one).await;
        (day(&said), said.json["after_limit"].as_bool().unwrap())
    };
    assert_eq!(asked(date(2027, 7, 11)).await, (Some(date(2027, 5, 11)), false));
    // Only that one day.
    assert_eq!(asked(date(2027, 5, 11)).await, (Some(date(2027, 5, 11)), false));
    assert_eq!(asked(date(2027, 5, 10)).await, (Some(date(2027, 3, 10)), false));
}

#[tokio::test]
async fn ranks_that_arrive_together_have_each_their_own_first_day() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let waits = renewing(&device, &service, 1, (date(2027, 7, 11), Regime::Other));
    let people = [waits, device.registration(&service, 2, "A").unwrap()];
    let records = people.iter().map(|one| device.says(&ranked(&service, one.clone())).unwrap()).collect();
    assert_eq!(device.push(&service, records).await.unwrap().status, 200);
    let pulled = device.pull(&service, 0).await.unwrap();
    let dated: Vec<_> = pulled
        .changes
        .into_iter()
        .filter_map(|told| match told {
            Told::Known(Change::Dated { registration, token }) => {
                let at = SignedToken::from_bytes(&token.0).unwrap().token.at;
                Some((registration, at.date()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(dated, [(people[0].id, date(2027, 5, 11)), (people[1].id, date(2027, 3, 10))]);
}

/// The site receives nobody from the day on which the first in rank may file: the others have their dates.
#[tokio::test]
async fn who_waits_for_a_day_that_never_comes_holds_up_nobody() {
    let service = Service::start().await.unwrap();
    central::admin::site(&service.pool, &site("BARE", TODAY)).await.unwrap();
    let mut device = service.device("BARE", 1).await.unwrap();
    let waits = renewing(&device, &service, 1, (date(2027, 7, 11), Regime::Other));
    let waiting = waits.code;
    let records = [waits, device.registration(&service, 2, "A").unwrap()]
        .map(|one| device.says(&ranked(&service, one)).unwrap());
    assert_eq!(device.push(&service, records.to_vec()).await.unwrap().status, 200);
    let pattern = serde_json::from_value(json!({
        "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "10:00:00", "every_minutes": 30,
        "from": TODAY, "until": "2027-04-09",
    }))
    .unwrap();
    central::admin::counter(&service.pool, "BARE", "A", &[pattern]).await.unwrap();
    assert_eq!(service.central.date_undated().await.unwrap(), 1);
    let tasks = central::admin::tasks(&service.pool, "BARE", false).await.unwrap();
    let left: Vec<_> = tasks["tasks"].as_array().unwrap().iter().map(|task| &task["code"]).collect();
    assert_eq!(left, [&json!(waiting)], "{tasks}");
    // It receives people then after all.
    let later = serde_json::from_value(json!({
        "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "10:00:00", "every_minutes": 30,
        "from": "2027-06-01",
    }))
    .unwrap();
    central::admin::counter(&service.pool, "BARE", "B", &[later]).await.unwrap();
    assert_eq!(service.central.date_undated().await.unwrap(), 1);
    assert_eq!(service.central.date_undated().await.unwrap(), 0, "nobody twice");
}

/// No kiosk sends such a permit: it makes no slots for years to come, and stands in nobody's way.
#[tokio::test]
async fn a_permit_that_ends_in_no_time_makes_no_slots() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    // The days before are taken: 24 people until Monday 15 March.
    let mut last = None;
    for n in 10..34 {
        let registration = device.registration(&service, n, "A").unwrap();
        assert!(given(&device, &service, &registration).await <= Some(date(2027, 3, 15)));
        last = Some(registration);
    }
    let last = last.unwrap();
    let record = device.says(&ranked(&service, last.clone())).unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    let absurd =
        [(date(9999, 12, 31), Regime::Other), (Date::MIN, Regime::Listed), (Date::MAX, Regime::Unknown)];
    let mut people = Vec::new();
    for (n, ends) in (1..).zip(absurd) {
        let registration = renewing(&device, &service, n, ends);
        people.push(registration.id);
        assert_eq!(given(&device, &service, &registration).await, Some(date(2027, 3, 16)), "{ends:?}");
        let record = device.says(&ranked(&service, registration)).unwrap();
        assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    }
    // The furthest a kiosk takes is given, even by a kiosk whose clock is some weeks ahead.
    let opens = TODAY.saturating_add((domain::renewal::OPENS_AHEAD_DAYS + 30).days());
    let furthest = renewing(&device, &service, 7, (opens.saturating_add(120.days()), Regime::Listed));
    assert!(given(&device, &service, &furthest).await.unwrap() >= opens);
    // A kiosk years ahead: filing opens when it opens, and not when its clock says.
    let mut ahead = renewing(&device, &service, 8, (date(2027, 7, 11), Regime::Other));
    ahead.registered_on = date(2035, 1, 1);
    assert_eq!(given(&device, &service, &ahead).await, Some(date(2027, 5, 11)));
    let until: String =
        sqlx::query_scalar("SELECT max(at)::date::text FROM slot").fetch_one(&service.pool).await.unwrap();
    assert!(until.parse::<Date>().unwrap() < TODAY.saturating_add(500.days()), "{until}");
    // A slot that comes free is offered all the same, to whoever may file by then.
    let (registration, mediator) = (last.id, last.mediator);
    let gone = wire::body::Cancellation { registration, mediator, at: service.now() };
    let record = device.says(&Body::Cancellation(gone)).unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    assert_eq!(service.central.offer_freed().await.unwrap(), 1);
    let offered: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT registration FROM offer").fetch_all(&service.pool).await.unwrap();
    assert_eq!(offered, [people[1].0]);
}

async fn register(counter: &Counter, name: &str, ends: Date) -> (RenewalStanding, DateView) {
    let renewal = Some(RenewalFields { expires_on: ends.to_string(), regime: "other".into() });
    let fields = app::contract::DraftFields { renewal, ..person(name) };
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let draft = counter.kiosk.save_draft(&visit, fields).await.unwrap();
    assert_eq!(draft.problems, []);
    (draft.renewal.unwrap().standing, counter.kiosk.confirm(&visit).await.unwrap())
}

fn slot_day(date: &DateView) -> Date {
    date.slot_at.as_ref().unwrap()[..10].parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counter_dates_nobody_before_filing_opens() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    // A day more or less changes nothing here: midnight may pass.
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let waits = |days: i32| today.saturating_add(days.days()).saturating_add(2.months());

    // Online: the day filing opens bounds the date and is said beside it.
    let (standing, date) = register(&counter, "TÔT", waits(40)).await;
    let opens: Date = date.opens.as_deref().unwrap().parse().unwrap();
    assert_eq!((standing, date.source), (RenewalStanding::TooEarly, DateSource::Online));
    assert!(slot_day(&date) >= opens && opens > today.saturating_add(30.days()), "{date:?}");
    let (standing, date) = register(&counter, "À TEMPS", today.saturating_add(20.days())).await;
    assert_eq!((standing, date.opens.as_ref()), (RenewalStanding::InTime, None));
    let (standing, date) = register(&counter, "TARD", today.saturating_sub(1.day())).await;
    assert_eq!((standing, date.opens.as_ref()), (RenewalStanding::Late, None));
    assert!(slot_day(&date) < opens, "late is registered like anybody");
    counter.kiosk.exchange().await.unwrap();

    // Out of reach: what the lease has from that day on, or a rank; central dates it afterwards.
    let ca = counter.folder.path().join(tls::CA);
    let counter = counter.asking("https://localhost:1", &ca).await.unwrap();
    let (_, ranked) = register(&counter, "LOIN", waits(200)).await;
    assert_eq!((ranked.source, ranked.kind), (DateSource::Rank, PaperKind::Receipt));
    assert_eq!(ranked.no_later_than, None, "no leased slot is that far");
    let opens: Date = ranked.opens.as_deref().unwrap().parse().unwrap();
    let counter = counter.home(None).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let dated = counter.kiosk.date(&ranked.visit).await.unwrap();
    assert_eq!(dated.kind, PaperKind::Convocation);
    assert!(slot_day(&dated) >= opens, "{dated:?}");
}

/// More people than are looked at for one slot stand first in rank and wait for their day: a slot before
/// it goes to the first who may file.
#[tokio::test]
async fn who_waits_keeps_no_slot_from_who_does_not() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let mut records = Vec::new();
    for n in 1..=25 {
        let waits = renewing(&device, &service, n, (date(2027, 6, 11), Regime::Other));
        assert!(given(&device, &service, &waits).await >= Some(date(2027, 4, 11)));
        records.push(device.says(&ranked(&service, waits)).unwrap());
    }
    service.clock.fetch_add(1, Ordering::SeqCst);
    // Until Monday 15 March, and one on the day after.
    let mut kept = Vec::new();
    for n in 30..55 {
        let registration = device.registration(&service, n, "A").unwrap();
        let day = given(&device, &service, &registration).await;
        if n >= 53 {
            records.push(device.says(&ranked(&service, registration.clone())).unwrap());
            kept.push((registration, day));
        }
    }
    assert_eq!([kept[0].1, kept[1].1], [Some(date(2027, 3, 15)), Some(date(2027, 3, 16))]);
    let (registration, mediator) = (kept[0].0.id, kept[0].0.mediator.clone());
    let gone = wire::body::Cancellation { registration, mediator, at: service.now() };
    records.push(device.says(&Body::Cancellation(gone)).unwrap());
    assert_eq!(device.push(&service, records).await.unwrap().status, 200);
    assert_eq!(service.central.offer_freed().await.unwrap(), 1);
    let offered: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT registration FROM offer").fetch_all(&service.pool).await.unwrap();
    assert_eq!(offered, [kept[1].0.id.0]);
}
