//! What a kiosk is told of a registration that follows another: its person has moved, or has
//! another name since.

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

/// What central knows of a registration that follows another site's. Nothing in it: no paper that is
/// still good and this person's has that code, or none yet. One answer for all of that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transferred {
    /// The registration time that ranks; none: the registration's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranked_at: Option<Timestamp>,
    /// The name of the site it was taken over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The earlier appointment, while both stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<EarlierDate>,
}

/// The appointment at the site the person has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierDate {
    /// Civil start; none while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime>,
    /// IANA time zone of that site.
    pub zone: String,
}
