#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The letter of a time limit that no date serves, at a counter: it says that the préfecture was told only
//! once central's word is there, and nobody gets it whose date serves their limit.

use app::Kiosk;
use app::contract::{DateSource, DateView, LimitFields, LimitLetterView, PaperKind};
use domain::code::FollowUpCode;
use domain::ids::OfferId;
use jiff::ToSpan as _;
use journeys::counter::{Counter, person, register};
use journeys::stand::SITE;
use sim::ipp_printer::IppPrinter;
use sqlx::Row as _;
use wire::messages::Offered;

/// The site is closed so long: whatever day it is, a limit within it is served by no date.
const CLOSED_DAYS: i64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_that_the_prefecture_was_told_once_central_has_said_so() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let printer = IppPrinter::start().unwrap();
    let mut counter = Counter::start(None, Some(printer.uri())).await.unwrap();
    closes(&counter).await;
    counter.kiosk.exchange().await.unwrap();

    // Online: central's answer gave the date, and the préfecture was told with it.
    let online = registers(&counter.kiosk, "EN LIGNE", 5).await;
    assert_eq!((online.source, online.after_limit), (DateSource::Online, true));
    let letter = letter_of(&online);
    assert!(letter.told_at.is_some() && !letter.printed && letter.handed_at.is_none());
    assert_eq!(tasks(&counter, &online).await, 1);
    // Nobody whose limit is served, or who has none, gets one.
    let served = registers(&counter.kiosk, "SERVI", 300).await;
    let ordinary = register(&counter.kiosk, "ORDINAIRE").await.unwrap();
    for none in [&served, &ordinary] {
        assert_eq!((none.after_limit, &none.limit_letter), (false, &None));
        let refused = counter.kiosk.print_limit_letter(&none.visit).await.unwrap_err();
        assert_eq!(refused.code, "no_limit_letter");
        assert_eq!(counter.kiosk.hand_limit_letter(&none.visit).await.unwrap_err().code, "no_limit_letter");
        assert_eq!(counter.kiosk.limit_letter_pdf(&none.code).await.unwrap_err().code, "no_limit_letter");
    }
    // Printed, then handed over: two states, and never the second first.
    let refused = counter.kiosk.hand_limit_letter(&online.visit).await.unwrap_err();
    assert_eq!(refused.code, "limit_letter_not_printed");
    let shown = letter_of(&counter.kiosk.print_limit_letter(&online.visit).await.unwrap());
    assert!(shown.printed && shown.handed_at.is_none(), "{shown:?}");
    let page = text(&std::fs::read(printer.received().unwrap().last().unwrap()).unwrap());
    for wanted in ["EN LIGNE", &online.code, "La préfecture en a été informée le", "1 rue d'Essai"] {
        assert!(page.contains(wanted), "`{wanted}` is not in:\n{page}");
    }
    assert!(!page.contains("TA 27/1") && !page.contains("injonction"), "neither right nor evidence: {page}");
    let shown = letter_of(&counter.kiosk.hand_limit_letter(&online.visit).await.unwrap());
    let handed = shown.handed_at.clone();
    assert!(handed.is_some());
    assert_eq!(letter_of(&counter.kiosk.hand_limit_letter(&online.visit).await.unwrap()).handed_at, handed);
    // The convocation stays what many may see.
    let paper = text(&counter.kiosk.paper_pdf(&online.code).await.unwrap());
    assert!(paper.contains("avec une échéance légale") && !paper.contains("préfecture en a été"), "{paper}");

    // From the lease, with nobody to tell: the letter says that nothing is confirmed.
    counter = counter.cut_off(Some(printer.uri())).await.unwrap();
    let alone = registers(&counter.kiosk, "HORS LIGNE", 5).await;
    assert_eq!((alone.source, alone.after_limit), (DateSource::Lease, true));
    assert_eq!(letter_of(&alone).told_at, None);
    assert!(letter_of(&counter.kiosk.print_limit_letter(&alone.visit).await.unwrap()).printed);
    let shown = letter_of(&counter.kiosk.hand_limit_letter(&alone.visit).await.unwrap());
    assert!(shown.told_at.is_none() && shown.handed_at.is_some());
    let page = text(&std::fs::read(printer.received().unwrap().last().unwrap()).unwrap());
    assert!(page.contains("n'a pas encore la confirmation"), "{page}");
    assert!(!page.contains("en a été informée"), "{page}");
    // A limit learnt by somebody whose date is out already.
    let later = counter.kiosk.declare_limit(&ordinary.visit, limit(5)).await.unwrap();
    assert_eq!((later.slot_at.as_ref(), letter_of(&later).told_at), (ordinary.slot_at.as_ref(), None));

    // Once central has carried both out they are other letters, which nobody has yet.
    counter = counter.home(Some(printer.uri())).await.unwrap();
    exchanges(&counter.kiosk).await;
    for date in [&alone, &ordinary] {
        let shown = letter_of(&counter.kiosk.date(&date.visit).await.unwrap());
        assert!(shown.told_at.is_some() && !shown.printed && shown.handed_at.is_none(), "{shown:?}");
        assert_eq!(tasks(&counter, date).await, 1, "and the préfecture has it");
    }
    let refused = counter.kiosk.hand_limit_letter(&alone.visit).await.unwrap_err();
    assert_eq!(refused.code, "limit_letter_not_printed");
    let page = text(&counter.kiosk.limit_letter_pdf(&alone.code).await.unwrap());
    assert!(page.contains("La préfecture en a été informée le"), "{page}");
    let told_at = letter_of(&counter.kiosk.date(&alone.visit).await.unwrap()).told_at;
    exchanges(&counter.kiosk).await;
    let shown = letter_of(&counter.kiosk.date(&alone.visit).await.unwrap());
    assert_eq!(shown.told_at, told_at, "it stays when it was");

    // Given up, there is no appointment to write about.
    let gone = counter.kiosk.cancel(&alone.visit).await.unwrap();
    assert_eq!(gone.limit_letter, None);
    assert_eq!(counter.kiosk.print_limit_letter(&alone.visit).await.unwrap_err().code, "no_limit_letter");
}

/// A rank has no date to write about; its date comes from central, which told the préfecture with it.
/// While a date in time is offered there is no letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rank_gets_it_with_its_date_and_an_offer_in_time_comes_first() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    closes(&counter).await;
    counter = counter.cut_off(None).await.unwrap();
    let rank = registers(&counter.kiosk, "RANG", 5).await;
    assert_eq!((rank.kind, &rank.limit_letter), (PaperKind::Receipt, &None));
    assert_eq!(counter.kiosk.print_limit_letter(&rank.visit).await.unwrap_err().code, "no_limit_letter");
    counter = counter.home(None).await.unwrap();
    exchanges(&counter.kiosk).await;
    let dated = counter.kiosk.date(&rank.visit).await.unwrap();
    assert!(dated.after_limit && letter_of(&dated).told_at.is_some());
    assert_eq!(tasks(&counter, &dated).await, 1);
    // Out of this printer: none is set up.
    assert_eq!(counter.kiosk.print_limit_letter(&rank.visit).await.unwrap_err().code, "no_printer");

    let code = FollowUpCode::parse(&rank.code).unwrap();
    let today = jiff::Zoned::now().date();
    for (days, due) in [(3, false), (8, true)] {
        let at = today.saturating_add(days.days()).at(9, 0, 0, 0);
        let offered = Offered { offer: OfferId([4; 16]), at, until: today.saturating_add(2.days()) };
        counter = counter
            .home_with(|vault| {
                vault.transact(|tx| {
                    let paper = tx.paper_by_code(code)?.unwrap();
                    tx.put_offer(paper.registered.registration.id, &offered)
                })
            })
            .await
            .unwrap();
        let shown = counter.kiosk.date(&rank.visit).await.unwrap();
        assert!(shown.offer.is_some());
        assert_eq!(shown.limit_letter.is_some(), due, "an offer {days} days from now");
    }
}

/// Moved beyond the limit by the préfecture: central told it with the new date.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_date_moved_beyond_the_limit_comes_with_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let before = registers(&counter.kiosk, "DÉPLACÉE", 40).await;
    assert_eq!((before.after_limit, &before.limit_letter), (false, &None));
    counter.kiosk.exchange().await.unwrap();
    closes_for(&counter, 60).await;
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let ask = central::admin::Ask::at(jiff::Timestamp::now(), central::system_random());
    let look = central::admin::Ask { preview: true, ..ask.clone() };
    let told = central::admin::redate(&pool, SITE, &look).await.unwrap();
    assert_eq!(told["moved"], 1, "{told}");
    let token = told["token"].as_str().map(str::to_owned);
    central::admin::redate(&pool, SITE, &central::admin::Ask { token, ..ask }).await.unwrap();
    assert_eq!(counter.kiosk.date(&before.visit).await.unwrap().limit_letter, None, "not heard of yet");
    exchanges(&counter.kiosk).await;
    let moved = counter.kiosk.date(&before.visit).await.unwrap();
    assert!(moved.after_limit && moved.slot_at != before.slot_at);
    assert!(letter_of(&moved).told_at.is_some());
    assert_eq!(tasks(&counter, &moved).await, 1);
    let page = text(&counter.kiosk.limit_letter_pdf(&moved.code).await.unwrap());
    assert!(page.contains("La préfecture en a été informée le"), "{page}");
}

/// Closes the site for the days in which the limits of these stories end.
async fn closes(counter: &Counter) {
    closes_for(counter, CLOSED_DAYS).await;
}

async fn closes_for(counter: &Counter, days: i64) {
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let first = jiff::Zoned::now().date();
    let closed = domain::calendar::Closure { first, last: first.saturating_add(days.days()) };
    let ask = central::admin::Ask::at(jiff::Timestamp::now(), central::system_random());
    let preview = central::admin::Ask { preview: true, ..ask.clone() };
    let told = central::admin::closure(&pool, SITE, None, closed, &preview).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    central::admin::closure(&pool, SITE, None, closed, &central::admin::Ask { token, ..ask }).await.unwrap();
}

/// A judge's term of so many days.
fn limit(days: i64) -> LimitFields {
    LimitFields {
        right: "court_injunction".into(),
        days: days.to_string(),
        evidence: "TA 27/1".into(),
        ..LimitFields::default()
    }
}

async fn registers(kiosk: &Kiosk, name: &str, days: i64) -> DateView {
    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    let fields = app::contract::DraftFields { limit: Some(limit(days)), ..person(name) };
    kiosk.save_draft(&visit, fields).await.unwrap();
    kiosk.confirm(&visit).await.unwrap()
}

/// Once more than what is sent: its results come with the next.
async fn exchanges(kiosk: &Kiosk) {
    for _ in 0..2 {
        kiosk.exchange().await.unwrap();
    }
}

fn letter_of(date: &DateView) -> LimitLetterView {
    date.limit_letter.clone().unwrap()
}

/// The préfecture's open tasks about a date after this person's limit.
async fn tasks(counter: &Counter, date: &DateView) -> i64 {
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let code = FollowUpCode::parse(&date.code).unwrap();
    let row = sqlx::query(
        "SELECT count(*) FROM task JOIN registration ON registration.id = task.registration \
         WHERE registration.code = $1 AND kind = 'escalation' AND reason = 'after_limit' AND answered_s IS NULL",
    )
    .bind(i64::try_from(code.to_bits()).unwrap())
    .fetch_one(&pool)
    .await
    .unwrap();
    row.get(0)
}

fn text(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.pdf");
    std::fs::write(&path, pdf).unwrap();
    let read = std::process::Command::new("pdftotext").arg(&path).arg("-").output().unwrap();
    String::from_utf8(read.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}
