//! What central signs for a slot: this kiosk may print this slot until this moment.
//! The layout is fixed because it stands, byte for byte, inside the door code.

use crate::bytes::{self, PublicKey, Signature};
use crate::ids::{SiteId, SlotId};
use jiff::{Timestamp, civil::DateTime};

/// The first four bytes of a signing key's SHA-256; names the key, proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

/// A slot lent to, or given through, one kiosk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotToken {
    pub slot: SlotId,
    pub site: SiteId,
    /// Civil start at the site, to the minute.
    pub at: DateTime,
    /// The device key that may seal a paper with it.
    pub kiosk: PublicKey,
    /// No paper issued after this moment is good.
    pub last_issue: Timestamp,
}

/// A token with central's signature under its slot key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedToken {
    pub token: SlotToken,
    pub key: KeyId,
    pub signature: Signature,
}

impl SlotToken {
    /// `slot u64 · site text · year i16 · month · day · hour · minute · kiosk 32 ·
    /// last_issue u32 (Unix seconds)`, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(68);
        out.extend_from_slice(&self.slot.0.to_be_bytes());
        // A site id is at most 16 bytes by construction.
        let _ = bytes::put_text(&mut out, self.site.as_str());
        put_minute(&mut out, self.at);
        out.extend_from_slice(&self.kiosk.0);
        out.extend_from_slice(&seconds(self.last_issue).to_be_bytes());
        out
    }

    /// Reads what [`Self::to_bytes`] wrote, from the front of `input`.
    pub fn take(input: &mut &[u8]) -> Option<Self> {
        let slot = SlotId(u64::from_be_bytes(bytes::take_array(input)?));
        let site = SiteId::parse(bytes::take_text(input)?)?;
        let at = take_minute(input)?;
        let kiosk = PublicKey(bytes::take_array(input)?);
        let last_issue = take_second(input)?;
        Some(Self { slot, site, at, kiosk, last_issue })
    }
}

impl SignedToken {
    /// The token's bytes, the key id, the signature.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.token.to_bytes();
        out.extend_from_slice(&self.key.0);
        out.extend_from_slice(&self.signature.0);
        out
    }

    /// Reads what [`Self::to_bytes`] wrote, from the front of `input`. Verifies nothing.
    pub fn take(input: &mut &[u8]) -> Option<Self> {
        let token = SlotToken::take(input)?;
        let key = KeyId(bytes::take_array(input)?);
        let signature = Signature(bytes::take_array(input)?);
        Some(Self { token, key, signature })
    }

    /// Reads one token that fills `bytes` exactly.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let token = Self::take(&mut bytes)?;
        bytes.is_empty().then_some(token)
    }
}

/// Unix seconds as the fixed layouts write them: good from 1970 to 2106.
#[must_use]
pub fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX)
}

/// Reads four bytes of Unix seconds.
pub fn take_second(input: &mut &[u8]) -> Option<Timestamp> {
    let s = u32::from_be_bytes(bytes::take_array(input)?);
    Timestamp::from_second(i64::from(s)).ok()
}

fn put_minute(out: &mut Vec<u8>, at: DateTime) {
    out.extend_from_slice(&at.year().to_be_bytes());
    out.extend([at.month(), at.day(), at.hour(), at.minute()].map(i8::unsigned_abs));
}

fn take_minute(input: &mut &[u8]) -> Option<DateTime> {
    let year = i16::from_be_bytes(bytes::take_array(input)?);
    let [month, day, hour, minute] = bytes::take_array::<4>(input)?.map(|b| i8::try_from(b).ok());
    DateTime::new(year, month?, day?, hour?, minute?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;
    use proptest::prelude::*;

    fn sample() -> SignedToken {
        SignedToken {
            token: SlotToken {
                slot: SlotId(77),
                site: SiteId::parse("DEMO").unwrap(),
                at: datetime(2027, 3, 8, 9, 20, 0, 0),
                kiosk: PublicKey([3; 32]),
                last_issue: Timestamp::from_second(1_900_000_000).unwrap(),
            },
            key: KeyId([1, 2, 3, 4]),
            signature: Signature([9; 64]),
        }
    }

    #[test]
    fn reads_back_and_refuses_a_longer_or_shorter_one() {
        let bytes = sample().to_bytes();
        assert_eq!(SignedToken::from_bytes(&bytes), Some(sample()));
        for len in 0..bytes.len() {
            assert_eq!(SignedToken::from_bytes(&bytes[..len]), None);
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(SignedToken::from_bytes(&longer), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(token) = SignedToken::from_bytes(&bytes) {
                prop_assert_eq!(token.to_bytes(), bytes);
            }
        }
    }
}
