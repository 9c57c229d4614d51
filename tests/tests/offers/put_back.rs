//! The same where the database is put back to an earlier day: what was given up and given since
//! is on papers, and none of it is given again.

use super::*;
use journeys::archive::SiteRows;
use sim::simulation::Archive as _;

impl Story {
    async fn with_lease_log() -> Self {
        let mut story = Self::begin().await;
        story.service.start_with_lease_log().await.unwrap();
        story
    }

    async fn backup(&self) -> Value {
        SiteRows(self.service.pool.clone()).back_up("ONE").await.unwrap()
    }

    async fn put_back(&mut self, backup: &Value) {
        SiteRows(self.service.pool.clone()).restore("ONE", backup).await.unwrap();
    }

    /// Says again what was said from the `n`th record on: central has forgotten it.
    async fn says_again(&self, n: usize) {
        let said = self.device.push(&self.service, self.sent[n..].to_vec()).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
    }

    /// Hours of one counter that two people hold, and extra slots.
    async fn doubled(&self) -> i64 {
        let row = sqlx::query("SELECT count(*) FROM slot WHERE extra > 0 AND registration IS NOT NULL");
        row.fetch_one(&self.service.pool).await.unwrap().get(0)
    }
}

/// Cancelled, let go and given at another kiosk after the backup: the cancellation comes again
/// before that kiosk is heard, and the hour is nobody else's.
#[tokio::test]
async fn an_hour_that_left_again_is_not_free_when_its_cancellation_comes_again() {
    let mut story = Story::with_lease_log().await;
    let mut other = story.service.device("ONE", 2).await.unwrap();
    let one = story.registers().await;
    let backup = story.backup().await;
    let before = story.sent.len();
    story.cancels(&one).await;
    assert_eq!(story.service.central.offer_freed().await.unwrap(), 0, "nobody gains: it is let go");
    let (two, record) = dated(&story.service, &mut other, 100).await;
    assert_eq!(two.at, one.at, "the earliest free one");

    story.put_back(&backup).await;
    story.service.start_with_lease_log().await.unwrap();
    assert_eq!(story.date_of(&one).await, Some(one.at), "as on the day of the backup");
    story.says_again(before).await;
    assert_eq!(story.date_of(&one).await, None);
    story.service.central.offer_freed().await.unwrap();
    let three = story.registers().await;
    assert_ne!(three.at, two.at, "it stands on a paper nobody has heard of yet");
    assert_eq!(other.push(&story.service, vec![record]).await.unwrap().status, 200);
    assert_eq!(story.date_of(&two).await, Some(two.at));
    assert_eq!(story.doubled().await, 0);
}

/// Restored without its lease log, central does not know what has left it: who comes back does
/// not get the hour they gave up, which may be another's by now.
#[tokio::test]
async fn without_the_log_nobody_takes_an_hour_back() {
    let mut story = Story::with_lease_log().await;
    let mut other = story.service.device("ONE", 2).await.unwrap();
    let one = story.registers().await;
    story.cancels(&one).await;
    let backup = story.backup().await;
    let before = story.sent.len();
    story.service.central.offer_freed().await.unwrap();
    let (two, record) = dated(&story.service, &mut other, 100).await;
    assert_eq!(two.at, one.at);
    story.comes_back(&one).await;
    let stood = story.date_of(&one).await.unwrap();
    assert_ne!(stood, two.at);

    story.put_back(&backup).await;
    story.service.start_anew().await.unwrap();
    assert!(story.service.central.extras_only());
    story.says_again(before).await;
    let now = sqlx::query("SELECT extra > 0 FROM slot WHERE registration = $1")
        .bind(one.told.id.0.as_slice())
        .fetch_one(&story.service.pool)
        .await
        .unwrap();
    assert!(now.get::<bool, _>(0), "beside ordinary hours only");
    assert_eq!(other.push(&story.service, vec![record]).await.unwrap().status, 200);
    assert_eq!(story.date_of(&two).await, Some(two.at));
    assert_eq!(story.doubled().await, 1, "of who came back, not of who holds the hour");
}

/// Given up before the backup and taken back after it: the same hour, when the return comes again.
#[tokio::test]
async fn an_hour_taken_back_is_still_theirs() {
    let mut story = Story::with_lease_log().await;
    let people = queue(&mut story, 40).await;
    let one = &people[20];
    story.cancels(one).await;
    let backup = story.backup().await;
    let before = story.sent.len();
    story.comes_back(one).await;
    assert_eq!(story.date_of(one).await, Some(one.at));
    let (registration, token) = (one.told.id, one.token.clone());
    let anew = wire::body::Dated { registration, token, at: story.service.now() };
    story.says(&Body::Dated(anew)).await;

    story.put_back(&backup).await;
    story.service.start_with_lease_log().await.unwrap();
    assert_eq!(story.service.central.offer_freed().await.unwrap(), 0, "it left again since");
    story.says_again(before).await;
    assert_eq!(story.date_of(one).await, Some(one.at));
    assert_eq!(story.doubled().await, 0);
}

/// A list names the paper that was given up until the day it names is long over, and so does a
/// central that erases.
#[tokio::test]
async fn a_paper_given_up_is_listed_beyond_its_own_day() {
    let mut story = Story::begin().await;
    let one = story.registers().await;
    // Five hundred days are closed: the next date lies behind them.
    let first = today(&story);
    let closed = domain::calendar::Closure { first, last: first.saturating_add(jiff::ToSpan::days(500)) };
    let ask = central::admin::Ask::at(story.service.now(), central::system_random());
    let preview = central::admin::Ask { preview: true, ..ask.clone() };
    let pool = story.service.pool.clone();
    let told = central::admin::closure(&pool, "ONE", None, closed, &preview).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    central::admin::closure(&pool, "ONE", None, closed, &central::admin::Ask { token, ..ask }).await.unwrap();
    let far = story.registers().await;
    assert!(far.at.date() > closed.last && one.at.date() < closed.last);
    story.cancels(&far).await;
    let until = async || {
        let row = sqlx::query("SELECT max(until)::text FROM replaced_paper WHERE registration = $1")
            .bind(far.told.id.0.as_slice())
            .fetch_one(&pool)
            .await
            .unwrap();
        row.get::<Option<String>, _>(0).map(|day| day.parse::<Date>().unwrap())
    };
    assert!(until().await.unwrap() > far.at.date(), "{:?}", until().await);
    // A year after the cancellation everything that is over is erased, and this is not.
    story.service.clock.fetch_add(DAY * 400, Ordering::SeqCst);
    central::erase::before(&pool, today(&story).saturating_sub(jiff::ToSpan::days(35))).await.unwrap();
    assert!(until().await.is_some_and(|day| day > far.at.date()), "its day is still to come");
    assert_eq!(story.date_of(&far).await, None);
}

/// An old copy of the log is followed after a restore, and what left since is given again: the
/// first paper that shows it ends that, and both papers stay true.
#[tokio::test]
async fn an_old_copy_of_the_log_is_found_out() {
    let mut story = Story::with_lease_log().await;
    let mut other = story.service.device("ONE", 2).await.unwrap();
    story.registers().await;
    let backup = story.backup().await;
    let log = story.service.keys().join("lease.log");
    let copy = std::fs::read(&log).unwrap();
    let (two, record) = dated(&story.service, &mut other, 100).await;

    story.put_back(&backup).await;
    std::fs::remove_file(&log).unwrap();
    std::fs::write(&log, copy).unwrap();
    story.service.start_with_lease_log().await.unwrap();
    assert!(!story.service.central.extras_only(), "nothing tells the copy from the log");
    let three = story.registers().await;
    assert_eq!(three.at, two.at);
    assert_eq!(other.push(&story.service, vec![record]).await.unwrap().status, 200);
    assert!(story.service.central.extras_only(), "what left this central is not known");
    assert_eq!(story.date_of(&two).await, Some(two.at));
    assert_eq!(story.date_of(&three).await, Some(three.at));
    assert_eq!(story.doubled().await, 1);
    story.registers().await;
    assert_eq!(story.doubled().await, 2, "beside ordinary hours");
}

/// A site came after the backup: before it is made again nothing is followed, for what it gave
/// could not be kept from others.
#[tokio::test]
async fn a_site_that_came_after_the_backup_is_named() {
    let mut story = Story::with_lease_log().await;
    story.registers().await;
    let backup = story.backup().await;
    let pool = story.service.pool.clone();
    let today = today(&story);
    central::admin::site(&pool, &journeys::device::site("LATER", today)).await.unwrap();
    let pattern = || {
        serde_json::from_value(json!({
            "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "12:00:00", "every_minutes": 30,
            "from": "2027-01-01",
        }))
        .unwrap()
    };
    central::admin::counter(&pool, "LATER", "A", &[pattern()]).await.unwrap();
    let mut there = story.service.device("LATER", 3).await.unwrap();
    let (one, _) = dated(&story.service, &mut there, 101).await;

    story.put_back(&backup).await;
    for emptied in ["slot", "counter"] {
        let delete = format!("DELETE FROM {emptied} WHERE site = 'LATER'");
        sqlx::query(sqlx::AssertSqlSafe(delete)).execute(&pool).await.unwrap();
    }
    story.service.start_anew().await.unwrap();
    let log = story.service.keys().join("lease.log");
    let named = async |story: &Story| {
        let log = central::lease_log::LeaseLog::open(&log, &central::system_random()).unwrap();
        story.service.central.sites_to_make(&log).await.unwrap()
    };
    assert_eq!(named(&story).await, ["LATER"]);
    central::admin::counter(&pool, "LATER", "A", &[pattern()]).await.unwrap();
    assert!(named(&story).await.is_empty());
    story.service.start_with_lease_log().await.unwrap();
    let (two, _) = dated(&story.service, &mut there, 102).await;
    assert_ne!(two.at, one.at, "it left before the loss");
}
