#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! docs/retention.md at the kiosk: nothing is erased before central has it on other storage
//! and the appointment is over; then nothing of the person is left, and the chain is whole.

use app::contract::{BirthFields, CorrectionFields, DateView, DraftFields};
use journeys::counter::Counter;
use std::path::Path;

const NAME: &str = "Zébulonova";

fn birth() -> BirthFields {
    BirthFields { day: "2".into(), month: "5".into(), year: "1990".into(), ..BirthFields::default() }
}

fn fields() -> DraftFields {
    DraftFields {
        lang: "fr".into(),
        family_names: NAME.into(),
        birth: birth(),
        nationality: "MLI".into(),
        procedure: "renewal".into(),
        ..DraftFields::default()
    }
}

/// How often the name stands in the vault, in any table, read with its key.
fn found(folder: &Path) -> usize {
    let connection = rusqlite::Connection::open(folder.join("vault.db")).unwrap();
    connection.pragma_update(None, "key", format!("x'{}'", "03".repeat(32))).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut found = 0;
    for table in names("SELECT name FROM sqlite_master WHERE type = 'table'") {
        for column in names(&format!("SELECT name FROM pragma_table_info('{table}')")) {
            // As typed, in JSON inside a blob, and in the base64 of a record's body.
            let sql =
                format!("SELECT CAST(\"{column}\" AS BLOB) FROM {table} WHERE \"{column}\" IS NOT NULL");
            let mut statement = connection.prepare(&sql).unwrap();
            let values = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
            for value in values.map(Result::unwrap) {
                found += usize::from(holds(&value));
            }
        }
    }
    found
}

fn holds(value: &[u8]) -> bool {
    use base64::Engine as _;
    if value.windows(NAME.len()).any(|part| part == NAME.as_bytes()) {
        return true;
    }
    let body = serde_json::from_slice::<serde_json::Value>(value).ok();
    let body = body.as_ref().and_then(|record| record["body"].as_str());
    body.and_then(|body| base64::engine::general_purpose::STANDARD.decode(body).ok())
        .is_some_and(|body| body.windows(NAME.len()).any(|part| part == NAME.as_bytes()))
}

/// A counter with one finished registration that central has: its visit and date.
async fn registered() -> (Counter, String, DateView) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    counter.kiosk.save_draft(&visit, fields()).await.unwrap();
    let date = counter.kiosk.confirm(&visit).await.unwrap();
    // What was mistyped is a person's too.
    let said = CorrectionFields { nationality: Some("SEN".into()), ..CorrectionFields::default() };
    counter.kiosk.correct_of(&date.code, said).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.finish_visit(&visit).await.unwrap();
    (counter, visit, date)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_backup_that_was_read_back_nothing_is_erased() {
    let (mut counter, visit, date) = registered().await;
    counter = counter.days_later(300).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.date(&visit).await.unwrap().code, date.code);
    assert!(found(counter.folder.path()) >= 3, "the search itself finds nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_longer_needed_is_erased_and_nothing_before() {
    let (mut counter, visit, date) = registered().await;
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5);
    let early = now - jiff::SignedDuration::from_secs(5);
    assert!(central::admin::durable(&pool, now, early).await.unwrap_err().is_refusal(), "of the future");
    central::admin::durable(&pool, now, now).await.unwrap();
    // A few weeks on the appointment is over, and the 35 days are not.
    counter = counter.days_later(30).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.date(&visit).await.unwrap().code, date.code, "erased too early");
    // A draft nobody comes back for goes too.
    let draft = counter.kiosk.start_visit("fr").await.unwrap().visit;
    counter.kiosk.save_draft(&draft, fields()).await.unwrap();

    counter = counter.days_later(300).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.date(&visit).await.unwrap_err().code, "no_visit");
    assert_eq!(counter.kiosk.open_visit(&draft).await.unwrap_err().code, "no_visit");
    assert_eq!(found(counter.folder.path()), 0, "something of the person is left");
    counter.kiosk.check_vault().await.unwrap();
    // The person is no stranger: central knows the date.
    let known = counter.kiosk.follow_up(&date.code, birth()).await.unwrap().elsewhere.unwrap();
    assert_eq!(known.slot_at, date.slot_at);
}

/// How often the name stands in central's database, in any table and encoding of a dump.
fn dumped(url: &str) -> usize {
    let dump = journeys::programs::command(format!("{}/pg_dump", journeys::stand::postgres::BIN), [url]);
    let dump = { dump }.output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = String::from_utf8_lossy(&dump.stdout).into_owned();
    let in_hex = hex::encode(NAME);
    text.matches(NAME).count() + text.matches(&in_hex).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn central_erases_a_person_so_many_days_after_the_appointment_and_no_sooner() {
    let (counter, visit, date) = registered().await;
    let (pool, url) = (central::connect(&counter.pool_url).await.unwrap(), counter.pool_url.clone());
    let day: jiff::civil::Date = date.slot_at.unwrap()[..10].parse().unwrap();
    let later = |days: i32| day.saturating_add(jiff::ToSpan::days(days));
    // A request, and an answer that names the person.
    counter.kiosk.ask_earlier(&visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let task =
        central::admin::tasks(&pool, journeys::stand::SITE, false).await.unwrap()["tasks"][0]["task"].clone();
    let (now, random) = (jiff::Timestamp::now(), central::system_random());
    let answer = format!("{NAME} : rien avant.");
    central::admin::answer_task(&pool, task.as_i64().unwrap(), ("A. Petit", &answer), now, &random)
        .await
        .unwrap();
    assert!(dumped(&url) >= 4, "the search itself finds nothing");
    // Too early: refused, or not due yet.
    assert!(central::admin::erase(&pool, later(1), later(30)).await.is_err());
    assert_eq!(central::admin::erase(&pool, day, later(90)).await.unwrap()["erased"], 0);
    assert!(dumped(&url) >= 2);
    let erased = central::admin::erase(&pool, later(1), later(90)).await.unwrap();
    assert_eq!(erased["erased"], 1);
    assert_eq!(dumped(&url), 0, "something of the person is left");
    // The chain is whole: the kiosk goes on, and what it sends again changes nothing.
    let before = counter.kiosk.status().await.unwrap()["journal"].clone();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.status().await.unwrap()["journal"], before);
    assert_eq!(dumped(&url), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gave_up_is_erased_too() {
    let (mut counter, visit, date) = registered().await;
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.cancel(&visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5);
    central::admin::durable(&pool, now, now).await.unwrap();
    // They may still come back.
    counter = counter.days_later(30).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert!(counter.kiosk.date(&visit).await.unwrap().cancelled.unwrap().until.is_some());
    counter = counter.days_later(40).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.date(&visit).await.unwrap_err().code, "no_visit");
    assert_eq!(found(counter.folder.path()), 0, "something of the person is left at the kiosk");
    // Whatever day of the week it is, and here or at the site.
    let day: jiff::civil::Date = date.slot_at.unwrap()[..10].parse().unwrap();
    let later = day.saturating_add(jiff::ToSpan::days(40));
    central::admin::erase(&pool, day, later).await.unwrap();
    assert!(dumped(&counter.pool_url) > 0, "the day itself is not over");
    let after = day.saturating_add(jiff::ToSpan::days(1));
    central::admin::erase(&pool, after, later).await.unwrap();
    assert_eq!(dumped(&counter.pool_url), 0, "something of the person is left at central");
}
