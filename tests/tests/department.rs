#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Whoever accepts any site of their département is received at the one with the earliest date. Their
//! paper, given up, moved, or of a kiosk that is lost, means the same at every site's doors.

use app::contract::{DateSource, DateView, DraftFields, LimitFields, PartyFields};
use central::admin::{Ask, SiteChange};
use domain::calendar::Closure;
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date};
use journeys::counter::{Counter, person, register};
use journeys::stand::SITE;
use sqlx::Row as _;

/// The other site of the département, and its street.
const NEAR: &str = "NEAR";
const STREET: &str = "2 rue Voisine";

/// Closes a site from tomorrow on for so many days, before anybody has a date there.
async fn close(pool: &sqlx::PgPool, site: &str, days: i32) {
    let today = Zoned::now().date();
    let closed = Closure { first: today.saturating_add(1.day()), last: today.saturating_add(days.days()) };
    let ask = Ask::at(Timestamp::now(), central::system_random());
    central::admin::closure(pool, site, None, closed, &ask).await.unwrap();
}

async fn belongs(pool: &sqlx::PgPool, site: &str, department: &str) -> Result<(), String> {
    let change = SiteChange { department: Some(department.into()), ..SiteChange::default() };
    let done = central::admin::change_site(pool, site, &change, Timestamp::now()).await;
    done.map(|_| ()).map_err(|refusal| refusal.to_string())
}

/// A counter whose site is closed for ten weeks, and a site beside it that is not.
async fn two_sites() -> (Counter, sqlx::PgPool) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    journeys::counter::site(&pool, &counter.site_key, (NEAR, "Préfecture voisine", STREET)).await.unwrap();
    close(&pool, SITE, 70).await;
    (counter, pool)
}

async fn anywhere(counter: &Counter, name: &str, more: DraftFields) -> DateView {
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let fields = DraftFields { department_wide: true, limit: more.limit, ..person(name) };
    let saved = counter.kiosk.save_draft(&visit, fields).await.unwrap();
    assert_eq!(saved.problems, []);
    counter.kiosk.confirm(&visit).await.unwrap()
}

fn day(date: &DateView) -> Date {
    date.slot_at.as_deref().unwrap()[..10].parse().unwrap()
}

/// At which site's list a place stands.
async fn site_of(pool: &sqlx::PgPool, date: &DateView) -> (String, Option<String>) {
    let row = sqlx::query(
        "SELECT registration.site, slot.site FROM registration LEFT JOIN slot ON slot.registration = registration.id \
         WHERE registration.code = $1",
    )
    .bind(i64::try_from(domain::code::FollowUpCode::parse(&date.code).unwrap().to_bits()).unwrap())
    .fetch_one(pool)
    .await
    .unwrap();
    (row.get(0), row.get(1))
}

fn both(site: &str) -> (String, Option<String>) {
    (site.to_owned(), Some(site.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_earliest_date_of_the_departement_and_a_paper_every_site_knows() {
    let (counter, pool) = two_sites().await;
    // Until the sites are one département, nobody is asked and nobody is sent elsewhere.
    assert!(counter.kiosk.boot().await.unwrap().nearby.is_empty());
    let alone = anywhere(&counter, "SEULE", DraftFields::default()).await;
    assert_eq!((site_of(&pool, &alone).await, alone.elsewhere), (both(SITE), None));

    for site in [SITE, NEAR] {
        belongs(&pool, site, "93").await.unwrap();
    }
    let near = counter.at_site(NEAR).await.unwrap();
    // A kiosk that was not told the addresses yet asks for a date at its own.
    let unheard = anywhere(&counter, "PAS ENCORE", DraftFields::default()).await;
    assert_eq!(unheard.elsewhere, None);
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(counter.kiosk.boot().await.unwrap().nearby, ["Préfecture voisine"]);
    assert_eq!(site_of(&pool, &unheard).await.0, SITE, "what was printed is the date");

    let there = anywhere(&counter, "AILLEURS", DraftFields::default()).await;
    let here = register(&counter.kiosk, "ICI").await.unwrap();
    assert!(day(&there) < day(&here));
    assert_eq!(there.elsewhere.as_deref(), Some([STREET.to_owned()].as_slice()));
    assert_eq!((there.site.as_str(), here.elsewhere.clone()), ("Préfecture voisine", None));
    counter.kiosk.exchange().await.unwrap();
    assert_eq!(site_of(&pool, &there).await, both(NEAR));
    assert_eq!(site_of(&pool, &here).await, both(SITE));
    let again = counter.kiosk.confirm(&there.visit).await.unwrap();
    assert_eq!(again.slot_at, there.slot_at);
    let status = counter.kiosk.status().await.unwrap();
    assert_eq!(status["journal"]["set_aside"], 0, "{status}");

    // Its door knows the paper, and so does the counter that takes questions.
    near.exchange().await.unwrap();
    let shown = near.show_paper(&there.code_large).await.unwrap();
    assert_eq!((shown.verdict.as_str(), shown.site.as_deref()), ("valid", Some(NEAR)));
    let birth = person("").birth;
    let told = near.follow_up(&there.code, birth).await.unwrap().elsewhere.unwrap();
    assert_eq!((told.site.as_str(), told.slot_at), ("Préfecture voisine", there.slot_at.clone()));

    // Given up where it was made: the other site's door turns it away. Taken back, it is good again.
    counter.kiosk.cancel(&there.visit).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    near.exchange().await.unwrap();
    assert_eq!(near.show_paper(&there.code_large).await.unwrap().verdict, "cancelled");
    counter.kiosk.reinstate(&there.visit).await.unwrap();
    for _ in 0..3 {
        counter.kiosk.exchange().await.unwrap();
    }
    let back = counter.kiosk.date(&there.visit).await.unwrap();
    assert_eq!(back.elsewhere, there.elsewhere);
    assert_eq!(site_of(&pool, &there).await, both(NEAR));
    near.exchange().await.unwrap();
    assert_eq!(near.show_paper(&back.code_large).await.unwrap().verdict, "valid");

    // Its kiosk is lost: what central holds stays good, at the other site too.
    let lost = counter.kiosk.status().await.unwrap()["kiosk"].as_str().unwrap().to_owned();
    let cut = counter.cut_off(None).await.unwrap();
    let offline = anywhere(&cut, "SANS RÉSEAU", DraftFields::default()).await;
    assert_ne!(offline.source, DateSource::Online);
    assert_eq!(offline.elsewhere, None, "a lease is of the kiosk's own site");
    central::admin::lose_kiosk(&pool, SITE, &lost, Timestamp::now()).await.unwrap();
    near.exchange().await.unwrap();
    assert_eq!(near.show_paper(&back.code_large).await.unwrap().verdict, "valid");
    let amber = near.show_paper(&offline.code_large).await.unwrap();
    assert_eq!((amber.verdict.as_str(), amber.reason.as_str()), ("look", "kiosk_lost"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_closes_moves_them_at_that_site_and_their_kiosk_prints_it() {
    let (counter, pool) = two_sites().await;
    for site in [SITE, NEAR] {
        belongs(&pool, site, "2A").await.unwrap();
    }
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let there = anywhere(&counter, "DÉPLACÉE", DraftFields::default()).await;
    assert!(there.elsewhere.is_some());
    counter.kiosk.exchange().await.unwrap();

    let (now, random) = (Timestamp::now(), central::system_random());
    let first = day(&there);
    let closed = Closure { first, last: first.saturating_add(6.days()) };
    let ask = |preview, token| Ask { preview, token, now, random: random.clone() };
    let told = central::admin::closure(&pool, NEAR, None, closed, &ask(true, None)).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    central::admin::closure(&pool, NEAR, None, closed, &ask(false, token)).await.unwrap();
    let told = central::admin::redate(&pool, NEAR, &ask(true, None)).await.unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    central::admin::redate(&pool, NEAR, &ask(false, token)).await.unwrap();
    let near = counter.at_site(NEAR).await.unwrap();
    let mut moved = counter.kiosk.date(&there.visit).await.unwrap();
    for _ in 0..100 {
        near.exchange().await.unwrap();
        counter.kiosk.exchange().await.unwrap();
        moved = counter.kiosk.date(&there.visit).await.unwrap();
        if moved.slot_at != there.slot_at {
            break;
        }
    }
    assert!(day(&moved) > closed.last, "{:?}", moved.slot_at);
    assert_eq!(moved.elsewhere, there.elsewhere);
    assert_eq!(site_of(&pool, &there).await, both(NEAR));
    let pdf = counter.kiosk.paper_pdf(&moved.code).await.unwrap();
    assert!(pdf.starts_with(b"%PDF"));
    near.exchange().await.unwrap();
    assert_eq!(near.show_paper(&there.code_large).await.unwrap().verdict, "replaced");
    assert_eq!(near.show_paper(&moved.code_large).await.unwrap().verdict, "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_limit_is_served_by_whichever_site_can_and_beyond_it_nobody_travels_for_nothing() {
    let (counter, pool) = two_sites().await;
    for site in [SITE, NEAR] {
        belongs(&pool, site, "971").await.unwrap();
    }
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let until = |days: i32| {
        let limit = LimitFields {
            right: "permit_expiry".into(),
            last_day: Zoned::now().date().saturating_add(days.days()).to_string(),
            evidence: "titre".into(),
            ..LimitFields::default()
        };
        DraftFields { limit: Some(limit), ..DraftFields::default() }
    };
    let in_time = anywhere(&counter, "EN DÉLAI", until(30)).await;
    assert!(!in_time.after_limit && in_time.elsewhere.is_some());

    // The other site is closed for longer: the earlier of two late dates is here.
    let both_late = anywhere(&counter, "D'ABORD ICI", DraftFields::default()).await;
    assert!(both_late.elsewhere.is_some());
    let closed = Closure {
        first: Zoned::now().date().saturating_add(1.day()),
        last: Zoned::now().date().saturating_add(100.days()),
    };
    let (now, random) = (Timestamp::now(), central::system_random());
    let told = central::admin::closure(
        &pool,
        NEAR,
        None,
        closed,
        &Ask { preview: true, token: None, now, random: random.clone() },
    )
    .await
    .unwrap();
    let token = told["token"].as_str().map(str::to_owned);
    central::admin::closure(&pool, NEAR, None, closed, &Ask { preview: false, token, now, random })
        .await
        .unwrap();
    let late = anywhere(&counter, "TROP TARD", until(30)).await;
    assert!(late.after_limit);
    assert_eq!(late.elsewhere, None);
    let row = sqlx::query("SELECT count(*) FROM task WHERE kind = 'escalation' AND site = $1")
        .bind(SITE)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>(0), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_learnt_later_is_served_where_the_date_is() {
    let (counter, pool) = two_sites().await;
    close(&pool, NEAR, 20).await;
    for site in [SITE, NEAR] {
        belongs(&pool, site, "974").await.unwrap();
    }
    counter.kiosk.exchange().await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let there = anywhere(&counter, "ORDONNANCE", DraftFields::default()).await;
    assert!(there.elsewhere.is_some());
    counter.kiosk.exchange().await.unwrap();
    // The kiosk's own site opens at once: its slots are of another list.
    let today = Zoned::now().date();
    let closed = Closure { first: today.saturating_add(1.day()), last: today.saturating_add(70.days()) };
    let ask = Ask::at(Timestamp::now(), central::system_random());
    central::admin::remove_closure(&pool, SITE, None, closed, &ask).await.unwrap();
    let limit = LimitFields {
        right: "protection_order".into(),
        last_day: today.saturating_add(40.days()).to_string(),
        evidence: "ordonnance".into(),
        ..LimitFields::default()
    };
    counter.kiosk.declare_limit(&there.visit, limit).await.unwrap();
    for _ in 0..3 {
        counter.kiosk.exchange().await.unwrap();
    }
    let now = counter.kiosk.date(&there.visit).await.unwrap();
    assert_eq!((now.offer, &now.slot_at), (None, &there.slot_at));
    assert_eq!(site_of(&pool, &there).await, both(NEAR));
    let offers = sqlx::query("SELECT count(*) FROM offer").fetch_one(&pool).await.unwrap();
    assert_eq!(offers.get::<i64, _>(0), 0, "nothing earlier where they are received");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_with_what_to_do() {
    let (counter, pool) = two_sites().await;
    assert!(belongs(&pool, SITE, "20").await.unwrap_err().contains("2A"));
    belongs(&pool, SITE, "93").await.unwrap();
    belongs(&pool, SITE, "93").await.unwrap();
    assert!(belongs(&pool, SITE, "94").await.unwrap_err().contains("93"), "it stays");

    // Who comes with others is received with them.
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let fields = DraftFields {
        department_wide: true,
        party: Some(PartyFields { people: "2".into(), with: String::new() }),
        ..person("ENSEMBLE")
    };
    let problems = counter.kiosk.save_draft(&visit, fields).await.unwrap().problems;
    let said: Vec<_> = problems.iter().map(|problem| (&*problem.field, &*problem.code)).collect();
    assert_eq!(said, [("department_wide", "department_together")]);
}
