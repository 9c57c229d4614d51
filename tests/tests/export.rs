#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A kiosk whose network is gone for weeks writes an export file and burns. The file, brought
//! to central by hand or carried by another kiosk that cannot read it, brings everything back:
//! dates, records, pages (I6, I7). What is not such a file, whole, is refused and nothing of it
//! is stored.

use app::contract::DateView;
use journeys::counter::{Counter, person};
use journeys::programs::{built, command};
use journeys::stand::SITE;
use serde_json::Value;
use sqlx::Row as _;
use std::path::{Path, PathBuf};
use std::process::Output;

const NAMES: [&str; 3] = ["ZERBANTEK", "QUOLIRASSE", "MIXOVALDE"];

/// A counter with a scanner, its network gone after it was lent its dates.
/// The folder holds what the scanner gives.
async fn cut_off() -> (Counter, tempfile::TempDir) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pictures = tempfile::tempdir().unwrap();
    let picture = pictures.path().join("page.jpg");
    image::RgbImage::from_fn(300, 400, |x, y| image::Rgb([(x * y % 251) as u8; 3])).save(&picture).unwrap();
    let counter = Counter::start(Some(format!("file:{}", picture.display())), None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    (counter.cut_off(None).await.unwrap(), pictures)
}

async fn register(counter: &Counter, name: &str) -> DateView {
    let kiosk = &counter.kiosk;
    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    kiosk.save_draft(&visit, person(name)).await.unwrap();
    kiosk.scan_page(&visit).await.unwrap();
    let date = kiosk.confirm(&visit).await.unwrap();
    kiosk.finish_visit(&visit).await.unwrap();
    date
}

async fn three(counter: &Counter) -> Vec<DateView> {
    let mut dates = Vec::new();
    for name in NAMES {
        dates.push(register(counter, name).await);
    }
    dates
}

fn burn(counter: &Counter) {
    for ending in ["db", "db-wal", "db-shm"] {
        let _ = std::fs::remove_file(counter.folder.path().join("vault").with_extension(ending));
    }
}

fn import(counter: &Counter, file: &Path) -> Output {
    let mut import = command(built("central").unwrap(), ["admin", "import", "--database", &counter.pool_url]);
    import.arg("--keys").arg(counter.folder.path()).arg(file);
    import.output().unwrap()
}

fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

async fn count(counter: &Counter, table: &str) -> i64 {
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query(sql).fetch_one(&pool).await.unwrap().try_get(0).unwrap()
}

/// Every date is at central as it was given, and its page opens with the site key.
async fn all_there(counter: &Counter, dates: &[DateView]) {
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let listed = central::admin::registrations(&pool, SITE).await.unwrap();
    let rows = listed["registrations"].as_array().unwrap();
    assert_eq!(rows.len(), dates.len());
    for date in dates {
        let row = rows.iter().find(|row| row["code"] == date.code).expect("not at central");
        assert_eq!(row["state"], "kept");
        assert_eq!(row["slot"].to_string(), *date.slot.as_ref().unwrap());
        let out = counter.folder.path().join(format!("pages-{}", date.code));
        let pages = central::admin::pieces(&pool, &date.code, &out).await.unwrap();
        let page = PathBuf::from(pages["pages"][0]["file"].as_str().unwrap());
        let opened = age::decrypt(&counter.site_key, &std::fs::read(page).unwrap()).unwrap();
        assert!(opened.starts_with(&[0xff, 0xd8, 0xff]), "the page is a JPEG again");
    }
    assert_eq!((&listed["records_set_aside"], &listed["records_not_applied"]), (&0.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burnt_kiosks_file_brings_everything_back_at_central() {
    let (counter, _page) = cut_off().await;
    let dates = three(&counter).await;
    let folder = counter.folder.path().join("stick");
    std::fs::create_dir(&folder).unwrap();
    let exported = counter.kiosk.export(&folder, false).await.unwrap();
    assert_eq!((exported.pages, exported.pages_left_out), (3, 0));
    assert!(exported.records >= 6, "three registrations and their pieces");
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(left, std::slice::from_ref(&exported.file), "nothing beside it");
    let again = counter.kiosk.export(&exported.file, false).await.unwrap_err();
    assert_eq!(again.code, "export_exists");

    // Nothing of a person is readable in it.
    let bytes = std::fs::read(&exported.file).unwrap();
    for secret in
        NAMES.into_iter().chain(dates.iter().map(|date| date.code.as_str())).chain(["1990", "renewal"])
    {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }

    burn(&counter);
    let first = import(&counter, &exported.file);
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    let taken = said(&first);
    let records = taken["records"].as_array().unwrap();
    assert_eq!(records.len() as u32, exported.records);
    assert!(records.iter().chain(taken["pages"].as_array().unwrap()).all(|line| line["state"] == "received"));
    assert_eq!(taken["applied"], true);
    all_there(&counter, &dates).await;
    // A database that has never heard of this kiosk takes it back by its certificate.
    let empty = counter.empty_database().await.unwrap();
    let keys = central::keys::CentralKeys::load(counter.folder.path()).unwrap();
    let (clock, random) = (central::system_clock(), central::system_random());
    let other = central::Central::new(empty.clone(), keys, clock, random).await.unwrap();
    let taken = central::admin::import(&other, &exported.file).await.unwrap();
    assert_eq!(taken.counts(), [[exported.records as usize, 0, 0], [3, 0, 0]]);
    let listed = central::admin::registrations(&empty, SITE).await.unwrap();
    assert_eq!(listed["registrations"].as_array().unwrap().len(), 3);

    // The same again changes nothing.
    let second = said(&import(&counter, &exported.file));
    assert!(second["records"].as_array().unwrap().iter().all(|line| line["state"] == "known"));
    all_there(&counter, &dates).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_kiosk_carries_what_it_cannot_read() {
    let (counter, _page) = cut_off().await;
    let dates = three(&counter).await;
    let file = counter.folder.path().join("export.jalon");
    counter.kiosk.export(&file, false).await.unwrap();
    let other = counter.another(None).await.unwrap();
    let before = other.status().await.unwrap();
    let taken = other.deliver(&file).await.unwrap();
    assert_eq!((taken.records.refused, taken.pages.received), (0, 3));
    assert!(taken.records.received >= 6);
    assert_eq!(count(&counter, "delivery_part").await, 0, "nothing of it lies about at central");
    let after = other.status().await.unwrap();
    assert_eq!(before["registrations"], after["registrations"], "they stay their author's");
    all_there(&counter, &dates).await;
    let again = other.deliver(&file).await.unwrap();
    assert_eq!(again, taken, "the same file is not taken twice");

    // The kiosk has not burnt: its network is back, and its next exchange tells it.
    let counter = counter.home(None).await.unwrap();
    let home = counter.kiosk.home().await.unwrap();
    assert!(home.waiting >= 6);
    counter.kiosk.exchange().await.unwrap();
    let status = counter.kiosk.status().await.unwrap();
    assert_eq!((&status["journal"]["waiting"], &status["pages_waiting"]), (&0.into(), &0.into()));
    assert_eq!(
        counter.kiosk.export(&file.with_extension("2"), false).await.unwrap_err().code,
        "export_nothing"
    );
    let whole = counter.kiosk.export(&file.with_extension("3"), true).await.unwrap();
    assert_eq!(whole.pages, 3, "all that is still here, when asked for");
    all_there(&counter, &dates).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_whole_file_of_this_central_is_refused_and_nothing_is_stored() {
    let (counter, _page) = cut_off().await;
    three(&counter).await;
    let file = counter.folder.path().join("export.jalon");
    counter.kiosk.export(&file, false).await.unwrap();
    let good = std::fs::read(&file).unwrap();
    let (records, uploads) = (count(&counter, "record").await, count(&counter, "upload").await);
    let other = counter.another(None).await.unwrap();
    let bad = counter.folder.path().join("bad.jalon");
    let len = good.len();
    let mut cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("delivery_not_one", "not an export file", Vec::new()),
        ("delivery_not_one", "not an export file", b"PK\x03\x04 something else".to_vec()),
        ("delivery_newer", "later format", [&good[..7], &[2], &good[8..]].concat()),
        ("delivery_other_key", "another central", [&good[..8], &[good[8] ^ 1], &good[9..]].concat()),
        ("delivery_damaged", "cut short or changed", [&good[..], &[0]].concat()),
    ];
    for at in [13, len / 3, len / 2, len - 20, len - 1] {
        cases.push(("delivery_damaged", "cut short or changed", good[..at].to_vec()));
    }
    for at in [12, 30, 100, 200, 300, len / 4, len / 2, len - 17, len - 1] {
        let mut changed = good.clone();
        changed[at] ^= 0x10;
        cases.push(("delivery_damaged", "cut short or changed", changed));
    }
    for (code, words, bytes) in cases {
        std::fs::write(&bad, &bytes).unwrap();
        let output = import(&counter, &bad);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{code}: {told}");
        assert!(told.contains(words), "{code}: {told}");
        assert_eq!(other.deliver(&bad).await.unwrap_err().code, code);
        assert_eq!(count(&counter, "record").await, records, "{code}: half a file is stored");
        assert_eq!(count(&counter, "upload").await, uploads);
        assert_eq!(count(&counter, "delivery_part").await, 0);
    }
    let output = import(&counter, &bad.with_extension("gone"));
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(other.deliver(&bad.with_extension("gone")).await.unwrap_err().code, "delivery_missing");

    // A file of another central, whole.
    let (stranger, _page) = cut_off().await;
    three(&stranger).await;
    let foreign = stranger.folder.path().join("export.jalon");
    stranger.kiosk.export(&foreign, false).await.unwrap();
    assert_eq!(other.deliver(&foreign).await.unwrap_err().code, "delivery_other_key");
    assert!(String::from_utf8_lossy(&import(&counter, &foreign).stderr).contains("another central"));
    assert_eq!(count(&counter, "record").await, records);
}
