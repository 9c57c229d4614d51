#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! What central has learnt since a paper was printed reaches every counter of the site, and
//! a verifier without a network by a file: papers replaced, kiosks lost, keys renewed, the
//! site's own name.

use app::contract::{DateSource, DateView};
use axum::body::Body;
use axum::http::Request;
use central::admin::{NewMediator, SiteChange};
use central::keys::{self, CentralKeys};
use jiff::Timestamp;
use journeys::counter::{Counter, Listening, register};
use journeys::device::site;
use journeys::programs::{built, command};
use journeys::stand::{MEDIATOR, PIN, SITE};
use journeys::tls;
use seal::ring::Role;
use serde_json::Value;
use std::path::Path;
use tower::ServiceExt as _;

/// What `jalonctl seal verify` answers, with and without the site's lists.
fn verdict(keys: &Path, door: &str, lists: Option<&Path>) -> (String, String) {
    let root = keys.join(keys::RING);
    let mut args = ["seal", "verify", "--text", door, "--root"].map(Path::new).to_vec();
    args.push(&root);
    if let Some(lists) = lists {
        args.extend([Path::new("--lists"), lists]);
    }
    let done = command(built("jalonctl").unwrap(), &args).output().unwrap();
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
    let word = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
    if answer["problem"].is_string() {
        (word("problem"), String::new())
    } else {
        (word("verdict"), word("reason"))
    }
}

async fn written(counter: &Counter, name: &str) -> std::path::PathBuf {
    let out = counter.folder.path().join(name);
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let keys = CentralKeys::load(counter.folder.path()).unwrap();
    central::admin::signed_lists(&pool, &keys, SITE, &out).await.unwrap();
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_has_its_convocation_is_red_everywhere() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let other = counter.another(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter = counter.cut_off(None).await.unwrap();
    let mut ranked = None;
    for n in 0..6 {
        ranked = Some(register(&counter.kiosk, &format!("PERSONNE {n}")).await.unwrap())
            .filter(|date| date.source == DateSource::Rank);
        if ranked.is_some() {
            break;
        }
    }
    let ranked: DateView = ranked.expect("the lease is never exhausted");
    let receipt = ranked.code_large.clone();
    assert_eq!(other.show_paper(&receipt).await.unwrap().verdict, "valid");

    // Dated once central is back; the kiosk's own record of it makes the list.
    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let dated = counter.kiosk.date(&ranked.visit).await.unwrap();
    other.exchange().await.unwrap();
    let shown = other.show_paper(&receipt).await.unwrap();
    assert_eq!((shown.verdict.as_str(), shown.reason.as_str()), ("replaced", "newer_paper"));
    assert_eq!(shown.replaced_by, dated.slot_at, "the new date is shown");
    assert_eq!(other.show_paper(&dated.code_large).await.unwrap().verdict, "valid");

    // The same by a file, for a door without a network.
    let keys = counter.folder.path().to_owned();
    let lists = written(&counter, "lists.json").await;
    let said = |verdict: &str, reason: &str| (verdict.to_owned(), reason.to_owned());
    assert_eq!(verdict(&keys, &receipt, None), said("valid", ""));
    assert_eq!(verdict(&keys, &receipt, Some(&lists)), said("replaced", "newer_paper"));
    assert_eq!(verdict(&keys, &dated.code_large, Some(&lists)), said("valid", ""));
    // A list somebody has changed is refused whole: nothing of it is believed.
    std::fs::write(&lists, turned(&std::fs::read_to_string(&lists).unwrap())).unwrap();
    assert_eq!(verdict(&keys, &receipt, Some(&lists)).0, "lists_forged");
    for nothing in ["{}", "[]"] {
        std::fs::write(&lists, nothing).unwrap();
        assert_eq!(verdict(&keys, &receipt, Some(&lists)).0, "lists_not_lists", "{nothing}");
    }
    // Lists of another site, of which nothing was ever replaced, say nothing of this paper.
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let other = site("OTHER", jiff::Zoned::now().date());
    central::admin::site(&pool, &other).await.unwrap();
    let out = keys.join("other.json");
    let signers = CentralKeys::load(&keys).unwrap();
    central::admin::signed_lists(&pool, &signers, "OTHER", &out).await.unwrap();
    assert_eq!(verdict(&keys, &receipt, Some(&out)), said("look", "lists_of_another_site"));
}

/// The file with two digits of its first signature put before their place.
fn turned(text: &str) -> String {
    let mut lists: Vec<Value> =
        serde_json::from_str(&text.replacen("signature\":\"00", "signature\":\"", 1)).unwrap();
    let signature = lists[0]["signature"].as_str().unwrap();
    let (first, rest) = signature.split_at(2);
    let turned = format!("{:02x}{rest}", u8::from_str_radix(first, 16).unwrap() ^ 1);
    lists[0]["signature"] = turned.into();
    serde_json::to_string(&lists).unwrap()
}

/// The second code of the paper with this door code, as its kiosk's vault has it.
fn rebuild_code(folder: &Path, door: &str) -> String {
    let vault = vault::Vault::open(&folder.join("vault.db"), &vault::VaultKey::new([3; 32])).unwrap();
    let door = seal::text::to_bytes(door).unwrap();
    let rebuild = vault.read::<_, vault::VaultFailure>(|tx| {
        let papers = tx.papers()?.into_iter().filter_map(|id| tx.paper(id).ok().flatten());
        Ok(papers.filter(|paper| paper.door == door).map(|paper| paper.rebuild).next())
    });
    seal::text::from_bytes(&rebuild.unwrap().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_lost_kiosk_only_what_central_holds_stays_good() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let other = counter.another(None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let held = register(&counter.kiosk, "CHEZ CENTRAL").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter = counter.cut_off(None).await.unwrap();
    let unheard = register(&counter.kiosk, "JAMAIS ENVOYÉE").await.unwrap();
    assert_eq!(unheard.source, DateSource::Lease);
    let lost = counter.kiosk.status().await.unwrap()["kiosk"].as_str().unwrap().to_owned();
    central::admin::lose_kiosk(&pool, SITE, &lost, Timestamp::now()).await.unwrap();
    other.exchange().await.unwrap();

    assert_eq!(other.show_paper(&held.code_large).await.unwrap().verdict, "valid");
    let amber = other.show_paper(&unheard.code_large).await.unwrap();
    assert_eq!((amber.verdict.as_str(), amber.reason.as_str()), ("look", "kiosk_lost"));
    // Amber has a next step: the paper is passed on. Central takes it, and once somebody with
    // the recovery key has read it, it is good like the others.
    drop(counter.kiosk);
    let rebuild = rebuild_code(counter.folder.path(), &unheard.code_large);
    other.bring_paper(&amber.door.unwrap(), Some(&rebuild)).await.unwrap();
    other.exchange().await.unwrap();
    assert_eq!(other.show_paper(&unheard.code_large).await.unwrap().verdict, "look");
    central::admin::open_papers(&pool, SITE, &counter.folder.path().join(keys::RECOVERY)).await.unwrap();
    other.exchange().await.unwrap();
    other.exchange().await.unwrap();
    assert_eq!(other.show_paper(&unheard.code_large).await.unwrap().verdict, "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_moves_and_a_key_that_ends_are_heard_of_by_an_exchange() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let change = SiteChange { name: Some("Préfecture du Cap".into()), ..SiteChange::default() };
    central::admin::change_site(&pool, SITE, &change, Timestamp::now()).await.unwrap();
    let before = register(&counter.kiosk, "AVANT").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.boot().await.unwrap().site_name, "Préfecture du Cap");
    let nothing = SiteChange::default();
    assert!(central::admin::change_site(&pool, SITE, &nothing, Timestamp::now()).await.is_err());

    // Both signing keys are renewed and central starts again, beside the one that still runs.
    let (folder, random) = (counter.folder.path(), central::system_random());
    let root = folder.join(keys::ROOT);
    let before_renewal = CentralKeys::load(folder).unwrap();
    let renewed = keys::renew(folder, &root, Role::Slot, Timestamp::now(), &random).unwrap();
    keys::renew(folder, &root, Role::Acknowledgement, Timestamp::now(), &random).unwrap();
    assert!(
        keys::renew(folder, &folder.join(keys::RECOVERY), Role::Slot, Timestamp::now(), &random).is_err()
    );
    let fresh = Listening::start(central::connect(&counter.pool_url).await.unwrap(), folder).await.unwrap();
    let url = format!("https://localhost:{}", fresh.address.port());
    let ca = folder.join(tls::CA);
    let (old, folder) = (counter.central.clone(), folder.to_owned());
    let counter = counter.asking(&url, &ca).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let after = register(&counter.kiosk, "APRÈS").await.unwrap();
    assert_eq!(after.source, DateSource::Online, "a date signed by the new key is taken");
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.status().await.unwrap()["journal"]["waiting"], 0);

    // The old one is retired: what it signed stays good, and who still runs it gives nothing.
    let keys = CentralKeys::load(&folder).unwrap();
    let id = hex::encode(renewed.old.0);
    let retired = central::admin::retire_key(&pool, &keys, &id, Timestamp::now()).await.unwrap();
    assert!(retired["last_day"].as_str().unwrap() >= &before.slot_at.as_deref().unwrap()[..10]);
    let current = hex::encode(renewed.new.0);
    assert!(central::admin::retire_key(&pool, &keys, &current, Timestamp::now()).await.is_err());
    // Who watches over either central is told.
    for (keys, status) in [(keys, 200), (before_renewal, 503)] {
        let (clock, random) = (central::system_clock(), central::system_random());
        let central = central::Central::new(pool.clone(), keys, clock, random).await.unwrap();
        let asked = Request::get("/healthz").body(Body::empty()).unwrap();
        assert_eq!(central::router(central).oneshot(asked).await.unwrap().status(), status);
    }
    counter.kiosk.exchange().await.unwrap();
    for paper in [&before, &after] {
        assert_eq!(counter.kiosk.show_paper(&paper.code_large).await.unwrap().verdict, "valid");
    }
    let counter = counter.asking(&old, &ca).await.unwrap();
    let offline = register(&counter.kiosk, "AU VIEUX CENTRAL").await.unwrap();
    assert_ne!(offline.source, DateSource::Online);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mediator_who_left_unlocks_no_kiosk_that_has_heard() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let remove =
        async |id: &'static str| central::admin::remove_mediator(&pool, SITE, id, Timestamp::now()).await;
    assert!(remove(MEDIATOR).await.is_err(), "somebody must be left");
    let random = central::system_random();
    let told = NewMediator { id: "other", name: "Autre", pin: "135790", supervisor: None, replace: false };
    central::admin::mediator(&pool, SITE, &told, Timestamp::now(), &random).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.unlock("other", "135790").await.unwrap();
    remove("other").await.unwrap();
    assert!(remove("other").await.is_err());
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.unlock("other", "135790").await.unwrap_err().code, "bad_pin");
    counter.kiosk.unlock(MEDIATOR, PIN).await.unwrap();
}
