//! Dates given one by one, as people come, beside what could have been given by somebody who knew
//! the whole year: how many time limits are missed more than need be, and what keeping slots for
//! them costs the others.

use super::allocation::{DAYS, Drawn, FIRST, day, is_open, procedure};
use super::{Figure, Teller, machine, rounded};
use crate::programs::Failure;
use domain::assign::{self, Window};
use domain::batch::{Bucket, Person, allocate};
use domain::place::{Class, PlaceKey};
use domain::procedure::ProcedureSet;
use domain::reserve::{Near, Open, Reserve, SEEN_DAYS, Seen, front};
use jiff::ToSpan as _;
use jiff::civil::Date;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

const YEARS: usize = 100;
/// Slots of a working day.
const A_DAY: u32 = 40;
/// People for each slot.
const LOAD: f64 = 0.95;
/// How far the people of a day go above and below the mean in the course of a year.
const SEASONS: [f64; 2] = [0.3, 0.0];
/// Most time limits missed beyond hindsight, of those there are.
const REGRET: f64 = 0.02;

/// How a date is chosen when nobody knows who comes later.
#[derive(Clone, Copy)]
enum Rule {
    /// The product's.
    Ours,
    /// The first free slot, whoever asks.
    FirstFit,
    /// Whoever has a last day gets the last slot before it, the others the first one.
    LatestFit,
}

const RULES: [(&str, Rule); 3] =
    [("ours", Rule::Ours), ("first-fit", Rule::FirstFit), ("latest-fit", Rule::LatestFit)];

/// What one rule did in each year, as shares of those concerned and days.
#[derive(Default)]
struct Years {
    regret: Vec<f64>,
    waited: Vec<f64>,
    overtaken: Vec<f64>,
}

pub(super) fn run(teller: &Teller) -> Result<(), Failure> {
    SEASONS.into_iter().try_for_each(|season| season_of(teller, season))
}

fn season_of(teller: &Teller, season: f64) -> Result<(), Failure> {
    let mut years: [Years; 3] = Default::default();
    let mut limited = 0;
    for seed in 0..YEARS {
        let people = arrivals(u64::try_from(seed)?, season)?;
        let with_limit = people.iter().filter(|one| one.window.latest.is_some()).count();
        let known = allocate(&people, &working_days());
        let late = known
            .iter()
            .zip(&people)
            .filter(|(given, person)| person.window.latest.is_some() && given.is_none_or(|one| one.late));
        let hindsight = late.count();
        limited += with_limit;
        for ((_, rule), years) in RULES.iter().zip(&mut years) {
            let given = one_by_one(&people, *rule)?;
            let beyond = missed(&people, &given) as f64 - hindsight as f64;
            years.regret.push(beyond / with_limit.max(1) as f64);
            let (waited, overtaken) = others(&people, &given);
            years.waited.push(waited);
            years.overtaken.push(overtaken);
        }
    }
    let percent = season * 100.0;
    let shares = |of: fn(&Years) -> &Vec<f64>, at: fn(&[f64]) -> Option<&f64>, times: f64| {
        years.each_ref().map(|one| {
            let mut all = of(one).clone();
            all.sort_by(f64::total_cmp);
            at(&all).map_or(f64::NAN, |share| rounded(share * times))
        })
    };
    let median: fn(&[f64]) -> Option<&f64> = |all| all.get(all.len() / 2);
    for (what, at) in [("median", median), ("worst", |all| all.last())] {
        let regret = shares(|years| &years.regret, at, 100.0);
        figures(
            teller,
            (&format!("online regret, {what} of {YEARS} years, season of {percent} %"), regret),
            |ours| {
                (
                    format!("at most {} %", REGRET * 100.0),
                    Some(ours <= REGRET * 100.0),
                    "% of people with a time limit",
                    limited,
                )
            },
        )?;
    }
    // What it costs the others: no goal, and told all the same.
    let waited = shares(|years| &years.waited, median, 1.0);
    figures(
        teller,
        (&format!("mean wait of the others, median year, season of {percent} %"), waited),
        |_| (String::new(), None, "days", YEARS),
    )?;
    let overtaken = shares(|years| &years.overtaken, median, 100.0);
    figures(
        teller,
        (&format!("others dated after one who came later, median year, season of {percent} %"), overtaken),
        |_| (String::new(), None, "% of people without a time limit", YEARS),
    )
}

/// One figure for each of the other rules.
fn figures(
    teller: &Teller,
    (what, of): (&str, [f64; 3]),
    goal: impl Fn(f64) -> (String, Option<bool>, &'static str, usize),
) -> Result<(), Failure> {
    let [ours, ..] = of;
    for ((name, _), theirs) in RULES.iter().zip(of).skip(1) {
        let (goal, met, unit, n) = goal(ours);
        teller.say(&format!("{what}: {ours}, {name} {theirs} {unit}"));
        teller.tell(&Figure {
            bench: format!("allocation: {what}, beside {name}"),
            ours: Some(ours),
            peer: Some(theirs),
            ratio: (theirs > 0.0).then(|| rounded(ours / theirs)),
            goal,
            met,
            unit,
            n,
            machine: machine(),
        })?;
    }
    Ok(())
}

/// Working days of the year and a third more, for those who come at its end.
fn working_days() -> Vec<Bucket> {
    (1..=DAYS + 120)
        .map(day)
        .filter(|at| is_open(*at))
        .map(|at| Bucket { day: at, serves: ProcedureSet::ALL, free: A_DAY })
        .collect()
}

/// Everybody of a year in the order they come: three in ten with a time limit, of ten days to four
/// months.
fn arrivals(seed: u64, season: f64) -> Result<Vec<Person>, Failure> {
    let mut drawn = Drawn(ChaCha8Rng::seed_from_u64(1_000_000 + seed));
    let mut people = Vec::new();
    for n in (0..DAYS).filter(|n| is_open(day(*n))) {
        let season = 1.0 + season * (f64::from(n) / f64::from(DAYS) * std::f64::consts::TAU).sin();
        for k in 0..drawn.poisson(f64::from(A_DAY) * LOAD * season) {
            let kind = drawn.below(100);
            let term = match kind {
                // A protection order, a court's term, a right that ends.
                0..5 => Some(10),
                5..10 => Some(20 + drawn.below(41)),
                10..30 => Some(20 + drawn.below(101)),
                _ => None,
            };
            let class = if term.is_some() { Class::WithTimeLimit } else { Class::Ordinary };
            let latest = term.map(i32::try_from).transpose()?.map(|term| day(n + term));
            people.push(Person {
                place: PlaceKey { class, registered_s: i64::from(n) * 86_400 + i64::from(k), tie_break: 0 },
                window: Window {
                    earliest: day(n + assign::LEAD_DAYS),
                    latest,
                    soon: kind < 5,
                    class,
                    procedure: None,
                },
            });
        }
    }
    Ok(people)
}

/// The day each is given as they come.
fn one_by_one(people: &[Person], rule: Rule) -> Result<Vec<Option<Date>>, Failure> {
    let procedure = procedure("renewal")?;
    let mut days = working_days();
    let mut seen: Vec<Seen> = Vec::new();
    let (mut today, mut reserve) = (FIRST, Reserve::none());
    let mut dates = Vec::with_capacity(people.len());
    for person in people {
        let window = &person.window;
        let registered = window.earliest.saturating_sub(assign::LEAD_DAYS.days());
        if registered > today {
            today = registered;
            let back = today.saturating_sub(SEEN_DAYS.days());
            seen.retain(|one| one.registered_on >= back);
            let open = days.iter().filter(|one| one.day >= back && one.day < today).count();
            let open = Open {
                days: u32::try_from(open)?,
                until: front(today, &seen).saturating_add(SEEN_DAYS.days()),
                ahead: 1,
                slots: vec![(ProcedureSet::ALL, A_DAY)],
            };
            reserve = Reserve::observed(today, &seen, &open);
        }
        let from = days.partition_point(|one| one.day < window.earliest);
        let ahead = days.get(from..).unwrap_or_default();
        let first = || ahead.iter().position(|one| one.free > 0);
        let place = match (rule, window.latest) {
            (Rule::Ours, _) => assign::pick(ahead, window, &reserve)
                .and_then(|pick| ahead.iter().position(|one| one.day == pick.day)),
            (Rule::LatestFit, Some(latest)) => {
                ahead.iter().rposition(|one| one.free > 0 && one.day <= latest).or_else(first)
            }
            (Rule::FirstFit | Rule::LatestFit, _) => first(),
        };
        let given = place.and_then(|place| days.get_mut(from + place)).map(|bucket| {
            bucket.free -= 1;
            bucket.day
        });
        dates.push(given);
        seen.push(Seen {
            people: 1,
            procedure,
            registered_on: registered,
            limit: window.latest.map(|last_day| Near { last_day, soon: window.soon }),
            given,
        });
    }
    Ok(dates)
}

fn missed(people: &[Person], given: &[Option<Date>]) -> usize {
    let late = |(person, given): &(&Person, &Option<Date>)| {
        person.window.latest.is_some_and(|latest| given.is_none_or(|at| at > latest))
    };
    people.iter().zip(given).filter(late).count()
}

/// Of those without a limit: the days they wait on average, and the share of them dated later than
/// one of them who came after.
fn others(people: &[Person], given: &[Option<Date>]) -> (f64, f64) {
    let all = people.iter().zip(given).filter(|(person, _)| person.window.latest.is_none());
    let all: Vec<(Date, Date)> =
        all.filter_map(|(person, given)| Some((person.window.earliest, (*given)?))).collect();
    let lead = f64::from(assign::LEAD_DAYS);
    let waited = all
        .iter()
        .map(|(earliest, at)| f64::from(earliest.until(*at).map_or(0, |span| span.get_days())) + lead);
    let waited: f64 = waited.sum();
    let (mut first_after, mut overtaken) = (Date::MAX, 0_u32);
    for (_, at) in all.iter().rev() {
        overtaken += u32::from(first_after < *at);
        first_after = first_after.min(*at);
    }
    let people = all.len().max(1) as f64;
    (waited / people, f64::from(overtaken) / people)
}
