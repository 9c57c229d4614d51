#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A kiosk whose battery is flat begins the day in 2001, without a network: the mediator
//! says what day it is, dates go on from there, and what is kept says who said so.

use app::World;
use app::contract::DateSource;
use jiff::{Timestamp, ToSpan as _};
use journeys::counter::{Counter, register};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wire::body::Body;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_behind_asks_the_mediator_and_goes_on() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.home().await.unwrap().today_from, None);
    assert_eq!(counter.kiosk.declare_today("2027-03-14").await.unwrap_err().code, "today_known");
    let begun = counter.kiosk.start_visit("fr").await.unwrap().visit;

    // The same disk in a machine that believes it is 2001; central is away.
    let ran = Arc::new(AtomicU64::new(7));
    let boot = Arc::clone(&ran);
    let world = World {
        clock: Arc::new(|| "2001-01-01T00:00:00Z".parse().unwrap()),
        since_boot: Arc::new(move || Duration::from_secs(boot.load(Ordering::SeqCst))),
        ..World::system()
    };
    let counter = counter.elsewhere(world).await.unwrap();
    let kiosk = &counter.kiosk;
    let from = kiosk.home().await.unwrap().today_from.expect("nobody is asked");
    assert_eq!(kiosk.start_visit("fr").await.unwrap_err().code, "today_unknown");
    assert_eq!(kiosk.confirm(&begun).await.unwrap_err().code, "today_unknown", "nor is an old draft dated");
    let first: jiff::civil::Date = from.parse().unwrap();
    for (day, code) in [
        ("2001-01-01".to_owned(), "today_out_of_range"),
        (first.yesterday().unwrap().to_string(), "today_out_of_range"),
        (first.saturating_add(401.days()).to_string(), "today_out_of_range"),
        ("2027-02-30".to_owned(), "today_not_a_day"),
        ("demain".to_owned(), "today_not_a_day"),
    ] {
        assert_eq!(kiosk.declare_today(&day).await.unwrap_err().code, code, "{day}");
    }
    let today = first;
    kiosk.declare_today(&today.to_string()).await.unwrap();
    assert_eq!(kiosk.home().await.unwrap().today_from, None);
    let kept = register(kiosk, "APRÈS").await.unwrap();
    assert_eq!(kept.source, DateSource::Lease);
    assert!(kept.slot_at.unwrap()[..10] > *today.to_string(), "not before the day that was said");

    // The day goes on with the machine, whatever its clock says.
    ran.fetch_add(86_400, Ordering::SeqCst);
    let later = register(kiosk, "LE LENDEMAIN").await.unwrap();
    assert!(later.slot_at.unwrap()[..10] > *today.saturating_add(1.days()).to_string());

    // What is kept says who said the day.
    drop(counter.kiosk);
    let vault = vault::Vault::open(&counter.folder.path().join("vault.db"), &vault::VaultKey::new([3; 32]));
    let records = vault.unwrap().read::<_, vault::VaultFailure>(|tx| tx.records_after(0, 100)).unwrap();
    let days: Vec<(bool, Timestamp)> = records
        .iter()
        .filter_map(|record| match Body::read(&record.header.kind, record.header.schema, &record.body.0) {
            Some(Body::Registration(registered)) => Some((registered.day_declared, registered.at)),
            _ => None,
        })
        .collect();
    assert_eq!(days.iter().map(|(declared, _)| *declared).collect::<Vec<_>>(), [true, true]);
    assert!(days[1].1.duration_since(days[0].1).as_hours() >= 24);
}
