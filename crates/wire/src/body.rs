//! What a record says. JSON, schema 1; the author's bytes are kept as they are.

use crate::bytes::Bytes;
use domain::busy::Busy;
use domain::bytes::Hash;
use domain::code::FollowUpCode;
use domain::correction::Details;
use domain::ids::{
    AnnulmentId, AttemptId, KioskId, LeaseId, MediatorId, PageId, RegistrationId, SlotId, WordId,
};
use domain::limit::TimeLimit;
use domain::registration::Registration;
use domain::word::Word;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// The version of every body below. Raised with any change to one, an added field too: central applies
/// no body it might half understand.
pub const SCHEMA: u16 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// A person registered, with the date the paper carries.
    Registration(Box<Registered>),
    /// A ranked person's date has taken their receipt's place at this kiosk.
    Dated(Dated),
    /// The first record of a new incarnation.
    Incarnation(Begun),
    /// The pages scanned for a registration, complete and in order.
    Piece(Piece),
    /// An attempt to print, or what became of it.
    Print(Print),
    /// Leased slots the kiosk gives back.
    Release(Release),
    /// A paper another kiosk made, shown at this counter: what that kiosk may never have
    /// sent. Its seal says who made it; this record only delivers it.
    Paper(Paper),
    /// The person asks for an earlier date than the one on their paper.
    AdvanceRequest(AdvanceRequest),
    /// The person gives their appointment up.
    Cancellation(Cancellation),
    /// And takes that back, in time.
    Reinstatement(Reinstatement),
    /// A time limit learnt after the registration.
    Limit(LimitDeclared),
    /// A name, birth date or nationality that was mistyped, or the language of the paper.
    Correction(Correction),
    /// The person came to their appointment and showed their paper, whoever made it.
    Arrival(Arrival),
    /// The person was told that their appointment may be annulled, and has the reasons on paper.
    AnnulmentTold(AnnulmentTold),
    /// Of two appointments the person keeps this one, whose registration follows the other's paper.
    Transfer(Transfer),
    /// The person said something of their appointment, at this counter or, as central told, at another.
    Word(WordNoted),
}

impl Body {
    /// The header's kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Registration(_) => "registration",
            Self::Dated(_) => "dated",
            Self::Incarnation(_) => "incarnation",
            Self::Piece(_) => "piece",
            Self::Print(_) => "print",
            Self::Release(_) => "release",
            Self::Paper(_) => "paper",
            Self::AdvanceRequest(_) => "advance_request",
            Self::Cancellation(_) => "cancellation",
            Self::Reinstatement(_) => "reinstatement",
            Self::Limit(_) => "limit",
            Self::Correction(_) => "correction",
            Self::Arrival(_) => "arrival",
            Self::AnnulmentTold(_) => "annulment_told",
            Self::Transfer(_) => "transfer",
            Self::Word(_) => "word",
        }
    }

    /// Reads a body of the kind and schema its header names. None: of a later version, or no such
    /// body; it is stored and acknowledged all the same, and waits.
    #[must_use]
    pub fn read(kind: &str, schema: u16, bytes: &[u8]) -> Option<Self> {
        let body: Self = (schema == SCHEMA).then(|| serde_json::from_slice(bytes).ok()).flatten()?;
        (body.kind() == kind).then_some(body)
    }

    #[must_use]
    pub fn registration(&self) -> Option<RegistrationId> {
        match self {
            Self::Registration(registered) => Some(registered.registration.id),
            Self::Dated(dated) => Some(dated.registration),
            Self::Piece(piece) => Some(piece.registration),
            Self::Print(print) => Some(print.registration),
            Self::AdvanceRequest(request) => Some(request.registration),
            Self::Cancellation(cancellation) => Some(cancellation.registration),
            Self::Reinstatement(reinstatement) => Some(reinstatement.registration),
            Self::Limit(declared) => Some(declared.registration),
            Self::Correction(correction) => Some(correction.registration),
            Self::Arrival(arrival) => Some(arrival.registration),
            Self::AnnulmentTold(told) => Some(told.registration),
            Self::Transfer(transfer) => Some(transfer.registration),
            Self::Word(noted) => Some(noted.said.registration),
            Self::Release(_) | Self::Incarnation(_) | Self::Paper(_) => None,
        }
    }
}

/// Every kind there is a body for.
pub const KINDS: [&str; 16] = [
    "registration",
    "dated",
    "incarnation",
    "piece",
    "print",
    "release",
    "paper",
    "advance_request",
    "cancellation",
    "reinstatement",
    "limit",
    "correction",
    "arrival",
    "annulment_told",
    "transfer",
    "word",
];

/// Known by the seal of the paper alone: the registration may be another kiosk's that has not sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    pub registration: RegistrationId,
    pub slot: SlotId,
    /// The civil hour on the paper.
    pub appointment: DateTime,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// The mediator says that the printed notice is in the person's hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnulmentTold {
    pub registration: RegistrationId,
    pub annulment: AnnulmentId,
    /// The last day for an answer, as the notice has it.
    pub until: Date,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// The registration that stays; the one it follows is over from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    pub registration: RegistrationId,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// The kiosk where the person stood writes what they said, and so does the one that made their paper
/// when it hears of it: a central restored to before it learns it from either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordNoted {
    pub said: Said,
    /// When this kiosk wrote it down.
    pub at: Timestamp,
}

/// What a person said of their appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub id: WordId,
    pub registration: RegistrationId,
    /// The code on the paper: whoever says it has seen one.
    pub code: FollowUpCode,
    pub says: Word,
    /// The civil hour it was said of; none while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<DateTime>,
    /// Where the person stood.
    pub kiosk: KioskId,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// One touch at the counter: nothing is typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvanceRequest {
    pub registration: RegistrationId,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// The person is at the counter with their paper. Their registration time is kept for
/// `domain::offer::UNDO_DAYS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    pub registration: RegistrationId,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// Within those days: the registration has its place again, and is given a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reinstatement {
    pub registration: RegistrationId,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// A time limit, declared with its evidence by somebody who has a place already: it takes the place
/// of the one told before. The registration time stays, so the place is that of whoever registered
/// then with a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitDeclared {
    pub registration: RegistrationId,
    pub limit: TimeLimit,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// What the person is known by from now on, whole: `domain::correction` judges it by all that stood
/// before. The place, its date and its slot are not touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub registration: RegistrationId,
    pub details: Details,
    /// BCP 47 code of the language of the paper.
    pub lang: String,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// What central gave, kept: a central restored to before that learns it again from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    pub registration: RegistrationId,
    /// A signed slot token.
    pub token: Bytes,
    pub at: Timestamp,
}

/// Why a journal goes on in a new incarnation: what the one before was lent is not given
/// any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// `disk_older`, `quarantined` or `vault_set_aside`.
    pub because: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    pub registration: Registration,
    pub outcome: Outcome,
    /// When the date was kept.
    pub at: Timestamp,
    /// The kiosk's clock was behind and central out of reach: the day of `at` is what the
    /// mediator said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub day_declared: bool,
}

/// Where the date on the paper comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Outcome {
    /// Central gave it in time. `token` is a signed slot token.
    Online { token: Bytes },
    /// The kiosk took it from its lease.
    Lease { lease: LeaseId, token: Bytes },
    /// No slot was left for a date: a rank, and central gives the date.
    Rank {
        /// The backstop held for the person: received then at the latest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Held>,
        /// When central said that no date exists and wrote the escalation; none when it
        /// was out of reach, and the record itself tells it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<Timestamp>,
        /// The hour was full: the date waits until the desk looked. None on any other day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        busy: Option<Busy>,
    },
}

/// A slot a ranked receipt holds. It stays lent to the kiosk until the kiosk releases it,
/// which it does once a paper with an earlier date is out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub lease: LeaseId,
    /// A signed slot token.
    pub token: Bytes,
}

impl Outcome {
    /// The signed slot token of the date given, if one was.
    #[must_use]
    pub fn token(&self) -> Option<&[u8]> {
        match self {
            Self::Online { token } | Self::Lease { token, .. } => Some(&token.0),
            Self::Rank { .. } => None,
        }
    }

    /// The slot a ranked receipt holds.
    #[must_use]
    pub fn held(&self) -> Option<&Held> {
        match self {
            Self::Rank { held, .. } => held.as_ref(),
            Self::Online { .. } | Self::Lease { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub registration: RegistrationId,
    pub pages: Vec<Page>,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

/// One page of a piece. The hash is of the locked bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub page: PageId,
    pub number: u16,
    /// Degrees clockwise to show it upright: 0, 90, 180 or 270.
    pub rotation: u16,
    pub bytes: u64,
    pub sha256: Hash,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    pub registration: RegistrationId,
    pub attempt: AttemptId,
    pub state: PrintOutcome,
    pub sha256: Hash,
    pub mediator: MediatorId,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrintOutcome {
    /// Written before the first byte goes out.
    Attempted,
    /// The printer said the job is complete.
    Printed,
    /// The job ended without paper and was cancelled.
    Failed,
    /// After a crash the mediator said the paper had come out.
    SaidPrinted,
    /// After a crash the mediator said no paper had come out.
    SaidNotPrinted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub lease: LeaseId,
    pub slots: Vec<SlotId>,
    pub at: Timestamp,
}

/// The two codes of a paper, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    pub door: Bytes,
    /// None when it could not be read: the date is saved, the rest is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Bytes>,
    /// Who had it in hand at this counter.
    pub mediator: MediatorId,
    pub at: Timestamp,
}
