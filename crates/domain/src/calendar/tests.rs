//! The calendar against its definition: holidays, openings, clocks that change, other zone data.

use super::pattern::demo;
use super::*;
use crate::procedure::{Procedure, all};
use jiff::civil::{Time, date, time};
use jiff::tz::TimeZone;
use proptest::prelude::*;

const ZONES: [&str; 8] = [
    "Europe/Paris",
    "Indian/Reunion",
    "Indian/Mayotte",
    "America/Cayenne",
    "America/Martinique",
    "America/Miquelon",
    "Pacific/Tahiti",
    "Pacific/Noumea",
];

fn site(zone: &str) -> SiteCalendar {
    SiteCalendar {
        kind: SiteKind::Fixed,
        first: date(2026, 1, 1),
        holidays: Holidays::Metropolitan,
        closures: Vec::new(),
        zone: TimeZone::get(zone).unwrap(),
    }
}

fn open(patterns: Vec<Pattern>) -> CounterCalendar {
    CounterCalendar { patterns, ..CounterCalendar::default() }
}

fn procedure(key: &str) -> Procedure {
    Procedure::parse(key).unwrap()
}

#[test]
fn a_working_day_has_its_slots_and_a_holiday_none() {
    let site = site("Europe/Paris");
    let counter = open(vec![demo()]);
    let starts = |day| -> Vec<DateTime> { site.hours(&counter, day).iter().map(|hour| hour.at).collect() };
    let monday = starts(date(2027, 3, 8));
    assert_eq!(monday.len(), 21);
    assert_eq!(monday.first().map(|at| at.time()), Some(time(9, 0, 0, 0)));
    assert_eq!(monday.last().map(|at| at.time()), Some(time(15, 40, 0, 0)));
    assert!(starts(date(2027, 3, 7)).is_empty(), "Sunday");
    assert!(starts(date(2027, 3, 29)).is_empty(), "Easter Monday");
    assert!(starts(date(2027, 5, 6)).is_empty(), "Ascension");
    assert!(starts(date(2027, 5, 17)).is_empty(), "Whit Monday");
    assert!(starts(date(2027, 7, 14)).is_empty());
    assert!(!starts(date(2027, 3, 26)).is_empty(), "Good Friday is worked in Paris");
    assert!(starts(date(2025, 12, 31)).is_empty(), "before the site's first day");
    let days = Closure { first: date(2027, 3, 8), last: date(2027, 3, 9) };
    let closed = SiteCalendar { closures: vec![days], ..site.clone() };
    assert!(closed.hours(&counter, date(2027, 3, 9)).is_empty());
    let own = CounterCalendar { closures: vec![days], ..counter.clone() };
    assert!(site.hours(&own, date(2027, 3, 9)).is_empty());
    assert!(!site.hours(&own, date(2027, 3, 10)).is_empty());
}

#[test]
fn an_opening_is_open_because_it_is_named() {
    let holiday = date(2027, 7, 14);
    let mut counter = open(vec![demo()]);
    counter.openings.push(Opening {
        day: holiday,
        opens: time(10, 0, 0, 0),
        closes: time(11, 0, 0, 0),
        every_minutes: 30,
        capacity: 2,
        procedures: ProcedureSet::of([procedure("renewal")]),
    });
    let mut site = site("Europe/Paris");
    site.closures.push(Closure { first: date(2027, 7, 1), last: date(2027, 7, 31) });
    let hours = site.hours(&counter, holiday);
    assert_eq!(hours.len(), 2);
    assert!(hours.iter().all(|hour| hour.seats == [ProcedureSet::of([procedure("renewal")]); 2]));
    assert!(site.hours(&counter, date(2027, 7, 15)).is_empty(), "the closure holds on every other day");

    let mobile = SiteCalendar { kind: SiteKind::Mobile, closures: Vec::new(), ..site.clone() };
    assert_eq!(mobile.hours(&counter, holiday).len(), 2);
    assert!(mobile.hours(&counter, date(2027, 7, 15)).is_empty(), "it comes on named days only");
    let gone = SiteCalendar { kind: SiteKind::Temporary { last: date(2027, 7, 13) }, ..site };
    assert!(gone.hours(&counter, holiday).is_empty(), "the site stands no more");
}

#[test]
fn two_patterns_of_one_hour_are_one_hour() {
    let renewal = ProcedureSet::of([procedure("renewal")]);
    let duplicate = ProcedureSet::of([procedure("duplicate")]);
    let many = Pattern { capacity: 3, procedures: renewal, ..demo() };
    let few = Pattern { capacity: 1, procedures: duplicate, ..demo() };
    let hours = site("Europe/Paris").hours(&open(vec![many, few]), date(2027, 3, 8));
    assert_eq!(hours.len(), 21);
    assert!(hours.iter().all(|hour| hour.seats == [renewal.with(duplicate), renewal, renewal]));
}

#[test]
fn the_next_day_that_serves_is_found_without_a_horizon() {
    let site = site("Europe/Paris");
    let renewal = Pattern { procedures: ProcedureSet::of([procedure("renewal")]), ..demo() };
    let later =
        Pattern { procedures: ProcedureSet::of([procedure("duplicate")]), from: date(2031, 3, 3), ..demo() };
    let counters = [open(vec![renewal]), open(vec![later])];
    let next = |key, furthest| {
        let serves = |set: ProcedureSet| set.includes(procedure(key));
        site.next_serving(counters.iter(), serves, (date(2027, 3, 7), furthest))
    };
    assert_eq!(next("renewal", date(2037, 1, 1)), Some(date(2027, 3, 8)));
    assert_eq!(next("duplicate", date(2037, 1, 1)), Some(date(2031, 3, 3)));
    assert_eq!(next("duplicate", date(2030, 1, 1)), None);
    assert_eq!(next("naturalisation", Date::MAX), None, "and not by looking at every day there is");
    let whole = |set: ProcedureSet| set.is_all();
    assert_eq!(site.next_serving(counters.iter(), whole, (date(2027, 3, 7), Date::MAX)), None);
    assert!(counters[1].served_from(date(2031, 1, 1)).all(|set| set.includes(procedure("duplicate"))));
}

#[test]
fn working_days_pass_over_weekends_holidays_and_closures() {
    let after =
        |day, days, closures: &[Closure]| working_day_after(day, days, Holidays::Metropolitan, closures);
    // A Friday before Easter Monday 2027.
    assert_eq!(after(date(2027, 3, 26), 1, &[]), date(2027, 3, 30));
    assert_eq!(after(date(2027, 3, 26), 2, &[]), date(2027, 3, 31));
    let closed = Closure { first: date(2027, 3, 30), last: date(2027, 4, 4) };
    assert_eq!(after(date(2027, 3, 26), 1, &[closed]), date(2027, 4, 5));
    assert_eq!(after(date(2027, 3, 26), 0, &[]), date(2027, 3, 26));
    let for_ever = Closure { first: date(2000, 1, 1), last: date(2100, 1, 1) };
    assert_eq!(after(date(2027, 3, 26), 1, &[for_ever]), date(2029, 3, 26));
}

/// Where the clocks change, the hour passed over has no slot and the hour that comes twice
/// has one; elsewhere every civil hour is there.
#[test]
fn the_night_the_clocks_change() {
    let night = Pattern {
        weekdays: vec![7],
        opens: time(1, 0, 0, 0),
        closes: time(4, 0, 0, 0),
        every_minutes: 30,
        ..demo()
    };
    let starts = |zone: &str, day: Date| -> Vec<Time> {
        let hours = site(zone).hours(&open(vec![night.clone()]), day);
        hours.iter().map(|hour| hour.at.time()).collect()
    };
    let whole: Vec<Time> = (0..6).map(|n| time(1 + n / 2, 30 * (n % 2), 0, 0)).collect();
    let gap: Vec<Time> = whole.iter().copied().filter(|at| at.hour() != 2).collect();
    let (spring, autumn) = (date(2027, 3, 28), date(2027, 10, 31));
    assert_eq!(starts("Europe/Paris", spring), gap);
    assert_eq!(starts("Europe/Paris", autumn), whole);
    for zone in ["Indian/Reunion", "America/Cayenne", "Pacific/Tahiti", "Pacific/Noumea"] {
        assert_eq!(starts(zone, spring), whole, "{zone}");
        assert_eq!(starts(zone, autumn), whole, "{zone}");
    }
    // Its clocks change on American days.
    assert_eq!(starts("America/Miquelon", date(2027, 3, 14)), gap);
    assert_eq!(starts("America/Miquelon", spring), whole);
}

/// The rules of a zone are not for ever: a law that ends summer time, another data set. What
/// stands on a paper is the civil time, and the calendar names the same civil hours before
/// and after; only the instant differs.
#[test]
fn other_zone_data_move_no_civil_time() {
    let zone = |rule: &str| SiteCalendar { zone: TimeZone::posix(rule).unwrap(), ..site("Europe/Paris") };
    let (summer, none) = (zone("CET-1CEST,M3.5.0,M10.5.0/3"), zone("CET-1"));
    let counter = open(vec![demo()]);
    let day = date(2027, 7, 15);
    assert_eq!(summer.hours(&counter, day), none.hours(&counter, day));
    let at = day.at(9, 0, 0, 0);
    let (before, after) = (summer.zone.to_timestamp(at).unwrap(), none.zone.to_timestamp(at).unwrap());
    assert_eq!(after.as_second() - before.as_second(), 3600);
    // A slot given in an hour that other data pass over: the calendar no longer makes it, and
    // whoever holds it keeps it.
    let gap = date(2027, 3, 28).at(2, 30, 0, 0);
    assert!(none.exists(gap) && !summer.exists(gap));
    assert!(summer.zone.to_timestamp(gap).is_ok());
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let procedures = prop_oneof![
        2 => Just(ProcedureSet::ALL),
        1 => prop::collection::vec(0..all().len(), 1..4)
            .prop_map(|all| ProcedureSet::of(all.into_iter().map(|n| procedure(&key(n)))))
    ];
    let weekdays = prop::collection::btree_set(1u8..=7, 1..=7);
    (weekdays, 0i8..23, 30u16..=90, 1u8..=4, procedures, 0i32..200, prop::option::of(0i32..200)).prop_map(
        |(weekdays, opens, every_minutes, capacity, procedures, from, length)| {
            let from = date(2027, 1, 1).saturating_add(from.days());
            Pattern {
                weekdays: weekdays.into_iter().collect(),
                opens: time(opens, 0, 0, 0),
                closes: time(23, 30, 0, 0),
                every_minutes,
                capacity,
                procedures,
                from,
                until: length.map(|length| from.saturating_add(length.days())),
            }
        },
    )
}

fn key(n: usize) -> String {
    all()[n].key.clone()
}

proptest! {
    /// Every hour lies in some pattern, exists on the clocks of its zone, is named once, in order.
    #[test]
    fn hours_are_those_of_the_patterns_on_the_clocks_of_the_site(
        patterns in prop::collection::vec(pattern(), 1..4), day in 0i32..500, zone in prop::sample::select(&ZONES[..])
    ) {
        let (site, day) = (site(zone), date(2027, 1, 1).saturating_add(day.days()));
        let hours = site.hours(&open(patterns.clone()), day);
        prop_assert!(hours.is_sorted_by(|a, b| a.at < b.at));
        for hour in &hours {
            let of: Vec<&Pattern> = patterns.iter().filter(|p| p.starts(day).contains(&hour.at)).collect();
            prop_assert!(!of.is_empty());
            prop_assert_eq!(hour.seats.len(), usize::from(of.iter().map(|p| p.capacity).max().unwrap()));
            prop_assert!(hour.seats.iter().all(|seat| !seat.is_empty()));
            // There and back: the civil time is what the clocks of the site show then.
            let instant = site.zone.to_timestamp(hour.at).unwrap();
            prop_assert_eq!(site.zone.to_datetime(instant), hour.at);
        }
        if site.holidays.include(day) {
            prop_assert!(hours.is_empty());
        } else {
            for at in patterns.iter().flat_map(|p| p.starts(day)) {
                prop_assert!(hours.iter().any(|hour| hour.at == at) || !site.exists(at));
            }
        }
    }

    /// A pattern that says nothing of capacity and procedures makes what it always made: one
    /// slot an hour for everybody.
    #[test]
    fn the_defaults_are_one_slot_for_everybody(patterns in prop::collection::vec(pattern(), 1..4), day in 0i32..500) {
        let plain: Vec<Pattern> = patterns
            .into_iter()
            .map(|pattern| Pattern { capacity: 1, procedures: ProcedureSet::ALL, ..pattern })
            .collect();
        let (site, day) = (site("Indian/Reunion"), date(2027, 1, 1).saturating_add(day.days()));
        let mut starts: Vec<DateTime> = plain.iter().flat_map(|pattern| pattern.starts(day)).collect();
        starts.sort_unstable();
        starts.dedup();
        let hours = site.hours(&open(plain), day);
        prop_assert!(hours.iter().all(|hour| hour.seats == [ProcedureSet::ALL]));
        if !site.holidays.include(day) {
            prop_assert_eq!(hours.into_iter().map(|hour| hour.at).collect::<Vec<_>>(), starts);
        }
    }
}
