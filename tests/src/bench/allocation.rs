//! Dates for a national year at once, beside a maximum flow by OR-tools: the same number of
//! people served by their last day, and how long it takes. Then dates given one by one ([`super::regret`]).

use super::{Ended, Figure, Teller, machine, regret, rounded};
use crate::programs::{Failure, fail};
use domain::assign::Window;
use domain::batch::{Bucket, Person, allocate};
use domain::place::{Class, PlaceKey};
use domain::procedure::{Procedure, ProcedureSet};
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
pub(super) const DAYS: i32 = 365;
pub(super) const FIRST: Date = date(2027, 1, 4);
/// Most seconds for a national year.
const SECONDS: f64 = 5.0;
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
    regret::run(teller)?;
    Ok(Ended::Held)
}

/// Numbers drawn from a seed.
pub(super) struct Drawn(pub(super) ChaCha8Rng);

impl Drawn {
    pub(super) fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n.max(1)
    }

    /// A Poisson number, by counting products of uniform ones.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let (mut product, mut n) = (f64::from(self.0.next_u32()) / f64::from(u32::MAX), 0);
        while product > (-mean).exp() {
            product *= f64::from(self.0.next_u32()) / f64::from(u32::MAX);
            n += 1;
        }
        n
    }
}

pub(super) fn is_open(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

pub(super) fn procedure(key: &str) -> Result<Procedure, Failure> {
    Procedure::parse(key).ok_or_else(|| fail("a procedure is gone"))
}

pub(super) fn day(n: i32) -> Date {
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
