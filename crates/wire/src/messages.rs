//! The bodies of requests and answers, one pair for each endpoint.

use crate::body::Said;
use crate::bytes::Bytes;
use crate::record::{Acknowledgement, Record};
pub use crate::transfer::{EarlierDate, Transferred};
pub use crate::word::{CancelAsked, Reconfirm, WordAnswer, WordRequest, WordState};
use domain::audit::SignedCheckpoint;
use domain::busy::PerHour;
use domain::bytes::{Hash, PublicKey, Signature};
use domain::code::FollowUpCode;
use domain::ids::{
    AnnulmentId, KioskId, LeaseId, MediatorId, OfferId, RegistrationId, SiteId, SlotId, WordId,
};
use domain::lease::Stratum;
use domain::registration::Registration;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// `POST /v1/enrol`. The only request that is not signed by an enrolled device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    pub code: String,
    pub key: PublicKey,
    /// The new key's signature over the code, under `jalon/enrolment/1`.
    pub proof: Signature,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolAnswer {
    pub kiosk: KioskId,
    pub site: Site,
    /// A device certificate in its fixed layout.
    pub certificate: Bytes,
    /// The key ring's JSON: root and certificates.
    pub ring: serde_json::Value,
    /// The age recipient that opens pieces (`age1…`).
    pub site_key: String,
    pub roster: SignedRoster,
    pub epoch: String,
    pub now: Timestamp,
}

/// `POST /v1/return`: a kiosk that a restored central does not know. Signed by the key the
/// certificate names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnRequest {
    /// The device certificate in its fixed layout, as enrolment gave it.
    pub certificate: Bytes,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnAnswer {
    pub kiosk: KioskId,
}

/// What papers and screens say of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    pub id: SiteId,
    pub name: String,
    /// Lines of the postal address.
    pub address: Vec<String>,
    pub phone: Option<String>,
    /// IANA time zone.
    pub zone: String,
    /// Registrations an hour before the desk looks; told where it is not the usual.
    #[serde(default, skip_serializing_if = "PerHour::is_usual")]
    pub per_hour: PerHour,
}

/// Who may unlock a kiosk of this site. Only forward: a lower version is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub site: SiteId,
    pub version: u64,
    pub mediators: Vec<RosterEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    pub id: MediatorId,
    pub name: String,
    /// Argon2id in PHC form over the PIN.
    pub pin: String,
    /// Opens drafts that other mediators began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supervisor: bool,
}

/// The roster's JSON and central's signature over those bytes, under `jalon/roster/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRoster {
    pub roster: Bytes,
    /// Key id in hexadecimal.
    pub key: String,
    pub signature: Signature,
}

/// What papers and kiosks of a site need to know of it. Only forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    pub version: u64,
    pub site: Site,
    /// The other sites of its département, at which a person may accept to be received.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearby: Vec<Site>,
}

/// Which list a [`SignedList`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// [`Configuration`], under `jalon/configuration/1`.
    Configuration,
    /// `domain::lists::IssuersList`, under `jalon/issuers/1`.
    Issuers,
    /// `domain::lists::PapersList`, under `jalon/papers/1`.
    Papers,
}

/// A list's JSON and central's signature over those bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedList {
    pub kind: ListKind,
    pub list: Bytes,
    /// Key id in hexadecimal.
    pub key: String,
    pub signature: Signature,
}

/// `POST /v1/registrations`, with `Idempotency-Key: <registration id>`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateRequest {
    pub registration: Registration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateAnswer {
    pub registration: RegistrationId,
    /// A signed slot token; none when the site has no capacity at all.
    pub token: Option<Bytes>,
    /// True when the date lies after the time limit: an escalation was written with it.
    pub after_limit: bool,
    /// True when no slot served the time limit and one was made beside the others: a kiosk whose lease
    /// has one in time gives that instead.
    #[serde(default, skip_serializing_if = "is_false")]
    pub extra: bool,
    /// What became of the paper the registration follows, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transferred>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// `POST /v1/follow-up`: what a person says of a paper no registration of this kiosk has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUpRequest {
    pub code: FollowUpCode,
    /// The birth date as said: only the year when no more is known.
    pub year: i16,
    #[serde(default)]
    pub month: Option<i8>,
    #[serde(default)]
    pub day: Option<i8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUpAnswer {
    /// None for a wrong code and for a wrong birth date alike.
    pub found: Option<Followed>,
}

/// What central tells of a registration to whoever has its paper. Nothing of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// Civil start of the appointment; none while there is none.
    pub at: Option<DateTime>,
    /// The site's name.
    pub site: String,
    /// IANA time zone of the site.
    pub zone: String,
    /// The language of the paper.
    pub lang: String,
    /// The person gave the appointment up: no date is theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// The last civil day on which they may take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// A cancellation that came by their own telephone or mail, and is not carried out yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<CancelAsked>,
    /// Their far date is asked about today: will they come?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconfirm: Option<Reconfirm>,
    /// An earlier date they may have instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offered>,
}

/// An earlier date that is kept for somebody until they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    pub offer: OfferId,
    /// Civil start of the appointment offered.
    pub at: DateTime,
    /// The last civil day at the site on which it may be answered.
    pub until: Date,
}

/// `POST /v1/offers`: a person's answer to an offer, at any kiosk. The paper's code and the birth
/// date say whose it is, as in [`FollowUpRequest`]. Idempotent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferRequest {
    pub code: FollowUpCode,
    pub year: i16,
    #[serde(default)]
    pub month: Option<i8>,
    #[serde(default)]
    pub day: Option<i8>,
    pub offer: OfferId,
    pub accept: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferAnswer {
    /// None for a wrong code, a wrong birth date and an offer that is another's alike.
    pub state: Option<OfferState>,
    /// The person's appointment now.
    pub at: Option<DateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferState {
    /// The date offered is theirs, and the one before is not any more.
    Accepted,
    Declined,
    /// Answered too late, or taken back: the date before stands.
    Over,
}

/// `POST /v1/journal`: records of one chain, in order. Idempotent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushRequest {
    pub records: Vec<Record>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PushAnswer {
    pub epoch: String,
    /// What central holds of this kiosk's chain, signed; none when it holds nothing.
    pub received: Option<Acknowledgement>,
    /// As in [`ChangesAnswer`]; a push always answers none.
    pub durable: Option<Acknowledgement>,
}

/// `GET /v1/changes?cursor=N&mark=M&roster=V&head=H&configuration=V&issuers=V&papers=V&ring=N&checkpoint=H&cosigned=S`:
/// after this cursor; the roster and the lists if newer than V; the key ring if it has more
/// than N certificates; what is held of the chain on which the kiosk's record of hash H stands.
/// A list is told only to a kiosk that names its version; a checkpoint only to one that names the
/// head of the one it was shown last, zeros for none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangesAnswer {
    pub epoch: String,
    pub received: Option<Acknowledgement>,
    /// What of that chain is on other storage too, signed under `jalon/durable/1`; none until
    /// a verified backup holds some of it.
    pub durable: Option<Acknowledgement>,
    /// Ask from here next time.
    pub cursor: u64,
    /// And name this mark with it.
    #[serde(default)]
    pub mark: String,
    /// True when there is more to pull at once.
    pub more: bool,
    pub changes: Vec<Told>,
    /// The roster of mediators, when the kiosk named an older version.
    #[serde(default)]
    pub roster: Option<SignedRoster>,
    /// Lists newer than the versions the kiosk named.
    #[serde(default, deserialize_with = "known_lists")]
    pub lists: Vec<SignedList>,
    /// The key ring's JSON, when central's has more certificates than the kiosk named.
    #[serde(default)]
    pub ring: Option<serde_json::Value>,
    /// How far central's audit journal goes, when the kiosk named another checkpoint than this.
    #[serde(default)]
    pub checkpoint: Option<SignedCheckpoint>,
    /// This kiosk is taken out of service: it is lent nothing more. Its papers stay good.
    #[serde(default)]
    pub retired: bool,
    /// Two machines have written as this kiosk: it is lent nothing until an agent has looked.
    #[serde(default)]
    pub quarantined: bool,
    pub now: Timestamp,
}

/// The lists this version knows; one of a later version is passed over.
fn known_lists<'de, D: Deserializer<'de>>(lists: D) -> Result<Vec<SignedList>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum One {
        Known(SignedList),
        Later(IgnoredAny),
    }
    let all = Vec::<One>::deserialize(lists)?;
    let known = |one| match one {
        One::Known(list) => Some(list),
        One::Later(IgnoredAny) => None,
    };
    Ok(all.into_iter().filter_map(known).collect())
}

/// A change as it arrives: one that this version cannot read holds up none of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Told {
    Known(Change),
    Later(Later),
}

/// A change of a kind, or with a content, that came with a later version. Only its kind is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    pub change: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// What became of a record of this kiosk. `hash` is of its header: another machine of
    /// the same vault has another record at this place.
    Result { incarnation: u32, seq: u64, hash: Hash, result: Applied },
    /// Slots lent to this incarnation of the kiosk; to any other they are not.
    Lease { lease: LeaseId, incarnation: u32, slots: Vec<LentSlot> },
    /// The site's calendar no longer has these slots of a lease: they are given to nobody more,
    /// and given back.
    Withdrawn { lease: LeaseId, slots: Vec<SlotId> },
    /// The desk has answered a registration's request for an earlier date, made at `asked`.
    Answered { registration: RegistrationId, asked: Timestamp, answer: String, at: Timestamp },
    /// A ranked registration of this kiosk has its date.
    Dated { registration: RegistrationId, token: Bytes },
    /// A registration of this kiosk has another date than the one at `from`: the hour on its
    /// paper, not its slot, for two papers that name one slot have two at that hour. `because` is
    /// a stable word: a task's reason where the site's calendar no longer has that hour (`closed`,
    /// `not_served`), or `offer_accepted`, `reinstated`, `missed`, `annulment_undone`.
    Moved { registration: RegistrationId, from: DateTime, token: Bytes, because: String },
    /// An earlier date is kept for a registration of this kiosk until its person answers.
    Offered { registration: RegistrationId, offer: Offered },
    /// That offer was answered, or is over.
    OfferEnded { registration: RegistrationId, offer: OfferId },
    /// A registration of this kiosk has no date any more since `at`, by no act of the person: their
    /// place waits as after a cancellation. `because` is a stable word: `missed` (nobody came, twice),
    /// `cancelled` (asked by their own telephone or mail, and not withdrawn in a day), `transferred`
    /// (they keep the appointment of the registration that follows this one) or `received` (they were
    /// received with another of that line); `site` is the name of that one's site then.
    Ended {
        registration: RegistrationId,
        at: Timestamp,
        because: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<String>,
    },
    /// What became of the paper a registration of this kiosk follows is other than it was told before.
    Transfer { registration: RegistrationId, transfer: Transferred },
    /// An agent means to annul the appointment of a registration of this kiosk. The date holds
    /// meanwhile. The person is told, and handed the reasons on paper; no screen shows those.
    AnnulmentProposed {
        registration: RegistrationId,
        annulment: AnnulmentId,
        /// The last day for their answer; later for whoever is told late.
        answer_by: Date,
        reasons: String,
    },
    /// The appointment is annulled since `at`: no paper of it is good, and the person cannot take it
    /// up again; an agent can undo it.
    Annulled { registration: RegistrationId, annulment: AnnulmentId, at: Timestamp },
    /// That proposal is over: the appointment stays as it was, or is theirs again, and then a date
    /// follows.
    AnnulmentOver { registration: RegistrationId, annulment: AnnulmentId, date_follows: bool },
    /// Somebody registered here said this at another kiosk, and it is done. Where they took a
    /// cancellation back the date follows, as after a `reinstatement` of this kiosk.
    Word { said: Said },
    /// Somebody registered here, or whoever has their telephone or mail, cancels by it: a mediator warns
    /// them, and what they say at a counter withdraws it.
    CancelAsked { registration: RegistrationId, asked: CancelAsked },
    /// That request is over, and was not carried out.
    CancelWithdrawn { registration: RegistrationId, word: WordId },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Applied {
    Applied,
    /// Kept, not applied; a person looks. `reason` is a stable word.
    SetAside {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LentSlot {
    pub slot: SlotId,
    pub at: DateTime,
    pub stratum: Stratum,
    /// The keys of the procedures it serves; all when absent. Lent only to a kiosk that asked
    /// for its lease with `?procedures=1`: any other gives a slot to anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedures: Option<Vec<String>>,
    /// The day from which the kiosk gives it back if nobody has been given it; none: it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Date>,
    /// The signed slot token.
    pub token: Bytes,
}

/// `POST /v1/lease`: asks central to fill this kiosk's lease. The slots arrive by pull.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRequest {
    /// The kiosk's trusted civil day; central never lends a slot before it.
    pub today: Date,
    /// The kiosk's incarnation: slots are lent to it alone.
    pub incarnation: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeaseAnswer {
    /// Slots newly lent.
    pub lent: u32,
}

/// The metadata of a tus upload (`POST /v1/pieces`), as `Upload-Metadata` carries it:
/// keys `registration`, `page`, `sha256`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceMetadata {
    pub registration: RegistrationId,
    pub page: domain::ids::PageId,
    pub sha256: Hash,
}

/// `GET /v1/deliveries/{sha256}`: what became of an export file a kiosk carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAnswer {
    pub state: DeliveryState,
    /// Why it was refused.
    #[serde(default)]
    pub code: Option<String>,
    pub records: Counted,
    pub pages: Counted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Not whole yet.
    Uploading,
    /// Whole; central reads it. Ask again.
    Reading,
    Done,
    /// Nothing of it was stored.
    Refused,
}

/// How many were new to central, held already, refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub received: u32,
    pub known: u32,
    pub refused: u32,
}

impl DeliveryAnswer {
    #[must_use]
    pub fn still(state: DeliveryState) -> Self {
        Self { state, code: None, records: Counted::default(), pages: Counted::default() }
    }

    #[must_use]
    pub fn refused(code: &str) -> Self {
        Self { code: Some(code.to_owned()), ..Self::still(DeliveryState::Refused) }
    }
}
