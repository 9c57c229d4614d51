#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A cancellation by the person's own telephone or mail: asked now, carried out a day later unless it is
//! withdrawn. Until then whoever holds the paper loses nothing.

use central::admin::{self, AskedCancel, CancelStep};
use central::audit::administered;
use domain::own_channel::Channel;
use domain::registration::Registration;
use domain::token::{SignedToken, SlotToken};
use jiff::civil::DateTime;
use journeys::archive::SiteRows;
use journeys::counter::{Counter, person, register};
use journeys::device::{Device, Service};
use serde_json::{Value, json};
use sim::simulation::{Archive as _, Since};
use sqlx::Row as _;
use std::sync::atomic::Ordering;
use wire::body::{Arrival, Body, Outcome, Registered, Reinstatement, Said, WordNoted};
use wire::messages::{Applied, Change, Told};

const HOUR: i64 = 3_600;

struct Story {
    service: Service,
    device: Device,
    told: Registration,
    slot: SlotToken,
}

impl Story {
    async fn begin() -> Self {
        let service = Service::start().await.unwrap();
        let mut device = service.device("ONE", 1).await.unwrap();
        let mut told = device.registration(&service, 1, "A").unwrap();
        told.applicant.contact.phone = Some("0612345678".into());
        let asked = json!({ "registration": told });
        // Not before next week: a day passes before their hour comes.
        let closed = domain::calendar::Closure {
            first: jiff::civil::date(2027, 3, 9),
            last: jiff::civil::date(2027, 3, 14),
        };
        let ask = admin::Ask::at(service.now(), central::system_random());
        let preview = admin::Ask { preview: true, ..ask.clone() };
        let seen = admin::closure(&service.pool, "ONE", None, closed, &preview).await.unwrap();
        let token = seen["token"].as_str().map(str::to_owned);
        admin::closure(&service.pool, "ONE", None, closed, &admin::Ask { token, ..ask }).await.unwrap();
        let said = device.say(&service, "POST", "/v1/registrations", &asked).await.unwrap();
        let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
        let slot = SignedToken::from_bytes(&token.0).unwrap().token;
        let (registration, at) = (told.clone(), service.now());
        let kept = Registered { registration, outcome: Outcome::Online { token }, at, day_declared: false };
        let record = device.says(&Body::Registration(Box::new(kept))).unwrap();
        assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
        Self { service, device, told, slot }
    }

    async fn asks(&self, change: impl FnOnce(&mut AskedCancel)) -> Result<Value, String> {
        let mut ask = AskedCancel {
            code: self.told.code.to_string(),
            birth: (1990, None, None),
            step: CancelStep::Ask(Channel::Phone),
            apply: true,
        };
        change(&mut ask);
        let random = central::system_random();
        let act = admin::cancel(&self.service.pool, &ask, self.service.now(), &random);
        administered(Some("Agente A".into()), act).await.map_err(|refusal| refusal.to_string())
    }

    async fn says(&mut self, body: &Body) {
        let record = self.device.says(body).unwrap();
        assert_eq!(self.device.push(&self.service, vec![record]).await.unwrap().status, 200);
    }

    fn comes(&self) -> Body {
        let said = Said {
            id: domain::ids::WordId([7; 16]),
            registration: self.told.id,
            code: self.told.code,
            says: domain::word::Word::Come,
            appointment: Some(self.slot.at),
            kiosk: self.device.kiosk,
            mediator: self.told.mediator.clone(),
            at: self.service.now(),
        };
        Body::Word(WordNoted { said, at: self.service.now() })
    }

    fn forward(&self, seconds: i64) {
        self.service.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn carried_out(&self) -> usize {
        self.service.central.carry_out_cancellations().await.unwrap()
    }

    async fn date(&self) -> Option<DateTime> {
        let row = sqlx::query("SELECT replace(at::text, ' ', 'T') FROM slot WHERE registration = $1")
            .bind(self.told.id.0.as_slice())
            .fetch_optional(&self.service.pool)
            .await
            .unwrap();
        row.map(|row| row.get::<String, _>(0).parse().unwrap())
    }

    async fn told(&self) -> Vec<Change> {
        let all = self.device.pull(&self.service, 0).await.unwrap().changes;
        all.into_iter()
            .filter_map(|told| match told {
                Told::Known(Change::Result { result: Applied::Applied, .. }) => None,
                Told::Known(change) => Some(change),
                Told::Later(later) => panic!("{later:?}"),
            })
            .collect()
    }

    async fn rules_hold(&self) {
        let broken = journeys::rules::broken(&self.service.pool, "ONE", Since::DisksMoved).await.unwrap();
        assert!(broken.is_empty(), "{broken:?}");
    }
}

#[tokio::test]
async fn carried_out_a_day_later_and_not_before() {
    let mut story = Story::begin().await;
    let seen = story.asks(|ask| ask.apply = false).await.unwrap();
    assert_eq!((&seen["applied"], &seen["asked"]["channel"]), (&json!(false), &json!("phone")));
    assert!(story.told().await.is_empty(), "only seen");
    story.asks(|_| ()).await.unwrap();
    let [Change::CancelAsked { asked, .. }] = &story.told().await[..] else { panic!("told once") };
    assert_eq!(asked.due.as_second() - asked.at.as_second(), 24 * HOUR);
    assert!(story.asks(|_| ()).await.unwrap_err().contains("already"));
    story.forward(24 * HOUR - 1);
    assert_eq!((story.carried_out().await, story.date().await), (0, Some(story.slot.at)));
    story.forward(1);
    assert_eq!((story.carried_out().await, story.date().await), (1, None));
    assert_eq!(story.carried_out().await, 0);
    let told = story.told().await;
    assert!(matches!(&told[1..], [Change::Ended { because, .. }] if because == "cancelled"), "{told:?}");
    assert!(story.asks(|_| ()).await.unwrap_err().contains("cancelled already"));
    story.rules_hold().await;
    // Within thirty days the place is theirs again.
    let (registration, mediator, at) = (story.told.id, story.told.mediator.clone(), story.service.now());
    story.says(&Body::Reinstatement(Reinstatement { registration, mediator, at })).await;
    assert_eq!(story.date().await, Some(story.slot.at));
    story.rules_hold().await;
}

#[tokio::test]
async fn what_is_nobodys_word_is_refused() {
    let mut story = Story::begin().await;
    let nobody = story.asks(|ask| ask.birth = (1991, None, None)).await.unwrap_err();
    let no_code = story.asks(|ask| ask.code = "7K3Q-9MZT-4XW2-P".into()).await.unwrap_err();
    assert!(nobody.contains("this code and this birth date"), "{nobody}");
    assert!(no_code.contains("code"), "{no_code}");
    let no_mail = story.asks(|ask| ask.step = CancelStep::Ask(Channel::Email)).await.unwrap_err();
    assert!(no_mail.contains("no e-mail address") && no_mail.contains("reception point"), "{no_mail}");
    let nothing = story.asks(|ask| ask.step = CancelStep::Withdraw).await.unwrap_err();
    assert!(nothing.contains("no cancellation waits"), "{nothing}");
    let ask = AskedCancel {
        code: story.told.code.to_string(),
        birth: (1990, None, None),
        step: CancelStep::Ask(Channel::Phone),
        apply: true,
    };
    let unnamed =
        admin::cancel(&story.service.pool, &ask, story.service.now(), &central::system_random()).await;
    assert!(unnamed.unwrap_err().to_string().contains("--agent"));
    // Less than a day before their hour nothing would come free in time.
    let days = story.slot.at.date().since(jiff::civil::date(2027, 3, 9)).unwrap().get_days();
    story.forward(i64::from(days) * 24 * HOUR - 6 * HOUR);
    let late = story.asks(|_| ()).await.unwrap_err();
    assert!(late.contains("begins before a day is over"), "{late}");
    // Received: nothing is left.
    let came = Arrival {
        registration: story.told.id,
        slot: story.slot.slot,
        appointment: story.slot.at,
        mediator: story.told.mediator.clone(),
        at: story.service.now(),
    };
    story.says(&Body::Arrival(came)).await;
    assert!(story.asks(|_| ()).await.unwrap_err().contains("received"));
    assert!(story.told().await.is_empty());
}

#[tokio::test]
async fn withdrawn_by_an_agent_by_the_person_or_because_they_came_nothing_is_lost() {
    let mut story = Story::begin().await;
    let withdrawn = |told: &[Change]| {
        told.iter().filter(|change| matches!(change, Change::CancelWithdrawn { .. })).count()
    };
    story.asks(|_| ()).await.unwrap();
    let back = story.asks(|ask| ask.step = CancelStep::Withdraw).await.unwrap();
    assert_eq!(back["asked"], Value::Null);
    // The person says at their kiosk that they will come.
    story.forward(HOUR);
    story.asks(|_| ()).await.unwrap();
    story.forward(HOUR);
    let comes = story.comes();
    story.says(&comes).await;
    assert_eq!(withdrawn(&story.told().await), 2);
    // At another, and there it is shown first.
    story.asks(|_| ()).await.unwrap();
    let other = story.service.device("TWO", 2).await.unwrap();
    let asked = json!({ "code": story.told.code, "year": 1990 });
    let found = other.say(&story.service, "POST", "/v1/follow-up", &asked).await.unwrap().json;
    assert_eq!(found["found"]["asked"]["channel"], "phone");
    let request = json!({
        "word": domain::ids::WordId([8; 16]), "code": story.told.code, "year": 1990, "says": "come",
        "appointment": story.slot.at, "mediator": "demo", "document_seen": false,
    });
    let said = other.say(&story.service, "POST", "/v1/words", &request).await.unwrap().json;
    assert_eq!(said["state"], "done");
    assert_eq!(withdrawn(&story.told().await), 3);
    // They came on the day, a moment before it would have been carried out.
    let days = story.slot.at.date().since(jiff::civil::date(2027, 3, 9)).unwrap().get_days();
    story.forward((i64::from(days) - 2) * 24 * HOUR);
    story.asks(|_| ()).await.unwrap();
    story.forward(23 * HOUR);
    let came = Arrival {
        registration: story.told.id,
        slot: story.slot.slot,
        appointment: story.slot.at,
        mediator: story.told.mediator.clone(),
        at: story.service.now(),
    };
    story.says(&Body::Arrival(came)).await;
    assert_eq!(withdrawn(&story.told().await), 4);
    story.forward(48 * HOUR);
    assert_eq!((story.carried_out().await, story.date().await), (0, Some(story.slot.at)));
    story.rules_hold().await;
}

/// Their kiosk was away: what they said there in time, or before anybody told them, counts.
#[tokio::test]
async fn said_at_a_kiosk_that_was_away_it_is_theirs_again() {
    let mut story = Story::begin().await;
    story.asks(|_| ()).await.unwrap();
    story.forward(HOUR);
    let comes = story.comes();
    story.forward(48 * HOUR);
    assert_eq!((story.carried_out().await, story.date().await), (1, None));
    story.says(&comes).await;
    assert_eq!(story.date().await, Some(story.slot.at));
    let told = story.told().await;
    assert!(
        matches!(told.last(), Some(Change::Moved { because, .. }) if because == "reinstated"),
        "{told:?}"
    );
    story.rules_hold().await;
}

/// That they come was said before they called: brought late, it takes nothing back.
#[tokio::test]
async fn said_before_the_request_it_undoes_nothing() {
    for carried_out_first in [false, true] {
        let mut story = Story::begin().await;
        let comes = story.comes();
        story.forward(HOUR);
        story.asks(|_| ()).await.unwrap();
        if carried_out_first {
            story.forward(48 * HOUR);
            assert_eq!(story.carried_out().await, 1);
        }
        story.says(&comes).await;
        if !carried_out_first {
            story.forward(48 * HOUR);
            assert_eq!(story.carried_out().await, 1, "asked since");
        }
        assert_eq!(story.date().await, None);
        story.rules_hold().await;
    }
}

/// Put back to before the request, or between it and its end: the date holds, or a day passed and it is
/// carried out; never is it freed sooner.
#[tokio::test]
async fn a_database_put_back_frees_nothing_sooner() {
    let mut story = Story::begin().await;
    story.service.start_with_lease_log().await.unwrap();
    let rows = SiteRows(story.service.pool.clone());
    let before = rows.back_up("ONE").await.unwrap();
    story.asks(|_| ()).await.unwrap();
    let between = rows.back_up("ONE").await.unwrap();
    story.forward(25 * HOUR);
    assert_eq!(story.carried_out().await, 1);
    rows.restore("ONE", &between).await.unwrap();
    story.service.start_with_lease_log().await.unwrap();
    assert_eq!(story.date().await, Some(story.slot.at));
    assert_eq!((story.carried_out().await, story.date().await), (1, None));
    rows.restore("ONE", &before).await.unwrap();
    story.service.start_with_lease_log().await.unwrap();
    assert_eq!((story.carried_out().await, story.date().await), (0, Some(story.slot.at)));
    // Their kiosk had heard that it ended, and asks for it back: it is told the date they have.
    let (registration, mediator, at) = (story.told.id, story.told.mediator.clone(), story.service.now());
    story.says(&Body::Reinstatement(Reinstatement { registration, mediator, at })).await;
    let told = story.told().await;
    assert!(
        matches!(told.last(), Some(Change::Moved { because, from, .. }) if because == "reinstated" && *from == story.slot.at),
        "{told:?}"
    );
    story.rules_hold().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mediator_is_told_and_withdraws_it_with_one_touch() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let mut fields = person("PERSONNE");
    fields.contact.phone = "0612345678".into();
    counter.kiosk.save_draft(&visit, fields).await.unwrap();
    let date = counter.kiosk.confirm(&visit).await.unwrap();
    register(&counter.kiosk, "AUTRE").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    // An hour on the day before: whatever hour it is now, their appointment is tomorrow or later.
    let ask = AskedCancel {
        code: date.code.clone(),
        birth: (1990, Some(5), Some(2)),
        step: CancelStep::Ask(Channel::Phone),
        apply: true,
    };
    let random = central::system_random();
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(30);
    let act = admin::cancel(&pool, &ask, yesterday, &random);
    administered(Some("Agente A".into()), act).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let told = counter.kiosk.home().await.unwrap().to_tell;
    assert_eq!((told.len(), &told[0].visit, told[0].phone.as_deref()), (1, &visit, Some("0612345678")));
    let shown = counter.kiosk.date(&visit).await.unwrap();
    assert_eq!(
        (shown.slot_at.clone(), shown.cancel_asked.unwrap().channel),
        (date.slot_at.clone(), "phone".into())
    );
    // Without a network: kept, and said once.
    counter = counter.cut_off(None).await.unwrap();
    for _ in 0..2 {
        assert_eq!(counter.kiosk.say_coming(&visit).await.unwrap().cancel_asked, None);
    }
    assert!(counter.kiosk.home().await.unwrap().to_tell.is_empty());
    let records = counter.kiosk.outbox().await.unwrap().items;
    assert_eq!(records.iter().filter(|item| item.kind == "word").count(), 1);
    // Central has carried it out meanwhile; their word brings it back, and the paper is good.
    let keys = central::keys::CentralKeys::load(counter.folder.path()).unwrap();
    let (clock, random) = (central::system_clock(), central::system_random());
    let central = central::Central::new(pool.clone(), keys, clock, random).await.unwrap();
    assert_eq!(central.carry_out_cancellations().await.unwrap(), 1);
    counter = counter.home(None).await.unwrap();
    for _ in 0..3 {
        counter.kiosk.exchange().await.unwrap();
    }
    let now = counter.kiosk.date(&visit).await.unwrap();
    assert_eq!((now.cancelled, now.cancel_asked, now.slot_at), (None, None, date.slot_at));
    assert_eq!(counter.kiosk.show_paper(&now.code_large).await.unwrap().verdict, "valid");
    counter.kiosk.cancel(&visit).await.unwrap();
    assert_eq!(counter.kiosk.say_coming(&visit).await.unwrap_err().code, "cancelled");
    counter.kiosk.exchange().await.unwrap();
    let status = counter.kiosk.status().await.unwrap();
    assert_eq!((&status["journal"]["waiting"], &status["journal"]["set_aside"]), (&json!(0), &json!(0)));
}
