//! Ed25519 signing (RFC 8032, strict verification) under a context string, so that a
//! signature made for one purpose never serves another.

use domain::bytes::{Hash, PublicKey, Signature};
use domain::token::KeyId;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What a signature is for. The strings are part of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// A journal record's header, by a device key.
    Record,
    /// A slot token, by a slot key.
    Token,
    /// A door code, by a device key.
    Door,
    /// A key certificate, by the root.
    Certificate,
    /// A device certificate, by an acknowledgement key.
    Device,
    /// A request to central, by a device key.
    Request,
    /// What central holds of a kiosk's journal, by an acknowledgement key.
    Acknowledgement,
    /// What of a kiosk's journal is on other storage too, by an acknowledgement key.
    Durable,
    /// The roster of mediators, by an acknowledgement key.
    Roster,
    /// A site's configuration, by an acknowledgement key.
    Configuration,
    /// Kiosks that are lost and keys that sign no more, by an acknowledgement key.
    Issuers,
    /// Papers another has replaced, by an acknowledgement key.
    Papers,
    /// A site's published queue, by an acknowledgement key.
    Queue,
    /// How far central's audit journal goes, by an acknowledgement key.
    Checkpoint,
    /// That a kiosk was shown such a checkpoint, by its device key.
    Cosignature,
    /// Possession of the key sent at enrolment, by that key.
    Enrolment,
}

impl Context {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "jalon/record/1",
            Self::Token => "jalon/token/1",
            Self::Door => "jalon/door/1",
            Self::Certificate => "jalon/certificate/1",
            Self::Device => "jalon/device/1",
            Self::Request => "jalon/request/1",
            Self::Acknowledgement => "jalon/acknowledgement/1",
            Self::Durable => "jalon/durable/1",
            Self::Roster => "jalon/roster/1",
            Self::Configuration => "jalon/configuration/1",
            Self::Issuers => "jalon/issuers/1",
            Self::Papers => "jalon/papers/1",
            Self::Queue => "jalon/queue/1",
            Self::Checkpoint => "jalon/checkpoint/1",
            Self::Cosignature => "jalon/cosignature/1",
            Self::Enrolment => "jalon/enrolment/1",
        }
    }

    /// One length byte, the context, the message.
    fn frame(self, message: &[u8]) -> Vec<u8> {
        let context = self.as_str().as_bytes();
        let mut framed = Vec::with_capacity(1 + context.len() + message.len());
        framed.push(u8::try_from(context.len()).unwrap_or(u8::MAX));
        framed.extend_from_slice(context);
        framed.extend_from_slice(message);
        framed
    }
}

/// A private Ed25519 key. Erased from memory when dropped; has no Debug.
pub struct Signer {
    key: SigningKey,
}

impl Signer {
    /// From 32 random bytes (the RFC 8032 seed).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// The seed, to be kept in a keyring or a locked vault and nowhere else.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.key.to_bytes())
    }

    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    #[must_use]
    pub fn key_id(&self) -> KeyId {
        key_id(&self.public())
    }

    #[must_use]
    pub fn sign(&self, context: Context, message: &[u8]) -> Signature {
        Signature(self.key.sign(&context.frame(message)).to_bytes())
    }
}

/// True when `signature` is `key`'s over this message in this context. Small-order keys
/// and non-canonical signatures are refused.
#[must_use]
pub fn verify(key: &PublicKey, context: Context, message: &[u8], signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else { return false };
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(&context.frame(message), &signature).is_ok()
}

/// The first four bytes of the key's SHA-256.
#[must_use]
pub fn key_id(key: &PublicKey) -> KeyId {
    let Hash([a, b, c, d, ..]) = sha256(&[&key.0]);
    KeyId([a, b, c, d])
}

/// SHA-256 over the parts, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    Hash(digest.finalize().into())
}

/// SHA-256 over what comes piece by piece.
#[derive(Default)]
pub struct Hashing(Sha256);

impl Hashing {
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    #[must_use]
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_serves_one_context_and_one_message() {
        let signer = Signer::from_seed(&[1; 32]);
        let signature = signer.sign(Context::Record, b"x");
        assert!(verify(&signer.public(), Context::Record, b"x", &signature));
        assert!(!verify(&signer.public(), Context::Door, b"x", &signature));
        assert!(!verify(&signer.public(), Context::Record, b"y", &signature));
        assert!(!verify(&Signer::from_seed(&[2; 32]).public(), Context::Record, b"x", &signature));
        assert!(!verify(&PublicKey([0; 32]), Context::Record, b"x", &Signature([0; 64])));
        assert_eq!(*signer.seed(), [1; 32]);
    }

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn piece_by_piece_is_the_hash_of_the_whole() {
        let mut hashing = Hashing::default();
        hashing.update(b"a");
        hashing.update(b"bc");
        let whole = sha256(&[b"abc"]);
        assert_eq!(hashing.finish(), whole);
        assert_eq!(whole.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
