//! Is this the journal that was written? Follows the chain entry by entry and holds it against
//! every checkpoint and cosignature. Cannot find what was never chained, nor a journal cut back
//! to before everything that still witnesses it.

use super::{BEFORE_FIRST, body_hash, head, hex_of, is_by_central, is_cosigned, knows};
use crate::certificate::DeviceCertificate;
use crate::ring::KeyRing;
use domain::audit::{AuditHeader, Checkpoint, Entry, LATE_MS, LEAST_DAYS, SignedCheckpoint};
use domain::bytes::{Hash, PublicKey, Salt, Signature};
use domain::ids::KioskId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

/// What was done to a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// An entry is not there, or stands elsewhere.
    Missing,
    /// An entry stands a second time, or after one that follows it.
    OutOfPlace,
    /// A header does not follow the one before it.
    ChainBroken,
    /// A body is not the one that was chained.
    BodyChanged,
    /// A body was erased before its time.
    ErasedTooEarly,
    /// An entry claims a time before one that went before it, or after a checkpoint that has it.
    BackDated,
    /// The journal is not the one a checkpoint was made of.
    Forked,
    /// Entries a checkpoint counts are not there, or a later one counts fewer.
    Truncated,
    /// A checkpoint is not central's.
    CheckpointForged,
    /// A cosignature is not that kiosk's, or the kiosk is none of central's.
    CosignatureForged,
}

impl Reason {
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::OutOfPlace => "out_of_place",
            Self::ChainBroken => "chain_broken",
            Self::BodyChanged => "body_changed",
            Self::ErasedTooEarly => "erased_too_early",
            Self::BackDated => "back_dated",
            Self::Forked => "forked",
            Self::Truncated => "truncated",
            Self::CheckpointForged => "checkpoint_forged",
            Self::CosignatureForged => "cosignature_forged",
        }
    }
}

/// Found: what, and in which entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} from entry {first} to {last}", reason.key())]
pub struct Tamper {
    pub reason: Reason,
    /// It is at this entry or after it …
    pub first: u64,
    /// … and at this one or before it. For a checkpoint or cosignature: the size it names.
    pub last: u64,
}

impl Tamper {
    fn at(reason: Reason, entry: u64) -> Self {
        Self { reason, first: entry, last: entry }
    }
}

/// What a whole journal shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valid {
    pub entries: u64,
    /// Of the last header.
    pub head: Hash,
    /// The largest size a checkpoint or cosignature names: what follows it could have been
    /// written anew.
    pub witnessed: u64,
    /// The largest size a kiosk has cosigned.
    pub cosigned: u64,
    /// Kiosks that have.
    pub kiosks: usize,
    /// Entries chained long after they say they were made.
    pub late: u64,
    /// Entries whose body was erased in its time.
    pub erased: u64,
    /// Bodies of a later version.
    pub unread: u64,
}

/// Takes certificates, checkpoints and cosignatures first, then every entry in order.
pub struct Verifier<'a> {
    ring: &'a KeyRing,
    devices: BTreeMap<KioskId, PublicKey>,
    /// Kiosks certified by a key this ring does not have.
    unsure: BTreeSet<KioskId>,
    /// The first key met that this ring does not have.
    unknown: Option<String>,
    witnesses: BTreeMap<u64, Checkpoint>,
    cosigners: BTreeSet<KioskId>,
    cosigned: u64,
    /// The end of the chain so far.
    entries: u64,
    head: Hash,
    at_ms: i64,
    /// The last witness the chain has passed.
    passed: u64,
    late: u64,
    erased: u64,
    unread: u64,
}

impl<'a> Verifier<'a> {
    #[must_use]
    pub fn new(ring: &'a KeyRing) -> Self {
        Self {
            ring,
            devices: BTreeMap::new(),
            unsure: BTreeSet::new(),
            unknown: None,
            witnesses: BTreeMap::new(),
            cosigners: BTreeSet::new(),
            cosigned: 0,
            entries: 0,
            head: BEFORE_FIRST,
            at_ms: i64::MIN,
            passed: 0,
            late: 0,
            erased: 0,
            unread: 0,
        }
    }

    /// A kiosk whose cosignatures count, if central certified it.
    pub fn kiosk(&mut self, certificate: &DeviceCertificate) {
        match certificate.is_by(self.ring) {
            Some(true) => {
                self.devices.insert(certificate.kiosk, certificate.key);
            }
            Some(false) => {}
            None => {
                self.unsure.insert(certificate.kiosk);
                self.unknown.get_or_insert_with(|| hex_of(certificate.issuer.0));
            }
        }
    }

    /// The first key met that this ring does not have: what it signed was passed over, and the
    /// journal is judged by the rest alone.
    #[must_use]
    pub fn unknown_key(&self) -> Option<&str> {
        self.unknown.as_deref()
    }

    /// # Errors
    /// It is not central's, or does not agree with another one.
    pub fn checkpoint(&mut self, signed: &SignedCheckpoint) -> Result<(), Tamper> {
        if !knows(self.ring, &signed.key) {
            self.unknown.get_or_insert_with(|| signed.key.clone());
            return Ok(());
        }
        if !is_by_central(self.ring, signed) {
            return Err(Tamper::at(Reason::CheckpointForged, signed.checkpoint.size));
        }
        self.witness(signed.checkpoint)
    }

    /// # Errors
    /// It is not that kiosk's, the kiosk is not known, or it does not agree with a checkpoint.
    pub fn cosignature(
        &mut self,
        kiosk: KioskId,
        checkpoint: Checkpoint,
        signature: &Signature,
    ) -> Result<(), Tamper> {
        if self.unsure.contains(&kiosk) {
            return Ok(());
        }
        let known = self.devices.get(&kiosk).is_some_and(|key| is_cosigned(key, &checkpoint, signature));
        if !known {
            return Err(Tamper::at(Reason::CosignatureForged, checkpoint.size));
        }
        self.cosigners.insert(kiosk);
        self.cosigned = self.cosigned.max(checkpoint.size);
        self.witness(checkpoint)
    }

    fn witness(&mut self, new: Checkpoint) -> Result<(), Tamper> {
        let known = self.witnesses.get(&new.size).map(|known| known.head);
        if known.is_some_and(|head| head != new.head) || (new.size == 0 && new.head != BEFORE_FIRST) {
            return Err(Tamper::at(Reason::Forked, new.size));
        }
        // The journal was shorter later on. Times rise with sizes in what is here already, so the
        // nearest ones tell.
        let cut = |from: u64, last| Err(Tamper { reason: Reason::Truncated, first: from + 1, last });
        let before = self.witnesses.range(..new.size).next_back();
        if let Some((size, _)) = before.filter(|(_, one)| one.at > new.at) {
            return cut(*size, new.size);
        }
        let after = self.witnesses.range((Excluded(new.size), Unbounded)).next();
        if let Some((size, _)) = after.filter(|(_, one)| one.at < new.at) {
            return cut(new.size, *size);
        }
        self.witnesses.entry(new.size).or_insert(new);
        Ok(())
    }

    /// The next entry.
    ///
    /// # Errors
    /// It is not the one that was written here.
    pub fn entry(&mut self, header: &AuditHeader, salt: &Salt, body: &[u8]) -> Result<(), Tamper> {
        let n = self.entries.saturating_add(1);
        if header.n > n {
            return Err(Tamper::at(Reason::Missing, n));
        }
        if header.n < n {
            return Err(Tamper::at(Reason::OutOfPlace, header.n));
        }
        if header.prev != self.head {
            return Err(Tamper::at(Reason::ChainBroken, n));
        }
        self.body(header, salt, body)?;
        let at_ms = header.at.as_millisecond();
        let floor = self.witnesses.get(&self.passed).map(|one| one.at.as_millisecond());
        if at_ms < self.at_ms || floor.is_some_and(|floor| at_ms < floor) {
            return Err(Tamper::at(Reason::BackDated, n));
        }
        (self.entries, self.head, self.at_ms) = (n, head(header), at_ms);
        if let Some(witness) = self.witnesses.get(&n) {
            if witness.head != self.head {
                return Err(Tamper { reason: Reason::Forked, first: self.passed + 1, last: n });
            }
            if witness.at.as_millisecond() < at_ms {
                return Err(Tamper::at(Reason::BackDated, n));
            }
            self.passed = n;
        }
        Ok(())
    }

    fn body(&mut self, header: &AuditHeader, salt: &Salt, body: &[u8]) -> Result<(), Tamper> {
        let at_ms = header.at.as_millisecond();
        if body.is_empty() && *salt == Salt([0; Salt::LEN]) {
            let newest = self.witnesses.last_key_value().map(|(_, one)| one.at.as_millisecond());
            // The checkpoint that shows it may be one that was passed over.
            let early = newest.is_none_or(|newest| newest - at_ms < LEAST_DAYS * 86_400_000);
            if early && self.unknown.is_none() {
                return Err(Tamper::at(Reason::ErasedTooEarly, header.n));
            }
            self.erased += 1;
            return Ok(());
        }
        if body_hash(salt, body) != header.body_hash {
            return Err(Tamper::at(Reason::BodyChanged, header.n));
        }
        match serde_json::from_slice::<Entry>(body) {
            Ok(entry) if at_ms - entry.said.as_millisecond() > LATE_MS => self.late += 1,
            Ok(_) => {}
            Err(_) => self.unread += 1,
        }
        Ok(())
    }

    /// No entry follows.
    ///
    /// # Errors
    /// More were witnessed.
    pub fn end(self) -> Result<Valid, Tamper> {
        let witnessed = self.witnesses.last_key_value().map_or(0, |(size, _)| *size);
        if witnessed > self.entries {
            return Err(Tamper { reason: Reason::Truncated, first: self.entries + 1, last: witnessed });
        }
        Ok(Valid {
            entries: self.entries,
            head: self.head,
            witnessed,
            cosigned: self.cosigned,
            kiosks: self.cosigners.len(),
            late: self.late,
            erased: self.erased,
            unread: self.unread,
        })
    }
}
