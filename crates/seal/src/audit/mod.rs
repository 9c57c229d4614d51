//! The audit journal's hashes and signatures: how an entry is chained, what a checkpoint says of
//! the chain, and who has seen it. Stores nothing and asks nobody the time.

mod file;
mod verify;

pub use file::{AuditRefusal, Begin, End, LINE_BYTES, Line, Stored, Witnessed, verify};
pub use verify::{Reason, Tamper, Valid, Verifier};

use crate::keys::{self, Context, Signer, sha256};
use crate::lists::{hex_id, is_signed};
use crate::ring::{KeyRing, Role};
use domain::audit::{AuditHeader, Checkpoint, SignedCheckpoint};
use domain::bytes::{Hash, PublicKey, Salt, Signature};
use domain::token::KeyId;

/// What the first header has before it.
pub const BEFORE_FIRST: Hash = Hash([0; Hash::LEN]);

/// The hash the next header carries, and a checkpoint names.
#[must_use]
pub fn head(header: &AuditHeader) -> Hash {
    sha256(&[b"jalon/audit/1", &header.to_bytes()])
}

#[must_use]
pub fn body_hash(salt: &Salt, body: &[u8]) -> Hash {
    sha256(&[&salt.0, body])
}

/// Central's word on how far its journal goes.
#[must_use]
pub fn sign(by: &Signer, checkpoint: Checkpoint) -> SignedCheckpoint {
    SignedCheckpoint {
        checkpoint,
        key: hex_of(by.key_id().0),
        signature: by.sign(Context::Checkpoint, &checkpoint.to_bytes()),
    }
}

/// Did a key of this ring sign it?
#[must_use]
pub fn is_by_central(ring: &KeyRing, signed: &SignedCheckpoint) -> bool {
    is_signed(ring, Context::Checkpoint, &signed.checkpoint.to_bytes(), &signed.key, &signed.signature)
}

/// May this ring judge what the key of this id signed?
fn knows(ring: &KeyRing, key: &str) -> bool {
    // What is no key id at all is not of a later ring.
    hex_id(key).is_none_or(|id| ring.find(Role::Acknowledgement, KeyId(id)).is_some())
}

/// A kiosk's word that it was shown this checkpoint, and none before that it could not follow.
#[must_use]
pub fn cosign(device: &Signer, checkpoint: &Checkpoint) -> Signature {
    device.sign(Context::Cosignature, &checkpoint.to_bytes())
}

/// Is this such a word by the device with this key?
#[must_use]
pub fn is_cosigned(device: &PublicKey, checkpoint: &Checkpoint, signature: &Signature) -> bool {
    keys::verify(device, Context::Cosignature, &checkpoint.to_bytes(), signature)
}

fn hex_of(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}
