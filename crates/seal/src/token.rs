//! Signing and checking slot tokens. Their layout is `domain::token`'s.

use crate::keys::{self, Context, Signer};
use crate::ring::{KeyRing, Role};
use domain::token::{SignedToken, SlotToken};

/// Central's signature over a token, with its slot key.
#[must_use]
pub fn sign(slot_key: &Signer, token: SlotToken) -> SignedToken {
    let signature = slot_key.sign(Context::Token, &token.to_bytes());
    SignedToken { token, key: slot_key.key_id(), signature }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    /// The ring does not know the key that signed.
    UnknownIssuer,
    /// The signature is not that key's.
    Forged,
}

/// Was this token signed by a slot key of this ring?
///
/// # Errors
/// See [`TokenRefusal`].
pub fn check(ring: &KeyRing, token: &SignedToken) -> Result<(), TokenRefusal> {
    let certificate = ring.find(Role::Slot, token.key).ok_or(TokenRefusal::UnknownIssuer)?;
    let bytes = token.token.to_bytes();
    keys::verify(&certificate.key, Context::Token, &bytes, &token.signature)
        .then_some(())
        .ok_or(TokenRefusal::Forged)
}
