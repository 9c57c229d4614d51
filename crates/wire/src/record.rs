//! One journal record: a signed header, chained to the one before, and a body beside
//! it. Central stores every record whose header it can read, known kind or not.

use crate::bytes::Bytes;
use domain::bytes::{Hash, Salt, Signature};
use domain::ids::KioskId;
use serde::{Deserialize, Serialize};

/// Longest kind name in bytes.
pub const KIND_MAX: usize = 32;

/// What is signed. The chain runs over headers, so an erased body leaves it whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub kiosk: KioskId,
    /// Raised when a restored or copied disk takes up the journal again.
    pub incarnation: u32,
    /// From 1, without a gap.
    pub seq: u64,
    /// Hash of the header before; zeros for the first.
    pub prev: Hash,
    /// A body kind, see [`crate::body::Body`]; an unknown one is kept and waits.
    pub kind: String,
    /// Version of that kind's body.
    pub schema: u16,
    pub body_len: u32,
    /// SHA-256 of salt and body.
    pub body_hash: Hash,
}

impl Header {
    /// The bytes that are hashed and signed, under `jalon/record/1`: `kiosk 16 ·
    /// incarnation u32 · seq u64 · prev 32 · kind text · schema u16 · body_len u32 ·
    /// body_hash 32`, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(132);
        out.extend_from_slice(&self.kiosk.0);
        out.extend_from_slice(&self.incarnation.to_be_bytes());
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.prev.0);
        // Over 255 bytes the kind is left out, and `is_sound` has refused it before.
        let _ = domain::bytes::put_text(&mut out, &self.kind);
        out.extend_from_slice(&self.schema.to_be_bytes());
        out.extend_from_slice(&self.body_len.to_be_bytes());
        out.extend_from_slice(&self.body_hash.0);
        out
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub header: Header,
    pub signature: Signature,
    pub salt: Salt,
    /// The body's JSON, byte for byte as its author wrote it.
    pub body: Bytes,
}

impl Record {
    /// Its body was erased (see `docs/retention.md`): the signed header stands, and with it
    /// the chain.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.body.0.is_empty() && self.salt == Salt([0; 16]) && self.header.body_len > 0
    }

    /// Is the record within the limits and its lengths in agreement? Says nothing of
    /// its signature or hash.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let kind = &self.header.kind;
        (1..=KIND_MAX).contains(&kind.len())
            && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            && self.header.seq > 0
            && self.body.0.len() <= crate::limits::BODY_BYTES
            && (self.is_erased()
                || u32::try_from(self.body.0.len()).is_ok_and(|len| len == self.header.body_len))
    }
}

/// A place in a kiosk's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub incarnation: u32,
    pub seq: u64,
    pub hash: Hash,
}

/// Central's signed word that it holds a kiosk's chain up to here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub kiosk: KioskId,
    pub head: Head,
    /// Names central's database; another epoch means another history.
    pub epoch: String,
    pub at: jiff::Timestamp,
    /// First four bytes of the acknowledgement key's SHA-256, in hexadecimal.
    pub key: String,
    pub signature: Signature,
}

impl Acknowledgement {
    /// What is signed, under `jalon/acknowledgement/1`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        out.extend_from_slice(&self.kiosk.0);
        out.extend_from_slice(&self.head.incarnation.to_be_bytes());
        out.extend_from_slice(&self.head.seq.to_be_bytes());
        out.extend_from_slice(&self.head.hash.0);
        let _ = domain::bytes::put_text(&mut out, &self.epoch);
        out.extend_from_slice(&self.at.as_second().to_be_bytes());
        out
    }
}
