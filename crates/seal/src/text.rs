//! A code as text, for a hand scanner, a message or a person who copies it:
//! `JALON1.` and the bytes in unpadded base64url (RFC 4648 §5).

use crate::door::MAX_BYTES;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What every code as text begins with.
pub const PREFIX: &str = "JALON1.";

#[must_use]
pub fn from_bytes(code: &[u8]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(code))
}

/// Reads a code as text, white space anywhere. None when it is not one.
#[must_use]
pub fn to_bytes(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_BYTES * 4 {
        return None;
    }
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = URL_SAFE_NO_PAD.decode(compact.strip_prefix(PREFIX)?).ok()?;
    (bytes.len() <= MAX_BYTES).then_some(bytes)
}
