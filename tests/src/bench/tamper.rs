//! Random tampers of an exported audit journal: what somebody does who has the database and
//! knows how the chain is made, but not central's key. A kiosk has kept the last checkpoint.

use crate::programs::{Failure, fail};
use domain::audit::SignedCheckpoint;
use domain::bytes::Salt;
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use seal::audit::{AuditRefusal, BEFORE_FIRST, Line, Stored, body_hash, head, verify};
use seal::ring::KeyRing;

/// A journal, and how it is tampered with next.
pub struct Tampering<'a> {
    /// All before the entries but checkpoints and cosignatures.
    begin: Vec<Line>,
    witnesses: Vec<Line>,
    entries: Vec<Stored>,
    end: Line,
    kept: SignedCheckpoint,
    ring: &'a KeyRing,
    random: ChaCha8Rng,
}

impl<'a> Tampering<'a> {
    /// # Errors
    /// There is no checkpoint or no end in it.
    pub fn of(lines: Vec<Line>, ring: &'a KeyRing) -> Result<Self, Failure> {
        let (mut begin, mut witnesses, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        let (mut end, mut kept) = (None, None);
        for line in lines {
            match line {
                Line::Begin(_) | Line::Certificate(_) => begin.push(line),
                Line::Checkpoint(ref signed) => {
                    kept = Some(signed.clone());
                    witnesses.push(line);
                }
                Line::Cosigned(_) => witnesses.push(line),
                Line::Entry(entry) => entries.push(entry),
                Line::End(_) => end = Some(line),
            }
        }
        let (end, kept) = (end.ok_or_else(|| fail("no end"))?, kept.ok_or_else(|| fail("no checkpoint"))?);
        let random = ChaCha8Rng::seed_from_u64(1);
        Ok(Self { begin, witnesses, entries, end, kept, ring, random })
    }

    /// # Errors
    /// The journal as it is does not hold.
    pub fn holds(&self) -> Result<(), Failure> {
        let kept = std::slice::from_ref(&self.kept);
        Ok(self.judge(&self.entries, &self.witnesses, kept).map(|_| ())?)
    }

    fn judge(
        &self,
        entries: &[Stored],
        witnesses: &[Line],
        kept: &[SignedCheckpoint],
    ) -> Result<seal::audit::Valid, AuditRefusal> {
        let entries = entries.iter().cloned().map(Line::Entry);
        let end = std::iter::once(self.end.clone());
        let mut text = Vec::new();
        for line in self.begin.iter().cloned().chain(witnesses.iter().cloned()).chain(entries).chain(end) {
            serde_json::to_writer(&mut text, &line).map_err(std::io::Error::other)?;
            text.push(b'\n');
        }
        verify(text.as_slice(), self.ring, kept)
    }

    /// One tamper more.
    ///
    /// # Errors
    /// It was not found; the answer says what was done.
    pub fn next(&mut self) -> Result<(), String> {
        let len = self.entries.len();
        let (i, mut j) = (self.below(len - 1), self.below(len));
        if i == j {
            j = i + 1;
        }
        let (act, rechained, forgotten) = (self.below(7), self.below(2) == 0, self.below(2) == 0);
        let mut entries = self.entries.clone();
        let (what, from) = match act {
            0 => {
                entries[i].body = entries[i].body.replace("kiosk:0", "kiosk:f");
                ("edit", i)
            }
            1 => {
                entries.remove(i);
                ("drop", i)
            }
            2 => {
                entries.swap(i, j);
                ("swap", i.min(j))
            }
            3 => {
                entries.truncate(i);
                ("truncate", i)
            }
            4 => {
                let copy = entries[j].clone();
                entries.insert(i, copy);
                ("insert", i)
            }
            5 => {
                for entry in entries.iter_mut().skip(i) {
                    entry.salt = Salt([0xee; 16]);
                }
                rechain(&mut entries, i);
                ("fork", i)
            }
            _ => {
                let back = i64::try_from(self.below(1_000_000) + 1).unwrap_or(1);
                let at = entries[i].header.at.as_millisecond() - back;
                entries[i].header.at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::MIN);
                ("back-date", i)
            }
        };
        if rechained {
            rechain(&mut entries, from);
        }
        let mut witnesses = self.witnesses.clone();
        if forgotten {
            let size = u64::try_from(from).unwrap_or(u64::MAX);
            witnesses.retain(|line| match line {
                Line::Checkpoint(signed) => signed.checkpoint.size <= size,
                Line::Cosigned(one) => one.checkpoint.size <= size,
                _ => true,
            });
        }
        match self.judge(&entries, &witnesses, std::slice::from_ref(&self.kept)) {
            Err(_) => Ok(()),
            Ok(_) => Err(format!("{what} at {from}, rechained {rechained}, witnesses gone {forgotten}")),
        }
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.random.next_u64() % u64::try_from(most).unwrap_or(1)).unwrap_or(0)
    }
}

/// Numbers and hashes made right again.
fn rechain(entries: &mut [Stored], from: usize) {
    let before = from.checked_sub(1).and_then(|i| entries.get(i));
    let mut prev = before.map_or(BEFORE_FIRST, |entry| head(&entry.header));
    for (n, entry) in (1..).zip(entries.iter_mut()).skip(from) {
        entry.header.n = n;
        entry.header.prev = prev;
        entry.header.body_hash = body_hash(&entry.salt, entry.body.as_bytes());
        prev = head(&entry.header);
    }
}
