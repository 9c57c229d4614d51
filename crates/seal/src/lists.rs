//! What signed lists say of one paper. Signed by central's acknowledgement key, so a
//! verifier takes them from anywhere: by the network, from a file, on a stick.

use crate::door::{Door, Ground, NAME_BYTES, begin};
use crate::keys::{self, Context, sha256};
use crate::ring::{KeyRing, Role};
use domain::bytes::{Hash, Mark, PublicKey, Signature};
use domain::code::FollowUpCode;
use domain::ids::{RegistrationId, SlotId};
use domain::lists::{IssuersList, PapersList, Standing};
use domain::token::KeyId;
use jiff::civil::{Date, DateTime};
use serde::de::DeserializeOwned;

/// Names a follow-up code on a list. The code cannot be found from it: it has 60 bits.
#[must_use]
pub fn code_mark(code: FollowUpCode) -> Mark {
    mark(&[b"jalon/listed-code/1", &code.to_bits().to_be_bytes()])
}

/// Names a paper of a lost kiosk whose record central holds. Bound to everything a thief
/// with that kiosk's key could write otherwise: who, and for which slot. `name` is as
/// printed; only what a door code has room for counts.
#[must_use]
pub fn held_mark(
    registration: RegistrationId,
    code: FollowUpCode,
    slot: Option<SlotId>,
    (year, month, day): (i16, u8, u8),
    name: &str,
) -> Mark {
    mark(&[
        b"jalon/held-paper/1",
        &registration.0,
        &code.to_bits().to_be_bytes(),
        &slot.map_or(0, |slot| slot.0).to_be_bytes(),
        &year.to_be_bytes(),
        &[month, day],
        begin(name, NAME_BYTES).as_bytes(),
    ])
}

fn mark(parts: &[&[u8]]) -> Mark {
    let Hash(hash) = sha256(parts);
    let mut mark = [0; Mark::LEN];
    mark.copy_from_slice(hash.first_chunk::<{ Mark::LEN }>().unwrap_or(&[0; Mark::LEN]));
    Mark(mark)
}

/// Did a key of this ring sign these bytes for this purpose? `key` is a key id in
/// hexadecimal.
#[must_use]
pub fn is_signed(ring: &KeyRing, context: Context, bytes: &[u8], key: &str, signature: &Signature) -> bool {
    let id: Option<[u8; 4]> = hex_id(key);
    id.and_then(|id| ring.find(Role::Acknowledgement, KeyId(id)))
        .is_some_and(|certificate| keys::verify(&certificate.key, context, bytes, signature))
}

/// The list in these bytes, when a key of this ring signed them for this purpose.
#[must_use]
pub fn read<T: DeserializeOwned>(
    ring: &KeyRing,
    context: Context,
    bytes: &[u8],
    key: &str,
    signature: &Signature,
) -> Option<T> {
    is_signed(ring, context, bytes, key, signature).then(|| serde_json::from_slice(bytes).ok()).flatten()
}

pub(crate) fn hex_id(key: &str) -> Option<[u8; 4]> {
    (key.len() == 8).then(|| u32::from_str_radix(key, 16).ok()).flatten().map(u32::to_be_bytes)
}

/// What is known of one paper beside its seal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// What stands in this paper's place, if the list has its registration.
    pub standing: Option<Standing>,
    pub issuers: IssuersList,
}

impl Listed {
    /// From whole lists, as a file of them has it. Of several parts that name one
    /// registration the last counts.
    #[must_use]
    pub fn of(door: &Door, papers: &[PapersList], issuers: IssuersList) -> Self {
        let code = code_mark(door.code);
        let standing = papers.iter().flat_map(|part| &part.papers).rfind(|paper| paper.code == code);
        Self { standing: standing.cloned(), issuers }
    }

    /// The lists' word on a rightly sealed paper; none when they say nothing against it.
    pub(crate) fn judge(&self, door: &Door) -> Option<Word> {
        let (signer, last) = match &door.ground {
            Ground::Slot(signed) | Ground::Held(signed) => (signed.key, signed.token.at.date()),
            Ground::Rank(certificate) => (certificate.issuer, day_of(certificate.issued_at)),
        };
        if self.issuers.retired.iter().any(|retired| retired.key == signer && last > retired.last_day) {
            return Some(Word::KeyRetired);
        }
        if let Some(standing) = &self.standing {
            match standing.at {
                None => return Some(Word::Cancelled),
                Some(at) if !matches!(&door.ground, Ground::Slot(signed) if signed.token.at == at) => {
                    return Some(Word::Replaced(at));
                }
                Some(_) => {}
            }
        }
        let kiosk = self.issuers.lost.iter().find(|lost| sealed_by(door, lost.kiosk, &lost.key))?;
        (!kiosk.held.contains(&mark_of(door))).then_some(Word::KioskLost)
    }
}

/// What a list has against a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Signed by a key after it had ended.
    KeyRetired,
    Cancelled,
    /// The convocation for this civil time stands in its place.
    Replaced(DateTime),
    /// Sealed by a lost kiosk, and central does not hold its record.
    KioskLost,
}

fn sealed_by(door: &Door, kiosk: domain::ids::KioskId, key: &PublicKey) -> bool {
    match &door.ground {
        Ground::Slot(signed) | Ground::Held(signed) => signed.token.kiosk == *key,
        Ground::Rank(certificate) => certificate.kiosk == kiosk,
    }
}

/// The [`held_mark`] of this very paper.
fn mark_of(door: &Door) -> Mark {
    let slot = match &door.ground {
        Ground::Slot(signed) | Ground::Held(signed) => Some(signed.token.slot),
        Ground::Rank(_) => None,
    };
    held_mark(door.registration, door.code, slot, door.birth.to_parts(), &door.name)
}

fn day_of(at: jiff::Timestamp) -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(at).date()
}
