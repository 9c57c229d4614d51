//! A change is seen before it is made, and moves no date.

use super::*;

#[tokio::test]
async fn a_closure_is_seen_before_it_is_made_and_moves_no_date() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 9).await.unwrap();
    let silent = service.device("ONE", 8).await.unwrap();
    // Two online dates, a lease at a kiosk that exchanges, another at one that falls silent.
    for n in 1..=2 {
        let registration = wanting(&device, &service, n, "renewal");
        let said = ask(&device, &service, &registration).await;
        let token = token(&said).unwrap().to_bytes().into();
        let says = Registered {
            registration,
            outcome: Outcome::Online { token },
            at: service.now(),
            day_declared: false,
        };
        let record = device.says(&Body::Registration(Box::new(says))).unwrap();
        device.push(&service, vec![record]).await.unwrap();
    }
    let near = |slots: Vec<LentSlot>| -> Vec<LentSlot> {
        slots.into_iter().filter(|slot| slot.stratum == Stratum::Front).collect()
    };
    let mine = near(lent(&device, &service, "/v1/lease?procedures=1").await);
    let theirs = near(lent(&silent, &service, "/v1/lease?procedures=1").await);
    let registration = wanting(&device, &service, 3, "renewal");
    let (lease, incarnation) = leased(&device, &service).await;
    assert_eq!(incarnation, 1);
    let outcome = Outcome::Lease { lease, token: mine[0].token.clone() };
    let says = Registered { registration, outcome, at: service.now(), day_declared: false };
    let record = device.says(&Body::Registration(Box::new(says))).unwrap();
    device.push(&service, vec![record]).await.unwrap();
    // A day passes, and only one of the two is heard.
    service.clock.fetch_add(86_400, Ordering::SeqCst);
    device.pull(&service, 0).await.unwrap();

    let week = Closure { first: date(2027, 3, 10), last: date(2027, 3, 16) };
    let before = dates(&service).await;
    let told = admin::closure(&service.pool, "ONE", None, week, &preview(&service)).await.unwrap();
    let count = |key: &str| -> i64 {
        told["days"].as_array().unwrap().iter().map(|day| day[key].as_i64().unwrap()).sum()
    };
    assert_eq!((count("online"), count("from_lease")), (2, 1), "{told}");
    let held = i64::try_from(mine.len() - 1 + theirs.len()).unwrap();
    // One near slot each besides.
    assert_eq!(count("lent"), held + 2, "{told}");
    let kiosks = told["kiosks"].as_array().unwrap();
    let silence = |device: &Device| {
        let of = kiosks.iter().find(|kiosk| kiosk["kiosk"] == device.kiosk.to_string()).unwrap();
        of["silent_s"].as_i64().unwrap()
    };
    assert_eq!(kiosks.len(), 2);
    assert_eq!((silence(&device), silence(&silent)), (0, 86_400), "{told}");
    assert!(told["slots_vanish"].as_i64().unwrap() > 0);
    let codes: Vec<String> = admin::registrations(&service.pool, "ONE").await.unwrap()["registrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect();
    assert!(codes.iter().all(|code| !told.to_string().contains(code)), "no code is in it");
    assert_eq!(dates(&service).await, before);
    assert_eq!(tasks(&service, "ONE").await, [], "a preview does nothing");

    // Not without having seen it; not when another date was given meanwhile.
    let blind = admin::closure(&service.pool, "ONE", None, week, &now(&service)).await;
    assert!(sentence(blind).contains("--preview"));
    given(&device, &service, 4, "renewal").await.unwrap();
    let stale = admin::closure(&service.pool, "ONE", None, week, &seen(&service, &told)).await;
    assert!(sentence(stale).contains("not those of this token any more"));
    let other = Closure { last: date(2027, 3, 15), ..week };
    let told = admin::closure(&service.pool, "ONE", None, week, &preview(&service)).await.unwrap();
    let stale = admin::closure(&service.pool, "ONE", None, other, &seen(&service, &told)).await;
    assert!(sentence(stale).contains("token"), "a token is for one act");
    let before = dates(&service).await;
    let done = admin::closure(&service.pool, "ONE", None, week, &seen(&service, &told)).await.unwrap();
    assert_eq!(done["tasks"], 4, "{done}");
    assert_eq!(dates(&service).await, before, "nobody is moved");
    let outside = tasks(&service, "ONE").await;
    assert_eq!(outside.len(), 4);
    assert!(outside.iter().all(|task| task.0 == "date_outside" && task.1 == "closed"), "{outside:?}");
    assert!(outside.iter().all(|task| task.2.as_str() <= "2027-03-17"), "{outside:?}");

    // New dates lie after it, and a slot inside that comes back is given to nobody.
    assert_eq!(given(&silent, &service, 5, "renewal").await.map(|at| at.date()), Some(date(2027, 3, 17)));
    // The silent kiosk has given one, and comes home: the date on the paper stands, and is a task.
    let mut silent = silent;
    let registration = wanting(&silent, &service, 6, "renewal");
    let (lease, _) = leased(&silent, &service).await;
    let outcome = Outcome::Lease { lease, token: theirs[0].token.clone() };
    let says = Registered { registration, outcome, at: service.now(), day_declared: false };
    let record = silent.says(&Body::Registration(Box::new(says))).unwrap();
    silent.push(&service, vec![record]).await.unwrap();
    silent.pull(&service, 0).await.unwrap();
    assert_eq!(tasks(&service, "ONE").await.len(), 5);

    // Taken back: all is as it was, and nothing is left to do.
    let back = admin::remove_closure(&service.pool, "ONE", None, week, &now(&service)).await.unwrap();
    assert!(back["slots_appear"].as_i64().unwrap() > 0);
    assert_eq!(tasks(&service, "ONE").await, []);
    let outside = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE outside");
    assert_eq!(outside.fetch_one(&service.pool).await.unwrap(), 0);
    let again = admin::remove_closure(&service.pool, "ONE", None, week, &now(&service)).await;
    assert!(sentence(again).contains("no closure"));
}

async fn leased(device: &Device, service: &Service) -> (domain::ids::LeaseId, u32) {
    let pulled = device.pull(service, 0).await.unwrap();
    let found = pulled.changes.into_iter().find_map(|told| match told {
        Told::Known(Change::Lease { lease, incarnation, .. }) => Some((lease, incarnation)),
        _ => None,
    });
    found.unwrap()
}

#[tokio::test]
async fn other_hours_and_other_procedures_put_only_those_dates_in_question() {
    let service = Service::start().await.unwrap();
    with(&service, "DESK", 0, &[Pattern { capacity: 2, ..hour(TODAY) }]).await;
    let device = service.device("DESK", 9).await.unwrap();
    for (n, procedure) in [(1, "renewal"), (2, "naturalisation"), (3, "renewal"), (4, "duplicate")] {
        given(&device, &service, n, procedure).await.unwrap();
    }
    // From the second day on one person at once, for renewals and duplicates.
    let less = Pattern { procedures: only(&["renewal", "duplicate"]), ..hour(date(2027, 3, 11)) };
    let act = PatternChange::Replace(less);
    let change = async |ask: Ask| admin::counter_change(&service.pool, "DESK", "C0", &act, &ask).await;
    let told = change(preview(&service)).await.unwrap();
    assert_eq!(told["outside"], 1, "the second of the two received at once on the 11th: {told}");
    assert_eq!(told["listed"][0]["reason"], "closed");
    change(seen(&service, &told)).await.unwrap();
    // From the first day on renewals alone: the one for naturalisation is not served.
    let fewer = PatternChange::Replace(Pattern { procedures: only(&["renewal"]), ..hour(date(2027, 3, 10)) });
    let change = async |ask: Ask| admin::counter_change(&service.pool, "DESK", "C0", &fewer, &ask).await;
    let told = change(preview(&service)).await.unwrap();
    let reasons: BTreeSet<&str> =
        told["listed"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert!(!reasons.is_empty() && told["outside"].as_i64().unwrap() <= 3, "{told}");
    let before = dates(&service).await;
    change(seen(&service, &told)).await.unwrap();
    assert_eq!(dates(&service).await, before);
    // No weekly hours at all any more.
    let end = PatternChange::End(date(2027, 3, 10));
    let told = admin::counter_change(&service.pool, "DESK", "C0", &end, &preview(&service)).await.unwrap();
    admin::counter_change(&service.pool, "DESK", "C0", &end, &seen(&service, &told)).await.unwrap();
    assert_eq!(dates(&service).await, before);
    assert_eq!(given(&device, &service, 5, "renewal").await, None);
    let free = sqlx::query_scalar::<_, i64>(
        "SELECT count(*) FROM slot WHERE site = 'DESK' AND at > '2027-03-10' AND registration IS NULL",
    );
    assert_eq!(free.fetch_one(&service.pool).await.unwrap(), 0);

    // What cannot be is refused with what can.
    for (pattern, word) in [
        (Pattern { capacity: CAPACITY_MAX + 1, ..hour(date(2027, 3, 20)) }, "--capacity"),
        (Pattern { procedures: ProcedureSet::NONE, ..hour(date(2027, 3, 20)) }, "--procedures"),
        (hour(date(2027, 3, 1)), "--from"),
    ] {
        let act = PatternChange::Add(pattern);
        let refused = admin::counter_change(&service.pool, "DESK", "C0", &act, &now(&service)).await;
        assert!(sentence(refused).contains(word));
    }
    let unknown = admin::counter_change(&service.pool, "DESK", "NONE", &end, &now(&service)).await;
    assert!(sentence(unknown).contains("there is C0"));
}

/// A date asked for and never kept, inside a closure made meanwhile: the kiosk that asks again
/// is told another one.
#[tokio::test]
async fn a_date_nobody_keeps_yet_is_not_printed_into_a_closure() {
    let service = Service::start().await.unwrap();
    let device = service.device("ONE", 9).await.unwrap();
    let registration = wanting(&device, &service, 1, "renewal");
    assert_eq!(
        token(&ask(&device, &service, &registration).await).unwrap().token.at.date(),
        date(2027, 3, 10)
    );
    let day = Closure { first: date(2027, 3, 10), last: date(2027, 3, 10) };
    let told = admin::closure(&service.pool, "ONE", None, day, &preview(&service)).await.unwrap();
    admin::closure(&service.pool, "ONE", None, day, &seen(&service, &told)).await.unwrap();
    assert_eq!(
        token(&ask(&device, &service, &registration).await).unwrap().token.at.date(),
        date(2027, 3, 11)
    );
}

/// While the calendar changes nobody is sent past the days it locks, nor given what vanishes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_and_a_crowd_wait_for_each_other() {
    let service = Service::start().await.unwrap();
    with(&service, "BUSY", 0, &[Pattern { capacity: 20, ..hour(TODAY) }]).await;
    let device = service.device("BUSY", 9).await.unwrap();
    given(&device, &service, 99, "renewal").await.unwrap();
    let act = PatternChange::Replace(Pattern { capacity: 10, ..hour(date(2027, 3, 10)) });
    let people = (1..=16).map(|n| given(&device, &service, n, "renewal"));
    let change = async {
        loop {
            let told =
                admin::counter_change(&service.pool, "BUSY", "C0", &act, &preview(&service)).await.unwrap();
            match admin::counter_change(&service.pool, "BUSY", "C0", &act, &seen(&service, &told)).await {
                Ok(done) => break done,
                // Another date was given meanwhile: looked at again.
                Err(refusal) => assert!(refusal.is_refusal(), "{refusal}"),
            }
        }
    };
    let (days, done) = tokio::join!(all_at_once(people), change);
    assert!(days.iter().all(|at| at.is_some_and(|at| at.date() <= date(2027, 3, 11))), "{days:?}");
    let outside =
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE outside AND registration IS NOT NULL");
    assert_eq!(json!(outside.fetch_one(&service.pool).await.unwrap()), done["tasks"]);
    assert_eq!(dates(&service).await.len(), 17);
}

/// All at once, in their order.
async fn all_at_once<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (one, slot) in waiting.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = one.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
