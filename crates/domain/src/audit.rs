//! Central's audit journal: who did what, about whom, as a chain of headers with bodies beside
//! them. Names no applicant and holds no code a person has. Hashes and signatures are `seal`'s.

use crate::bytes::{Hash, Signature};
use crate::ids::KioskId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name of an agent, in characters.
pub const AGENT_MAX: usize = 100;
/// Fewest days an entry is kept whole: the CNIL's recommendation on logs asks for six months to a
/// year (délibération 2021-122 du 14 octobre 2021).
pub const LEAST_DAYS: i64 = 180;
/// An entry that was chained so much later than it says it was made is counted as late.
pub const LATE_MS: i64 = 15 * 60 * 1_000;

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Kiosk(KioskId),
    /// An agent, by the name given to `central admin`.
    Agent(String),
    /// An administrator who gave no name.
    Administrator,
    /// Central by itself.
    Central,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kiosk(kiosk) => write!(f, "kiosk:{kiosk}"),
            Self::Agent(name) => write!(f, "agent:{name}"),
            Self::Administrator => f.write_str("administrator"),
            Self::Central => f.write_str("central"),
        }
    }
}

/// Names each act once, in the word the journal has for it.
macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $key:literal,)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Act {
            $($(#[$doc])* $name,)*
        }

        impl Act {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            #[must_use]
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)*
                }
            }
        }
    };
}

acts! {
    /// A key became a kiosk of a site.
    KioskEnrolled = "kiosk_enrolled",
    /// A kiosk this database did not know came back.
    KioskReturned = "kiosk_returned",
    /// A kiosk asked for a date.
    RegistrationWritten = "registration_written",
    /// A kiosk pushed records; `count` of them.
    RecordsPushed = "records_pushed",
    /// A kiosk was told dates or answers of its own registrations; `count` of them.
    ChangesRead = "changes_read",
    /// The date behind a follow-up code was told.
    FollowUpRead = "follow_up_read",
    /// A follow-up code or a birth date was wrong.
    FollowUpMissed = "follow_up_missed",
    /// A person's answer to the offer of an earlier date was written.
    OfferAnswered = "offer_answered",
    /// A person gave their appointment up at another kiosk than the one that made their paper.
    CancelledElsewhere = "cancelled_elsewhere",
    /// And took that back there.
    TakenBackElsewhere = "taken_back_elsewhere",
    /// A person said at a kiosk that they will come.
    ComingSaid = "coming_said",
    /// A kiosk began to send a locked page.
    PieceBegun = "piece_begun",
    /// A locked page was read: by its kiosk, or written to a folder for agents.
    PieceRead = "piece_read",
    /// A kiosk brought another's export file.
    DeliveryTaken = "delivery_taken",
    /// An administrator took a kiosk's export file.
    Import = "import",
    SiteAdded = "site_added",
    SiteChanged = "site_changed",
    SiteClosed = "site_closed",
    /// Hours, openings, a closure taken back, a site's last day.
    CalendarChanged = "calendar_changed",
    CounterAdded = "counter_added",
    CodeMade = "code_made",
    MediatorSet = "mediator_set",
    MediatorRemoved = "mediator_removed",
    KioskReleased = "kiosk_released",
    KioskLost = "kiosk_lost",
    KioskRetired = "kiosk_retired",
    KeyRetired = "key_retired",
    LeaseLogAccepted = "lease_log_accepted",
    DurableSaid = "durable_said",
    RegistrationsRead = "registrations_read",
    LinksRead = "links_read",
    PapersRead = "papers_read",
    PapersOpened = "papers_opened",
    TasksRead = "tasks_read",
    TaskAnswered = "task_answered",
    /// A question that came in was written down as a task.
    QuestionAsked = "question_asked",
    /// An agent of a site's desk got a key, or it was ended.
    AgentAdded = "agent_added",
    AgentEnded = "agent_ended",
    AgentsRead = "agents_read",
    /// The names of a site's mediators were shown; `count` of them.
    MediatorsRead = "mediators_read",
    /// A site's signed lists were written to a file: marks of papers, no names.
    ListsRead = "lists_read",
    /// A site's queue was published: `count` places, as marks.
    QueueRead = "queue_read",
    /// An administrator said that the dates outside a site's calendar are to be moved; `count` of them.
    RedatingSaid = "redating_said",
    /// A person was given another date because the calendar no longer has theirs.
    Redated = "redated",
    /// Whose date was moved, and how they are reached.
    RedatedRead = "redated_read",
    /// Who did not come to their appointment was shown, and how they are reached; `count` of them.
    NoShowsRead = "no_shows_read",
    /// An agent said of a site's day who did not come; `count` of them.
    NoShowSaid = "no_show_said",
    /// An agent said of a person that they came, though no kiosk does; a mark of their absence is undone.
    CameSaid = "came_said",
    /// An agent wrote down that a person cancels by their own telephone or mail.
    CancelAsked = "cancel_asked",
    /// And took that back for them.
    CancelWithdrawn = "cancel_withdrawn",
    /// Whose far date is not confirmed was shown, and how they are reached; `count` of them.
    UnconfirmedRead = "unconfirmed_read",
    /// An agent proposed to annul an appointment for fraud.
    AnnulmentProposed = "annulment_proposed",
    /// A kiosk said that the person was told of the proposal.
    AnnulmentTold = "annulment_told",
    /// An agent wrote the person's answer down, or that none came in time.
    AnnulmentHeard = "annulment_heard",
    /// Another agent decided that the appointment stays.
    AnnulmentRefused = "annulment_refused",
    /// Another agent decided that the appointment is annulled.
    AnnulmentDecided = "annulment_decided",
    /// An agent undid an annulment.
    AnnulmentUndone = "annulment_undone",
    /// A proposal or its state was shown, with its reasons.
    AnnulmentRead = "annulment_read",
    /// What was kept of one person was erased.
    Erased = "erased",
    /// The audit journal itself was written to a file.
    AuditExported = "audit_exported",
    /// Bodies of the audit journal were erased; `count` of them.
    AuditErased = "audit_erased",
}

/// The body of an entry, as JSON. Words are text: a verifier reads a later version's too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `kiosk:` and its id, `agent:` and a name, `administrator` or `central`.
    pub who: String,
    /// An [`Act`]'s key.
    pub act: String,
    /// A registration, site, kiosk, mediator, task or key id; none when the act is about no one thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How many, where one entry stands for several.
    pub count: u32,
    /// When it was done, by the database's clock.
    pub said: Timestamp,
}

/// What is chained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHeader {
    /// From 1, without a gap.
    pub n: u64,
    /// When it was chained, to the millisecond; never before the one before it.
    pub at: Timestamp,
    /// Hash of the header before; zeros for the first.
    pub prev: Hash,
    /// SHA-256 of salt and body.
    pub body_hash: Hash,
}

impl AuditHeader {
    /// `n u64 · at i64 (Unix milliseconds) · prev 32 · body_hash 32`, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 80] {
        let mut out = [0; 80];
        let parts: [&[u8]; 4] =
            [&self.n.to_be_bytes(), &self.at.as_millisecond().to_be_bytes(), &self.prev.0, &self.body_hash.0];
        for (to, from) in out.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        out
    }
}

/// So many entries, ending in this one, at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub size: u64,
    /// Hash of the last header; zeros when there is none.
    pub head: Hash,
    /// To the millisecond.
    pub at: Timestamp,
}

impl Checkpoint {
    /// What central signs under `jalon/checkpoint/1` and a kiosk under `jalon/cosignature/1`:
    /// `size u64 · head 32 · at i64 (Unix milliseconds)`, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 48] {
        let mut out = [0; 48];
        let parts: [&[u8]; 3] =
            [&self.size.to_be_bytes(), &self.head.0, &self.at.as_millisecond().to_be_bytes()];
        for (to, from) in out.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        out
    }

    /// May this one be shown after that one? Neither size nor time goes back, and one size has
    /// one head.
    #[must_use]
    pub fn may_follow(&self, before: &Self) -> bool {
        self.size >= before.size
            && self.at.as_millisecond() >= before.at.as_millisecond()
            && (self.size != before.size || self.head == before.head)
    }
}

/// A checkpoint and central's signature over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    #[serde(flatten)]
    pub checkpoint: Checkpoint,
    /// Id of the acknowledgement key in hexadecimal.
    pub key: String,
    pub signature: Signature,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_act_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = Act::ALL.iter().map(|act| act.key()).collect();
        assert_eq!(words.len(), Act::ALL.len());
        assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }

    #[test]
    fn a_checkpoint_only_goes_forward() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let one = |size, head, ms| Checkpoint { size, head: Hash([head; 32]), at: at(ms) };
        let before = one(5, 1, 1_000);
        assert!(one(5, 1, 1_000).may_follow(&before));
        assert!(one(6, 2, 1_000).may_follow(&before));
        for back in [one(4, 1, 2_000), one(5, 2, 2_000), one(6, 2, 999)] {
            assert!(!back.may_follow(&before), "{back:?}");
        }
    }

    #[test]
    fn the_layouts_are_what_they_were() {
        let header = AuditHeader {
            n: 1,
            at: Timestamp::from_millisecond(2).unwrap(),
            prev: Hash([3; 32]),
            body_hash: Hash([4; 32]),
        };
        let bytes = header.to_bytes();
        assert_eq!((bytes[7], bytes[15], bytes[16], bytes[79]), (1, 2, 3, 4));
        let checkpoint = Checkpoint { size: 1, head: Hash([3; 32]), at: header.at };
        let bytes = checkpoint.to_bytes();
        assert_eq!((bytes[7], bytes[8], bytes[39], bytes[47]), (1, 3, 3, 2));
    }
}
