//! `stand sim`: runs the simulation's seeds on a PostgreSQL of its own, two threads at a
//! time. Needs no message bus and no screen, and leaves nothing behind.
//!
//! The database runs with synchronous_commit=off: the simulation never kills PostgreSQL,
//! so what that saves is time, not truth. Crash safety of the disk is the crash
//! harness's subject.

use crate::archive::SiteRows;
use crate::programs::{Failure, fail};
use crate::stand::postgres::Postgres;
use clap::Args;
use sim::simulation::{Broken, Ground, Plant, Tally};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Threads, each with a runtime, a database and a connection of its own.
const THREADS: u64 = 2;
/// Broken seeds told one by one.
const TOLD: usize = 20;

#[derive(Args)]
pub struct Sim {
    /// How many seeds, from 1 on.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// This seed alone, as a failure named it.
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs the seeds, prints what broke and a closing line. Answers false when one broke.
///
/// # Errors
/// PostgreSQL or a folder cannot be used.
pub fn run(sim: &Sim) -> Result<bool, Failure> {
    let began = Instant::now();
    let seeds: Vec<u64> = match sim.seed {
        Some(seed) => vec![seed],
        None => (1..=sim.seeds).collect(),
    };
    let (tally, broken) = seeds_on(&seeds, Plant::None)?;
    for broken in broken.iter().take(TOLD) {
        println!("{broken}");
    }
    let Tally { online, lease, rank, crashes, older, twins, restored, .. } = tally;
    println!(
        "{online} dates online, {lease} from leases, {rank} ranks, {crashes} crashes, {older} older disks, {twins} copied disks, {restored} restored centrals in {} s",
        began.elapsed().as_secs()
    );
    println!("{} passed, {} failed", seeds.len() - broken.len(), broken.len());
    Ok(broken.is_empty())
}

/// Runs these seeds with a planted fault or none; answers what happened in those that
/// held, and those that broke, in order.
///
/// # Errors
/// As [`run`].
pub fn seeds_on(seeds: &[u64], plant: Plant) -> Result<(Tally, Vec<Broken>), Failure> {
    let folder = tempfile::Builder::new().prefix("jalon-sim-").tempdir_in(fast_folder())?;
    let postgres = Postgres::start(folder.path())?;
    let next = AtomicU64::new(0);
    let (tally, mut broken) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let (postgres, next, folder) = (&postgres, &next, folder.path().join(format!("t{n}")));
                scope.spawn(move || thread(postgres, n, &folder, seeds, next, plant))
            })
            .collect();
        let (mut tally, mut broken) = (Tally::default(), Vec::new());
        for thread in threads {
            let (lived, broke) =
                thread.join().map_err(|_| fail("a thread of the simulation ended badly"))??;
            tally.add(lived);
            broken.extend(broke);
        }
        Ok::<_, Failure>((tally, broken))
    })?;
    broken.sort_by_key(|broken| broken.seed);
    Ok((tally, broken))
}

fn thread(
    postgres: &Postgres,
    n: u64,
    folder: &Path,
    seeds: &[u64],
    next: &AtomicU64,
    plant: Plant,
) -> Result<(Tally, Vec<Broken>), Failure> {
    std::fs::create_dir_all(folder)?;
    let url = format!("{}&options=-c%20synchronous_commit%3Doff", postgres.database(&format!("sim{n}"))?);
    // Time limits of the kiosk are real time; here no time passes, however loaded the
    // machine: the clock is paused, and a waiting blocking task keeps it from jumping.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let (held, hold) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || hold.recv());
    runtime.block_on(async {
        let _held = held;
        let archive = Box::new(SiteRows(central::connect_with(&url, 1).await?));
        let ground = Ground::prepare(&url, folder, archive).await?;
        let (mut tally, mut broken) = (Tally::default(), Vec::new());
        loop {
            let at = usize::try_from(next.fetch_add(1, Ordering::SeqCst))?;
            let Some(seed) = seeds.get(at) else { return Ok((tally, broken)) };
            match ground.run(*seed, plant).await {
                Ok(lived) => tally.add(lived),
                Err(broke) => broken.push(broke),
            }
        }
    })
}

/// Memory where there is some set apart for files: the vaults' syncs cost nothing there.
pub fn fast_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}
