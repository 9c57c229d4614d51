//! The journal as a file, one line of JSON each: what kiosks and checkpoints witness, then every
//! entry, then how many there were. Read line by line: a journal of any length takes little room.

use super::verify::{Reason, Tamper, Valid, Verifier};
use crate::certificate::DeviceCertificate;
use crate::ring::KeyRing;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::audit::{AuditHeader, Checkpoint, SignedCheckpoint};
use domain::bytes::{Salt, Signature};
use domain::ids::KioskId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read as _};

/// Longest line, in bytes: an entry is under 1 kB.
pub const LINE_BYTES: u64 = 4_096;
/// Most checkpoints and cosignatures, which are held in memory: one a minute for eight years.
const WITNESSES_MAX: u64 = 1 << 22;
/// The layout of this file.
const VERSION: u16 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Begin(Begin),
    /// A device certificate in base64.
    Certificate(String),
    Checkpoint(SignedCheckpoint),
    Cosigned(Witnessed),
    Entry(Stored),
    End(End),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    pub audit: u16,
    /// When it was written.
    pub at: Timestamp,
}

impl Begin {
    #[must_use]
    pub fn now(at: Timestamp) -> Self {
        Self { audit: VERSION, at }
    }
}

/// A kiosk's signature over a checkpoint it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witnessed {
    pub kiosk: KioskId,
    #[serde(flatten)]
    pub checkpoint: Checkpoint,
    pub signature: Signature,
}

/// An entry; an erased body is empty, its salt zeros.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    #[serde(flatten)]
    pub header: AuditHeader,
    pub salt: Salt,
    /// The body's JSON as it was hashed.
    pub body: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub entries: u64,
    pub checkpoints: u64,
    pub cosignatures: u64,
}

/// Why a file does not hold.
#[derive(Debug, thiserror::Error)]
pub enum AuditRefusal {
    #[error("line {0} is not one of an exported audit journal")]
    NotOne(u64),
    #[error("line {0} is longer than any")]
    TooLong(u64),
    #[error("more checkpoints than a journal has")]
    TooMany,
    #[error("the file ends before its last line")]
    Cut,
    #[error("the file cannot be read")]
    Io(#[from] std::io::Error),
    #[error("the key {0} is not in this key ring: what it signed cannot be judged")]
    KeyUnknown(String),
    #[error("the journal is not the one that was written: {0}")]
    Tampered(#[from] Tamper),
}

/// Reads a file to its end, and holds it against checkpoints a kiosk has kept for itself.
///
/// # Errors
/// See [`AuditRefusal`].
pub fn verify(file: impl BufRead, ring: &KeyRing, kept: &[SignedCheckpoint]) -> Result<Valid, AuditRefusal> {
    let mut lines = Lines { file, n: 0, text: Vec::new() };
    match lines.next()? {
        Some(Line::Begin(begin)) if begin.audit == VERSION => {}
        _ => return Err(AuditRefusal::NotOne(1)),
    }
    let mut verifier = Verifier::new(ring);
    for checkpoint in kept {
        verifier.checkpoint(checkpoint)?;
    }
    let mut seen = End::default();
    while let Some(line) = lines.next()? {
        // Whatever witnesses the entries stands before the first.
        let witness = seen.entries == 0;
        match line {
            Line::Certificate(text) if witness => {
                let certificate = STANDARD.decode(text).ok();
                let certificate = certificate.and_then(|bytes| DeviceCertificate::from_bytes(&bytes));
                verifier.kiosk(&certificate.ok_or(AuditRefusal::NotOne(lines.n))?);
            }
            Line::Checkpoint(signed) if witness => {
                seen.checkpoints += 1;
                verifier.checkpoint(&signed)?;
            }
            Line::Cosigned(one) if witness => {
                seen.cosignatures += 1;
                verifier.cosignature(one.kiosk, one.checkpoint, &one.signature)?;
            }
            Line::Entry(entry) => {
                seen.entries += 1;
                verifier.entry(&entry.header, &entry.salt, entry.body.as_bytes())?;
            }
            Line::End(end) => return ended(verifier, lines, seen, end),
            _ => return Err(AuditRefusal::NotOne(lines.n)),
        }
        if seen.checkpoints + seen.cosignatures > WITNESSES_MAX {
            return Err(AuditRefusal::TooMany);
        }
    }
    // What was witnessed says more than that the file is short.
    verifier.end()?;
    Err(AuditRefusal::Cut)
}

fn ended(
    verifier: Verifier<'_>,
    mut lines: Lines<impl BufRead>,
    seen: End,
    end: End,
) -> Result<Valid, AuditRefusal> {
    if lines.next()?.is_some() {
        return Err(AuditRefusal::NotOne(lines.n));
    }
    let unknown = verifier.unknown_key().map(ToOwned::to_owned);
    let valid = verifier.end()?;
    if seen.entries < end.entries {
        let (first, last) = (seen.entries + 1, end.entries);
        return Err(Tamper { reason: Reason::Truncated, first, last }.into());
    }
    match unknown {
        _ if seen != end => Err(AuditRefusal::Cut),
        Some(key) => Err(AuditRefusal::KeyUnknown(key)),
        None => Ok(valid),
    }
}

struct Lines<R> {
    file: R,
    /// Of the line read last, from 1.
    n: u64,
    text: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Line>, AuditRefusal> {
        self.text.clear();
        self.n += 1;
        let read = (&mut self.file).take(LINE_BYTES + 1).read_until(b'\n', &mut self.text)?;
        if read == 0 {
            return Ok(None);
        }
        if u64::try_from(read).is_ok_and(|read| read > LINE_BYTES) {
            return Err(AuditRefusal::TooLong(self.n));
        }
        serde_json::from_slice(&self.text).map(Some).map_err(|_| AuditRefusal::NotOne(self.n))
    }
}
