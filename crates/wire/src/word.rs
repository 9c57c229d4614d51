//! What a person says of the appointment they have, and what waits for their word.

use domain::code::FollowUpCode;
use domain::ids::{MediatorId, RegistrationId, WordId};
use domain::own_channel::Channel;
use domain::word::Word;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// `POST /v1/words`: what a person says of their appointment at a kiosk that did not make their paper.
/// The paper's code and the birth date say whose it is, as in [`crate::messages::FollowUpRequest`]. Idempotent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordRequest {
    pub word: WordId,
    pub code: FollowUpCode,
    pub year: i16,
    #[serde(default)]
    pub month: Option<i8>,
    #[serde(default)]
    pub day: Option<i8>,
    pub says: Word,
    /// The civil hour the person was told they have; none where they were told of none.
    #[serde(default)]
    pub appointment: Option<DateTime>,
    pub mediator: MediatorId,
    /// The mediator has seen a document of the person; see [`Word::needs_a_document`].
    pub document_seen: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordAnswer {
    /// None for a wrong code and for a wrong birth date alike.
    pub state: Option<WordState>,
    /// Whose it is, for the record of it, once it is done.
    pub registration: Option<RegistrationId>,
    /// The person's appointment now.
    pub at: Option<DateTime>,
    /// Given up: the last civil day on which they may take it back.
    pub until: Option<Date>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordState {
    /// It is so now.
    Done,
    /// The appointment is another than the person was told: nothing is done, and they look again.
    Otherwise,
    /// They were received.
    Honoured,
    /// It is annulled; only an agent undoes that.
    Annulled,
    /// They moved, and keep or were received with the appointment of the other site.
    Transferred,
    /// The days to take it back are over.
    TooLate,
    /// Central has the paper alone, of a kiosk that was lost: the préfecture reads the rest first.
    PaperAlone,
}

/// A cancellation by the person's own telephone or mail: the date holds until it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAsked {
    pub word: WordId,
    pub channel: Channel,
    pub at: Timestamp,
    /// When it is carried out, unless withdrawn.
    pub due: Timestamp,
}

/// A far date is asked about; who says nothing keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconfirm {
    /// The last civil day at the site on which it is asked.
    pub last: Date,
    /// They said that they will come.
    pub said: bool,
}
