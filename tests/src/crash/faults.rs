//! A disk that fails while the kiosk lives: a write or a sync that answers EIO once, or no room
//! from some write on. The kiosk stops; opened again, everything it had said is there, and what
//! it then says is on the disk, not only in memory.

use super::disk::{Disk, Fate, Honesty};
use super::look::{Depth, Looker};
use super::points::{Range, lay};
use super::recording::Session;
use super::said::Said;
use super::trace::{Op, Trace};
use super::victim::End;
use crate::programs::{Failure, fail};
use sim::simulation::Dice;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const VISITS: u64 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Write,
    Sync,
    Full,
}

impl Fault {
    const ALL: [Self; 3] = [Self::Write, Self::Sync, Self::Full];

    fn key(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Full => "full",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Lost {
    pub seed: u64,
    pub fault: Fault,
    pub at: usize,
    pub what: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, fault, at, what } = self;
        write!(f, "seed {seed} lost by fault {fault:?} at {at}: {what}")
    }
}

#[derive(Debug, Default)]
pub struct Tally {
    pub faults: usize,
    /// How often the kiosk stopped at the fault, as it must unless nobody was told anything.
    pub stopped: usize,
    pub lost: Vec<Lost>,
}

/// A kiosk's folder and its trace so far.
struct Life {
    folder: PathBuf,
    trace: PathBuf,
}

impl Range<'_> {
    /// `each` faults of every kind, spread over a session.
    ///
    /// # Errors
    /// The kiosk cannot be started. What is lost is in the tally.
    pub fn faults(&self, looker: &Looker, each: usize) -> Result<Tally, Failure> {
        let place = tempfile::Builder::new().prefix("faults-").tempdir_in(self.scratch)?;
        let place = std::fs::canonicalize(place.path())?;
        let first = life(&place, "first")?;
        self.session(&first, 0, End::Close, None)?;
        // How many there are to fail: a session like the one that will meet them.
        let whole = copy(&first, &place, "whole")?;
        self.session(&whole, 1, End::Close, None)?;
        let (before, after) = (counts(&first)?, counts(&whole)?);
        let (writes, syncs) = (after.0 - before.0, after.1 - before.1);
        let mut dice = Dice::new(self.seed, 3);
        let mut tally = Tally::default();
        for fault in Fault::ALL {
            let all = if fault == Fault::Sync { syncs } else { writes };
            for nth in 0..each.min(all) {
                let (from, to) = (all * nth / each.min(all), all * (nth + 1) / each.min(all));
                let at = from + 1 + dice.index(to - from);
                let failing = copy(&first, &place, "failing")?;
                tally.faults += 1;
                // Half of them are killed at the error; the others close the store in order.
                let end = if dice.chance(50) { End::Drop } else { End::Close };
                tally.stopped += usize::from(!self.session(&failing, 1, end, Some((fault, at)))?);
                if let Err(what) = self.judge(looker, &failing, &mut dice)? {
                    tally.lost.push(Lost { seed: self.seed, fault, at, what });
                }
                std::fs::remove_dir_all(failing.folder)?;
            }
        }
        Ok(tally)
    }

    /// The power goes at once; or the kiosk is opened again, goes on, and then it goes.
    fn judge(&self, looker: &Looker, life: &Life, dice: &mut Dice) -> Result<Result<(), String>, Failure> {
        if let Err(what) = cut(looker, life, dice)? {
            return Ok(Err(format!("right after: {what}")));
        }
        self.session(life, 2, End::Drop, None)?;
        Ok(cut(looker, life, dice)?.map_err(|what| format!("after it was opened again: {what}")))
    }

    /// Answers false when the kiosk ended with a failure.
    fn session(
        &self,
        life: &Life,
        session: u64,
        end: End,
        fault: Option<(Fault, usize)>,
    ) -> Result<bool, Failure> {
        let mut command = Session {
            ground: self.ground,
            folder: &life.folder,
            seed: self.seed,
            session,
            visits: VISITS,
            end,
            checkpoint: false,
            fill: false,
            plain: None,
        }
        .command()?;
        command
            .env("LD_PRELOAD", self.recorder)
            .env("JALON_TRACE", &life.trace)
            .env("JALON_TRACE_ROOT", &life.folder)
            .stdin(Stdio::null());
        if let Some((fault, at)) = fault {
            command.env("JALON_FAULT", fault.key()).env("JALON_FAULT_AT", at.to_string());
        }
        let out = command.output()?;
        if !out.status.success() && fault.is_none() {
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            return Err(fail(format!("the kiosk under test ended with {}: {said}", out.status)));
        }
        // 4: it said so. Anything else is a crash.
        match out.status.code() {
            Some(0) => Ok(true),
            Some(4) => Ok(false),
            _ => Err(fail(format!("a failing disk ended the kiosk with {}", out.status))),
        }
    }
}

/// Everything that was said is on the disk a power cut leaves now.
fn cut(looker: &Looker, life: &Life, dice: &mut Dice) -> Result<Result<(), String>, Failure> {
    let trace = Trace::read(std::fs::read(&life.trace)?)?;
    let (mut disk, mut said) = (Disk::new(&trace, Honesty::Honest), Said::default());
    for op in &trace.ops {
        disk.apply(op);
        if let Op::Said(word) = op {
            said.hear(word.clone());
        }
    }
    let image = tempfile::tempdir_in(life.folder.parent().unwrap_or(Path::new("/tmp")))?;
    for fate in [Fate::None, Fate::Some, Fate::Sectors] {
        lay(image.path(), &disk, fate, dice)?;
        if let Err(what) = looker.look(image.path(), &said, Depth::Whole) {
            return Ok(Err(format!("{fate:?}: {what}")));
        }
    }
    Ok(Ok(()))
}

/// Writes and syncs of a trace.
fn counts(life: &Life) -> Result<(usize, usize), Failure> {
    let trace = Trace::read(std::fs::read(&life.trace)?)?;
    let count = |wanted: fn(&Op) -> bool| trace.ops.iter().filter(|op| wanted(op)).count();
    Ok((
        count(|op| matches!(op, Op::Write { .. })),
        count(|op| matches!(op, Op::Sync { .. } | Op::SyncNames)),
    ))
}

fn life(place: &Path, name: &str) -> Result<Life, Failure> {
    let folder = place.join(name);
    std::fs::create_dir(&folder)?;
    let trace = place.join(format!("{name}.trace"));
    let _ = std::fs::remove_file(&trace);
    Ok(Life { folder, trace })
}

fn copy(from: &Life, place: &Path, name: &str) -> Result<Life, Failure> {
    let to = life(place, name)?;
    for entry in std::fs::read_dir(&from.folder)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.folder.join(entry.file_name()))?;
    }
    std::fs::copy(&from.trace, &to.trace)?;
    Ok(to)
}
