//! Two centrals in turn: on one database they are one; on two, the kiosk notices from what
//! each says it holds, and feeds both.

use crate::ground::{Ground, given};
use app::contract::DateSource;
use journeys::counter::Listening;
use std::collections::BTreeSet;

#[tokio::test]
async fn two_centrals_on_one_database_are_one() {
    let ground = Ground::start().await;
    let second = Listening::start(ground.pool.clone(), ground.counter.folder.path()).await.unwrap();
    ground.kiosk().exchange().await.unwrap();
    for turn in 0..8 {
        ground.turn_to([ground.counter.own.address, second.address][turn % 2]).await;
        assert_eq!(ground.register().await.source, DateSource::Online);
        // Kept by one, pushed to the other.
        if turn % 3 > 0 {
            ground.turn_to([second.address, ground.counter.own.address][turn % 2]).await;
        }
    }
    assert!(ground.kiosk().home().await.unwrap().notices.is_empty(), "nothing to notice");
    ground.ends_with_what_was_printed().await;
}

#[tokio::test]
async fn another_database_is_noticed_by_the_heads_and_both_end_whole() {
    let ground = Ground::start().await;
    let other = ground.counter.empty_database().await.unwrap();
    let second = Listening::start(other.clone(), ground.counter.folder.path()).await.unwrap();
    ground.kiosk().exchange().await.unwrap();
    ground.register().await;
    ground.kiosk().exchange().await.unwrap();
    for turn in 0..4 {
        // This one has never heard of the kiosk, or lacks what the other was told meanwhile.
        ground.turn_to([second.address, ground.counter.own.address][turn % 2]).await;
        assert_eq!(ground.register().await.source, DateSource::Online);
        ground.kiosk().exchange().await.unwrap();
    }
    let notices = ground.kiosk().home().await.unwrap().notices;
    assert!(notices.iter().any(|notice| notice == "central_forgot"), "{notices:?}");
    ground.turn_to(second.address).await;
    ground.turn_to(ground.counter.own.address).await;
    ground.ends_with_what_was_printed().await;
    let here = ground.given().await;
    assert_eq!(given(&other).await, here, "the other one has the same");
    let slots: BTreeSet<&String> = here.values().collect();
    assert_eq!((slots.len(), here.len()), (5, 5), "no slot twice, whichever gave it");
}
