//! The root key and what it certifies. A verifier needs this one small file; the root
//! itself stays offline.

use crate::keys::{self, Context, Signer};
use domain::bytes::{PublicKey, Signature};
use domain::token::KeyId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a certified key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Signs slot tokens.
    Slot,
    /// Signs acknowledgements, device certificates, the roster.
    Acknowledgement,
    /// Opens rebuild codes (X25519).
    Recovery,
    /// Opens export files (X25519).
    Delivery,
}

impl Role {
    fn number(self) -> u8 {
        match self {
            Self::Slot => 1,
            Self::Acknowledgement => 2,
            Self::Recovery => 3,
            Self::Delivery => 4,
        }
    }
}

/// One key, certified by the root for one role and a time of signing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyCertificate {
    pub role: Role,
    pub key: PublicKey,
    /// Signs from this moment …
    pub from: Timestamp,
    /// … until this one. It goes on verifying what it signed.
    pub until: Timestamp,
    pub signature: Signature,
}

impl KeyCertificate {
    /// Certifies a key with the root's own key.
    #[must_use]
    pub fn issue(root: &Signer, role: Role, key: PublicKey, from: Timestamp, until: Timestamp) -> Self {
        let signature = root.sign(Context::Certificate, &Self::message(role, &key, from, until));
        Self { role, key, from, until, signature }
    }

    fn message(role: Role, key: &PublicKey, from: Timestamp, until: Timestamp) -> Vec<u8> {
        let mut message = vec![role.number()];
        message.extend_from_slice(&key.0);
        message.extend_from_slice(&from.as_second().to_be_bytes());
        message.extend_from_slice(&until.as_second().to_be_bytes());
        message
    }

    fn is_by(&self, root: &PublicKey) -> bool {
        let message = Self::message(self.role, &self.key, self.from, self.until);
        keys::verify(root, Context::Certificate, &message, &self.signature)
    }
}

/// The public half of everything a verifier trusts. Every certificate in it has been
/// verified against its root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RingFile", into = "RingFile")]
pub struct KeyRing {
    root: PublicKey,
    certificates: Vec<KeyCertificate>,
}

/// Why a ring is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RingRefusal {
    #[error("not a key ring file")]
    Unreadable,
    #[error("a certificate is not signed by the ring's root")]
    NotByRoot,
    #[error("more certificates than a ring may hold")]
    TooMany,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingFile {
    root: PublicKey,
    certificates: Vec<KeyCertificate>,
}

impl TryFrom<RingFile> for KeyRing {
    type Error = RingRefusal;

    fn try_from(file: RingFile) -> Result<Self, RingRefusal> {
        Self::new(file.root, file.certificates)
    }
}

impl From<KeyRing> for RingFile {
    fn from(ring: KeyRing) -> Self {
        Self { root: ring.root, certificates: ring.certificates }
    }
}

impl KeyRing {
    /// Most certificates a ring holds: decades of yearly keys.
    pub const MAX: usize = 256;

    /// # Errors
    /// A certificate is not by this root, or there are more than [`Self::MAX`].
    pub fn new(root: PublicKey, certificates: Vec<KeyCertificate>) -> Result<Self, RingRefusal> {
        if certificates.len() > Self::MAX {
            return Err(RingRefusal::TooMany);
        }
        if !certificates.iter().all(|certificate| certificate.is_by(&root)) {
            return Err(RingRefusal::NotByRoot);
        }
        Ok(Self { root, certificates })
    }

    /// Reads the JSON file that `--root` and `root_pub` name.
    ///
    /// # Errors
    /// It is not such a file, or a certificate in it is not by its root.
    pub fn from_json(text: &[u8]) -> Result<Self, RingRefusal> {
        let file: RingFile = serde_json::from_slice(text).map_err(|_| RingRefusal::Unreadable)?;
        Self::try_from(file)
    }

    /// How many certificates it holds; a ring only grows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.certificates.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// This ring and every certificate of another one under the same root.
    ///
    /// # Errors
    /// The other root is not this one, or together they are more than [`Self::MAX`].
    pub fn joined(&self, other: &Self) -> Result<Self, RingRefusal> {
        if self.root != other.root {
            return Err(RingRefusal::NotByRoot);
        }
        let new = other.certificates.iter().filter(|certificate| !self.certificates.contains(certificate));
        let certificates: Vec<_> = self.certificates.iter().chain(new).cloned().collect();
        if certificates.len() > Self::MAX {
            return Err(RingRefusal::TooMany);
        }
        Ok(Self { root: self.root, certificates })
    }

    #[must_use]
    pub fn root(&self) -> &PublicKey {
        &self.root
    }

    /// The certificate of the key with this id, if it has this role.
    #[must_use]
    pub fn find(&self, role: Role, id: KeyId) -> Option<&KeyCertificate> {
        self.certificates.iter().find(|c| c.role == role && keys::key_id(&c.key) == id)
    }

    /// The key of this role that was certified last.
    #[must_use]
    pub fn latest(&self, role: Role) -> Option<&KeyCertificate> {
        self.certificates.iter().filter(|c| c.role == role).max_by_key(|c| c.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_takes_only_what_its_root_signed() {
        let (root, other) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let slot = Signer::from_seed(&[3; 32]);
        let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let good = KeyCertificate::issue(&root, Role::Slot, slot.public(), from, until);
        let ring = KeyRing::new(root.public(), vec![good.clone()]).unwrap();
        assert!(ring.find(Role::Slot, slot.key_id()).is_some());
        assert!(ring.find(Role::Acknowledgement, slot.key_id()).is_none());

        let json = serde_json::to_vec(&ring).unwrap();
        assert_eq!(KeyRing::from_json(&json), Ok(ring));

        let foreign = KeyCertificate::issue(&other, Role::Slot, slot.public(), from, until);
        assert_eq!(KeyRing::new(root.public(), vec![foreign]), Err(RingRefusal::NotByRoot));
        let widened = KeyCertificate { role: Role::Recovery, ..good };
        assert_eq!(KeyRing::new(root.public(), vec![widened]), Err(RingRefusal::NotByRoot));
    }

    #[test]
    fn the_key_certified_last_is_the_latest_of_its_role() {
        let root = Signer::from_seed(&[1; 32]);
        let issue = |role, seed: u8, from: i64| {
            let key = Signer::from_seed(&[seed; 32]).public();
            let from = Timestamp::from_second(from).unwrap();
            KeyCertificate::issue(&root, role, key, from, Timestamp::MAX)
        };
        let empty = KeyRing::new(root.public(), Vec::new()).unwrap();
        assert!(empty.is_empty() && empty.latest(Role::Slot).is_none());
        let last = issue(Role::Slot, 4, 20);
        let all = vec![issue(Role::Slot, 3, 10), last.clone(), issue(Role::Recovery, 5, 30)];
        let ring = KeyRing::new(root.public(), all).unwrap();
        assert!(!ring.is_empty());
        assert_eq!(ring.latest(Role::Slot), Some(&last));
        assert_eq!(ring.latest(Role::Acknowledgement), None);
    }

    #[test]
    fn two_rings_join_up_to_the_limit() {
        let root = Signer::from_seed(&[1; 32]);
        let certificates = |count: usize, of: u8| -> Vec<KeyCertificate> {
            let key = |n: usize| PublicKey(std::array::from_fn(|at| (n >> (8 * (at % 2))) as u8 ^ of));
            let until = Timestamp::MAX;
            (0..count)
                .map(|n| KeyCertificate::issue(&root, Role::Slot, key(n), Timestamp::UNIX_EPOCH, until))
                .collect()
        };
        let ring = |count, of| KeyRing::new(root.public(), certificates(count, of)).unwrap();
        let (most, two) = (ring(KeyRing::MAX - 2, 0), ring(2, 0xff));
        let joined = most.joined(&two).unwrap();
        assert_eq!(joined.len(), KeyRing::MAX);
        assert_eq!(joined.joined(&two).unwrap().len(), KeyRing::MAX, "what is there already adds nothing");
        assert_eq!(joined.joined(&ring(1, 0x7f)), Err(RingRefusal::TooMany));
    }
}
