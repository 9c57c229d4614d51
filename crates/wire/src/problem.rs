//! RFC 9457 problem details, with a stable code and arguments. Sentences for people
//! are made from the code at the kiosk, in the reader's language.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable word in snake_case.
    pub code: String,
    pub status: u16,
    #[serde(default)]
    pub args: BTreeMap<String, String>,
}
