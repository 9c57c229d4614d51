#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Two histories of one thing, spoken by hand: a slot a receipt still names, a fork, a
//! database that was put back.

use domain::lease::BACKSTOPS;
use domain::token::SignedToken;
use jiff::ToSpan;
use journeys::device::{Device, Service};
use serde_json::{Value, json};
use wire::body::{Body as Says, Outcome, Registered, Release};

#[tokio::test]
async fn a_fork_is_two_chains_both_applied_and_nothing_more_is_lent() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let today = device.registration(&service, 1, "A").unwrap().registered_on;
    let ask = json!({ "today": today, "incarnation": 1 });
    device.say(&service, "POST", "/v1/lease", &ask).await.unwrap();
    let pulled = serde_json::to_value(device.pull(&service, 0).await.unwrap().changes).unwrap();
    let lease = pulled.as_array().unwrap().iter().find(|change| change["change"] == "lease").unwrap().clone();
    let token: wire::bytes::Bytes = serde_json::from_value(lease["slots"][1]["token"].clone()).unwrap();
    let at = SignedToken::from_bytes(&token.0).unwrap().token.at;
    let outcome = Outcome::Lease { lease: serde_json::from_value(lease["lease"].clone()).unwrap(), token };
    let registered = |device: &Device, n: u8, outcome: &Outcome| {
        let registration = device.registration(&service, n, "A").unwrap();
        Says::Registration(Box::new(Registered {
            registration,
            outcome: outcome.clone(),
            at: service.now(),
            day_declared: false,
        }))
    };
    let ranked = Outcome::Rank { held: None, told: None, busy: None };
    let body = registered(&device, 1, &ranked);
    let common = device.says(&body).unwrap();
    assert_eq!(device.push(&service, vec![common]).await.unwrap().status, 200);

    // Two machines run one vault: each gives the same leased slot to somebody.
    let mut copy = device.copy();
    let body = registered(&device, 2, &outcome);
    let ours = device.says(&body).unwrap();
    let body = registered(&copy, 3, &outcome);
    let theirs = copy.says(&body).unwrap();
    assert_eq!(device.push(&service, vec![ours.clone()]).await.unwrap().status, 200);
    let said = copy.push(&service, vec![theirs.clone()]).await.unwrap();
    assert_eq!(said.json["received"]["head"]["hash"], json!(copy.prev), "its own chain is acknowledged");
    let held = device.pull(&service, 0).await.unwrap().received.unwrap();
    assert_eq!(held.head.seq, 2);
    let asked = format!("/v1/changes?cursor=0&roster=0&head={}", device.prev);
    let said = device.say(&service, "GET", &asked, &Value::Null).await.unwrap();
    assert_eq!(said.json["received"]["head"]["hash"], json!(device.prev), "each hears of the chain it is on");
    assert_eq!(said.json["quarantined"], true);
    let said = device.say(&service, "POST", "/v1/lease", &ask).await.unwrap();
    assert_eq!(said.json["lent"], 0, "nothing is lent until an agent has looked");

    // Both papers stay true: the second holder has an extra slot at the same hour (I1).
    let now = central::admin::registrations(&service.pool, "ONE").await.unwrap();
    let there = |n: u8| {
        let code = device.registration(&service, n, "A").unwrap().code;
        now["registrations"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["code"] == code.to_string())
            .unwrap()
            .clone()
    };
    assert_eq!((now["records_set_aside"].as_u64(), now["records_not_applied"].as_u64()), (Some(0), Some(0)));
    let hour = json!(at.strftime("%Y-%m-%dT%H:%M").to_string());
    assert_eq!((&there(2)["slot_at"], &there(3)["slot_at"]), (&hour, &hour));
    assert_ne!(there(2)["slot"], there(3)["slot"]);
    // Told again, nothing changes.
    copy.push(&service, vec![theirs]).await.unwrap();
    device.push(&service, vec![ours]).await.unwrap();
    assert_eq!(central::admin::registrations(&service.pool, "ONE").await.unwrap(), now);

    // An agent has looked: it is lent to again, in the incarnation it has begun.
    central::admin::release_kiosk(&service.pool, "ONE", &device.kiosk.to_string()).await.unwrap();
    device.incarnation = 2;
    let body = registered(&device, 4, &ranked);
    let record = device.says(&body).unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    let said = device
        .say(&service, "POST", "/v1/lease", &json!({ "today": today, "incarnation": 2 }))
        .await
        .unwrap();
    assert_eq!(said.json["lent"], 4 + BACKSTOPS, "what the lost one held is not counted");
    let said = device.say(&service, "POST", "/v1/lease", &ask).await.unwrap();
    assert_eq!(said.json["lent"], 0, "a disk left behind is lent nothing");
    // The copy writes on in the old incarnation: two machines again.
    let body = registered(&copy, 5, &ranked);
    let record = copy.says(&body).unwrap();
    assert_eq!(copy.push(&service, vec![record]).await.unwrap().status, 200);
    let said = device.say(&service, "GET", "/v1/changes?cursor=0&roster=0", &Value::Null).await.unwrap();
    assert_eq!(said.json["quarantined"], true);
}

#[tokio::test]
async fn a_receipts_held_slot_is_kept_until_its_kiosk_gives_it_back() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let today = device.registration(&service, 1, "A").unwrap().registered_on;
    device.say(&service, "POST", "/v1/lease", &json!({ "today": today, "incarnation": 1 })).await.unwrap();
    let pulled = serde_json::to_value(device.pull(&service, 0).await.unwrap().changes).unwrap();
    let lease = pulled.as_array().unwrap().iter().find(|change| change["change"] == "lease").unwrap().clone();
    let id: domain::ids::LeaseId = serde_json::from_value(lease["lease"].clone()).unwrap();
    let backstops: Vec<wire::bytes::Bytes> = lease["slots"].as_array().unwrap()[4..]
        .iter()
        .map(|slot| serde_json::from_value(slot["token"].clone()).unwrap())
        .collect();
    let bound = SignedToken::from_bytes(&backstops[0].0).unwrap().token;
    let ranked = |device: &Device, n: u8, token: &wire::bytes::Bytes| {
        let registration = device.registration(&service, n, "A").unwrap();
        let held = Some(wire::body::Held { lease: id, token: token.clone() });
        let outcome = Outcome::Rank { held, told: None, busy: None };
        Says::Registration(Box::new(Registered {
            registration,
            outcome,
            at: service.now(),
            day_declared: false,
        }))
    };

    let body = ranked(&device, 1, &backstops[0]);
    let record = device.says(&body).unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    let changes = device.pull(&service, 0).await.unwrap().changes;
    let dated: Vec<SignedToken> = changes
        .iter()
        .filter_map(|change| match change {
            wire::messages::Told::Known(wire::messages::Change::Dated { token, .. }) => {
                SignedToken::from_bytes(&token.0)
            }
            _ => None,
        })
        .collect();
    assert!(dated[0].token.at < bound.at, "an earlier date than the paper's latest");

    // Until the kiosk gives it back nobody else is given the slot the paper still names.
    let free = async || -> bool {
        sqlx::query_scalar("SELECT lease IS NULL AND registration IS NULL FROM slot WHERE id = $1")
            .bind(i64::try_from(bound.slot.0).unwrap())
            .fetch_one(&service.pool)
            .await
            .unwrap()
    };
    assert!(!free().await);
    let release = Says::Release(Release { lease: id, slots: vec![bound.slot], at: service.now() });
    let record = device.says(&release).unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    assert!(free().await);

    // With no earlier date to give, the slot held is the date.
    sqlx::query(
        "UPDATE slot SET lease = $1, stratum = 'front' \
         WHERE at < $2::text::timestamp AND registration IS NULL AND lease IS NULL",
    )
    .bind(id.0.as_slice())
    .bind(bound.at.saturating_add(365.days()).to_string())
    .execute(&service.pool)
    .await
    .unwrap();
    let body = ranked(&device, 2, &backstops[1]);
    let record = device.says(&body).unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().status, 200);
    let second = SignedToken::from_bytes(&backstops[1].0).unwrap().token;
    let now = central::admin::registrations(&service.pool, "ONE").await.unwrap();
    assert_eq!(now["registrations"][1]["slot"], second.slot.0, "{now}");
}

#[tokio::test]
async fn a_kiosk_a_restored_database_does_not_know_comes_back_by_its_certificate() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let registration = device.registration(&service, 1, "A").unwrap();
    let outcome = Outcome::Rank { held: None, told: None, busy: None };
    let body = Says::Registration(Box::new(Registered {
        registration,
        outcome,
        at: service.now(),
        day_declared: false,
    }));
    let record = device.says(&body).unwrap();
    // Restored to before it was enrolled.
    sqlx::query("UPDATE enrol_code SET kiosk = NULL").execute(&service.pool).await.unwrap();
    sqlx::query("DELETE FROM kiosk").execute(&service.pool).await.unwrap();
    assert_eq!(device.push(&service, vec![record.clone()]).await.unwrap().code(), "not_enrolled");

    let back = json!({ "certificate": device.certificate });
    let say =
        async |device: &Device, body: &Value| device.say(&service, "POST", "/v1/return", body).await.unwrap();
    let mut stranger = device.copy();
    stranger.key = seal::keys::Signer::from_seed(&[9; 32]);
    assert_eq!(say(&stranger, &back).await.code(), "bad_signature", "only the key it names comes back");
    let own = seal::certificate::DeviceCertificate::issue(
        &stranger.key,
        device.kiosk,
        stranger.key.public(),
        device.site.clone(),
        service.now(),
    );
    let forged = json!({ "certificate": wire::bytes::Bytes(own.to_bytes()) });
    assert_eq!(say(&stranger, &forged).await.code(), "not_enrolled", "central did not sign it");
    assert_eq!(say(&device, &json!({ "certificate": "" })).await.code(), "bad_body");
    for _ in 0..2 {
        assert_eq!(say(&device, &back).await.status, 200);
    }
    assert_eq!(device.push(&service, vec![record.clone()]).await.unwrap().json["received"]["head"]["seq"], 1);

    let kiosk = device.kiosk.to_string();
    central::admin::lose_kiosk(&service.pool, "ONE", &kiosk, service.now()).await.unwrap();
    assert_eq!(device.push(&service, vec![record]).await.unwrap().code(), "kiosk_lost");
    assert_eq!(say(&device, &back).await.code(), "kiosk_lost", "and does not come back");
}
