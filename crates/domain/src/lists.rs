//! What central has learnt since a paper was printed, as lists a verifier keeps: papers
//! another has replaced, kiosks that are lost, keys that sign no more. They only go
//! forward. No list names a person, and no follow-up code stands on one: marks do.

use crate::bytes::{Mark, PublicKey};
use crate::ids::{KioskId, SiteId};
use crate::token::KeyId;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::BTreeSet;

/// Days a replaced paper stays on its list: somebody may show it long after.
pub const LISTED_DAYS: i32 = 366;
/// Most papers in one part of the list: well inside one message.
pub const PAPERS_MAX: usize = 2_000;

/// One registration whose papers are not all good any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Of its follow-up code.
    pub code: Mark,
    /// The paper that stands is the convocation for this civil time; none when the
    /// registration is cancelled.
    pub at: Option<DateTime>,
    /// From this day on nobody need know it any more.
    pub until: Date,
}

/// A part of a site's list of replaced papers: what was listed after `since`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PapersList {
    pub site: SiteId,
    pub since: u64,
    /// What to name as `since` for the next part.
    pub version: u64,
    pub papers: Vec<Standing>,
}

/// Kiosks that are lost and keys that sign no more, whole each time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuersList {
    pub site: Option<SiteId>,
    pub version: u64,
    pub lost: Vec<LostKiosk>,
    pub retired: Vec<RetiredKey>,
}

/// A kiosk that is heard no more. Its papers whose record central holds stay good; at any
/// other a person looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostKiosk {
    pub kiosk: KioskId,
    pub key: PublicKey,
    pub since: Timestamp,
    /// Marks of the papers central holds.
    pub held: BTreeSet<Mark>,
}

/// A key of central's that signs no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredKey {
    #[serde(serialize_with = "write_key", deserialize_with = "read_key")]
    pub key: KeyId,
    /// The latest appointment (a slot key) or day (an acknowledgement key) it signed for.
    pub last_day: Date,
}

fn write_key<S: Serializer>(key: &KeyId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{:08x}", u32::from_be_bytes(key.0)))
}

fn read_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyId, D::Error> {
    let text = String::deserialize(deserializer)?;
    let key = u32::from_str_radix(&text, 16).ok().filter(|_| text.len() == 8);
    key.map(|key| KeyId(key.to_be_bytes())).ok_or_else(|| D::Error::custom("expected 4 bytes in hexadecimal"))
}
