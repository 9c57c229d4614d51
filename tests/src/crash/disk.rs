//! What a disk may hold after the power went: whatever was synced, and of the rest
//! anything. A write since the file's last sync may be there, not, in part (sectors of 512
//! bytes are whole), and in any order. Names (made, removed, renamed) since the folder's
//! last sync are there up to some moment, in order, as journalling file systems keep them;
//! a file's own sync does not make its name durable. Bytes nobody wrote are zero.

use super::trace::{File, Op, Trace};
use sim::simulation::Dice;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

const SECTOR: usize = 512;

/// What became of the writes nobody had synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// All are there: only the process ended.
    All,
    /// None is.
    None,
    /// Up to one, which is torn.
    TornLast,
    /// Some, whole.
    Some,
    /// Some sectors of each.
    Sectors,
}

impl Fate {
    pub fn choose(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0 => Self::All,
            1 => Self::None,
            2..4 => Self::TornLast,
            4..7 => Self::Some,
            _ => Self::Sectors,
        }
    }
}

/// Since the last sync of a file.
#[derive(Clone)]
enum Pending {
    Write { at: usize, bytes: Range<usize> },
    Truncate(usize),
}

#[derive(Default, Clone)]
struct Content {
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Naming {
    Create(String, File),
    Unlink(String),
    Rename(String, String),
}

/// Does the disk do what a sync asks for?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Honesty {
    Honest,
    /// It says so of the log's syncs and does nothing: everything must be caught then.
    Lying,
}

/// The disk after some operations of a trace.
pub struct Disk<'t> {
    trace: &'t Trace,
    honesty: Honesty,
    logs: BTreeSet<File>,
    files: Vec<Content>,
    names: BTreeMap<String, File>,
    naming: Vec<Naming>,
}

impl<'t> Disk<'t> {
    pub fn new(trace: &'t Trace, honesty: Honesty) -> Self {
        let files = vec![Content::default(); trace.files];
        let (names, logs) = (BTreeMap::new(), BTreeSet::new());
        Self { trace, honesty, logs, files, names, naming: Vec::new() }
    }

    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Create { name, file } => {
                if name.ends_with("-wal") {
                    self.logs.insert(*file);
                }
                self.naming.push(Naming::Create(name.clone(), *file));
            }
            Op::Unlink { name } => self.naming.push(Naming::Unlink(name.clone())),
            Op::Rename { from, to } => self.naming.push(Naming::Rename(from.clone(), to.clone())),
            Op::SyncNames => {
                for naming in std::mem::take(&mut self.naming) {
                    rename(&mut self.names, naming);
                }
            }
            Op::Write { file, at, bytes } => {
                self.pend(*file, Pending::Write { at: *at, bytes: bytes.clone() });
            }
            Op::Truncate { file, len } => self.pend(*file, Pending::Truncate(*len)),
            Op::Sync { file } if self.honesty == Honesty::Lying && self.logs.contains(file) => {}
            Op::Sync { file } => {
                if let Some(content) = self.files.get_mut(*file) {
                    for pending in std::mem::take(&mut content.pending) {
                        put(&mut content.durable, self.trace, &pending, 0..usize::MAX);
                    }
                }
            }
            // Never on the disk unless it is written again.
            Op::SyncFailed { file } => {
                if let Some(content) = self.files.get_mut(*file) {
                    content.pending.clear();
                }
            }
            Op::Said(_) => {}
        }
    }

    fn pend(&mut self, file: File, pending: Pending) {
        if let Some(content) = self.files.get_mut(file) {
            content.pending.push(pending);
        }
    }

    /// Is there anything a power cut could take?
    pub fn unsynced(&self) -> bool {
        !self.naming.is_empty() || self.files.iter().any(|content| !content.pending.is_empty())
    }

    /// The files as they may be found.
    pub fn image(&self, fate: Fate, dice: &mut Dice) -> BTreeMap<String, Vec<u8>> {
        let mut names = self.names.clone();
        let named = match fate {
            Fate::All => self.naming.len(),
            Fate::None => 0,
            _ => dice.index(self.naming.len() + 1),
        };
        for naming in self.naming.iter().take(named) {
            rename(&mut names, naming.clone());
        }
        names
            .into_iter()
            .map(|(name, file)| {
                let bytes = self.files.get(file).map(|content| self.content(content, fate, dice));
                (name, bytes.unwrap_or_default())
            })
            .collect()
    }

    fn content(&self, content: &Content, fate: Fate, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = content.durable.clone();
        let mut order: Vec<&Pending> = content.pending.iter().collect();
        match fate {
            Fate::None => order.clear(),
            Fate::All => {}
            Fate::TornLast => order.truncate(dice.index(order.len() + 1)),
            Fate::Some => {
                order.retain(|_| dice.chance(50));
                if dice.chance(50) {
                    dice.shuffle(&mut order);
                }
            }
            Fate::Sectors if dice.chance(50) => dice.shuffle(&mut order),
            Fate::Sectors => {}
        }
        let last = order.len().saturating_sub(1);
        for (nth, pending) in order.into_iter().enumerate() {
            match (fate, pending) {
                (Fate::TornLast, Pending::Write { at, bytes: written }) if nth == last => {
                    let sectors = sectors(*at, written.len());
                    let whole = dice.index(sectors.len() + 1);
                    for sector in sectors.into_iter().take(whole) {
                        put(&mut bytes, self.trace, pending, sector);
                    }
                }
                (Fate::Sectors, Pending::Write { at, bytes: written }) => {
                    for sector in sectors(*at, written.len()) {
                        if dice.chance(60) {
                            put(&mut bytes, self.trace, pending, sector);
                        }
                    }
                }
                (Fate::Sectors, Pending::Truncate(_)) if dice.chance(50) => {}
                _ => put(&mut bytes, self.trace, pending, 0..usize::MAX),
            }
        }
        bytes
    }
}

/// The parts of a write that fall into one sector of the file each, as places in the file.
fn sectors(at: usize, len: usize) -> Vec<Range<usize>> {
    let end = at + len;
    (at / SECTOR..end.div_ceil(SECTOR))
        .map(|sector| (sector * SECTOR).max(at)..((sector + 1) * SECTOR).min(end))
        .collect()
}

/// Applies the part of an operation that falls into `window` of the file.
fn put(file: &mut Vec<u8>, trace: &Trace, pending: &Pending, window: Range<usize>) {
    match pending {
        Pending::Truncate(len) => file.resize(*len, 0),
        Pending::Write { at, bytes } => {
            let from = window.start.max(*at);
            let to = window.end.min(at + bytes.len());
            if from >= to {
                return;
            }
            if file.len() < to {
                file.resize(to, 0);
            }
            let source = trace.bytes(&(bytes.start + from - at..bytes.start + to - at));
            if let Some(target) = file.get_mut(from..to) {
                target.copy_from_slice(source);
            }
        }
    }
}

fn rename(names: &mut BTreeMap<String, File>, naming: Naming) {
    match naming {
        Naming::Create(name, file) => {
            names.insert(name, file);
        }
        Naming::Unlink(name) => {
            names.remove(&name);
        }
        Naming::Rename(from, to) => {
            if let Some(file) = names.remove(&from) {
                names.insert(to, file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: u8 = b'a';
    const B: u8 = b'b';

    /// Two sectors of `a`, synced with their name; then two of `b` over them.
    fn trace() -> Trace {
        let write = |bytes| Op::Write { file: 0, at: 0, bytes };
        let mut bytes = vec![A; 2 * SECTOR];
        bytes.extend(vec![B; 2 * SECTOR]);
        let ops = vec![
            Op::Create { name: "f".into(), file: 0 },
            write(0..2 * SECTOR),
            Op::Sync { file: 0 },
            Op::SyncNames,
            write(2 * SECTOR..4 * SECTOR),
        ];
        Trace::of(bytes, ops, 1)
    }

    fn found(ops: usize, fate: Fate, seed: u64) -> BTreeMap<String, Vec<u8>> {
        let trace = trace();
        let mut disk = Disk::new(&trace, Honesty::Honest);
        trace.ops.iter().take(ops).for_each(|op| disk.apply(op));
        disk.image(fate, &mut Dice::new(seed, 0))
    }

    #[test]
    fn what_is_synced_is_there_and_the_rest_may_be() {
        assert!(found(3, Fate::None, 1).is_empty(), "no name is durable yet");
        assert_eq!(found(5, Fate::None, 1)["f"], [A; 2 * SECTOR]);
        assert_eq!(found(5, Fate::All, 1)["f"], [B; 2 * SECTOR]);
    }

    #[test]
    fn a_torn_write_is_torn_between_sectors_and_every_tear_is_met() {
        for fate in [Fate::TornLast, Fate::Sectors] {
            let mut met = BTreeSet::new();
            for seed in 0..200 {
                let file = &found(5, fate, seed)["f"];
                let halves: Vec<u8> = file.chunks(SECTOR).map(|sector| sector[0]).collect();
                assert!(file.chunks(SECTOR).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
                met.insert(halves);
            }
            assert!(met.contains(&vec![A, A]) && met.contains(&vec![B, A]) && met.contains(&vec![B, B]));
            assert_eq!(met.contains(&vec![A, B]), fate == Fate::Sectors);
        }
    }

    #[test]
    fn a_lying_disk_forgets_what_a_log_synced() {
        let Trace { ops, .. } = trace();
        let ops: Vec<Op> = ops
            .into_iter()
            .map(|op| match op {
                Op::Create { file, .. } => Op::Create { name: "f-wal".into(), file },
                other => other,
            })
            .collect();
        let trace = Trace::of(vec![A; 4 * SECTOR], ops, 1);
        let mut disk = Disk::new(&trace, Honesty::Lying);
        trace.ops.iter().for_each(|op| disk.apply(op));
        assert!(disk.image(Fate::None, &mut Dice::new(1, 0))["f-wal"].is_empty());
    }
}
