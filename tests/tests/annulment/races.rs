//! What happens between a proposal and its end: the person gives up, comes, is moved, is offered an
//! earlier date; the day comes; the database is put back.

use super::*;
use journeys::archive::SiteRows;
use sim::simulation::Archive as _;
use wire::body::{Arrival, Cancellation, Reinstatement};

impl Story {
    fn gives_up(&self) -> Body {
        let (registration, mediator) = (self.person.told.id, self.person.told.mediator.clone());
        Body::Cancellation(Cancellation { registration, mediator, at: self.service.now() })
    }

    fn comes_back(&self) -> Body {
        let (registration, mediator) = (self.person.told.id, self.person.told.mediator.clone());
        Body::Reinstatement(Reinstatement { registration, mediator, at: self.service.now() })
    }
}

/// Nobody shakes a proposal off by giving the appointment up: the slot goes back, and what agents decide
/// then is about the registration time.
#[tokio::test]
async fn given_up_the_proposal_stands_and_decided_the_place_is_not_taken_back() {
    for decided_first in [true, false] {
        let mut story = Story::begin().await;
        story.asks("Agente A", propose(ANSWER_BY)).await.unwrap();
        story.handed(ANSWER_BY).await;
        if decided_first {
            story.asks("Agente A", answered("C'est mon titre.")).await.unwrap();
            story.asks("Agent B", decide(true)).await.unwrap();
        }
        story.says(&story.gives_up()).await;
        assert!(!story.holds().await, "the slot is for others at once");
        if !decided_first {
            assert_eq!(story.state().await["given_up"], true);
            assert_eq!(story.tasks().await, [("annulment".to_owned(), ANSWER_BY.to_string())]);
            assert_eq!(story.carried_out().await, 0);
            // They are heard as anybody is, and nothing is decided before.
            let unheard = story.asks("Agent B", decide(true)).await.unwrap_err();
            assert!(unheard.contains("not heard"), "{unheard}");
            story.asks("Agente A", answered("C'est mon titre.")).await.unwrap();
            story.asks("Agent B", decide(true)).await.unwrap();
        }
        assert_eq!((story.carried_out().await, story.carried_out().await), (1, 0));
        assert_eq!(story.state().await["state"], "annulled");
        story.says(&story.comes_back()).await;
        assert_eq!(story.set_aside().await, ["annulled"]);
        assert!(!story.holds().await);
        assert!(story.tasks().await.is_empty());
        let told = story.told().await;
        assert!(told.iter().any(|change| matches!(change, Change::Annulled { .. })));
        assert!(!told.iter().any(|change| matches!(change, Change::AnnulmentOver { .. })));
        story.rules_hold().await;

        // Undone, it is given up as it was: the thirty days are theirs, and no date comes by itself.
        story.asks("Agente C", undo()).await.unwrap();
        assert_eq!((story.carried_out().await, story.carried_out().await), (1, 0));
        assert!(!story.holds().await);
        let over = |change: &Change| matches!(change, Change::AnnulmentOver { date_follows: false, .. });
        assert!(story.told().await.iter().any(over));
        story.says(&story.comes_back()).await;
        assert!(story.holds().await);
        story.rules_hold().await;
    }
}

#[tokio::test]
async fn taken_back_before_the_decision_the_proposal_is_about_the_date_they_have() {
    let mut story = Story::begin().await;
    story.asks("Agente A", propose(ANSWER_BY)).await.unwrap();
    story.says(&story.gives_up()).await;
    // Not told, nobody is annulled, given up or not.
    story.asks("Agente A", answered("Par téléphone")).await.unwrap();
    assert!(story.asks("Agent B", decide(true)).await.unwrap_err().contains("not told"));
    story.says(&story.comes_back()).await;
    assert!(story.holds().await);
    assert!(story.asks("Agente A", propose(ANSWER_BY)).await.unwrap_err().contains("already"));
    story.handed(ANSWER_BY).await;
    story.asks("Agent B", decide(true)).await.unwrap();
    assert_eq!(story.carried_out().await, 1);
    assert!(!story.holds().await);
    assert_eq!(story.state().await["state"], "annulled");
    // Undone, it is the date that was annulled.
    story.asks("Agente C", undo()).await.unwrap();
    story.carried_out().await;
    assert!(story.holds().await);
    // Given up with no proposal left, there is none to be made.
    story.says(&story.gives_up()).await;
    let refused = story.asks("Agente A", propose(ANSWER_BY)).await.unwrap_err();
    assert!(refused.contains("given up"), "{refused}");
    assert!(story.tasks().await.is_empty());
    assert!(story.set_aside().await.is_empty());
    story.rules_hold().await;
}

#[tokio::test]
async fn annulled_the_person_cannot_take_it_back_and_gives_up_nothing() {
    let mut story = Story::begin().await;
    story.heard().await;
    story.asks("Agent B", decide(true)).await.unwrap();
    story.carried_out().await;
    story.says(&story.gives_up()).await;
    assert!(story.set_aside().await.is_empty(), "twice is once");
    story.says(&story.comes_back()).await;
    assert_eq!(story.set_aside().await, ["annulled"]);
    assert_eq!(story.holder(&story.person.slot).await, None);
    // A door that had no list received them all the same: noted, and undone there is no second date.
    let (told, slot) = (story.person.told.clone(), story.person.slot.clone());
    let (registration, mediator, at) = (told.id, told.mediator, story.service.now());
    let came = Arrival { registration, slot: slot.slot, appointment: slot.at, mediator, at };
    story.says(&Body::Arrival(came)).await;
    story.asks("Agente C", undo()).await.unwrap();
    story.carried_out().await;
    assert_eq!(story.holder(&slot).await, None);
    story.rules_hold().await;
}

/// The same without another word of theirs: nothing is left half given up.
#[tokio::test]
async fn received_all_the_same_an_undone_annulment_leaves_nothing_given_up() {
    let mut story = Story::begin().await;
    story.heard().await;
    story.asks("Agent B", decide(true)).await.unwrap();
    story.carried_out().await;
    let (told, slot) = (story.person.told.clone(), story.person.slot.clone());
    let (registration, mediator, at) = (told.id, told.mediator, story.service.now());
    let came = Arrival { registration, slot: slot.slot, appointment: slot.at, mediator, at };
    story.says(&Body::Arrival(came)).await;
    story.asks("Agente C", undo()).await.unwrap();
    story.carried_out().await;
    let over = |change: &Change| matches!(change, Change::AnnulmentOver { date_follows: false, .. });
    assert!(story.told().await.iter().any(over));
    let given_up: bool = sqlx::query_scalar("SELECT cancelled_s IS NOT NULL FROM registration WHERE id = $1")
        .bind(registration.0.as_slice())
        .fetch_one(&story.service.pool)
        .await
        .unwrap();
    assert!(!given_up);
    story.rules_hold().await;
}

#[tokio::test]
async fn whoever_came_is_honoured_and_the_day_itself_annuls_nothing() {
    let mut story = Story::begin().await;
    story.heard().await;
    story.asks("Agent B", decide(true)).await.unwrap();
    let (told, slot) = (story.person.told.clone(), story.person.slot.clone());
    // No central ran until the day.
    let days = slot.at.date().since(TODAY).unwrap().get_days();
    story.forward(i64::from(days));
    assert_eq!(story.carried_out().await, 1);
    assert_eq!(story.state().await["state"], "over");
    assert!(story.holds().await);
    let (registration, mediator, at) = (told.id, told.mediator, story.service.now());
    let came = Arrival { registration, slot: slot.slot, appointment: slot.at, mediator, at };
    story.says(&Body::Arrival(came)).await;
    for refused in [
        story.asks("Agente A", propose(slot.at.date())).await.unwrap_err(),
        story.asks("Agent B", undo()).await.unwrap_err(),
    ] {
        assert!(refused.contains("received") || refused.contains("not annulled"), "{refused}");
    }
    story.rules_hold().await;
}

#[tokio::test]
async fn moved_meanwhile_it_is_the_date_they_have_now_that_is_annulled() {
    let mut story = Story::begin().await;
    story.heard().await;
    // The site closes on their day, and they are given another.
    let day = story.person.slot.at.date();
    let closed = domain::calendar::Closure { first: day, last: day };
    let mut ask = admin::Ask::at(story.service.now(), central::system_random());
    for act in ["closure", "redate"] {
        let preview = admin::Ask { preview: true, token: None, ..ask.clone() };
        let pool = &story.service.pool;
        let seen = match act {
            "closure" => admin::closure(pool, "ONE", None, closed, &preview).await,
            _ => admin::redate(pool, "ONE", &preview).await,
        };
        ask.token = seen.unwrap()["token"].as_str().map(str::to_owned);
        match act {
            "closure" => admin::closure(pool, "ONE", None, closed, &ask).await.map(drop),
            _ => admin::redate(pool, "ONE", &ask).await.map(drop),
        }
        .unwrap();
    }
    story.asks("Agent B", decide(true)).await.unwrap();
    let moved = async |story: &Story| {
        let row = sqlx::query("SELECT at::date::text FROM slot WHERE registration = $1")
            .bind(story.person.told.id.0.as_slice())
            .fetch_optional(&story.service.pool);
        row.await.unwrap().map(|row| row.get::<String, _>(0))
    };
    // An exchange of its kiosk moves them before the decision is carried out.
    story.told().await;
    story.says(&Body::Print(print(&story))).await;
    assert!(moved(&story).await.is_some_and(|at| at > day.to_string()));
    assert_eq!(story.carried_out().await, 1);
    assert_eq!(moved(&story).await, None);
    assert_eq!(story.state().await["state"], "annulled");
    story.rules_hold().await;
}

/// Whatever a kiosk's clock says, and whatever day: no less than was said, no more than two weeks.
#[tokio::test]
async fn a_clock_that_is_wrong_neither_shortens_nor_stretches_the_time_to_answer() {
    let mut story = Story::begin().await;
    story.asks("Agente A", propose(ANSWER_BY)).await.unwrap();
    let annulment = story.proposal().await.0;
    story.forward(2);
    let (registration, mediator) = (story.person.told.id, story.person.told.mediator.clone());
    for (at, until, wanted) in [
        (jiff::Timestamp::MIN, Date::MIN, ANSWER_BY),
        (jiff::Timestamp::MIN, Date::MAX, TODAY.saturating_add(16.days())),
        (jiff::Timestamp::MAX, Date::MIN, TODAY.saturating_add(16.days())),
    ] {
        let mediator = mediator.clone();
        story
            .says(&Body::AnnulmentTold(AnnulmentTold { registration, annulment, until, mediator, at }))
            .await;
        assert_eq!(story.state().await["until"], json!(wanted), "{at} {until}");
    }
    let row = sqlx::query("SELECT told_s = proposed_s FROM annulment").fetch_one(&story.service.pool).await;
    assert!(row.unwrap().get::<bool, _>(0), "told when it was proposed, not ages before");
    assert!(story.set_aside().await.is_empty());
}

fn print(story: &Story) -> wire::body::Print {
    wire::body::Print {
        registration: story.person.told.id,
        attempt: domain::ids::AttemptId([9; 16]),
        state: wire::body::PrintOutcome::Printed,
        sha256: domain::bytes::Hash([1; 32]),
        mediator: story.person.told.mediator.clone(),
        at: story.service.now(),
    }
}

#[tokio::test]
async fn an_offer_open_to_them_ends_with_the_place() {
    let mut story = Story::begin().await;
    story.heard().await;
    // Somebody days earlier gives up: of all who gain, nobody before the last has not been asked.
    let earlier = sqlx::query("SELECT registration FROM slot WHERE at::date = $1::text::date LIMIT 1")
        .bind(ANSWER_BY.to_string())
        .fetch_one(&story.service.pool)
        .await
        .unwrap();
    let registration: Vec<u8> = earlier.get(0);
    let registration = domain::ids::RegistrationId(registration.try_into().unwrap());
    let (mediator, at) = (story.person.told.mediator.clone(), story.service.now());
    // Everybody else says that they want no offers, as far as the table goes.
    sqlx::query("UPDATE registration SET earliest = '2099-01-01' WHERE id <> $1")
        .bind(story.person.told.id.0.as_slice())
        .execute(&story.service.pool)
        .await
        .unwrap();
    story.says(&Body::Cancellation(Cancellation { registration, mediator, at })).await;
    assert_eq!(story.service.central.offer_freed().await.unwrap(), 1);
    story.asks("Agent B", decide(true)).await.unwrap();
    story.carried_out().await;
    let told = story.told().await;
    let of = |wanted: bool| {
        told.iter().any(|change| match change {
            Change::Offered { registration, .. } => wanted && *registration == story.person.told.id,
            Change::OfferEnded { registration, .. } => !wanted && *registration == story.person.told.id,
            _ => false,
        })
    };
    assert!(of(true) && of(false));
}

#[tokio::test]
async fn put_back_to_before_the_proposal_the_date_stands_and_it_begins_anew() {
    let mut story = Story::begin().await;
    let backup = SiteRows(story.service.pool.clone()).back_up("ONE").await.unwrap();
    story.heard().await;
    let proposed = SiteRows(story.service.pool.clone()).back_up("ONE").await.unwrap();
    story.asks("Agent B", decide(true)).await.unwrap();
    story.carried_out().await;
    assert!(!story.holds().await);
    // To after it was heard: what was said until then is there, and the other agent decides again.
    SiteRows(story.service.pool.clone()).restore("ONE", &proposed).await.unwrap();
    assert!(story.holds().await);
    assert_eq!(story.state().await["heard"], true);
    story.asks("Agent B", decide(true)).await.unwrap();
    assert_eq!(story.carried_out().await, 1);
    // To before all of it: nothing is annulled, and the kiosk's word of a notice is told as what it is.
    let handed = story.proposal().await.0;
    SiteRows(story.service.pool.clone()).restore("ONE", &backup).await.unwrap();
    assert!(story.holds().await);
    assert_eq!(story.state().await["state"], Value::Null);
    let (registration, mediator, at) =
        (story.person.told.id, story.person.told.mediator.clone(), story.service.now());
    let told = AnnulmentTold { registration, annulment: handed, until: ANSWER_BY, mediator, at };
    // A kiosk whose chain central holds no more begins again from what it holds.
    let mut device = story.service.device("ONE", 2).await.unwrap();
    let record = device.says(&Body::AnnulmentTold(told)).unwrap();
    assert_eq!(device.push(&story.service, vec![record]).await.unwrap().status, 200);
    let pulled = device.pull(&story.service, 0).await.unwrap().changes;
    let aside = pulled.into_iter().any(|told| matches!(told, Told::Known(Change::Result { result: Applied::SetAside { reason }, .. }) if reason == "annulment_unknown"));
    assert!(aside, "nor is another kiosk's word about it taken");
    story.rules_hold().await;
}

/// Decided by an agent and given up by the person at the same moment: whichever is first, the slot is
/// free once and the registration time is annulled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decided_and_given_up_at_once_it_is_annulled_once() {
    let mut story = Story::begin().await;
    story.heard().await;
    let record = story.device.says(&story.gives_up()).unwrap();
    let (decided, pushed) = tokio::join!(story.asks("Agent B", decide(true)), async {
        let pushed = story.device.push(&story.service, vec![record]);
        let (pushed, _) = tokio::join!(pushed, story.service.central.carry_out_annulments());
        pushed.unwrap().status
    });
    assert_eq!(pushed, 200);
    story.carried_out().await;
    assert!(!story.holds().await, "given up or annulled, the slot is nobody's");
    decided.unwrap();
    assert_eq!(story.state().await["state"], "annulled");
    let annulled =
        story.told().await.into_iter().filter(|change| matches!(change, Change::Annulled { .. })).count();
    assert_eq!(annulled, 1);
    assert!(story.tasks().await.is_empty());
    story.rules_hold().await;
}
