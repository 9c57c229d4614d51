#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! What stands in an export file is judged as in a push: forks, refused records, other people's
//! records, lost kiosks. Files made by hand, as no kiosk of ours writes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use central::keys::CentralKeys;
use central::lease_log::LeaseLog;
use central::{Central, system_random};
use journeys::device::{Device, Said, Service};
use seal::keys::sha256;
use seal::ring::Role;
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::body::{Body, Outcome, Registered};
use wire::bytes::Bytes;
use wire::delivery::{Beginning, DeliveredPage, End, Frame};
use wire::record::Record;

const WAIT: Duration = Duration::from_secs(20);

fn ring(service: &Service) -> seal::ring::KeyRing {
    CentralKeys::load(service.keys()).unwrap().ring().clone()
}

/// A locked file of these frames.
fn locked(service: &Service, frames: &[Frame]) -> Vec<u8> {
    let key = ring(service).latest(Role::Delivery).unwrap().key;
    let mut file = Vec::new();
    let mut out = seal::delivery::lock(&key, &mut file).unwrap();
    for frame in frames {
        frame.write(&mut out).unwrap();
    }
    out.flush().unwrap();
    out.finish().unwrap();
    file
}

fn beginning(service: &Service, author: &Device) -> Frame {
    let certificate = Bytes(STANDARD.decode(author.certificate.as_str().unwrap()).unwrap());
    Frame::Beginning(Beginning { kiosk: author.kiosk, certificate, at: service.now() })
}

fn end(records: usize, pages: usize) -> Frame {
    Frame::End(End { records: records as u32, pages: pages as u32 })
}

/// A whole file of these records.
fn file(service: &Service, author: &Device, records: &[Record]) -> Vec<u8> {
    let mut frames = vec![beginning(service, author)];
    frames.extend(records.iter().cloned().map(|record| Frame::Record(Box::new(record))));
    frames.push(end(records.len(), 0));
    locked(service, &frames)
}

async fn send(service: &Service, carrier: &Device, bytes: &[u8]) -> String {
    let hash = sha256(&[bytes]).to_string();
    let metadata = format!("sha256 {}", STANDARD.encode(&hash));
    let mut begin = carrier.request(service.now(), "POST", "/v1/deliveries", Vec::new()).unwrap();
    begin.headers_mut().insert("upload-length", bytes.len().into());
    begin.headers_mut().insert("upload-metadata", metadata.parse().unwrap());
    assert_eq!(service.ask(begin).await.unwrap().status, 201);
    let target = format!("/v1/deliveries/{hash}");
    for (nth, part) in bytes.chunks(1000).enumerate() {
        let said = patch(service, carrier, &target, nth * 1000, part).await;
        assert_eq!(said.status, 204, "{}", said.json);
    }
    target
}

async fn patch(service: &Service, carrier: &Device, target: &str, at: usize, part: &[u8]) -> Said {
    let mut request = carrier.request(service.now(), "PATCH", target, part.to_vec()).unwrap();
    request.headers_mut().insert("upload-offset", at.into());
    let checksum = format!("sha256 {}", STANDARD.encode(sha256(&[part]).0));
    request.headers_mut().insert("upload-checksum", checksum.parse().unwrap());
    service.ask(request).await.unwrap()
}

/// Sends a file and waits for what becomes of it.
async fn carry(service: &Service, carrier: &Device, bytes: &[u8]) -> Value {
    let target = send(service, carrier, bytes).await;
    let from = Instant::now();
    loop {
        let said = carrier.say(service, "GET", &target, &Value::Null).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
        if said.json["state"] != "reading" {
            return said.json;
        }
        assert!(from.elapsed() < WAIT, "still reading");
        tokio::task::yield_now().await;
    }
}

fn counted(received: u32, known: u32, refused: u32) -> Value {
    json!({ "received": received, "known": known, "refused": refused })
}

fn ranked(service: &Service, author: &mut Device, n: u8) -> Record {
    let registration = author.registration(service, n, "DIALLO").unwrap();
    let outcome = Outcome::Rank { held: None, told: None, busy: None };
    let at = service.now();
    author
        .says(&Body::Registration(Box::new(Registered { registration, outcome, at, day_declared: false })))
        .unwrap()
}

#[tokio::test]
async fn a_fork_in_two_files_is_two_chains_both_applied() {
    let service = Service::start().await.unwrap();
    let mut author = service.device("ONE", 1).await.unwrap();
    let carrier = service.device("TWO", 2).await.unwrap();
    let first = ranked(&service, &mut author, 1);
    let mut copy = author.copy();
    let (here, there) = (ranked(&service, &mut author, 2), ranked(&service, &mut copy, 3));
    let one = carry(&service, &carrier, &file(&service, &author, &[first.clone(), here])).await;
    assert_eq!((&one["state"], &one["records"]), (&json!("done"), &counted(2, 0, 0)));
    let two = carry(&service, &carrier, &file(&service, &author, &[first, there])).await;
    assert_eq!(two["records"], counted(1, 1, 0), "the first is known; the second is another chain");
    let listed = central::admin::registrations(&service.pool, "ONE").await.unwrap();
    assert_eq!(listed["registrations"].as_array().unwrap().len(), 3);
    let kiosks = central::admin::kiosks(&service.pool, "ONE").await.unwrap().to_string();
    assert!(kiosks.contains("quarantined"), "{kiosks}");
    assert!(author.pull(&service, 0).await.unwrap().quarantined);
    // Told where the desk and the administrator look, with what to do.
    assert!(kiosks.contains("--release"), "{kiosks}");
    let desk = || central::admin::tasks(&service.pool, "ONE", false);
    let told = desk().await.unwrap();
    let id = author.kiosk.to_string();
    assert_eq!(told["kiosks_to_look_at"][0]["kiosk"], id);
    central::admin::release_kiosk(&service.pool, "ONE", &id).await.unwrap();
    assert_eq!(desk().await.unwrap()["kiosks_to_look_at"], json!([]));
}

#[tokio::test]
async fn what_is_refused_never_holds_up_what_comes_before_it() {
    let service = Service::start().await.unwrap();
    let mut author = service.device("ONE", 1).await.unwrap();
    let carrier = service.device("ONE", 2).await.unwrap();
    let good = ranked(&service, &mut author, 1);
    let mut forged = ranked(&service, &mut author, 2);
    forged.signature.0[5] ^= 1;
    let after = ranked(&service, &mut author, 3);
    let said = carry(&service, &carrier, &file(&service, &author, &[good.clone(), forged, after])).await;
    assert_eq!((&said["state"], &said["records"]), (&json!("done"), &counted(1, 0, 2)));
    let listed = central::admin::registrations(&service.pool, "ONE").await.unwrap();
    assert_eq!(listed["registrations"].as_array().unwrap().len(), 1);

    // Signed by the carrier, named as the author's; or of the carrier, in the author's file.
    let mut posing = Device::known(author.kiosk, author.site.clone(), [2; 32]);
    let posed = ranked(&service, &mut posing, 4);
    let said = carry(&service, &carrier, &file(&service, &author, &[posed])).await;
    assert_eq!(said["records"], counted(0, 0, 1));
    let mut own = service.device("ONE", 3).await.unwrap();
    let foreign = ranked(&service, &mut own, 5);
    let said = carry(&service, &carrier, &file(&service, &author, &[foreign])).await;
    assert_eq!((&said["state"], &said["code"]), (&json!("refused"), &json!("delivery_not_one")));

    // Whose certificate is not central's, and who was reported lost.
    let mut stranger = Device::known(domain::ids::KioskId([9; 16]), author.site.clone(), [9; 32]);
    stranger.certificate = author.certificate.clone();
    let record = ranked(&service, &mut stranger, 6);
    let said = carry(&service, &carrier, &file(&service, &stranger, &[record])).await;
    assert_eq!(said["code"], "not_enrolled");
    let lost = author.kiosk.to_string();
    central::admin::lose_kiosk(&service.pool, "ONE", &lost, service.now()).await.unwrap();
    let said = carry(&service, &carrier, &file(&service, &author, &[good])).await;
    assert_eq!(said["code"], "kiosk_lost");
}

#[tokio::test]
async fn a_file_that_opens_and_is_not_whole_stores_nothing() {
    let service = Service::start().await.unwrap();
    let mut author = service.device("ONE", 1).await.unwrap();
    let carrier = service.device("ONE", 2).await.unwrap();
    let record = Frame::Record(Box::new(ranked(&service, &mut author, 1)));
    let begin = || beginning(&service, &author);
    let bytes = vec![7; 100];
    let page = |sha256| {
        Frame::Page(DeliveredPage {
            page: domain::ids::PageId([3; 16]),
            registration: domain::ids::RegistrationId([1; 16]),
            sha256,
            locked: bytes.clone(),
        })
    };
    let right = page(sha256(&[&bytes]));
    for (what, code, frames) in [
        ("no end", "delivery_damaged", vec![begin(), record.clone()]),
        ("wrong count", "delivery_damaged", vec![begin(), record.clone(), end(2, 0)]),
        ("no beginning", "delivery_not_one", vec![record.clone(), end(1, 0)]),
        ("two beginnings", "delivery_not_one", vec![begin(), begin(), end(0, 0)]),
        ("page before record", "delivery_not_one", vec![begin(), right.clone(), record.clone(), end(1, 1)]),
        ("page of another hash", "delivery_not_one", vec![begin(), page(sha256(&[b"x"])), end(0, 1)]),
        ("something after the end", "delivery_damaged", vec![begin(), end(0, 0), end(0, 0)]),
        ("nothing", "delivery_damaged", vec![]),
    ] {
        let said = carry(&service, &carrier, &locked(&service, &frames)).await;
        assert_eq!((&said["state"], said["code"].as_str()), (&json!("refused"), Some(code)), "{what}");
    }
    let listed = central::admin::registrations(&service.pool, "ONE").await.unwrap();
    assert_eq!(listed["registrations"], json!([]));

    // Broken off, asked from elsewhere, begun again.
    let whole = locked(&service, &[begin(), record, right, end(1, 1)]);
    let hash = sha256(&[&whole]).to_string();
    let target = format!("/v1/deliveries/{hash}");
    assert_eq!(carrier.say(&service, "GET", &target, &Value::Null).await.unwrap().code(), "no_upload");
    let said = carry(&service, &carrier, &whole).await;
    assert_eq!((&said["records"], &said["pages"]), (&counted(1, 0, 0), &counted(1, 0, 0)));
    assert_eq!(patch(&service, &carrier, &target, 0, b"x").await.code(), "bad_offset", "it is over");
    assert_eq!(author.say(&service, "GET", &target, &Value::Null).await.unwrap().code(), "no_upload");
    let again = carry(&service, &author, &whole).await;
    assert_eq!((&again["records"], &again["pages"]), (&counted(0, 1, 0), &counted(0, 1, 0)));
}

#[tokio::test]
async fn beside_a_central_that_has_the_lease_log_an_import_waits_for_it() {
    let mut service = Service::start().await.unwrap();
    let mut author = service.device("ONE", 1).await.unwrap();
    let other = service.device("ONE", 2).await.unwrap();
    let now: central::Clock = Arc::new({
        let now = service.now();
        move || now
    });
    let keys = CentralKeys::load(service.keys()).unwrap();
    let made = Central::new(service.pool.clone(), keys, Arc::clone(&now), system_random()).await.unwrap();
    let log = LeaseLog::open(&service.keys().join("lease.log"), &system_random()).unwrap();
    let running = made.following(log).await.unwrap();
    service.router = central::router(running);
    let running = service;
    let path = running.keys().join("export.jalon");
    let record = ranked(&running, &mut author, 1);
    std::fs::write(&path, file(&running, &author, &[record])).unwrap();
    let beside = Central::new(
        running.pool.clone(),
        CentralKeys::load(running.keys()).unwrap(),
        Arc::clone(&now),
        system_random(),
    );
    let taken = central::admin::import(&beside.await.unwrap(), &path).await.unwrap();
    assert!(!taken.applied, "a date given here would not stand in the log");
    let listed = async || central::admin::registrations(&running.pool, "ONE").await.unwrap();
    assert_eq!(listed().await["registrations"], json!([]));
    other.pull(&running, 0).await.unwrap();
    let rows = listed().await;
    assert_eq!(rows["registrations"].as_array().unwrap().len(), 1);
    assert!(rows["registrations"][0]["slot"].is_number(), "dated by the central that writes the log: {rows}");
}
