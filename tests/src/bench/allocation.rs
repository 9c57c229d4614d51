//! Dates for a national year at once, beside a maximum flow by OR-tools: the same number of
//! people served by their last day, and how long it takes. Then dates given one by one, beside
//! what could have been given by somebody who knew the whole year.

use super::{Ended, Figure, Teller, machine, rounded};
use crate::programs::{Failure, fail};
use domain::assign::{self, Window};
use domain::batch::{Bucket, Person, allocate};
use domain::place::{Class, PlaceKey};
use domain::procedure::{Procedure, ProcedureSet};
use domain::reserve::{Near, Open, Reserve, SEEN_DAYS, Seen, front};
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// People of one site in a year: a national year's over a hundred préfectures.
const PEOPLE: usize = 13_400;
pub const SITES: usize = 100;
const DAYS: i32 = 365;
const FIRST: Date = date(2027, 1, 4);
/// Most seconds for a national year.
const SECONDS: f64 = 5.0;
const YEARS: usize = 100;
/// Slots of a working day where dates are given one by one.
const A_DAY: u32 = 40;
/// People for each slot.
const LOAD: f64 = 0.95;
/// How far the people of a day go above and below the mean in the course of a year.
const SEASON: f64 = 0.3;
/// Most time limits missed beyond hindsight, of those there are.
const REGRET: f64 = 0.02;
const PEER: &str = "ortools==9.11.4210";

pub fn run(teller: &Teller, sites: usize) -> Result<Ended, Failure> {
    let folder = tempfile::Builder::new().prefix("jalon-allocation-").tempdir()?;
    let all = (0..sites).map(year).collect::<Result<Vec<_>, _>>()?;
    teller.say(&format!("{sites} sites of {PEOPLE} people and {DAYS} days"));
    let (mut ours, mut served) = (0.0, Vec::new());
    for (people, buckets) in &all {
        let began = Instant::now();
        let given = allocate(people, buckets);
        ours += began.elapsed().as_secs_f64();
        served.push(given.iter().flatten().filter(|one| !one.late).count());
    }
    let total: usize = served.iter().sum();
    teller.say(&format!("{total} of {} served by their last day, in {ours:.2} s", sites * PEOPLE));
    let peer = match peer(teller, folder.path(), &all)? {
        Some(flows) => {
            for (n, (flow, ours)) in flows.iter().zip(&served).enumerate() {
                if flow.flow != *ours {
                    teller.say(&format!("site {n}: {ours} served, a maximum flow serves {}", flow.flow));
                    return Ok(Ended::Broken);
                }
            }
            if flows.len() != served.len() {
                return Err(fail("the peer did not answer for every site"));
            }
            teller.say("the same number as the maximum flow, at every site");
            Some(flows.iter().map(|one| one.seconds).sum::<f64>())
        }
        None => None,
    };
    teller.tell(&Figure {
        bench: "allocation: batch".into(),
        ours: Some(rounded(ours)),
        peer: peer.map(rounded),
        ratio: peer.map(|peer| rounded(ours / peer)),
        goal: format!("equal flow, at most {SECONDS} s"),
        met: (sites == SITES).then_some(ours <= SECONDS && peer.is_some()),
        unit: "s",
        n: sites * PEOPLE,
        machine: machine(),
    })?;
    regrets(teller)?;
    Ok(Ended::Held)
}

/// Numbers drawn from a seed.
struct Drawn(ChaCha8Rng);

impl Drawn {
    fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n.max(1)
    }

    /// A Poisson number, by counting products of uniform ones.
    fn poisson(&mut self, mean: f64) -> u32 {
        let (mut product, mut n) = (f64::from(self.0.next_u32()) / f64::from(u32::MAX), 0);
        while product > (-mean).exp() {
            product *= f64::from(self.0.next_u32()) / f64::from(u32::MAX);
            n += 1;
        }
        n
    }
}

fn is_open(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn procedure(key: &str) -> Result<Procedure, Failure> {
    Procedure::parse(key).ok_or_else(|| fail("a procedure is gone"))
}

fn day(n: i32) -> Date {
    FIRST.saturating_add(n.days())
}

/// A site's people, each with a last day, and its slots, fewer than people: a counter for
/// everything and two for some procedures only.
fn year(site: usize) -> Result<(Vec<Person>, Vec<Bucket>), Failure> {
    let mut drawn = Drawn(ChaCha8Rng::seed_from_u64(u64::try_from(site)?));
    let keys = ["renewal", "duplicate", "naturalisation"];
    let procedures = keys.map(procedure).into_iter().collect::<Result<Vec<_>, _>>()?;
    let sets = [
        (ProcedureSet::ALL, 10),
        (ProcedureSet::of(procedures.iter().copied().take(2)), 28),
        (ProcedureSet::of(procedures.last().copied()), 12),
    ];
    let mut buckets = Vec::new();
    for at in (1..=DAYS).map(day).filter(|at| is_open(*at)) {
        for (serves, free) in sets {
            buckets.push(Bucket { day: at, serves, free });
        }
    }
    let mut people = Vec::with_capacity(PEOPLE);
    for n in 0..PEOPLE {
        let registered = i32::try_from(drawn.below(DAYS as u32))?;
        let term = *[15, 40, 90, 180].get(usize::try_from(drawn.below(4))?).unwrap_or(&15);
        let procedure = procedures.get(usize::try_from(
            [0, 0, 0, 1, 1, 2].get(usize::try_from(drawn.below(6))?).copied().unwrap_or(0),
        )?);
        people.push(Person {
            place: PlaceKey {
                class: Class::WithTimeLimit,
                registered_s: i64::from(registered) * 86_400 + i64::try_from(n)?,
                tie_break: drawn.0.next_u32(),
            },
            window: Window {
                earliest: day(registered + 1),
                latest: Some(day(registered + term)),
                soon: false,
                class: Class::WithTimeLimit,
                procedure: procedure.copied(),
            },
        });
    }
    Ok((people, buckets))
}

#[derive(Deserialize)]
struct Flow {
    flow: usize,
    seconds: f64,
}

/// A maximum flow for each site; none when OR-tools cannot be installed.
fn peer(
    teller: &Teller,
    folder: &Path,
    all: &[(Vec<Person>, Vec<Bucket>)],
) -> Result<Option<Vec<Flow>>, Failure> {
    let place = folder.join("python");
    let python = place.join("bin/python");
    let done = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let installed = done(Command::new("python3").args(["-m", "venv"]).arg(&place))
        && done(Command::new(&python).args(["-m", "pip", "install", "--quiet", PEER]));
    if !installed {
        teller.say(&format!("OR-tools is not there: apt install python3-venv, and pip install {PEER}"));
        return Ok(None);
    }
    let script = folder.join("allocation.py");
    std::fs::write(&script, include_str!("allocation.py"))?;
    let mut input = tempfile::tempfile_in(folder)?;
    for (people, buckets) in all {
        writeln!(input, "{}", network(people, buckets))?;
    }
    std::io::Seek::rewind(&mut input)?;
    // One thread, as ours.
    let said = Command::new(&python).arg(&script).env("OMP_NUM_THREADS", "1").stdin(input).output()?;
    if !said.status.success() {
        return Err(fail(format!("the peer failed: {}", String::from_utf8_lossy(&said.stderr))));
    }
    let lines = String::from_utf8(said.stdout)?;
    Ok(Some(lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?))
}

/// People with the same window and procedure are one node, and so are slots of one day that
/// serve the same.
fn network(people: &[Person], buckets: &[Bucket]) -> serde_json::Value {
    let mask = |serves: ProcedureSet| serves.each().map(number).fold(0, |mask, n| mask | 1_u64 << n);
    let mut groups: BTreeMap<(u64, usize, usize), u32> = BTreeMap::new();
    for Person { window, .. } in people {
        let first = buckets.partition_point(|one| one.day < window.earliest);
        let after =
            window.latest.map_or(buckets.len(), |last| buckets.partition_point(|one| one.day <= last));
        let wanted = window.procedure.map_or(u64::MAX >> 1, |wanted| 1 << number(wanted));
        *groups.entry((wanted, first, after.max(first))).or_default() += 1;
    }
    let groups: Vec<_> =
        groups.into_iter().map(|((mask, first, after), n)| (mask, first, after, n)).collect();
    let buckets: Vec<_> = buckets.iter().map(|one| (mask(one.serves), one.free)).collect();
    json!({ "groups": groups, "buckets": buckets })
}

fn number(procedure: Procedure) -> usize {
    domain::procedure::all().iter().position(|entry| entry.key == procedure.key()).unwrap_or(0)
}

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

fn regrets(teller: &Teller) -> Result<(), Failure> {
    let rules = [("ours", Rule::Ours), ("first-fit", Rule::FirstFit), ("latest-fit", Rule::LatestFit)];
    let mut regret: [Vec<f64>; 3] = Default::default();
    let mut limited = 0;
    for seed in 0..YEARS {
        let people = arrivals(u64::try_from(seed)?)?;
        let with_limit = people.iter().filter(|one| one.window.latest.is_some()).count();
        let buckets = working_days();
        let known = allocate(&people, &buckets);
        let hindsight = known
            .iter()
            .zip(&people)
            .filter(|(given, person)| person.window.latest.is_some() && given.is_none_or(|one| one.late));
        let hindsight = hindsight.count();
        limited += with_limit;
        for ((_, rule), regret) in rules.iter().zip(&mut regret) {
            let beyond = missed(&people, *rule)? as f64 - hindsight as f64;
            regret.push(beyond / with_limit.max(1) as f64);
        }
    }
    for regret in &mut regret {
        regret.sort_by(f64::total_cmp);
    }
    let at = |n: usize, of: fn(&[f64]) -> Option<f64>| {
        regret.get(n).and_then(|all| of(all)).map_or(f64::NAN, |share| rounded(share * 100.0))
    };
    for (what, of) in [
        ("median", (|all: &[f64]| all.get(all.len() / 2).copied()) as fn(&[f64]) -> Option<f64>),
        ("worst", |all| all.last().copied()),
    ] {
        for (n, (name, _)) in rules.iter().enumerate() {
            teller
                .say(&format!("{name}: {what} year {} % of time limits missed beyond hindsight", at(n, of)));
        }
        for (n, (name, _)) in rules.iter().enumerate().skip(1) {
            teller.tell(&Figure {
                bench: format!("allocation: online regret, {what} of {YEARS} years, beside {name}"),
                ours: Some(at(0, of)),
                peer: Some(at(n, of)),
                ratio: (at(n, of) > 0.0).then(|| rounded(at(0, of) / at(n, of))),
                goal: format!("at most {} %", REGRET * 100.0),
                met: Some(at(0, of) <= REGRET * 100.0),
                unit: "% of people with a time limit",
                n: limited,
                machine: machine(),
            })?;
        }
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

/// Everybody of a year in the order they come: three in ten with a time limit, of ten days to four months.
fn arrivals(seed: u64) -> Result<Vec<Person>, Failure> {
    let mut drawn = Drawn(ChaCha8Rng::seed_from_u64(1_000_000 + seed));
    let mut people = Vec::new();
    for n in (0..DAYS).filter(|n| is_open(day(*n))) {
        let season = 1.0 + SEASON * (f64::from(n) / f64::from(DAYS) * std::f64::consts::TAU).sin();
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

/// How many time limits are missed when each is given a date as they come.
fn missed(people: &[Person], rule: Rule) -> Result<usize, Failure> {
    let procedure = procedure("renewal")?;
    let mut days = working_days();
    let mut seen: Vec<Seen> = Vec::new();
    let (mut today, mut reserve) = (FIRST, Reserve::none());
    let mut missed = 0;
    for person in people {
        let window = &person.window;
        let registered = window.earliest.saturating_sub(assign::LEAD_DAYS.days());
        if registered > today {
            today = registered;
            seen.retain(|one| one.registered_on >= today.saturating_sub(SEEN_DAYS.days()));
            let back = today.saturating_sub(SEEN_DAYS.days());
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
        let in_time = given.zip(window.latest).is_some_and(|(at, latest)| at <= latest);
        missed += usize::from(window.latest.is_some() && !in_time);
        seen.push(Seen {
            people: 1,
            procedure,
            registered_on: registered,
            limit: window.latest.map(|last_day| Near { last_day, soon: window.soon }),
            given,
        });
    }
    Ok(missed)
}
