//! Fixed-size byte values that cross crates: public keys, signatures, hashes. They
//! travel as lower-case hexadecimal. Nothing here computes cryptography.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Reads exactly [`Self::LEN`] bytes.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads hexadecimal of either case; none when it is not exactly this long.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let bytes = hex_bytes(text)?;
                Self::from_slice(&bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for byte in self.0 {
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::from_hex(&text).ok_or_else(|| {
                    D::Error::custom(concat!("expected ", $len, " bytes in hexadecimal"))
                })
            }
        }
    };
}

fixed_bytes!(
    /// An Ed25519 (or X25519, where said) public key.
    PublicKey,
    32
);
fixed_bytes!(
    /// An Ed25519 signature (RFC 8032).
    Signature,
    64
);
fixed_bytes!(
    /// A SHA-256 hash.
    Hash,
    32
);
fixed_bytes!(
    /// Salt that keeps a body's hash from telling its content once the body is erased.
    Salt,
    16
);

fixed_bytes!(
    /// What names a paper or its follow-up code on a list, without telling it: the first
    /// bytes of a SHA-256.
    Mark,
    12
);

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| {
            let (high, low) = (pair.first()?, pair.get(1)?);
            let high = char::from(*high).to_digit(16)?;
            let low = char::from(*low).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        })
        .collect()
}

/// Reads a byte string from the front of `input`, as the fixed layouts write it.
/// Answers none, and leaves `input` as it was, when it is too short.
pub fn take<'a>(input: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = input.split_at_checked(len)?;
    *input = tail;
    Some(head)
}

/// Like [`take`], into an array.
pub fn take_array<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    take(input, N)?.try_into().ok()
}

/// Reads one length byte, then that many bytes of UTF-8.
pub fn take_text<'a>(input: &mut &'a [u8]) -> Option<&'a str> {
    let [len] = take_array::<1>(input)?;
    std::str::from_utf8(take(input, usize::from(len))?).ok()
}

/// Writes one length byte and the text; none when the text is longer than 255 bytes.
pub fn put_text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.push(u8::try_from(text.len()).ok()?);
    out.extend_from_slice(text.as_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_round_trips_and_refuses_the_rest() {
        let hash = Hash([0xa5; 32]);
        assert_eq!(Hash::from_hex(&hash.to_string()), Some(hash));
        assert_eq!(Hash::from_hex("a5"), None);
        assert_eq!(Hash::from_hex(&"zz".repeat(32)), None);
        assert_eq!(Hash::from_hex(&"é".repeat(32)), None);
    }

    #[test]
    fn take_never_reads_past_the_end() {
        let mut input: &[u8] = &[3, b'a', b'b'];
        assert_eq!(take_text(&mut input), None);
        let mut input: &[u8] = &[2, b'a', b'b', 9];
        assert_eq!(take_text(&mut input), Some("ab"));
        assert_eq!(input, &[9]);
    }
}
