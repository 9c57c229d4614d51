//! Hours a site opens later on: whoever waits longest is asked, and whose date a closure took
//! comes before them.

use super::*;
use central::admin::Ask;
use domain::calendar::{Closure, Opening};

/// The Saturday after [`Service::NOON`], six hours.
const SATURDAY: Date = jiff::civil::date(2027, 3, 13);

async fn open_saturday(story: &Story) {
    let opening = Opening {
        day: SATURDAY,
        opens: jiff::civil::time(9, 0, 0, 0),
        closes: jiff::civil::time(12, 0, 0, 0),
        every_minutes: 30,
        capacity: 1,
        procedures: ProcedureSet::ALL,
    };
    let ask = Ask::at(story.service.now(), central::system_random());
    let told = central::admin::opening(&story.service.pool, "ONE", "A", &[opening], &ask).await.unwrap();
    assert_eq!(told["slots_appear"], 6, "{told}");
}

async fn close_first_day(story: &Story) {
    let first = SATURDAY.saturating_sub(jiff::ToSpan::days(3));
    let closed = Closure { first, last: first };
    let mut ask = Ask { preview: true, ..Ask::at(story.service.now(), central::system_random()) };
    for _ in 0..2 {
        let told = central::admin::closure(&story.service.pool, "ONE", None, closed, &ask).await.unwrap();
        let token = told["token"].as_str().map(str::to_owned);
        ask = Ask { token, ..Ask::at(story.service.now(), central::system_random()) };
    }
}

#[tokio::test]
async fn hours_that_are_new_go_to_who_waits_longest() {
    let mut story = Story::begin().await;
    // Six a day: Wednesday to Friday, Monday and Tuesday.
    let people = queue(&mut story, 30).await;
    open_saturday(&story).await;
    let next = story.registers().await;
    assert!(next.at > people[29].at, "{}", next.at);
    let offers = story.offered().await;
    let asked: Vec<_> = offers.iter().map(|(id, offer)| (*id, offer.at.date())).collect();
    let waiting: Vec<_> = people[18..24].iter().map(|one| (one.told.id, SATURDAY)).collect();
    assert_eq!(asked, waiting, "the first who stand behind it, in rank order");
    assert_eq!(story.answers(&people[18], &offers[0].1, true).await["state"], "accepted");
    assert_eq!(story.date_of(&people[18]).await, Some(offers[0].1.at));
    // Too near for anybody to be asked about, it is whoever registers who gets it.
    story.service.clock.fetch_add(DAY * 3, Ordering::SeqCst);
    story.offered().await;
    let last = story.registers().await;
    assert_eq!(last.at.date(), SATURDAY);
}

#[tokio::test]
async fn whose_date_a_closure_took_comes_first() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 30).await;
    close_first_day(&story).await;
    open_saturday(&story).await;
    assert!(story.offered().await.is_empty(), "six people have no date that holds");
    let now = story.service.now();
    let ask = Ask { preview: true, ..Ask::at(now, central::system_random()) };
    let told = central::admin::redate(&story.service.pool, "ONE", &ask).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    let ask = Ask { token, ..Ask::at(now, central::system_random()) };
    assert_eq!(central::admin::redate(&story.service.pool, "ONE", &ask).await.unwrap()["said"], 6);
    story.told().await;
    for one in &people[..6] {
        assert_eq!(story.date_of(one).await.unwrap().date(), SATURDAY);
    }
    assert!(story.offered().await.is_empty(), "nothing is left of it");
    let left = sqlx::query("SELECT count(*) FROM freed_slot");
    assert_eq!(left.fetch_one(&story.service.pool).await.unwrap().get::<i64, _>(0), 0);
}

/// The desk lets its time pass: the hours do not stay empty for that.
#[tokio::test]
async fn the_desk_has_its_time_and_no_more() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 60).await;
    close_first_day(&story).await;
    story.cancels(&people[59]).await;
    story.cancels(&people[50]).await;
    assert!(story.offered().await.is_empty());
    story.service.clock.fetch_add(DAY * 3, Ordering::SeqCst);
    assert_eq!(story.offered().await.len(), 1);
}

/// Somebody has no date at all: they have the first slot that came free, and the other one goes
/// round where it stood, no oftener than before.
#[tokio::test]
async fn whoever_has_no_date_comes_first_and_the_rest_goes_round_as_before() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 90).await;
    story.cancels(&people[60]).await;
    story.cancels(&people[70]).await;
    assert_eq!(story.offered().await.len(), 2);
    story.service.clock.fetch_add(DAY * 4, Ordering::SeqCst);
    let pool = story.service.pool.clone();
    let none = people[89].told.id;
    sqlx::query("UPDATE slot SET registration = NULL WHERE registration = $1")
        .bind(none.0.as_slice())
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO escalation (site, registration, reason, made_s) VALUES ('ONE', $1, 'no_capacity', 0)",
    )
    .bind(none.0.as_slice())
    .execute(&pool)
    .await
    .unwrap();
    let offers = story.offered().await;
    assert_eq!(story.date_of(&people[89]).await, Some(people[60].at));
    assert_eq!(offers.iter().map(|(_, offer)| offer.at).collect::<Vec<_>>(), [people[70].at]);
    let asked = sqlx::query("SELECT offers FROM freed_slot").fetch_one(&pool).await.unwrap();
    assert_eq!(asked.get::<i32, _>(0), 2, "the second time");
}

/// Of two slots that came free for one person, the second waits until they have answered about the first.
#[tokio::test]
async fn a_slot_that_only_they_gain_from_waits_for_who_has_an_offer_to_answer() {
    let mut story = Story::begin().await;
    // The filing of all of them opens in two months: six on that day, the last on the next.
    let mut people = Vec::new();
    for _ in 0..7 {
        people.push(story.registers_early(180).await);
    }
    let (one, two, far) = (&people[0], &people[1], &people[6]);
    assert!(one.at.date() == two.at.date() && two.at.date() < far.at.date());
    story.cancels(one).await;
    story.cancels(two).await;
    story.told().await;
    let made = story.offered().await;
    assert_eq!((made.len(), made[0].0, made[0].1.at), (1, far.told.id, one.at));
    assert!(story.offered().await.is_empty(), "one at a time");
    assert_eq!(story.answers(far, &made[0].1, false).await["state"], "declined");
    let made = story.offered().await;
    assert_eq!((made.len(), made[0].0, made[0].1.at), (1, far.told.id, two.at));
    assert_eq!(story.answers(far, &made[0].1, true).await["state"], "accepted");
    assert_eq!(story.date_of(far).await, Some(two.at));
}
