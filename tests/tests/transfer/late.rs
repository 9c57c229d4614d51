//! Whatever order central hears things in, and though it forgot them or hears them twice, the same follows.

use super::*;
use journeys::archive::SiteRows;
use sim::simulation::Archive as _;

/// Cancelled and registered again: nothing is won, though central hears of the cancellation last.
#[tokio::test]
async fn what_was_given_up_before_gives_nothing_whatever_is_heard_first() {
    for kept_first in [false, true] {
        let mut story = Story::begin().await;
        let before = story.registers(One, "DIALLO", None).await;
        story.pass(60);
        let body = story.cancellation(&before);
        let unsent = story.one.says(&body).unwrap();
        story.pass(60);
        let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
        assert_eq!(story.rank(&moved).await, time(&before), "as far as central knows");
        if kept_first {
            story.keeps(Two, &moved).await;
            assert_eq!(story.date_of(&before).await, None);
        }
        story.push(One, vec![unsent]).await;
        assert_eq!(story.rank(&moved).await, time(&moved), "kept first: {kept_first}");
        assert_eq!(story.standing(Two, &moved).await, none());
        assert_eq!(story.rank(&moved).await, time(&moved), "nor is it taken over again");
        assert_eq!(story.date_of(&moved).await, Some(moved.slot.at), "the date stands");
        assert_eq!(story.tasks("TWO").await[0].2.as_deref(), Some("the earlier registration does not count"));
        story.rules_hold().await;
    }
}

#[tokio::test]
async fn given_up_after_they_moved_is_as_good_as_keeping_the_new_one() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    story.cancels(One, &before).await;
    assert_eq!(story.rank(&moved).await, time(&before));
    let standing = story.standing(Two, &moved).await.unwrap();
    assert!(standing.ranked_at.is_some() && standing.earlier.is_none());
    // Taken up again, both stand once more.
    story.comes_back(One, &before).await;
    assert!(story.standing(Two, &moved).await.unwrap().earlier.is_some());
    story.rules_hold().await;
}

/// The kiosk of the old site had no network: the new registration reaches central first.
#[tokio::test]
async fn a_paper_central_has_not_heard_of_counts_when_it_has() {
    for kept_first in [false, true] {
        let mut story = Story::begin().await;
        let told = story.says(One, "DIALLO", None);
        let before = story.asks(One, told).await;
        let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
        assert_eq!(moved.answer, none());
        if kept_first {
            story.keeps(Two, &moved).await;
        }
        assert_eq!(story.standing(Two, &moved).await, none());
        story.push(One, vec![before.record.clone()]).await;
        let standing = story.standing(Two, &moved).await.unwrap();
        assert_eq!(standing.ranked_at.unwrap().as_second(), time(&before));
        assert_eq!(story.rank(&moved).await, time(&before));
        assert_eq!(standing.earlier.is_none(), kept_first);
        assert_eq!(story.date_of(&before).await, if kept_first { None } else { Some(before.slot.at) });
        assert_eq!(story.tasks("TWO").await[0].0, "residence_check");
        story.rules_hold().await;
    }
}

/// The same records, each sent again, and in a batch: nothing else follows.
#[tokio::test]
async fn said_again_and_all_at_once_the_same_follows() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let told = story.says(Two, "HERE", None);
    let here = story.asks(Two, told).await;
    let told = story.says(Two, "DIALLO", Some(before.told.code));
    let moved = story.asks(Two, told).await;
    let (registration, mediator) = (moved.told.id, moved.told.mediator.clone());
    let keep = Body::Transfer(Transfer { registration, mediator, at: story.service.now() });
    let keep = story.two.says(&keep).unwrap();
    let records = vec![here.record.clone(), moved.record.clone(), keep];
    story.push(Two, records.clone()).await;
    assert_eq!(story.date_of(&before).await, None);
    story.told(Two).await;
    let state = story.state().await;
    story.push(Two, records).await;
    story.push(One, vec![before.record.clone()]).await;
    for _ in 0..2 {
        story.told(One).await;
        story.told(Two).await;
    }
    assert_eq!(story.state().await, state);
    let told = story.told(Two).await;
    let transfers = told.iter().filter(|change| matches!(change, Change::Transfer { .. })).count();
    assert_eq!(transfers, 1, "told once, as it stood when the kiosk asked");
    story.rules_hold().await;
}

/// The database is put back to before the person kept one: both kiosks say again what they said.
#[tokio::test]
async fn a_central_that_forgot_hears_it_again() {
    let mut story = Story::begin().await;
    story.service.start_with_lease_log().await.unwrap();
    let empty = SiteRows(story.service.pool.clone());
    let before = story.registers(One, "DIALLO", None).await;
    let mut backups = Vec::new();
    for site in ["ONE", "TWO"] {
        backups.push((site, empty.back_up(site).await.unwrap()));
    }
    let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    let kept = story.keeps(Two, &moved).await;
    story.told(Two).await;
    for (site, backup) in &backups {
        SiteRows(story.service.pool.clone()).restore(site, backup).await.unwrap();
    }
    story.service.start_with_lease_log().await.unwrap();
    assert_eq!(story.date_of(&before).await, Some(before.slot.at), "as on the day of the backup");
    story.push(Two, vec![moved.record.clone(), kept]).await;
    assert_eq!(story.rank(&moved).await, time(&before));
    assert_eq!(story.date_of(&moved).await, Some(moved.slot.at), "what was printed is the date");
    assert_eq!(story.date_of(&before).await, None);
    assert_eq!(story.ended(One, &before).await.len(), 1);
    let standing = story.standing(Two, &moved).await.unwrap();
    assert!(standing.ranked_at.is_some() && standing.earlier.is_none());
}

/// Annulled for fraud the earlier registration counts for nobody; taken back, it does again.
#[tokio::test]
async fn an_annulled_registration_gives_no_time() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    // Proposed, told, heard and decided: tests/tests/annulment tells that story.
    sqlx::query(
        "INSERT INTO annulment (id, registration, site, state, proposed_by, proposed_s, reasons, answer_by, until, told_s, \
                                heard_by, heard_s, answers, decided_by, decided_s, decision) \
         VALUES (decode(repeat('0a', 16), 'hex'), $1, 'ONE', 'annulling', 'A', 1, 'x', '2027-03-01', '2027-03-01', 1, \
                 'A', 2, 'y', 'B', 3, 'z')",
    )
    .bind(before.told.id.0.as_slice())
    .execute(&story.service.pool)
    .await
    .unwrap();
    assert_eq!(story.service.central.carry_out_annulments().await.unwrap(), 1);
    assert_eq!(story.date_of(&before).await, None);
    assert_eq!(story.rank(&moved).await, time(&moved));
    assert_eq!(story.standing(Two, &moved).await, none());
    assert_eq!(story.date_of(&moved).await, Some(moved.slot.at), "a given date stands");
    sqlx::query("UPDATE annulment SET state = 'undoing', undone_by = 'C', undone_s = 4, undoing = 'w'")
        .execute(&story.service.pool)
        .await
        .unwrap();
    assert_eq!(story.service.central.carry_out_annulments().await.unwrap(), 1);
    assert!(story.standing(Two, &moved).await.unwrap().earlier.is_some());
    assert_eq!(story.rank(&moved).await, time(&before));
    story.rules_hold().await;
}

/// Weeks after the old appointment the older registration is erased; the time stays with the new one.
#[tokio::test]
async fn an_erased_registration_leaves_its_time() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let mut fill = Vec::new();
    for _ in 0..12 {
        fill.push(story.registers(Two, "HERE", None).await);
    }
    let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    story.keeps(Two, &moved).await;
    let day = before.slot.at.date();
    assert!(fill[6].slot.at.date() > day && moved.slot.at.date() > day);
    let erased = central::erase::before(&story.service.pool, day.tomorrow().unwrap()).await.unwrap();
    assert!(erased >= 1);
    let gone = sqlx::query("SELECT 1 FROM registration WHERE id = $1").bind(before.told.id.0.as_slice());
    assert!(gone.fetch_optional(&story.service.pool).await.unwrap().is_none());
    assert_eq!(story.rank(&moved).await, time(&before));
    let standing = story.standing(Two, &moved).await.unwrap();
    assert_eq!(
        (standing.ranked_at, standing.site.as_deref()),
        (Some(before.told.registered_at), Some("ONE"))
    );
}
