//! What the counter shows of a person who has moved from another site, or has another name since.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A registration that follows another, and that one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TransferView {
    pub state: TransferState,
    /// The registration time that was taken over, `YYYY-MM-DDThh:mm`; none where none was.
    pub since: Option<String>,
    /// The site the person has left, where the time was taken over from it.
    pub site: Option<String>,
    /// The appointment there while it stands, `YYYY-MM-DDThh:mm` by the clock of `zone`.
    pub earlier_at: Option<String>,
    pub zone: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Central has not been heard about it.
    Waiting,
    /// No earlier registration counts: this one has its own time.
    None,
    /// Both places stand.
    Both,
    /// This one was kept here, and central is to hear it.
    Keeping,
    /// The earlier place is over, and its time counts here.
    Alone,
}
