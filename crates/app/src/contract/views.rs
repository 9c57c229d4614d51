//! What each screen shows. Dates and times are civil strings (`YYYY-MM-DD`,
//! `YYYY-MM-DDThh:mm`) of the site's zone; the window never computes with them.

use super::draft::{DetailFields, DraftFields, FieldProblem};
use super::transfer::TransferView;
use super::word::{CancelAskedView, ReconfirmView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the window needs before anybody has unlocked.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Boot {
    pub site_name: String,
    /// Names of the other sites of the département; none: nobody is asked whether any would do.
    pub nearby: Vec<String>,
    pub mediators: Vec<MediatorView>,
    pub languages: Vec<LanguageView>,
    /// Procedure keys; names stand in ui.ftl as `procedure-<key with dashes>`.
    pub procedures: Vec<String>,
    pub limits: Vec<LimitChoice>,
    /// Nationality codes (ISO 3166-1 alpha-3); names by `Intl.DisplayNames`.
    pub nationalities: Vec<String>,
    pub session: Option<SessionView>,
    /// Seconds without a touch before the person's traces are cleared.
    pub idle_s: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MediatorView {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LanguageView {
    pub code: String,
    /// The language's name in itself.
    pub name: String,
    /// `ltr` or `rtl`.
    pub dir: String,
    /// True when screens exist in this language; all have paper.
    pub screens: bool,
}

/// A right that may lapse; its name stands in ui.ftl as `limit-<key with dashes>`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LimitChoice {
    pub key: String,
    /// True when a court may give the limit as a number of days.
    pub in_days: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SessionView {
    pub mediator: MediatorView,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    Online,
    Offline,
    /// Central answers but refuses this kiosk; the problem says why.
    Refused,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct HomeView {
    pub connection: Connection,
    /// Civil date-time of the last answer from central, in the site's zone.
    pub last_contact: Option<String>,
    /// The clock is behind and central out of reach: the mediator is asked what day it is,
    /// which is not before this one. No visit begins until then.
    pub today_from: Option<String>,
    pub lease: LeaseView,
    /// Records not yet acknowledged by central.
    pub waiting: u32,
    /// Records acknowledged but not yet applied.
    pub held: u32,
    /// Records central has set aside; a person must look.
    pub set_aside: u32,
    /// What has happened to this kiosk or to central lately that a mediator should know:
    /// `quarantined`, `disk_older`, `central_forgot`, `central_newer`,
    /// `central_audit_back`, `vault_set_aside`, `dated_too_late`, `date_moved`, `date_earlier`, `date_missed`, `place_ended`,
    /// `place_given_up`, `place_transferred`, `place_annulled`, `annulment_undone`, `retired`, `kiosk_lost`,
    /// `central_other`, `storage_low`, `storage_full`; sentences are `notice-<code>` in ui.ftl.
    pub notices: Vec<String>,
    /// Visits that were begun and not finished, latest first.
    pub unfinished: Vec<UnfinishedView>,
    /// People who are to be told of an earlier date, that their appointment may be annulled, or that a
    /// new paper waits for them, the first to answer at the top.
    pub to_tell: Vec<ToTellView>,
}

/// What somebody is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ToTellKind {
    /// An earlier date is kept for them.
    Offer,
    /// The préfecture means to annul their appointment.
    Annulment,
    /// The registration time on their paper is another since it was printed: a new paper is due.
    Transfer,
    /// A cancellation came by their telephone or mail: is it theirs?
    CancelAsked,
    /// Their far date is asked about: will they come?
    Reconfirm,
}

/// Somebody registered here who is to be told something. Shown to a mediator only.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ToTellView {
    pub kind: ToTellKind,
    /// `date` tells the rest.
    pub visit: String,
    /// The language of their paper.
    pub lang: String,
    /// Name as printed.
    pub name: String,
    /// The telephone number they left.
    pub phone: Option<String>,
    /// The earlier date, or the appointment it is about, `YYYY-MM-DDThh:mm`.
    pub slot_at: String,
    /// The last day to answer, `YYYY-MM-DD`.
    pub until: String,
}

/// Firm dates this kiosk may give without the network.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LeaseView {
    pub free: u32,
    pub used: u32,
    pub first_day: Option<String>,
    pub last_day: Option<String>,
}

/// A draft to take up again, or a kept date whose paper is not out.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UnfinishedView {
    /// The visit to open with `open_visit`.
    pub visit: String,
    /// `draft`, `kept` (no paper is out), `printed` (to be finished) or `ask` (was it printed?).
    pub state: String,
    /// The follow-up code, once there is a date.
    pub code: Option<String>,
    /// Name as typed; shown to a mediator only, and empty when `begun_by` is set.
    pub name: String,
    /// The mediator who began a draft that whoever is at the counter may not open.
    pub begun_by: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DraftView {
    pub visit: String,
    pub fields: DraftFields,
    pub problems: Vec<FieldProblem>,
    pub pages: Vec<PageView>,
    /// True once the vault holds exactly these fields.
    pub saved: bool,
    /// The follow-up code when this visit already has its date.
    pub code: Option<String>,
    /// Where today stands to the filing period of the renewal, when the permit's end can be read.
    pub renewal: Option<RenewalView>,
    /// Who unlocked beside the mediator for what the draft says now; by their name.
    pub second: Option<String>,
}

/// Where today stands to the days on which a renewal is filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RenewalView {
    pub standing: RenewalStanding,
    /// `YYYY-MM-DD`: when filing opens, the last day of it, or the day it ended on.
    pub day: String,
    /// The regime is not known: both days are counted with care, and are perhaps not the permit's.
    pub uncertain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RenewalStanding {
    /// No date before filing opens.
    TooEarly,
    /// Too early, and a time limit ends before filing opens: the limit decides.
    LimitFirst,
    InTime,
    /// A date is given all the same.
    Late,
}

/// One scanned page. The picture is small and only for the eye; the page itself is
/// already locked.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PageView {
    pub id: String,
    pub number: u32,
    /// `data:image/jpeg;base64,…`, at most 240 px wide.
    pub thumbnail: String,
}

/// What is read back to the person, in their language, before it is kept.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReadBackView {
    pub lang: String,
    pub lines: Vec<ReadBackLine>,
    pub problems: Vec<FieldProblem>,
}

/// `key` is a message of ui.ftl (`readback-<key>`); `value` is shown as it is.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReadBackLine {
    pub key: String,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DateSource {
    /// Central gave it, now.
    Online,
    /// This kiosk took it from its lease.
    Lease,
    /// No slot was left: a rank, with a slot held as the latest day if one was left.
    Rank,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PaperKind {
    Convocation,
    Receipt,
}

/// What a person leaves with.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DateView {
    pub visit: String,
    pub code: String,
    pub kind: PaperKind,
    pub source: DateSource,
    /// `YYYY-MM-DDThh:mm`, or none for a ranked receipt.
    pub slot_at: Option<String>,
    /// The slot a ranked receipt holds, `YYYY-MM-DDThh:mm`: received then at the latest.
    pub no_later_than: Option<String>,
    /// When central said that no date exists and told the préfecture, `YYYY-MM-DDThh:mm`.
    pub told: Option<String>,
    /// Many were registered here within the hour: the préfecture looks before the date is given.
    pub busy: bool,
    pub zone: String,
    /// The slot's id as text, or none for a ranked receipt.
    pub slot: Option<String>,
    pub site: String,
    /// The lines of that site's address, where it is another than this counter's.
    pub elsewhere: Option<Vec<String>>,
    /// What the person is known by, to be corrected.
    pub details: DetailFields,
    /// The last useful day of a time limit, when there is one.
    pub limit: Option<String>,
    /// True when the date lies after the last useful day.
    pub after_limit: bool,
    /// The letter the person takes beside the paper because of that.
    pub limit_letter: Option<LimitLetterView>,
    /// When the filing of a renewal opens, `YYYY-MM-DD`: why the date is not before.
    pub opens: Option<String>,
    /// When the others of the visit are received, `YYYY-MM-DDThh:mm`, as they were registered.
    pub beside: Vec<String>,
    /// True until central has it (an online date is central's own) or paper is out.
    pub only_here: bool,
    /// The door code's text, to copy when no printer works.
    pub code_large: String,
    /// The person's request for an earlier date, if they have made one.
    pub advance: Option<AdvanceView>,
    /// An earlier date they may have instead.
    pub offer: Option<OfferView>,
    /// They gave the appointment up, or it was annulled.
    pub cancelled: Option<CancelledView>,
    /// The préfecture means to annul it.
    pub annulment: Option<AnnulmentView>,
    /// The registration follows another site's.
    pub transfer: Option<TransferView>,
    /// A cancellation by their own telephone or mail that is not carried out yet.
    pub cancel_asked: Option<CancelAskedView>,
    /// Their far date is asked about today.
    pub reconfirm: Option<ReconfirmView>,
}

/// The letter of a time limit that no date serves. The limit's right stands on it nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LimitLetterView {
    /// When the préfecture was told, `YYYY-MM-DDThh:mm`; none while central's word is not here.
    pub told_at: Option<String>,
    /// A letter that says so came out of the printer here.
    pub printed: bool,
    /// When the person had it in hand, `YYYY-MM-DDThh:mm`.
    pub handed_at: Option<String>,
}

/// The préfecture means to annul the appointment, which holds meanwhile. The reasons stand on the
/// printed notice alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AnnulmentView {
    /// The last day for the person's answer, `YYYY-MM-DD`.
    pub until: String,
    /// A notice came out of the printer here.
    pub printed: bool,
    /// When the person had it in hand, `YYYY-MM-DDThh:mm`.
    pub told_at: Option<String>,
}

/// An earlier date that is kept for the person until they answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OfferView {
    pub offer: String,
    /// `YYYY-MM-DDThh:mm`.
    pub slot_at: String,
    /// The last day to answer, `YYYY-MM-DD`.
    pub until: String,
}

/// What became of an offer answered at another kiosk than the paper's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OfferAnswerView {
    pub accepted: bool,
    /// The appointment now, `YYYY-MM-DDThh:mm`.
    pub slot_at: Option<String>,
}

/// An appointment that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CancelledView {
    /// `YYYY-MM-DDThh:mm`.
    pub at: String,
    /// The last day to take it up again, `YYYY-MM-DD`; none once it is over.
    pub until: Option<String>,
    /// The person has asked for it back; central gives the date.
    pub returning: bool,
    /// By the préfecture's decision: it is not the person's to take up again.
    pub annulled: bool,
    /// The site at which the person keeps an appointment in its stead, or was received.
    pub elsewhere: Option<String>,
}

/// A request for an earlier date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AdvanceView {
    /// `YYYY-MM-DDThh:mm`.
    pub asked_at: String,
    pub state: AdvanceState,
    pub answered_at: Option<String>,
    /// The desk's own words.
    pub answer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AdvanceState {
    /// Kept, not sent yet.
    OnlyHere,
    /// Central has it; the desk has not answered.
    Received,
    Answered,
}

/// A registration a person came back with.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FollowUpView {
    /// The visit, when this kiosk made the paper: `date` tells the rest.
    pub visit: Option<String>,
    /// The language of its paper.
    pub lang: String,
    /// What central tells, when another kiosk made it.
    pub elsewhere: Option<ElsewhereView>,
}

/// A date given at another kiosk.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ElsewhereView {
    pub code: String,
    /// `YYYY-MM-DDThh:mm`; none while central has given none.
    pub slot_at: Option<String>,
    pub site: String,
    pub zone: String,
    /// The person gave the appointment up.
    pub cancelled: bool,
    /// The last day on which they may take it back, `YYYY-MM-DD`; none where they may not.
    pub until: Option<String>,
    /// A cancellation by their own telephone or mail that is not carried out yet.
    pub cancel_asked: Option<CancelAskedView>,
    /// Their far date is asked about today.
    pub reconfirm: Option<ReconfirmView>,
    /// An earlier date they may have instead.
    pub offer: Option<OfferView>,
}

/// A paper as its sealed codes say, read from a page or by a hand scanner.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ShownPaperView {
    /// As `jalonctl seal verify` says; `replaced` when this kiosk has made a newer one. Its
    /// sentence is `verdict-<verdict>` in ui.ftl.
    pub verdict: String,
    /// Why, as `jalonctl seal verify` says it; the sentence of `look` is `verdict-look-<reason>`.
    pub reason: String,
    /// The appointment that stands in this paper's place, `YYYY-MM-DDThh:mm`, when the verdict
    /// is `replaced` and central has listed it.
    pub replaced_by: Option<String>,
    /// What follows is told of a rightly sealed paper only.
    pub code: Option<String>,
    pub name: Option<String>,
    pub birth: Option<String>,
    pub kind: Option<PaperKind>,
    /// `YYYY-MM-DDThh:mm`; on a receipt the slot it holds.
    pub slot_at: Option<String>,
    /// The site's id.
    pub site: Option<String>,
    /// The visit and the paper's language, when this kiosk made it.
    pub visit: Option<String>,
    pub lang: Option<String>,
    /// The door code as text, for `arrive`: good here today, and the person was not yet noted as come.
    pub arrive: Option<String>,
    /// When this kiosk noted that they came, `YYYY-MM-DDThh:mm`.
    pub arrived_at: Option<String>,
    /// Both codes as text, for `bring_paper`; none when there is nothing to bring.
    pub door: Option<String>,
    pub rebuild: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PrintState {
    /// Nothing has gone to a printer yet.
    NotSent,
    /// All bytes are at the printer.
    Sent,
    /// The printer says the job is complete.
    Printed,
    /// The printer waits: no paper, jam, cover open. `problem` says which.
    Waiting,
    /// The job failed and was cancelled; it may be sent again.
    Failed,
    /// Nobody can tell whether paper came out: ask the mediator once.
    Ask,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PrintView {
    pub code: String,
    pub attempt: String,
    pub state: PrintState,
    pub job_id: Option<i32>,
    pub bytes: u32,
    pub sha256: String,
    pub problem: Option<super::Problem>,
    /// A person has said what came of it: they are not asked again.
    pub said: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Only on this kiosk.
    Waiting,
    /// Central holds it.
    Held,
    /// Central has applied it.
    Applied,
    /// Central could not apply it; the reason is in `problem`.
    SetAside,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OutboxItem {
    pub id: String,
    /// `registration`, `print`, `piece`, …; its name stands in ui.ftl as `record-<kind>`.
    pub kind: String,
    pub code: Option<String>,
    pub at: String,
    pub state: OutboxState,
    /// Tries since it was written.
    pub tries: u32,
    pub problem: Option<super::Problem>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OutboxView {
    pub connection: Connection,
    pub items: Vec<OutboxItem>,
    /// Why the last exchange with central failed, if it did.
    pub problem: Option<super::Problem>,
}
