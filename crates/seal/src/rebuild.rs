//! The rebuild code: what the door code leaves out, locked to central's recovery key
//! (HPKE, RFC 9180: DHKEM X25519 HKDF-SHA256, ChaCha20-Poly1305). If a kiosk is lost
//! before it syncs, its papers bring its registrations back.

use crate::door::MAX_BYTES;
use domain::bytes::PublicKey;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

/// What is locked: a code of one use does not open as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A paper's rebuild code, bound to its registration id.
    Paper,
    /// A kiosk's vault key, bound to its kiosk id.
    VaultKey,
}

impl Use {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Paper => b"jalon/rebuild/1",
            Self::VaultKey => b"jalon/vault-key/1",
        }
    }
}

const VERSION: u8 = 1;
/// Bytes of the encapsulated key and of the tag, and one of version.
const OVERHEAD: usize = 32 + 16 + 1;
/// Most bytes of content a rebuild code carries.
pub const CONTENT_MAX: usize = MAX_BYTES - OVERHEAD;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RebuildRefusal {
    #[error("more content than a rebuild code carries")]
    TooLong,
    #[error("not a recovery key")]
    BadKey,
    #[error("not a rebuild code, or locked to another key, or of another paper")]
    DoesNotOpen,
}

/// Locks `content` to the recovery key. `paper` (the registration id) is bound to it,
/// so a rebuild code cannot be put beside another door code. `random` must be fresh.
///
/// # Errors
/// The content is longer than [`CONTENT_MAX`] or the key is not one.
pub fn lock(
    recovery: &PublicKey,
    paper: &[u8],
    content: &[u8],
    random: [u8; 32],
) -> Result<Vec<u8>, RebuildRefusal> {
    lock_as(Use::Paper, recovery, paper, content, random)
}

/// As [`lock`], for any use; `bound` is what the content belongs to.
///
/// # Errors
/// As [`lock`].
pub fn lock_as(
    what: Use,
    recovery: &PublicKey,
    bound: &[u8],
    content: &[u8],
    random: [u8; 32],
) -> Result<Vec<u8>, RebuildRefusal> {
    if content.len() > CONTENT_MAX {
        return Err(RebuildRefusal::TooLong);
    }
    let key =
        <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recovery.0).map_err(|_| RebuildRefusal::BadKey)?;
    let mut rng = ChaCha20Rng::from_seed(random);
    let (encapsulated, locked) = hpke::single_shot_seal_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &key, what.info(), content, bound, &mut rng)
    .map_err(|_| RebuildRefusal::BadKey)?;
    let mut out = Vec::with_capacity(OVERHEAD + content.len());
    out.push(VERSION);
    out.extend_from_slice(&encapsulated.to_bytes());
    out.extend_from_slice(&locked);
    Ok(out)
}

/// Opens a rebuild code with the recovery key's private half.
///
/// # Errors
/// It is not a rebuild code of this paper, or locked to another key.
pub fn open(recovery: &[u8; 32], paper: &[u8], code: &[u8]) -> Result<Zeroizing<Vec<u8>>, RebuildRefusal> {
    open_as(Use::Paper, recovery, paper, code)
}

/// As [`open`], for any use.
///
/// # Errors
/// As [`open`].
pub fn open_as(
    what: Use,
    recovery: &[u8; 32],
    bound: &[u8],
    code: &[u8],
) -> Result<Zeroizing<Vec<u8>>, RebuildRefusal> {
    let refused = |_| RebuildRefusal::DoesNotOpen;
    let (version, rest) = code.split_first().ok_or(RebuildRefusal::DoesNotOpen)?;
    if *version != VERSION || code.len() > MAX_BYTES {
        return Err(RebuildRefusal::DoesNotOpen);
    }
    let (encapsulated, locked) = rest.split_at_checked(32).ok_or(RebuildRefusal::DoesNotOpen)?;
    let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(recovery).map_err(refused)?;
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).map_err(refused)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &key,
        &encapsulated,
        what.info(),
        locked,
        bound,
    )
    .map(Zeroizing::new)
    .map_err(refused)
}

/// The public half of a recovery key.
#[must_use]
pub fn public_of(recovery: &[u8; 32]) -> Option<PublicKey> {
    let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(recovery).ok()?;
    PublicKey::from_slice(&X25519HkdfSha256::sk_to_pk(&key).to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_its_key_and_its_paper() {
        let secret = [5; 32];
        let public = public_of(&secret).unwrap();
        let code = lock(&public, b"paper", b"content", [1; 32]).unwrap();
        assert_eq!(open(&secret, b"paper", &code).unwrap().as_slice(), b"content");
        assert!(open(&secret, b"other", &code).is_err());
        assert!(open(&[6; 32], b"paper", &code).is_err());
        assert!(open_as(Use::VaultKey, &secret, b"paper", &code).is_err(), "of another use");
        for at in 0..code.len() {
            let mut changed = code.clone();
            changed[at] ^= 1;
            assert!(open(&secret, b"paper", &changed).is_err(), "byte {at}");
            assert!(open(&secret, b"paper", &code[..at]).is_err());
        }
        let full = vec![0; CONTENT_MAX];
        assert_eq!(lock(&public, b"", &full, [1; 32]).unwrap().len(), MAX_BYTES);
        assert_eq!(lock(&public, b"", &vec![0; CONTENT_MAX + 1], [1; 32]), Err(RebuildRefusal::TooLong));
    }
}
