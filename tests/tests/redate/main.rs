#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Two weeks of closure: everybody whose date the calendar no longer has is given another, time
//! limits first, in rank order, seen before it is done; the old paper is replaced and the new one
//! is printed. Nobody else is moved, and a database put back moves nobody again.

mod kiosk;
mod put_back;

use central::admin::{self, Ask};
use central::keys::CentralKeys;
use central::{Central, system_random};
use domain::bytes::Hash;
use domain::calendar::{Closure, Pattern};
use domain::ids::{AttemptId, LeaseId, RegistrationId};
use domain::limit::{Right, TimeLimit};
use domain::procedure::ProcedureSet;
use domain::registration::Registration;
use domain::token::SignedToken;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, date, time};
use journeys::device::{Device, Service};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::body::{Body, Dated, Outcome, Print, PrintOutcome, Registered};
use wire::messages::{Change, LentSlot, Told};

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

/// What the kiosk is told of moved dates: from which hour, to which slot.
async fn moved(device: &Device, service: &Service) -> Vec<(RegistrationId, DateTime, SignedToken)> {
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
        assert_eq!(from.to_string(), before[&id.0.to_vec()].1.replace(' ', "T"));
    }
    assert_eq!(dates(&service).await[&far.0.0.to_vec()], before[&far.0.0.to_vec()], "nobody else is moved");
    assert_eq!(tasks(&service, "date_outside", "").await, 0);
    assert_eq!(tasks(&service, "escalation", "after_limit").await, 1, "the limit that is missed");
    let replaced = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM replaced_paper");
    assert_eq!(replaced.fetch_one(&service.pool).await.unwrap(), 12);

    // The desk calls whoever does not have the new paper in hand; that it is made is not enough.
    let calls = async || {
        let listed = admin::redated(&service.pool, "ONE", service.now()).await.unwrap();
        let all = listed["redated"].as_array().unwrap();
        all.iter().filter(|one| one["call"] == true).count()
    };
    assert_eq!(calls().await, 12);
    let says = Dated { registration: told[0].0, token: told[0].2.to_bytes().into(), at: service.now() };
    let record = device.says(&Body::Dated(says)).unwrap();
    device.push(&service, vec![record]).await.unwrap();
    assert_eq!(calls().await, 12);
    let printed = Print {
        registration: told[0].0,
        attempt: AttemptId([1; 16]),
        state: PrintOutcome::Printed,
        sha256: Hash([2; 32]),
        mediator: device.registration(&service, 1, "A").unwrap().mediator,
        at: service.now(),
    };
    let record = device.says(&Body::Print(printed)).unwrap();
    device.push(&service, vec![record]).await.unwrap();
    assert_eq!(calls().await, 11);

    // A date printed before its kiosk knew of the closure comes in: the next one catches it.
    let printed = theirs.iter().find(|slot| WEEKS.covers(slot.at.date())).unwrap();
    let late = person(&silent, &service, 30, None);
    comes_home(&mut silent, &service, late, lease, printed).await;
    assert_eq!(tasks(&service, "date_outside", "closed").await, 1);
    // Nobody answers it away: its person would keep an hour at which nobody receives them.
    let all = admin::tasks(&service.pool, "ONE", false).await.unwrap();
    let open = all["tasks"].as_array().unwrap().iter().find(|task| task["kind"] == "date_outside").unwrap();
    let (task, random) = (open["task"].as_i64().unwrap(), central::system_random());
    let refused = admin::answer_task(&service.pool, task, ("Agent", "vu"), service.now(), &random).await;
    assert!(refused.unwrap_err().to_string().contains("redate"));
    assert_eq!(redate(&service).await, 1);
    let told = moved(&silent, &service).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1, printed.at);
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

/// More people than one transaction takes: written past the product, as kept registrations.
#[tokio::test]
async fn more_people_than_one_transaction_takes() {
    const PEOPLE: u16 = 1_100;
    let service = Service::start().await.unwrap();
    let wide = Pattern {
        weekdays: vec![1, 2, 3, 4, 5],
        opens: time(9, 0, 0, 0),
        closes: time(12, 0, 0, 0),
        every_minutes: 30,
        capacity: 20,
        procedures: ProcedureSet::ALL,
        from: date(2027, 3, 9),
        until: None,
    };
    admin::counter(&service.pool, "ONE", "WIDE", &[wide]).await.unwrap();
    let mut device = service.device("ONE", 9).await.unwrap();
    // Makes the days.
    let mut far = person(&device, &service, 1, None);
    far.registered_on = date(2027, 4, 25);
    registered(&mut device, &service, far).await;
    for n in 0..PEOPLE {
        let mut id = [7; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        let mut one = device.registration_at(service.now() - i64::from(n).minutes(), id, "A").unwrap();
        one.limit = (n % 10 == 0).then(|| TimeLimit {
            right: Right::PermitExpiry,
            last_day: date(2027, 3, 29),
            evidence: "titre".into(),
        });
        let place = one.place();
        sqlx::query(
            "WITH told AS (INSERT INTO registration (id, code, site, kiosk, procedure, class, registered_s, ranked_s, tie_break, body, state) \
             VALUES ($1, $2, 'ONE', $3, 'renewal', $4, $5, $5, $6, $7::text::jsonb, 'kept') RETURNING id) \
             UPDATE slot SET registration = told.id FROM told WHERE slot.id = (SELECT id FROM slot \
             WHERE site = 'ONE' AND registration IS NULL AND at >= '2027-03-10' ORDER BY at, slot.id LIMIT 1)",
        )
        .bind(id.as_slice())
        .bind(i64::try_from(one.code.to_bits()).unwrap())
        .bind(device.kiosk.0.as_slice())
        .bind(place.class.key())
        .bind(place.registered_s)
        .bind(i64::from(place.tie_break))
        .bind(serde_json::to_string(&one).unwrap())
        .execute(&service.pool)
        .await
        .unwrap();
    }
    let last =
        dates(&service).await.into_values().map(|(_, at)| at).filter(|at| at.as_str() < "2027-04-20").max();
    assert!(last.unwrap().as_str() < "2027-03-24", "all of them in the two weeks");
    close(&service).await;
    assert_eq!(redate(&service).await, i64::from(PEOPLE));
    let keys = CentralKeys::load(service.keys()).unwrap();
    let clock = service.now();
    let central =
        Central::new(service.pool.clone(), keys, Arc::new(move || clock), system_random()).await.unwrap();
    assert_eq!(central.redate_due().await.unwrap(), usize::from(PEOPLE));
    assert_eq!(central.redate_due().await.unwrap(), 0);
    // Limits first, then by the time they registered: the last to be written here was the first.
    let rows: Vec<(i64, bool, i64)> = sqlx::query_as(
        "SELECT registered_s, class = 'ordinary', (extract(epoch FROM slot.at))::bigint FROM registration \
         JOIN slot ON slot.registration = registration.id JOIN redate ON redate.registration = registration.id \
         ORDER BY class = 'ordinary', registered_s",
    )
    .fetch_all(&service.pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), usize::from(PEOPLE));
    assert!(rows.iter().map(|row| (row.1, row.2)).is_sorted(), "one after the other");
    let versions = sqlx::query_scalar::<_, i64>("SELECT count(DISTINCT version) FROM replaced_paper");
    assert_eq!(versions.fetch_one(&service.pool).await.unwrap(), i64::from(PEOPLE));
    assert_eq!(tasks(&service, "date_outside", "").await, 0);
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
