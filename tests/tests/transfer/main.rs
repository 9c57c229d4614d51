#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Somebody moves to the area of another site. Their registration time goes with them where the paper
//! is theirs and its place stood; both dates hold until they keep one or are received with one. What
//! was given up gives nothing, whatever order central hears it in.

mod counter;
mod elsewhere;
mod late;
mod renamed;

use domain::code::FollowUpCode;
use domain::procedure::Procedure;
use domain::registration::Registration;
use domain::token::{SignedToken, SlotToken};
use jiff::civil::DateTime;
use journeys::device::{Device, Service};
use journeys::rules;
use seal::queue::place_mark;
use serde_json::{Value, json};
use sim::simulation::Since;
use sqlx::Row as _;
use std::sync::atomic::Ordering;
use wire::body::{Arrival, Body, Cancellation, Outcome, Registered, Reinstatement, Transfer};
use wire::messages::{Applied, Change, Told, Transferred};
use wire::record::Record;

/// Two sites, a kiosk at each.
struct Story {
    service: Service,
    one: Device,
    two: Device,
    count: u8,
}

/// Which kiosk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    One,
    Two,
}
use At::{One, Two};

#[derive(Clone)]
struct Person {
    told: Registration,
    slot: SlotToken,
    /// The record that says so, whether it was sent or not.
    record: Record,
    /// What central answered about the paper named.
    answer: Option<Transferred>,
}

impl Story {
    async fn begin() -> Self {
        let service = Service::start().await.unwrap();
        let one = service.device("ONE", 1).await.unwrap();
        let two = service.device("TWO", 2).await.unwrap();
        Self { service, one, two, count: 0 }
    }

    fn device(&mut self, at: At) -> &mut Device {
        match at {
            One => &mut self.one,
            Two => &mut self.two,
        }
    }

    fn pass(&self, seconds: i64) {
        self.service.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Somebody of this name, a second after who came before, naming this paper.
    fn says(&mut self, at: At, name: &str, moved: Option<FollowUpCode>) -> Registration {
        self.pass(1);
        self.count += 1;
        let device = match at {
            One => &self.one,
            Two => &self.two,
        };
        let mut told = device.registration(&self.service, self.count, name).unwrap();
        told.moved = moved;
        told
    }

    /// Asks central for their date; the record is made and not sent yet.
    async fn asks(&mut self, at: At, told: Registration) -> Person {
        let asked = json!({ "registration": told });
        let device = match at {
            One => &self.one,
            Two => &self.two,
        };
        let said = device.say(&self.service, "POST", "/v1/registrations", &asked).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
        let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
        let slot = SignedToken::from_bytes(&token.0).unwrap().token;
        let answer = serde_json::from_value(said.json["transfer"].clone()).unwrap();
        let (registration, kept) = (told.clone(), self.service.now());
        let registered =
            Registered { registration, outcome: Outcome::Online { token }, at: kept, day_declared: false };
        let record = self.device(at).says(&Body::Registration(Box::new(registered))).unwrap();
        Person { told, slot, record, answer }
    }

    async fn registers(&mut self, at: At, name: &str, moved: Option<FollowUpCode>) -> Person {
        let told = self.says(at, name, moved);
        let person = self.asks(at, told).await;
        self.push(at, vec![person.record.clone()]).await;
        person
    }

    async fn push(&self, at: At, records: Vec<Record>) {
        let device = match at {
            One => &self.one,
            Two => &self.two,
        };
        let said = device.push(&self.service, records).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
    }

    async fn record(&mut self, at: At, body: &Body) -> Record {
        let record = self.device(at).says(body).unwrap();
        self.push(at, vec![record.clone()]).await;
        record
    }

    async fn keeps(&mut self, at: At, person: &Person) -> Record {
        self.pass(1);
        let (registration, mediator) = (person.told.id, person.told.mediator.clone());
        let said = Transfer { registration, mediator, at: self.service.now() };
        self.record(at, &Body::Transfer(said)).await
    }

    fn cancellation(&self, person: &Person) -> Body {
        let (registration, mediator) = (person.told.id, person.told.mediator.clone());
        Body::Cancellation(Cancellation { registration, mediator, at: self.service.now() })
    }

    async fn cancels(&mut self, at: At, person: &Person) {
        self.pass(1);
        let body = self.cancellation(person);
        self.record(at, &body).await;
    }

    async fn comes_back(&mut self, at: At, person: &Person) {
        self.pass(1);
        let (registration, mediator) = (person.told.id, person.told.mediator.clone());
        let said = Reinstatement { registration, mediator, at: self.service.now() };
        self.record(at, &Body::Reinstatement(said)).await;
    }

    async fn comes(&mut self, at: At, person: &Person) {
        self.pass(1);
        let said = Arrival {
            registration: person.told.id,
            slot: person.slot.slot,
            appointment: person.slot.at,
            mediator: person.told.mediator.clone(),
            at: self.service.now(),
        };
        self.record(at, &Body::Arrival(said)).await;
    }

    /// Everything a kiosk was ever told.
    async fn told(&self, at: At) -> Vec<Change> {
        let device = match at {
            One => &self.one,
            Two => &self.two,
        };
        let pulled = device.pull(&self.service, 0).await.unwrap();
        pulled
            .changes
            .into_iter()
            .map(|told| match told {
                Told::Known(change) => change,
                Told::Later(later) => panic!("{later:?}"),
            })
            .collect()
    }

    /// What a kiosk was told last of the paper this registration follows.
    async fn standing(&self, at: At, person: &Person) -> Option<Transferred> {
        self.told(at).await.into_iter().rev().find_map(|change| match change {
            Change::Transfer { registration, transfer } if registration == person.told.id => Some(transfer),
            _ => None,
        })
    }

    async fn set_aside(&self, at: At) -> Vec<String> {
        let all = self.told(at).await.into_iter().filter_map(|change| match change {
            Change::Result { result: Applied::SetAside { reason }, .. } => Some(reason),
            _ => None,
        });
        all.collect()
    }

    /// Why this kiosk was told that the place ended, and where the person has another.
    async fn ended(&self, at: At, person: &Person) -> Vec<(String, Option<String>)> {
        let all = self.told(at).await.into_iter().filter_map(|change| match change {
            Change::Ended { registration, because, site, .. } if registration == person.told.id => {
                Some((because, site))
            }
            _ => None,
        });
        all.collect()
    }

    async fn date_of(&self, person: &Person) -> Option<DateTime> {
        let row = sqlx::query("SELECT replace(slot.at::text, ' ', 'T') FROM slot WHERE registration = $1")
            .bind(person.told.id.0.as_slice())
            .fetch_optional(&self.service.pool)
            .await
            .unwrap();
        row.map(|row| row.get::<String, _>(0).parse().unwrap())
    }

    /// The registration time that ranks, in Unix seconds.
    async fn rank(&self, person: &Person) -> i64 {
        sqlx::query("SELECT ranked_s FROM registration WHERE id = $1")
            .bind(person.told.id.0.as_slice())
            .fetch_one(&self.service.pool)
            .await
            .unwrap()
            .get(0)
    }

    async fn tasks(&self, site: &str) -> Vec<(String, String, Option<String>)> {
        let told = central::admin::tasks(&self.service.pool, site, true).await.unwrap();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let tasks = told["tasks"].as_array().unwrap();
        let task =
            |task: &Value| (text(&task["kind"]).unwrap(), text(&task["due"]).unwrap(), text(&task["answer"]));
        tasks.iter().map(task).collect()
    }

    /// Everything central concludes, to be compared.
    async fn state(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in [
            "SELECT row_to_json(t)::text FROM (SELECT id, ranked_s, cancelled_s, state FROM registration ORDER BY id) AS t",
            "SELECT row_to_json(t)::text FROM (SELECT registration, earlier, site, kept_s, told FROM transfer ORDER BY registration) AS t",
            "SELECT row_to_json(t)::text FROM (SELECT registration, kind, reason, answer FROM task ORDER BY registration, kind, reason, answer) AS t",
            "SELECT row_to_json(t)::text FROM (SELECT registration, id FROM slot WHERE registration IS NOT NULL ORDER BY registration) AS t",
        ] {
            let rows = sqlx::query(sqlx::AssertSqlSafe(table)).fetch_all(&self.service.pool).await.unwrap();
            all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
        }
        all
    }

    async fn rules_hold(&self) {
        for site in ["ONE", "TWO"] {
            let broken = rules::broken(&self.service.pool, site, Since::Undisturbed).await.unwrap();
            assert!(broken.is_empty(), "{site}: {broken:?}");
        }
    }
}

fn time(person: &Person) -> i64 {
    person.told.registered_at.as_second()
}

fn none() -> Option<Transferred> {
    Some(Transferred::default())
}

#[tokio::test]
async fn who_moves_keeps_their_time_and_both_dates_until_they_keep_one() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let next = story.registers(One, "BEHIND", None).await;
    let mut people = Vec::new();
    for _ in 0..45 {
        people.push(story.registers(Two, "HERE", None).await);
    }
    // Typed by another clerk.
    let moved = story.registers(Two, "Dialo", Some(before.told.code)).await;
    // The first date is the first free one, as for anybody.
    assert!(people.iter().all(|one| one.slot.at < moved.slot.at));
    let answer = moved.answer.clone().unwrap();
    assert_eq!(answer.ranked_at.unwrap().as_second(), time(&before));
    assert_eq!(answer.site.as_deref(), Some("ONE"));
    assert_eq!(answer.earlier.as_ref().unwrap().at, Some(before.slot.at));
    assert_eq!(story.standing(Two, &moved).await.as_ref(), Some(&answer), "told once more, and the same");
    assert_eq!((story.rank(&moved).await, story.rank(&before).await), (time(&before), time(&before)));
    assert_eq!(story.date_of(&before).await, Some(before.slot.at), "both stand");
    assert_eq!(story.date_of(&moved).await, Some(moved.slot.at));
    // The desk of the new site looks at the residence within two working days.
    assert_eq!(story.tasks("TWO").await, [("residence_check".into(), "2027-03-11".into(), None)]);
    assert!(story.tasks("ONE").await.is_empty());

    // The published queue has the place the paper prints.
    let keys = central::keys::CentralKeys::load(story.service.keys()).unwrap();
    let file = story.service.keys().join("queue.json");
    let now = story.service.now();
    central::admin::queue(&story.service.pool, &keys, ("TWO", "renewal"), &file, now).await.unwrap();
    let published = std::fs::read_to_string(&file).unwrap();
    let published: Value = serde_json::from_str(&published).unwrap();
    let places = published["places"].as_array().unwrap();
    let printed = moved.told.place().since(time(&before));
    assert_eq!(places[0], json!(place_mark(moved.told.code, &printed)), "first of the list");
    let own = json!(place_mark(moved.told.code, &moved.told.place()));
    assert!(!places.contains(&own));

    // Offers go by it: a slot that comes free is theirs first, before all who registered here before them.
    story.cancels(Two, &people[30]).await;
    story.service.central.offer_freed().await.unwrap();
    let offered = story.told(Two).await.into_iter().find_map(|change| match change {
        Change::Offered { registration, offer } => Some((registration, offer)),
        _ => None,
    });
    let (asked, offer) = offered.unwrap();
    assert_eq!((asked, offer.at), (moved.told.id, people[30].slot.at));
    let said = json!({ "code": moved.told.code, "year": 1990, "offer": offer.offer, "accept": true });
    let said = story.two.say(&story.service, "POST", "/v1/offers", &said).await.unwrap();
    assert_eq!(said.json["state"], "accepted");
    assert_eq!(story.date_of(&before).await, Some(before.slot.at), "the old date is another matter");
    story.rules_hold().await;

    // They keep this one: the other is over, as after a cancellation, and goes to the next there.
    let kept = story.keeps(Two, &moved).await;
    assert_eq!(story.date_of(&before).await, None);
    assert_eq!(story.date_of(&moved).await, Some(offer.at));
    assert_eq!(story.ended(One, &before).await, [("transferred".to_owned(), Some("TWO".to_owned()))]);
    let standing = story.standing(Two, &moved).await.unwrap();
    assert_eq!((standing.ranked_at, standing.earlier), (answer.ranked_at, None));
    let asked = json!({ "code": before.told.code, "year": 1990 });
    let found = story.one.say(&story.service, "POST", "/v1/follow-up", &asked).await.unwrap().json;
    assert_eq!(found["found"]["cancelled"], true);
    // Nobody who would not gain is asked: its holder comes the same day, so the slot is free again.
    story.service.central.offer_freed().await.unwrap();
    let newcomer = story.registers(One, "NEW", None).await;
    assert_eq!(newcomer.slot.at, before.slot.at);
    assert_eq!(story.date_of(&next).await, Some(next.slot.at));

    // Said again it is the same; and it is not taken up again beside the one that was kept.
    story.push(Two, vec![kept]).await;
    story.keeps(Two, &moved).await;
    assert_eq!(story.ended(One, &before).await.len(), 1);
    story.comes_back(One, &before).await;
    assert_eq!(story.set_aside(One).await, ["transferred"]);
    assert_eq!(story.date_of(&before).await, None);
    story.rules_hold().await;

    // The new one given up, the old place may be taken up again: it is the only one there is.
    story.cancels(Two, &moved).await;
    story.comes_back(One, &before).await;
    assert!(story.date_of(&before).await.is_some());
    story.rules_hold().await;
}

#[tokio::test]
async fn a_paper_that_does_not_count_is_answered_in_one_way() {
    let mut story = Story::begin().await;
    let theirs = story.registers(One, "DIALLO", None).await;
    let received = story.registers(One, "KONE", None).await;
    story.comes(One, &received).await;
    let gone = story.registers(One, "SOW", None).await;
    story.cancels(One, &gone).await;
    let same_site = story.registers(Two, "BAH", None).await;
    let nobody = FollowUpCode::from_random([0xee; 8]);
    for (name, code, why) in [
        ("DIALLO", nobody, "no such paper"),
        ("TRAORE", theirs.told.code, "another person"),
        ("KONE", received.told.code, "received already"),
        ("SOW", gone.told.code, "given up before"),
        ("BAH", same_site.told.code, "of this very site"),
    ] {
        let told = story.registers(Two, name, Some(code)).await;
        assert_eq!(told.answer, none(), "{why}");
        assert_eq!(story.rank(&told).await, time(&told), "{why}");
        assert_eq!(story.standing(Two, &told).await, none(), "{why}");
        // Nothing stands beside it, so there is nothing to keep.
        story.keeps(Two, &told).await;
        assert_eq!(story.date_of(&told).await, Some(told.slot.at), "{why}");
    }
    let mut told = story.says(Two, "DIALLO", Some(theirs.told.code));
    told.procedure = Procedure::parse("duplicate").unwrap();
    let other = story.asks(Two, told).await;
    story.push(Two, vec![other.record]).await;
    assert_eq!(other.answer, none(), "another procedure");
    let mut told = story.says(Two, "DIALLO", Some(theirs.told.code));
    told.applicant.birth = domain::birth::Birth::Year { year: 1991 };
    let other = story.asks(Two, told).await;
    story.push(Two, vec![other.record]).await;
    assert_eq!(other.answer, none(), "another birth date");
    assert_eq!(story.date_of(&theirs).await, Some(theirs.slot.at));
    assert!(story.tasks("TWO").await.is_empty(), "nothing was taken over, so nothing is looked at");
    // A record that names no paper keeps nothing.
    let plain = story.registers(Two, "PLAIN", None).await;
    story.keeps(Two, &plain).await;
    assert_eq!(story.set_aside(Two).await, ["follows_none"]);
    story.rules_hold().await;
}

#[tokio::test]
async fn of_two_that_follow_one_paper_the_first_counts_until_it_is_given_up() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    // Asked for and never kept: a kiosk that burnt before its paper was out.
    let told = story.says(Two, "DIALLO", Some(before.told.code));
    let lost = story.asks(Two, told).await;
    story.two.seq -= 1;
    story.two.prev = lost.record.header.prev;
    assert!(lost.answer.clone().unwrap().ranked_at.is_some());
    let first = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    assert_eq!(first.answer, none(), "somebody else was asked about");
    assert_eq!(story.rank(&first).await, time(&first), "whose paper may be out");
    assert_eq!(story.standing(Two, &first).await, none());
    story.pass(24 * 3_600);
    assert!(story.standing(Two, &first).await.unwrap().ranked_at.is_some());
    assert_eq!(story.rank(&first).await, time(&before), "and never kept: this one counts");
    assert_eq!(story.rank(&lost).await, time(&lost));
    let second = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    assert_eq!((second.answer.clone(), story.rank(&second).await), (none(), time(&second)));
    // The older one is kept by cancelling the new one: it may be followed again.
    story.cancels(Two, &first).await;
    assert_eq!(story.rank(&first).await, time(&first));
    assert!(story.standing(Two, &second).await.unwrap().ranked_at.is_some());
    assert_eq!(story.rank(&second).await, time(&before));
    assert_eq!(story.date_of(&before).await, Some(before.slot.at));
    // Back again, the first has its own time: another has the earlier one.
    story.comes_back(Two, &first).await;
    assert_eq!(story.rank(&first).await, time(&first));
    story.rules_hold().await;
}

#[tokio::test]
async fn a_second_move_goes_back_to_the_first_time() {
    let mut story = Story::begin().await;
    let first = story.registers(One, "DIALLO", None).await;
    let second = story.registers(Two, "DIALLO", Some(first.told.code)).await;
    story.keeps(Two, &second).await;
    let third = story.registers(One, "DIALLO", Some(second.told.code)).await;
    assert_eq!(third.answer.clone().unwrap().ranked_at.unwrap().as_second(), time(&first));
    assert_eq!(third.answer.clone().unwrap().earlier.unwrap().at, Some(second.slot.at));
    story.keeps(One, &third).await;
    assert_eq!(story.date_of(&second).await, None);
    assert_eq!(story.ended(Two, &second).await, [("transferred".to_owned(), Some("ONE".to_owned()))]);
    for gone in [(One, &first), (Two, &second)] {
        story.comes_back(gone.0, gone.1).await;
        assert_eq!(story.set_aside(gone.0).await, ["transferred"]);
        assert_eq!(story.date_of(gone.1).await, None);
    }
    assert_eq!(story.rank(&third).await, time(&first));
    story.rules_hold().await;
}

#[tokio::test]
async fn received_with_one_the_other_is_over() {
    for new in [false, true] {
        let mut story = Story::begin().await;
        let before = story.registers(One, "DIALLO", None).await;
        let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
        let ((there, came), (other, over)) =
            if new { ((Two, &moved), (One, &before)) } else { ((One, &before), (Two, &moved)) };
        story.comes(there, came).await;
        assert_eq!(story.date_of(over).await, None, "new: {new}");
        assert_eq!(story.date_of(came).await, Some(came.slot.at));
        let site = came.told.site.to_string();
        assert_eq!(story.ended(other, over).await, [("received".to_owned(), Some(site))]);
        story.comes_back(other, over).await;
        assert_eq!(story.set_aside(other).await, ["transferred"]);
        // Nobody at the desk is asked what is settled.
        assert!(
            story.tasks("ONE").await.is_empty()
                || story.tasks("ONE").await.iter().all(|task| task.2.is_some())
        );
        assert!(story.tasks("TWO").await.iter().all(|task| task.2.is_some()));
        story.rules_hold().await;
    }
}
