//! The person's name has changed since: beyond what a correction is, so a registration of its own. It has
//! the earlier time where two mediators say who they are, and at the site of the first paper too.

use super::*;
use app::contract::{DraftFields, TransferState};
use domain::ids::MediatorId;
use journeys::counter::{Counter, person, register};
use journeys::stand::PIN;

impl Story {
    /// Registered under another name than on that paper, beside this second mediator.
    async fn renames(&mut self, at: At, name: &str, paper: FollowUpCode, second: Option<&str>) -> Person {
        let mut told = self.says(at, name, Some(paper));
        told.witness = second.map(|id| MediatorId::parse(id).unwrap());
        let person = self.asks(at, told).await;
        self.push(at, vec![person.record.clone()]).await;
        person
    }
}

#[tokio::test]
async fn another_name_keeps_the_time_by_the_word_of_two_mediators() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let own = before.told.mediator.as_str().to_owned();
    for (second, why) in [(None, "one mediator"), (Some(own.as_str()), "one mediator, named twice")] {
        let alone = story.renames(One, "TRAORE", before.told.code, second).await;
        assert_eq!((alone.answer.clone(), story.rank(&alone).await), (none(), time(&alone)), "{why}");
        story.cancels(One, &alone).await;
    }
    assert!(story.tasks("ONE").await.is_empty(), "nothing was taken over");

    let renamed = story.renames(One, "TRAORE", before.told.code, Some("second")).await;
    let answer = renamed.answer.clone().unwrap();
    assert_eq!(answer.ranked_at.unwrap().as_second(), time(&before));
    assert_eq!(answer.earlier.unwrap().at, Some(before.slot.at));
    assert_eq!(story.rank(&renamed).await, time(&before));
    assert_eq!(story.date_of(&before).await, Some(before.slot.at), "both stand");
    assert_eq!(story.date_of(&renamed).await, Some(renamed.slot.at));
    // The desk looks at the name, not at a residence that is the same.
    assert_eq!(story.tasks("ONE").await, [("name_check".into(), "2027-03-11".into(), None)]);
    story.rules_hold().await;

    story.keeps(One, &renamed).await;
    assert_eq!(story.date_of(&before).await, None);
    assert_eq!(story.date_of(&renamed).await, Some(renamed.slot.at));
    assert_eq!(story.ended(One, &before).await, [("transferred".to_owned(), Some("ONE".to_owned()))]);
    story.rules_hold().await;

    // Who has moved as well: the time of the first, under the new name.
    let moved = story.registers(Two, "Traoré", Some(renamed.told.code)).await;
    assert_eq!(story.rank(&moved).await, time(&before));
    story.rules_hold().await;
}

/// The other kiosk has not sent its record yet, and the name changes sites with the person.
#[tokio::test]
async fn whatever_is_heard_first_the_name_check_follows() {
    let mut story = Story::begin().await;
    let told = story.says(One, "DIALLO", None);
    let before = story.asks(One, told).await;
    let renamed = story.renames(Two, "TRAORE", before.told.code, Some("second")).await;
    assert_eq!(renamed.answer, none());
    story.push(One, vec![before.record.clone()]).await;
    let standing = story.standing(Two, &renamed).await.unwrap();
    assert_eq!(standing.ranked_at.unwrap().as_second(), time(&before));
    assert_eq!(story.tasks("TWO").await, [("name_check".into(), "2027-03-11".into(), None)]);
    // Given up, what the desk had to look at is over; the time is free for one who follows.
    story.cancels(Two, &renamed).await;
    assert!(story.tasks("TWO").await[0].2.is_some());
    story.rules_hold().await;
}

/// They went back to the old appointment and were received with it: the new one is not taken up again.
#[tokio::test]
async fn who_was_received_with_the_old_one_has_no_second_date() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    story.cancels(Two, &moved).await;
    story.comes(One, &before).await;
    story.comes_back(Two, &moved).await;
    assert_eq!(story.set_aside(Two).await, ["transferred"]);
    assert_eq!(story.date_of(&moved).await, None);
    story.rules_hold().await;

    // Nor beside a third that was kept in the old one's stead.
    let before = story.registers(One, "SOW", None).await;
    let first = story.registers(Two, "SOW", Some(before.told.code)).await;
    story.cancels(Two, &first).await;
    let second = story.registers(Two, "SOW", Some(before.told.code)).await;
    story.keeps(Two, &second).await;
    story.comes_back(Two, &first).await;
    assert_eq!(story.set_aside(Two).await, ["transferred", "transferred"]);
    assert_eq!((story.date_of(&first).await, story.date_of(&before).await), (None, None));
    assert_eq!(story.date_of(&second).await, Some(second.slot.at));
    // Until that one is over too.
    story.cancels(Two, &second).await;
    story.comes_back(Two, &first).await;
    assert!(story.date_of(&first).await.is_some());
    story.rules_hold().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_one_counter_with_two_mediators() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let told = central::admin::NewMediator {
        id: "second",
        name: "Deuxième",
        pin: "864209",
        supervisor: None,
        replace: false,
    };
    let site = journeys::stand::SITE;
    central::admin::mediator(&pool, site, &told, jiff::Timestamp::now(), &central::system_random())
        .await
        .unwrap();
    counter.kiosk.exchange().await.unwrap();
    let kiosk = &counter.kiosk;
    let before = register(kiosk, "DIALLO").await.unwrap();
    kiosk.exchange().await.unwrap();
    let registered = jiff::Timestamp::now().as_second();
    while jiff::Timestamp::now().as_second() <= registered {
        tokio::task::yield_now().await;
    }

    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    let of = |name: &str, code: &str| DraftFields { moved: code.into(), renamed: true, ..person(name) };
    let missing = |draft: &app::contract::DraftView| -> Vec<(String, String)> {
        draft.problems.iter().map(|problem| (problem.field.clone(), problem.code.clone())).collect()
    };
    let needed = [("renamed".to_owned(), "second_session".to_owned())];
    let unnamed = kiosk.save_draft(&visit, of("TRAORE", "")).await.unwrap();
    assert_eq!(missing(&unnamed), [("moved".to_owned(), "empty".to_owned())]);
    let draft = kiosk.save_draft(&visit, of("TRAORE", &before.code)).await.unwrap();
    assert_eq!(missing(&draft), needed);
    assert_eq!(kiosk.confirm(&visit).await.unwrap_err().code, "draft_incomplete");

    // The same mediator twice is one, a wrong PIN nobody, and what is guessed at is waited for.
    let me = journeys::stand::MEDIATOR;
    assert_eq!(kiosk.unlock_second(&visit, me, PIN).await.unwrap_err().code, "second_is_first");
    assert_eq!(kiosk.unlock_second(&visit, "second", "000000").await.unwrap_err().code, "bad_pin");
    let draft = kiosk.unlock_second(&visit, "second", "864209").await.unwrap();
    assert_eq!((draft.second.as_deref(), missing(&draft)), (Some("Deuxième"), Vec::new()));
    // They saw one name, that paper, this visit: nothing else is vouched for.
    let other = kiosk.save_draft(&visit, of("KEITA", &before.code)).await.unwrap();
    assert_eq!((other.second.clone(), missing(&other)), (None, needed.to_vec()));
    assert_eq!(kiosk.save_draft(&visit, of("TRAORE", &before.code)).await.unwrap().problems, []);
    let next = kiosk.start_visit("fr").await.unwrap().visit;
    let draft = kiosk.save_draft(&next, of("TRAORE", &before.code)).await.unwrap();
    assert_eq!(missing(&draft), needed, "another visit");
    kiosk.discard_draft(&next).await.unwrap();
    // Who leaves the counter vouches no more.
    kiosk.lock().await.unwrap();
    kiosk.unlock(me, PIN).await.unwrap();
    assert_eq!(missing(&kiosk.open_visit(&visit).await.unwrap()), needed);

    kiosk.unlock_second(&visit, "second", "864209").await.unwrap();
    let said = kiosk.read_back(&visit).await.unwrap();
    assert!(said.problems.is_empty() && said.lines.iter().any(|line| line.key == "renamed"));
    let renamed = kiosk.confirm(&visit).await.unwrap();
    let both = renamed.transfer.unwrap();
    assert_eq!((both.state, both.earlier_at), (TransferState::Both, before.slot_at.clone()));
    kiosk.exchange().await.unwrap();
    let row = sqlx::query(
        "SELECT body ->> 'witness', ranked_s < registered_s FROM registration WHERE body ->> 'witness' IS NOT NULL",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!((row.get::<String, _>(0).as_str(), row.get::<bool, _>(1)), ("second", true));

    // They keep the new one: the old one is over, at this very kiosk.
    kiosk.keep_transfer(&renamed.visit).await.unwrap();
    kiosk.exchange().await.unwrap();
    kiosk.exchange().await.unwrap();
    let gone = kiosk.date(&before.visit).await.unwrap().cancelled.unwrap();
    assert_eq!(gone.elsewhere, Some(renamed.site.clone()));
    let alone = kiosk.date(&renamed.visit).await.unwrap().transfer.unwrap();
    assert_eq!((alone.state, alone.earlier_at), (TransferState::Alone, None));
}
