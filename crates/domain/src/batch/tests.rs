//! Against every allocation there is (few people), and against plain augmenting paths (many).

use super::*;
use crate::ids::SlotId;
use crate::lease::Stratum;
use crate::place::Class;
use jiff::ToSpan as _;
use jiff::civil::date;
use proptest::prelude::*;

const FIRST: Date = date(2027, 3, 1);

fn day(n: i32) -> Date {
    FIRST.saturating_add(n.days())
}

fn procedure() -> impl Strategy<Value = Procedure> {
    prop::sample::select(vec!["renewal", "duplicate", "naturalisation"])
        .prop_map(|key| Procedure::parse(key).unwrap())
}

fn person(days: i32) -> impl Strategy<Value = Person> {
    (prop::option::weighted(0.8, 0..days), 0..days, 0i64..6, prop::option::weighted(0.8, procedure()))
        .prop_map(|(last, earliest, registered_s, procedure)| {
            let class = if last.is_some() { Class::WithTimeLimit } else { Class::Ordinary };
            Person {
                place: PlaceKey { class, registered_s, tie_break: 0 },
                window: Window {
                    earliest: day(earliest),
                    latest: last.map(day),
                    soon: false,
                    class,
                    procedure,
                },
            }
        })
}

fn bucket(days: i32, most: u32) -> impl Strategy<Value = Bucket> {
    let serves = prop_oneof![
        Just(ProcedureSet::ALL),
        prop::collection::vec(procedure(), 1..3).prop_map(ProcedureSet::of),
    ];
    (0..days, serves, 0..=most).prop_map(|(n, serves, free)| Bucket { day: day(n), serves, free })
}

/// Everything one person could be given, in the order it is given in.
fn wanted(person: &Person, buckets: &[Bucket], late: bool) -> Vec<usize> {
    let mut all: Vec<usize> = (0..buckets.len())
        .filter(|n| {
            let one = &buckets[*n];
            one.day >= person.window.earliest
                && person.window.procedure.is_none_or(|wanted| one.serves.includes(wanted))
                && (late || person.window.latest.is_none_or(|latest| one.day <= latest))
        })
        .collect();
    all.sort_by_key(|n| (buckets[*n].day, buckets[*n].serves.breadth(), buckets[*n].serves, *n));
    all
}

/// Can all of these be served inside their windows? Plain augmenting paths, person by person.
fn all_served(who: &[usize], people: &[Person], buckets: &[Bucket]) -> bool {
    fn take(
        n: usize,
        wanted: &[Vec<usize>],
        room: &[u32],
        held: &mut [Vec<usize>],
        seen: &mut [bool],
    ) -> bool {
        for &at in &wanted[n] {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            if held[at].len() < room[at] as usize {
                held[at].push(n);
                return true;
            }
            for k in 0..held[at].len() {
                if take(held[at][k], wanted, room, held, seen) {
                    held[at][k] = n;
                    return true;
                }
            }
        }
        false
    }
    let wanted: Vec<Vec<usize>> = who.iter().map(|n| self::wanted(&people[*n], buckets, false)).collect();
    let room: Vec<u32> = buckets.iter().map(|one| one.free).collect();
    let mut held = vec![Vec::new(); buckets.len()];
    (0..who.len()).all(|n| take(n, &wanted, &room, &mut held, &mut vec![false; buckets.len()]))
}

/// The rule as it is said, each step by trying: who can be served in rank order, then for each of
/// them the first bucket that leaves the others served, then the rest.
fn said(people: &[Person], buckets: &[Bucket]) -> Vec<Option<Placed<usize>>> {
    let mut order: Vec<usize> = (0..people.len()).collect();
    order.sort_by_key(|n| (people[*n].place, *n));
    let (limited, ordinary): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|n| people[*n].window.latest.is_some());
    let (mut inside, mut missed) = (Vec::new(), Vec::new());
    for n in limited {
        inside.push(n);
        if !all_served(&inside, people, buckets) {
            missed.extend(inside.pop());
        }
    }
    let mut left = buckets.to_vec();
    let mut given = vec![None; people.len()];
    for (i, n) in inside.iter().enumerate() {
        for at in wanted(&people[*n], &left, false) {
            if left[at].free == 0 {
                continue;
            }
            left[at].free -= 1;
            if all_served(&inside[i + 1..], people, &left) {
                given[*n] = Some(Placed { what: at, late: false });
                break;
            }
            left[at].free += 1;
        }
    }
    for (rest, late) in [(missed, true), (ordinary, false)] {
        for n in rest {
            if let Some(at) = wanted(&people[n], &left, true).into_iter().find(|at| left[*at].free > 0) {
                left[at].free -= 1;
                given[n] = Some(Placed { what: at, late });
            }
        }
    }
    given
}

/// The most that any allocation serves inside their windows, by trying them all.
fn most(people: &[Person], buckets: &mut Vec<Bucket>) -> usize {
    let Some((one, rest)) = people.split_first() else { return 0 };
    let mut best = most(rest, buckets);
    for at in wanted(one, buckets, false) {
        if one.window.latest.is_some() && buckets[at].free > 0 {
            buckets[at].free -= 1;
            best = best.max(1 + most(rest, buckets));
            buckets[at].free += 1;
        }
    }
    best
}

fn served(given: &[Option<Placed<usize>>], people: &[Person]) -> usize {
    let inside = |(one, person): (&Option<Placed<usize>>, &Person)| {
        person.window.latest.is_some() && one.is_some_and(|one| !one.late)
    };
    given.iter().zip(people).filter(|pair| inside(*pair)).count()
}

fn check(given: &[Option<Placed<usize>>], people: &[Person], buckets: &[Bucket]) {
    let mut left: Vec<u32> = buckets.iter().map(|one| one.free).collect();
    for (one, person) in given.iter().zip(people) {
        let Some(Placed { what, late }) = *one else { continue };
        left[what] = left[what].checked_sub(1).expect("a slot for two");
        assert!(wanted(person, buckets, true).contains(&what));
        assert_eq!(late, person.window.latest.is_some_and(|latest| buckets[what].day > latest));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// I4: nobody could serve more of them, and it is done as it is said.
    #[test]
    fn as_many_as_any_allocation_serves(
        people in prop::collection::vec(person(6), 0..6), buckets in prop::collection::vec(bucket(6, 2), 0..6)
    ) {
        let given = allocate(&people, &buckets);
        check(&given, &people, &buckets);
        prop_assert_eq!(served(&given, &people), most(&people, &mut buckets.clone()));
        prop_assert_eq!(given, said(&people, &buckets));
    }

    /// The same for many, where each is looked for along plain augmenting paths.
    #[test]
    fn many_are_served_as_it_is_said(
        people in prop::collection::vec(person(20), 0..50), buckets in prop::collection::vec(bucket(20, 4), 0..24)
    ) {
        let given = allocate(&people, &buckets);
        check(&given, &people, &buckets);
        prop_assert_eq!(given, said(&people, &buckets));
    }

    /// Whoever is served stays served when somebody of a lower rank comes, and on the same day.
    #[test]
    fn a_lower_rank_takes_nothing(
        people in prop::collection::vec(person(10), 1..12), buckets in prop::collection::vec(bucket(10, 2), 0..12)
    ) {
        let alone = allocate(&people[..people.len() - 1], &buckets);
        let mut people = people;
        let last = people.len() - 1;
        people[last].place.registered_s = 1_000;
        let together = allocate(&people, &buckets);
        for n in 0..last {
            let inside = |given: &[Option<Placed<usize>>]| given[n].is_some_and(|one| !one.late);
            if people[n].window.latest.is_some() && inside(&alone) {
                prop_assert!(inside(&together), "{n}");
            }
        }
    }

    /// Slots follow the buckets: one each, on the same days, the earlier hour to the better rank.
    #[test]
    fn slots_are_given_as_their_days_are(
        people in prop::collection::vec(person(8), 0..20), buckets in prop::collection::vec(bucket(8, 3), 0..8)
    ) {
        let mut buckets = buckets;
        buckets.sort_by_key(|one| (one.day, one.serves));
        buckets.dedup_by_key(|one| (one.day, one.serves));
        let mut free = Vec::new();
        for (n, one) in buckets.iter().enumerate() {
            for k in 0..one.free {
                let slot = SlotId(n as u64 * 10 + u64::from(k));
                let at = one.day.at(9 + i8::try_from(k).unwrap(), 0, 0, 0);
                free.push(FreeSlot { slot, at, stratum: None::<Stratum>, serves: one.serves });
            }
        }
        free.reverse();
        let given = assign(&people, &free);
        let days = allocate(&people, &buckets);
        let mut taken = std::collections::BTreeSet::new();
        for (one, day) in given.iter().zip(&days) {
            prop_assert_eq!(one.map(|one| (one.what.at.date(), one.late)), day.map(|one| (buckets[one.what].day, one.late)));
            prop_assert!(one.is_none_or(|one| taken.insert(one.what.slot)));
        }
        for (n, a) in people.iter().enumerate() {
            for (k, b) in people.iter().enumerate() {
                let (Some(one), Some(other)) = (given[n], given[k]) else { continue };
                let alike = one.what.serves == other.what.serves && one.what.at.date() == other.what.at.date();
                let before = (a.window.latest.is_none(), one.late, a.place, n) < (b.window.latest.is_none(), other.late, b.place, k);
                if alike && before {
                    prop_assert!(one.what.at < other.what.at);
                }
            }
        }
    }
}

#[test]
fn the_rank_decides_who_is_served_and_moves_who_can_wait() {
    let person = |registered_s, earliest: i32, latest: Option<i32>| {
        let class = if latest.is_some() { Class::WithTimeLimit } else { Class::Ordinary };
        Person {
            place: PlaceKey { class, registered_s, tie_break: 0 },
            window: Window {
                earliest: day(earliest),
                latest: latest.map(day),
                soon: false,
                class,
                procedure: None,
            },
        }
    };
    let one = |n| Bucket { day: day(n), serves: ProcedureSet::ALL, free: 1 };
    // The first could have day 1, and leaves it to the second, who has no other; the third comes
    // too late for any, and an ordinary person of long ago goes behind all of them.
    let people = [person(1, 1, Some(3)), person(2, 1, Some(1)), person(3, 1, Some(1)), person(0, 1, None)];
    let given = allocate(&people, &[one(1), one(2), one(4), one(5)]);
    let at = |n, late| Some(Placed { what: n, late });
    assert_eq!(given, [at(1, false), at(0, false), at(2, true), at(3, false)]);
    assert_eq!(allocate(&people, &[one(1)]), [at(0, false), None, None, None]);
    assert_eq!(allocate(&people, &[]), [None; 4]);
    assert_eq!(allocate(&[], &[one(1)]), []);
}
