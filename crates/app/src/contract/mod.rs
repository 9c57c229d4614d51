//! What the window and the core say to each other: the one list of commands and
//! the shapes they carry. Holds view models only, never a rule.
//!
//! Every command answers `Result<T, Problem>`. Shapes are exported to TypeScript by
//! [`export_typescript`]; `ui/src/generated` is never edited by hand.

mod closing;
mod draft;
mod transfer;
mod views;
mod word;

pub use closing::{
    AsideView, DeliveryView, EndOfDayView, ExportView, ExportedView, LeftView, MediumView, ReplacedView,
    StorageState, StorageView,
};
pub use draft::{
    BirthFields, BirthForm, ContactFields, CorrectionFields, DetailFields, DraftFields, FieldProblem,
    LimitFields, PartyFields, RenewalFields, RepresentativeFields,
};
pub use transfer::{TransferState, TransferView};
pub use views::{
    AdvanceState, AdvanceView, AnnulmentView, Boot, CancelledView, Connection, DateSource, DateView,
    DraftView, ElsewhereView, FollowUpView, HomeView, LanguageView, LeaseView, LimitChoice, LimitLetterView,
    MediatorView, OfferAnswerView, OfferView, OutboxItem, OutboxState, OutboxView, PageView, PaperKind,
    PrintState, PrintView, ReadBackLine, ReadBackView, RenewalStanding, RenewalView, SessionView,
    ShownPaperView, ToTellKind, ToTellView, UnfinishedView,
};
pub use word::{CancelAskedView, ReconfirmView, WordKind, WordView};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use ts_rs::TS;

/// A refusal or a failure as the window sees it: a code whose sentence stands in
/// `locales/<lang>/errors.ftl` under `error-<code with dashes>`, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Problem {
    pub code: String,
    pub args: BTreeMap<String, String>,
}

/// Every command of the window, in the order a visit meets them. The shell registers
/// exactly these, its capability file grants exactly these, and a test compares.
pub const COMMANDS: [&str; 46] = [
    "boot",
    "set_aside",
    "unlock",
    "lock",
    "home",
    "start_visit",
    "open_visit",
    "save_draft",
    "unlock_second",
    "discard_draft",
    "scan_page",
    "remove_page",
    "read_back",
    "confirm",
    "date",
    "print",
    "print_status",
    "answer_print",
    "finish_visit",
    "next_of_visit",
    "follow_up",
    "show_paper",
    "bring_paper",
    "arrive",
    "declare_today",
    "ask_earlier",
    "cancel",
    "reinstate",
    "declare_limit",
    "correct",
    "keep_transfer",
    "answer_offer",
    "answer_offer_elsewhere",
    "say_elsewhere",
    "say_coming",
    "print_notice",
    "hand_notice",
    "print_limit_letter",
    "hand_limit_letter",
    "reprint",
    "outbox",
    "sync_now",
    "end_of_day",
    "media",
    "export_to",
    "deliver_from",
];

/// Writes one TypeScript file per shape into `dir`.
///
/// # Errors
/// When a file cannot be written.
pub fn export_typescript(dir: &Path) -> Result<(), ts_rs::ExportError> {
    let config = ts_rs::Config::new().with_out_dir(dir).with_large_int("number");
    Boot::export_all(&config)?;
    SessionView::export_all(&config)?;
    HomeView::export_all(&config)?;
    DraftView::export_all(&config)?;
    DraftFields::export_all(&config)?;
    PageView::export_all(&config)?;
    ReadBackView::export_all(&config)?;
    DateView::export_all(&config)?;
    PrintView::export_all(&config)?;
    OutboxView::export_all(&config)?;
    EndOfDayView::export_all(&config)?;
    MediumView::export_all(&config)?;
    ExportView::export_all(&config)?;
    DeliveryView::export_all(&config)?;
    FollowUpView::export_all(&config)?;
    ShownPaperView::export_all(&config)?;
    OfferAnswerView::export_all(&config)?;
    WordView::export_all(&config)?;
    Problem::export_all(&config)
}

/// The sentence of a problem in a language with screens, for callers without a window.
#[must_use]
pub fn sentence(problem: &Problem, lang: &str) -> String {
    let lang = l10n::Lang::parse(lang).unwrap_or(l10n::Lang::FRENCH);
    let key = format!("error-{}", problem.code.replace('_', "-"));
    let args: Vec<(&str, &str)> = problem.args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    l10n::try_text(&lang, &key, &args)
        .unwrap_or_else(|| l10n::text(&lang, "error-unknown", &[("code", &problem.code)]))
}
