//! What the outbox screen shows beside its list: the end of the day, the disk, memory sticks.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// May this kiosk be switched off, and what to do first.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EndOfDayView {
    /// What to do first, in this order; none: it may be switched off. `papers`, `send`,
    /// `export`, `storage`; sentences are `first-<code>` in ui.ftl.
    pub first: Vec<String>,
    /// Registrations central has not received.
    pub only_here: u32,
    /// Records central has not received, those of registrations among them.
    pub records_waiting: u32,
    /// Pages central does not have whole.
    pub pages_waiting: u32,
    /// Dates whose paper nobody has taken yet, oldest last.
    pub papers: Vec<LeftView>,
    /// Papers handed over and replaced since, whose new one is in nobody's hands; the newest first.
    /// The person is to be told: it holds up nothing here.
    pub replaced: Vec<ReplacedView>,
    /// What was typed and not confirmed, oldest last.
    pub drafts: Vec<LeftView>,
    /// Records central has set aside; each stands in the outbox with its reason.
    pub set_aside: u32,
    pub storage: StorageView,
    /// The last export file, if one was written.
    pub exported: Option<ExportedView>,
    /// What central said last of this kiosk, when it is not taken as any other: `quarantined`,
    /// `retired`, `kiosk_lost`, `central_other`; sentences are `notice-<code>` in ui.ftl.
    pub standing: Option<String>,
    /// Vaults set aside that may hold records central has not received.
    pub vaults_set_aside: Vec<AsideView>,
}

/// A vault that did not open and was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AsideView {
    /// Its folder in the kiosk's own.
    pub folder: String,
    /// Records central had not received then; none when they could not be counted.
    pub unsent: Option<u32>,
}

/// Somebody with a paper that another one has replaced. Shown to a mediator only.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReplacedView {
    /// `date` tells the rest.
    pub visit: String,
    /// The language of their paper.
    pub lang: String,
    pub code: String,
    /// Name as printed.
    pub name: String,
    /// The telephone number they left.
    pub phone: Option<String>,
    /// When the new paper was made, `YYYY-MM-DDThh:mm`.
    pub since: String,
    /// Whole days since.
    pub days: u32,
}

/// A visit that was left open.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LeftView {
    /// The visit to open with `open_visit`.
    pub visit: String,
    /// As in `UnfinishedView`.
    pub state: String,
    pub code: Option<String>,
    /// Name as typed; shown to a mediator only.
    pub name: String,
    /// As in `UnfinishedView`.
    pub begun_by: Option<String>,
    /// `YYYY-MM-DDThh:mm`.
    pub since: String,
    /// Whole days since.
    pub days: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StorageState {
    Ok,
    /// Still room for visits; time to have room made.
    Low,
    /// No new registration begins; those begun can be finished.
    Full,
    /// The system does not tell.
    Unknown,
}

/// The disk the vault is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StorageView {
    pub state: StorageState,
    /// Mebibytes.
    pub free_mib: u32,
    pub total_mib: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExportedView {
    /// `YYYY-MM-DDThh:mm`.
    pub at: String,
    /// True when everything that waits now was in it.
    pub whole: bool,
}

/// A memory stick that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MediumView {
    /// Names it in `export_to` and `deliver_from`.
    pub id: String,
    /// Its label.
    pub name: String,
    pub free_mib: u32,
    /// Export files on it, newest name first.
    pub files: Vec<String>,
}

/// An export file that was written and read back.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExportView {
    pub medium: String,
    pub file: String,
    pub records: u32,
    pub pages: u32,
    /// Pages that did not fit.
    pub pages_left_out: u32,
}

/// What central made of another kiosk's export file.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeliveryView {
    pub file: String,
    /// Records and pages central did not have before.
    pub received: u32,
    /// What it had already.
    pub known: u32,
    /// What it refused; it kept the rest.
    pub refused: u32,
}
