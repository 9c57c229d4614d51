//! A real kiosk hears of it, makes the new paper and prints it.

use super::*;
use app::contract::{BirthFields, DateSource, PrintState};
use journeys::counter::{Counter, register};
use journeys::stand::SITE;
use std::time::{Duration, Instant};

/// Longest wait for a printer on this machine.
const WAIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kiosk_prints_the_new_paper_and_the_old_one_is_replaced() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let printer = sim::ipp_printer::IppPrinter::start().unwrap();
    let mut counter = Counter::start(None, Some(printer.uri())).await.unwrap();
    let other = counter.another(None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let online = register(&counter.kiosk, "EN LIGNE").await.unwrap();
    printed(&counter, &online.visit).await;
    assert!(counter.kiosk.end_of_day().await.unwrap().replaced.is_empty());
    // What came out in the second a paper is made is that paper.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    counter.kiosk.exchange().await.unwrap();
    counter = counter.cut_off(Some(printer.uri())).await.unwrap();
    let offline = register(&counter.kiosk, "HORS LIGNE").await.unwrap();
    assert_eq!(offline.source, DateSource::Lease);

    // Closed before central knows of the second.
    let day = jiff::Zoned::now().date();
    let last = day.saturating_add(60.days());
    let closure = Closure { first: day.tomorrow().unwrap(), last };
    let ask = Ask::at(jiff::Timestamp::now(), system_random());
    let look = Ask { preview: true, ..ask.clone() };
    let told = admin::closure(&pool, SITE, None, closure, &look).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    admin::closure(&pool, SITE, None, closure, &Ask { token, ..ask.clone() }).await.unwrap();
    counter = counter.home(Some(printer.uri())).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let told = admin::redate(&pool, SITE, &look).await.unwrap();
    assert_eq!(told["moved"], 2, "{told}");
    let token = told["token"].as_str().map(str::to_owned);
    admin::redate(&pool, SITE, &Ask { token, ..ask }).await.unwrap();
    counter.kiosk.exchange().await.unwrap();

    let home = counter.kiosk.home().await.unwrap();
    assert!(home.notices.iter().any(|notice| notice == "date_moved"), "{:?}", home.notices);
    // At the end of the day: whose paper is another than the one in their hand, and how to reach them.
    let day = counter.kiosk.end_of_day().await.unwrap();
    let replaced: Vec<_> = day.replaced.iter().map(|one| (one.code.as_str(), one.name.as_str())).collect();
    assert_eq!(replaced, [(online.code.as_str(), "EN LIGNE")], "the other had no paper yet");
    let counts = counter.kiosk.end_of_day_counts().await.unwrap();
    assert_eq!(counts["replaced"][0]["code"], online.code.as_str());
    assert!(!counts.to_string().contains("EN LIGNE"), "{counts}");
    let to_tell = counter.kiosk.outbox().await.unwrap();
    for date in [&online, &offline] {
        let new = counter.kiosk.date(&date.visit).await.unwrap();
        assert!(new.slot_at.as_deref().unwrap()[..10] > *last.to_string().as_str(), "{new:?}");
        assert!(
            to_tell.items.iter().any(|item| item.kind == "dated" && item.code.as_deref() == Some(&date.code))
        );
        assert_ne!(new.code_large, date.code_large);
        // At every door that has heard.
        other.exchange().await.unwrap();
        let old = other.show_paper(&date.code_large).await.unwrap();
        assert_eq!((old.verdict.as_str(), old.replaced_by.as_deref()), ("replaced", new.slot_at.as_deref()));
        assert_eq!(other.show_paper(&new.code_large).await.unwrap().verdict, "valid");
        // The person comes back with the old paper, here or elsewhere.
        let born = || BirthFields {
            day: "2".into(),
            month: "5".into(),
            year: "1990".into(),
            ..BirthFields::default()
        };
        let elsewhere = other.follow_up(&date.code, born()).await.unwrap().elsewhere.unwrap();
        assert_eq!(elsewhere.slot_at, new.slot_at);
        assert_eq!(
            counter.kiosk.follow_up(&date.code, born()).await.unwrap().visit,
            Some(date.visit.clone())
        );
        printed(&counter, &date.visit).await;
    }
    assert_eq!(printer.received().unwrap().len(), 3, "one old paper, two new ones");
    assert!(counter.kiosk.end_of_day().await.unwrap().replaced.is_empty(), "both have the new one");
    // Nothing more comes of it, and the desk has nobody to call.
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(
        counter.kiosk.outbox().await.unwrap().items.iter().filter(|item| item.kind == "dated").count(),
        2
    );
    let listed = admin::redated(&pool, SITE, jiff::Timestamp::now()).await.unwrap();
    assert_eq!((&listed["moved"], &listed["without_new_paper"]), (&json!(2), &json!(0)), "{listed}");
    let records = admin::registrations(&pool, SITE).await.unwrap();
    assert_eq!((&records["records_not_applied"], &records["records_set_aside"]), (&json!(0), &json!(0)));
}

async fn printed(counter: &Counter, visit: &str) {
    counter.kiosk.print(visit).await.unwrap();
    let from = Instant::now();
    while counter.kiosk.print_status(visit).await.unwrap().state != PrintState::Printed {
        assert!(from.elapsed() < WAIT, "nothing was printed");
        tokio::task::yield_now().await;
    }
}
