#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! I4 held against its definition: on random calendars central's database gives exactly
//! the date `domain::party::choose` gives on the slots `domain::calendar` says exist, with what
//! `domain::reserve` keeps of them; and of several sites, whoever accepts any of them has it at the one
//! `domain::department::first_site` says, of what each would give.

use central::admin::{Ask, SiteChange};
use domain::assign::{Choice, FreeSlot, Window};
use domain::calendar::{Closure, CounterCalendar, Holidays, Pattern, SiteCalendar, SiteKind};
use domain::department::first_site;
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
use journeys::device::{Device, Service, site};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use sqlx::Row as _;
use std::sync::atomic::Ordering;

/// Days the definition looks ahead: past every date these people can be given.
const AHEAD: i32 = 700;
/// The département of every case: one after the other, for they share one database.
const DEPARTMENT: &str = "93";

/// 2027-03-09, the day `Service::NOON` lies on.
const TODAY: Date = jiff::civil::date(2027, 3, 9);

#[derive(Debug, Clone)]
struct Someone {
    /// Days since the one before.
    wait: i32,
    /// The last useful day counted from then, and the right.
    limit: Option<(i32, Right)>,
    procedure: Procedure,
    /// The end of a permit to be renewed, counted from then too.
    ends: Option<(i32, Regime)>,
    /// How many come together, with the one before or not.
    together: Option<(u8, bool)>,
    /// At which site they register, counted round.
    at: usize,
    /// Any site of the département will do: they come alone then.
    anywhere: bool,
}

/// A site: its counters, its closures, and whether it is of the département.
#[derive(Debug, Clone)]
struct Place {
    counters: Vec<Vec<Pattern>>,
    closures: Vec<Closure>,
    belongs: bool,
}

#[derive(Debug, Clone)]
struct Story {
    places: Vec<Place>,
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

fn place() -> impl Strategy<Value = Place> {
    let closure =
        (0i32..90, 0i32..20).prop_map(|(first, days)| Closure { first: day(first), last: day(first + days) });
    let counters = prop::collection::vec(prop::collection::vec(pattern(), 1..3), 1..3);
    (counters, prop::collection::vec(closure, 0..3), prop::bool::weighted(0.9))
        .prop_map(|(counters, closures, belongs)| Place { counters, closures, belongs })
}

fn someone() -> impl Strategy<Value = Someone> {
    let right =
        prop::sample::select(vec![Right::CourtInjunction, Right::PermitExpiry, Right::ProtectionOrder]);
    let ends = prop::option::weighted(0.3, (-10i32..250, prop::sample::select(Regime::ALL.to_vec())));
    let limit = prop::option::weighted(0.6, (0i32..60, right));
    let together = prop::option::weighted(0.4, (1u8..6, prop::bool::weighted(0.6)));
    let at = (0usize..6, prop::bool::weighted(0.6));
    (0i32..4, limit, procedure(), ends, together, at).prop_map(
        |(wait, limit, procedure, ends, together, (at, anywhere))| Someone {
            wait,
            limit,
            procedure,
            ends,
            together: together.filter(|_| !anywhere),
            at,
            anywhere,
        },
    )
}

fn story(places: std::ops::Range<usize>) -> impl Strategy<Value = Story> {
    (prop::collection::vec(place(), places), prop::collection::vec(someone(), 1..30))
        .prop_map(|(places, people)| Story { places, people })
}

/// One site as the definition sees it, and a kiosk there.
struct Site {
    id: String,
    belongs: bool,
    rules: SiteCalendar,
    counters: Vec<CounterCalendar>,
    free: Vec<(DateTime, ProcedureSet)>,
    /// Extra slots given so far: when, and beside which counter.
    extras: Vec<(DateTime, i64)>,
    /// Whoever has a date here.
    seen: Vec<Seen>,
    device: Device,
    /// Who came before at this kiosk, alone or with others.
    before: Option<(Registration, Option<DateTime>)>,
}

impl Site {
    async fn set_up(service: &Service, (case, n): (u32, usize), place: &Place) -> Self {
        let id = format!("CASE-{case}-{n}");
        central::admin::site(&service.pool, &site(&id, TODAY)).await.unwrap();
        for (n, patterns) in place.counters.iter().enumerate() {
            central::admin::counter(&service.pool, &id, &format!("C{n}"), patterns).await.unwrap();
        }
        for closure in &place.closures {
            let ask = Ask::at(service.now(), central::system_random());
            central::admin::closure(&service.pool, &id, None, *closure, &ask).await.unwrap();
        }
        if place.belongs {
            let change = SiteChange { department: Some(DEPARTMENT.into()), ..SiteChange::default() };
            central::admin::change_site(&service.pool, &id, &change, service.now()).await.unwrap();
        }
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&case.to_be_bytes());
        seed[4] = u8::try_from(n).unwrap();
        let rules = SiteCalendar {
            kind: SiteKind::Fixed,
            first: day(1),
            holidays: Holidays::Metropolitan,
            closures: place.closures.clone(),
            zone: TimeZone::get("Europe/Paris").unwrap(),
        };
        let counter =
            |patterns: &Vec<Pattern>| CounterCalendar { patterns: patterns.clone(), ..Default::default() };
        let counters: Vec<CounterCalendar> = place.counters.iter().map(counter).collect();
        // Every slot there is, the slow way.
        let hours = counters
            .iter()
            .flat_map(|counter| (0..AHEAD).flat_map(|n| rules.hours(counter, day(n))).collect::<Vec<_>>());
        let free = hours.flat_map(|hour| hour.seats.into_iter().map(move |seat| (hour.at, seat))).collect();
        let device = service.device_of(&id, seed).await.unwrap();
        let (extras, seen, before, belongs) = (Vec::new(), Vec::new(), None, place.belongs);
        Self { id, belongs, rules, counters, free, extras, seen, device, before }
    }

    /// What the site keeps on a day, from whoever registered before it.
    fn reserve(&self, today: Date) -> Reserve {
        let counters: Vec<&CounterCalendar> = self.counters.iter().collect();
        let before: Vec<Seen> = self.seen.iter().filter(|one| one.registered_on < today).copied().collect();
        let open = Open::of(&self.rules, &counters, today, front(today, &before));
        Reserve::observed(today, &before, &open)
    }

    /// The slot they would get here of those there are.
    fn choice(&self, registration: &Registration) -> Choice {
        let all = self.free.iter().enumerate().map(|(n, (at, serves))| FreeSlot {
            slot: SlotId(n as u64),
            at: *at,
            stratum: None,
            serves: *serves,
        });
        let reserve = self.reserve(registration.registered_on);
        choose(all, &registration.window(), &reserve, registration.party.as_ref())
    }

    /// The hour beside which one person more would be received here on one of these days.
    fn beside(&self, window: &Window, days: (Date, Date)) -> Option<Hour> {
        let serves = |seat: &&ProcedureSet| window.procedure.is_none_or(|procedure| seat.includes(procedure));
        let of = |(counter, calendar): (i64, &CounterCalendar)| -> Vec<Hour> {
            let days = days.0.series(1.day()).take_while(|day| *day <= days.1);
            let hour = |hour: domain::calendar::Hour| Hour {
                counter,
                at: hour.at,
                slots: u32::try_from(hour.seats.iter().filter(serves).count()).unwrap(),
                extras: u32::try_from(self.extras.iter().filter(|one| **one == (hour.at, counter)).count())
                    .unwrap(),
            };
            days.flat_map(|day| self.rules.hours(calendar, day)).map(hour).collect()
        };
        extra::choose((0..).zip(&self.counters).flat_map(of), days)
    }

    /// What central is asked with: ids and codes of all cases share one table.
    fn registration(&self, service: &Service, (case, n): (u32, usize), one: &Someone) -> Registration {
        let mut registration = self.device.registration(service, u8::try_from(n).unwrap(), "A").unwrap();
        let mut own = [0; 16];
        own[..4].copy_from_slice(&case.to_be_bytes());
        own[15] = u8::try_from(n).unwrap();
        registration.id = RegistrationId(own);
        let code = (u64::from(case) << 16) + u64::try_from(n).unwrap();
        registration.code = domain::code::FollowUpCode::from_random(code.to_be_bytes());
        registration.procedure = one.procedure;
        registration.department_wide = one.anywhere;
        registration.limit = one.limit.map(|(days, right)| TimeLimit {
            right,
            last_day: registration.registered_on.saturating_add(days.days()),
            evidence: "TA".into(),
        });
        registration.renewal = one.ends.map(|(days, regime)| Renewal {
            expires_on: registration.registered_on.saturating_add(days.days()),
            regime,
        });
        registration.party = one.together.and_then(|(people, with)| match &self.before {
            Some((other, at)) if with => Party::after((other.id, other.party.as_ref()), *at, people),
            _ => Party::begun(registration.id, people),
        });
        registration
    }

    /// What was given here is gone: one beside the others of an hour, or the slot chosen.
    async fn took(
        &mut self,
        service: &Service,
        id: RegistrationId,
        taken: (Option<Hour>, Option<FreeSlot>),
    ) -> Result<(), TestCaseError> {
        let held = sqlx::query(
            "SELECT counter - (SELECT min(id) FROM counter WHERE site = $2), procedures FROM slot \
             WHERE registration = $1",
        )
        .bind(id.0.as_slice())
        .bind(&self.id)
        .fetch_optional(&service.pool)
        .await
        .unwrap();
        match (taken, held) {
            ((Some(hour), _), Some(held)) => {
                self.extras.push((hour.at, hour.counter));
                prop_assert_eq!(held.get::<i64, _>(0), hour.counter);
            }
            ((None, Some(slot)), Some(held)) => {
                // Of two that serve as many, either may be taken: the one that was is gone.
                let serves = ProcedureSet::known(held.get::<Option<Vec<String>>, _>(1).as_deref());
                prop_assert_eq!(serves.breadth(), slot.serves.breadth());
                let gone = self.free.iter().position(|one| *one == (slot.at, serves)).unwrap();
                self.free.remove(gone);
            }
            (_, held) => prop_assert!(held.is_none()),
        }
        Ok(())
    }

    /// Who keeps their date here counts for those who come after.
    fn keeps(&mut self, registration: &Registration, given: Option<DateTime>) {
        let near = |limit: &TimeLimit| Near { last_day: limit.last_day, soon: limit.right.is_due_soon() };
        self.seen.push(Seen {
            people: 1,
            procedure: registration.procedure,
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
    }
}

/// The definition, for sites in the order in which they are asked, the person's own first: at which of
/// them they are received, beside which hour, and the slot found there.
fn definition(sites: &[&Site], registration: &Registration) -> Option<(usize, Option<Hour>, Choice)> {
    let window = registration.window();
    let choices: Vec<Choice> = sites.iter().map(|site| site.choice(registration)).collect();
    let found: Vec<Option<Date>> =
        choices.iter().map(|choice| choice.slot().map(|slot| slot.at.date())).collect();
    let first = first_site(found.iter().copied());
    // Where none serves a limit, one beside the others of an hour.
    let days = extra::days(&window, first.and_then(|n| found[n]));
    let beside: Vec<Option<Hour>> =
        sites.iter().map(|site| days.and_then(|days| site.beside(&window, days))).collect();
    let n = first_site(beside.iter().map(|hour| hour.map(|hour| hour.at.date()))).or(first)?;
    Some((n, beside[n], choices[n]))
}

async fn tell(service: &Service, case: u32, story: Story) -> Result<(), TestCaseError> {
    service.clock.store(Service::NOON, Ordering::SeqCst);
    sqlx::query("UPDATE site SET department = NULL").execute(&service.pool).await.unwrap();
    let mut sites = Vec::new();
    for (n, place) in story.places.iter().enumerate() {
        sites.push(Site::set_up(service, (case, n), place).await);
    }
    for (n, one) in story.people.iter().enumerate() {
        service.clock.fetch_add(i64::from(one.wait) * 86_400, Ordering::SeqCst);
        let own = one.at % sites.len();
        let registration = sites[own].registration(service, (case, n), one);
        let said = sites[own]
            .device
            .say(service, "POST", "/v1/registrations", &json!({ "registration": registration }))
            .await
            .unwrap();
        prop_assert_eq!(said.status, 200);
        let given = serde_json::from_value::<Option<wire::bytes::Bytes>>(said.json["token"].clone())
            .unwrap()
            .and_then(|token| SignedToken::from_bytes(&token.0))
            .map(|signed| (signed.token.site.to_string(), signed.token.at));
        // Those of the département beside their own, where they accept any.
        let near =
            |other: &usize| *other != own && one.anywhere && sites[own].belongs && sites[*other].belongs;
        let asked: Vec<usize> = std::iter::once(own).chain((0..sites.len()).filter(near)).collect();
        let all: Vec<&Site> = asked.iter().map(|n| &sites[*n]).collect();
        let (there, beside, choice) = match definition(&all, &registration) {
            Some((n, beside, choice)) => (asked[n], beside, choice),
            None => (own, None, Choice::Nothing),
        };
        let expected = beside.map(|hour| hour.at).or(choice.slot().map(|slot| slot.at));
        prop_assert_eq!(&given, &expected.map(|at| (sites[there].id.clone(), at)));
        prop_assert_eq!(
            said.json["after_limit"].as_bool(),
            Some(matches!(choice, Choice::AfterLimit(_)) && beside.is_none()),
            "an escalation exactly when no slot lies before the limit"
        );
        sites[there].took(service, registration.id, (beside, choice.slot())).await?;
        // Only who keeps their date counts for those who come after.
        let place: String =
            sqlx::query_scalar("UPDATE registration SET state = 'kept' WHERE id = $1 RETURNING site")
                .bind(registration.id.0.as_slice())
                .fetch_one(&service.pool)
                .await
                .unwrap();
        prop_assert_eq!(&place, &sites[there].id, "on whose waitlist the place stands");
        let given = given.map(|(_, at)| at);
        sites[there].keeps(&registration, given);
        if !one.anywhere {
            sites[own].before = Some((registration, given));
        }
    }
    Ok(())
}

/// As many stories as `cases` of so many sites.
fn compare(cases: u32, places: std::ops::Range<usize>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service = runtime.block_on(Service::start()).unwrap();
    let case = std::cell::Cell::new(0);
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
        .run(&story(places), |story| {
            case.set(case.get() + 1);
            runtime.block_on(tell(&service, case.get(), story))
        })
        .unwrap();
}

#[test]
fn central_gives_the_date_the_definition_gives() {
    compare(64, 1..2);
}

#[test]
fn of_several_sites_the_one_the_definition_names() {
    compare(64, 2..5);
}
