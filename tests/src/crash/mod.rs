//! `stand crash`: nothing kept is lost, whatever instruction or write the power takes.
//!
//! Storms on a real kiosk. *Faults* are a disk that is full or answers an error once. *Kills* end
//! its process and open the same folder again; *errands* kill at each file operation of what it
//! does seldom. *Points* take a recorded life, stop it at an operation, and make a disk
//! of what was synced and a choice of the rest. The same points on plain SQLite with
//! `synchronous = NORMAL` must lose something: a harness that cannot fail proves nothing.

mod disk;
pub mod errands;
mod faults;
mod ground;
mod kills;
mod look;
mod plain;
mod points;
mod recording;
mod said;
mod trace;
mod victim;

use crate::programs::Failure;
use crate::simulate::fast_folder;
use clap::Args;
use ground::Ground;
use look::Looker;
use points::Range;
use std::time::Instant;
use victim::Synchronous;
pub use victim::{Victim, run as be_victim};

/// Of so many kills asked for, each errand gets one more.
const KILLS_AN_ERRAND: usize = 4;
/// Losses told one by one.
const TOLD: usize = 20;
/// One fault of each kind for so many crash points.
const FAULTS: usize = 60;
/// Points on plain SQLite, each way, and at most on a lying disk.
const MEASURE_POINTS: usize = 400;

#[derive(Args)]
pub struct Crash {
    /// Crash points of recorded lives.
    #[arg(long, default_value_t = 3_000)]
    pub points: usize,
    /// Real kills; one for every hundred points when not said.
    #[arg(long)]
    pub kills: Option<usize>,
    /// Chooses everything but the instruction a real kill hits.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// What the storms found.
#[derive(Debug)]
pub struct Outcome {
    pub kills: kills::Tally,
    pub errands: errands::Tally,
    pub points: points::Tally,
    pub normal: points::Tally,
    pub full: points::Tally,
    pub lying: points::Tally,
    pub faults: faults::Tally,
}

impl Outcome {
    /// Checks that held.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.kills.kills + self.errands.all() + self.points.points + self.faults.faults + 3 - self.failed()
    }

    /// Kills and points that lost something; NORMAL or a lying disk not caught; FULL caught.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.kills.lost.len()
            + self.errands.lost.len()
            + self.points.lost.len()
            + self.faults.lost.len()
            + usize::from(self.normal.lost.is_empty())
            + usize::from(self.lying.lost.is_empty())
            + usize::from(!self.full.lost.is_empty())
    }
}

/// Runs the storms and prints what they found. Answers false when something was lost, or
/// when the harness did not catch what must lose.
///
/// # Errors
/// A part cannot be started.
pub fn run(crash: &Crash) -> Result<bool, Failure> {
    let began = Instant::now();
    let outcome = storm(crash)?;
    let Outcome { kills, errands, points, normal, full, lying, faults } = &outcome;
    for lost in kills.lost.iter().take(TOLD) {
        println!("{lost}");
    }
    for lost in errands.lost.iter().take(TOLD) {
        println!("{lost}");
    }
    for lost in points.lost.iter().take(TOLD) {
        println!("{lost}");
    }
    for lost in faults.lost.iter().take(TOLD) {
        println!("{lost}");
    }
    for lost in full.lost.iter().take(TOLD) {
        println!("plain SQLite, FULL: {lost}");
    }
    let spread: Vec<String> =
        kills.spread.iter().map(|(place, count)| format!("{count} {}", place.words())).collect();
    let of_each: Vec<String> = errands.kills.iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!(
        "seed {}: {} kills ({}; {} registrations kept), {} kills at a file operation ({}), {} points in {} lives ({} with unsynced writes; {} kept \
         registrations looked for), {} faults of the disk ({} ended the kiosk), {} s; plain SQLite lost a kept row at {} of {} points with NORMAL, {} of {} with FULL; \
         a disk that lies: the kiosk's loss {}",
        crash.seed,
        kills.kills,
        spread.join(", "),
        kills.kept,
        errands.all(),
        of_each.join(", "),
        points.points,
        points.lives,
        points.unsynced,
        points.kept,
        faults.faults,
        faults.stopped,
        began.elapsed().as_secs(),
        normal.lost.len(),
        normal.points,
        full.lost.len(),
        full.points,
        if lying.lost.is_empty() { "not seen" } else { "seen" },
    );
    if normal.lost.is_empty() || lying.lost.is_empty() {
        println!("the harness did not catch what must lose: what it says of the vault proves nothing");
    }
    println!("{} passed, {} failed", outcome.passed(), outcome.failed());
    Ok(outcome.failed() == 0)
}

/// Runs the storms.
///
/// # Errors
/// A part cannot be started.
pub fn storm(crash: &Crash) -> Result<Outcome, Failure> {
    let home = tempfile::Builder::new().prefix("jalon-crash-").tempdir()?;
    let scratch = tempfile::Builder::new().prefix("jalon-crash-").tempdir_in(fast_folder())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ground = runtime.block_on(Ground::make(home.path()))?;
    let path = home.path().join("ground.json");
    ground.write(&path)?;
    let looker = Looker::new(ground)?;
    let recorder = recording::recorder(home.path())?;
    let seed = crash.seed;
    let range = Range { recorder: &recorder, ground: &path, scratch: scratch.path(), seed };
    let normal = range.plain(Synchronous::Normal, MEASURE_POINTS)?;
    let full = range.plain(Synchronous::Full, MEASURE_POINTS)?;
    let lying = range.lying(&looker, MEASURE_POINTS)?;
    let asked = crash.kills.unwrap_or((crash.points / 100).max(1));
    let kills = kills::run(&path, scratch.path(), &looker, seed, asked)?;
    let each = (asked / KILLS_AN_ERRAND).max(1);
    let errands = errands::all((&recorder, &path, scratch.path()), &looker, seed, each)?;
    let faults = range.faults(&looker, (crash.points / FAULTS).max(3))?;
    let points = range.vault(&looker, crash.points)?;
    Ok(Outcome { kills, errands, points, normal, full, lying, faults })
}
