//! The same at two counters: a kiosk without a network at the new site, one at the old, and what each of
//! them tells and prints.

use app::contract::{DraftFields, ToTellKind, TransferState};
use journeys::counter::{Counter, person, register};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_counter() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let (key, site) = (age::x25519::Identity::generate(), ("AILLEURS", "AILLEURS", "2 rue d'Ailleurs"));
    journeys::counter::site(&pool, &key, site).await.unwrap();
    let other = counter.at_site("AILLEURS").await.unwrap();
    let before = register(&other, "DIALLO").await.unwrap();
    other.exchange().await.unwrap();
    assert!(before.transfer.is_none(), "nobody has moved yet");
    let alone = register(&counter.kiosk, "SEULE").await.unwrap();
    assert_eq!(counter.kiosk.keep_transfer(&alone.visit).await.unwrap_err().code, "no_earlier_appointment");
    // Registration times are ranked by the second: the next one is a later one.
    let registered = jiff::Timestamp::now().as_second();
    while jiff::Timestamp::now().as_second() <= registered {
        tokio::task::yield_now().await;
    }

    // Without a network: dated from the lease, and the paper says the time it was registered at.
    counter = counter.cut_off(None).await.unwrap();
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let wrong = DraftFields { moved: "no code".into(), ..person("Dialo") };
    let draft = counter.kiosk.save_draft(&visit, wrong).await.unwrap();
    assert_eq!(
        (draft.problems[0].field.as_str(), draft.problems[0].code.as_str()),
        ("moved", "bad_follow_up_code")
    );
    let fields = DraftFields { moved: before.code.to_lowercase(), ..person("Dialo") };
    assert!(counter.kiosk.save_draft(&visit, fields).await.unwrap().problems.is_empty());
    let said = counter.kiosk.read_back(&visit).await.unwrap();
    assert!(said.lines.iter().any(|line| line.key == "moved" && line.value == before.code));
    let moved = counter.kiosk.confirm(&visit).await.unwrap();
    assert_eq!(moved.transfer.as_ref().unwrap().state, TransferState::Waiting);
    let page = counter.kiosk.paper_pdf(&moved.code).await.unwrap();
    counter.kiosk.handed_over(&moved.code).await.unwrap();

    // Central knows the other paper: both stand, and another page is due.
    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let now = counter.kiosk.date(&moved.visit).await.unwrap();
    let both = now.transfer.unwrap();
    assert_eq!(both.state, TransferState::Both);
    assert_eq!((both.earlier_at, now.slot_at), (before.slot_at.clone(), moved.slot_at.clone()));
    assert_eq!(both.site.as_deref(), Some("AILLEURS"));
    let due = counter.kiosk.home().await.unwrap().to_tell;
    assert_eq!((due.len(), due[0].kind, &due[0].visit), (1, ToTellKind::Transfer, &moved.visit));
    let now = counter.kiosk.paper_pdf(&moved.code).await.unwrap();
    assert_ne!(now, page, "it says whose registration time counts");
    assert_eq!(
        counter.kiosk.date(&moved.visit).await.unwrap().code_large,
        moved.code_large,
        "by the same seal"
    );
    counter.kiosk.handed_over(&moved.code).await.unwrap();
    assert!(counter.kiosk.home().await.unwrap().to_tell.is_empty());
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.paper_pdf(&moved.code).await.unwrap(), now);

    // They keep this one: without central it is on its way, then the other counter knows where they are.
    let kept = counter.kiosk.keep_transfer(&moved.visit).await.unwrap();
    let again = counter.kiosk.keep_transfer_of(&moved.code).await.unwrap();
    assert_eq!(kept.transfer.as_ref().unwrap().state, TransferState::Keeping);
    assert_eq!(again.transfer, kept.transfer);
    counter.kiosk.exchange().await.unwrap();
    let alone = counter.kiosk.date(&moved.visit).await.unwrap().transfer.unwrap();
    assert_eq!((alone.state, alone.earlier_at), (TransferState::Alone, None));
    assert_eq!(counter.kiosk.keep_transfer(&moved.visit).await.unwrap_err().code, "no_earlier_appointment");
    other.exchange().await.unwrap();
    let gone = other.date(&before.visit).await.unwrap().cancelled.unwrap();
    assert_eq!(gone.elsewhere, Some(moved.site.clone()));
    assert!(other.home().await.unwrap().notices.contains(&"place_transferred".to_owned()));
    assert_eq!(other.reprint(&before.visit).await.unwrap_err().code, "cancelled");

    // Asked back there, central says where it is.
    other.reinstate(&before.visit).await.unwrap();
    other.exchange().await.unwrap();
    let gone = other.date(&before.visit).await.unwrap().cancelled.unwrap();
    assert!(!gone.returning);
    let refused = other.outbox().await.unwrap().items.into_iter().find_map(|item| item.problem);
    assert_eq!(refused.unwrap().code, "set_aside_transferred");
}
