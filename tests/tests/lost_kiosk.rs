#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A kiosk burns before it ever spoke with central. What it printed is all there is: the
//! paper, read at another counter, brings the date back at once and the rest with the
//! recovery key (I6).

use app::contract::{BirthFields, ContactFields, DateSource, DraftFields, LimitFields, PrintState};
use app::contract::{RepresentativeFields, ShownPaperView};
use journeys::counter::Counter;
use journeys::programs::{built, command};
use journeys::stand::SITE;
use journeys::tls;
use serde_json::json;
use sim::ipp_printer::IppPrinter;
use sqlx::Row as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(20);

fn person() -> DraftFields {
    DraftFields {
        lang: "ar".into(),
        family_names: "بن عيسى".into(),
        given_names: "فاطمة الزهراء".into(),
        birth: BirthFields {
            day: "14".into(),
            month: "3".into(),
            year: "2012".into(),
            ..BirthFields::default()
        },
        birth_place: "Béjaïa".into(),
        nationality: "DZA".into(),
        agdref: "7512345678".into(),
        procedure: "renewal".into(),
        contact: ContactFields { phone: "+33 6 12 34 56 78".into(), ..ContactFields::default() },
        representative: Some(RepresentativeFields {
            family_names: "Amrani".into(),
            given_names: "Lila".into(),
            relation: "guardian".into(),
        }),
        limit: Some(LimitFields {
            right: "court_injunction".into(),
            days: "40".into(),
            evidence: "TA Lyon 24-118".into(),
            ..LimitFields::default()
        }),
        ..DraftFields::default()
    }
}

/// The page a printer received, as a camera or a scanner sees it.
fn picture(folder: &Path, pdf: &Path) -> PathBuf {
    std::fs::copy(pdf, folder.join("paper.pdf")).unwrap();
    let done = Command::new("pdftoppm")
        .args(["-r", "200", "-jpeg", "-singlefile", "paper.pdf", "paper"])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(done.success());
    folder.join("paper.jpg")
}

fn jalonctl(args: &[&Path]) -> serde_json::Value {
    let done = command(built("jalonctl").unwrap(), args).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paper_brings_back_what_its_lost_kiosk_never_sent() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let printer = IppPrinter::start().unwrap();
    let mut counter = Counter::start(None, Some(printer.uri())).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    // The network is gone for good; the printer is not.
    counter = counter.cut_off(Some(printer.uri())).await.unwrap();
    let visit = counter.kiosk.start_visit("ar").await.unwrap().visit;
    counter.kiosk.save_draft(&visit, person()).await.unwrap();
    let date = counter.kiosk.confirm(&visit).await.unwrap();
    assert_eq!(date.source, DateSource::Lease);
    counter.kiosk.print(&visit).await.unwrap();
    let from = Instant::now();
    while counter.kiosk.print_status(&visit).await.unwrap().state != PrintState::Printed {
        assert!(from.elapsed() < WAIT, "nothing was printed");
        tokio::task::yield_now().await;
    }
    let page = picture(counter.folder.path(), &printer.received().unwrap()[0]);

    // Its own paper opens the visit here; nothing is sent on.
    let own = counter.kiosk.show_paper(&date.code_large).await.unwrap();
    assert_eq!((own.verdict.as_str(), own.visit.as_deref(), own.door), ("valid", Some(&*visit), None));
    let refused = counter.kiosk.bring_paper(&date.code_large, None).await.unwrap_err();
    assert_eq!(refused.code, "paper_not_to_bring");

    // Whoever guesses birth dates waits, without a network too.
    let wrong = || BirthFields { day: "15".into(), ..person().birth };
    let mut said = Vec::new();
    for _ in 0..4 {
        said.push(counter.kiosk.follow_up(&date.code, wrong()).await.unwrap_err().code);
    }
    assert_eq!(said[..3], ["follow_up_offline", "follow_up_offline", "follow_up_offline"]);
    assert_eq!(said[3], "try_wait");

    // The kiosk burns. The person stands at another counter of the site.
    std::fs::remove_file(counter.folder.path().join("vault.db")).unwrap();
    let other = counter.another(Some(format!("file:{}", page.display()))).await.unwrap();
    let unknown = other.follow_up(&date.code, person().birth).await.unwrap_err();
    assert_eq!(unknown.code, "follow_up_unknown");
    let shown: ShownPaperView = other.show_paper("").await.unwrap();
    assert_eq!((shown.verdict.as_str(), shown.visit), ("valid", None));
    assert_eq!((&shown.slot_at, shown.code.as_deref()), (&date.slot_at, Some(&*date.code)));
    let (door, rebuild) = (shown.door.unwrap(), shown.rebuild.expect("the second code was not read"));
    other.bring_paper(&door, Some(&rebuild)).await.unwrap();
    // Brought twice, it is one paper.
    other.bring_paper(&door, None).await.unwrap();
    other.exchange().await.unwrap();

    // Whoever holds the recovery key reads the page without central.
    let keys = counter.folder.path();
    let (root, recovery) = (keys.join(central::keys::RING), keys.join(central::keys::RECOVERY));
    let read = jalonctl(&[
        "seal".as_ref(),
        "rebuild".as_ref(),
        "--image".as_ref(),
        &page,
        "--root".as_ref(),
        &root,
        "--recovery".as_ref(),
        &recovery,
    ]);
    assert_eq!(read["applicant"]["given_names"], "فاطمة الزهراء");
    assert_eq!((&read["code"], &read["site"]), (&json!(date.code), &json!(SITE)));

    let pool = central::connect(&counter.pool_url).await.unwrap();
    let papers = central::admin::papers(&pool, SITE).await.unwrap();
    assert_eq!(papers["papers"][0]["state"], "locked");
    assert_eq!(papers["papers"][0]["slot_at"].as_str(), date.slot_at.as_deref());
    assert_eq!(papers["papers"].as_array().unwrap().len(), 1);
    let found = other.follow_up(&date.code, person().birth).await.unwrap().elsewhere.unwrap();
    assert_eq!(found.slot_at, date.slot_at, "the code and the birth date are answered at once");
    let wrong = BirthFields { day: "15".into(), ..person().birth };
    assert_eq!(other.follow_up(&date.code, wrong).await.unwrap_err().code, "follow_up_unknown");

    // The holders of the recovery key come with it.
    let folder = counter.folder.path();
    let not_key = central::admin::open_papers(&pool, SITE, &folder.join(tls::CA)).await.unwrap_err();
    assert!(not_key.is_refusal());
    let opened =
        central::admin::open_papers(&pool, SITE, &folder.join(central::keys::RECOVERY)).await.unwrap();
    assert_eq!(opened, json!({ "opened": 1, "not_opened": 0 }));
    other.exchange().await.unwrap();
    assert_eq!(central::admin::papers(&pool, SITE).await.unwrap()["papers"][0]["state"], "whole");
    let listed = central::admin::registrations(&pool, SITE).await.unwrap();
    let row = &listed["registrations"][0];
    assert_eq!(row["code"].as_str(), Some(&*date.code));
    assert_eq!(row["slot_at"].as_str().map(|at| &at[..16]), date.slot_at.as_deref());
    assert_eq!((&row["state"], &listed["records_set_aside"]), (&json!("kept"), &json!(0)));
    let body: String = sqlx::query("SELECT body::text FROM registration")
        .fetch_one(&pool)
        .await
        .unwrap()
        .try_get(0)
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let applicant = &body["applicant"];
    assert_eq!(applicant["family_names"], "بن عيسى");
    assert_eq!(applicant["given_names"], "فاطمة الزهراء");
    assert_eq!(applicant["birth"], json!({ "known": "whole", "date": "2012-03-14" }));
    assert_eq!(applicant["agdref"], "7512345678");
    assert_eq!(applicant["contact"]["phone"], "+33 6 12 34 56 78");
    assert_eq!(applicant["representative"]["relation"], "guardian");
    assert_eq!(body["limit"]["right"], "court_injunction");
    assert_eq!(body["limit"]["evidence"], "TA Lyon 24-118");
    assert_eq!((&body["procedure"], &body["lang"]), (&json!("renewal"), &json!("ar")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_or_foreign_paper_is_told_and_brings_nothing() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let visit = counter.kiosk.start_visit("ar").await.unwrap().visit;
    counter.kiosk.save_draft(&visit, person()).await.unwrap();
    let good = counter.kiosk.confirm(&visit).await.unwrap().code_large;
    let other = counter.another(None).await.unwrap();
    for text in ["", "JALON1.", "JALON1.AAAA", "http://example.org", &"x".repeat(10_000)] {
        let code = other.show_paper(text).await.unwrap_err().code;
        assert!(matches!(code.as_str(), "paper_no_code" | "no_scanner"), "{code}");
    }
    let mut bytes = seal::text::to_bytes(&good).unwrap();
    let name = bytes.len() - 70;
    bytes[name] ^= 1;
    let forged = seal::text::from_bytes(&bytes);
    let shown = other.show_paper(&forged).await.unwrap();
    assert_eq!((shown.verdict.as_str(), shown.name, shown.door), ("forged", None, None));
    assert_eq!(other.bring_paper(&forged, None).await.unwrap_err().code, "paper_not_to_bring");
    // A rightly sealed one of a central this kiosk does not know.
    let stranger = Counter::start(None, None).await.unwrap();
    let shown = stranger.kiosk.show_paper(&good).await.unwrap();
    assert_eq!((shown.verdict.as_str(), shown.code), ("unknown_issuer", None));
}

/// It is not told to go on as if nothing were: its papers are looked at, and people have a way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kiosk_declared_lost_is_told_what_is_true() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let kiosk = &counter.kiosk;
    kiosk.exchange().await.unwrap();
    assert_eq!(kiosk.end_of_day().await.unwrap().standing, None);
    let id = kiosk.status().await.unwrap()["kiosk"].as_str().unwrap().to_owned();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    // What hangs on it is seen before: nothing is changed by looking.
    let before = central::admin::preview_kiosk(&pool, SITE, &id, jiff::Timestamp::now()).await.unwrap();
    let lent = kiosk.status().await.unwrap()["lease"]["free"].as_i64().unwrap();
    assert_eq!((&before["standing"], &before["dates_to_come"]), (&"accepted".into(), &0.into()));
    assert!(lent > 0 && before["lent_and_not_known_given"].as_i64().unwrap() >= lent, "{before}");
    kiosk.exchange().await.unwrap();
    central::admin::lose_kiosk(&pool, SITE, &id, jiff::Timestamp::now()).await.unwrap();
    let told = kiosk.exchange().await.unwrap_err();
    assert_eq!(told.code, "kiosk_lost");
    for lang in ["fr", "en", "ar"] {
        let said = app::contract::sentence(&told, lang);
        assert!(!said.contains("kiosk_lost") && said.len() > 200, "{said}");
    }
    assert_eq!(kiosk.outbox().await.unwrap().problem, Some(told));
    assert!(kiosk.home().await.unwrap().notices.contains(&"kiosk_lost".to_owned()));
    assert_eq!(kiosk.end_of_day().await.unwrap().standing.as_deref(), Some("kiosk_lost"));
    // The person at the counter still leaves with a paper.
    let visit = kiosk.start_visit("ar").await.unwrap().visit;
    kiosk.save_draft(&visit, person()).await.unwrap();
    assert_eq!(kiosk.confirm(&visit).await.unwrap().source, DateSource::Lease);
    // And it is remembered without a network.
    let counter = counter.cut_off(None).await.unwrap();
    assert!(counter.kiosk.home().await.unwrap().notices.contains(&"kiosk_lost".to_owned()));
}
