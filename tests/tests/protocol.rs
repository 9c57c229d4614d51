#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! What central does with what devices say: right things once and again, wrong things
//! refused by name, other people's things never.

use domain::lease::BACKSTOPS;
use domain::token::SignedToken;
use jiff::{Timestamp, ToSpan};
use journeys::device::{Device, Said, Service};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use wire::body::{Body as Says, Outcome, Registered, Release};
use wire::messages::ChangesAnswer;

fn states(answer: &ChangesAnswer) -> Vec<Value> {
    let changes = serde_json::to_value(&answer.changes).unwrap();
    changes
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["change"] == "result")
        .map(|c| c["result"].clone())
        .collect()
}

fn token(said: &Said) -> SignedToken {
    let bytes: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
    SignedToken::from_bytes(&bytes.0).unwrap()
}

#[tokio::test]
async fn a_code_enrols_one_key_once_and_only_in_time() {
    let service = Service::start().await.unwrap();
    let key = |n: u8| seal::keys::Signer::from_seed(&[n; 32]);
    let code = service.code("ONE").await.unwrap();
    assert_eq!(
        service.enrol("0000-0000-0000-0", &key(1), "0000-0000-0000-0").await.unwrap().code(),
        "bad_code"
    );
    assert_eq!(service.enrol(&code, &key(1), "another").await.unwrap().code(), "bad_signature");
    let first = service.enrol(&code.to_lowercase(), &key(1), &code.to_lowercase()).await.unwrap();
    assert_eq!(first.status, 200, "as typed, in any case");
    // Its answer was lost: the same key asks again and is the same kiosk.
    let again = service.enrol(&code, &key(1), &code).await.unwrap();
    assert_eq!(again.json["kiosk"], first.json["kiosk"]);
    assert_eq!(service.enrol(&code, &key(2), &code).await.unwrap().code(), "bad_code", "used by another key");
    let other = service.code("TWO").await.unwrap();
    assert_eq!(
        service.enrol(&other, &key(1), &other).await.unwrap().code(),
        "conflict",
        "a key is one kiosk's for ever"
    );
    let late = service.code("ONE").await.unwrap();
    service.clock.fetch_add(15 * 60 + 1, Ordering::SeqCst);
    assert_eq!(service.enrol(&late, &key(3), &late).await.unwrap().code(), "bad_code", "15 minutes are over");
}

#[tokio::test]
async fn only_the_device_itself_is_heard_and_only_now() {
    let service = Service::start().await.unwrap();
    let (one, two) = (service.device("ONE", 1).await.unwrap(), service.device("TWO", 2).await.unwrap());
    let now = service.now();
    let target = "/v1/changes?cursor=0";
    assert_eq!(service.ask(one.request(now, "GET", target, Vec::new()).unwrap()).await.unwrap().status, 200);
    // Another's signature, another target, another body, another kiosk's name.
    let mut forged = one.request(now, "GET", target, Vec::new()).unwrap();
    let theirs = two.request(now, "GET", target, Vec::new()).unwrap();
    forged.headers_mut().insert("jalon-signature", theirs.headers()["jalon-signature"].clone());
    assert_eq!(service.ask(forged).await.unwrap().code(), "bad_signature");
    let mut moved = one.request(now, "GET", target, Vec::new()).unwrap();
    *moved.uri_mut() = "/v1/changes?cursor=1".parse().unwrap();
    assert_eq!(service.ask(moved).await.unwrap().code(), "bad_signature");
    let mut changed = one.request(now, "POST", "/v1/lease", b"{\"today\":\"2027-03-10\"}".to_vec()).unwrap();
    *changed.body_mut() = axum::body::Body::from("{\"today\":\"2028-03-10\"}");
    assert_eq!(service.ask(changed).await.unwrap().code(), "bad_signature");
    for off in [-301, 301] {
        let at = Timestamp::from_second(now.as_second() + off).unwrap();
        let said = service.ask(one.request(at, "GET", target, Vec::new()).unwrap()).await.unwrap();
        assert_eq!(said.code(), "clock_off");
        assert_eq!(said.headers["jalon-now"], now.as_second().to_string().as_str(), "it is told the time");
    }
    // A kiosk acts for its own site only.
    let mut abroad = one.registration(&service, 9, "A").unwrap();
    abroad.site = two.site.clone();
    let said =
        one.say(&service, "POST", "/v1/registrations", &json!({ "registration": abroad })).await.unwrap();
    assert_eq!(said.code(), "other_site");
}

/// The first at a site make its calendar; none of them waits for another that waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_at_an_empty_calendar_all_get_a_date() {
    let service = std::sync::Arc::new(Service::start().await.unwrap());
    let device = std::sync::Arc::new(service.device("ONE", 1).await.unwrap());
    let asking: Vec<_> = (1..=8)
        .map(|n| {
            let (service, device) = (service.clone(), device.clone());
            tokio::spawn(async move {
                let asked = json!({ "registration": device.registration(&service, n, "A").unwrap() });
                device.say(&service, "POST", "/v1/registrations", &asked).await.unwrap()
            })
        })
        .collect();
    let mut slots = std::collections::BTreeSet::new();
    for asked in asking {
        let said = asked.await.unwrap();
        assert_eq!(said.status, 200);
        assert!(slots.insert(token(&said).token.slot));
    }
}

#[tokio::test]
async fn hostile_bodies_are_refused_by_name_on_every_signed_path() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let page = "0".repeat(32);
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"null".to_vec(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        b"<html>".to_vec(),
        vec![0xff; 64],
        "[".repeat(50_000).into_bytes(),
        br#"{"records":[{}]}"#.to_vec(),
        br#"{"registration":{"id":"' OR 1=1"}}"#.to_vec(),
        br#"{"today":"2027-02-30"}"#.to_vec(),
        br#"{"today":"9999-12-31","x":1}"#.to_vec(),
        vec![b'x'; 9 << 20],
    ];
    for (method, target) in [
        ("POST", "/v1/registrations".to_owned()),
        ("POST", "/v1/journal".to_owned()),
        ("POST", "/v1/lease".to_owned()),
        ("POST", "/v1/pieces".to_owned()),
        ("PATCH", format!("/v1/pieces/{page}")),
        ("GET", format!("/v1/pieces/{page}")),
        ("GET", "/v1/pieces/..%2f..%2fetc".to_owned()),
        ("GET", "/v1/changes?cursor=-1".to_owned()),
        ("GET", "/v1/changes?cursor=99999999999999999999999".to_owned()),
        ("GET", "/v1/changes?cursor=1'%20OR%201=1".to_owned()),
        ("DELETE", "/v1/journal".to_owned()),
        ("POST", "/v1/nothing".to_owned()),
    ] {
        for body in &bodies {
            let request = device.request(service.now(), method, &target, body.clone()).unwrap();
            let said = service.ask(request).await.unwrap();
            assert!((400..500).contains(&said.status), "{method} {target}: {} {}", said.status, said.json);
            assert!(!said.code().is_empty(), "{method} {target}: a code says why");
        }
    }
    // SQL, HTML and emoji in a name are stored exactly.
    let name = "'); DROP TABLE slot;-- <b>😀\u{200d}é\\\"";
    let registration = device.registration(&service, 7, name).unwrap();
    let record = device
        .says(&Says::Registration(Box::new(Registered {
            registration: registration.clone(),
            outcome: Outcome::Rank { held: None, told: None, busy: None },
            at: service.now(),
            day_declared: false,
        })))
        .unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    let said = device
        .say(&service, "POST", "/v1/registrations", &json!({ "registration": registration }))
        .await
        .unwrap();
    assert_eq!(said.status, 200, "the very same registration: {}", said.json);
    let mut other = registration;
    other.applicant.family_names.push('x');
    let said =
        device.say(&service, "POST", "/v1/registrations", &json!({ "registration": other })).await.unwrap();
    assert_eq!((said.status, said.code()), (409, "conflict"), "the same id for another person");
}

#[tokio::test]
async fn a_date_is_given_once_and_the_first_that_serves() {
    let service = Service::start().await.unwrap();
    let device = service.device("ONE", 1).await.unwrap();
    let ask = async |n| {
        let registration = device.registration(&service, n, "A").unwrap();
        device
            .say(&service, "POST", "/v1/registrations", &json!({ "registration": registration }))
            .await
            .unwrap()
    };
    let tomorrow = device.registration(&service, 1, "A").unwrap().registered_on.saturating_add(1.days());
    let (first, again, second) = (ask(1).await, ask(1).await, ask(2).await);
    assert_eq!(token(&first), token(&again), "asked twice, one date");
    assert_eq!(token(&first).token.at, tomorrow.at(9, 0, 0, 0));
    assert_eq!(token(&second).token.at, tomorrow.at(9, 30, 0, 0), "the next free slot");
    // 6 slots a day: the eighth person comes two days later, and there is no end to it.
    for n in 3..60 {
        assert_eq!(ask(n).await.status, 200);
    }
    let last = token(&ask(60).await).token.at;
    assert!(last.date() > tomorrow.saturating_add(10.days()));
}

#[tokio::test]
async fn records_are_held_in_order_and_one_bad_one_never_blocks_the_rest() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let ranked = |device: &Device, n: u8| {
        let registration = device.registration(&service, n, "A").unwrap();
        Says::Registration(Box::new(Registered {
            registration,
            outcome: Outcome::Rank { held: None, told: None, busy: None },
            at: service.now(),
            day_declared: false,
        }))
    };
    let body = ranked(&device, 1);
    let first = device.says(&body).unwrap();
    let unknown = device.record("from_the_future", b"{\"kind\":\"from_the_future\"}".to_vec()).unwrap();
    let other = service.device("ONE", 2).await.unwrap();
    let asked = json!({ "today": "2027-03-10", "incarnation": 1 });
    assert_eq!(other.say(&service, "POST", "/v1/lease", &asked).await.unwrap().status, 200);
    let theirs = serde_json::to_value(&other.pull(&service, 0).await.unwrap().changes).unwrap();
    let lease = theirs.as_array().unwrap().iter().find(|change| change["change"] == "lease").unwrap();
    let release = |lease| {
        let slots = vec![serde_json::from_value(theirs[0]["slots"][0]["slot"].clone()).unwrap()];
        Says::Release(Release { lease, slots, at: service.now() })
    };
    let stolen = device.says(&release(serde_json::from_value(lease["lease"].clone()).unwrap())).unwrap();
    let forgotten = device.says(&release(domain::ids::LeaseId([9; 16]))).unwrap();
    let body = ranked(&device, 2);
    let last = device.says(&body).unwrap();

    assert_eq!(device.push(&service, vec![unknown.clone()]).await.unwrap().code(), "not_next", "a gap");
    let mut spoilt = first.clone();
    spoilt.body.0.push(b' ');
    assert_eq!(device.push(&service, vec![spoilt]).await.unwrap().code(), "bad_record");
    let mut spoilt = first.clone();
    spoilt.header.schema = 2;
    assert_eq!(
        device.push(&service, vec![spoilt]).await.unwrap().code(),
        "bad_record",
        "the signature covers the header"
    );

    let all = vec![first.clone(), unknown, stolen, forgotten, last];
    let said = device.push(&service, all.clone()).await.unwrap();
    assert_eq!(said.json["received"]["head"]["seq"], 5);
    assert_eq!(
        device.push(&service, all).await.unwrap().json["received"]["head"]["seq"],
        5,
        "the same push again"
    );
    let pulled = device.pull(&service, 0).await.unwrap();
    assert_eq!(
        states(&pulled),
        [
            json!({ "state": "applied" }),
            json!({ "state": "set_aside", "reason": "slot_not_in_lease" }),
            json!({ "state": "applied" }),
            json!({ "state": "applied" })
        ],
        "the unknown kind waits, another's slot is set aside, an unknown lease frees nothing, the last one is applied"
    );
    let dated = serde_json::to_value(&pulled.changes).unwrap();
    let dated = dated.as_array().unwrap().iter().filter(|change| change["change"] == "dated").count();
    assert_eq!(dated, 2, "ranked people have their dates");
}

#[tokio::test]
async fn what_was_printed_from_the_lease_is_the_date() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let today = device.registration(&service, 1, "A").unwrap().registered_on;
    let said = device
        .say(&service, "POST", "/v1/lease", &json!({ "today": today, "incarnation": 1 }))
        .await
        .unwrap();
    assert_eq!(said.json["lent"], 4 + BACKSTOPS);
    let again = device
        .say(&service, "POST", "/v1/lease", &json!({ "today": today, "incarnation": 1 }))
        .await
        .unwrap();
    assert_eq!(again.json["lent"], 0, "a full lease is not filled again");
    let pulled = serde_json::to_value(device.pull(&service, 0).await.unwrap().changes).unwrap();
    let lease = pulled.as_array().unwrap().iter().find(|change| change["change"] == "lease").unwrap().clone();
    let strata: Vec<&str> =
        lease["slots"].as_array().unwrap().iter().map(|s| s["stratum"].as_str().unwrap()).collect();
    assert_eq!(strata[..4], ["near", "front", "front", "tail"]);
    assert!(strata[4..].iter().all(|stratum| *stratum == "backstop"));

    // Central gave a date; its answer came too late, and the kiosk printed a leased one.
    let registration = device.registration(&service, 1, "A").unwrap();
    let online = device
        .say(&service, "POST", "/v1/registrations", &json!({ "registration": registration }))
        .await
        .unwrap();
    let online = token(&online);
    let bytes: wire::bytes::Bytes = serde_json::from_value(lease["slots"][1]["token"].clone()).unwrap();
    let leased = SignedToken::from_bytes(&bytes.0).unwrap();
    let outcome =
        Outcome::Lease { lease: serde_json::from_value(lease["lease"].clone()).unwrap(), token: bytes };
    let body = Says::Registration(Box::new(Registered {
        registration,
        outcome,
        at: service.now(),
        day_declared: false,
    }));
    let record = device.says(&body).unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    let now = central::admin::registrations(&service.pool, "ONE").await.unwrap();
    assert_eq!(now["registrations"][0]["slot"], leased.token.slot.0, "{now}");
    // The online slot is free again: the next person is given it.
    let next = device.registration(&service, 2, "B").unwrap();
    let next =
        device.say(&service, "POST", "/v1/registrations", &json!({ "registration": next })).await.unwrap();
    assert_eq!(token(&next).token.slot, online.token.slot);
}

#[tokio::test]
async fn a_page_goes_on_where_it_broke_off_and_arrives_whole_or_not_at_all() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let service = Service::start().await.unwrap();
    let (device, other) = (service.device("ONE", 1).await.unwrap(), service.device("TWO", 2).await.unwrap());
    let bytes: Vec<u8> = (0..3_000u32).map(|n| n as u8).collect();
    let hash = seal::keys::sha256(&[&bytes]);
    let page = "ab".repeat(16);
    let target = format!("/v1/pieces/{page}");
    let create = |hash: &domain::bytes::Hash, length: usize| {
        let mut request = device.request(service.now(), "POST", "/v1/pieces", Vec::new()).unwrap();
        let metadata = format!(
            "registration {},page {},sha256 {}",
            STANDARD.encode("cd".repeat(16)),
            STANDARD.encode(&page),
            STANDARD.encode(hash.to_string())
        );
        request.headers_mut().insert("upload-metadata", metadata.parse().unwrap());
        request.headers_mut().insert("upload-length", length.into());
        service.ask(request)
    };
    let part = async |offset: usize, bytes: &[u8], claimed: &[u8]| {
        let mut request = device.request(service.now(), "PATCH", &target, bytes.to_vec()).unwrap();
        request.headers_mut().insert("upload-offset", offset.into());
        let checksum = format!("sha256 {}", STANDARD.encode(seal::keys::sha256(&[claimed]).0));
        request.headers_mut().insert("upload-checksum", checksum.parse().unwrap());
        service.ask(request).await.unwrap()
    };
    assert_eq!(create(&hash, 1 << 30).await.unwrap().code(), "too_large");
    assert_eq!(create(&hash, bytes.len()).await.unwrap().status, 201);
    assert_eq!(create(&hash, bytes.len()).await.unwrap().status, 201, "begun twice, one upload");
    assert_eq!(create(&domain::bytes::Hash([0; 32]), bytes.len()).await.unwrap().code(), "conflict");
    assert_eq!(part(0, &bytes[..1000], &bytes[..999]).await.code(), "checksum");
    assert_eq!(part(0, &bytes[..1000], &bytes[..1000]).await.status, 204);
    assert_eq!(part(0, &bytes[..1000], &bytes[..1000]).await.code(), "bad_offset", "said twice, kept once");
    let head = device.say(&service, "HEAD", &target, &Value::Null).await.unwrap();
    assert_eq!(head.headers["upload-offset"], "1000");
    assert_eq!(
        device.say(&service, "GET", &target, &Value::Null).await.unwrap().code(),
        "no_upload",
        "not whole yet"
    );
    assert_eq!(
        other.say(&service, "HEAD", &target, &Value::Null).await.unwrap().status,
        404,
        "another site's kiosk"
    );
    let wrong = vec![0; 2_000];
    assert_eq!(part(1000, &wrong, &wrong).await.code(), "checksum", "whole, and not what was announced");
    let head = device.say(&service, "HEAD", &target, &Value::Null).await.unwrap();
    assert_eq!(head.headers["upload-offset"], "0", "begun again");
    assert_eq!(part(0, &bytes, &bytes).await.status, 204);
    assert_eq!(device.say(&service, "GET", &target, &Value::Null).await.unwrap().status, 200);
}

/// With another ring everything that comes in would be set aside for good: `serve` asks first.
#[tokio::test]
async fn a_central_with_other_keys_knows_that_these_are_not_its_kiosks() {
    let service = Service::start().await.unwrap();
    assert!(service.central.knows_its_kiosks().await.unwrap(), "there is none yet");
    service.device("ONE", 1).await.unwrap();
    assert!(service.central.knows_its_kiosks().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let random = central::system_random();
    central::keys::make(folder.path(), service.now(), &random).unwrap();
    let keys = central::keys::CentralKeys::load(folder.path()).unwrap();
    let pool = service.pool.clone();
    let other = central::Central::new(pool, keys, central::system_clock(), random).await.unwrap();
    assert!(!other.knows_its_kiosks().await.unwrap());
}
