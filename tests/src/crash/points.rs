//! Crash points: at a position in a recorded life the power goes, a disk is made of what
//! was synced and some of the rest, and everything said before must be on it.

use super::disk::{Disk, Fate, Honesty};
use super::look::{Depth, Looker};
use super::said::{Said, Word};
use super::trace::{Op, Trace};
use super::victim::Synchronous;
use super::{plain, recording};
use crate::programs::{Failure, fail};
use sim::simulation::Dice;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const THREADS: usize = 2;
/// Points of one recorded life, about: more teach less than another life does.
const A_LIFE: usize = 2_500;
/// Of so many points one is looked at whole.
const WHOLE: usize = 16;
/// Of so many points one is of a life whose log was full: its images are forty times as
/// large.
const FILLED: usize = 20;
const A_FILLED_LIFE: usize = 250;
/// Where the points of such a life lie after the filling, in percent.
const AFTER: u64 = 75;

/// Where and how the power went, and what was lost by it.
#[derive(Debug, Clone)]
pub struct Lost {
    pub seed: u64,
    pub life: usize,
    pub position: usize,
    pub fate: Fate,
    pub what: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, life, position, fate, what } = self;
        write!(f, "seed {seed} lost in life {life} at operation {position}, {fate:?}: {what}")
    }
}

#[derive(Debug, Default)]
pub struct Tally {
    pub points: usize,
    pub lives: usize,
    /// Points at which there was something to lose.
    pub unsynced: usize,
    /// Registrations that had been said to be kept, over all points.
    pub kept: usize,
    pub lost: Vec<Lost>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.points += other.points;
        self.lives += other.lives;
        self.unsynced += other.unsynced;
        self.kept += other.kept;
        self.lost.extend(other.lost);
    }
}

/// What all lives share.
pub struct Range<'a> {
    pub recorder: &'a Path,
    pub ground: &'a Path,
    pub scratch: &'a Path,
    pub seed: u64,
}

impl Range<'_> {
    /// `points` crash points of the kiosk, over as many lives as that needs.
    ///
    /// # Errors
    /// A life cannot be recorded. What is lost is in the tally.
    pub fn vault(&self, looker: &Looker, points: usize) -> Result<Tally, Failure> {
        let lives = lives(points);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        let mut tally = Tally::default();
                        loop {
                            let life = next.fetch_add(1, Ordering::SeqCst);
                            let Some((fill, share)) = lives.get(life) else {
                                return Ok::<_, Failure>(tally);
                            };
                            tally.add(self.life(looker, life, *share, *fill, Honesty::Honest)?);
                        }
                    })
                })
                .collect();
            let mut tally = Tally::default();
            for thread in threads {
                tally.add(thread.join().map_err(|_| fail("a thread of the crash points ended badly"))??);
            }
            tally.lost.sort_by_key(|lost| (lost.life, lost.position));
            Ok(tally)
        })
    }

    /// The same on a disk that lies: the kiosk cannot help losing, and it must be seen.
    ///
    /// # Errors
    /// As [`Range::vault`].
    pub fn lying(&self, looker: &Looker, points: usize) -> Result<Tally, Failure> {
        self.life(looker, usize::MAX, points, false, Honesty::Lying)
    }

    fn life(
        &self,
        looker: &Looker,
        life: usize,
        points: usize,
        fill: bool,
        honesty: Honesty,
    ) -> Result<Tally, Failure> {
        // Lives of one seed, and of seeds beside each other, have nothing in common.
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(u64::try_from(life)?);
        let trace = recording::vault(self.recorder, self.ground, self.scratch, seed, fill)?;
        let storm = Storm { range: self, trace: &trace, honesty, life, seed };
        storm.run(points, &mut |folder, said, nth| {
            let depth = if nth % WHOLE == 0 { Depth::Whole } else { Depth::Newest };
            looker.look(folder, said, depth).map(|_| ())
        })
    }

    /// The same on a plain table, as a measure of the harness itself.
    ///
    /// # Errors
    /// As [`Range::vault`].
    pub fn plain(&self, synchronous: Synchronous, points: usize) -> Result<Tally, Failure> {
        let trace = recording::plain(self.recorder, self.scratch, self.seed, synchronous)?;
        let storm = Storm { range: self, trace: &trace, honesty: Honesty::Honest, life: 0, seed: self.seed };
        storm.run(points, &mut |folder, said, _| plain::look(folder, said))
    }
}

/// Whether the log of each life is filled, and how many points it has.
fn lives(points: usize) -> Vec<(bool, usize)> {
    let filled = points / FILLED;
    let shared = |points: usize, among: usize| {
        (0..among).map(move |nth| points * (nth + 1) / among - points * nth / among)
    };
    let usual = (points - filled).div_ceil(A_LIFE).max(THREADS);
    let long = filled.div_ceil(A_FILLED_LIFE);
    // The long ones first, so that no thread ends with one while the others are idle.
    let long = shared(filled, long).map(|share| (true, share));
    long.chain(shared(points - filled, usual).map(|share| (false, share))).collect()
}

/// The points of one life.
struct Storm<'a> {
    range: &'a Range<'a>,
    trace: &'a Trace,
    honesty: Honesty,
    life: usize,
    seed: u64,
}

impl Storm<'_> {
    fn run(
        &self,
        points: usize,
        look: &mut dyn FnMut(&Path, &Said, usize) -> Result<(), String>,
    ) -> Result<Tally, Failure> {
        let mut dice = Dice::new(self.seed, 2);
        let image = tempfile::Builder::new().prefix("image-").tempdir_in(self.range.scratch)?;
        let (mut disk, mut said) = (Disk::new(self.trace, self.honesty), Said::default());
        let mut done = 0;
        let mut tally = Tally { lives: 1, ..Tally::default() };
        for (nth, position) in self.positions(points, &mut dice).into_iter().enumerate() {
            for op in self.trace.ops.get(done..position).unwrap_or_default() {
                disk.apply(op);
                if let Op::Said(word) = op {
                    said.hear(word.clone());
                }
            }
            done = position;
            let fate = Fate::choose(&mut dice);
            lay(image.path(), &disk, fate, &mut dice)?;
            tally.points += 1;
            tally.unsynced += usize::from(disk.unsynced());
            tally.kept += said.kept.len();
            if let Err(what) = look(image.path(), &said, nth) {
                let lost = Lost { seed: self.range.seed, life: self.life, position, fate, what };
                tally.lost.push(lost);
                if self.honesty == Honesty::Lying {
                    // Seen. Further on there is no store left to look into.
                    break;
                }
            }
        }
        Ok(tally)
    }

    /// After how many operations the power goes, in order.
    fn positions(&self, points: usize, dice: &mut Dice) -> Vec<usize> {
        let all = self.trace.ops.len();
        let filled = self.trace.ops.iter().position(|op| *op == Op::Said(Word::Filled));
        let mut positions: Vec<usize> = (0..points)
            .map(|_| match filled {
                Some(filled) if dice.chance(AFTER) => filled + 1 + dice.index(all - filled),
                _ => 1 + dice.index(all),
            })
            .collect();
        positions.sort_unstable();
        positions
    }
}

/// Writes the image into an emptied folder.
pub(super) fn lay(folder: &Path, disk: &Disk<'_>, fate: Fate, dice: &mut Dice) -> Result<(), Failure> {
    for old in std::fs::read_dir(folder)? {
        std::fs::remove_file(old?.path())?;
    }
    for (name, bytes) in disk.image(fate, dice) {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
