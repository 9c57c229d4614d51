#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! PostgreSQL fails over under a running central: it goes on by itself, says that the epoch is
//! another, and never says *held* of what waits for its standby.

use journeys::device::Service;
use journeys::programs::WAIT;
use sqlx::{AssertSqlSafe, Row as _};
use std::time::Instant;

#[tokio::test]
async fn a_standby_that_takes_over_holds_the_same_records_in_another_epoch() {
    let mut service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let record = device.record("of_tomorrow", b"{}".to_vec()).unwrap();
    let before = device.push(&service, vec![record.clone()]).await.unwrap();
    assert_eq!(before.status, 200);
    let again = device.push(&service, vec![record]).await.unwrap();
    assert_eq!(again.json["epoch"], before.json["epoch"], "nothing has changed yet");
    service.postgres.take_over().unwrap();
    let next = device.record("of_tomorrow", b"{}".to_vec()).unwrap();
    let after = device.push(&service, vec![next]).await.unwrap();
    assert_eq!(after.status, 200, "the record before is there, and central has connected again");
    assert_ne!(after.json["epoch"], before.json["epoch"]);
    assert_eq!(after.json["received"]["epoch"], after.json["epoch"], "the signed word names it too");
    let pulled = device.pull(&service, 0).await.unwrap();
    assert_eq!(after.json["epoch"], pulled.epoch.as_str());
}

#[tokio::test]
async fn what_waits_for_its_standby_is_not_acknowledged() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let ask = async |sql: &str| {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&service.pool).await.unwrap();
        row.try_get::<String, _>(0).unwrap()
    };
    let tell = async |sql: &'static str| sqlx::raw_sql(sql).execute(&service.pool).await.unwrap();
    tell("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    tell("SELECT pg_reload_conf()").await;
    let end = Instant::now() + WAIT;
    while ask("SHOW synchronous_standby_names").await != "nobody" {
        assert!(Instant::now() < end);
    }
    let record = device.record("of_tomorrow", b"{}".to_vec()).unwrap();
    let mut push = std::pin::pin!(device.push(&service, vec![record]));
    let waiting = "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let mut seen = false;
    while !seen {
        assert!(Instant::now() < end);
        tokio::select! {
            biased;
            _ = &mut push => panic!("acknowledged by one disk alone"),
            count = ask(waiting) => seen = count == "1",
        }
    }
    tell("ALTER SYSTEM RESET synchronous_standby_names").await;
    tell("SELECT pg_reload_conf()").await;
    assert_eq!(push.await.unwrap().status, 200, "held at last");
}
