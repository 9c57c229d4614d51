//! The door code: who, when, where, in at most 330 bytes, verified offline.
//!
//! Nothing in it tells a class, a right or a document number.

use crate::certificate::DeviceCertificate;
use crate::keys::{self, Context, Signer};
use domain::birth::Birth;
use domain::bytes::{self, Hash, Signature};
use domain::code::FollowUpCode;
use domain::ids::RegistrationId;
use domain::token::{self, SignedToken};
use jiff::Timestamp;

/// Most bytes a code holds: a QR code of version 13, level M (ISO/IEC 18004).
pub const MAX_BYTES: usize = 330;
/// Most bytes of a name inside the code; a longer one is cut between two characters
/// and marked as cut.
pub const NAME_BYTES: usize = 76;

const MAGIC: [u8; 2] = [b'J', 1];
const CONVOCATION: u8 = 1;
const RECEIPT: u8 = 2;
const RECEIPT_HELD: u8 = 3;
const NAME_CUT: u8 = 0x80;

/// What stands behind a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// A convocation: a slot central signed.
    Slot(SignedToken),
    /// A ranked receipt that holds a slot: received then at the latest.
    Held(SignedToken),
    /// A ranked receipt that holds none: the kiosk's certificate.
    Rank(DeviceCertificate),
}

/// The fields of a door code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    pub ground: Ground,
    pub registration: RegistrationId,
    pub code: FollowUpCode,
    pub birth: Birth,
    /// To the second.
    pub issued_at: Timestamp,
    /// The first 16 bytes of the rebuild code's SHA-256.
    pub rebuild: [u8; 16],
    /// The name as printed, or its beginning.
    pub name: String,
    pub name_cut: bool,
}

/// Everything a door code is made from.
pub struct DoorParts<'a> {
    pub ground: Ground,
    pub registration: RegistrationId,
    pub code: FollowUpCode,
    pub birth: Birth,
    pub issued_at: Timestamp,
    pub rebuild_code: &'a [u8],
    pub name: &'a str,
}

impl Door {
    #[must_use]
    pub fn new(parts: DoorParts<'_>) -> Self {
        let name = begin(parts.name, NAME_BYTES);
        Self {
            ground: parts.ground,
            registration: parts.registration,
            code: parts.code,
            birth: parts.birth,
            issued_at: parts.issued_at,
            rebuild: rebuild_mark(parts.rebuild_code),
            name_cut: name.len() < parts.name.len(),
            name: name.to_owned(),
        }
    }

    /// The code's bytes, sealed by the kiosk's device key.
    #[must_use]
    pub fn seal(&self, device: &Signer) -> Vec<u8> {
        let mut out = self.message();
        let signature = device.sign(Context::Door, &out);
        out.extend_from_slice(&signature.0);
        out
    }

    /// `'J' 1 · kind · ground · registration 16 · code u64 · birth i16 u8 u8 ·
    /// issued u32 · rebuild 16 · name text`, big-endian.
    fn message(&self) -> Vec<u8> {
        let (kind, ground) = match &self.ground {
            Ground::Slot(token) => (CONVOCATION, token.to_bytes()),
            Ground::Held(token) => (RECEIPT_HELD, token.to_bytes()),
            Ground::Rank(certificate) => (RECEIPT, certificate.to_bytes()),
        };
        let mut out = Vec::with_capacity(MAX_BYTES);
        out.extend_from_slice(&MAGIC);
        out.push(kind | if self.name_cut { NAME_CUT } else { 0 });
        out.extend_from_slice(&ground);
        out.extend_from_slice(&self.registration.0);
        out.extend_from_slice(&self.code.to_bits().to_be_bytes());
        let (year, month, day) = self.birth.to_parts();
        out.extend_from_slice(&year.to_be_bytes());
        out.extend([month, day]);
        out.extend_from_slice(&token::seconds(self.issued_at).to_be_bytes());
        out.extend_from_slice(&self.rebuild);
        // `begin` cut the name to NAME_BYTES.
        let _ = bytes::put_text(&mut out, &self.name);
        out
    }

    /// Reads a code and the signature that seals it; verifies nothing. None when the
    /// bytes are not a door code of this version.
    #[must_use]
    pub fn read(input: &[u8]) -> Option<(Self, Signature, &[u8])> {
        if input.len() > MAX_BYTES {
            return None;
        }
        let (message, signature) = input.split_at_checked(input.len().checked_sub(Signature::LEN)?)?;
        let signature = Signature::from_slice(signature)?;
        let mut rest = message;
        if bytes::take_array::<2>(&mut rest)? != MAGIC {
            return None;
        }
        let [kind] = bytes::take_array::<1>(&mut rest)?;
        let ground = match kind & !NAME_CUT {
            CONVOCATION => Ground::Slot(SignedToken::take(&mut rest)?),
            RECEIPT_HELD => Ground::Held(SignedToken::take(&mut rest)?),
            RECEIPT => Ground::Rank(DeviceCertificate::take(&mut rest)?),
            _ => return None,
        };
        let registration = RegistrationId(bytes::take_array(&mut rest)?);
        let code = bytes::take_array::<8>(&mut rest)?;
        let follow_up = FollowUpCode::from_random(code);
        if follow_up.to_bits().to_be_bytes() != code {
            return None;
        }
        let year = i16::from_be_bytes(bytes::take_array(&mut rest)?);
        let [month, day] = bytes::take_array(&mut rest)?;
        let door = Self {
            ground,
            registration,
            code: follow_up,
            birth: Birth::from_parts(year, month, day)?,
            issued_at: token::take_second(&mut rest)?,
            rebuild: bytes::take_array(&mut rest)?,
            name: bytes::take_text(&mut rest)?.to_owned(),
            name_cut: kind & NAME_CUT != 0,
        };
        rest.is_empty().then_some((door, signature, message))
    }
}

/// What ties the rebuild code of the same paper to its door code.
#[must_use]
pub fn rebuild_mark(rebuild_code: &[u8]) -> [u8; 16] {
    let Hash(hash) = keys::sha256(&[rebuild_code]);
    let mut mark = [0; 16];
    mark.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
    mark
}

/// The longest beginning of `text` within `max` bytes that ends between two characters.
pub(crate) fn begin(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
