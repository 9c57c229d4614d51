//! The same with real kiosks: the one that made the paper shows what was said at the other, however long
//! it was away, and its own acts go on from there.

use app::Kiosk;
use app::contract::{BirthFields, WordKind};
use journeys::counter::{Counter, person, register};
use serde_json::json;

fn born() -> BirthFields {
    person("X").birth
}

async fn says(kiosk: &Kiosk, code: &str, word: WordKind) -> Result<app::contract::WordView, String> {
    let found = kiosk.follow_up(code, born()).await.unwrap().elsewhere.unwrap();
    kiosk.say_elsewhere(code, born(), word, found.slot_at, true).await.map_err(|problem| problem.code)
}

async fn exchanges(kiosk: &Kiosk) {
    for _ in 0..2 {
        kiosk.exchange().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kiosk_of_the_paper_goes_on_from_what_was_said_elsewhere() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let date = register(&counter.kiosk, "PERSONNE").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let other = counter.another(None).await.unwrap();
    let unseen = other.say_elsewhere(&date.code, born(), WordKind::Cancel, date.slot_at.clone(), false).await;
    assert_eq!(unseen.unwrap_err().code, "document_not_seen");
    let otherwise = other.say_elsewhere(&date.code, born(), WordKind::Cancel, None, true).await;
    assert_eq!(otherwise.unwrap_err().code, "word_otherwise");
    // Given up, taken back and given up, while the kiosk of the paper is away.
    counter = counter.cut_off(None).await.unwrap();
    let gone = says(&other, &date.code, WordKind::Cancel).await.unwrap();
    assert!(gone.slot_at.is_none() && gone.until.is_some());
    let back = says(&other, &date.code, WordKind::TakeBack).await.unwrap();
    assert_eq!(back.slot_at, date.slot_at);
    says(&other, &date.code, WordKind::Cancel).await.unwrap();
    assert!(counter.kiosk.date(&date.visit).await.unwrap().cancelled.is_none(), "not heard yet");
    counter = counter.home(None).await.unwrap();
    exchanges(&counter.kiosk).await;
    let cancelled = counter.kiosk.date(&date.visit).await.unwrap().cancelled.unwrap();
    assert_eq!((cancelled.returning, cancelled.until), (false, gone.until));
    assert_eq!(counter.kiosk.reprint(&date.visit).await.unwrap_err().code, "cancelled");
    assert_eq!(counter.kiosk.show_paper(&date.code_large).await.unwrap().verdict, "cancelled");
    // Its own return is the person's last word.
    counter.kiosk.reinstate(&date.visit).await.unwrap();
    exchanges(&counter.kiosk).await;
    let now = counter.kiosk.date(&date.visit).await.unwrap();
    assert!(now.cancelled.is_none());
    assert_eq!(now.slot_at, date.slot_at);

    // Given up here, taken back there: the date follows by itself.
    counter.kiosk.cancel(&date.visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    says(&other, &date.code, WordKind::TakeBack).await.unwrap();
    exchanges(&counter.kiosk).await;
    let now = counter.kiosk.date(&date.visit).await.unwrap();
    assert!(now.cancelled.is_none());
    assert_eq!(counter.kiosk.show_paper(&now.code_large).await.unwrap().verdict, "valid");
    // Everything is pulled again, as after a restore: each word is heard once.
    counter = counter.home_with(|vault| vault.transact(|tx| tx.put_json("cursor", &0u64))).await.unwrap();
    exchanges(&counter.kiosk).await;
    let again = counter.kiosk.date(&date.visit).await.unwrap();
    assert_eq!((again.cancelled, again.slot_at), (None, now.slot_at));
    other.exchange().await.unwrap();
    for kiosk in [&counter.kiosk, &other] {
        let status = kiosk.status().await.unwrap();
        assert_eq!((&status["journal"]["waiting"], &status["journal"]["set_aside"]), (&json!(0), &json!(0)));
    }
}

/// What is said at two kiosks is told apart by the second.
async fn a_second_passes() {
    let now = jiff::Timestamp::now().as_second();
    while jiff::Timestamp::now().as_second() <= now {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kiosk_and_central_agree_on_who_comes_after_all() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let date = register(&counter.kiosk, "PERSONNE").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let other = counter.another(None).await.unwrap();
    // Given up elsewhere; at their own kiosk, which is away, they say that they come.
    counter = counter.cut_off(None).await.unwrap();
    says(&other, &date.code, WordKind::Cancel).await.unwrap();
    a_second_passes().await;
    counter.kiosk.say_coming(&date.visit).await.unwrap();
    counter = counter.home(None).await.unwrap();
    exchanges(&counter.kiosk).await;
    let now = counter.kiosk.date(&date.visit).await.unwrap();
    assert_eq!((now.cancelled, &now.slot_at), (None, &date.slot_at));
    // Given up here without a network; elsewhere they say that they come.
    counter = counter.cut_off(None).await.unwrap();
    a_second_passes().await;
    counter.kiosk.cancel(&date.visit).await.unwrap();
    a_second_passes().await;
    says(&other, &date.code, WordKind::Come).await.unwrap();
    counter = counter.home(None).await.unwrap();
    exchanges(&counter.kiosk).await;
    let now = counter.kiosk.date(&date.visit).await.unwrap();
    assert_eq!((now.cancelled, &now.slot_at), (None, &date.slot_at));
    other.exchange().await.unwrap();
    assert_eq!(other.show_paper(&now.code_large).await.unwrap().verdict, "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_network_nothing_is_promised() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let other = counter.another(None).await.unwrap();
    let date = register(&other, "PERSONNE").await.unwrap();
    other.exchange().await.unwrap();
    counter = counter.cut_off(None).await.unwrap();
    let slot_at = date.slot_at.clone();
    let refused = counter.kiosk.say_elsewhere(&date.code, born(), WordKind::Cancel, slot_at, true).await;
    assert_eq!(refused.unwrap_err().code, "word_offline");
    other.exchange().await.unwrap();
    assert!(other.date(&date.visit).await.unwrap().cancelled.is_none());
}
