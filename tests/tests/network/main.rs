#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The network between a kiosk and central, spoilt at a gate: the real kiosk core, real TLS,
//! central's real router on a real PostgreSQL. Every person leaves with a date, and what
//! was printed is what central ends with.

mod crowd;
mod ground;
mod replay;
mod two_centrals;

use app::contract::DateSource;
use ground::{Ground, until};
use journeys::tls;
use sim::tcp_gate::Behaviour;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::TlsAcceptor;

/// No answer is longer, in ciphertext: a cut beyond it cuts nothing.
const LONGEST: usize = 20_000;
/// A counter that waits longer than this for a date is held up; the kiosk's own limit is 3 s.
const HELD_UP: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_dates_answer_cut_at_each_byte_gives_one_date() {
    let ground = Ground::start().await;
    ground.lend(400).await;
    ground.kiosk().exchange().await.unwrap();
    let mut cuts = 0;
    while cuts < LONGEST {
        ground.gate.set(Behaviour::Cut(cuts));
        if ground.register().await.source == DateSource::Online {
            break;
        }
        cuts += 1;
    }
    println!("the answer to POST /v1/registrations: cut at each of {cuts} bytes");
    assert!((300..LONGEST).contains(&cuts), "believed at its end, and not before: {cuts}");
    ground.ends_with_what_was_printed().await;
}

#[tokio::test]
async fn an_exchange_cut_at_each_byte_loses_and_doubles_nothing() {
    let ground = Ground::start().await;
    ground.kiosk().exchange().await.unwrap();
    ground.gate.set(Behaviour::Refuse);
    for _ in 0..2 {
        ground.register().await;
    }
    let mut cuts = [0, 0];
    while ground.kiosk().home().await.unwrap().waiting > 0 {
        ground.gate.set(Behaviour::Cut(cuts[0]));
        if let Err(problem) = ground.kiosk().exchange().await {
            assert_eq!(problem.code, "central_unreachable", "POST /v1/journal cut at {}", cuts[0]);
        }
        cuts[0] += 1;
    }
    loop {
        ground.gate.set(Behaviour::Cut(cuts[1]));
        let Err(problem) = ground.kiosk().exchange().await else { break };
        assert_eq!(problem.code, "central_unreachable", "GET /v1/changes cut at {}", cuts[1]);
        cuts[1] += 1;
    }
    println!(
        "the answers to POST /v1/journal, then /v1/lease and /v1/changes: cut at each of {cuts:?} bytes"
    );
    assert!(cuts.iter().all(|cuts| (300..LONGEST).contains(cuts)), "{cuts:?}");
    ground.ends_with_what_was_printed().await;
}

#[tokio::test]
async fn an_answer_lost_after_central_assigned_gives_one_date() {
    let ground = Ground::start().await;
    ground.kiosk().exchange().await.unwrap();
    // The program ends while it waits for the answer; started again, it asks under the same id.
    ground.gate.set(Behaviour::Stall(0));
    let visit = ground.draft().await;
    let (kiosk, asked) = (ground.kiosk().clone(), visit.clone());
    let waiting = tokio::spawn(async move { kiosk.confirm(&asked).await });
    until("central has assigned", async || !ground.given().await.is_empty()).await;
    let assigned = ground.given().await;
    waiting.abort();
    let _ = waiting.await;
    let ground = ground.reopen().await;
    ground.heal().await;
    let date = ground.kiosk().confirm(&visit).await.unwrap();
    assert_eq!((date.source, assigned.len()), (DateSource::Online, 1));
    assert_eq!(assigned.values().next(), date.slot.as_ref(), "the date central gave the first time");
    assert_eq!(ground.given().await, assigned);
    // The kiosk does not wait for ever: it takes a leased slot, and that one is the date.
    ground.gate.set(Behaviour::Stall(0));
    let leased = ground.register().await;
    assert_eq!(leased.source, DateSource::Lease);
    let assigned = ground.given().await;
    assert!(assigned.len() == 2 && !assigned.values().any(|slot| Some(slot) == leased.slot.as_ref()));
    ground.ends_with_what_was_printed().await;
}

#[tokio::test]
async fn refused_the_counter_goes_on_to_the_last_leased_slot_and_beyond() {
    let ground = Ground::start().await;
    ground.kiosk().exchange().await.unwrap();
    ground.gate.set(Behaviour::Refuse);
    let mut sources = Vec::new();
    for _ in 0..6 {
        sources.push(ground.register().await.source);
        assert_eq!(ground.kiosk().exchange().await.unwrap_err().code, "central_unreachable");
    }
    // The fourth slot lent is kept for people with a time limit.
    assert_eq!(sources, [[DateSource::Lease; 3], [DateSource::Rank; 3]].concat());
    assert_eq!(ground.gate.accepted(), 1, "nobody listened");
    ground.ends_with_what_was_printed().await;
}

#[tokio::test]
async fn silence_and_a_stalled_answer_never_hold_the_counter() {
    let ground = Ground::start().await;
    for behaviour in [Behaviour::BlackHole, Behaviour::Stall(200)] {
        ground.heal().await;
        ground.gate.set(behaviour);
        // Three seconds when central was heard a moment ago.
        let (from, before) = (Instant::now(), ground.gate.accepted());
        assert_eq!(ground.register().await.source, DateSource::Lease);
        assert!(
            from.elapsed() < HELD_UP && ground.gate.accepted() > before,
            "central was asked, through the gate"
        );
        // An exchange that hangs holds nobody up, and ends when the line breaks.
        let kiosk = ground.kiosk().clone();
        let hanging = tokio::spawn(async move { kiosk.exchange().await });
        until("the exchange hangs", async || ground.gate.accepted() > before + 1).await;
        let from = Instant::now();
        assert_eq!(ground.register().await.source, DateSource::Lease);
        assert!(from.elapsed() < HELD_UP);
        ground.gate.set(Behaviour::Refuse);
        assert_eq!(hanging.await.unwrap().unwrap_err().code, "central_unreachable");
        // One second from then on.
        let date = ground.register().await;
        assert_ne!(date.source, DateSource::Online);
    }
    ground.ends_with_what_was_printed().await;
}

#[tokio::test]
async fn a_thin_line_carries_records_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.jpg");
    let bytes = noise();
    assert!(bytes.len() > 66_000, "more than one part of an upload: {}", bytes.len());
    std::fs::write(&page, bytes).unwrap();
    let ground = Ground::with_scanner(Some(format!("file:{}", page.display()))).await;
    ground.gate.set(Behaviour::Slow { bits_per_s: 64_000, latency: Duration::from_millis(600) });
    ground.kiosk().exchange().await.unwrap();
    // Online over the connection that stands, or from the lease: a date either way.
    let visit = ground.draft().await;
    ground.kiosk().scan_page(&visit).await.unwrap();
    let date = ground.kiosk().confirm(&visit).await.unwrap();
    assert!(date.slot.is_some());
    ground.kiosk().exchange().await.unwrap();
    let status = ground.kiosk().status().await.unwrap();
    assert_eq!((&status["pages_waiting"], &status["journal"]["waiting"]), (&0.into(), &0.into()), "{status}");
    ground.ends_with_what_was_printed().await;
}

#[tokio::test]
async fn a_captive_portal_and_another_authority_are_not_central() {
    let ground = Ground::start().await;
    ground.kiosk().exchange().await.unwrap();
    let other = tempfile::tempdir().unwrap();
    tls::make(other.path()).unwrap();
    let config =
        central::serve::tls_config(&other.path().join(tls::CERT), &other.path().join(tls::KEY)).unwrap();
    let theirs = TlsAcceptor::from(Arc::new(config));
    for (tls, code) in [(None, "central_unreachable"), (Some(theirs), "central_untrusted")] {
        ground.gate.set(Behaviour::Portal(tls));
        assert_eq!(ground.register().await.source, DateSource::Lease, "{code}");
        assert_eq!(ground.kiosk().exchange().await.unwrap_err().code, code);
        let connection = ground.kiosk().home().await.unwrap().connection;
        assert_ne!(connection, app::contract::Connection::Online, "{code}");
    }
    assert!(ground.given().await.is_empty(), "nothing reached central");
    ground.ends_with_what_was_printed().await;
}

/// A picture that JPEG can hardly make smaller.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let picture = image::RgbImage::from_fn(222, 222, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = state.to_be_bytes();
        image::Rgb([a, b, c])
    });
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 80).encode_image(&picture).unwrap();
    jpeg
}
