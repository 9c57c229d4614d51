#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Several mediators at one counter: what a person said to one of them is not shown to the
//! next, a supervisor can go on with it, and nobody's visit is lost when its mediator leaves.

use app::contract::Problem;
use central::admin::{NewMediator, mediator, remove_mediator};
use jiff::Timestamp;
use journeys::counter::{Counter, person, register};
use journeys::stand::{MEDIATOR, PIN, SITE};
use serde_json::json;
use sqlx::Row as _;

const ONE: &str = "1111";
const HEAD: &str = "2222";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_opens_for_its_mediator_or_a_supervisor() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let tell = async |id: &'static str, pin: &'static str, supervisor| {
        let told = NewMediator { id, name: id, pin, supervisor: Some(supervisor), replace: false };
        mediator(&pool, SITE, &told, Timestamp::now(), &central::system_random()).await.unwrap();
        counter.kiosk.exchange().await.unwrap();
    };
    let leave = async |id: &'static str| {
        remove_mediator(&pool, SITE, id, Timestamp::now()).await.unwrap();
        counter.kiosk.exchange().await.unwrap();
    };
    tell("one", ONE, false).await;
    let kiosk = &counter.kiosk;
    kiosk.unlock("one", ONE).await.unwrap();
    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    kiosk.save_draft(&visit, person("COMMENCÉ")).await.unwrap();
    let kept = register(kiosk, "GARDÉ").await.unwrap();

    // Another mediator at the same counter: neither a name nor a way in, and the words say who.
    kiosk.unlock(MEDIATOR, PIN).await.unwrap();
    let seen = serde_json::to_value(kiosk.home().await.unwrap().unfinished).unwrap();
    let theirs = seen.as_array().unwrap().iter().find(|row| row["visit"] == visit.as_str()).unwrap();
    assert_eq!((&theirs["name"], &theirs["begun_by"]), (&json!(""), &json!("one")));
    let closing = serde_json::to_string(&kiosk.end_of_day().await.unwrap()).unwrap();
    assert!(!closing.contains("COMMENC") && closing.contains("GARD"), "{closing}");
    let refused = |done: Result<(), Problem>| {
        let problem = done.unwrap_err();
        assert_eq!((problem.code.as_str(), &problem.args["who"]), ("others_draft", &"one".to_owned()));
    };
    refused(kiosk.open_visit(&visit).await.map(drop));
    refused(kiosk.save_draft(&visit, person("VOLÉ")).await.map(drop));
    refused(kiosk.read_back(&visit).await.map(drop));
    refused(kiosk.confirm(&visit).await.map(drop));
    refused(kiosk.scan_page(&visit).await.map(drop));
    refused(kiosk.remove_page(&visit, &"0".repeat(32)).await.map(drop));
    refused(kiosk.discard_draft(&visit).await);
    // A date that is kept is anybody's to print: the person waits for it.
    assert_eq!(kiosk.open_visit(&kept.visit).await.unwrap().fields.family_names, "GARDÉ");

    // A supervisor goes on with it; who gave the date stands in the record.
    tell("head", HEAD, true).await;
    kiosk.unlock("head", HEAD).await.unwrap();
    let seen = kiosk.home().await.unwrap().unfinished;
    assert!(seen.iter().any(|row| row.name.contains("COMMENC") && row.begun_by.is_none()));
    assert_eq!(kiosk.open_visit(&visit).await.unwrap().fields.family_names, "COMMENCÉ");
    let date = kiosk.confirm(&visit).await.unwrap();
    kiosk.exchange().await.unwrap();
    let by = async |code: &str| {
        let sql = "SELECT body ->> 'mediator' FROM registration WHERE body ->> 'code' = $1";
        sqlx::query(sql).bind(code).fetch_one(&pool).await.unwrap().get::<String, _>(0)
    };
    assert_eq!((by(&date.code).await, by(&kept.code).await), ("head".to_owned(), "one".to_owned()));

    // A new PIN leaves a supervisor one.
    let told = NewMediator { id: "head", name: "head", pin: HEAD, supervisor: None, replace: false };
    let said = mediator(&pool, SITE, &told, Timestamp::now(), &central::system_random()).await.unwrap();
    assert_eq!(said["supervisor"], true);

    // A mediator leaves with a draft open: a supervisor has it, and where there is none,
    // whoever is there.
    kiosk.unlock("one", ONE).await.unwrap();
    let left = kiosk.start_visit("fr").await.unwrap().visit;
    leave("one").await;
    kiosk.unlock(MEDIATOR, PIN).await.unwrap();
    assert_eq!(kiosk.open_visit(&left).await.unwrap_err().code, "others_draft");
    leave("head").await;
    kiosk.open_visit(&left).await.unwrap();
}
