#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! What a person says of their appointment at a kiosk that did not make their paper: done by central at
//! once, by the same rules as at their own, which hears of it. Whoever only found a paper frees no slot.

mod kiosks;
mod put_back;

use domain::ids::WordId;
use domain::registration::Registration;
use domain::token::{SignedToken, SlotToken};
use domain::word::Word;
use jiff::ToSpan as _;
use jiff::civil::DateTime;
use journeys::device::{Device, Said as Answered, Service};
use serde_json::{Value, json};
use sim::simulation::Since;
use sqlx::Row as _;
use std::sync::atomic::Ordering;
use wire::body::{Arrival, Body, Cancellation, Outcome, Registered, Reinstatement, Said, WordNoted};
use wire::messages::{Applied, Change, Told};
use wire::record::Record;

/// A kiosk that makes papers, and another to which one of its people comes.
struct Story {
    service: Service,
    own: Device,
    other: Device,
    /// What the first kiosk has said, to say it again.
    sent: Vec<Record>,
    words: u8,
}

struct Person {
    told: Registration,
    slot: SlotToken,
}

impl Story {
    async fn begin() -> Self {
        let service = Service::start().await.unwrap();
        let own = service.device("ONE", 1).await.unwrap();
        // Of another site too: a person goes where they are.
        let other = service.device("TWO", 2).await.unwrap();
        Self { service, own, other, sent: Vec::new(), words: 0 }
    }

    async fn registers(&mut self, n: u8) -> Person {
        let (person, kept) = self.asks(n).await;
        self.says(&kept).await;
        person
    }

    /// Central has given the date; what says that the paper is out is not sent yet.
    async fn asks(&self, n: u8) -> (Person, Body) {
        let told = self.own.registration(&self.service, n, "A").unwrap();
        let asked = json!({ "registration": told });
        let said = self.own.say(&self.service, "POST", "/v1/registrations", &asked).await.unwrap();
        let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
        let slot = SignedToken::from_bytes(&token.0).unwrap().token;
        let (registration, at) = (told.clone(), self.service.now());
        let kept = Registered { registration, outcome: Outcome::Online { token }, at, day_declared: false };
        (Person { told, slot }, Body::Registration(Box::new(kept)))
    }

    /// A record of the kiosk that made the papers.
    async fn says(&mut self, body: &Body) {
        let record = self.own.says(body).unwrap();
        self.sent.push(record.clone());
        assert_eq!(self.own.push(&self.service, vec![record]).await.unwrap().status, 200);
    }

    fn request(&mut self, one: &Person, says: Word, told: Option<DateTime>) -> Value {
        self.words += 1;
        json!({
            "word": WordId([self.words; 16]), "code": one.told.code, "year": 1990, "says": says,
            "appointment": told, "mediator": "demo", "document_seen": true,
        })
    }

    async fn sends(&self, request: &Value) -> Answered {
        self.other.say(&self.service, "POST", "/v1/words", request).await.unwrap()
    }

    async fn says_there(&mut self, one: &Person, says: Word) -> Value {
        let told = self.date_of(one).await;
        let request = self.request(one, says, told);
        let said = self.sends(&request).await;
        assert_eq!(said.status, 200, "{}", said.json);
        said.json
    }

    async fn follows(&self, one: &Person) -> Value {
        let asked = json!({ "code": one.told.code, "year": 1990 });
        let said = self.other.say(&self.service, "POST", "/v1/follow-up", &asked).await.unwrap();
        said.json["found"].clone()
    }

    async fn date_of(&self, one: &Person) -> Option<DateTime> {
        let row = sqlx::query("SELECT replace(at::text, ' ', 'T') FROM slot WHERE registration = $1")
            .bind(one.told.id.0.as_slice())
            .fetch_optional(&self.service.pool)
            .await
            .unwrap();
        row.map(|row| row.get::<String, _>(0).parse().unwrap())
    }

    async fn holder(&self, slot: &SlotToken) -> Option<Vec<u8>> {
        sqlx::query("SELECT registration FROM slot WHERE id = $1")
            .bind(i64::try_from(slot.slot.0).unwrap())
            .fetch_one(&self.service.pool)
            .await
            .unwrap()
            .get(0)
    }

    /// What a kiosk was told, from the first on.
    async fn told(&self, device: &Device) -> Vec<Change> {
        let all = device.pull(&self.service, 0).await.unwrap().changes;
        all.into_iter()
            .map(|told| match told {
                Told::Known(change) => change,
                Told::Later(later) => panic!("{later:?}"),
            })
            .collect()
    }

    async fn words_told(&self) -> Vec<Said> {
        let all = self.told(&self.own).await;
        all.into_iter()
            .filter_map(|change| if let Change::Word { said } = change { Some(said) } else { None })
            .collect()
    }

    async fn set_aside(&self, device: &Device) -> Vec<String> {
        let all = self.told(device).await;
        all.into_iter()
            .filter_map(|change| match change {
                Change::Result { result: Applied::SetAside { reason }, .. } => Some(reason),
                _ => None,
            })
            .collect()
    }

    async fn rules_hold(&self) {
        let pool = &self.service.pool;
        let broken = journeys::rules::broken(pool, "ONE", Since::DisksMoved).await.unwrap();
        assert!(broken.is_empty(), "{broken:?}");
    }

    fn forward(&self, seconds: i64) {
        self.service.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn cancels(&self, one: &Person) -> Body {
        let (registration, mediator) = (one.told.id, one.told.mediator.clone());
        Body::Cancellation(Cancellation { registration, mediator, at: self.service.now() })
    }

    fn reinstates(&self, one: &Person) -> Body {
        let (registration, mediator) = (one.told.id, one.told.mediator.clone());
        Body::Reinstatement(Reinstatement { registration, mediator, at: self.service.now() })
    }
}

const DAY: i64 = 86_400;

#[tokio::test]
async fn given_up_and_taken_back_at_another_kiosk() {
    let mut story = Story::begin().await;
    let one = story.registers(1).await;
    let after = story.registers(2).await;
    story.forward(60);
    let told = Some(one.slot.at);
    // Nobody's word: a wrong birth date, no document, another hour than the one they have.
    let right = story.request(&one, Word::Cancel, told);
    let with = |name: &str, value: Value| {
        let mut request = right.clone();
        request[name] = value;
        request
    };
    let nobody = story.sends(&with("year", json!(1991))).await.json;
    assert_eq!(nobody, json!({ "state": null, "registration": null, "at": null, "until": null }));
    let unseen = story.sends(&with("document_seen", json!(false))).await;
    assert_eq!((unseen.status, unseen.code()), (400, "bad_body"));
    let other_hour = story.sends(&with("appointment", json!(after.slot.at))).await.json;
    assert_eq!((&other_hour["state"], &other_hour["at"]), (&json!("otherwise"), &json!(told)));
    assert_eq!(story.date_of(&one).await, told);
    assert!(story.words_told().await.is_empty());

    let done = story.sends(&right).await.json;
    let until = story.service.now().to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(30.days());
    let expected = json!({ "state": "done", "registration": one.told.id, "at": null, "until": until });
    assert_eq!(done, expected);
    assert_eq!(story.sends(&right).await.json, expected, "the same again");
    let again = story.request(&one, Word::Cancel, told);
    assert_eq!(story.sends(&again).await.json, expected, "so it is already");
    assert_eq!(story.holder(&one.slot).await, None);
    let found = story.follows(&one).await;
    assert_eq!(
        (&found["cancelled"], &found["until"], &found["at"]),
        (&json!(true), &json!(until), &Value::Null)
    );
    let [said] = &story.words_told().await[..] else { panic!("told once") };
    assert_eq!(
        (said.says, said.kiosk, said.registration, said.at),
        (Word::Cancel, story.other.kiosk, one.told.id, story.service.now())
    );

    // Nobody was asked about the hour yet: it is theirs again.
    let request = story.request(&one, Word::TakeBack, None);
    let back = story.sends(&request).await.json;
    assert_eq!((&back["state"], &back["at"]), (&json!("done"), &json!(told)));
    assert_eq!(story.date_of(&one).await, told);
    let told = story.told(&story.own).await;
    let last = &told[told.len() - 2..];
    assert!(
        matches!(&last[0], Change::Word { said } if said.says == Word::TakeBack)
            && matches!(&last[1], Change::Moved { because, from, .. } if because == "reinstated" && *from == one.slot.at),
        "{last:?}"
    );
    assert_eq!(story.follows(&one).await["cancelled"], Value::Null, "as before");
    let acts = sqlx::query("SELECT who, act FROM audit_waiting WHERE act LIKE '%elsewhere' ORDER BY id")
        .fetch_all(&story.service.pool)
        .await
        .unwrap();
    let acts: Vec<(String, String)> = acts.iter().map(|row| (row.get(0), row.get(1))).collect();
    let by = format!("kiosk:{}", story.other.kiosk);
    assert_eq!(
        acts,
        [(by.clone(), "cancelled_elsewhere".to_owned()), (by, "taken_back_elsewhere".to_owned())]
    );
    story.rules_hold().await;
}

#[tokio::test]
async fn what_is_over_is_refused_by_name() {
    let mut story = Story::begin().await;
    let one = story.registers(1).await;
    let two = story.registers(2).await;
    story.forward(60);
    // Given up more than thirty days ago.
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    // Received: there is nothing to give up, nor to take back.
    let (registration, mediator, at) = (two.told.id, two.told.mediator.clone(), story.service.now());
    let came = Arrival { registration, slot: two.slot.slot, appointment: two.slot.at, mediator, at };
    story.says(&Body::Arrival(came)).await;
    assert_eq!(story.says_there(&two, Word::Cancel).await["state"], "honoured");
    assert_eq!(story.says_there(&two, Word::TakeBack).await["state"], "honoured");
    assert_eq!(story.says_there(&two, Word::Come).await["state"], "honoured");
    assert_eq!(
        story.says_there(&one, Word::Come).await["state"],
        "otherwise",
        "given up: they take it back first"
    );
    story.forward(31 * DAY);
    assert_eq!(story.follows(&one).await["until"], Value::Null);
    let late = story.says_there(&one, Word::TakeBack).await;
    assert_eq!((&late["state"], &late["until"]), (&json!("too_late"), &Value::Null));
    assert_eq!(story.date_of(&one).await, None);
    assert_eq!(story.words_told().await.len(), 1, "what was refused is told to nobody");
    story.rules_hold().await;
}

#[tokio::test]
async fn a_wrong_birth_date_makes_the_next_try_wait() {
    let mut story = Story::begin().await;
    let one = story.registers(1).await;
    let mut request = story.request(&one, Word::Cancel, Some(one.slot.at));
    request["year"] = json!(1991);
    let mut last = story.sends(&request).await;
    for _ in 0..3 {
        last = story.sends(&request).await;
    }
    assert_eq!((last.status, last.code()), (429, "try_wait"));
    request["year"] = json!(1990);
    assert_eq!(story.sends(&request).await.status, 429, "the right one too");
    assert_eq!(story.date_of(&one).await, Some(one.slot.at));
}

/// The kiosk of the paper was away: what it says late of before is heard as of before.
#[tokio::test]
async fn whoever_said_something_last_is_heard() {
    let mut story = Story::begin().await;
    let one = story.registers(1).await;
    story.forward(60);
    // Given up at its own kiosk, which is away; given up and taken back at another since.
    let early = story.cancels(&one);
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::TakeBack).await["state"], "done");
    let late = story.reinstates(&one);
    story.says(&early).await;
    assert_eq!(story.date_of(&one).await, Some(one.slot.at), "taken back since");
    // The other way round: taken back before, given up again since.
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    story.says(&late).await;
    assert_eq!(story.date_of(&one).await, None, "given up since");
    // And its own later word counts.
    story.forward(60);
    let back = story.reinstates(&one);
    story.says(&back).await;
    assert_eq!(story.date_of(&one).await, Some(one.slot.at));
    story.forward(60);
    let gone = story.cancels(&one);
    story.says(&gone).await;
    assert_eq!(story.date_of(&one).await, None);
    assert!(story.set_aside(&story.own).await.is_empty());
    story.rules_hold().await;
}

/// The same in one second: the word that came last is the last.
#[tokio::test]
async fn of_two_words_of_one_second_the_one_that_came_last_is_heard() {
    let mut story = Story::begin().await;
    let one = story.registers(1).await;
    story.forward(60);
    let early = story.cancels(&one);
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    assert_eq!(story.says_there(&one, Word::TakeBack).await["state"], "done");
    story.says(&early).await;
    assert_eq!(story.date_of(&one).await, Some(one.slot.at), "taken back last");
    story.forward(60);
    let early = story.reinstates(&one);
    story.forward(60);
    for says in [Word::Cancel, Word::TakeBack, Word::Cancel] {
        assert_eq!(story.says_there(&one, says).await["state"], "done");
    }
    story.says(&early).await;
    assert_eq!(story.date_of(&one).await, None, "given up last");
    assert!(story.set_aside(&story.own).await.is_empty());
    story.rules_hold().await;
}

/// That somebody comes is a word like the others: a cancellation said before it and brought after it
/// changes nothing, and said at the paper's own kiosk after one it takes it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_said_last_that_they_come_keeps_the_date() {
    let mut story = Story::begin().await;
    let one = story.registers(1).await;
    story.forward(60);
    let early = story.cancels(&one);
    for words in [&[Word::Come][..], &[Word::Cancel, Word::TakeBack, Word::Come][..]] {
        for says in words {
            story.forward(60);
            assert_eq!(story.says_there(&one, *says).await["state"], "done");
        }
        story.says(&early).await;
        assert_eq!(story.date_of(&one).await, Some(one.slot.at));
        let told = story.told(&story.own).await;
        let theirs =
            |change: &Change| matches!(change, Change::Moved { because, .. } if because == "reinstated");
        assert!(told.iter().any(theirs), "its kiosk shows it as given up: {told:?}");
    }
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    assert_eq!(story.date_of(&one).await, None);
    story.forward(60);
    let (kiosk, at) = (story.own.kiosk, story.service.now());
    let said = Said {
        id: WordId([99; 16]),
        registration: one.told.id,
        code: one.told.code,
        says: Word::Come,
        appointment: Some(one.slot.at),
        kiosk,
        mediator: one.told.mediator.clone(),
        at,
    };
    story.says(&Body::Word(WordNoted { said, at })).await;
    assert_eq!(story.date_of(&one).await, Some(one.slot.at), "they were at their own kiosk since");
    assert!(story.set_aside(&story.own).await.is_empty());
    story.rules_hold().await;
}

/// Two kiosks at one moment: one is done, and nothing is freed or given twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn said_at_two_kiosks_at_once_it_is_done_once() {
    let mut story = Story::begin().await;
    let third = story.service.device("ONE", 3).await.unwrap();
    for n in 1..=5 {
        let one = story.registers(n).await;
        story.forward(1);
        let requests = [
            story.request(&one, Word::Cancel, Some(one.slot.at)),
            story.request(&one, Word::Cancel, Some(one.slot.at)),
        ];
        let (a, b) = tokio::join!(
            story.other.say(&story.service, "POST", "/v1/words", &requests[0]),
            third.say(&story.service, "POST", "/v1/words", &requests[1]),
        );
        let (a, b) = (a.unwrap().json, b.unwrap().json);
        assert_eq!((&a["state"], &b["state"]), (&json!("done"), &json!("done")));
        assert_eq!(story.words_told().await.len(), usize::from(n));
        let freed =
            sqlx::query("SELECT count(*) FROM freed_slot").fetch_one(&story.service.pool).await.unwrap();
        assert_eq!(freed.get::<i64, _>(0), i64::from(n));
    }
    story.rules_hold().await;
}
