#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The worked example of docs/waitlist.md, run as it stands: the same people at the same times
//! get the dates, the places and the escalations the page says.

use central::admin::NewSite;
use central::keys::CentralKeys;
use domain::limit::{Right, TimeLimit};
use domain::place::PlaceKey;
use domain::queue::QueueExtract;
use domain::token::SignedToken;
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use journeys::device::{Service, site};
use seal::queue::place_mark;
use serde_json::json;
use std::sync::atomic::Ordering;

/// A row of the example.
struct Person {
    registered: DateTime,
    last_day: Option<Date>,
    date: DateTime,
    told: bool,
    place: usize,
}

fn example() -> Vec<Person> {
    let rows = include_str!("../../docs/waitlist.md").lines().filter(|line| line.starts_with("| "));
    let moment = |text: &str| text.replace(' ', "T").parse::<DateTime>();
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, registered, last_day, date, told, place] = cells[..] else { return None };
        Some(Person {
            registered: moment(registered).ok()?,
            last_day: last_day.parse().ok(),
            date: moment(date).unwrap(),
            told: told.starts_with("oui"),
            place: place.parse().unwrap(),
        })
    })
    .collect()
}

#[tokio::test]
async fn the_example_of_the_page_is_what_happens() {
    let people = example();
    assert_eq!(people.len(), 13);
    let service = Service::start().await.unwrap();
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let site = NewSite { lease_slots: Some(0), ..site("EXAMPLE", date(2027, 3, 8)) };
    let at = |civil: DateTime| paris.to_timestamp(civil).unwrap();
    service.clock.store(at(people[0].registered).as_second(), Ordering::SeqCst);
    central::admin::site(&service.pool, &site).await.unwrap();
    let pattern = serde_json::from_value(json!({
        "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "10:00:00", "every_minutes": 20, "from": "2027-03-08",
    }))
    .unwrap();
    central::admin::counter(&service.pool, "EXAMPLE", "A", &[pattern]).await.unwrap();
    let device = service.device("EXAMPLE", 1).await.unwrap();
    let mut ranked = vec![None; people.len()];
    for (n, person) in people.iter().enumerate() {
        service.clock.store(at(person.registered).as_second(), Ordering::SeqCst);
        let mut registration = device.registration(&service, u8::try_from(n + 1).unwrap(), "A").unwrap();
        registration.registered_on = person.registered.date();
        registration.limit = person.last_day.map(|last_day| TimeLimit {
            right: Right::CourtInjunction,
            last_day,
            evidence: "TA".into(),
        });
        let asked = json!({ "registration": registration });
        let said = device.say(&service, "POST", "/v1/registrations", &asked).await.unwrap();
        let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
        let given = SignedToken::from_bytes(&token.0).unwrap().token.at;
        assert_eq!((given, said.json["after_limit"].as_bool()), (person.date, Some(person.told)), "row {n}");
        // Who keeps their date counts for those who come after.
        sqlx::query("UPDATE registration SET state = 'kept' WHERE id = $1")
            .bind(registration.id.0.as_slice())
            .execute(&service.pool)
            .await
            .unwrap();
        let place: PlaceKey = registration.place();
        ranked[person.place - 1] = Some(place_mark(registration.code, &place));
    }
    let told = people.iter().filter(|person| person.told).count();
    let tasks = central::admin::tasks(&service.pool, "EXAMPLE", false).await.unwrap();
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), told, "{tasks}");

    // The order of the list is the one the site publishes, as it stood on that Monday.
    let file = service.keys().join("queue.json");
    let keys = CentralKeys::load(service.keys()).unwrap();
    let monday = at(people[0].registered);
    central::admin::queue(&service.pool, &keys, ("EXAMPLE", "renewal"), &file, monday).await.unwrap();
    let extract: QueueExtract = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(extract.places.into_iter().map(Some).collect::<Vec<_>>(), ranked);
}
