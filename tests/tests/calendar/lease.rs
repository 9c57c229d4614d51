//! Leases and the calendar: what a kiosk is lent, gives and gives back.

use super::*;
use axum::extract::Request;
use axum::middleware::{self, Next};
use journeys::counter::Listening;

#[tokio::test]
async fn a_kiosk_is_lent_by_its_demand_and_only_what_it_can_tell_apart() {
    let service = Service::start().await.unwrap();
    let renewals = Pattern { procedures: only(&["renewal"]), ..hour(TODAY) };
    // The rare one has the earlier hour every day: first come would lend nothing else.
    let rare = Pattern {
        procedures: only(&["naturalisation"]),
        opens: time(8, 0, 0, 0),
        closes: time(9, 0, 0, 0),
        ..hour(TODAY)
    };
    with(&service, "MIX", 8, &[renewals, rare]).await;
    let mut device = service.device("MIX", 9).await.unwrap();
    let person = |n| wanting(&device, &service, n, "renewal");
    let ranked: Vec<Registration> = (1..=5).map(person).collect();
    for registration in ranked {
        let outcome = Outcome::Rank { held: None, told: None, busy: None };
        let says = Registered { registration, outcome, at: service.now(), day_declared: false };
        let record = device.says(&Body::Registration(Box::new(says))).unwrap();
        device.push(&service, vec![record]).await.unwrap();
    }

    // A kiosk of an earlier version would give any slot to anybody: there is none it may have.
    assert_eq!(lent(&device, &service, "/v1/lease").await, []);
    let slots = lent(&device, &service, "/v1/lease?procedures=1").await;
    let front: Vec<&LentSlot> = slots.iter().filter(|slot| slot.stratum == Stratum::Front).collect();
    let of = |key: &str, slots: &[&LentSlot]| {
        slots.iter().filter(|slot| slot.procedures == Some(vec![key.to_owned()])).count()
    };
    assert_eq!(front.len(), 4);
    // Six parts to one: five asked for renewals, and each procedure counts once more.
    assert_eq!((of("renewal", &front), of("naturalisation", &front)), (4, 0), "{front:?}");
    let all: Vec<&LentSlot> = slots.iter().collect();
    assert!(of("renewal", &all) > 4 * of("naturalisation", &all), "{all:?}");
    assert!(of("naturalisation", &all) >= 1, "the rare one is not forgotten");
    assert!(lent(&device, &service, "/v1/lease?procedures=1").await.len() == slots.len(), "it is full");

    // One counter for everybody, and an older kiosk is lent that one's slots.
    admin::counter(&service.pool, "MIX", "ALL", &[hour(TODAY)]).await.unwrap();
    let old = service.device("MIX", 7).await.unwrap();
    let slots = lent(&old, &service, "/v1/lease").await;
    assert!(slots.len() >= 8 && slots.iter().all(|slot| slot.procedures.is_none()), "{slots:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offline_kiosk_gives_nobody_a_slot_of_another_procedure() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let tomorrow = jiff::Zoned::now().date().tomorrow().unwrap();
    let travel = Pattern { procedures: only(&["refugee_travel_document"]), ..hour(tomorrow) };
    let act = PatternChange::Replace(travel);
    let ask = Ask::at(jiff::Timestamp::now(), central::system_random());
    admin::counter_change(&pool, SITE, "A", &act, &ask).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert!(counter.kiosk.home().await.unwrap().lease.free > 0);
    counter = counter.cut_off(None).await.unwrap();
    // They come for a renewal: none of the slots held is for them, backstops neither.
    let date = register(&counter.kiosk, "LOIN").await.unwrap();
    assert_eq!((date.kind, date.source), (PaperKind::Receipt, DateSource::Rank));
    assert_eq!((date.slot_at, date.no_later_than), (None, None));
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let mut fields = person("PRES");
    fields.procedure = "refugee_travel_document".into();
    counter.kiosk.save_draft(&visit, fields).await.unwrap();
    assert_eq!(counter.kiosk.confirm(&visit).await.unwrap().source, DateSource::Lease);

    // Home again: the first has no date at this site, and the desk knows.
    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let listed = admin::tasks(&pool, SITE, false).await.unwrap();
    assert_eq!(listed["tasks"][0]["reason"], "no_capacity", "{listed}");
    assert_eq!(listed["tasks"].as_array().unwrap().len(), 1, "{listed}");
}

/// A kiosk that is heard gives what was closed back by its own record, and is lent other slots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connected_kiosk_gives_no_date_into_a_closure() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let lease = counter.kiosk.home().await.unwrap().lease;
    let day = |text: &Option<String>| text.as_deref().unwrap().parse::<Date>().unwrap();
    let closure = Closure { first: day(&lease.first_day), last: day(&lease.last_day) };
    let ask = Ask::at(jiff::Timestamp::now(), central::system_random());
    let look = Ask { preview: true, ..ask.clone() };
    let told = admin::closure(&pool, SITE, None, closure, &look).await.unwrap();
    assert_eq!(told["kiosks"][0]["lent"], lease.free, "{told}");
    let token = told["token"].as_str().map(str::to_owned);
    let done = admin::closure(&pool, SITE, None, closure, &Ask { token, ..ask.clone() }).await.unwrap();
    assert_eq!(done["tasks"], 0, "nobody was dated: {done}");
    // It hears, gives back, and is lent to again.
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let again = counter.kiosk.home().await.unwrap().lease;
    assert_eq!(again.free, lease.free);
    assert!(day(&again.first_day) > closure.last, "{again:?}");
    counter = counter.cut_off(None).await.unwrap();
    let date = register(&counter.kiosk, "LOIN").await.unwrap();
    assert_eq!(date.source, DateSource::Lease);
    assert!(day(&date.slot_at.map(|at| at[..10].to_owned())) > closure.last);
    let lent = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE outside AND lease IS NOT NULL");
    assert_eq!(lent.fetch_one(&pool).await.unwrap(), 0, "central has them back");
    let told = admin::remove_closure(&pool, SITE, None, closure, &ask).await.unwrap();
    assert_eq!(told["outside"], 0);
    let outside = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM slot WHERE outside");
    assert_eq!(outside.fetch_one(&pool).await.unwrap(), 0);
}

/// Ends the only counter of the story from tomorrow on, in one go.
async fn end_counter(pool: &central::Pool) {
    let ask = Ask::at(jiff::Timestamp::now(), central::system_random());
    let act = PatternChange::End(jiff::Zoned::now().date().tomorrow().unwrap());
    let look = Ask { preview: true, ..ask.clone() };
    let told = admin::counter_change(pool, SITE, "A", &act, &look).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    admin::counter_change(pool, SITE, "A", &act, &Ask { token, ..ask }).await.unwrap();
}

async fn open_tasks(pool: &central::Pool) -> Vec<(String, String)> {
    let listed = admin::tasks(pool, SITE, false).await.unwrap();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tasks = listed["tasks"].as_array().unwrap().iter();
    tasks.map(|task| (word(&task["kind"]), word(&task["reason"]))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_that_no_date_exists_a_kiosk_hears_what_its_lease_is_still_good_for() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert!(counter.kiosk.home().await.unwrap().lease.free > 0);
    end_counter(&pool).await;
    // Not one exchange since: central has no date, and the lease none either.
    let date = register(&counter.kiosk, "SANS DATE").await.unwrap();
    assert_eq!((date.kind, date.source), (PaperKind::Receipt, DateSource::Rank));
    assert_eq!((&date.slot_at, &date.no_later_than), (&None, &None));
    assert!(date.told.is_some(), "central said so");
    assert_eq!(counter.kiosk.home().await.unwrap().lease.free, 0);
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(open_tasks(&pool).await, [("escalation".to_owned(), "no_capacity".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_heard_in_time_the_lease_is_as_it_is_offline() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    end_counter(&pool).await;
    // Everything is answered but what is new.
    let lay = |router: axum::Router| {
        router.layer(middleware::from_fn(async |request: Request, next: Next| {
            if request.uri().path() == "/v1/changes" {
                std::future::pending::<()>().await;
            }
            next.run(request).await
        }))
    };
    let other = Listening::with(pool.clone(), counter.folder.path(), lay).await.unwrap();
    let ca = counter.folder.path().join(journeys::tls::CA);
    let url = format!("https://localhost:{}", other.address.port());
    counter = counter.asking(&url, &ca).await.unwrap();
    let date = register(&counter.kiosk, "BAIL").await.unwrap();
    assert_eq!((date.kind, date.source), (PaperKind::Convocation, DateSource::Lease));
    // It stands as one given offline does: the desk has it at once.
    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert!(open_tasks(&pool).await.iter().any(|(kind, _)| kind == "date_outside"));
}
