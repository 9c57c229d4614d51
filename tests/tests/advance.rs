#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A far date is contested: one touch without a network, a task at the desk once there is
//! one, an agent's answer read back at the counter, and the date itself never moved.

use app::contract::AdvanceState;
use journeys::counter::{Counter, register};
use journeys::stand::SITE;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_for_an_earlier_date_is_a_task_and_its_answer_comes_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter = counter.cut_off(None).await.unwrap();
    let date = register(&counter.kiosk, "LOIN").await.unwrap();
    assert_eq!(date.advance, None);
    let asked = counter.kiosk.ask_earlier(&date.visit).await.unwrap();
    assert_eq!((asked.state, &asked.answer), (AdvanceState::OnlyHere, &None));
    // A second touch is the same request.
    assert_eq!(counter.kiosk.ask_earlier(&date.visit).await.unwrap(), asked);
    let draft = counter.kiosk.start_visit("fr").await.unwrap().visit;
    assert_eq!(counter.kiosk.ask_earlier(&draft).await.unwrap_err().code, "draft_incomplete");

    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let now = async || counter.kiosk.date(&date.visit).await.unwrap();
    assert_eq!(now().await.advance.unwrap().state, AdvanceState::Received);
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let listed = central::admin::tasks(&pool, SITE, false).await.unwrap();
    let tasks = listed["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 1, "{listed}");
    assert_eq!(
        (&tasks[0]["kind"], &tasks[0]["code"]),
        (&"advance_request".into(), &date.code.clone().into())
    );
    assert_eq!(tasks[0]["slot_at"], date.slot_at.clone().unwrap());
    let today = jiff::Zoned::now().date().to_string();
    assert!(tasks[0]["due"].as_str().unwrap() > today.as_str());

    // An agent answers, once.
    let task = tasks[0]["task"].as_i64().unwrap();
    let (moment, random) = (jiff::Timestamp::now(), central::system_random());
    let say = async |text: &'static str| {
        central::admin::answer_task(&pool, task, ("A. Petit", text), moment, &random).await
    };
    assert!(say("deux\nlignes").await.is_err());
    say("Pas de date plus proche avant mars.").await.unwrap();
    assert!(say("Encore").await.is_err(), "an answer stands");
    assert_eq!(central::admin::tasks(&pool, SITE, false).await.unwrap()["tasks"], serde_json::json!([]));
    assert_eq!(
        central::admin::tasks(&pool, SITE, true).await.unwrap()["tasks"][0]["answered_by"],
        "A. Petit"
    );
    counter.kiosk.exchange().await.unwrap();
    let told = now().await;
    assert_eq!((&told.slot_at, &told.code_large), (&date.slot_at, &date.code_large), "the date stands");
    let advance = told.advance.unwrap();
    assert_eq!(advance.state, AdvanceState::Answered);
    assert_eq!(advance.answer.as_deref(), Some("Pas de date plus proche avant mars."));
    assert!(advance.answered_at.is_some());

    // The person may ask again; the old answer is not the new one's.
    let again = counter.kiosk.ask_earlier(&date.visit).await.unwrap();
    assert_eq!((again.state, again.answer), (AdvanceState::OnlyHere, None));
    counter.kiosk.exchange().await.unwrap();
    let open = central::admin::tasks(&pool, SITE, false).await.unwrap();
    assert_eq!(open["tasks"].as_array().unwrap().len(), 1);
    assert_eq!(now().await.advance.unwrap().state, AdvanceState::Received);
    // Not for an appointment that was given up: it is taken back first.
    counter.kiosk.cancel(&date.visit).await.unwrap();
    assert_eq!(counter.kiosk.ask_earlier(&date.visit).await.unwrap_err().code, "cancelled");
}
