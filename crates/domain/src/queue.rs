//! A site's queue as it is published: who stands where, by marks that only the holder of a
//! paper can make. Names nobody, shows no time and no follow-up code.

use crate::bytes::{Hash, Mark, Signature};
use crate::ids::SiteId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most places of one extract: far more than a site has for one procedure.
pub const PLACES_MAX: usize = 1_000_000;

/// What central signs of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueHead {
    /// Version of the ranking rule.
    pub rule: String,
    pub site: SiteId,
    pub procedure: String,
    pub made_at: Timestamp,
    /// How many places have a time limit: they come first.
    pub with_time_limit: u64,
    pub ordinary: u64,
    /// Over all the marks, in their order.
    pub root: Hash,
}

/// An extract as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueExtract {
    /// JSON of [`QueueHead`], byte for byte as signed.
    pub head: String,
    /// Key id in hexadecimal.
    pub key: String,
    pub signature: Signature,
    /// In rank order.
    pub places: Vec<Mark>,
}
