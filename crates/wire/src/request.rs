//! How a device signs a request. The signature covers method, path with query, body
//! hash and time, so that nothing of it can be changed or replayed later.

use domain::bytes::Hash;
use domain::ids::KioskId;
use jiff::Timestamp;

/// Header names. All four stand on every request but enrolment.
pub const KIOSK: &str = "jalon-kiosk";
pub const TIME: &str = "jalon-time";
pub const SIGNATURE: &str = "jalon-signature";
/// On every answer: central's time in Unix seconds.
pub const NOW: &str = "jalon-now";

/// The bytes signed under `jalon/request/1`.
#[must_use]
pub fn message(kiosk: KioskId, method: &str, target: &str, body: &Hash, at: Timestamp) -> Vec<u8> {
    format!("{kiosk}\n{method}\n{target}\n{body}\n{}", at.as_second()).into_bytes()
}
