#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! What becomes of a slot that comes free: offered in rank order, one person at a time, never to
//! whoever registers next. And of who gave it up: their place waits, and registering again beats
//! nobody.

mod ahead;
mod correct;
mod counter;
mod late;
mod limit;
mod new_hours;
mod put_back;

use domain::assign::FreeSlot;
use domain::ids::RegistrationId;
use domain::limit::{Right, TimeLimit};
use domain::offer::Dated;
use domain::procedure::ProcedureSet;
use domain::registration::Registration;
use domain::renewal::{Regime, Renewal};
use domain::token::SignedToken;
use jiff::civil::{Date, DateTime};
use journeys::device::{Device, Service};
use serde_json::{Value, json};
use sqlx::Row as _;
use std::sync::atomic::Ordering;
use wire::body::{Body, Cancellation, Outcome, Registered, Reinstatement};
use wire::messages::{Change, Offered, Told};
use wire::record::Record;

/// Seconds of a day, as far as no clock changes.
const DAY: i64 = 86_400;

/// A site's people, each with a date central gave and the kiosk kept.
struct Story {
    service: Service,
    device: Device,
    count: u8,
    cursor: u64,
    /// What the kiosk has said, to say it again.
    sent: Vec<Record>,
}

struct Person {
    told: Registration,
    at: DateTime,
    token: wire::bytes::Bytes,
}

impl Story {
    async fn begin() -> Self {
        let service = Service::start().await.unwrap();
        let device = service.device("ONE", 1).await.unwrap();
        Self { service, device, count: 0, cursor: 0, sent: Vec::new() }
    }

    /// Somebody registers, a second after who came before, and keeps the date they are given.
    async fn registers(&mut self) -> Person {
        self.count += 1;
        self.service.clock.fetch_add(1, Ordering::SeqCst);
        let (person, record) = dated(&self.service, &mut self.device, self.count).await;
        self.sent.push(record);
        person
    }

    async fn says(&mut self, body: &Body) {
        let record = self.device.says(body).unwrap();
        self.sent.push(record.clone());
        let said = self.device.push(&self.service, vec![record]).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
    }

    async fn cancels(&mut self, one: &Person) {
        let (registration, mediator) = (one.told.id, one.told.mediator.clone());
        let said = Cancellation { registration, mediator, at: self.service.now() };
        self.says(&Body::Cancellation(said)).await;
    }

    async fn comes_back(&mut self, one: &Person) {
        let (registration, mediator) = (one.told.id, one.told.mediator.clone());
        let said = Reinstatement { registration, mediator, at: self.service.now() };
        self.says(&Body::Reinstatement(said)).await;
    }

    /// What this kiosk was told since it last asked.
    async fn told(&mut self) -> Vec<Change> {
        // The mark of a cursor is not kept here: everything comes again.
        let pulled = self.device.pull(&self.service, 0).await.unwrap();
        let all: Vec<Change> = pulled
            .changes
            .into_iter()
            .map(|told| match told {
                Told::Known(change) => change,
                Told::Later(later) => panic!("{later:?}"),
            })
            .collect();
        let new = all.get(usize::try_from(self.cursor).unwrap()..).unwrap_or_default().to_vec();
        self.cursor = all.len() as u64;
        new
    }

    async fn offered(&mut self) -> Vec<(RegistrationId, Offered)> {
        self.service.central.offer_freed().await.unwrap();
        let told = self.told().await;
        told.into_iter()
            .filter_map(|change| match change {
                Change::Offered { registration, offer } => Some((registration, offer)),
                _ => None,
            })
            .collect()
    }

    async fn answers(&self, one: &Person, offer: &Offered, accept: bool) -> Value {
        let said = json!({ "code": one.told.code, "year": 1990, "offer": offer.offer, "accept": accept });
        self.device.say(&self.service, "POST", "/v1/offers", &said).await.unwrap().json
    }

    async fn date_of(&self, one: &Person) -> Option<DateTime> {
        let row = sqlx::query("SELECT replace(slot.at::text, ' ', 'T') FROM slot WHERE registration = $1")
            .bind(one.told.id.0.as_slice())
            .fetch_optional(&self.service.pool)
            .await
            .unwrap();
        row.map(|row| row.get::<String, _>(0).parse().unwrap())
    }

    async fn results(&mut self) -> Vec<String> {
        let all = self.told().await;
        all.into_iter()
            .filter_map(|change| match change {
                Change::Result { result: wire::messages::Applied::SetAside { reason }, .. } => Some(reason),
                _ => None,
            })
            .collect()
    }
}

/// Somebody registers at this kiosk and keeps the date central gives; with the record that says so.
async fn dated(service: &Service, device: &mut Device, n: u8) -> (Person, Record) {
    let told = device.registration(service, n, "A").unwrap();
    dated_as(service, device, told).await
}

async fn dated_as(service: &Service, device: &mut Device, told: Registration) -> (Person, Record) {
    let said = device.say(service, "POST", "/v1/registrations", &json!({ "registration": told })).await;
    let token: wire::bytes::Bytes = serde_json::from_value(said.unwrap().json["token"].clone()).unwrap();
    let at = SignedToken::from_bytes(&token.0).unwrap().token.at;
    let registered = Registered {
        registration: told.clone(),
        outcome: Outcome::Online { token: token.clone() },
        at: service.now(),
        day_declared: false,
    };
    let record = device.says(&Body::Registration(Box::new(registered))).unwrap();
    let said = device.push(service, vec![record.clone()]).await.unwrap();
    assert_eq!(said.status, 200, "{}", said.json);
    (Person { told, at, token }, record)
}

/// Enough people that the first dates of the last ones lie days apart.
async fn queue(story: &mut Story, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for _ in 0..count {
        people.push(story.registers().await);
    }
    people
}

fn moved(told: &[Change], one: &Person) -> Vec<(DateTime, String)> {
    told.iter()
        .filter_map(|change| match change {
            Change::Moved { registration, token, because, .. } if *registration == one.told.id => {
                Some((SignedToken::from_bytes(&token.0).unwrap().token.at, because.clone()))
            }
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_freed_slot_goes_round_in_rank_order_and_never_to_who_registers_next() {
    let mut story = Story::begin().await;
    // Six slots a day from Wednesday on: two weeks of people.
    let people = queue(&mut story, 60).await;
    let freed = &people[40];
    story.cancels(freed).await;
    // At once somebody else registers: the reseller's trick. They stand at the end.
    let buyer = story.registers().await;
    assert!(buyer.at > people[59].at, "{} {}", buyer.at, people[59].at);

    // The first who gains is asked: the next day's first, not the rest of the same day.
    let first = people.iter().position(|one| one.at.date() > freed.at.date()).unwrap();
    let offers = story.offered().await;
    assert_eq!(offers.len(), 1);
    assert_eq!((offers[0].0, offers[0].1.at), (people[first].told.id, freed.at));
    assert!(story.offered().await.is_empty(), "one at a time");
    // Nobody gets it while it is offered.
    assert!(story.registers().await.at > buyer.at.date().at(0, 0, 0, 0));
    assert_eq!(story.date_of(&people[first]).await, Some(people[first].at), "the date they have holds");

    // A stranger's answer is nobody's; a wrong birth date too.
    let code = &people[first].told.code;
    let wrong = json!({ "code": code, "year": 1991, "offer": offers[0].1.offer, "accept": true });
    let said = story.device.say(&story.service, "POST", "/v1/offers", &wrong).await.unwrap();
    assert_eq!(said.json["state"], Value::Null);
    assert_eq!(story.answers(&people[first + 1], &offers[0].1, true).await["state"], Value::Null);

    // Left, it goes to the next in rank; the next accepts, and their own slot goes round.
    assert_eq!(story.answers(&people[first], &offers[0].1, false).await["state"], "declined");
    assert_eq!(story.answers(&people[first], &offers[0].1, false).await["state"], "declined");
    assert_eq!(story.answers(&people[first], &offers[0].1, true).await["state"], "over");
    let next = story.offered().await;
    assert_eq!((next.len(), next[0].0, next[0].1.at), (1, people[first + 1].told.id, freed.at));
    let said = story.answers(&people[first + 1], &next[0].1, true).await;
    assert_eq!(said["state"], "accepted");
    assert_eq!(said["at"], json!(freed.at.strftime("%Y-%m-%dT%H:%M:%S").to_string()));
    // Asked again, for its answer was lost: the same.
    assert_eq!(story.answers(&people[first + 1], &next[0].1, true).await, said);
    assert_eq!(story.date_of(&people[first + 1]).await, Some(freed.at));
    // A record of the paper before comes late: what was accepted since stands.
    let next = &people[first + 1];
    let (registration, token) = (next.told.id, next.token.clone());
    let late = wire::body::Dated { registration, token, at: story.service.now() };
    story.says(&Body::Dated(late)).await;
    assert_eq!(story.date_of(next).await, Some(freed.at));
    let told = story.told().await;
    assert_eq!(moved(&told, &people[first + 1]), [(freed.at, "offer_accepted".to_owned())]);
    let again = story.offered().await;
    assert_eq!((again.len(), again[0].1.at), (1, people[first + 1].at), "their old slot is offered");
    assert!(again[0].1.at.date() < people.iter().find(|one| one.told.id == again[0].0).unwrap().at.date());
}

#[tokio::test]
async fn an_offer_nobody_answers_passes_and_after_three_the_slot_is_like_any_other() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 90).await;
    let freed = &people[60];
    story.cancels(freed).await;
    let mut asked = Vec::new();
    for turn in 0..3 {
        let offers = story.offered().await;
        assert_eq!(offers.len(), 1, "turn {turn}");
        assert!(!asked.contains(&offers[0].0), "asked once");
        asked.push(offers[0].0);
        let one = people.iter().find(|one| one.told.id == offers[0].0).unwrap();
        // The last day is still a day to answer; the day after is not.
        story.service.clock.fetch_add(DAY * 4, Ordering::SeqCst);
        assert!(today(&story) > offers[0].1.until);
        assert_eq!(story.answers(one, &offers[0].1, true).await["state"], "over");
        assert_eq!(story.date_of(one).await, Some(one.at), "silence loses nothing");
    }
    assert!(story.offered().await.is_empty());
    let ended = sqlx::query("SELECT count(*) FILTER (WHERE state = 'lapsed'), count(*) FROM offer")
        .fetch_one(&story.service.pool)
        .await
        .unwrap();
    assert_eq!((ended.get::<i64, _>(0), ended.get::<i64, _>(1)), (3, 3));
    // Whoever registers now gets it: it is the earliest free one.
    assert_eq!(story.registers().await.at, freed.at);
}

fn today(story: &Story) -> Date {
    story.service.now().to_zoned(jiff::tz::TimeZone::get("Europe/Paris").unwrap()).date()
}

#[tokio::test]
async fn who_gave_up_comes_back_to_their_place_and_after_thirty_days_does_not() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 30).await;
    let one = &people[20];
    story.cancels(one).await;
    story.cancels(one).await;
    assert_eq!(story.date_of(one).await, None);
    // Nobody was asked about the slot yet: it is theirs again, and the paper with it.
    story.comes_back(one).await;
    assert_eq!(story.date_of(one).await, Some(one.at));
    let told = story.told().await;
    assert_eq!(moved(&told, one), [(one.at, "reinstated".to_owned())]);
    // Coming back twice is once.
    story.comes_back(one).await;
    assert!(moved(&story.told().await, one).is_empty());

    // Somebody was asked, and has not answered: another date, and the registration time stands.
    story.cancels(one).await;
    assert_eq!(story.offered().await.len(), 1);
    story.comes_back(one).await;
    let now = story.date_of(one).await.unwrap();
    assert!(now > people[29].at, "{now}");
    let rank = sqlx::query("SELECT registered_s FROM registration WHERE id = $1")
        .bind(one.told.id.0.as_slice())
        .fetch_one(&story.service.pool)
        .await
        .unwrap();
    assert_eq!(rank.get::<i64, _>(0), one.told.registered_at.as_second());

    // Thirty-one days later the place is gone; the record says so and is set aside.
    let last = story.registers().await;
    story.cancels(&last).await;
    story.service.clock.fetch_add(DAY * 31, Ordering::SeqCst);
    story.told().await;
    story.comes_back(&last).await;
    assert_eq!(story.results().await, ["too_late"]);
    assert_eq!(story.date_of(&last).await, None);
}

/// The hour an offer is about is closed before its person answers: the date they have stands.
#[tokio::test]
async fn an_offer_of_an_hour_that_is_closed_is_over() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 60).await;
    story.cancels(&people[40]).await;
    let offers = story.offered().await;
    let one = people.iter().find(|one| one.told.id == offers[0].0).unwrap();
    let day = people[40].at.date();
    let closed = domain::calendar::Closure { first: day, last: day };
    let ask = central::admin::Ask::at(story.service.now(), central::system_random());
    let preview = central::admin::Ask { preview: true, ..ask.clone() };
    let pool = &story.service.pool;
    let told = central::admin::closure(pool, "ONE", None, closed, &preview).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    central::admin::closure(pool, "ONE", None, closed, &central::admin::Ask { token, ..ask }).await.unwrap();
    assert_eq!(story.answers(one, &offers[0].1, true).await["state"], "over");
    assert_eq!(story.date_of(one).await, Some(one.at));
    assert!(story.offered().await.is_empty());
    let open = sqlx::query("SELECT count(*) FROM offer WHERE state = 'open'");
    assert_eq!(open.fetch_one(&story.service.pool).await.unwrap().get::<i64, _>(0), 0);
}

#[tokio::test]
async fn a_cancelled_place_is_in_no_queue_and_asks_nothing_of_the_desk() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 8).await;
    let one = &people[7];
    let request = wire::body::AdvanceRequest {
        registration: one.told.id,
        mediator: one.told.mediator.clone(),
        at: story.service.now(),
    };
    story.says(&Body::AdvanceRequest(request)).await;
    story.cancels(one).await;
    let tasks = central::admin::tasks(&story.service.pool, "ONE", true).await.unwrap();
    assert_eq!(tasks["tasks"][0]["answer"], "cancelled");
    let keys = central::keys::CentralKeys::load(story.service.keys()).unwrap();
    let file = story.service.keys().join("queue.json");
    let now = story.service.now();
    let queue =
        central::admin::queue(&story.service.pool, &keys, ("ONE", "renewal"), &file, now).await.unwrap();
    assert_eq!(queue["ordinary"], 7);
    let said = json!({ "code": one.told.code, "year": 1990 });
    let found = story.device.say(&story.service, "POST", "/v1/follow-up", &said).await.unwrap().json;
    assert_eq!((&found["found"]["cancelled"], &found["found"]["at"]), (&json!(true), &Value::Null));
}

/// More people than one page holds stand first in rank and cannot come yet: the slot is not let go
/// before the first who can.
#[tokio::test]
async fn however_many_cannot_gain_the_first_who_does_is_asked() {
    let mut story = Story::begin().await;
    let mut waiting = Vec::new();
    for _ in 0..45 {
        waiting.push(story.registers_early(180).await);
    }
    let people = queue(&mut story, 30).await;
    // As a central of before wrote them: the rule alone knows.
    let forgotten = sqlx::query("UPDATE registration SET earliest = NULL").execute(&story.service.pool).await;
    assert_eq!(forgotten.unwrap().rows_affected(), 75);
    let freed = &people[20];
    story.cancels(freed).await;
    let first = people.iter().position(|one| one.at.date() > freed.at.date()).unwrap();
    let offers = story.offered().await;
    assert_eq!((offers.len(), offers[0].0, offers[0].1.at), (1, people[first].told.id, freed.at));
    assert!(waiting.iter().all(|one| one.at > people[29].at));
}

/// Central asks its database for a page of people in rank order: whom it then asks is whom the
/// rule names among everybody of the site.
#[tokio::test]
async fn central_asks_whom_the_rule_names() {
    let mut story = Story::begin().await;
    let mut people = Vec::new();
    for n in 1..=60 {
        story.service.clock.fetch_add(1, Ordering::SeqCst);
        let mut told = story.device.registration(&story.service, n, "A").unwrap();
        if n % 7 == 0 {
            told.limit = Some(TimeLimit {
                right: Right::CourtInjunction,
                last_day: told.registered_on.saturating_add(jiff::ToSpan::days(if n == 21 {
                    20
                } else {
                    90
                })),
                evidence: "TA".into(),
            });
        }
        // Filing opens some days on: before that day they gain from nothing, unless their time limit
        // ends before.
        if n % 3 == 0 {
            let days = if n % 2 == 0 { 120 + i32::from(n) } else { 61 + i32::from(n) };
            let regime = if n % 2 == 0 { Regime::Listed } else { Regime::Other };
            let expires_on = told.registered_on.saturating_add(jiff::ToSpan::days(days));
            told.renewal = Some(Renewal { expires_on, regime });
        }
        people.push(dated_as(&story.service, &mut story.device, told).await.0);
    }
    let (mut gone, mut asked, mut none) = (Vec::new(), Vec::new(), 0);
    for k in 0..12 {
        let freed = &people[(7 + 23 * k) % 60];
        gone.push(freed.told.id);
        story.cancels(freed).await;
        // Whoever had been asked and cancels now sets another slot free too, and who is asked about
        // that one has an offer to answer.
        let offers = story.offered().await;
        let elsewhere: Vec<_> =
            offers.iter().filter(|(_, offer)| offer.at != freed.at).map(|(id, _)| *id).collect();
        let everybody = people.iter().filter(|one| !gone.contains(&one.told.id)).map(|one| Dated {
            registration: one.told.id,
            place: one.told.place(),
            at: one.at,
            window: one.told.window(),
            passed: asked.contains(&one.told.id) || elsewhere.contains(&one.told.id),
            notice: None,
        });
        let slot = SignedToken::from_bytes(&freed.token.0).unwrap().token.slot;
        let slot = FreeSlot { slot, at: freed.at, stratum: None, serves: ProcedureSet::ALL };
        let next = domain::offer::last_day(today(&story), freed.at)
            .and_then(|_| domain::offer::next(&slot, everybody))
            .map(|one| one.registration);
        let of_this = offers.iter().find(|(_, offer)| offer.at == freed.at).map(|(id, _)| *id);
        assert_eq!(of_this, next, "{k}");
        none += usize::from(next.is_none());
        asked.extend(offers.iter().map(|(id, _)| *id));
    }
    assert!(none < 8 && asked.iter().any(|id| people[6].told.id != *id), "{none} {asked:?}");
}
