#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test that fails here has failed
//! People of one visit are received together where that harms nobody, and as if alone where not.

use domain::assign::{self, Choice, FreeSlot, Window};
use domain::batch::Bucket;
use domain::ids::{RegistrationId, SlotId};
use domain::lease::Stratum;
use domain::limit::{Right, TimeLimit};
use domain::party::{self, PEOPLE_MAX, Party, WAIT_DAYS};
use domain::procedure::{Procedure, ProcedureSet};
use domain::reserve::{Near, Open, Reserve, Seen};
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, date};
use proptest::prelude::*;

const TODAY: Date = date(2027, 3, 1);

fn day(days: i32) -> Date {
    TODAY.saturating_add(days.days())
}

fn at(days: i32, hour: i8, minute: i8) -> DateTime {
    day(days).at(hour, minute, 0, 0)
}

fn free(all: &[DateTime]) -> Vec<FreeSlot> {
    let slot = |(n, at): (usize, &DateTime)| FreeSlot {
        slot: SlotId(n as u64),
        at: *at,
        stratum: None,
        serves: ProcedureSet::ALL,
    };
    all.iter().enumerate().map(slot).collect()
}

/// Free slots: of a lease, which keeps nothing, or central's, which are of no stratum.
fn slots(leased: bool) -> impl Strategy<Value = Vec<FreeSlot>> {
    let strata = prop::sample::select(vec![
        None,
        Some(Stratum::Near),
        Some(Stratum::Front),
        Some(Stratum::Tail),
        Some(Stratum::Backstop),
    ]);
    let slot = (1i32..24, 0i8..6, prop::sample::select(vec![0i8, 20, 40]), strata, any::<bool>());
    prop::collection::vec(slot, 0..60).prop_map(move |rows| {
        let renewal = ProcedureSet::of([Procedure::parse("renewal").unwrap()]);
        let other = ProcedureSet::of([Procedure::parse("duplicate").unwrap()]);
        let slot =
            |(n, (days, hour, minute, stratum, ours)): (usize, (i32, i8, i8, Option<Stratum>, bool))| {
                FreeSlot {
                    slot: SlotId(n as u64),
                    at: at(days, 9 + hour, minute),
                    stratum: stratum.filter(|_| leased),
                    serves: if ours { renewal } else { other },
                }
            };
        rows.into_iter().enumerate().map(slot).collect()
    })
}

fn window() -> impl Strategy<Value = Window> {
    let right = prop::sample::select(vec![Right::CourtInjunction, Right::ProtectionOrder]);
    prop::option::of((0i32..50, right)).prop_map(|limit| {
        let limit = limit.map(|(days, right)| TimeLimit { right, last_day: day(days), evidence: "x".into() });
        Window::new(TODAY, limit.as_ref()).for_procedure(Procedure::parse("renewal").unwrap())
    })
}

fn party() -> impl Strategy<Value = Party> {
    let beside =
        prop::collection::vec((1i32..24, 0i8..6).prop_map(|(days, hour)| at(days, 9 + hour, 0)), 0..4);
    (1u8..8, beside).prop_map(|(people, beside)| Party { first: RegistrationId([1; 16]), people, beside })
}

/// What a site keeps where so many with a near limit came lately.
fn reserve(near: u32) -> Reserve {
    let yesterday = TODAY.saturating_sub(1.days());
    let seen = Seen {
        people: near,
        procedure: Procedure::parse("renewal").unwrap(),
        registered_on: yesterday,
        limit: Some(Near { last_day: day(3), soon: false }),
        given: Some(day(30)),
    };
    let open = Open { days: 20, until: day(60), ahead: 40, slots: vec![(ProcedureSet::ALL, 400)] };
    Reserve::observed(TODAY, &[seen], &open)
}

proptest! {
    /// Nobody waits longer for the others than a fortnight, none misses a time limit for them, and
    /// whoever is due soon or gets no date alone is dated as if alone.
    #[test]
    fn together_costs_a_fortnight_at_most_and_no_limit(
        free in slots(false), window in window(), party in party(), near in 0u32..60
    ) {
        let reserve = reserve(near);
        let alone = assign::choose(free.iter().copied(), &window, &reserve);
        let given = party::choose(free.iter().copied(), &window, &reserve, Some(&party));
        match (alone, given) {
            (Choice::Inside(alone), Choice::Inside(given)) => {
                prop_assert!(given.at.date() >= alone.at.date(), "nobody is ahead by it");
                prop_assert!(given.at.date() <= alone.at.date().saturating_add(WAIT_DAYS.days()));
                prop_assert!(window.latest.is_none_or(|latest| given.at.date() <= latest));
                prop_assert!(given.at.date() >= window.earliest);
                prop_assert!(window.may_take(&given));
                if window.soon {
                    prop_assert_eq!(given, alone);
                }
            }
            (alone, given) => prop_assert_eq!(given, alone),
        }
    }

    /// Nothing that is kept goes to somebody for the sake of the others.
    #[test]
    fn nothing_kept_is_taken_for_company(free in slots(false), window in window(), party in party(), near in 0u32..60) {
        let reserve = reserve(near);
        let alone = assign::choose(free.iter().copied(), &window, &reserve);
        let given = party::choose(free.iter().copied(), &window, &reserve, Some(&party));
        if let (Some(given), true) = (given.slot(), given != alone) {
            let of_day: Vec<FreeSlot> =
                free.iter().filter(|slot| slot.at.date() == given.at.date() && window.may_take(slot)).copied().collect();
            let counted: Vec<(ProcedureSet, u32)> =
                assign::buckets(&of_day).iter().map(|one: &Bucket| (one.serves, one.free)).collect();
            prop_assert!(reserve.room(given.at.date(), given.serves, &counted) > 0);
        }
    }

    /// Nor does anything of a lease that waits for time limits and receipts.
    #[test]
    fn near_slots_and_backstops_are_for_nobodys_company(free in slots(true), window in window(), party in party()) {
        let none = Reserve::none();
        let alone = assign::choose(free.iter().copied(), &window, &none);
        let given = party::choose(free.iter().copied(), &window, &none, Some(&party));
        let kept = |slot: FreeSlot| matches!(slot.stratum, Some(Stratum::Near | Stratum::Backstop));
        prop_assert!(given == alone || given.slot().is_some_and(|slot| !kept(slot)));
    }

    /// Where one of the others' days has a slot in reach, the date lies on one of them: next to theirs.
    #[test]
    fn the_others_day_comes_first(free in slots(true), window in window(), party in party()) {
        let none = Reserve::none();
        let Choice::Inside(alone) = assign::choose(free.iter().copied(), &window, &none) else { return Ok(()) };
        let may = |slot: &&FreeSlot| {
            window.may_take(slot)
                && !matches!(slot.stratum, Some(Stratum::Near | Stratum::Backstop))
                && party.beside.iter().any(|at| at.date() == slot.at.date())
                && slot.at.date() >= window.earliest
                && slot.at.date() <= alone.at.date().saturating_add(WAIT_DAYS.days())
                && window.latest.is_none_or(|latest| slot.at.date() <= latest)
        };
        let with: Vec<&FreeSlot> = free.iter().filter(may).collect();
        if window.soon || with.is_empty() {
            return Ok(());
        }
        let given = party::choose(free.iter().copied(), &window, &none, Some(&party)).slot().unwrap();
        prop_assert!(with.contains(&&given));
        let first = with.iter().map(|slot| slot.at.date()).min().unwrap();
        prop_assert_eq!(given.at.date(), first);
        // Another hour than theirs, where the day has one.
        let other_hour = with.iter().any(|slot| slot.at.date() == first && !party.beside.contains(&slot.at));
        prop_assert_eq!(!party.beside.contains(&given.at), other_hour);
    }

    /// Nobody said anything of others: the date is the one it always was.
    #[test]
    fn alone_is_alone(free in slots(false), window in window(), near in 0u32..60) {
        let reserve = reserve(near);
        let alone = assign::choose(free.iter().copied(), &window, &reserve);
        prop_assert_eq!(party::choose(free.iter().copied(), &window, &reserve, None), alone);
        let one = Party { first: RegistrationId([1; 16]), people: 1, beside: Vec::new() };
        let given = party::choose(free.iter().copied(), &window, &reserve, Some(&one));
        prop_assert_eq!(given, alone);
    }
}

/// A family of three where tomorrow has one slot left, the day after two, and the third day four.
#[test]
fn a_family_waits_for_the_day_that_has_room_for_all() {
    let mut free = free(&[
        at(1, 9, 0),
        at(2, 9, 0),
        at(2, 9, 20),
        at(3, 9, 0),
        at(3, 11, 0),
        at(3, 11, 20),
        at(3, 11, 40),
    ]);
    let window = Window::new(TODAY, None);
    let mut party = Party::begun(RegistrationId([1; 16]), 3).unwrap();
    let mut given = Vec::new();
    for still in [2, 1, 0] {
        let slot = party::choose(free.clone(), &window, &Reserve::none(), Some(&party)).slot().unwrap();
        free.retain(|other| other.slot != slot.slot);
        given.push(slot.at);
        let next = Party::after((RegistrationId([2; 16]), Some(&party)), Some(slot.at), still);
        assert_eq!(next.is_none(), still == 0, "nobody is still to come");
        party = next.unwrap_or(party);
        assert_eq!(party.first, RegistrationId([1; 16]));
    }
    assert_eq!(given, [at(3, 11, 0), at(3, 11, 20), at(3, 11, 40)]);
}

/// The day the first was given is full for the others: the rest are kept together.
#[test]
fn what_is_left_of_a_family_stays_together() {
    let free = free(&[at(2, 9, 0), at(4, 9, 0), at(4, 9, 20)]);
    let window = Window::new(TODAY, None);
    let party = Party { first: RegistrationId([1; 16]), people: 2, beside: vec![at(1, 9, 0)] };
    let given = party::choose(free, &window, &Reserve::none(), Some(&party)).slot().unwrap();
    assert_eq!(given.at, at(4, 9, 0));
}

/// One person may have to stand at each counter: the same hour comes last.
#[test]
fn the_same_hour_is_the_last_choice() {
    let window = Window::new(TODAY, None);
    let party = Party { first: RegistrationId([1; 16]), people: 1, beside: vec![at(1, 9, 0)] };
    let of = |all: &[DateTime]| {
        party::choose(free(all), &window, &Reserve::none(), Some(&party)).slot().unwrap().at
    };
    assert_eq!(of(&[at(1, 9, 0), at(1, 15, 0)]), at(1, 15, 0));
    assert_eq!(of(&[at(1, 9, 0)]), at(1, 9, 0));
    assert_eq!(of(&[at(1, 8, 40), at(1, 9, 20)]), at(1, 8, 40), "of two as near the earlier");
}

#[test]
fn a_party_is_bounded_however_it_is_told() {
    let told = |people: u8, beside: usize| {
        let beside = vec![at(1, 9, 0); beside];
        serde_json::from_value::<Party>(serde_json::json!({
            "first": "01".repeat(16), "people": people, "beside": beside
        }))
    };
    assert!(told(0, 0).is_err() && told(PEOPLE_MAX + 1, 0).is_err());
    assert!(told(1, usize::from(PEOPLE_MAX)).is_err() && told(2, usize::from(PEOPLE_MAX) - 1).is_err());
    let whole = told(1, usize::from(PEOPLE_MAX) - 1).unwrap();
    let id = RegistrationId([2; 16]);
    assert_eq!(Party::after((id, Some(&whole)), Some(at(2, 9, 0)), 1), None, "one too many");
    assert!(Party::after((id, Some(&whole)), None, 1).is_some());
    assert_eq!(Party::begun(id, 1), None, "nobody comes with them");
    let text = serde_json::to_value(Party::begun(id, 2)).unwrap();
    assert_eq!(text, serde_json::json!({ "first": "02".repeat(16), "people": 2 }));
    let more = serde_json::json!({ "first": "01".repeat(16), "people": 2, "more": 1 });
    assert!(serde_json::from_value::<Party>(more).is_err());
}
