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

/// Out of central's reach until the lease is empty: the person who gets a receipt.
async fn out_of_reach(counter: Counter) -> (Counter, DateView) {
    let ca = counter.folder.path().join(tls::CA);
    // A port nobody listens on.
    let counter = counter.asking("https://localhost:1", &ca).await.unwrap();
    for n in 0..6 {
        let date = register(&counter, &format!("PERSONNE {n}")).await;
        if date.source == DateSource::Rank {
            return (counter, date);
        }
    }
    panic!("the lease is never exhausted")
}

async fn idle(counter: &Counter) -> u64 {
    counter.kiosk.status().await.unwrap()["lease"]["backstops"].as_u64().unwrap()
}

/// The person gives up before anything else is printed: the day their receipt holds is given to
/// somebody else, and coming back they are dated like anybody of their rank.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_given_up_holds_no_day() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let (mut counter, ranked) = out_of_reach(counter).await;
    assert!(ranked.no_later_than.is_some());
    let all = u64::from(domain::lease::BACKSTOPS);
    assert_eq!(idle(&counter).await, all - 1);
    counter.kiosk.cancel(&ranked.visit).await.unwrap();
    counter.kiosk.cancel(&ranked.visit).await.unwrap();
    counter = counter.home(None).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    assert_eq!(idle(&counter).await, all, "it came back and is lent again");
    counter.kiosk.reinstate(&ranked.visit).await.unwrap();
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let back = counter.kiosk.date(&ranked.visit).await.unwrap();
    assert_eq!((back.kind, back.cancelled), (PaperKind::Convocation, None));
    assert_eq!(idle(&counter).await, all, "nothing more is given back");
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let listed = central::admin::registrations(&pool, SITE).await.unwrap();
    assert_eq!((&listed["records_not_applied"], &listed["records_set_aside"]), (&0.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rank_holds_a_latest_day_until_an_earlier_one_is_printed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let (mut counter, ranked) = out_of_reach(counter).await;
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
    let dated_seal = dated.code_large;
    assert_eq!(idle(&counter).await, u64::from(domain::lease::BACKSTOPS) - 1, "still this person's");
    printed(&counter, &ranked.visit).await;
    counter.kiosk.exchange().await.unwrap();
    // Given back, it is the earliest free one and is lent again at once, under a new lease.
    assert_eq!(
        idle(&counter).await,
        u64::from(domain::lease::BACKSTOPS),
        "the new paper is out: it came back"
    );
    let pool = central::connect(&counter.pool_url).await.unwrap();
    // The person comes back with the receipt: its code and the birth date open it, for
    // nobody else, and the paper may be printed again with the same seal.
    let nobodys = domain::code::FollowUpCode::from_random([7; 8]).to_string();
    let year = |year: &str| BirthFields { year: year.into(), ..BirthFields::default() };
    let wrong = counter.kiosk.follow_up(&ranked.code, year("1991")).await.unwrap_err();
    let stranger = counter.kiosk.follow_up(&nobodys, year("1990")).await.unwrap_err();
    assert_eq!((wrong.code.as_str(), stranger.code.as_str()), ("follow_up_unknown", "follow_up_unknown"));
    assert_eq!(counter.kiosk.follow_up("x", year("1990")).await.unwrap_err().code, "bad_follow_up_code");
    let found = counter.kiosk.follow_up(&ranked.code, year("1990")).await.unwrap();
    let visit = found.visit.unwrap();
    assert_eq!(visit, ranked.visit);
    counter.kiosk.finish_visit(&visit).await.unwrap();
    let before = printer.received().unwrap().len();
    assert_eq!(
        counter.kiosk.follow_up(&ranked.code, year("1990")).await.unwrap().visit.unwrap(),
        ranked.visit
    );
    counter.kiosk.print(&visit).await.unwrap();
    assert_eq!(printer.received().unwrap().len(), before, "print alone never doubles a paper");
    counter.kiosk.reprint(&visit).await.unwrap();
    printed(&counter, &visit).await;
    assert_eq!(printer.received().unwrap().len(), before + 1);
    let again = counter.kiosk.date(&visit).await.unwrap();
    assert_eq!(again.code_large, dated_seal, "the same seal");
    let mut waits = 0;
    for _ in 0..6 {
        let refusal = counter.kiosk.follow_up(&ranked.code, year("1991")).await.unwrap_err();
        waits += u32::from(refusal.code == "try_wait");
    }
    assert!(waits > 0, "whoever tries codes waits");
    counter.kiosk.exchange().await.unwrap();
    let listed = central::admin::registrations(&pool, SITE).await.unwrap();
    assert_eq!((&listed["records_not_applied"], &listed["records_set_aside"]), (&0.into(), &0.into()));
}

/// Connected: what central has comes after the last useful day, and the lease has a slot before it.
/// The person has that one, central's goes back, and nothing is left for the desk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_limit_is_met_from_the_lease_when_central_has_nothing_in_time() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    // Everybody else comes to another kiosk, until the first days are full.
    let other = counter.another(None).await.unwrap();
    let mut days = Vec::new();
    while days.last() == days.first() {
        let date = journeys::counter::register(&other, "PERSONNE").await.unwrap();
        days.push(date.slot_at.unwrap()[..10].to_owned());
    }
    let limit = app::contract::LimitFields {
        right: "permit_expiry".into(),
        last_day: days[0].clone(),
        evidence: "titre".into(),
        ..app::contract::LimitFields::default()
    };
    let fields = DraftFields { limit: Some(limit), ..journeys::counter::person("ÉCHÉANCE") };
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    counter.kiosk.save_draft(&visit, fields).await.unwrap();
    let date = counter.kiosk.confirm(&visit).await.unwrap();
    assert_eq!((date.source, date.after_limit), (DateSource::Lease, false));
    assert_eq!(date.slot_at.as_ref().unwrap()[..10], days[0]);
    for _ in 0..2 {
        counter.kiosk.exchange().await.unwrap();
    }
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let tasks = central::admin::tasks(&pool, SITE, false).await.unwrap();
    let kinds: Vec<_> = tasks["tasks"].as_array().unwrap().iter().map(|task| task["kind"].clone()).collect();
    assert_eq!(kinds, ["limit_check"], "no escalation is left");
    let listed = central::admin::registrations(&pool, SITE).await.unwrap();
    let all = listed["registrations"].as_array().unwrap();
    let own: Vec<_> = all.iter().filter(|one| one["code"] == date.code.as_str()).collect();
    assert_eq!((own.len(), &own[0]["after_limit"]), (1, &false.into()));
    assert_eq!((&listed["records_not_applied"], &listed["records_set_aside"]), (&0.into(), &0.into()));
}
