//! The same at a counter, with a kiosk and a central that are there and are not.

use super::*;
use journeys::counter::{Counter, person, register};
use journeys::stand::SITE;

/// At a counter: a person cancels without a network, comes back, and takes an earlier date; the
/// paper follows each time, and the one before is told as what it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_counter() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let central = {
        let pool = central::connect(&counter.pool_url).await.unwrap();
        let keys = central::keys::CentralKeys::load(counter.folder.path()).unwrap();
        let (clock, random) = (central::system_clock(), central::system_random());
        central::Central::new(pool, keys, clock, random).await.unwrap()
    };
    // The first dates lie far enough away to be offered to somebody, whatever day it is.
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let first = jiff::Zoned::now().date();
    let closed = domain::calendar::Closure { first, last: first.saturating_add(jiff::ToSpan::days(9)) };
    let ask = central::admin::Ask::at(jiff::Timestamp::now(), central::system_random());
    let preview = central::admin::Ask { preview: true, ..ask.clone() };
    let told = central::admin::closure(&pool, SITE, None, closed, &preview).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    central::admin::closure(&pool, SITE, None, closed, &central::admin::Ask { token, ..ask }).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let mut dates = Vec::new();
    for n in 0..30 {
        dates.push(
            register(&counter.kiosk, &format!("PERSONNE {}", char::from(b'A' + n % 26))).await.unwrap(),
        );
    }
    counter.kiosk.exchange().await.unwrap();
    let of = |n: usize| dates[n].slot_at.clone().unwrap();
    let gone = 0;

    counter = counter.cut_off(None).await.unwrap();
    let cancelled = counter.kiosk.cancel(&dates[gone].visit).await.unwrap().cancelled.unwrap();
    assert!(cancelled.until.is_some() && !cancelled.returning);
    assert_eq!(counter.kiosk.cancel(&dates[gone].visit).await.unwrap().cancelled, Some(cancelled));
    assert_eq!(counter.kiosk.reprint(&dates[gone].visit).await.unwrap_err().code, "cancelled");
    let refused = counter.kiosk.reinstate(&dates[1].visit).await.unwrap_err();
    assert_eq!(refused.code, "not_cancelled");
    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let shown = counter.kiosk.show_paper(&dates[gone].code_large).await.unwrap();
    assert_eq!(shown.verdict, "cancelled");

    // Central offers the slot; the kiosk that registered the next person hears of it.
    assert_eq!(central.offer_freed().await.unwrap(), 1);
    counter.kiosk.exchange().await.unwrap();
    let mut to = None;
    for (n, date) in dates.iter().enumerate() {
        if counter.kiosk.date(&date.visit).await.unwrap().offer.is_some() {
            to = Some(n);
        }
    }
    let to = to.unwrap();
    assert!(of(to) > of(gone));
    let offer = counter.kiosk.date(&dates[to].visit).await.unwrap().offer.unwrap();
    assert_eq!(offer.slot_at, of(gone));
    let told = counter.kiosk.home().await.unwrap().to_tell;
    assert_eq!((told.len(), &told[0].visit, &told[0].until), (1, &dates[to].visit, &offer.until));
    // Without a network nothing is promised, and the offer stands.
    counter = counter.cut_off(None).await.unwrap();
    let offline = counter.kiosk.answer_offer(&dates[to].visit, true).await.unwrap_err();
    assert_eq!(offline.code, "offer_offline");
    counter = counter.home(None).await.unwrap();
    // At another kiosk, by the code on the paper and the birth date.
    let other = counter.another(None).await.unwrap();
    let found = other.follow_up(&dates[to].code, person("X").birth).await.unwrap().elsewhere.unwrap();
    assert_eq!(found.offer.as_ref(), Some(&offer));
    let said = other.answer_offer_elsewhere(&dates[to].code, person("X").birth, &offer.offer, true).await;
    let said = said.unwrap();
    assert_eq!((said.accepted, said.slot_at), (true, Some(of(gone))));
    // The kiosk that made the paper has the new one; the old is replaced.
    counter.kiosk.exchange().await.unwrap();
    let now = counter.kiosk.date(&dates[to].visit).await.unwrap();
    assert_eq!((now.slot_at, now.offer), (Some(of(gone)), None));
    assert_ne!(now.code_large, dates[to].code_large, "a new seal");
    let shown = counter.kiosk.show_paper(&dates[to].code_large).await.unwrap();
    assert_eq!(shown.verdict, "replaced");
    let over = counter.kiosk.answer_offer(&dates[to].visit, true).await.unwrap_err();
    assert_eq!(over.code, "no_offer");

    // And who gave up comes back: another date, with their registration time.
    let back = counter.kiosk.reinstate(&dates[gone].visit).await.unwrap();
    assert!(back.cancelled.unwrap().returning);
    counter.kiosk.exchange().await.unwrap();
    let back = counter.kiosk.date(&dates[gone].visit).await.unwrap();
    assert!(back.cancelled.is_none());
    assert!(back.slot_at.unwrap() > of(gone));
    // They go, come back and go, without a network: the last word stands, here and at central.
    counter = counter.cut_off(None).await.unwrap();
    let visit = &dates[gone].visit;
    counter.kiosk.cancel(visit).await.unwrap();
    counter.kiosk.reinstate(visit).await.unwrap();
    assert!(!counter.kiosk.cancel(visit).await.unwrap().cancelled.unwrap().returning);
    counter = counter.home(None).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    assert!(!counter.kiosk.date(visit).await.unwrap().cancelled.unwrap().returning);
    let found = other.follow_up(&dates[gone].code, person("X").birth).await.unwrap().elsewhere.unwrap();
    assert_eq!((found.cancelled, found.slot_at), (true, None));
    // And once more they come.
    counter.kiosk.reinstate(visit).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    assert!(counter.kiosk.date(visit).await.unwrap().cancelled.is_none());
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let doubled =
        sqlx::query("SELECT count(*) FROM record WHERE state = 'set_aside'").fetch_one(&pool).await.unwrap();
    assert_eq!(doubled.get::<i64, _>(0), 0);
    assert_eq!(central::admin::tasks(&pool, SITE, false).await.unwrap()["tasks"], json!([]));
}

fn ask() -> central::admin::Ask {
    central::admin::Ask::at(jiff::Timestamp::now(), central::system_random())
}

/// Closes the site, or opens it again, as an administrator does: seen first, then done.
async fn close(pool: &central::Pool, closed: domain::calendar::Closure, open_again: bool) {
    let mut ask = central::admin::Ask { preview: true, ..ask() };
    for _ in 0..2 {
        let told = match open_again {
            false => central::admin::closure(pool, SITE, None, closed, &ask).await,
            true => central::admin::remove_closure(pool, SITE, None, closed, &ask).await,
        };
        let token = told.unwrap()["token"].as_str().map(str::to_owned);
        ask = central::admin::Ask { token, ..self::ask() };
    }
}

/// What was accepted in advance is told at the counter: the new date, that somebody is to be told,
/// and the paper before as replaced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_date_accepted_in_advance_is_on_the_next_paper() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let first = jiff::Zoned::now().date();
    close(
        &pool,
        domain::calendar::Closure { first, last: first.saturating_add(jiff::ToSpan::days(9)) },
        false,
    )
    .await;
    counter.kiosk.exchange().await.unwrap();
    let mut dates = Vec::new();
    for _ in 0..30 {
        let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
        let fields = app::contract::DraftFields { accepts_earlier: "7".into(), ..person("PERSONNE") };
        counter.kiosk.save_draft(&visit, fields).await.unwrap();
        let lines = counter.kiosk.read_back(&visit).await.unwrap().lines;
        assert!(lines.iter().any(|line| line.key == "accepts_earlier" && line.value == "7"), "{lines:?}");
        dates.push(counter.kiosk.confirm(&visit).await.unwrap());
    }
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.cancel(&dates[0].visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let keys = central::keys::CentralKeys::load(counter.folder.path()).unwrap();
    let (clock, random) = (central::system_clock(), central::system_random());
    let central = central::Central::new(pool, keys, clock, random).await.unwrap();
    assert_eq!(central.offer_freed().await.unwrap(), 1);
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let mut moved = Vec::new();
    for date in &dates[1..] {
        let now = counter.kiosk.date(&date.visit).await.unwrap();
        assert_eq!(now.offer, None);
        if now.slot_at != date.slot_at {
            assert_eq!(now.slot_at, dates[0].slot_at);
            assert_eq!(counter.kiosk.show_paper(&date.code_large).await.unwrap().verdict, "replaced");
            assert_eq!(counter.kiosk.show_paper(&now.code_large).await.unwrap().verdict, "valid");
            moved.push(now);
        }
    }
    assert_eq!(moved.len(), 1);
    assert!(counter.kiosk.home().await.unwrap().notices.contains(&"date_earlier".to_owned()));
    let status = counter.kiosk.status().await.unwrap();
    assert_eq!((&status["journal"]["waiting"], &status["journal"]["set_aside"]), (&json!(0), &json!(0)));
}

/// They come back while the site has no hour for anybody; when it has one again they are dated,
/// and their kiosk makes the paper.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_to_a_closed_site_is_dated_when_it_opens() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let date = register(&counter.kiosk, "PERSONNE").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.cancel(&date.visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let first = jiff::Zoned::now().date();
    let closed = domain::calendar::Closure { first, last: first.saturating_add(jiff::ToSpan::years(11)) };
    close(&pool, closed, false).await;
    counter.kiosk.reinstate(&date.visit).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let waits = counter.kiosk.date(&date.visit).await.unwrap().cancelled.unwrap();
    assert!(waits.returning);

    close(&pool, closed, true).await;
    let keys = central::keys::CentralKeys::load(counter.folder.path()).unwrap();
    let (clock, random) = (central::system_clock(), central::system_random());
    let central = central::Central::new(pool.clone(), keys, clock, random).await.unwrap();
    assert_eq!(central.date_undated().await.unwrap(), 1);
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let back = counter.kiosk.date(&date.visit).await.unwrap();
    assert!(back.cancelled.is_none() && back.slot_at.is_some());
    assert_ne!(back.code_large, date.code_large, "a paper of its own");
    let shown = counter.kiosk.show_paper(&back.code_large).await.unwrap();
    assert_eq!(shown.verdict, "valid");
}

/// Everything is pulled again, as after a restore: the answer to a return of before does not
/// undo what was cancelled since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_again_brings_nobody_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let date = register(&counter.kiosk, "PERSONNE").await.unwrap();
    counter.kiosk.cancel(&date.visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.reinstate(&date.visit).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    assert!(counter.kiosk.date(&date.visit).await.unwrap().cancelled.is_none());
    counter.kiosk.cancel(&date.visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter = counter.home_with(|vault| vault.transact(|tx| tx.put_json("cursor", &0u64))).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let stands = counter.kiosk.date(&date.visit).await.unwrap().cancelled.unwrap();
    assert!(!stands.returning);
    assert_eq!(counter.kiosk.reprint(&date.visit).await.unwrap_err().code, "cancelled");
}
