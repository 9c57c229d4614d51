#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A ranked person leaves with a day they are received at the latest (I5), is dated
//! earlier once central is back, and the slot held returns when the new paper is out.

use app::contract::{BirthFields, DateSource, DateView, DraftFields, PaperKind, PrintState};
use journeys::counter::Counter;
use journeys::stand::SITE;
use journeys::tls;
use std::time::{Duration, Instant};

/// Longest wait for a printer on this machine.
const WAIT: Duration = Duration::from_secs(20);

async fn register(counter: &Counter, name: &str) -> DateView {
    let fields = DraftFields {
        lang: "fr".into(),
        family_names: name.into(),
        birth: BirthFields {
            form: app::contract::BirthForm::Year,
            year: "1990".into(),
            ..BirthFields::default()
        },
        nationality: "MLI".into(),
        procedure: "renewal".into(),
        ..DraftFields::default()
    };
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    counter.kiosk.save_draft(&visit, fields).await.unwrap();
    counter.kiosk.confirm(&visit).await.unwrap()
}

async fn printed(counter: &Counter, visit: &str) {
    counter.kiosk.print(visit).await.unwrap();
    let from = Instant::now();
    while counter.kiosk.print_status(visit).await.unwrap().state != PrintState::Printed {
        assert!(from.elapsed() < WAIT, "nothing was printed");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rank_holds_a_latest_day_until_an_earlier_one_is_printed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let ca = counter.folder.path().join(tls::CA);
    // A port nobody listens on.
    counter = counter.asking("https://localhost:1", &ca).await.unwrap();
    let mut ranked = None;
    for n in 0..6 {
        let date = register(&counter, &format!("PERSONNE {n}")).await;
        if date.source == DateSource::Rank {
            ranked = Some(date);
            break;
        }
    }
    let ranked = ranked.expect("the lease is never exhausted");
    assert_eq!((ranked.kind, ranked.slot_at), (PaperKind::Receipt, None));
    let latest = ranked.no_later_than.expect("a receipt without a latest day");

    // Central is back: an earlier date, and the slot held is still this person's.
    let printer = sim::ipp_printer::IppPrinter::start().unwrap();
    counter = counter.home(Some(printer.uri())).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let dated = counter.kiosk.date(&ranked.visit).await.unwrap();
    assert_eq!((dated.kind, dated.no_later_than), (PaperKind::Convocation, None));
    assert!(dated.slot_at.unwrap() < latest);
    let idle = async || counter.kiosk.status().await.unwrap()["lease"]["backstops"].as_u64().unwrap();
    assert_eq!(idle().await, u64::from(domain::lease::BACKSTOPS) - 1, "still this person's");
    printed(&counter, &ranked.visit).await;
    counter.kiosk.exchange().await.unwrap();
    // Given back, it is the earliest free one and is lent again at once, under a new lease.
    assert_eq!(idle().await, u64::from(domain::lease::BACKSTOPS), "the new paper is out: it came back");
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let listed = central::admin::registrations(&pool, SITE).await.unwrap();
    assert_eq!((&listed["records_not_applied"], &listed["records_set_aside"]), (&0.into(), &0.into()));
}
