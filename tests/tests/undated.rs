#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Somebody is told that no date exists. Once their site has room they have one, in the order of
//! the list, and the paper follows; nobody is forgotten (I5).

use central::admin::NoShow;
use domain::bytes::Hash;
use domain::ids::AttemptId;
use domain::limit::{Right, TimeLimit};
use domain::registration::Registration;
use domain::token::SignedToken;
use jiff::ToSpan as _;
use jiff::civil::date;
use journeys::device::{Device, Service, site};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use wire::body::{Body, Dated, Outcome, Print, PrintOutcome, Registered};
use wire::messages::{Change, Told};

async fn ranked(service: &Service, device: &mut Device, n: u8, days: Option<i32>) -> Registration {
    service.clock.fetch_add(1, Ordering::SeqCst);
    let mut registration = device.registration(service, n, "A").unwrap();
    registration.limit = days.map(|days| TimeLimit {
        right: Right::CourtInjunction,
        last_day: registration.registered_on.saturating_add(days.days()),
        evidence: "TA".into(),
    });
    let outcome = Outcome::Rank { held: None, told: None, busy: None };
    let registered =
        Registered { registration: registration.clone(), outcome, at: service.now(), day_declared: false };
    let record = device.says(&Body::Registration(Box::new(registered))).unwrap();
    assert_eq!(device.push(service, vec![record]).await.unwrap().status, 200);
    registration
}

async fn dated(service: &Service, device: &Device) -> Vec<(domain::ids::RegistrationId, SignedToken)> {
    let pulled = device.pull(service, 0).await.unwrap();
    let mut all = Vec::new();
    for told in pulled.changes {
        if let Told::Known(Change::Dated { registration, token }) = told {
            all.push((registration, SignedToken::from_bytes(&token.0).unwrap()));
        }
    }
    all
}

#[tokio::test]
async fn who_was_told_that_no_date_exists_has_one_when_there_is() {
    let service = Service::start().await.unwrap();
    central::admin::site(&service.pool, &site("BARE", date(2027, 3, 9))).await.unwrap();
    let mut device = service.device("BARE", 1).await.unwrap();
    let mut people = Vec::new();
    for (n, days) in [(1, None), (2, None), (3, Some(60))] {
        people.push(ranked(&service, &mut device, n, days).await);
    }
    assert_eq!(service.central.date_undated().await.unwrap(), 0, "there is no counter yet");
    assert!(dated(&service, &device).await.is_empty());
    let tasks = central::admin::tasks(&service.pool, "BARE", false).await.unwrap();
    let kinds = |tasks: &Value| -> Vec<String> {
        let each =
            tasks["tasks"].as_array().unwrap().iter().map(|task| task["kind"].as_str().unwrap().to_owned());
        each.collect()
    };
    let mut open = kinds(&tasks);
    open.sort();
    assert_eq!(open, ["escalation", "escalation", "escalation", "limit_check"]);

    // More than one transaction's worth of people would be dated too; here one slot a day.
    let pattern = serde_json::from_value(json!({
        "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "09:30:00", "every_minutes": 30,
        "from": "2027-03-09",
    }))
    .unwrap();
    central::admin::counter(&service.pool, "BARE", "A", &[pattern]).await.unwrap();
    assert_eq!(service.central.date_undated().await.unwrap(), 3);
    let told = dated(&service, &device).await;
    // The time limit first, then who registered first.
    let order: Vec<_> = told.iter().map(|(id, _)| *id).collect();
    assert_eq!(order, [people[2].id, people[0].id, people[1].id]);
    let days: Vec<_> = told.iter().map(|(_, signed)| signed.token.at.date()).collect();
    assert_eq!(days, [date(2027, 3, 10), date(2027, 3, 11), date(2027, 3, 12)]);
    let tasks = central::admin::tasks(&service.pool, "BARE", false).await.unwrap();
    assert_eq!(kinds(&tasks), ["limit_check"], "{tasks}");
    assert_eq!(service.central.date_undated().await.unwrap(), 0, "nobody twice");
}

#[tokio::test]
async fn who_missed_a_day_is_told_in_time_of_the_one_that_comes_later_too() {
    let service = Service::start().await.unwrap();
    central::admin::site(&service.pool, &site("BARE", date(2027, 3, 9))).await.unwrap();
    let hours = |to: Value| {
        let mut hours = json!({
            "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "10:00:00", "every_minutes": 30,
            "from": "2027-03-09",
        });
        hours["until"] = to;
        serde_json::from_value(hours).unwrap()
    };
    central::admin::counter(&service.pool, "BARE", "A", &[hours(json!("2027-03-10"))]).await.unwrap();
    let mut device = service.device("BARE", 1).await.unwrap();
    let absent = ranked(&service, &mut device, 1, None).await;
    let (id, slot) = dated(&service, &device).await.remove(0);
    assert_eq!((id, slot.token.at.date()), (absent.id, date(2027, 3, 10)));
    let made = Body::Dated(Dated { registration: id, token: slot.to_bytes().into(), at: service.now() });
    let printed = Body::Print(Print {
        registration: id,
        attempt: AttemptId([1; 16]),
        state: PrintOutcome::Printed,
        sha256: Hash([1; 32]),
        mediator: absent.mediator.clone(),
        at: service.now(),
    });
    let records = vec![device.says(&made).unwrap(), device.says(&printed).unwrap()];
    assert_eq!(device.push(&service, records).await.unwrap().status, 200);

    // The only counter has ended: said not to have come, they have no date, and another neither.
    service.clock.fetch_add(2 * 86_400, Ordering::SeqCst);
    dated(&service, &device).await;
    let ask = NoShow {
        site: "BARE".into(),
        day: date(2027, 3, 10),
        came: Vec::new(),
        although: Vec::new(),
        by: Some("Agent".into()),
    };
    let told = central::admin::no_show(&service.pool, &ask, service.now()).await.unwrap();
    assert_eq!(told["absent"], 1, "{told}");
    assert_eq!(service.central.date_missed().await.unwrap(), 1);
    let other = ranked(&service, &mut device, 2, None).await;
    assert_eq!(service.central.date_undated().await.unwrap(), 0);
    // The absent one is first in the list and has the first slot they can be told of; the other, the first of all.
    central::admin::counter(&service.pool, "BARE", "B", &[hours(Value::Null)]).await.unwrap();
    assert_eq!(service.central.date_undated().await.unwrap(), 2);
    let mut days = Vec::new();
    for told in device.pull(&service, 0).await.unwrap().changes {
        match told {
            Told::Known(Change::Moved { registration, token, because, .. }) => {
                assert_eq!(because, "missed");
                days.push((registration, SignedToken::from_bytes(&token.0).unwrap().token.at.date()));
            }
            Told::Known(Change::Dated { registration, token }) if registration == other.id => {
                days.push((registration, SignedToken::from_bytes(&token.0).unwrap().token.at.date()));
            }
            _ => {}
        }
    }
    assert_eq!(days, [(absent.id, date(2027, 3, 15)), (other.id, date(2027, 3, 12))]);
}
