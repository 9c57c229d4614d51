//! What a person says of the appointment they have, and what waits for their word.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a person says of the appointment they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WordKind {
    /// They give it up; the mediator has seen a document of theirs.
    Cancel,
    /// They take that back; the mediator has seen a document of theirs.
    TakeBack,
    /// They will come.
    Come,
}

/// What became of it at another kiosk than the paper's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WordView {
    pub word: WordKind,
    /// The appointment now, `YYYY-MM-DDThh:mm`.
    pub slot_at: Option<String>,
    /// Given up: the last day to take it back, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// Somebody cancels by the telephone or the mail the person gave: carried out a day later, unless they
/// say at a counter that they will come. The date holds meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CancelAskedView {
    /// `phone` or `email`; its sentence is `cancel-asked-<channel>` in ui.ftl.
    pub channel: String,
    /// `YYYY-MM-DDThh:mm`.
    pub at: String,
    /// When it is carried out, `YYYY-MM-DDThh:mm`.
    pub due: String,
}

/// A far date is asked about once: will they come? Who says nothing keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReconfirmView {
    /// The last day on which it is asked, `YYYY-MM-DD`.
    pub until: String,
    /// They said that they will come.
    pub said: bool,
}
