#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! People of one visit at a counter: a family, and one person for several procedures, with a network
//! and without, are received on one day at hours that follow each other.

use app::contract::{DateSource, DateView, DraftFields, PartyFields};
use journeys::counter::{Counter, person, register};
use std::collections::BTreeSet;

fn day(date: &DateView) -> &str {
    date.slot_at.as_deref().unwrap().split('T').next().unwrap()
}

fn together(people: &str, with: &str) -> Option<PartyFields> {
    Some(PartyFields { people: people.into(), with: with.into() })
}

/// Keeps what is typed, and its date.
async fn keep(counter: &Counter, visit: &str, fields: DraftFields) -> DateView {
    let saved = counter.kiosk.save_draft(visit, fields).await.unwrap();
    assert_eq!(saved.problems, []);
    counter.kiosk.confirm(visit).await.unwrap()
}

/// A family of three, the third of them the second's other procedure.
async fn family(counter: &Counter, name: &str) -> Vec<DateView> {
    let begun = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let first = keep(counter, &begun, DraftFields { party: together("3", ""), ..person(name) }).await;
    assert!(first.beside.is_empty());

    let draft = counter.kiosk.next_of_visit(&first.visit, false).await.unwrap();
    let expected = DraftFields {
        lang: "fr".into(),
        family_names: name.into(),
        nationality: "MLI".into(),
        party: together("2", &first.code),
        ..DraftFields::default()
    };
    assert_eq!(draft.fields, expected, "what a family shares, and nothing of the first one alone");
    let gone = counter.kiosk.open_visit(&first.visit).await.unwrap_err();
    assert_eq!(gone.code, "no_visit", "the first one's visit is over");
    // Back with the paper an hour later, somebody else comes with them: begun in the same way.
    let again = counter.kiosk.next_of_visit(&first.visit, false).await.unwrap();
    assert_eq!(again.fields, expected);
    counter.kiosk.discard_draft(&again.visit).await.unwrap();
    let fields = DraftFields { given_names: "Awa".into(), ..person(name) };
    let second = keep(counter, &draft.visit, DraftFields { party: draft.fields.party, ..fields }).await;
    assert_eq!(second.beside, [first.slot_at.clone().unwrap()]);

    let draft = counter.kiosk.next_of_visit(&second.visit, true).await.unwrap();
    let same = DraftFields {
        given_names: "Awa".into(),
        procedure: String::new(),
        party: together("1", &second.code),
        ..person(name)
    };
    assert_eq!(draft.fields, same, "the same person, for something else");
    let fields = DraftFields { procedure: "duplicate".into(), ..draft.fields };
    let third = keep(counter, &draft.visit, fields).await;
    assert_eq!(third.beside.len(), 2);
    vec![first, second, third]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_family_is_received_on_one_day() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    // A lease with room for a family on one of its days.
    sqlx::query("UPDATE site SET lease_slots = 24").execute(&pool).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let online = family(&counter, "TRAORÉ").await;
    counter = counter.cut_off(None).await.unwrap();
    let offline = family(&counter, "DIALLO").await;
    for dates in [&online, &offline] {
        let days: BTreeSet<&str> = dates.iter().map(day).collect();
        let hours: BTreeSet<&str> = dates.iter().map(|date| date.slot_at.as_deref().unwrap()).collect();
        assert_eq!((days.len(), hours.len()), (1, 3), "one day, three hours: {hours:?}");
    }

    // Central knows who belongs together, and every record is taken as it is.
    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let parties: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT count(*), count(DISTINCT slot.id) FROM registration JOIN slot ON slot.registration = registration.id \
         WHERE body ? 'party' AND state = 'kept' GROUP BY body -> 'party' ->> 'first'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(parties, [(3, 3), (3, 3)]);
    for date in online.iter().chain(&offline) {
        let at: String = sqlx::query_scalar(
            "SELECT to_char(slot.at, 'YYYY-MM-DD\"T\"HH24:MI') FROM slot JOIN registration ON registration.id = slot.registration \
             WHERE registration.code = $1",
        )
        .bind(i64::try_from(domain::code::FollowUpCode::parse(&date.code).unwrap().to_bits()).unwrap())
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(Some(at), date.slot_at, "the date on paper is the one central holds");
    }
}

/// Without a network nobody of them had a date; central keeps them together all the same, on the first
/// day that has room for three.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_family_that_left_with_ranks_is_received_on_one_day() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    sqlx::query("UPDATE site SET lease_slots = 0").execute(&pool).await.unwrap();
    let alone = register(&counter.kiosk, "KEÏTA").await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    // Two slots are left on the first day.
    sqlx::query(
        "UPDATE slot SET withheld = true WHERE registration IS NULL AND lease IS NULL AND at::date = $1::text::date \
         AND id NOT IN (SELECT id FROM slot WHERE registration IS NULL AND lease IS NULL AND at::date = $1::text::date \
                        ORDER BY at LIMIT 2)",
    )
    .bind(day(&alone))
    .execute(&pool)
    .await
    .unwrap();
    counter = counter.cut_off(None).await.unwrap();
    let mut party = together("3", "");
    let mut codes = Vec::new();
    for (name, still) in [("Awa", 3), ("Binta", 2), ("Cheikh", 1)] {
        let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
        let fields = DraftFields { given_names: name.into(), party: party.take(), ..person("SOW") };
        let date = keep(&counter, &visit, fields).await;
        assert!(date.slot_at.is_none() && date.beside.is_empty());
        party = together(&(still - 1).to_string(), &date.code);
        codes.push(date.code);
    }
    counter = counter.home(None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT slot.at::date::text, slot.at::text FROM slot JOIN registration ON registration.id = slot.registration \
         WHERE body ? 'party'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let days: BTreeSet<&String> = rows.iter().map(|(day, _)| day).collect();
    let hours: BTreeSet<&String> = rows.iter().map(|(_, at)| at).collect();
    assert_eq!((days.len(), hours.len(), codes.len()), (1, 3, 3), "{rows:?}");
    assert!(rows[0].0.as_str() > day(&alone), "the first day had no room for three");
}

/// The first one's date came from the far end of the lease. Central is there again for the second, who
/// waits a fortnight for company and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_longer_than_a_fortnight_for_a_leased_hour() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    sqlx::query("UPDATE site SET lease_slots = 24").execute(&pool).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    counter = counter.cut_off(None).await.unwrap();
    let days = |date: &DateView| day(date).parse::<jiff::civil::Date>().unwrap();
    let mut far: Option<DateView> = None;
    let mut first = None;
    for n in 0..24_u8 {
        let date = register(&counter.kiosk, &format!("PERSONNE {}", char::from(b'A' + n))).await.unwrap();
        let begun = *first.get_or_insert(days(&date));
        if days(&date) > begun.saturating_add(jiff::ToSpan::days(13)) {
            far = Some(date);
            break;
        }
    }
    let far = far.expect("the lease has a tail");
    let draft = counter.kiosk.next_of_visit(&far.visit, false).await.unwrap();
    counter = counter.home(None).await.unwrap();
    let fields = DraftFields { party: draft.fields.party, ..person("SUIVANTE") };
    let second = keep(&counter, &draft.visit, fields).await;
    assert_eq!(second.beside, [far.slot_at.clone().unwrap()]);
    let alone = register(&counter.kiosk, "SEULE").await.unwrap();
    assert_eq!(alone.source, DateSource::Online);
    assert!(days(&second) <= days(&alone).saturating_add(jiff::ToSpan::days(14)), "{second:?} {alone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_told_at_the_field() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let known = register(&counter.kiosk, "KONÉ").await.unwrap();
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    let told = async |party: Option<PartyFields>, accepts_earlier: &str| {
        let fields = DraftFields { party, accepts_earlier: accepts_earlier.into(), ..person("CISSÉ") };
        let draft = counter.kiosk.save_draft(&visit, fields).await.unwrap();
        let read = counter.kiosk.read_back(&visit).await.unwrap();
        assert_eq!(read.problems, draft.problems);
        if !draft.problems.is_empty() {
            assert_eq!(counter.kiosk.confirm(&visit).await.unwrap_err().code, "draft_incomplete");
        }
        draft
            .problems
            .into_iter()
            .map(|one| format!("{} {} {}", one.field, one.code, one.max))
            .collect::<Vec<_>>()
    };
    for people in ["0", "13", "-1", "trois", "999999999999999999999"] {
        assert_eq!(told(together(people, ""), "").await, ["party.people party_people 12"]);
    }
    assert_eq!(
        told(together("12", &known.code), "").await,
        ["party.people party_people 12"],
        "one has a date"
    );
    assert_eq!(told(together("2", "JLN-ZZZZ"), "").await, ["party.with party_with "]);
    let unknown = domain::code::FollowUpCode::from_random([9; 8]).to_string();
    assert_eq!(told(together("2", &unknown), "").await, ["party.with party_with "]);
    assert_eq!(told(together("2", ""), "14").await, ["accepts_earlier notice_together "]);
    for alone in [None, together("", ""), together("1", "")] {
        assert_eq!(told(alone, "14").await, Vec::<String>::new());
    }
    assert_eq!(told(together("", &known.code), "").await, Vec::<String>::new());
    // Nobody follows a visit that has no date yet.
    assert_eq!(counter.kiosk.next_of_visit(&visit, false).await.unwrap_err().code, "draft_incomplete");
    assert_eq!(counter.kiosk.next_of_visit("", false).await.unwrap_err().code, "no_visit");

    // The one before gives the appointment up: the next is dated as if alone, and stays of the party.
    counter.kiosk.cancel(&known.visit).await.unwrap();
    let date = counter.kiosk.confirm(&visit).await.unwrap();
    assert_eq!(date.beside, Vec::<String>::new());
    assert!(date.slot_at.is_some());
}
