#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! An appointment annulled for fraud: two agents, reasons, the person told and heard. Until all of it
//! is there the date holds, and whatever happens in between is not undone by it.

mod counter;
mod races;

use central::admin::{self, Annul, AnnulStep};
use central::audit::administered;
use domain::ids::AnnulmentId;
use domain::registration::Registration;
use domain::token::{SignedToken, SlotToken};
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use journeys::device::{Device, Service};
use journeys::rules;
use serde_json::{Value, json};
use sim::simulation::Since;
use sqlx::Row as _;
use std::sync::atomic::Ordering;
use wire::body::{AnnulmentTold, Body, Outcome, Registered};
use wire::messages::{Applied, Change, Told};

/// The day of [`Service::NOON`], the tenth working day after it, and a fortnight after it.
const TODAY: Date = date(2027, 3, 9);
const ANSWER_BY: Date = date(2027, 3, 23);
/// Enough people that the last has a date after the day to answer: six a day.
const PEOPLE: u8 = 90;

struct Story {
    service: Service,
    device: Device,
    person: Person,
}

struct Person {
    told: Registration,
    slot: SlotToken,
}

impl Story {
    /// A site with a long list, and the last person of it.
    async fn begin() -> Self {
        let service = Service::start().await.unwrap();
        let mut device = service.device("ONE", 1).await.unwrap();
        let mut last = None;
        for n in 1..=PEOPLE {
            service.clock.fetch_add(1, Ordering::SeqCst);
            last = Some(registers(&service, &mut device, n).await);
        }
        let person = last.unwrap();
        assert!(person.slot.at.date() > ANSWER_BY.saturating_add(3.days()), "{}", person.slot.at);
        Self { service, device, person }
    }

    async fn says(&mut self, body: &Body) {
        let record = self.device.says(body).unwrap();
        let said = self.device.push(&self.service, vec![record]).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
    }

    async fn asks(&self, agent: &str, step: AnnulStep) -> Result<Value, String> {
        self.asks_of(&self.person.told, agent, step, true).await
    }

    async fn asks_of(
        &self,
        told: &Registration,
        agent: &str,
        step: AnnulStep,
        apply: bool,
    ) -> Result<Value, String> {
        let ask = Annul { code: told.code.to_string(), step: Some(step), apply };
        let random = central::system_random();
        let asked = admin::annul(&self.service.pool, &ask, self.service.now(), &random);
        administered(Some(agent.to_owned()), asked).await.map_err(|refusal| refusal.to_string())
    }

    async fn state(&self) -> Value {
        let ask = Annul { code: self.person.told.code.to_string(), step: None, apply: false };
        let random = central::system_random();
        admin::annul(&self.service.pool, &ask, self.service.now(), &random).await.unwrap()
    }

    async fn carried_out(&self) -> usize {
        self.service.central.carry_out_annulments().await.unwrap()
    }

    async fn told(&self) -> Vec<Change> {
        let mut all = Vec::new();
        let (mut cursor, mut mark) = (0, String::new());
        loop {
            let path = format!("/v1/changes?cursor={cursor}&roster=0&mark={mark}");
            let said = self.device.say(&self.service, "GET", &path, &Value::Null).await.unwrap();
            let pulled: wire::messages::ChangesAnswer = serde_json::from_value(said.json).unwrap();
            all.extend(pulled.changes.into_iter().map(|told| match told {
                Told::Known(change) => change,
                Told::Later(later) => panic!("{later:?}"),
            }));
            if !pulled.more {
                return all;
            }
            (cursor, mark) = (pulled.cursor, pulled.mark);
        }
    }

    /// The proposal as the kiosk has it.
    async fn proposal(&self) -> (AnnulmentId, Date, String) {
        let mut told = self.told().await.into_iter().rev();
        told.find_map(|change| match change {
            Change::AnnulmentProposed { registration, annulment, answer_by, reasons }
                if registration == self.person.told.id =>
            {
                Some((annulment, answer_by, reasons))
            }
            _ => None,
        })
        .unwrap()
    }

    /// The mediator hands the notice over, with this day on it.
    async fn handed(&mut self, until: Date) {
        let (annulment, ..) = self.proposal().await;
        let (registration, mediator) = (self.person.told.id, self.person.told.mediator.clone());
        let at = self.service.now();
        self.says(&Body::AnnulmentTold(AnnulmentTold { registration, annulment, until, mediator, at })).await;
    }

    async fn holder(&self, slot: &SlotToken) -> Option<Vec<u8>> {
        let row = sqlx::query("SELECT registration FROM slot WHERE id = $1")
            .bind(i64::try_from(slot.slot.0).unwrap())
            .fetch_one(&self.service.pool);
        row.await.unwrap().get(0)
    }

    async fn holds(&self) -> bool {
        self.holder(&self.person.slot).await == Some(self.person.told.id.0.to_vec())
    }

    async fn tasks(&self) -> Vec<(String, String)> {
        let told = admin::tasks(&self.service.pool, "ONE", false).await.unwrap();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        told["tasks"].as_array().unwrap().iter().map(|one| (word(&one["kind"]), word(&one["due"]))).collect()
    }

    async fn set_aside(&self) -> Vec<String> {
        let all = self.told().await.into_iter().filter_map(|change| match change {
            Change::Result { result: Applied::SetAside { reason }, .. } => Some(reason),
            _ => None,
        });
        all.collect()
    }

    /// The invariants, by SQL that knows nothing of the product.
    async fn rules_hold(&self) {
        let broken = rules::broken(&self.service.pool, "ONE", Since::DisksMoved).await.unwrap();
        assert!(broken.is_empty(), "{broken:?}");
    }

    fn forward(&self, days: i64) {
        self.service.clock.fetch_add(days * 86_400, Ordering::SeqCst);
    }

    /// Proposed, told, and the answer written down: the other agent may decide.
    async fn heard(&mut self) {
        self.asks("Agente A", propose(ANSWER_BY)).await.unwrap();
        self.handed(ANSWER_BY).await;
        self.asks("Agente A", answered("C'est bien mon titre.")).await.unwrap();
    }
}

async fn registers(service: &Service, device: &mut Device, n: u8) -> Person {
    let told = device.registration(service, n, "A").unwrap();
    let asked = json!({ "registration": told });
    let said = device.say(service, "POST", "/v1/registrations", &asked).await.unwrap();
    let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
    let slot = SignedToken::from_bytes(&token.0).unwrap().token;
    let (registration, at) = (told.clone(), service.now());
    let kept = Registered { registration, outcome: Outcome::Online { token }, at, day_declared: false };
    let record = device.says(&Body::Registration(Box::new(kept))).unwrap();
    assert_eq!(device.push(service, vec![record]).await.unwrap().status, 200);
    Person { told, slot }
}

fn propose(answer_by: Date) -> AnnulStep {
    AnnulStep::Propose { reasons: "Le titre présenté\nest celui d'une autre personne.".into(), answer_by }
}

fn answered(text: &str) -> AnnulStep {
    AnnulStep::Heard { answer: Some(text.to_owned()) }
}

fn decide(annul: bool) -> AnnulStep {
    AnnulStep::Decide { annul, reasons: "Le numéro du titre n'existe pas.".into() }
}

fn undo() -> AnnulStep {
    AnnulStep::Undo { reasons: "La personne a montré son titre.".into() }
}

#[tokio::test]
async fn two_agents_reasons_the_person_told_and_heard_and_the_slot_goes_to_who_gains() {
    let mut story = Story::begin().await;
    let (slot, told) = (story.person.slot.clone(), story.person.told.clone());
    // Looked at first: nothing is written.
    let seen = story.asks_of(&told, "Agente A", propose(ANSWER_BY), false).await.unwrap();
    assert_eq!((&seen["state"], &seen["applied"]), (&json!("proposed"), &json!(false)));
    assert_eq!(story.state().await["state"], Value::Null);
    assert!(story.tasks().await.is_empty());

    let said = story.asks("Agente A", propose(ANSWER_BY)).await.unwrap();
    assert_eq!((&said["applied"], &said["told"]), (&json!(true), &json!(false)));
    assert_eq!(story.tasks().await, [("annulment".to_owned(), ANSWER_BY.to_string())]);
    let (_, answer_by, reasons) = story.proposal().await;
    assert_eq!(answer_by, ANSWER_BY);
    assert_eq!(reasons, "Le titre présenté est celui d'une autre personne.");
    // The task is not answered away.
    let tasks = admin::tasks(&story.service.pool, "ONE", false).await.unwrap();
    let task = tasks["tasks"][0]["task"].as_i64().unwrap();
    let (pool, random) = (&story.service.pool, central::system_random());
    let away = admin::answer_task(pool, task, ("Agente A", "Oui"), story.service.now(), &random).await;
    assert!(away.unwrap_err().to_string().contains("annul --decide"));

    story.handed(ANSWER_BY).await;
    assert!(story.set_aside().await.is_empty());
    let state = story.state().await;
    assert_eq!((&state["told"], &state["until"]), (&json!(true), &json!(ANSWER_BY)));
    story.asks("Agente A", answered("C'est bien mon titre.")).await.unwrap();
    story.asks("Agente C", answered("Voici une copie.")).await.unwrap();
    assert_eq!(story.state().await["answers"], "C'est bien mon titre.\nVoici une copie.");
    assert!(story.holds().await);

    story.asks("Agent B", decide(true)).await.unwrap();
    assert!(story.holds().await, "the central that runs carries it out");
    assert!(story.tasks().await.is_empty());
    assert_eq!((story.carried_out().await, story.carried_out().await), (1, 0), "once");
    assert_eq!(story.holder(&slot).await, None);
    let ended =
        story.told().await.into_iter().filter(
            |change| matches!(change, Change::Annulled { registration, .. } if *registration == told.id),
        );
    assert_eq!(ended.count(), 1);
    // Every door that has the list knows it.
    let row = sqlx::query("SELECT count(*) FROM replaced_paper WHERE registration = $1 AND at IS NULL")
        .bind(told.id.0.as_slice())
        .fetch_one(&story.service.pool);
    assert_eq!(row.await.unwrap().get::<i64, _>(0), 1);
    // The slot is set apart for whoever gains from it, and is nobody's who registers now.
    let row = sqlx::query("SELECT count(*) FROM freed_slot WHERE slot = $1")
        .bind(i64::try_from(slot.slot.0).unwrap())
        .fetch_one(&story.service.pool);
    assert_eq!(row.await.unwrap().get::<i64, _>(0), 1);
    let next = registers(&story.service, &mut story.device, PEOPLE + 1).await;
    assert_ne!(next.slot.slot, slot.slot);
    // Both agents stand in the journal, with what they did.
    let rows = sqlx::query(
        "SELECT who, act FROM audit_waiting WHERE about = $1 AND act LIKE 'annulment%' ORDER BY id",
    )
    .bind(told.id.to_string())
    .fetch_all(&story.service.pool)
    .await
    .unwrap();
    let acts: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for (who, act) in [
        ("agent:Agente A", "annulment_proposed"),
        ("agent:Agente A", "annulment_heard"),
        ("agent:Agent B", "annulment_decided"),
    ] {
        assert!(acts.contains(&(who.to_owned(), act.to_owned())), "{acts:?}");
    }
    assert!(acts.iter().any(|(who, act)| who.starts_with("kiosk:") && act == "annulment_told"), "{acts:?}");
    story.rules_hold().await;
}

#[tokio::test]
async fn each_step_is_refused_with_what_to_do_next_and_the_date_holds() {
    let story = Story::begin().await;
    let too_soon = story.asks("Agente A", propose(ANSWER_BY.saturating_sub(1.days()))).await.unwrap_err();
    assert!(too_soon.contains(&ANSWER_BY.to_string()), "{too_soon}");
    let after = story.asks("Agente A", propose(story.person.slot.at.date())).await.unwrap_err();
    assert!(after.contains("the date holds"), "{after}");
    let reasons = |text: &str| AnnulStep::Propose { reasons: text.into(), answer_by: ANSWER_BY };
    assert!(story.asks("Agente A", reasons(" \n ")).await.unwrap_err().contains("empty"));
    assert!(story.asks("Agente A", reasons(&"x".repeat(1_001))).await.unwrap_err().contains("1000"));
    for step in [answered("Non"), decide(true), decide(false)] {
        let refused = story.asks("Agent B", step).await.unwrap_err();
        assert!(refused.contains("--propose"), "{refused}");
    }
    assert!(story.asks("Agent B", undo()).await.unwrap_err().contains("nothing is to be undone"));
    // Nobody named, or a code of nobody.
    let ask = Annul { code: story.person.told.code.to_string(), step: Some(propose(ANSWER_BY)), apply: true };
    let random = central::system_random();
    let nameless = admin::annul(&story.service.pool, &ask, story.service.now(), &random).await.unwrap_err();
    assert!(nameless.to_string().contains("--agent"));
    let unknown = story.device.registration(&story.service, 200, "X").unwrap();
    let unknown = story.asks_of(&unknown, "Agente A", propose(ANSWER_BY), true).await.unwrap_err();
    assert!(unknown.contains("nobody"), "{unknown}");

    story.asks("Agente A", propose(ANSWER_BY)).await.unwrap();
    let twice = story.asks("Agente A", propose(ANSWER_BY)).await.unwrap_err();
    assert!(twice.contains("already"), "{twice}");
    // Not told, nobody can be annulled, however much time went by, and whatever was written down.
    story.asks("Agente A", answered("Par téléphone")).await.unwrap();
    let untold = story.asks("Agent B", decide(true)).await.unwrap_err();
    assert!(untold.contains("not told"), "{untold}");
    let same = story.asks("agente a", decide(true)).await.unwrap_err();
    assert!(same.contains("another agent"), "{same}");
    let same = story.asks("AGENTE A", decide(false)).await.unwrap_err();
    assert!(same.contains("another agent"), "{same}");
    assert_eq!(story.carried_out().await, 0);
    assert!(story.holds().await);
    story.rules_hold().await;
    // Nor does the table take it, whoever writes there.
    for state in ["annulling", "annulled"] {
        let forced = sqlx::query("UPDATE annulment SET state = $1").bind(state).execute(&story.service.pool);
        assert!(forced.await.is_err());
    }
    let both = "UPDATE annulment SET decided_by = upper(proposed_by), decided_s = 0, decision = 'x'";
    assert!(sqlx::query(both).execute(&story.service.pool).await.is_err());
}

/// Reasons and answers are kept as long as the person, and go with them, those told to the kiosk too.
#[tokio::test]
async fn what_was_said_is_erased_with_the_person() {
    let mut story = Story::begin().await;
    story.heard().await;
    story.asks("Agent B", decide(true)).await.unwrap();
    story.carried_out().await;
    let said = async |story: &Story| {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM change WHERE body::text LIKE '%autre personne%') \
                    + (SELECT count(*) FROM annulment WHERE reasons LIKE '%autre personne%')",
        );
        row.fetch_one(&story.service.pool).await.unwrap().get::<i64, _>(0)
    };
    assert_eq!(said(&story).await, 2);
    let day = story.person.slot.at.date();
    admin::erase(&story.service.pool, day, day.saturating_add(60.days())).await.unwrap();
    assert_eq!(said(&story).await, 2, "their day is not over");
    let after = day.saturating_add(1.days());
    admin::erase(&story.service.pool, after, day.saturating_add(60.days())).await.unwrap();
    assert_eq!(said(&story).await, 0);
}

#[tokio::test]
async fn without_an_answer_the_whole_time_is_left_and_told_late_it_is_longer() {
    let mut story = Story::begin().await;
    story.asks("Agente A", propose(ANSWER_BY)).await.unwrap();
    let nothing = || AnnulStep::Heard { answer: None };
    assert!(story.asks("Agente A", nothing()).await.unwrap_err().contains("not told"));
    // Told three days later: two weeks from then, whatever was named.
    story.forward(3);
    story.handed(ANSWER_BY).await;
    let until = TODAY.saturating_add(17.days());
    assert_eq!(story.state().await["until"], json!(until));
    assert_eq!(story.tasks().await, [("annulment".to_owned(), until.to_string())]);
    // A clock that is ahead, or a notice with any day on it, puts off no more than a notice of today.
    story.handed(date(2099, 1, 1)).await;
    assert_eq!(story.state().await["until"], json!(until));
    for days in [0, 13] {
        story.forward(days);
        let early = story.asks("Agente A", nothing()).await.unwrap_err();
        assert!(early.contains(&until.to_string()), "{early}");
        let early = story.asks("Agent B", decide(true)).await.unwrap_err();
        assert!(early.contains(&until.to_string()), "{early}");
    }
    story.forward(1);
    let early = story.asks("Agent B", decide(true)).await.unwrap_err();
    assert!(early.contains(&until.to_string()), "the last day is theirs whole: {early}");
    story.forward(1);
    let unsaid = story.asks("Agent B", decide(true)).await.unwrap_err();
    assert!(unsaid.contains("--no-answer"), "{unsaid}");
    story.asks("Agente A", nothing()).await.unwrap();
    // Their appointment may have come by then: they are received.
    let came = story.person.slot.at.date() <= TODAY.saturating_add(18.days());
    let decided = story.asks("Agent B", decide(true)).await;
    assert_eq!(decided.is_err(), came, "{decided:?}");
    story.rules_hold().await;
}

#[tokio::test]
async fn kept_everything_is_as_before_and_it_may_be_proposed_anew() {
    let mut story = Story::begin().await;
    story.asks("Agente A", propose(ANSWER_BY)).await.unwrap();
    let (first, ..) = story.proposal().await;
    // Another agent needs nobody's answer to leave the appointment as it is.
    story.asks("Agent B", decide(false)).await.unwrap();
    assert!(story.asks("Agent B", decide(true)).await.unwrap_err().contains("kept"));
    let over = story.told().await.into_iter().any(|change| {
        change
            == Change::AnnulmentOver {
                registration: story.person.told.id,
                annulment: first,
                date_follows: false,
            }
    });
    assert!(over, "the person is told so");
    assert_eq!((story.carried_out().await, story.tasks().await.len()), (0, 0));
    assert!(story.holds().await);
    // A notice handed over since says nothing any more.
    story.handed(ANSWER_BY).await;
    assert!(story.set_aside().await.is_empty());
    assert_eq!(story.state().await["told"], false);
    story.forward(1);
    story.asks("Agente A", propose(ANSWER_BY.saturating_add(1.days()))).await.unwrap();
    assert_ne!(story.proposal().await.0, first);
    story.rules_hold().await;
}

#[tokio::test]
async fn undone_the_registration_time_counts_as_before_and_the_slot_is_theirs_again() {
    let mut story = Story::begin().await;
    story.heard().await;
    story.asks("Agent B", decide(true)).await.unwrap();
    assert!(story.asks("Agent B", undo()).await.unwrap_err().contains("in a minute"));
    story.carried_out().await;
    assert!(story.asks("Agente A", propose(ANSWER_BY)).await.unwrap_err().contains("--undo"));
    story.asks("Agente C", undo()).await.unwrap();
    assert!(story.asks("Agente C", undo()).await.unwrap_err().contains("already"));
    assert_eq!((story.carried_out().await, story.carried_out().await), (1, 0));
    assert!(story.holds().await, "nobody was asked about it");
    let (id, slot) = (story.person.told.id, story.person.slot.clone());
    let told = story.told().await;
    let over = told.iter().position(
        |change| matches!(change, Change::AnnulmentOver { registration, .. } if *registration == id),
    );
    let moved = told.iter().position(|change| match change {
        Change::Moved { registration, from, token, because } if *registration == id => {
            assert_eq!((*from, because.as_str()), (slot.at, "annulment_undone"));
            SignedToken::from_bytes(&token.0).unwrap().token.slot == slot.slot
        }
        _ => false,
    });
    assert!(over.unwrap() < moved.unwrap());
    let row = sqlx::query("SELECT at::date::text FROM replaced_paper WHERE registration = $1")
        .bind(id.0.as_slice())
        .fetch_one(&story.service.pool);
    assert_eq!(row.await.unwrap().get::<String, _>(0), slot.at.date().to_string(), "doors know it again");
    story.rules_hold().await;
}

#[tokio::test]
async fn undone_after_somebody_was_asked_about_the_slot_it_is_the_first_free_one_and_not_after_a_month() {
    let mut story = Story::begin().await;
    story.heard().await;
    story.asks("Agent B", decide(true)).await.unwrap();
    story.carried_out().await;
    // Nobody gains from the last slot of all: it is let go, and given to who registers.
    story.service.central.offer_freed().await.unwrap();
    let next = registers(&story.service, &mut story.device, PEOPLE + 1).await;
    assert_eq!(next.slot.slot, story.person.slot.slot);
    story.forward(31);
    let late = story.asks("Agente C", undo()).await.unwrap_err();
    assert!(late.contains("30 days") && late.contains("register"), "{late}");
    story.forward(-1);
    story.asks("Agente C", undo()).await.unwrap();
    story.carried_out().await;
    assert_eq!(story.holder(&next.slot).await, Some(next.told.id.0.to_vec()));
    let row = sqlx::query("SELECT count(*) FROM slot WHERE registration = $1")
        .bind(story.person.told.id.0.as_slice())
        .fetch_one(&story.service.pool);
    assert_eq!(row.await.unwrap().get::<i64, _>(0), 1, "another date");
    story.rules_hold().await;
}
