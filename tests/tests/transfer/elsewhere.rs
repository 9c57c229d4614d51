//! What somebody who moved says of the place they left at a kiosk that did not make its paper.

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
