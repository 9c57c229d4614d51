//! `stand bench NAME`: what the product does, beside what it is measured against. Prints
//! figures; never a timed test, and no part of the test run.

mod allocation;
mod audit;
mod cluster;
mod drain;
mod failover;
mod gate;
mod growth;
mod kiosk;
mod outages;
mod regret;
mod slots;
mod tamper;

use crate::programs::Failure;
use clap::{Args, ValueEnum};
use serde::Serialize;

#[derive(Args)]
pub struct Bench {
    #[arg(value_enum)]
    name: Name,
    /// Only the figures, one line of JSON each.
    #[arg(long)]
    json: bool,
    /// How many: kills of `failover`, registrations of `drain`, entries of `audit`, most places of `growth`, sites of `allocation`, kiosks of `outages`, leases a turn of `slots`.
    #[arg(long)]
    n: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Three PostgreSQL under Patroni, the primary killed under load.
    Failover,
    /// A year's registrations pushed at once, beside PostgreSQL's COPY.
    Drain,
    /// The same requests on 10 000 places and on more than a year's.
    Growth,
    /// A national year's dates at once, beside a maximum flow; one by one, beside hindsight.
    Allocation,
    /// Entries of the audit journal, beside plain INSERTs; tampers found in it.
    Audit,
    /// Leases filled, beside slots taken one by one; dates online while a drain runs.
    Slots,
    /// Ninety days of kiosks with outages, by the rules alone: ranks, slots that pass, delay, overtakes.
    Outages,
}

/// How a benchmark ended.
pub enum Ended {
    /// Every check held; a figure may have missed its goal.
    Held,
    /// A check did not hold: something was lost or doubled.
    Broken,
    /// The line that installs what is missing.
    Missing(&'static str),
}

/// One figure beside its peer's.
#[derive(Debug, Serialize)]
struct Figure {
    bench: String,
    /// None: not measured.
    ours: Option<f64>,
    peer: Option<f64>,
    ratio: Option<f64>,
    goal: String,
    met: Option<bool>,
    unit: &'static str,
    n: usize,
    machine: String,
}

/// Where figures and remarks go.
struct Teller {
    json: bool,
}

impl Teller {
    /// Something for a person who watches.
    fn say(&self, text: &str) {
        if self.json {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }

    /// One figure, as one line of JSON.
    fn tell(&self, figure: &Figure) -> Result<(), Failure> {
        println!("{}", serde_json::to_string(figure)?);
        Ok(())
    }
}

/// Runs one benchmark.
///
/// # Errors
/// A part cannot be started.
pub fn run(bench: &Bench) -> Result<Ended, Failure> {
    let teller = Teller { json: bench.json };
    let runtime = tokio::runtime::Runtime::new()?;
    match bench.name {
        Name::Failover => runtime.block_on(failover::run(&teller, bench.n.unwrap_or(failover::KILLS))),
        Name::Growth => runtime.block_on(growth::run(&teller, bench.n.unwrap_or(growth::MOST))),
        Name::Allocation => allocation::run(&teller, bench.n.unwrap_or(allocation::SITES)),
        Name::Slots => runtime.block_on(slots::run(&teller, bench.n.unwrap_or(slots::LEASES))),
        Name::Outages => outages::run(&teller, bench.n.unwrap_or(outages::COUNTRY)),
        Name::Audit => runtime.block_on(audit::run(&teller, bench.n.unwrap_or(audit::ENTRIES))),
        Name::Drain => runtime.block_on(drain::run(&teller, bench.n.unwrap_or(drain::YEAR))),
    }
}

/// Cores, memory and build: what a figure depends on most.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!("{cores} cores, {} GiB, {build} build", kib.div_ceil(1 << 20))
}

/// Three digits are as much as one run can say.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
