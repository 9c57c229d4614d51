//! Whoever has a date that does not serve their time limit is offered what somebody who registers now
//! with that limit would be given, an extra slot beside an hour's others too: nobody gains by registering
//! again.

use super::*;
use jiff::ToSpan as _;
use wire::messages::LentSlot;

/// Days between two offers to one person, see `domain::offer::OFFER_DAYS`.
const ASKED_AGAIN: i64 = 4 * DAY;

impl Story {
    /// Somebody registers with an injunction that ends on this day.
    async fn registers_within(&mut self, last_day: Date) -> Person {
        self.count += 1;
        self.service.clock.fetch_add(1, Ordering::SeqCst);
        let mut told = self.device.registration(&self.service, self.count, "A").unwrap();
        told.limit = Some(injunction(last_day));
        dated_as(&self.service, &mut self.device, told).await.0
    }

    /// No day up to this one has room for a person more.
    pub async fn fill(&mut self, last_day: Date) {
        while self.registers_within(last_day).await.at.date() <= last_day {}
    }

    async fn is_extra(&self, at: DateTime, one: &Person) -> bool {
        let row =
            sqlx::query("SELECT extra > 0 FROM slot WHERE at = $1::text::timestamp AND registration = $2")
                .bind(at.to_string())
                .bind(one.told.id.0.as_slice());
        row.fetch_one(&self.service.pool).await.unwrap().get(0)
    }

    async fn open_escalations(&self) -> i64 {
        let rows = sqlx::query("SELECT count(*) FROM task WHERE kind = 'escalation' AND answer IS NULL");
        rows.fetch_one(&self.service.pool).await.unwrap().get(0)
    }

    /// Offers to this person, after so many seconds more.
    async fn offered_to(&mut self, one: &Person, seconds: i64) -> Vec<Offered> {
        self.service.clock.fetch_add(seconds, Ordering::SeqCst);
        let made = self.offered().await;
        made.into_iter().filter(|(to, _)| *to == one.told.id).map(|(_, offer)| offer).collect()
    }
}

fn injunction(last_day: Date) -> TimeLimit {
    TimeLimit { right: Right::CourtInjunction, last_day, evidence: "TA 2700123".into() }
}

#[tokio::test]
async fn a_limit_learnt_later_has_the_extra_slot_a_newcomer_with_it_would_have() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 60).await;
    let late = &people[55];
    let order = TimeLimit {
        right: Right::ProtectionOrder,
        last_day: today(&story).saturating_add(180.days()),
        evidence: "TJ 27/00123".into(),
    };
    story.told().await;
    let now = story.service.now();
    story.declares(late, order, now).await;
    let made = limit::offers(&story.told().await);
    // Every slot before theirs is somebody's: one person more on the first day.
    assert_eq!((made.len(), made[0].0, made[0].1.at.date()), (1, late.told.id, people[0].at.date()));
    assert_eq!(story.date_of(late).await, Some(late.at), "the date they have holds");
    // Who registers now with a limit as near stands behind: the day has room for one.
    let newcomer = story.registers_within(people[10].at.date()).await;
    assert!(newcomer.at.date() > made[0].1.at.date(), "{} {:?}", newcomer.at, made[0].1);
    assert_eq!(story.answers(late, &made[0].1, true).await["state"], "accepted");
    assert_eq!(story.date_of(late).await, Some(made[0].1.at));
    assert!(story.is_extra(made[0].1.at, late).await);
    for one in people.iter().filter(|one| one.told.id != late.told.id) {
        assert_eq!(story.date_of(one).await, Some(one.at), "nobody else's date moved");
    }
}

#[tokio::test]
async fn an_extra_slot_left_is_nobodys_and_they_are_asked_again_three_times_at_most() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 6).await;
    // Their filing opens in two months, and the judge wants them received within one.
    let one = story.registers_early(180).await;
    let limit = injunction(today(&story).saturating_add(40.days()));
    story.fill(people[0].at.date()).await;
    story.told().await;
    let now = story.service.now();
    story.declares(&one, limit, now).await;
    let made = limit::offers(&story.told().await);
    assert_eq!((made.len(), made[0].0), (1, one.told.id));
    assert_eq!(story.open_escalations().await, 2, "theirs, and that of the last who filled the day");
    assert_eq!(story.answers(&one, &made[0].1, false).await["state"], "declined");
    assert!(story.offered_to(&one, 30).await.is_empty(), "not asked again at once");
    let mut before = made[0].1.at;
    for _ in 0..2 {
        let made = story.offered_to(&one, ASKED_AGAIN).await;
        assert_eq!(made.len(), 1);
        let offer = made[0];
        assert!(offer.at.date() >= today(&story).saturating_add(3.days()), "with time to be told: {offer:?}");
        assert!(offer.at > before && offer.at < one.at, "{offer:?}");
        assert!(story.offered_to(&one, 30).await.is_empty(), "one at a time");
        assert_eq!(story.answers(&one, &offer, false).await["state"], "declined");
        before = offer.at;
    }
    assert!(story.offered_to(&one, ASKED_AGAIN).await.is_empty());
    assert_eq!(story.date_of(&one).await, Some(one.at));
    let held = sqlx::query("SELECT count(*) FROM freed_slot").fetch_one(&story.service.pool).await.unwrap();
    assert_eq!(held.get::<i64, _>(0), 0, "nothing is kept for them");
}

#[tokio::test]
async fn with_no_room_left_the_desk_has_it_and_room_that_comes_is_theirs() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 60).await;
    let late = &people[50];
    let last_day = late.at.date().yesterday().unwrap();
    // Each day has somebody more already: the one of the last of these comes free afterwards.
    let extra = story.registers_within(last_day).await;
    story.fill(last_day).await;
    story.told().await;
    story.declares(late, injunction(last_day), story.service.now()).await;
    assert!(limit::offers(&story.told().await).is_empty());
    assert_eq!(story.open_escalations().await, 2);
    assert!(story.offered_to(late, 900).await.is_empty());
    // The day after nobody could be told of it any more.
    assert!(extra.at.date() < people[6].at.date());
    let other = sqlx::query("SELECT registration FROM slot WHERE extra > 0 AND at::date = $1::text::date")
        .bind(people[40].at.date().to_string());
    let other: Vec<u8> = other.fetch_one(&story.service.pool).await.unwrap().get(0);
    let mediator = late.told.mediator.clone();
    let registration = RegistrationId(other.try_into().unwrap());
    story.says(&Body::Cancellation(Cancellation { registration, mediator, at: story.service.now() })).await;
    let made = story.offered_to(late, 900).await;
    assert_eq!((made.len(), made[0].at.date()), (1, people[40].at.date()));
    assert_eq!(story.answers(late, &made[0], true).await["state"], "accepted");
    // In time now: theirs is answered, the other's who filled the days is not.
    assert_eq!(story.open_escalations().await, 1);
    assert!(story.offered_to(late, 900).await.is_empty());
}

#[tokio::test]
async fn who_was_dated_without_the_network_after_their_limit_is_offered_a_day_in_time() {
    let mut story = Story::begin().await;
    let asked = json!({ "today": today(&story), "incarnation": 1 });
    let said = story.device.say(&story.service, "POST", "/v1/lease", &asked).await.unwrap();
    assert_eq!(said.status, 200, "{}", said.json);
    let lent = story.told().await.into_iter().find_map(|change| match change {
        Change::Lease { lease, slots, .. } => Some((lease, slots)),
        _ => None,
    });
    let (lease, slots) = lent.unwrap();
    let at = |slot: &LentSlot| SignedToken::from_bytes(&slot.token.0).unwrap().token.at;
    let slot = slots.iter().max_by_key(|slot| at(slot)).unwrap();
    story.count += 1;
    let mut told = story.device.registration(&story.service, story.count, "A").unwrap();
    told.limit = Some(injunction(at(slot).date().yesterday().unwrap()));
    let one = Person { told, at: at(slot), token: slot.token.clone() };
    let registered = Registered {
        registration: one.told.clone(),
        outcome: Outcome::Lease { lease, token: one.token.clone() },
        at: story.service.now(),
        day_declared: false,
    };
    story.says(&Body::Registration(Box::new(registered))).await;
    assert_eq!(story.date_of(&one).await, Some(one.at));
    assert_eq!(story.open_escalations().await, 1);
    let made = story.offered_to(&one, 30).await;
    assert_eq!(made.len(), 1);
    assert!(made[0].at < one.at && made[0].at.date() >= today(&story).saturating_add(3.days()), "{made:?}");
    assert_eq!(story.answers(&one, &made[0], true).await["state"], "accepted");
    assert_eq!(story.open_escalations().await, 0);
}

#[tokio::test]
async fn at_the_counter_again_they_are_asked_about_tomorrow_as_a_newcomer_would_be() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 60).await;
    let (late, tomorrow) = (&people[50], people[0].at.date());
    let last_day = late.at.date().yesterday().unwrap();
    let extra = story.registers_within(last_day).await;
    assert_eq!(extra.at.date(), tomorrow);
    story.fill(last_day).await;
    story.told().await;
    let now = story.service.now();
    story.declares(late, injunction(last_day), now).await;
    assert!(limit::offers(&story.told().await).is_empty());
    story.cancels(&extra).await;
    // Nobody who is not there can be told of tomorrow in time.
    assert!(story.offered_to(late, 900).await.is_empty());
    // The same record again is nothing; said anew it is they who are here.
    story.declares(late, injunction(last_day), now).await;
    assert!(limit::offers(&story.told().await).is_empty());
    story.declares(late, injunction(last_day), story.service.now()).await;
    let made = limit::offers(&story.told().await);
    assert_eq!((made.len(), made[0].0, made[0].1.at.date()), (1, late.told.id, tomorrow));
    assert_eq!(story.answers(late, &made[0].1, true).await["state"], "accepted");
    assert_eq!(story.date_of(late).await, Some(made[0].1.at));
}
