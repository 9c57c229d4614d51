//! A time limit learnt after the registration: the place of whoever registered then with a limit,
//! a task for the desk, an earlier date offered at once. The date they have holds until they
//! accept, and nobody else's is touched.

use super::*;
use jiff::{Timestamp, ToSpan as _};
use wire::body::LimitDeclared;

/// A limit whose last day is so many days away.
fn limit(story: &Story, right: Right, days: i32, evidence: &str) -> TimeLimit {
    TimeLimit { right, last_day: today(story).saturating_add(days.days()), evidence: evidence.into() }
}

impl Story {
    pub async fn declares(&mut self, one: &Person, limit: TimeLimit, at: Timestamp) {
        let (registration, mediator) = (one.told.id, one.told.mediator.clone());
        self.says(&Body::Limit(LimitDeclared { registration, limit, mediator, at })).await;
    }

    /// Open tasks of one person: kind and reason.
    async fn tasks_of(&self, one: &Person) -> Vec<(String, String)> {
        let told = central::admin::tasks(&self.service.pool, "ONE", false).await.unwrap();
        let code = one.told.code.to_string();
        let of = told["tasks"].as_array().unwrap().iter().filter(|task| task["code"] == json!(code));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut tasks: Vec<_> = of.map(|task| (text(&task["kind"]), text(&task["reason"]))).collect();
        tasks.sort();
        tasks
    }

    async fn place_of(&self, one: &Person) -> (String, i64) {
        let row = sqlx::query("SELECT class, registered_s FROM registration WHERE id = $1")
            .bind(one.told.id.0.as_slice())
            .fetch_one(&self.service.pool)
            .await
            .unwrap();
        (row.get(0), row.get(1))
    }

    /// Somebody whose date waits for the filing of a permit that ends so many days from now.
    pub async fn registers_early(&mut self, days: i32) -> Person {
        self.count += 1;
        self.service.clock.fetch_add(1, Ordering::SeqCst);
        let mut told = self.device.registration(&self.service, self.count, "A").unwrap();
        let expires_on = told.registered_on.saturating_add(days.days());
        told.renewal = Some(Renewal { expires_on, regime: Regime::Other });
        dated_as(&self.service, &mut self.device, told).await.0
    }
}

pub fn offers(told: &[Change]) -> Vec<(RegistrationId, Offered)> {
    let offer = |change: &Change| match change {
        Change::Offered { registration, offer } => Some((*registration, *offer)),
        _ => None,
    };
    told.iter().filter_map(offer).collect()
}

fn task(kind: &str, reason: &str) -> (String, String) {
    (kind.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn it_ranks_by_the_registration_and_the_first_free_slot_is_offered_at_once() {
    let mut story = Story::begin().await;
    // Their filing opens in four months: until the order was made, nothing nearer served them.
    let far = story.registers_early(180).await;
    let people = queue(&mut story, 20).await;
    assert!(far.at > people[19].at);
    story.told().await;
    story.service.clock.fetch_add(60, Ordering::SeqCst);
    let order = limit(&story, Right::ProtectionOrder, 180, "TJ 27/00123");
    let now = story.service.now();
    story.declares(&far, order.clone(), now).await;

    // No turn of the central that runs: it is offered by the record itself.
    let told = story.told().await;
    let made = offers(&told);
    assert_eq!((made.len(), made[0].0), (1, far.told.id));
    assert!(made[0].1.at > people[19].at && made[0].1.at < far.at, "{made:?}");
    assert_eq!(
        made[0].1.until,
        today(&story).saturating_add(3.days()).min(made[0].1.at.date().yesterday().unwrap())
    );
    assert_eq!(story.date_of(&far).await, Some(far.at), "the date they have holds");
    let registered = far.told.registered_at.as_second();
    assert_eq!(story.place_of(&far).await, ("with_time_limit".to_owned(), registered));
    // In time, and not soon: the desk knows until they accept. And the evidence is to be looked at.
    let both = [task("escalation", "not_soon"), task("limit_check", "protection_order")];
    assert_eq!(story.tasks_of(&far).await, both);
    // Nobody gets it while it is offered.
    assert!(story.registers().await.at > made[0].1.at);

    // Said again, once more by the same record of another chain: nothing is done twice.
    story.declares(&far, order, now).await;
    assert!(offers(&story.told().await).is_empty());
    assert_eq!(story.tasks_of(&far).await, both);
    assert_eq!(story.answers(&far, &made[0].1, true).await["state"], "accepted");
    assert_eq!(story.tasks_of(&far).await, [task("limit_check", "protection_order")]);
    assert_eq!(story.date_of(&far).await, Some(made[0].1.at));
    assert_eq!(moved(&story.told().await, &far), [(made[0].1.at, "offer_accepted".to_owned())]);
    for one in &people {
        assert_eq!(story.date_of(one).await, Some(one.at), "nobody else's date moved");
    }
    // The registration itself is told again, as it was: still that one.
    let registered = Registered {
        registration: far.told.clone(),
        outcome: Outcome::Online { token: far.token.clone() },
        at: story.service.now(),
        day_declared: false,
    };
    story.says(&Body::Registration(Box::new(registered.clone()))).await;
    assert_eq!(story.results().await, [""; 0]);
    assert_eq!(story.date_of(&far).await, Some(made[0].1.at));
    let mut other = registered;
    other.registration.limit = Some(limit(&story, Right::PermitExpiry, 20, "x"));
    story.says(&Body::Registration(Box::new(other))).await;
    assert_eq!(story.results().await, ["conflict"], "with a limit it never came with");
}

#[tokio::test]
async fn with_no_earlier_slot_the_desk_is_told_in_the_same_act() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 60).await;
    let late = &people[50];
    let days = (late.at.date() - today(&story)).get_days();
    // Nor is there room for one person more on any day in time.
    story.fill(today(&story).saturating_add((days - 2).days())).await;
    story.told().await;
    let near = limit(&story, Right::CourtInjunction, days - 2, "TA 1");
    let now = story.service.now();
    story.declares(late, near.clone(), now).await;
    assert!(offers(&story.told().await).is_empty());
    let both = [task("escalation", "after_limit"), task("limit_check", "court_injunction")];
    assert_eq!(story.tasks_of(late).await, both);
    // Their date is already in time, and the first there is: nothing to do but look.
    let first = &people[0];
    let served = limit(&story, Right::PermitExpiry, 30, "titre");
    story.declares(first, served, now).await;
    assert!(offers(&story.told().await).is_empty());
    assert_eq!(story.tasks_of(first).await, [task("limit_check", "permit_expiry")]);

    // A later one takes its place: the judge gave more days. The one before is looked at no more.
    story.service.clock.fetch_add(DAY, Ordering::SeqCst);
    let longer = limit(&story, Right::CourtInjunction, days + 20, "TA 2");
    let now = story.service.now();
    story.declares(late, longer, now).await;
    assert_eq!(story.tasks_of(late).await, [task("limit_check", "court_injunction")]);
    let told = central::admin::tasks(&story.service.pool, "ONE", true).await.unwrap();
    let code = late.told.code.to_string();
    let all: Vec<_> =
        told["tasks"].as_array().unwrap().iter().filter(|one| one["code"] == json!(code)).collect();
    let answered = |reason: &str, answer: &str| {
        all.iter().any(|one| one["reason"] == json!(reason) && one["answer"] == json!(answer))
    };
    assert!(answered("after_limit", "dated in time"), "{all:?}");
    assert!(answered("court_injunction", "another limit was declared"), "{all:?}");
    // What was said before that comes last, by a kiosk's other chain: the later one counts.
    story.declares(late, near, story.service.now().saturating_sub(1.hours()).unwrap()).await;
    assert_eq!(story.tasks_of(late).await.len(), 1);
    let held =
        sqlx::query("SELECT body #>> '{limit,evidence}', first_limit::text FROM registration WHERE id = $1");
    let held = held.bind(late.told.id.0.as_slice()).fetch_one(&story.service.pool).await.unwrap();
    assert_eq!((held.get::<String, _>(0), held.get::<String, _>(1)), ("TA 2".into(), "null".into()));
}

#[tokio::test]
async fn a_slot_that_came_free_is_theirs_to_be_asked_about_when_they_are_the_next_in_rank() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 60).await;
    let (before, late) = (&people[40], &people[50]);
    let order = limit(&story, Right::ProtectionOrder, 180, "TJ 1");
    let now = story.service.now();
    // Free, and not yet gone round with: the one who declares first is the first in rank.
    story.cancels(&people[20]).await;
    story.told().await;
    story.declares(late, order.clone(), now).await;
    let made = offers(&story.told().await);
    assert_eq!((made.len(), made[0].0, made[0].1.at), (1, late.told.id, people[20].at));
    // A second slot, an earlier one: somebody else who declared a limit registered before them.
    story.cancels(&people[30]).await;
    let registered_before = limit(&story, Right::CourtInjunction, 90, "TA 1");
    story.declares(before, registered_before, now).await;
    let made = offers(&story.told().await);
    assert_eq!((made.len(), made[0].0, made[0].1.at), (1, before.told.id, people[30].at));
    let third = &people[55];
    story.cancels(&people[35]).await;
    story.cancels(&people[10]).await;
    story.told().await;
    // One who declares now stands behind nobody who has no offer to answer.
    story.declares(third, order.clone(), now).await;
    let made = offers(&story.told().await);
    assert_eq!((made.len(), made[0].0, made[0].1.at), (1, third.told.id, people[10].at));
    // And the one after them is left alone with what the next in rank gains from.
    let last = &people[58];
    story.declares(&people[45], order.clone(), now).await;
    let made = offers(&story.told().await);
    assert_eq!((made.len(), made[0].0, made[0].1.at), (1, people[45].told.id, people[35].at));
    let in_time = limit(&story, Right::CourtInjunction, 90, "TA 2");
    story.declares(last, in_time, now).await;
    assert!(offers(&story.told().await).is_empty());

    // What they are offered meanwhile gives way to something earlier.
    story.cancels(&people[26]).await;
    story.told().await;
    let sooner = limit(&story, Right::ProtectionOrder, 170, "TJ 2");
    let now = story.service.now().saturating_add(1.seconds()).unwrap();
    story.service.clock.fetch_add(1, Ordering::SeqCst);
    story.declares(before, sooner, now).await;
    let told = story.told().await;
    let made = offers(&told);
    assert_eq!((made.len(), made[0].0, made[0].1.at), (1, before.told.id, people[26].at));
    let ended = |change: &&Change| matches!(change, Change::OfferEnded { registration, .. } if *registration == before.told.id);
    assert_eq!(told.iter().filter(ended).count(), 1);
    // The slot they had been asked about goes on to the next.
    let next = story.offered().await;
    assert_eq!((next.len(), next[0].0, next[0].1.at), (1, last.told.id, people[30].at));
}

/// Left or not answered, a slot that was free is free again at once: it went round for nobody else.
#[tokio::test]
async fn a_free_slot_left_is_like_any_other_and_one_said_without_a_network_leaves_time_to_be_told() {
    let mut story = Story::begin().await;
    let (one, two) = (story.registers_early(180).await, story.registers_early(181).await);
    let order = limit(&story, Right::ProtectionOrder, 180, "TJ 1");
    let now = story.service.now();
    story.declares(&one, order.clone(), now).await;
    let made = offers(&story.told().await);
    // Wednesday, the day after: they stand at the counter.
    assert_eq!((made[0].1.at.date(), made[0].1.until), (today(&story).tomorrow().unwrap(), today(&story)));
    assert_eq!(story.answers(&one, &made[0].1, false).await["state"], "declined");
    assert!(story.offered().await.is_empty());
    assert_eq!(story.registers().await.at, made[0].1.at);
    // Said the day before, and heard of only now: nobody is asked to come tomorrow.
    story.declares(&two, order, now.saturating_sub(24.hours()).unwrap()).await;
    let made = offers(&story.told().await);
    assert_eq!(made.len(), 1);
    assert!(made[0].1.at.date() >= today(&story).saturating_add(3.days()), "{made:?}");
    // The last day passes: the same.
    story.service.clock.fetch_add(4 * DAY, Ordering::SeqCst);
    let again = story.offered().await;
    assert_eq!(story.date_of(&two).await, Some(two.at));
    // It goes round for nobody else; both are asked about days they can still be told of.
    assert_eq!(again.len(), 2);
    assert!(again.iter().all(|(_, offer)| offer.at.date() >= today(&story).saturating_add(3.days())));
    let held = sqlx::query("SELECT count(*) FROM freed_slot").fetch_one(&story.service.pool).await.unwrap();
    assert_eq!(held.get::<i64, _>(0), 2);
}

#[tokio::test]
async fn of_a_place_given_up_it_is_kept_for_the_day_they_come_back() {
    let mut story = Story::begin().await;
    let people = queue(&mut story, 30).await;
    let one = &people[20];
    story.cancels(one).await;
    story.told().await;
    let order = limit(&story, Right::ProtectionOrder, 4, "TJ 1");
    story.declares(one, order, story.service.now()).await;
    assert!(offers(&story.told().await).is_empty());
    assert_eq!(story.tasks_of(one).await, []);
    assert_eq!(story.place_of(one).await.0, "with_time_limit");
    story.comes_back(one).await;
    assert_eq!(story.date_of(one).await, Some(one.at));
    let both = [task("escalation", "after_limit"), task("limit_check", "protection_order")];
    assert_eq!(story.tasks_of(one).await, both, "their date lies after it");
}

#[tokio::test]
async fn what_nobody_could_have_declared_is_set_aside() {
    let mut story = Story::begin().await;
    let one = story.registers().await;
    let stranger = Person { told: story.device.registration(&story.service, 99, "B").unwrap(), ..one };
    story.told().await;
    let good = limit(&story, Right::CourtInjunction, 20, "TA 1");
    let now = story.service.now();
    story.declares(&stranger, good.clone(), now).await;
    assert_eq!(story.results().await, ["registration_unknown"]);
    let one = Person { told: story.device.registration(&story.service, 1, "A").unwrap(), ..stranger };
    for (last_day, evidence) in [
        ("2027-03-08", "TA 1".to_owned()),
        ("-009999-01-01", "TA 1".to_owned()),
        ("9999-12-31", "TA 1".to_owned()),
        ("2027-04-01", String::new()),
        ("2027-04-01", "x".repeat(201)),
        ("2027-04-01", "a\u{202e}b".to_owned()),
    ] {
        let wrong = TimeLimit { last_day: last_day.parse().unwrap(), evidence, ..good.clone() };
        story.declares(&one, wrong, now).await;
        assert_eq!(story.results().await, ["limit_refused"], "{last_day}");
    }
    assert_eq!(story.place_of(&one).await.0, "ordinary");
    // A clock years ahead: what another says afterwards still counts.
    story.declares(&one, good, "2099-01-01T00:00:00Z".parse().unwrap()).await;
    assert_eq!(story.results().await, [""; 0]);
    story.service.clock.fetch_add(1, Ordering::SeqCst);
    let later = limit(&story, Right::PermitExpiry, 30, "titre");
    story.declares(&one, later, story.service.now()).await;
    assert_eq!(story.tasks_of(&one).await, [task("limit_check", "permit_expiry")]);
}
