#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A site's desk over the network: an agent with a key reads what there is to do at their own site, writes
//! down what was asked, and answers once. What could not be carried out is on that list too.

use journeys::device::{Device, Said, Service};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use wire::body::{AdvanceRequest, Body, Cancellation, Outcome, Registered};
use wire::messages::{Change, Told};

struct Desk {
    service: Service,
    one: Device,
    key: String,
    count: u8,
}

/// What of the request a refusal is about, and why.
fn about(said: &Said) -> (&str, &str) {
    let word = |name: &str| said.json["args"][name].as_str().unwrap_or_default();
    (word("field"), word("reason"))
}

impl Desk {
    async fn begin() -> Self {
        let service = Service::start().await.unwrap();
        let one = service.device("ONE", 1).await.unwrap();
        service.device("TWO", 2).await.unwrap();
        let key = agent(&service, "ONE", "Agent Martin", 90).await;
        Self { service, one, key, count: 0 }
    }

    /// Somebody registered here, told to central; the code on their paper and who they are.
    async fn registered(&mut self) -> domain::registration::Registration {
        self.count += 1;
        let mut told = self.one.registration(&self.service, self.count, "DIALLO").unwrap();
        told.applicant.contact.phone = Some("+33600000000".into());
        let asked = json!({ "registration": told });
        let said = self.one.say(&self.service, "POST", "/v1/registrations", &asked).await.unwrap();
        let token = serde_json::from_value(said.json["token"].clone()).unwrap();
        let (registration, at) = (told.clone(), self.service.now());
        let registered =
            Registered { registration, outcome: Outcome::Online { token }, at, day_declared: false };
        self.push(&Body::Registration(Box::new(registered))).await;
        told
    }

    async fn push(&mut self, body: &Body) {
        let record = self.one.says(body).unwrap();
        assert_eq!(self.one.push(&self.service, vec![record]).await.unwrap().status, 200);
    }

    async fn get(&self, target: &str) -> Said {
        self.service.desk(&self.key, ("GET", target), None, &Value::Null).await.unwrap()
    }

    async fn tasks(&self) -> Vec<Value> {
        let said = self.get("/v1/tasks").await;
        assert_eq!(said.status, 200, "{}", said.json);
        said.json["tasks"].as_array().unwrap().clone()
    }

    async fn answers(&self, key: &str, task: &Value, text: &str) -> Said {
        let target = format!("/v1/tasks/{task}");
        self.service.desk(key, ("POST", &target), None, &json!({ "answer": text })).await.unwrap()
    }

    async fn asks(&self, idempotency: Option<&str>, body: &Value) -> Said {
        self.service.desk(&self.key, ("POST", "/v1/tasks"), idempotency, body).await.unwrap()
    }
}

async fn agent(service: &Service, site: &str, name: &str, days: u16) -> String {
    let (now, random) = (service.now(), central::system_random());
    let made = central::admin::add_agent(&service.pool, (site, name), days, now, &random).await.unwrap();
    made["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_is_read_and_answered_over_the_network_once() {
    let mut desk = Desk::begin().await;
    let person = desk.registered().await;
    let (registration, mediator, at) = (person.id, person.mediator.clone(), desk.service.now());
    desk.push(&Body::AdvanceRequest(AdvanceRequest { registration, mediator, at })).await;
    let tasks = desk.tasks().await;
    assert_eq!(tasks.len(), 1);
    assert_eq!((&tasks[0]["kind"], &tasks[0]["owner"]), (&json!("advance_request"), &json!("desk of ONE")));
    assert_eq!((&tasks[0]["code"], &tasks[0]["due"]), (&json!(person.code), &json!("2027-03-23")));

    // Another site's desk neither sees nor answers it.
    let elsewhere = agent(&desk.service, "TWO", "Agent Petit", 90).await;
    let said = desk.service.desk(&elsewhere, ("GET", "/v1/tasks"), None, &Value::Null).await.unwrap();
    assert_eq!(said.json["tasks"], json!([]));
    let said = desk.answers(&elsewhere, &tasks[0]["task"], "No.").await;
    assert_eq!((said.code(), about(&said)), ("not_found", ("task", "unknown")));

    // Said again because the answer was lost, it is the same; otherwise, or by another, it stands.
    for _ in 0..2 {
        let said = desk.answers(&desk.key, &tasks[0]["task"], "Come on Monday.").await;
        assert_eq!((said.status, &said.json["answered"]), (200, &json!(true)));
    }
    let said = desk.answers(&desk.key, &tasks[0]["task"], "Or not.").await;
    assert_eq!((said.code(), about(&said)), ("conflict", ("task", "answered")));
    let other = agent(&desk.service, "ONE", "Agent Durand", 90).await;
    assert_eq!(desk.answers(&other, &tasks[0]["task"], "Come on Monday.").await.code(), "conflict");
    assert_eq!(desk.answers(&desk.key, &json!(9_999), "x").await.code(), "not_found");
    let said = desk.answers(&desk.key, &tasks[0]["task"], "two\nlines").await;
    assert_eq!((said.code(), about(&said)), ("bad_body", ("answer", "control_character")));
    assert!(desk.tasks().await.is_empty());
    let all = desk.get("/v1/tasks?all=true").await.json;
    assert_eq!(all["tasks"][0]["answered_by"], "Agent Martin");

    // The kiosk heard it once.
    let told = desk.one.pull(&desk.service, 0).await.unwrap().changes;
    let answers: Vec<_> = told
        .into_iter()
        .filter_map(|told| match told {
            Told::Known(Change::Answered { answer, .. }) => Some(answer),
            _ => None,
        })
        .collect();
    assert_eq!(answers, ["Come on Monday."]);
    // Who read and who answered stands in the audit journal, by name.
    let entries = "SELECT count(*) FROM audit_waiting \
                   WHERE who LIKE '%Agent Martin%' AND act IN ('tasks_read', 'task_answered')";
    let entries: i64 = sqlx::query_scalar(entries).fetch_one(&desk.service.pool).await.unwrap();
    assert_eq!(entries, 3 + 1, "each reading and the one answer");
}

#[tokio::test]
async fn a_question_is_a_task_with_the_way_back() {
    let mut desk = Desk::begin().await;
    let person = desk.registered().await;
    let mut asked = json!({ "code": person.code, "channel": "phone", "question": "May I bring my son?" });
    // Without a key it could be asked twice by one lost answer.
    let said = desk.asks(None, &asked).await;
    assert_eq!((said.code(), about(&said)), ("bad_body", ("idempotency-key", "missing")));
    let first = desk.asks(Some("call 1"), &asked).await;
    assert_eq!((first.status, &first.json["due"]), (200, &json!("2027-03-16")));
    assert_eq!(desk.asks(Some("call 1"), &asked).await.json, first.json);
    let second = desk.asks(Some("call 2"), &asked).await;
    assert_ne!(second.json["task"], first.json["task"], "asked twice is twice");
    asked["question"] = json!("Where is the entrance?");
    let said = desk.asks(Some("call 1"), &asked).await;
    assert_eq!((said.code(), about(&said)), ("conflict", ("idempotency-key", "used")));
    for (field, value, code, reason) in [
        ("code", json!(domain::code::FollowUpCode::from_random([0xee; 8])), "not_found", "unknown"),
        ("code", json!("0000000000000"), "bad_body", "not_a_code"),
        ("channel", json!("pigeon"), "bad_body", "not_one_of"),
        // They gave no such contact: the answer could not go back.
        ("channel", json!("email"), "bad_body", "no_contact"),
        ("question", json!(""), "bad_body", "empty"),
        ("question", json!(7), "bad_body", "not_text"),
        ("question", json!("x".repeat(1_001)), "bad_body", "too_long"),
        ("question", json!("two\nlines"), "bad_body", "control_character"),
        ("hour", json!("now"), "bad_body", "unknown"),
    ] {
        let mut wrong = asked.clone();
        wrong[field] = value;
        let said = desk.asks(Some("call 3"), &wrong).await;
        assert_eq!((said.code(), about(&said)), (code, (field, reason)));
    }
    let mut without = asked.clone();
    without.as_object_mut().unwrap().remove("channel");
    let said = desk.asks(Some("call 3"), &without).await;
    assert_eq!((said.code(), about(&said)), ("bad_body", ("channel", "missing")));
    let said = desk.asks(Some(&"k".repeat(65)), &asked).await;
    assert_eq!((said.code(), about(&said)), ("bad_body", ("idempotency-key", "too_long")));
    for (query, field, reason) in
        [("all=perhaps", "all", "not_true_or_false"), ("every=1", "every", "unknown")]
    {
        let said = desk.get(&format!("/v1/tasks?{query}")).await;
        assert_eq!((said.code(), about(&said)), ("bad_body", (field, reason)));
    }
    let elsewhere = agent(&desk.service, "TWO", "Agent Petit", 90).await;
    let said = desk.service.desk(&elsewhere, ("POST", "/v1/tasks"), Some("k"), &asked).await.unwrap();
    assert_eq!(said.code(), "not_found", "a paper of another site");

    let tasks = desk.tasks().await;
    assert_eq!(tasks.len(), 2);
    assert_eq!((&tasks[0]["kind"], &tasks[0]["reason"]), (&json!("question"), &json!("phone")));
    assert_eq!(tasks[0]["question"], "May I bring my son?");
    assert_eq!(tasks[0]["contact"], "+33600000000");
    // Who gives their place up may still be told what they asked.
    let (registration, mediator, at) = (person.id, person.mediator.clone(), desk.service.now());
    desk.push(&Body::Cancellation(Cancellation { registration, mediator, at })).await;
    assert_eq!(desk.tasks().await.len(), 2);
    // From the command line it is the same list.
    let question = central::desk::Question {
        code: person.code,
        channel: domain::task::Inbound::Counter,
        question: "And my daughter?",
        key: None,
    };
    let now = desk.service.now();
    central::admin::question(&desk.service.pool, "ONE", &question, now).await.unwrap();
    let third = desk.tasks().await.pop().unwrap();
    assert_eq!((&third["reason"], &third["contact"]), (&json!("counter"), &Value::Null));
    assert_eq!(desk.answers(&desk.key, &third["task"], "She too.").await.status, 200);
}

#[tokio::test]
async fn what_could_not_be_carried_out_is_somebody_s_to_look_at() {
    let mut desk = Desk::begin().await;
    let person = desk.registered().await;
    let (mediator, at) = (person.mediator.clone(), desk.service.now());
    let nobody = domain::ids::RegistrationId([0xee; 16]);
    for _ in 0..2 {
        let mediator = mediator.clone();
        desk.push(&Body::Cancellation(Cancellation { registration: nobody, mediator, at })).await;
    }
    let tasks = desk.tasks().await;
    assert_eq!(tasks.len(), 1, "one for a kiosk and a reason");
    assert_eq!(tasks[0]["kind"], "failed_step");
    assert_eq!(tasks[0]["reason"], "cancellation:registration_unknown");
    assert_eq!((&tasks[0]["kiosk"], &tasks[0]["code"]), (&json!(desk.one.kiosk.to_string()), &Value::Null));
    assert_eq!(tasks[0]["due"], "2027-03-11");
    assert_eq!(desk.answers(&desk.key, &tasks[0]["task"], "The paper was read back.").await.status, 200);
    desk.push(&Body::Cancellation(Cancellation { registration: nobody, mediator: mediator.clone(), at }))
        .await;
    assert_eq!(desk.tasks().await.len(), 1, "and anew when it happens again");
    // What is an answer to the person is none of it: their counter tells them.
    let transfer = wire::body::Transfer { registration: person.id, mediator, at };
    desk.push(&Body::Transfer(transfer)).await;
    assert_eq!(desk.tasks().await.len(), 1);
}

#[tokio::test]
async fn a_key_is_good_for_its_days_and_until_it_is_ended() {
    let desk = Desk::begin().await;
    let short = agent(&desk.service, "ONE", "Stagiaire", 1).await;
    let get =
        async |key: &str| desk.service.desk(key, ("GET", "/v1/tasks"), None, &Value::Null).await.unwrap();
    assert_eq!(get(&short).await.status, 200);
    desk.service.clock.fetch_add(86_400, Ordering::SeqCst);
    assert_eq!((get(&short).await.status, get(&short).await.code()), (401, "no_agent"));
    assert_eq!(get(&desk.key).await.status, 200);
    for wrong in ["", "00", &"0".repeat(64), &desk.key.to_uppercase(), &format!("{}0", desk.key)] {
        assert_eq!(get(wrong).await.code(), "no_agent");
    }
    let pool = &desk.service.pool;
    let listed = central::admin::agents(pool, "ONE").await.unwrap();
    assert_eq!(listed["agents"][0]["name"], "Agent Martin");
    assert!(!listed.to_string().contains(&desk.key), "told once");
    let stored: Vec<u8> =
        sqlx::query_scalar("SELECT key_hash FROM agent ORDER BY id LIMIT 1").fetch_one(pool).await.unwrap();
    assert!(!desk.key.contains(&stored.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    let id = listed["agents"][0]["agent"].as_i64().unwrap();
    let now = desk.service.now();
    assert!(central::admin::end_agent(pool, "TWO", id, now).await.is_err(), "of another site");
    for _ in 0..2 {
        central::admin::end_agent(pool, "ONE", id, now).await.unwrap();
        assert_eq!(get(&desk.key).await.code(), "no_agent");
    }
    for days in [0, central::admin::KEY_DAYS_MAX + 1] {
        let random = central::system_random();
        assert!(central::admin::add_agent(pool, ("ONE", "X"), days, now, &random).await.is_err());
    }
}
