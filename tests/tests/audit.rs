#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Central's audit journal: every act is in it, whatever is done to its tables is found, and a
//! kiosk keeps a witness of its own.

use central::Central;
use central::audit::administered;
use central::keys::{CentralKeys, RING};
use domain::audit::AuditHeader;
use domain::bytes::{Hash, Salt};
use jiff::Timestamp;
use journeys::counter::{Counter, register};
use journeys::device::{Device, Service};
use journeys::programs::{built, command};
use journeys::stand::SITE;
use seal::audit::{BEFORE_FIRST, body_hash, head};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _};
use std::path::{Path, PathBuf};
use wire::body::{Body as Says, Outcome, Registered};

/// A central beside the one that answers, for its audit journal.
async fn beside(pool: &central::Pool, keys: &Path) -> Central {
    let keys = CentralKeys::load(keys).unwrap();
    Central::new(pool.clone(), keys, central::system_clock(), central::system_random()).await.unwrap()
}

/// What `jalonctl audit verify` answers of this database's journal, and its exit code.
async fn verdict(pool: &central::Pool, keys: &Path, kept: &[PathBuf]) -> (Value, i32) {
    let file = keys.join("audit.jsonl");
    let _ = std::fs::remove_file(&file);
    central::admin::audit_export(&beside(pool, keys).await, &file).await.unwrap();
    // Never over what lies there.
    assert!(central::admin::audit_export(&beside(pool, keys).await, &file).await.is_err());
    verified(&file, keys, kept)
}

fn verified(file: &Path, keys: &Path, kept: &[PathBuf]) -> (Value, i32) {
    let mut verify = command(built("jalonctl").unwrap(), ["audit", "verify"]);
    verify.arg(file).arg("--root").arg(keys.join(RING));
    for one in kept {
        verify.arg("--checkpoint").arg(one);
    }
    let done = verify.output().unwrap();
    let answer = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| json!({ "none": done.stderr }));
    (answer, done.status.code().unwrap())
}

async fn sql(pool: &central::Pool, text: &str) {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(pool).await.unwrap();
}

/// Everything chained so far: who, act, about, count.
async fn entries(pool: &central::Pool) -> Vec<(String, String, Value, Value)> {
    let rows = sqlx::query("SELECT body FROM audit_entry ORDER BY n").fetch_all(pool).await.unwrap();
    let read = |row: &sqlx::postgres::PgRow| {
        let body: Value = serde_json::from_str(row.get(0)).unwrap();
        let word = |name: &str| body[name].as_str().unwrap().to_owned();
        (word("who"), word("act"), body["about"].clone(), body["count"].clone())
    };
    rows.iter().map(read).collect()
}

fn said(device: &Device, service: &Service, n: u8) -> Says {
    let registration = device.registration(service, n, "Zébulonova").unwrap();
    let outcome = Outcome::Rank { held: None, told: None, busy: None };
    Says::Registration(Box::new(Registered { registration, outcome, at: service.now(), day_declared: false }))
}

/// A service that has answered a few requests and acts.
async fn busy() -> (Service, Device) {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let asked = json!({ "registration": device.registration(&service, 1, "Zébulonova").unwrap() });
    assert_eq!(device.say(&service, "POST", "/v1/registrations", &asked).await.unwrap().status, 200);
    let records = vec![device.says(&said(&device, &service, 2)).unwrap()];
    assert_eq!(device.push(&service, records).await.unwrap().status, 200);
    device.pull(&service, 0).await.unwrap();
    let code = asked["registration"]["code"].clone();
    for year in [1990, 1991] {
        let asked = json!({ "code": code, "year": year });
        assert_eq!(device.say(&service, "POST", "/v1/follow-up", &asked).await.unwrap().status, 200);
    }
    let (pool, name) = (&service.pool, Some("A. Petit".to_owned()));
    let listed = administered(name, central::admin::registrations(pool, "ONE")).await.unwrap();
    assert_eq!(listed["registrations"].as_array().unwrap().len(), 2);
    administered(None, central::admin::retire_kiosk(pool, "ONE", &device.kiosk.to_string(), service.now()))
        .await
        .unwrap();
    (service, device)
}

/// A key ring of before a renewal knows nothing of the new key: not that anything was changed.
#[tokio::test]
async fn a_key_ring_of_before_a_renewal_says_that_a_key_is_unknown() {
    let (service, _) = busy().await;
    let (pool, keys) = (&service.pool, service.keys());
    let before = tempfile::tempdir().unwrap();
    std::fs::copy(keys.join(RING), before.path().join(RING)).unwrap();
    assert_eq!(verdict(pool, keys, &[]).await.1, 0);
    let root = keys.join(central::keys::ROOT);
    let (now, random) = (central::system_clock()(), central::system_random());
    let renewed = central::keys::renew(keys, &root, seal::ring::Role::Acknowledgement, now, &random).unwrap();
    let (valid, code) = verdict(pool, keys, &[]).await;
    assert_eq!((valid["verdict"].as_str(), code), (Some("valid"), 0), "{valid}");
    let (told, code) = verified(&keys.join("audit.jsonl"), before.path(), &[]);
    assert_eq!((told["verdict"].as_str(), code), (Some("key_unknown"), 1), "{told}");
    assert_eq!(told["key"], hex::encode(renewed.new.0));
}

#[tokio::test]
async fn every_act_is_in_the_journal_and_names_no_person() {
    let (service, device) = busy().await;
    let central = beside(&service.pool, service.keys()).await;
    assert!(central.chain_audit(true).await.unwrap() > 0);
    assert_eq!(central.chain_audit(true).await.unwrap(), 0, "each is chained once");
    let all = entries(&service.pool).await;
    let (kiosk, registration) = (format!("kiosk:{}", device.kiosk), "01".repeat(16));
    let is = |who: &str, act: &str, about: Value, count: u32| {
        let entry = (who.to_owned(), act.to_owned(), about, json!(count));
        assert!(all.contains(&entry), "{entry:?} is not in {all:?}");
    };
    is(&kiosk, "kiosk_enrolled", json!("ONE"), 1);
    is(&kiosk, "registration_written", json!(registration), 1);
    is(&kiosk, "records_pushed", json!(device.kiosk), 1);
    is(&kiosk, "changes_read", json!(device.kiosk), 1);
    is(&kiosk, "follow_up_read", json!(registration), 1);
    is(&kiosk, "follow_up_missed", Value::Null, 1);
    is("agent:A. Petit", "registrations_read", json!("ONE"), 2);
    is("administrator", "kiosk_retired", json!(device.kiosk), 1);
    let text = format!("{all:?}");
    let code = device.registration(&service, 1, "A").unwrap().code.to_string();
    assert!(!text.contains("Zébulonova") && !text.contains(&code), "no name, no code");
    let (answer, exit) = verdict(&service.pool, service.keys(), &[]).await;
    assert_eq!((&answer["verdict"], exit), (&json!("valid"), 0), "{answer}");
    assert_eq!(answer["not_witnessed"], 0, "an export begins with a checkpoint of all there is");
    // An act that did not happen is not in it.
    let before = all.len();
    assert!(central::admin::lose_kiosk(&service.pool, "ONE", "unknown", service.now()).await.is_err());
    central.chain_audit(true).await.unwrap();
    assert_eq!(entries(&service.pool).await.len(), before + 1, "the export alone");
}

/// The rows from `n` on written anew, each hash right again.
async fn forge(pool: &central::Pool, from: i64) {
    let rows =
        sqlx::query("SELECT n, at_ms, prev, body_hash, body FROM audit_entry WHERE n >= $1 - 1 ORDER BY n")
            .bind(from)
            .fetch_all(pool)
            .await
            .unwrap();
    let mut prev = BEFORE_FIRST;
    for row in &rows {
        let (n, at_ms, body): (i64, i64, String) = (row.get(0), row.get(1), row.get(4));
        let mut header = AuditHeader {
            n: u64::try_from(n).unwrap(),
            at: Timestamp::from_millisecond(at_ms).unwrap(),
            prev: Hash::from_slice(row.get(2)).unwrap(),
            body_hash: Hash::from_slice(row.get(3)).unwrap(),
        };
        if n >= from {
            let (salt, body) = (Salt([7; 16]), body.replace("kiosk:", "agent:"));
            header.prev = prev;
            header.body_hash = body_hash(&salt, body.as_bytes());
            let update =
                "UPDATE audit_entry SET prev = $2, body_hash = $3, salt = $4, body = $5 WHERE n = $1";
            sqlx::query(update)
                .bind(n)
                .bind(header.prev.0.as_slice())
                .bind(header.body_hash.0.as_slice())
                .bind(salt.0.as_slice())
                .bind(body)
                .execute(pool)
                .await
                .unwrap();
        }
        prev = head(&header);
    }
}

#[tokio::test]
async fn whatever_is_done_to_its_tables_is_found() {
    let (service, _) = busy().await;
    let (pool, keys) = (&service.pool, service.keys());
    let central = beside(pool, keys).await;
    central.chain_audit(true).await.unwrap();
    let checkpoint = central::admin::audit_seal(&central).await.unwrap()["checkpoint"].clone();
    let kept = keys.join("kept.json");
    std::fs::write(&kept, json!({ "checkpoint": checkpoint }).to_string()).unwrap();
    sql(pool, "CREATE TABLE was_entry AS SELECT * FROM audit_entry; CREATE TABLE was_point AS SELECT * FROM audit_checkpoint").await;
    let forget = "DELETE FROM audit_checkpoint WHERE size >= 3";
    for (what, change, gone, reasons) in [
        (
            "edit",
            "UPDATE audit_entry SET body = replace(body, 'central', 'nobody') WHERE n = 4",
            "",
            &["body_changed"][..],
        ),
        ("drop", "DELETE FROM audit_entry WHERE n = 4", "", &["missing"]),
        (
            "swap",
            "UPDATE audit_entry SET n = -n WHERE n IN (4, 5); UPDATE audit_entry SET n = 9 + n WHERE n < 0",
            "",
            &["chain_broken"],
        ),
        ("truncate", "DELETE FROM audit_entry WHERE n > 3", "", &["forked", "truncated"]),
        ("truncate to nothing", "DELETE FROM audit_entry", "", &["forked", "truncated"]),
        (
            "truncate, with what witnesses it",
            "DELETE FROM audit_entry WHERE n > 3",
            forget,
            &["forked", "truncated"],
        ),
        ("back-date", "UPDATE audit_entry SET at_ms = at_ms - 86400000 WHERE n = 4", "", &["back_dated"]),
        (
            "erase",
            "UPDATE audit_entry SET body = '', salt = decode(repeat('00', 16), 'hex') WHERE n = 4",
            "",
            &["erased_too_early"],
        ),
        ("fork", "forge", "", &["forked"]),
        ("fork, with what witnesses it", "forge", forget, &["forked"]),
        (
            "a checkpoint of one's own",
            "UPDATE audit_checkpoint SET signature = decode(repeat('11', 64), 'hex')",
            "",
            &["checkpoint_forged"],
        ),
    ] {
        if change == "forge" {
            forge(pool, 4).await;
        } else {
            sql(pool, change).await;
        }
        sql(pool, gone).await;
        let (answer, exit) = verdict(pool, keys, std::slice::from_ref(&kept)).await;
        assert_eq!((&answer["verdict"], exit), (&json!("tampered"), 1), "{what}: {answer}");
        assert!(reasons.contains(&answer["reason"].as_str().unwrap()), "{what}: {answer}");
        let near = answer["entry"].as_u64().is_some_and(|n| n <= 5);
        assert!(near || what.starts_with("a checkpoint"), "{what}: {answer}");
        sql(
            pool,
            "TRUNCATE audit_entry, audit_checkpoint; INSERT INTO audit_entry SELECT * FROM was_entry; \
                   INSERT INTO audit_checkpoint SELECT * FROM was_point",
        )
        .await;
    }
    assert_eq!(verdict(pool, keys, &[kept]).await.1, 0, "and what was not touched holds");
}

#[tokio::test]
async fn what_is_no_journal_or_no_checkpoint_is_said() {
    let (service, _) = busy().await;
    let keys = service.keys();
    let (_, exit) = verdict(&service.pool, keys, &[]).await;
    assert_eq!(exit, 0);
    let (file, other) = (keys.join("audit.jsonl"), keys.join("other"));
    let text = std::fs::read_to_string(&file).unwrap();
    let told = |text: &str| {
        std::fs::write(&other, text).unwrap();
        let (answer, exit) = verified(&other, keys, &[]);
        assert_eq!((&answer["verdict"], exit), (&json!("unreadable"), 1), "{answer}");
        answer["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(told(""), "not_an_audit_line");
    assert_eq!(
        told(&format!("{}{}", text.split_inclusive('\n').next().unwrap(), "x".repeat(5_000))),
        "line_too_long"
    );
    assert_eq!(verified(&keys.join("absent"), keys, &[]).0["problem"], "audit_missing");
    std::fs::write(&other, "{}").unwrap();
    assert_eq!(verified(&file, keys, &[other]).0["problem"], "checkpoint_not_one");
}

#[tokio::test]
async fn bodies_are_erased_in_their_time_and_not_before() {
    let (service, _) = busy().await;
    let central = beside(&service.pool, service.keys()).await;
    central.chain_audit(true).await.unwrap();
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    assert!(central::admin::audit_erase(&central, today, today).await.unwrap_err().is_refusal());
    // A year and a day on, by a central whose clock says so.
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(24 * 366);
    let clock: central::Clock = std::sync::Arc::new(move || later);
    let keys = CentralKeys::load(service.keys()).unwrap();
    let central = Central::new(service.pool.clone(), keys, clock, central::system_random()).await.unwrap();
    let day = later.to_zoned(jiff::tz::TimeZone::UTC).date();
    let before = today.tomorrow().unwrap();
    let erased = central::admin::audit_erase(&central, before, day).await.unwrap();
    assert!(erased["erased"].as_u64().unwrap() > 5, "{erased}");
    let (answer, exit) = verdict(&service.pool, service.keys(), &[]).await;
    assert_eq!((exit, &answer["erased"]), (0, &erased["erased"]), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kiosk_cosigns_and_notices_a_journal_that_went_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let central = beside(&pool, counter.folder.path()).await;
    let cosigned = async || {
        let row = sqlx::query("SELECT coalesce(max(size), 0) FROM audit_cosignature").fetch_one(&pool).await;
        row.unwrap().get::<i64, _>(0)
    };
    let exchanged = async || {
        counter.kiosk.exchange().await.unwrap();
        let notices = counter.kiosk.home().await.unwrap().notices;
        notices.iter().filter(|notice| *notice == "central_audit_back").count()
    };
    central.chain_audit(true).await.unwrap();
    assert_eq!(exchanged().await, 0);
    assert_eq!(cosigned().await, 0, "it goes with the next exchange");
    exchanged().await;
    let first = cosigned().await;
    assert!(first > 0);
    sql(&pool, "CREATE TABLE was_entry AS SELECT * FROM audit_entry; CREATE TABLE was_point AS SELECT * FROM audit_checkpoint; \
                CREATE TABLE was_signed AS SELECT * FROM audit_cosignature").await;

    // Work goes on, and the kiosk signs what it is shown.
    register(&counter.kiosk, "DIALLO").await.unwrap();
    exchanged().await;
    central::admin::registrations(&pool, SITE).await.unwrap();
    central.chain_audit(true).await.unwrap();
    exchanged().await;
    assert_eq!(exchanged().await, 0);
    let kept = counter.folder.path().join("kept.json");
    let own = counter.kiosk.audit_checkpoint().await.unwrap();
    std::fs::write(&kept, own.to_string()).unwrap();
    assert_eq!(own["checkpoint"]["size"].as_i64().unwrap(), cosigned().await);
    let kept = [kept];
    let (answer, exit) = verdict(&pool, counter.folder.path(), &kept).await;
    assert_eq!(
        (exit, &answer["kiosks"], &answer["cosigned"]),
        (0, &json!(1), &own["checkpoint"]["size"]),
        "{answer}"
    );

    // Yesterday's backup: the journal, its checkpoints and cosignatures as they were.
    sql(&pool, "TRUNCATE audit_entry, audit_checkpoint, audit_cosignature; INSERT INTO audit_entry SELECT * FROM was_entry; \
                INSERT INTO audit_checkpoint SELECT * FROM was_point; INSERT INTO audit_cosignature SELECT * FROM was_signed").await;
    assert_eq!(exchanged().await, 1, "told to the mediator");
    assert_eq!((exchanged().await, cosigned().await), (1, first), "once, and not signed");
    let still = counter.kiosk.audit_checkpoint().await.unwrap();
    assert_eq!(still["contradicted"], own["checkpoint"], "the evidence is kept");
    let (answer, exit) = verdict(&pool, counter.folder.path(), &kept).await;
    assert_eq!((exit, &answer["verdict"]), (1, &json!("tampered")), "{answer}");
    let (answer, exit) = verdict(&pool, counter.folder.path(), &[]).await;
    assert_eq!(exit, 0, "nothing at central tells it: docs/security.md says so: {answer}");

    // It goes on: the next one is signed again.
    register(&counter.kiosk, "TRAORE").await.unwrap();
    exchanged().await;
    central.chain_audit(true).await.unwrap();
    exchanged().await;
    exchanged().await;
    assert!(cosigned().await > first);
    // A checkpoint nobody at central signed is passed over.
    sql(&pool, "UPDATE audit_checkpoint SET signature = decode(repeat('11', 64), 'hex'), size = size + 100, head = decode(repeat('22', 32), 'hex') \
                WHERE size = (SELECT max(size) FROM audit_checkpoint)").await;
    let before = counter.kiosk.audit_checkpoint().await.unwrap();
    exchanged().await;
    assert_eq!(counter.kiosk.audit_checkpoint().await.unwrap(), before);
}
