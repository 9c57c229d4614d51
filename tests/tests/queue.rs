#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A person's place, recomputed by anybody from what the paper prints, in the queue their site
//! has published; a queue that was touched, and a paper that was, count for nothing.

use app::contract::LimitFields;
use domain::place::PlaceKey;
use domain::queue::QueueExtract;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use journeys::counter::{Counter, person, register};
use journeys::programs::{built, command};
use journeys::stand::SITE;
use serde_json::{Value, json};
use sqlx::Row as _;
use std::path::Path;

/// What a paper prints under *order of the list*.
struct Printed {
    code: String,
    class: String,
    registered: String,
    tie_break: String,
}

impl Printed {
    fn explain(&self, queue: Option<(&Path, &Path)>) -> (Option<i32>, Value) {
        let (exit, told, _) = self.explained("fr", queue);
        (exit, told)
    }

    /// The same, with what is said beside the answer, in a language.
    fn explained(&self, lang: &str, queue: Option<(&Path, &Path)>) -> (Option<i32>, Value, String) {
        let words = [
            "--lang",
            lang,
            "rank",
            "explain",
            "--code",
            &self.code,
            "--class",
            &self.class,
            "--registered",
            &self.registered,
            "--tie-break",
            &self.tie_break,
        ];
        let mut run = command(built("jalonctl").unwrap(), words);
        if let Some((file, root)) = queue {
            run.arg("--queue").arg(file).arg("--root").arg(root);
        }
        let output = run.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), said)
    }
}

/// What central has of a place, as its paper prints it.
async fn printed(pool: &central::Pool, code: &str) -> Printed {
    let sql = "SELECT class, registered_s, tie_break FROM registration WHERE body ->> 'code' = $1";
    let row = sqlx::query(sql).bind(code).fetch_one(pool).await.unwrap();
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let at = paris.to_datetime(Timestamp::from_second(row.get(1)).unwrap());
    Printed {
        code: code.to_owned(),
        class: row.get(0),
        registered: at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        tie_break: format!("{:08X}", row.get::<i64, _>(2)),
    }
}

/// Declared without a network, days after the registration: kept before the screen says so, on a new
/// paper of the same code whose class finds its place, and the paper before still opens the door.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_learnt_later_stands_on_a_new_paper_that_finds_its_place() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    register(&counter.kiosk, "PREMIER").await.unwrap();
    let before = register(&counter.kiosk, "PLUS TARD").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter = counter.cut_off(None).await.unwrap();
    let kiosk = &counter.kiosk;
    let text = async |code: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paper.pdf");
        std::fs::write(&file, kiosk.paper_pdf(code).await.unwrap()).unwrap();
        let done = command("pdftotext", ["-layout"]).arg(&file).arg("-").output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let class = |key: &str| l10n::text(&l10n::Lang::FRENCH, key, &[]);
    let (ordinary, limited) = (class("paper-class-ordinary"), class("paper-class-with-time-limit"));
    let paper = text(&before.code).await;
    assert!(paper.contains(&ordinary) && !paper.contains(&limited), "{paper}");

    let said = |days: &str, evidence: &str| LimitFields {
        right: "court_injunction".into(),
        days: days.into(),
        evidence: evidence.into(),
        ..LimitFields::default()
    };
    let waiting = async || kiosk.status().await.unwrap()["journal"]["waiting"].clone();
    for (wrong, code, field) in [
        (said("", "TA 1"), "limit_missing", "limit.last_day"),
        (said("60", ""), "evidence_missing", "limit.evidence"),
        (LimitFields { right: "moon".into(), ..said("60", "TA 1") }, "unknown_right", "limit.right"),
    ] {
        let refused = kiosk.declare_limit(&before.visit, wrong).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.args["field"].as_str()), (code, field));
    }
    assert_eq!((waiting().await, kiosk.date(&before.visit).await.unwrap().limit), (json!(0), None));
    let now = kiosk.declare_limit(&before.visit, said("60", "TA 27/1")).await.unwrap();
    assert!(now.limit.is_some() && !now.after_limit);
    assert_eq!((&now.code, &now.slot_at, &now.slot), (&before.code, &before.slot_at, &before.slot));
    assert_ne!(now.code_large, before.code_large, "another paper");
    assert_eq!(waiting().await, json!(1));
    let again = kiosk.declare_limit(&before.visit, said("60", "TA 27/1")).await.unwrap();
    assert_eq!((again.code_large, waiting().await), (now.code_large.clone(), json!(1)), "twice is once");
    let paper = text(&before.code).await;
    assert!(paper.contains(&limited) && !paper.contains(&ordinary), "{paper}");
    assert!(!paper.contains("TA 27/1"), "what it is is on no paper");

    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    // Both say the same day, and open any door, that of their own kiosk too.
    let door = counter.another(None).await.unwrap();
    door.exchange().await.unwrap();
    for code in [&before.code_large, &now.code_large] {
        assert_eq!(counter.kiosk.show_paper(code).await.unwrap().verdict, "valid");
        assert_eq!(door.show_paper(code).await.unwrap().verdict, "valid");
    }
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let tasks = central::admin::tasks(&pool, SITE, false).await.unwrap();
    let task = &tasks["tasks"][0];
    assert_eq!((&task["kind"], &task["evidence"]), (&json!("limit_check"), &json!("TA 27/1")), "{tasks}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.json");
    let root = counter.folder.path().join(central::keys::RING);
    let keys = central::keys::CentralKeys::load(counter.folder.path()).unwrap();
    central::admin::queue(&pool, &keys, (SITE, "renewal"), &file, Zoned::now().timestamp()).await.unwrap();
    let mut mine = printed(&pool, &before.code).await;
    assert_eq!(mine.class, "with_time_limit");
    assert!(paper.contains(&mine.tie_break), "{paper}");
    let (exit, told) = mine.explain(Some((&file, &root)));
    assert_eq!((exit, &told["position"]), (Some(0), &json!({ "in_class": 1, "of_class": 1, "of_all": 1 })));
    // A name put right changes no mark: the extract from before and the one from after are one list.
    let mut details = counter.kiosk.date(&before.visit).await.unwrap().details;
    details.family_names = "PLUS TARDE".into();
    counter.kiosk.correct(&before.visit, details).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let after = folder.path().join("after.json");
    central::admin::queue(&pool, &keys, (SITE, "renewal"), &after, Zoned::now().timestamp()).await.unwrap();
    for file in [&file, &after] {
        assert_eq!(mine.explain(Some((file, &root))), (exit, told.clone()));
    }
    // The old paper's class is its place no more.
    mine.class = "ordinary".to_owned();
    assert_eq!(mine.explain(Some((&file, &root))).1["listed"], json!(false));
    let status = counter.kiosk.status().await.unwrap();
    assert_eq!((&status["journal"]["waiting"], &status["journal"]["set_aside"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_is_recomputed_from_its_paper_and_found_in_the_published_queue() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let kiosk = &counter.kiosk;
    let first = register(kiosk, "PREMIER").await.unwrap().code;
    let limited = kiosk.start_visit("fr").await.unwrap().visit;
    let limit = LimitFields {
        right: "court_injunction".into(),
        days: "60".into(),
        evidence: "TA".into(),
        ..LimitFields::default()
    };
    let fields = app::contract::DraftFields { limit: Some(limit), ..person("ÉCHÉANCE") };
    kiosk.save_draft(&limited, fields).await.unwrap();
    let limited = kiosk.confirm(&limited).await.unwrap().code;
    let last = register(kiosk, "DERNIER").await.unwrap().code;
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let printed = async |code: &str| printed(&pool, code).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.json");
    let root = counter.folder.path().join(central::keys::RING);
    let keys = central::keys::CentralKeys::load(counter.folder.path()).unwrap();
    let now = Zoned::now().timestamp();
    let told = central::admin::queue(&pool, &keys, (SITE, "renewal"), &file, now).await.unwrap();
    assert_eq!((&told["with_time_limit"], &told["ordinary"]), (&json!(1), &json!(2)));
    assert!(central::admin::queue(&pool, &keys, (SITE, "nothing"), &file, now).await.is_err());
    let text = std::fs::read_to_string(&file).unwrap();
    // It may be a key that lies there: nothing is written over it.
    assert!(central::admin::queue(&pool, &keys, (SITE, "renewal"), &file, now).await.is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    for shown in ["PREMIER", &first, &first.replace('-', "")] {
        assert!(!text.contains(shown), "{shown} stands in the queue");
    }

    // Offline and alone: the key; with the queue: the position. Two of one second go by the
    // tie-break.
    let queue = Some((file.as_path(), root.as_path()));
    let mut ordinary = [printed(&first).await, printed(&last).await];
    ordinary.sort_by_key(|paper| (paper.registered.clone(), paper.tie_break.clone()));
    let [one, two] = ordinary;
    for (paper, in_class, of_class, of_all) in
        [(printed(&limited).await, 1, 1, 1), (one, 1, 2, 2), (two, 2, 2, 3)]
    {
        let (exit, alone) = paper.explain(None);
        assert_eq!((exit, &alone["rule"]), (Some(0), &json!("1")), "{alone}");
        let (exit, told) = paper.explain(queue);
        assert_eq!(exit, Some(0), "{told}");
        assert_eq!(told["mark"], alone["mark"]);
        let position = json!({ "in_class": in_class, "of_class": of_class, "of_all": of_all });
        assert_eq!(told["position"], position, "{told}");
        // What a program reads is the same in each language; beside it stands what it means.
        let (_, english, said) = paper.explained("en", queue);
        assert_eq!(english, told);
        let class = if paper.class == "ordinary" { "ordinary" } else { "with a legal time limit" };
        let means = [
            class.to_owned(),
            paper.tie_break.clone(),
            format!("number {in_class} of {of_class}"),
            format!("{} registrations stand before it", of_all - 1),
        ];
        for part in means {
            assert!(said.contains(&part), "{part}: {said}");
        }
        assert!(paper.explained("en", None).2.contains("--queue"), "where it stands is not known");
    }

    // A paper whose time or class was changed is not in it.
    let mut earlier = printed(&last).await;
    earlier.registered = "2020-01-01T09:00:00".to_owned();
    let mut favoured = printed(&last).await;
    favoured.class = "with_time_limit".to_owned();
    for paper in [earlier, favoured] {
        let (exit, told) = paper.explain(queue);
        assert_eq!((exit, &told["listed"]), (Some(1), &json!(false)), "{told}");
    }
    let (_, _, said) =
        Printed { class: "with_time_limit".into(), ..printed(&last).await }.explained("fr", queue);
    assert!(said.contains("n'est pas dans la liste"), "{said}");
    let mut mistyped = printed(&last).await;
    mistyped.tie_break = "12".to_owned();
    assert_eq!(mistyped.explain(queue).0, Some(2));

    // Registered in the hour that passed twice, the second time: the paper says one hour, both are tried.
    let second = "2027-10-31T01:30:00Z".parse::<Timestamp>().unwrap().as_second();
    let sql = "UPDATE registration SET registered_s = $1, ranked_s = $1 WHERE body ->> 'code' = $2";
    sqlx::query(sql).bind(second).bind(&last).execute(&pool).await.unwrap();
    let autumn = folder.path().join("autumn.json");
    central::admin::queue(&pool, &keys, (SITE, "renewal"), &autumn, now).await.unwrap();
    let (exit, told, said) = printed(&last).await.explained("en", Some((&autumn, &root)));
    assert_eq!(
        (exit, &told["reading"], &told["registered_s"]),
        (Some(0), &json!("second"), &json!(second)),
        "{said}"
    );
    assert!(said.contains("the second time is in the list"), "{said}");

    // A queue somebody has touched.
    let extract: QueueExtract = serde_json::from_str(&text).unwrap();
    let paper = printed(&last).await;
    let mut touched = Vec::new();
    let mut swapped = extract.clone();
    swapped.places.swap(1, 2);
    touched.push(("queue_changed", swapped));
    let mut shorter = extract.clone();
    shorter.places.remove(0);
    touched.push(("queue_changed", shorter));
    let mut elsewhere = extract.clone();
    elsewhere.head = elsewhere.head.replace(SITE, "OTHER");
    touched.push(("queue_forged", elsewhere));
    for (code, touched) in touched {
        std::fs::write(&file, serde_json::to_vec(&touched).unwrap()).unwrap();
        let (exit, told) = paper.explain(queue);
        assert_eq!((exit, &told["problem"]), (Some(1), &json!(code)), "{told}");
    }
    std::fs::write(&file, "[]").unwrap();
    assert_eq!(paper.explain(queue).0, Some(3));
    assert!(PlaceKey::printed("ordinary", 0, "0000000Z").is_none());
}

#[test]
fn a_time_is_told_to_the_second_and_an_hour_that_passed_twice_is_read_both_ways() {
    let told = |registered: &str| {
        let paper = Printed {
            code: domain::code::FollowUpCode::from_random([7; 8]).to_string(),
            class: "ordinary".into(),
            registered: registered.into(),
            tie_break: "0A1B2C3D".into(),
        };
        paper.explained("en", None)
    };
    let (exit, whole, said) = told("2027-03-08T09:12:33");
    assert_eq!(
        (exit, &whole["reading"], &whole["readings"]),
        (Some(0), &Value::Null, &Value::Null),
        "{said}"
    );
    assert_eq!(told("2027-03-08 09:12:33").1, whole, "as the paper prints it");
    for (wrong, problem, help) in [
        ("2027-03-08T09:12", "time_without_seconds", "seconds"),
        ("2027-03-08T09", "time_unreadable", "2027-03-08T09:12:33"),
        ("2027-13-08T09:12:33", "time_unreadable", "2027-03-08T09:12:33"),
        ("hier", "time_unreadable", "2027-03-08T09:12:33"),
        // The clocks went from two to three.
        ("2027-03-28T02:30:00", "time_never_was", "--zone"),
    ] {
        let (exit, told, said) = told(wrong);
        assert_eq!((exit, &told["problem"]), (Some(2), &json!(problem)), "{wrong}: {said}");
        assert!(said.contains(help), "{wrong}: {said}");
    }
    // From three back to two: half past two is two moments, an hour apart.
    let (exit, twice, said) = told("2027-10-31T02:30:00");
    assert_eq!((exit, &twice["reading"]), (Some(0), &json!("first")), "{said}");
    let readings = twice["readings"].as_array().unwrap();
    let moment = |n: usize| readings[n]["registered_s"].as_i64().unwrap();
    assert_eq!((readings.len(), moment(1) - moment(0)), (2, 3_600));
    assert_eq!(
        (&twice["mark"], &twice["registered_s"]),
        (&readings[0]["mark"], &readings[0]["registered_s"])
    );
    assert_ne!(readings[0]["mark"], readings[1]["mark"]);
    assert!(said.contains("passed twice"), "{said}");
}
