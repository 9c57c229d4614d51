//! What stands inside an export file: frames, one after the other, each `tag u8 · length
//! u32 · bytes`. The records and pages stay their author's; who carries them adds nothing.

use crate::bytes::Bytes;
use crate::limits::{BODY_BYTES, PAGE_BYTES};
use crate::record::Record;
use domain::bytes::Hash;
use domain::ids::{KioskId, PageId, RegistrationId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// Most bytes of the first and the last frame, and of a record's: base64 and the header's
/// JSON, generously.
const TEXT_BYTES: usize = 2 * BODY_BYTES;
/// Bytes before a page's own: its id, its registration's, its hash.
const PAGE_HEAD: usize = 16 + 16 + 32;

/// One frame.
#[derive(Debug, Clone)]
pub enum Frame {
    /// The first.
    Beginning(Beginning),
    /// As in a push: in the order of the chain.
    Record(Box<Record>),
    /// A locked page, after every record.
    Page(DeliveredPage),
    /// The last: a file without it was cut between two frames.
    End(End),
}

/// Whose records these are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    pub kiosk: KioskId,
    /// Its device certificate in the fixed layout, for a database that does not know it.
    pub certificate: Bytes,
    pub at: Timestamp,
}

/// A locked page; its bytes are an age file central cannot open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredPage {
    pub page: PageId,
    pub registration: RegistrationId,
    pub sha256: Hash,
    pub locked: Vec<u8>,
}

/// How many there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub records: u32,
    pub pages: u32,
}

/// Why a frame is not read.
#[derive(Debug, thiserror::Error)]
pub enum FrameRefusal {
    #[error("not a frame of an export file")]
    Unreadable,
    #[error("a frame over its limit")]
    TooLarge,
    #[error("the file cannot be read, or does not open")]
    Io(#[from] std::io::Error),
}

impl Frame {
    /// # Errors
    /// `out` fails, or the value is over its limit.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let text = |value: serde_json::Result<Vec<u8>>| value.map_err(std::io::Error::other);
        match self {
            Self::Beginning(beginning) => put(out, 1, &[&text(serde_json::to_vec(beginning))?]),
            Self::Record(record) => put(out, 2, &[&text(serde_json::to_vec(record))?]),
            Self::Page(page) => {
                put(out, 3, &[&page.page.0, &page.registration.0, &page.sha256.0, &page.locked])
            }
            Self::End(end) => put(out, 4, &[&text(serde_json::to_vec(end))?]),
        }
    }

    /// The next frame.
    ///
    /// # Errors
    /// See [`FrameRefusal`].
    pub fn read(from: &mut impl Read) -> Result<Self, FrameRefusal> {
        let mut head = [0; 5];
        from.read_exact(&mut head)?;
        let [tag, l0, l1, l2, l3] = head;
        let length =
            usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).map_err(|_| FrameRefusal::TooLarge)?;
        if length > most(tag)? {
            return Err(FrameRefusal::TooLarge);
        }
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes)?;
        let unreadable = |_| FrameRefusal::Unreadable;
        Ok(match tag {
            1 => Self::Beginning(serde_json::from_slice(&bytes).map_err(unreadable)?),
            2 => Self::Record(serde_json::from_slice(&bytes).map_err(unreadable)?),
            3 => Self::Page(DeliveredPage::read(bytes).ok_or(FrameRefusal::Unreadable)?),
            _ => Self::End(serde_json::from_slice(&bytes).map_err(unreadable)?),
        })
    }
}

impl DeliveredPage {
    fn read(mut bytes: Vec<u8>) -> Option<Self> {
        let page = PageId(bytes.get(..16)?.try_into().ok()?);
        let registration = RegistrationId(bytes.get(16..32)?.try_into().ok()?);
        let sha256 = Hash::from_slice(bytes.get(32..PAGE_HEAD)?)?;
        let locked = bytes.split_off(PAGE_HEAD);
        Some(Self { page, registration, sha256, locked })
    }
}

fn most(tag: u8) -> Result<usize, FrameRefusal> {
    match tag {
        1 | 2 | 4 => Ok(TEXT_BYTES),
        3 => usize::try_from(PAGE_BYTES).map(|bytes| bytes + PAGE_HEAD).map_err(|_| FrameRefusal::TooLarge),
        _ => Err(FrameRefusal::Unreadable),
    }
}

fn put(out: &mut impl Write, tag: u8, parts: &[&[u8]]) -> std::io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let fits = most(tag).is_ok_and(|most| length <= most);
    let length = u32::try_from(length).ok().filter(|_| fits).ok_or(std::io::ErrorKind::InvalidInput)?;
    out.write_all(&[tag])?;
    out.write_all(&length.to_be_bytes())?;
    parts.iter().try_for_each(|part| out.write_all(part))
}
