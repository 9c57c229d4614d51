//! `stand sim`: runs the simulation's seeds on a PostgreSQL of its own, two threads at a
//! time. Needs no message bus and no screen, and leaves nothing behind.
//!
//! The database runs with synchronous_commit=off: the simulation never kills PostgreSQL,
//! so what that saves is time, not truth. Crash safety of the disk is the crash
//! harness's subject.

use crate::archive::SiteRows;
use crate::planted;
use crate::programs::{Failure, fail};
use crate::stand::postgres::Postgres;
use crate::supervise;
use clap::Args;
use sim::simulation::{Broken, Ground, Plant, Tally};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tempfile::TempDir;

/// Threads, each with a runtime, a database and a connection of its own.
const THREADS: u64 = 2;
/// Broken seeds told one by one.
const TOLD: usize = 20;

#[derive(Args)]
pub struct Sim {
    /// How many seeds, from 1 on; with --planted at most so many for each bug.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// This seed alone, as a failure named it.
    #[arg(long)]
    seed: Option<u64>,
    /// Hunt the bugs of docs/planted.md instead, or the one named.
    #[arg(long, num_args = 0..=1, default_missing_value = "all", conflicts_with = "seed")]
    planted: Option<String>,
    /// The bugs named seldom show: look together first.
    #[arg(long, requires = "planted")]
    rare: bool,
}

/// When a run of seeds ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// With the last seed.
    Done,
    /// With the first that breaks; those begun before it still run to their end.
    Broken,
}

/// Runs the seeds, prints what broke and a closing line. Answers false when one broke.
///
/// # Errors
/// PostgreSQL or a folder cannot be used.
pub fn run(sim: &Sim) -> Result<bool, Failure> {
    if let Some(name) = &sim.planted {
        return planted::hunt(name, sim.seeds, sim.rare);
    }
    let began = Instant::now();
    let seeds: Vec<u64> = match sim.seed {
        Some(seed) => vec![seed],
        None => (1..=sim.seeds).collect(),
    };
    let runs = Runs::start()?;
    let (tally, broken) = runs.seeds(&seeds, Plant::None, Until::Done)?;
    for broken in broken.iter().take(TOLD) {
        println!("{broken}");
    }
    if let Some(first) = broken.first() {
        println!("the shortest story of seed {}:", first.seed);
        planted::tell(&runs.shrink(first.clone(), Plant::None)?);
    }
    let Tally {
        online,
        lease,
        rank,
        crashes,
        older,
        twins,
        restored,
        moved,
        given_up,
        learnt,
        taken,
        returned,
        corrected,
        declined,
        ahead,
        came,
        absent,
        dated_again,
        elsewhere,
        called,
        ..
    } = tally;
    println!(
        "{online} dates online, {lease} from leases, {rank} ranks, {crashes} crashes, {older} older disks, {twins} copied disks, {restored} restored centrals, {moved} dates moved by closures, {given_up} given up, {learnt} limits learnt later, {taken} earlier ones taken, {ahead} given in advance, {declined} declined, {returned} came back, {corrected} put right, {came} received, {absent} absent, {dated_again} of them dated again, {elsewhere} words at other kiosks, {called} cancellations by telephone in {} s",
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
    Runs::start()?.seeds(seeds, plant, Until::Done)
}

/// A PostgreSQL and a folder for running seeds, gone with it.
pub struct Runs {
    folder: TempDir,
    postgres: Postgres,
}

impl Runs {
    /// # Errors
    /// PostgreSQL or a folder cannot be used.
    pub fn start() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("jalon-sim-").tempdir_in(fast_folder())?;
        let postgres = Postgres::start(folder.path())?;
        Ok(Self { folder, postgres })
    }

    /// As [`seeds_on`].
    ///
    /// # Errors
    /// As [`run`].
    pub fn seeds(&self, seeds: &[u64], plant: Plant, until: Until) -> Result<(Tally, Vec<Broken>), Failure> {
        let next = AtomicUsize::new(0);
        let (tally, mut broken) = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS.min(seeds.len() as u64))
                .map(|n| {
                    let next = &next;
                    scope.spawn(move || {
                        self.on_ground(n, async |ground| live(ground, seeds, next, plant, until).await)
                    })
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

    /// The shortest story of a broken seed.
    ///
    /// # Errors
    /// As [`run`].
    pub fn shrink(&self, broken: Broken, plant: Plant) -> Result<Broken, Failure> {
        self.on_ground(0, async |ground| ground.shrink(broken, plant).await)
    }

    /// Does something on a ground of its own, in a runtime in which no time passes: time
    /// limits of the kiosk are real time, and must not depend on how loaded the machine is.
    /// A waiting blocking task keeps the paused clock from jumping.
    fn on_ground<T>(&self, n: u64, act: impl AsyncFnOnce(&Ground) -> T) -> Result<T, Failure> {
        let folder = self.folder.path().join(format!("t{n}"));
        std::fs::create_dir_all(&folder)?;
        let url = self.postgres.database(&format!("sim{n}"))?;
        let url = format!("{url}&options=-c%20synchronous_commit%3Doff");
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
        let (held, hold) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || hold.recv());
        runtime.block_on(async {
            let _held = held;
            let archive = Box::new(SiteRows(central::connect_with(&url, 1).await?));
            let ground = Ground::prepare(&url, &folder, archive).await?;
            Ok(act(&ground).await)
        })
    }
}

/// Takes seeds until there are none.
async fn live(
    ground: &Ground,
    seeds: &[u64],
    next: &AtomicUsize,
    plant: Plant,
    until: Until,
) -> (Tally, Vec<Broken>) {
    let (mut tally, mut broken) = (Tally::default(), Vec::new());
    while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::SeqCst)) {
        match ground.run(*seed, plant).await {
            Ok(lived) => tally.add(lived),
            Err(broke) => {
                broken.push(broke);
                if until == Until::Broken {
                    next.store(seeds.len(), Ordering::SeqCst);
                }
            }
        }
    }
    (tally, broken)
}

/// Memory where there is some set apart for files, or the supervisor's folder in it: the vaults'
/// syncs cost nothing there.
pub fn fast_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os(supervise::FAST) {
        return PathBuf::from(folder);
    }
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}
