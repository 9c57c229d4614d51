//! What somebody who moved says of the place they left at a kiosk that did not make its paper, and what
//! becomes of its time when it is given up while agents mean to annul it.

use super::*;
use domain::ids::WordId;

impl Story {
    /// Taken back at the new site's kiosk, with the old paper.
    async fn takes_back_there(&mut self, person: &Person) -> Value {
        self.pass(1);
        self.count += 1;
        let request = json!({
            "word": WordId([self.count; 16]), "code": person.told.code, "year": 1990, "says": "take_back",
            "appointment": null, "mediator": "demo", "document_seen": true,
        });
        let said = self.two.say(&self.service, "POST", "/v1/words", &request).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
        said.json
    }
}

#[tokio::test]
async fn the_place_they_left_is_not_taken_back_while_they_keep_the_other() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    story.keeps(Two, &moved).await;
    assert_eq!(story.date_of(&before).await, None);
    let refused = story.takes_back_there(&before).await;
    assert_eq!(refused, json!({ "state": "transferred", "registration": null, "at": null, "until": null }));
    assert_eq!(story.date_of(&before).await, None);
    // Given up, the other is nobody's reason any more.
    story.cancels(Two, &moved).await;
    let back = story.takes_back_there(&before).await;
    assert_eq!((&back["state"], &back["at"]), (&json!("done"), &json!(before.slot.at)));
    story.rules_hold().await;
}

/// Nobody carries the time of a registration away by giving its appointment up before it is annulled.
#[tokio::test]
async fn given_up_while_it_is_to_be_annulled_its_time_goes_with_it() {
    let mut story = Story::begin().await;
    let before = story.registers(One, "DIALLO", None).await;
    let moved = story.registers(Two, "DIALLO", Some(before.told.code)).await;
    // Proposed, told and heard: tests/tests/annulment tells that story.
    sqlx::query(
        "INSERT INTO annulment (id, registration, site, state, proposed_by, proposed_s, reasons, answer_by, until, told_s, \
                                heard_by, heard_s, answers) \
         VALUES (decode(repeat('0a', 16), 'hex'), $1, 'ONE', 'proposed', 'A', 1, 'x', '2027-03-01', '2027-03-01', 1, 'A', 2, 'y')",
    )
    .bind(before.told.id.0.as_slice())
    .execute(&story.service.pool)
    .await
    .unwrap();
    story.cancels(One, &before).await;
    assert_eq!(story.date_of(&before).await, None);
    assert_eq!(story.service.central.carry_out_annulments().await.unwrap(), 0);
    assert_eq!(story.rank(&moved).await, time(&before), "nothing is decided yet");
    sqlx::query("UPDATE annulment SET state = 'annulling', decided_by = 'B', decided_s = 3, decision = 'z' WHERE state = 'proposed'")
        .execute(&story.service.pool)
        .await
        .unwrap();
    assert_eq!(story.service.central.carry_out_annulments().await.unwrap(), 1);
    assert_eq!(story.rank(&moved).await, time(&moved));
    assert_eq!(story.standing(Two, &moved).await, none());
    assert_eq!(story.rank(&moved).await, time(&moved), "it is not found again");
    assert_eq!(story.date_of(&moved).await, Some(moved.slot.at), "a given date stands");
    assert_eq!(story.takes_back_there(&before).await["state"], "annulled");
    story.rules_hold().await;
    sqlx::query("UPDATE annulment SET state = 'undoing', undone_by = 'C', undone_s = 4, undoing = 'w'")
        .execute(&story.service.pool)
        .await
        .unwrap();
    assert_eq!(story.service.central.carry_out_annulments().await.unwrap(), 1);
    assert!(story.standing(Two, &moved).await.unwrap().ranked_at.is_some());
    assert_eq!(story.rank(&moved).await, time(&before));
    assert_eq!(story.date_of(&before).await, None, "given up as it was");
    story.rules_hold().await;
}
