//! The same where the database is put back to an earlier day: what was said since is learnt again, from
//! the kiosk where it was said or from the one that heard of it, in whatever order they come.

use super::*;
use journeys::archive::SiteRows;
use sim::simulation::Archive as _;
use wire::body::WordNoted;

impl Story {
    async fn backup(&self) -> Value {
        SiteRows(self.service.pool.clone()).back_up("ONE").await.unwrap()
    }

    async fn put_back(&mut self, backup: &Value) {
        SiteRows(self.service.pool.clone()).restore("ONE", backup).await.unwrap();
    }

    /// What was said at the other kiosk, now, under the id of the last word.
    fn word(&self, one: &Person, says: Word, told: Option<DateTime>) -> Body {
        let said = Said {
            id: WordId([self.words; 16]),
            registration: one.told.id,
            code: one.told.code,
            says,
            appointment: told,
            kiosk: self.other.kiosk,
            mediator: one.told.mediator.clone(),
            at: self.service.now(),
        };
        Body::Word(WordNoted { said, at: self.service.now() })
    }

    /// The other kiosk's record of it.
    fn note(&mut self, one: &Person, says: Word, told: Option<DateTime>) -> Record {
        let body = self.word(one, says, told);
        self.other.says(&body).unwrap()
    }

    /// What became of each word, in the order they came.
    async fn became(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT state FROM word ORDER BY arrived")
            .fetch_all(&self.service.pool)
            .await
            .unwrap()
    }

    /// The record of the kiosk of the paper, once it was told.
    fn hears(&self, said: &Said) -> Body {
        Body::Word(WordNoted { said: said.clone(), at: self.service.now() })
    }

    async fn brings(&self, record: &Record) {
        let said = self.other.push(&self.service, vec![record.clone()]).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
        self.service.central.carry_out_words().await.unwrap();
    }
}

/// The network of their kiosk was gone right after the answer: the paper is out, and its record is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_up_before_the_record_of_the_paper_came_its_slot_is_nobodys() {
    let mut story = Story::begin().await;
    let (one, kept) = story.asks(1).await;
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    story.says(&kept).await;
    assert_eq!((story.date_of(&one).await, story.holder(&one.slot).await), (None, None));
    assert_eq!(story.set_aside(&story.own).await, [""; 0]);
    story.rules_hold().await;
    // Nor is it lost: whoever takes it back has it.
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::TakeBack).await["state"], "done");
    assert_eq!(story.date_of(&one).await, Some(one.slot.at));
    story.rules_hold().await;
}

#[tokio::test]
async fn said_after_the_backup_it_is_learnt_from_the_kiosk_where_it_was_said() {
    let mut story = Story::begin().await;
    story.service.start_with_lease_log().await.unwrap();
    let one = story.registers(1).await;
    story.forward(60);
    let backup = story.backup().await;
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    let gone = story.note(&one, Word::Cancel, Some(one.slot.at));
    story.brings(&gone).await;
    assert_eq!(story.words_told().await.len(), 1, "known already");
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::TakeBack).await["state"], "done");
    let back = story.note(&one, Word::TakeBack, None);
    let own = story.words_told().await;

    story.put_back(&backup).await;
    story.service.start_with_lease_log().await.unwrap();
    assert_eq!(story.date_of(&one).await, Some(one.slot.at));
    // The kiosk of the paper heard of the first before; both bring it, and it is done once.
    let heard = story.hears(&own[0]);
    let said = story.own.says(&heard).unwrap();
    assert_eq!(story.own.push(&story.service, vec![said]).await.unwrap().status, 200);
    assert_eq!(story.date_of(&one).await, None);
    let found = story.follows(&one).await;
    assert_eq!(found["cancelled"], json!(true));
    // The cursor of the other kiosk's chain was not lost with this site: it goes on.
    story.brings(&back).await;
    assert!(story.date_of(&one).await.is_some(), "taken back since");
    assert_eq!(story.words_told().await.len(), 2);
    assert!(story.set_aside(&story.other).await.is_empty());
    story.rules_hold().await;
}

#[tokio::test]
async fn brought_before_its_registration_it_waits_for_it() {
    let mut story = Story::begin().await;
    story.service.start_with_lease_log().await.unwrap();
    let backup = story.backup().await;
    let one = story.registers(1).await;
    story.forward(60);
    let stood = story.sent.clone();
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    let gone = story.note(&one, Word::Cancel, Some(one.slot.at));
    // A word with another's code is nobody's.
    story.words += 1;
    let mut false_word = Person { told: one.told.clone(), slot: one.slot.clone() };
    false_word.told.code = domain::code::FollowUpCode::from_random([9; 8]);
    let wrong = story.note(&false_word, Word::TakeBack, None);

    story.put_back(&backup).await;
    story.service.start_with_lease_log().await.unwrap();
    story.brings(&gone).await;
    story.brings(&wrong).await;
    assert!(story.set_aside(&story.other).await.is_empty(), "kept until its registration is known");
    assert_eq!(story.own.push(&story.service, stood).await.unwrap().status, 200);
    assert_eq!(story.service.central.carry_out_words().await.unwrap(), 2);
    assert_eq!(story.service.central.carry_out_words().await.unwrap(), 0);
    assert_eq!(story.date_of(&one).await, None, "given up, and not taken back");
    assert_eq!(story.follows(&one).await["cancelled"], json!(true));
    assert_eq!(story.words_told().await.len(), 1);
    // Once it is known a wrong code is told to the kiosk that brings it.
    let wrong = story.note(&false_word, Word::TakeBack, None);
    story.brings(&wrong).await;
    assert_eq!(story.set_aside(&story.other).await, ["registration_unknown"]);
    story.rules_hold().await;
}

/// Two kiosks bring what was said there the other way round.
#[tokio::test]
async fn brought_in_another_order_the_last_word_stands() {
    let mut story = Story::begin().await;
    story.service.start_with_lease_log().await.unwrap();
    let one = story.registers(1).await;
    story.forward(60);
    let backup = story.backup().await;
    assert_eq!(story.says_there(&one, Word::Cancel).await["state"], "done");
    let gone = story.words_told().await.remove(0);
    story.forward(60);
    assert_eq!(story.says_there(&one, Word::TakeBack).await["state"], "done");
    let back = story.note(&one, Word::TakeBack, None);

    story.put_back(&backup).await;
    story.service.start_with_lease_log().await.unwrap();
    story.brings(&back).await;
    let heard = story.hears(&gone);
    let said = story.own.says(&heard).unwrap();
    assert_eq!(story.own.push(&story.service, vec![said]).await.unwrap().status, 200);
    assert_eq!(story.date_of(&one).await, Some(one.slot.at));
    assert!(story.set_aside(&story.own).await.is_empty());
    assert_eq!(story.became().await, ["done", "over"]);
    story.rules_hold().await;
    // A cancellation that was overtaken is nobody's reason for a place that ends.
    for statement in [
        "UPDATE slot SET registration = NULL WHERE registration = $1",
        "UPDATE registration SET cancelled_s = registered_s WHERE id = $1",
    ] {
        sqlx::query(statement).bind(one.told.id.0.as_slice()).execute(&story.service.pool).await.unwrap();
    }
    let broken = journeys::rules::broken(&story.service.pool, "ONE", Since::DisksMoved).await.unwrap();
    assert!(broken.iter().any(|(_, what)| what.contains("nobody's word")), "{broken:?}");
}

/// Said in one second, under ids that say the opposite, and brought by a kiosk that only heard of it.
#[tokio::test]
async fn words_of_one_second_that_waited_are_carried_out_in_the_order_they_came() {
    let mut story = Story::begin().await;
    story.service.start_with_lease_log().await.unwrap();
    let mut third = story.service.device("TWO", 3).await.unwrap();
    let backup = story.backup().await;
    let one = story.registers(1).await;
    let stood = story.sent.clone();
    story.forward(60);
    let mut said = Vec::new();
    for (id, says) in [(9, Word::Cancel), (3, Word::TakeBack)] {
        story.words = id;
        said.push(third.says(&story.word(&one, says, None)).unwrap());
    }
    story.put_back(&backup).await;
    story.service.start_with_lease_log().await.unwrap();
    assert_eq!(third.push(&story.service, said).await.unwrap().status, 200);
    assert_eq!(story.became().await, ["waits", "waits"]);
    assert_eq!(story.own.push(&story.service, stood).await.unwrap().status, 200);
    assert_eq!(story.service.central.carry_out_words().await.unwrap(), 2);
    assert_eq!(story.became().await, ["done", "done"]);
    assert!(story.date_of(&one).await.is_some(), "given up, and taken back");
    // Who brought them stands in the audit journal, where they were said in themselves.
    let acts: Vec<(String, String)> =
        sqlx::query_as("SELECT who, act FROM audit_waiting WHERE act LIKE '%elsewhere' ORDER BY id")
            .fetch_all(&story.service.pool)
            .await
            .unwrap();
    let by = format!("kiosk:{}", third.kiosk);
    assert_eq!(
        acts,
        [(by.clone(), "cancelled_elsewhere".to_owned()), (by, "taken_back_elsewhere".to_owned())]
    );
    story.rules_hold().await;
}
