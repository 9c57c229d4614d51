#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! I4 held against its definition: on random calendars central's database gives exactly
//! the date `domain::party::choose` gives on the slots `domain::calendar` says exist, with what
//! `domain::reserve` keeps of them.

use domain::assign::{Choice, FreeSlot, Window};
use domain::calendar::{Closure, CounterCalendar, Holidays, Pattern, SiteCalendar, SiteKind};
use domain::extra::{self, Hour};
use domain::ids::{RegistrationId, SlotId};
use domain::limit::{Right, TimeLimit};
use domain::party::{Party, WAIT_DAYS, choose};
use domain::procedure::{Procedure, ProcedureSet};
use domain::registration::Registration;
use domain::renewal::{Regime, Renewal};
use domain::reserve::{Near, Open, Reserve, Seen, front};
use domain::token::SignedToken;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use journeys::device::{Service, site};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use std::sync::atomic::Ordering;

/// Days the definition looks ahead: past every date these people can be given.
const AHEAD: i32 = 700;
/// What the site keeps on a day, from whoever registered before it.
fn reserve(story: &Story, today: Date, seen: &[Seen]) -> Reserve {
    let counter =
        |patterns: &Vec<Pattern>| CounterCalendar { patterns: patterns.clone(), ..Default::default() };
    let counters: Vec<CounterCalendar> = story.counters.iter().map(counter).collect();
    let counters: Vec<&CounterCalendar> = counters.iter().collect();
    let before: Vec<Seen> = seen.iter().filter(|one| one.registered_on < today).copied().collect();
    let open = Open::of(&rules(story), &counters, today, front(today, &before));
    Reserve::observed(today, &before, &open)
}

/// 2027-03-09, the day `Service::NOON` lies on.
const TODAY: Date = jiff::civil::date(2027, 3, 9);

/// Days since the one before, the last useful day counted from then and the right, what they come for, and the end
/// of a permit to be renewed, counted from then too; how many come together, with the one before or not.
type Someone = (i32, Option<(i32, Right)>, Procedure, Option<(i32, Regime)>, Option<(u8, bool)>);

#[derive(Debug, Clone)]
struct Story {
    counters: Vec<Vec<Pattern>>,
    closures: Vec<Closure>,
    people: Vec<Someone>,
}

fn day(days: i32) -> Date {
    TODAY.saturating_add(days.days())
}

fn procedure() -> impl Strategy<Value = Procedure> {
    prop::sample::select(vec!["renewal", "duplicate", "naturalisation"])
        .prop_map(|key| Procedure::parse(key).unwrap())
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let weekdays = prop::collection::btree_set(1u8..=7, 1..=5);
    let procedures = prop_oneof![
        Just(ProcedureSet::ALL),
        prop::collection::vec(procedure(), 1..3).prop_map(ProcedureSet::of)
    ];
    let what = (1u8..=3, procedures);
    (weekdays, 7i8..12, 1i8..4, 30u16..=90, -30i32..40, prop::option::of(0i32..400), what).prop_map(
        |(weekdays, opens, hours, every_minutes, from, length, (capacity, procedures))| Pattern {
            capacity,
            procedures,
            weekdays: weekdays.into_iter().collect(),
            opens: Time::constant(opens, 0, 0, 0),
            closes: Time::constant(opens + hours, 30, 0, 0),
            every_minutes,
            from: day(from),
            until: length.map(|length| day(from + length)),
        },
    )
}

fn story() -> impl Strategy<Value = Story> {
    let closure =
        (0i32..90, 0i32..20).prop_map(|(first, days)| Closure { first: day(first), last: day(first + days) });
    let right =
        prop::sample::select(vec![Right::CourtInjunction, Right::PermitExpiry, Right::ProtectionOrder]);
    let ends = (-10i32..250, prop::sample::select(Regime::ALL.to_vec()));
    let limit = prop::option::weighted(0.6, (0i32..60, right));
    let together = prop::option::weighted(0.4, (1u8..6, prop::bool::weighted(0.6)));
    let person = (0i32..4, limit, procedure(), prop::option::weighted(0.3, ends), together);
    (
        prop::collection::vec(prop::collection::vec(pattern(), 1..3), 1..3),
        prop::collection::vec(closure, 0..3),
        prop::collection::vec(person, 1..30),
    )
        .prop_map(|(counters, closures, people)| Story { counters, closures, people })
}

fn rules(story: &Story) -> SiteCalendar {
    SiteCalendar {
        kind: SiteKind::Fixed,
        first: day(1),
        holidays: Holidays::Metropolitan,
        closures: story.closures.clone(),
        zone: TimeZone::get("Europe/Paris").unwrap(),
    }
}

/// Every slot there is, the slow way.
fn slots(story: &Story) -> Vec<(DateTime, ProcedureSet)> {
    let site = rules(story);
    let of = |patterns: &Vec<Pattern>| -> Vec<(DateTime, ProcedureSet)> {
        let counter = CounterCalendar { patterns: patterns.clone(), ..CounterCalendar::default() };
        let hours = (0..AHEAD).flat_map(|n| site.hours(&counter, day(n)));
        hours.flat_map(|hour| hour.seats.into_iter().map(move |seat| (hour.at, seat))).collect()
    };
    story.counters.iter().flat_map(of).collect()
}

/// The hours of the calendar, with the extra slots given so far.
fn hours(story: &Story, window: &Window, extras: &[(DateTime, i64)]) -> Vec<Hour> {
    let site = rules(story);
    let of = |(counter, patterns): (i64, &Vec<Pattern>)| -> Vec<Hour> {
        let calendar = CounterCalendar { patterns: patterns.clone(), ..CounterCalendar::default() };
        let hours = (0..AHEAD).flat_map(|n| site.hours(&calendar, day(n)));
        let serves = |seat: &&ProcedureSet| window.procedure.is_none_or(|procedure| seat.includes(procedure));
        let hour = |hour: domain::calendar::Hour| Hour {
            counter,
            at: hour.at,
            slots: u32::try_from(hour.seats.iter().filter(serves).count()).unwrap(),
            extras: u32::try_from(extras.iter().filter(|extra| **extra == (hour.at, counter)).count())
                .unwrap(),
        };
        hours.map(hour).collect()
    };
    (0..).zip(&story.counters).flat_map(of).collect()
}

async fn tell(service: &Service, case: u32, story: Story) -> Result<(), TestCaseError> {
    service.clock.store(Service::NOON, Ordering::SeqCst);
    let id = format!("CASE-{case}");
    let site = site(&id, TODAY);
    central::admin::site(&service.pool, &site).await.unwrap();
    for (n, patterns) in story.counters.iter().enumerate() {
        central::admin::counter(&service.pool, &id, &format!("C{n}"), patterns).await.unwrap();
    }
    for closure in &story.closures {
        let ask = central::admin::Ask::at(service.now(), central::system_random());
        central::admin::closure(&service.pool, &id, None, *closure, &ask).await.unwrap();
    }
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&case.to_be_bytes());
    let device = service.device_of(&id, seed).await.unwrap();
    let mut free = slots(&story);
    let mut extras: Vec<(DateTime, i64)> = Vec::new();
    let mut seen: Vec<Seen> = Vec::new();
    let mut before: Option<(Registration, Option<DateTime>)> = None;
    for (n, (wait, limit, procedure, ends, together)) in story.people.iter().enumerate() {
        service.clock.fetch_add(i64::from(*wait) * 86_400, Ordering::SeqCst);
        let mut registration = device.registration(service, u8::try_from(n).unwrap(), "A").unwrap();
        // Ids and codes of all cases share one table.
        let mut own = [0; 16];
        own[..4].copy_from_slice(&case.to_be_bytes());
        own[15] = u8::try_from(n).unwrap();
        registration.id = RegistrationId(own);
        let code = (u64::from(case) << 16) + u64::try_from(n).unwrap();
        registration.code = domain::code::FollowUpCode::from_random(code.to_be_bytes());
        registration.procedure = *procedure;
        registration.limit = limit.map(|(days, right)| TimeLimit {
            right,
            last_day: registration.registered_on.saturating_add(days.days()),
            evidence: "TA".into(),
        });
        registration.renewal = ends.map(|(days, regime)| Renewal {
            expires_on: registration.registered_on.saturating_add(days.days()),
            regime,
        });
        registration.party = together.and_then(|(people, with)| match &before {
            Some((other, at)) if with => Party::after((other.id, other.party.as_ref()), *at, people),
            _ => Party::begun(registration.id, people),
        });
        let said = device
            .say(service, "POST", "/v1/registrations", &json!({ "registration": registration }))
            .await
            .unwrap();
        prop_assert_eq!(said.status, 200);
        let given = serde_json::from_value::<Option<wire::bytes::Bytes>>(said.json["token"].clone())
            .unwrap()
            .and_then(|token| SignedToken::from_bytes(&token.0))
            .map(|signed| signed.token.at);
        let all = free.iter().enumerate().map(|(n, (at, serves))| FreeSlot {
            slot: SlotId(n as u64),
            at: *at,
            stratum: None,
            serves: *serves,
        });
        let reserve = reserve(&story, registration.registered_on, &seen);
        let choice = choose(all, &registration.window(), &reserve, registration.party.as_ref());
        // Where none serves a limit, one beside the others of an hour.
        let window = registration.window();
        let days = extra::days(&window, choice.slot().map(|slot| slot.at.date()));
        let beside = days.and_then(|days| extra::choose(hours(&story, &window, &extras), days));
        let expected = beside.map(|hour| hour.at).or(choice.slot().map(|slot| slot.at));
        prop_assert_eq!(given, expected);
        prop_assert_eq!(
            said.json["after_limit"].as_bool(),
            Some(matches!(choice, Choice::AfterLimit(_)) && beside.is_none()),
            "an escalation exactly when no slot lies before the limit"
        );
        if let Some(hour) = beside {
            extras.push((hour.at, hour.counter));
            let counter: i64 = sqlx::query_scalar(
                "SELECT counter - (SELECT min(id) FROM counter WHERE site = $2) FROM slot WHERE registration = $1",
            )
            .bind(registration.id.0.as_slice())
            .bind(&id)
            .fetch_one(&service.pool)
            .await
            .unwrap();
            prop_assert_eq!(counter, hour.counter);
        } else if let Some(taken) = choice.slot() {
            // Of two that serve as many, either may be taken: the one that was is gone.
            let keys: Option<Vec<String>> =
                sqlx::query_scalar("SELECT procedures FROM slot WHERE registration = $1")
                    .bind(registration.id.0.as_slice())
                    .fetch_one(&service.pool)
                    .await
                    .unwrap();
            let serves = ProcedureSet::known(keys.as_deref());
            prop_assert_eq!(serves.breadth(), taken.serves.breadth());
            let gone = free.iter().position(|slot| *slot == (taken.at, serves)).unwrap();
            free.remove(gone);
        }
        // Only who keeps their date counts for those who come after.
        sqlx::query("UPDATE registration SET state = 'kept' WHERE id = $1")
            .bind(registration.id.0.as_slice())
            .execute(&service.pool)
            .await
            .unwrap();
        let near = |limit: &TimeLimit| Near { last_day: limit.last_day, soon: limit.right.is_due_soon() };
        seen.push(Seen {
            people: 1,
            procedure: *procedure,
            registered_on: registration.registered_on,
            limit: registration.limit.as_ref().map(near),
            // A date that waits for the filing to open says nothing of the queue; one that may have
            // waited for others, what it would have been alone at the least.
            given: given
                .map(|at| match registration.party {
                    Some(_) => at.date().saturating_sub(WAIT_DAYS.days()),
                    None => at.date(),
                })
                .filter(|_| registration.waits_for().is_none()),
        });
        before = Some((registration, given));
    }
    Ok(())
}

#[test]
fn central_gives_the_date_the_definition_gives() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service = runtime.block_on(Service::start()).unwrap();
    let case = std::cell::Cell::new(0);
    TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() })
        .run(&story(), |story| {
            case.set(case.get() + 1);
            runtime.block_on(tell(&service, case.get(), story))
        })
        .unwrap();
}
