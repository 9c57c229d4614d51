//! A detail corrected after the registration: the same person is known by it from then on, at the
//! same place and date; another person never comes into the place, whoever says so.

use super::*;
use app::contract::{CorrectionFields, DetailFields};
use domain::applicant::{Agdref, Nationality};
use domain::birth::Birth;
use domain::correction::{CORRECTIONS_MAX, Details};
use domain::lists::IssuersList;
use jiff::Timestamp;
use jiff::civil::date;
use journeys::counter::{Counter, person, register};
use seal::lists::held_mark;
use wire::body::{Correction, LimitDeclared};
use wire::messages::{ListKind, SignedList};

const BORN: Birth = Birth::Whole { date: date(1991, 3, 14) };

fn details(family: &str, given: &str) -> Details {
    Details {
        family_names: family.into(),
        given_names: Some(given.into()),
        birth: BORN,
        nationality: Nationality::parse("MLI").unwrap(),
    }
}

fn correction(one: &Person, details: Details, at: Timestamp) -> Body {
    let (registration, mediator) = (one.told.id, one.told.mediator.clone());
    Body::Correction(Correction { registration, details, lang: "fr".into(), mediator, at })
}

impl Story {
    /// Somebody of this name, born 14 March 1991.
    async fn registers_as(&mut self, family: &str, given: &str, agdref: Option<&str>) -> Person {
        self.count += 1;
        self.service.clock.fetch_add(1, Ordering::SeqCst);
        let mut told = self.device.registration(&self.service, self.count, family).unwrap();
        details(family, given).stand_in(&mut told.applicant);
        told.applicant.agdref = agdref.and_then(Agdref::parse);
        dated_as(&self.service, &mut self.device, told).await.0
    }

    /// Says it now, a second after what came before; answers why it was set aside.
    async fn corrects(&mut self, one: &Person, details: Details) -> Vec<String> {
        self.service.clock.fetch_add(1, Ordering::SeqCst);
        let said = correction(one, details, self.service.now());
        self.says(&said).await;
        self.results().await
    }

    async fn known(&self, one: &Person) -> Registration {
        let row = sqlx::query("SELECT body::text FROM registration WHERE id = $1")
            .bind(one.told.id.0.as_slice())
            .fetch_one(&self.service.pool)
            .await
            .unwrap();
        serde_json::from_str(row.get(0)).unwrap()
    }

    /// Everything a correction leaves alone.
    async fn place(&self, one: &Person) -> (String, i64, i64, Option<String>, Option<i64>) {
        let row = sqlx::query(
            "SELECT class, registered_s, tie_break, registration.earliest::text, slot.id FROM registration \
             LEFT JOIN slot ON slot.registration = registration.id WHERE registration.id = $1",
        )
        .bind(one.told.id.0.as_slice())
        .fetch_one(&self.service.pool)
        .await
        .unwrap();
        (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))
    }

    /// Who is linked with whom: the later one first.
    async fn links(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows = sqlx::query("SELECT later, earlier FROM merge_link ORDER BY 1, 2")
            .fetch_all(&self.service.pool)
            .await
            .unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    async fn told_again(&mut self, one: &Person, registration: Registration) -> Vec<String> {
        let outcome = Outcome::Online { token: one.token.clone() };
        let registered = Registered { registration, outcome, at: self.service.now(), day_declared: false };
        self.says(&Body::Registration(Box::new(registered))).await;
        self.results().await
    }

    async fn desk(&self) -> Vec<(String, String)> {
        let told = central::admin::tasks(&self.service.pool, "ONE", false).await.unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tasks = told["tasks"].as_array().unwrap();
        tasks.iter().map(|task| (text(&task["kind"]), text(&task["reason"]))).collect()
    }
}

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn a_slip_is_put_right_and_place_and_date_stay() {
    let mut story = Story::begin().await;
    let one = story.registers_as("DIALO", "Mohamed", None).await;
    let before = story.place(&one).await;
    let mut now = details("DIALLO", "Mohammed");
    now.birth = Birth::Whole { date: date(1991, 3, 4) };
    assert_eq!(story.corrects(&one, now.clone()).await, NOTHING);
    let known = story.known(&one).await;
    assert_eq!(Details::of(&known.applicant), now);
    assert_eq!((known.registered_at, known.code), (one.told.registered_at, one.told.code));
    assert_eq!(story.place(&one).await, before);
    // Their birth date as it is now finds them, and the one before no more.
    let follow = async |story: &Story, day: i8| {
        let asked = json!({ "code": one.told.code, "year": 1991, "month": 3, "day": day });
        story.device.say(&story.service, "POST", "/v1/follow-up", &asked).await.unwrap().json["found"].clone()
    };
    assert!(follow(&story, 4).await["at"].is_string());
    assert!(follow(&story, 14).await.is_null());

    // The same record comes again, by a second chain of the kiosk: once is enough.
    let again = correction(&one, now.clone(), story.service.now());
    story.says(&again).await;
    assert_eq!(story.results().await, NOTHING);
    let taken = sqlx::query("SELECT count(*) FROM correction").fetch_one(&story.service.pool).await.unwrap();
    assert_eq!(taken.get::<i64, _>(0), 1);
    // The registration told as it first was is still that one, and told as it never was is not.
    assert_eq!(story.told_again(&one, one.told.clone()).await, NOTHING);
    assert_eq!(story.known(&one).await, known);
    let mut never = one.told.clone();
    never.applicant.family_names = "TRAORE".into();
    assert_eq!(story.told_again(&one, never).await, ["conflict"]);
    assert_eq!(story.told_again(&one, known.clone()).await, ["conflict"], "it did not come with these");
    // Read back from a paper meanwhile: the kiosk's own word says what it came with, and what was
    // corrected stays.
    sqlx::query("UPDATE registration SET rebuilt = true WHERE id = $1")
        .bind(one.told.id.0.as_slice())
        .execute(&story.service.pool)
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(story.told_again(&one, one.told.clone()).await, NOTHING);
        assert_eq!(story.known(&one).await, known);
    }
    // The language alone costs nothing of what may be corrected.
    for lang in ["ar", "en", "fr", "ar", "en"] {
        story.service.clock.fetch_add(1, Ordering::SeqCst);
        let Body::Correction(said) = correction(&one, now.clone(), story.service.now()) else { panic!() };
        story.says(&Body::Correction(Correction { lang: lang.into(), ..said })).await;
        assert_eq!(story.results().await, NOTHING);
        assert_eq!(story.known(&one).await.lang, lang);
    }
    // Nothing of it is the desk's but what was told as it never was.
    assert_eq!(story.desk().await, [("failed_step".to_owned(), "registration:conflict".to_owned())]);
}

#[tokio::test]
async fn nobody_else_comes_into_a_place() {
    let mut story = Story::begin().await;
    let one = story.registers_as("DIALLO", "Mohamed", None).await;
    let other = story.registers_as("KEITA", "Awa", None).await;
    let before = (story.known(&one).await, story.place(&one).await);
    assert_eq!(story.corrects(&one, details("TRAORE", "Fatoumata")).await, ["correction_refused"]);
    let mut father = details("DIALLO", "Mohamed");
    father.birth = Birth::Whole { date: date(1961, 3, 14) };
    assert_eq!(story.corrects(&one, father).await, ["correction_refused"]);
    let mut all = details("DIALLO", "Muhammad");
    (all.birth, all.nationality) =
        (Birth::Whole { date: date(1991, 4, 14) }, Nationality::parse("SEN").unwrap());
    assert_eq!(story.corrects(&one, all).await, ["correction_refused"]);
    assert_eq!((story.known(&one).await, story.place(&one).await), before);
    let mut tasks = story.desk().await;
    tasks.sort();
    let task = |reason: &str| ("correction_check".to_owned(), reason.to_owned());
    assert_eq!(
        tasks,
        [task("correction_birth"), task("correction_name"), task("correction_together")],
        "the desk looks at each"
    );
    // A hostile kiosk that says it again makes no heap of tasks.
    assert_eq!(story.corrects(&one, details("TRAORE", "Fatoumata")).await, ["correction_refused"]);
    assert_eq!(story.desk().await.len(), 3);

    // Small steps: each is judged by all that stood before. What follows is not held up.
    for (given, taken) in [("Mohamet", true), ("Mohamit", true), ("Mahamit", false), ("Hamit", false)] {
        let refused = story.corrects(&one, details("DIALLO", given)).await;
        assert_eq!(refused.is_empty(), taken, "{given} {refused:?}");
    }
    assert_eq!(story.known(&one).await.applicant.given_names.as_deref(), Some("Mohamit"));
    assert_eq!(story.corrects(&one, details("DIALLO", "Mohamed")).await, NOTHING);
    // That many, and no more, even back to what it was.
    assert_eq!(story.corrects(&one, details("DIALLO", "Mohamet")).await, ["correction_refused"]);
    assert!(story.desk().await.contains(&task("correction_too_many")));
    let taken = sqlx::query("SELECT count(*) FROM correction").fetch_one(&story.service.pool).await.unwrap();
    assert_eq!(taken.get::<i64, _>(0), i64::try_from(CORRECTIONS_MAX).unwrap());
    // Another's registration, one nobody made, one of a kiosk that did not make it.
    let stranger = Person { told: story.device.registration(&story.service, 99, "B").unwrap(), ..one };
    assert_eq!(story.corrects(&stranger, details("B", "B")).await, ["registration_unknown"]);
    let mut second = story.service.device("ONE", 2).await.unwrap();
    let said = correction(&other, details("KEITA", "Awaa"), story.service.now());
    let record = second.says(&said).unwrap();
    second.push(&story.service, vec![record]).await.unwrap();
    assert_eq!(story.known(&other).await, other.told);
    // What nobody could have typed.
    for wrong in ["", " KEITA", "KEI\u{202e}TA"] {
        assert_eq!(story.corrects(&other, details(wrong, "Awa")).await, ["value_refused"], "{wrong:?}");
    }
    let mut unborn = details("KEITA", "Awa");
    unborn.birth = Birth::Year { year: 2040 };
    assert_eq!(story.corrects(&other, unborn).await, ["value_refused"]);
    let Body::Correction(said) = correction(&other, details("KEITA", "Awa"), story.service.now()) else {
        panic!()
    };
    story.says(&Body::Correction(Correction { lang: "<script>".into(), ..said })).await;
    assert_eq!(story.results().await, ["value_refused"]);
    assert_eq!(story.known(&other).await, other.told);
}

#[tokio::test]
async fn in_whatever_order_it_comes_the_last_word_of_each_kind_stands() {
    let mut story = Story::begin().await;
    let (now, right) = (details("DIALLO", "Mohammed"), Right::PermitExpiry);
    let mut ended = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let one = story.registers_as("DIALO", "Mohamed", None).await;
        let at = story.service.now();
        let last_day = today(&story).saturating_add(jiff::ToSpan::days(200));
        let limit = TimeLimit { right, last_day, evidence: "titre".into() };
        let (registration, mediator) = (one.told.id, one.told.mediator.clone());
        let acts = [
            correction(&one, details("DIALO", "Mohammed"), at),
            correction(&one, now.clone(), at.saturating_add(jiff::ToSpan::seconds(1)).unwrap()),
            Body::Limit(LimitDeclared { registration, limit, mediator: mediator.clone(), at }),
            Body::Cancellation(Cancellation { registration, mediator, at }),
        ];
        story.service.clock.fetch_add(2, Ordering::SeqCst);
        for act in order {
            story.says(&acts[act]).await;
        }
        assert_eq!(story.results().await, NOTHING, "{order:?}");
        story.comes_back(&one).await;
        let known = story.known(&one).await;
        assert_eq!(Details::of(&known.applicant), now, "{order:?}");
        assert_eq!(known.class().key(), "with_time_limit");
        assert_eq!(story.date_of(&one).await, Some(one.at), "{order:?}");
        assert_eq!(story.told_again(&one, one.told.clone()).await, NOTHING);
        ended.push((known.applicant, known.limit));
    }
    assert!(ended.windows(2).all(|two| two[0] == two[1]));
    // What was said before and comes last counts among what stood: a paper bears it.
    let taken = sqlx::query("SELECT count(*) FROM correction").fetch_one(&story.service.pool).await.unwrap();
    assert_eq!(taken.get::<i64, _>(0), 8);
}

#[tokio::test]
async fn who_registered_twice_is_found_by_what_is_right_and_no_more_by_what_was_not() {
    let mut story = Story::begin().await;
    let number = Some("1234567890");
    let first = story.registers_as("DIALLO", "Awa", number).await;
    let slip = story.registers_as("DIALO", "Awa", number).await;
    let other = story.registers_as("DIALLO", "Awa", Some("999999999")).await;
    assert_eq!(story.links().await, []);
    assert_eq!(story.corrects(&slip, details("DIALLO", "Awa")).await, NOTHING);
    let key = |one: &Person| one.told.id.0.to_vec();
    assert_eq!(story.links().await, [(key(&slip), key(&first))]);
    // The first of three is corrected away: those left are each other's.
    let third = story.registers_as("DIALLO", "Awa", number).await;
    assert_eq!(story.links().await, [(key(&slip), key(&first)), (key(&third), key(&first))]);
    assert_eq!(story.corrects(&first, details("DIALLO", "Awaa B")).await, NOTHING);
    assert_eq!(story.links().await, [(key(&third), key(&slip))]);
    // And back.
    assert_eq!(story.corrects(&first, details("DIALLO", "Awa")).await, NOTHING);
    assert_eq!(story.links().await, [(key(&slip), key(&first)), (key(&third), key(&first))]);
    assert_eq!(story.date_of(&other).await, Some(other.at));
}

/// At a door a paper of a lost kiosk is good by the name on it, that before the correction too; one
/// that was stored before the loss and is applied after it is told to every door.
#[tokio::test]
async fn every_paper_there_was_stays_good_when_the_kiosk_is_lost() {
    let mut story = Story::begin().await;
    let second = story.service.device("ONE", 2).await.unwrap();
    let one = story.registers_as("DIALO", "Awa", None).await;
    let (between, now) = (details("DIALLO", "Awa"), details("DIALLO", "Aawa"));
    assert_eq!(story.corrects(&one, between.clone()).await, NOTHING);
    story.service.clock.fetch_add(1, Ordering::SeqCst);
    // A central of before kept it for a later one.
    let said = serde_json::to_vec(&correction(&one, now.clone(), story.service.now())).unwrap();
    let record = story.device.record_of("correction", 2, said).unwrap();
    story.device.push(&story.service, vec![record]).await.unwrap();
    let lost = story.device.kiosk.to_string();
    central::admin::lose_kiosk(&story.service.pool, "ONE", &lost, story.service.now()).await.unwrap();
    let pool = story.service.pool.clone();
    let version = async || {
        let row = sqlx::query("SELECT version FROM list WHERE site = 'ONE' AND kind = 'issuers'");
        row.fetch_one(&pool).await.unwrap().get::<i64, _>(0)
    };
    let before = version().await;
    sqlx::query("UPDATE record SET state = 'held', schema = 1 WHERE state = 'waits'")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("UPDATE kiosk SET delivered = lost_s IS NOT NULL").execute(&pool).await.unwrap();
    second.pull(&story.service, 0).await.unwrap();
    assert_eq!(Details::of(&story.known(&one).await.applicant), now);
    assert!(version().await > before, "doors hear of it");
    let file = story.service.keys().join("lists.json");
    let keys = central::keys::CentralKeys::load(story.service.keys()).unwrap();
    central::admin::signed_lists(&story.service.pool, &keys, "ONE", &file).await.unwrap();
    let lists: Vec<SignedList> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let issuers = lists.iter().find(|list| list.kind == ListKind::Issuers);
    let issuers = issuers.map(|list| serde_json::from_slice::<IssuersList>(&list.list.0).unwrap());
    let held = issuers.unwrap().lost.remove(0).held;
    let slot = SignedToken::from_bytes(&one.token.0).unwrap().token.slot;
    let mark = |details: &Details| {
        let name = details.name_as_printed();
        held_mark(one.told.id, one.told.code, Some(slot), details.birth.to_parts(), &name)
    };
    for good in [&details("DIALO", "Awa"), &between, &now] {
        assert!(held.contains(&mark(good)), "{good:?}");
    }
    assert!(!held.contains(&mark(&details("TRAORE", "Awa"))));
}

fn typed(family: &str, stands: &DetailFields) -> DetailFields {
    DetailFields { family_names: family.into(), ..stands.clone() }
}

/// Without a network, at a counter: kept before the screen says so, on a new paper of the same code
/// and hour; the paper before opens the same door.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_counter_the_new_paper_bears_the_right_name() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let before = register(&counter.kiosk, "DIALO").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter = counter.cut_off(None).await.unwrap();
    let kiosk = &counter.kiosk;
    let visit = before.visit.as_str();
    let stands = before.details.clone();
    assert_eq!((stands.family_names.as_str(), stands.nationality.as_str()), ("DIALO", "MLI"));
    let waiting = async || kiosk.status().await.unwrap()["journal"]["waiting"].clone();
    let told_wrong = |details: DetailFields| kiosk.correct(visit, details);
    for (wrong, code, field) in [
        (typed("TRAORE", &stands), "correction_name", "family_names"),
        (typed("", &stands), "empty", "family_names"),
        (typed("李小龍", &stands), "unprintable", "family_names"),
        (DetailFields { nationality: "mali".into(), ..stands.clone() }, "unknown_nationality", "nationality"),
        (DetailFields { lang: "xx".into(), ..stands.clone() }, "empty", "lang"),
        (
            DetailFields {
                birth: app::contract::BirthFields { year: "1950".into(), ..stands.birth.clone() },
                ..stands.clone()
            },
            "correction_birth",
            "birth.year",
        ),
    ] {
        let refused = told_wrong(wrong).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.args["field"].as_str()), (code, field));
    }
    assert_eq!(kiosk.correct("nowhere", stands.clone()).await.unwrap_err().code, "no_visit");
    assert_eq!(waiting().await, json!(0), "nothing of it was kept");
    assert_eq!(kiosk.date(visit).await.unwrap().code_large, before.code_large);

    let now = kiosk.correct(visit, typed("DIALLO", &stands)).await.unwrap();
    assert_eq!((&now.code, &now.slot_at, &now.slot), (&before.code, &before.slot_at, &before.slot));
    assert_ne!(now.code_large, before.code_large, "another seal");
    assert_eq!((now.details.family_names.as_str(), waiting().await), ("DIALLO", json!(1)));
    let again = kiosk.correct(visit, typed("DIALLO", &stands)).await.unwrap();
    assert_eq!((again.code_large, waiting().await), (now.code_large.clone(), json!(1)), "twice is once");
    let names = async |kiosk: &app::Kiosk| {
        let unfinished = kiosk.home().await.unwrap().unfinished;
        unfinished.iter().map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    assert!(names(kiosk).await.iter().any(|name| name.contains("DIALLO")), "{:?}", names(kiosk).await);
    // The language alone, by the code; then two more corrections and no third.
    let lang = CorrectionFields { lang: Some("ar".into()), ..CorrectionFields::default() };
    let arabic = kiosk.correct_of(&before.code, lang).await.unwrap();
    assert_eq!((arabic.details.lang.as_str(), arabic.details.family_names.as_str()), ("ar", "DIALLO"));
    let name = |family: &str| CorrectionFields { family_names: Some(family.into()), ..Default::default() };
    kiosk.correct_of(&before.code, name("DIALLOU")).await.unwrap();
    let last = kiosk.correct_of(&before.code, name("Diallo")).await.unwrap();
    let refused = kiosk.correct_of(&before.code, name("DIALLO")).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.args["max"].as_str()), ("correction_too_many", "3"));
    let french = CorrectionFields { lang: Some("fr".into()), ..CorrectionFields::default() };
    kiosk.correct_of(&before.code, french).await.unwrap();
    assert_eq!(waiting().await, json!(5));
    assert_eq!(kiosk.correct_of("JLN", name("X")).await.unwrap_err().code, "bad_follow_up_code");

    // The kiosk is opened anew: what stood is in its vault, not in memory.
    counter = counter.home(None).await.unwrap();
    let refused = counter.kiosk.correct(visit, typed("DIALLO", &stands)).await.unwrap_err();
    assert_eq!(refused.code, "correction_too_many");
    counter.kiosk.exchange().await.unwrap();
    let status = counter.kiosk.status().await.unwrap();
    assert_eq!((&status["journal"]["waiting"], &status["journal"]["set_aside"]), (&json!(0), &json!(0)));
    // Central judged each of them by the same rule, and knows the person by the last.
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let row = "SELECT body #>> '{applicant,family_names}', body ->> 'lang', \
               first_details #>> '{applicant,family_names}' FROM registration WHERE body ->> 'code' = $1";
    let row = sqlx::query(row).bind(&before.code).fetch_one(&pool).await.unwrap();
    let known = (row.get::<String, _>(0), row.get::<String, _>(1), row.get::<String, _>(2));
    assert_eq!(known, ("Diallo".to_owned(), "fr".to_owned(), "DIALO".to_owned()));
    let door = counter.another(None).await.unwrap();
    door.exchange().await.unwrap();
    for (code, name) in
        [(&before.code_large, "DIALO"), (&now.code_large, "DIALLO"), (&last.code_large, "Diallo")]
    {
        for kiosk in [&counter.kiosk, &door] {
            let shown = kiosk.show_paper(code).await.unwrap();
            assert_eq!(shown.verdict, "valid", "{name}");
            assert!(shown.name.as_ref().unwrap().starts_with(name), "{name}");
        }
    }
    assert!(counter.kiosk.follow_up(&before.code, person("X").birth).await.unwrap().visit.is_some());
}

/// A receipt is a paper too: the one from before the correction is no older appointment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_corrected_and_keeps_what_it_holds() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter = counter.cut_off(None).await.unwrap();
    // No lease was ever taken: a rank.
    let before = register(&counter.kiosk, "DIALO").await.unwrap();
    assert!(before.slot_at.is_none());
    let now = counter.kiosk.correct(&before.visit, typed("DIALLO", &before.details)).await.unwrap();
    assert_eq!((&now.code, &now.no_later_than), (&before.code, &before.no_later_than));
    for code in [&before.code_large, &now.code_large] {
        assert_eq!(counter.kiosk.show_paper(code).await.unwrap().verdict, "valid");
    }
    counter = counter.home(None).await.unwrap();
    for _ in 0..3 {
        counter.kiosk.exchange().await.unwrap();
    }
    // Its date comes, and the convocation bears the right name.
    let dated = counter.kiosk.date(&before.visit).await.unwrap();
    assert!(dated.slot_at.is_some());
    let shown = counter.kiosk.show_paper(&dated.code_large).await.unwrap();
    assert!(shown.name.unwrap().starts_with("DIALLO"));
    for code in [&before.code_large, &now.code_large] {
        assert_eq!(counter.kiosk.show_paper(code).await.unwrap().verdict, "replaced");
    }
}
