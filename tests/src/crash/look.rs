//! Is everything that was said there? Opens the vault as the kiosk does and reads it by
//! its own public ways; changes nothing but what opening changes.

use super::ground::Ground;
use super::said::{Paper, Promise, Said, revision};
use super::victim::VAULT;
use app::contract::DraftFields;
use domain::bytes::PublicKey;
use domain::ids::VisitId;
use domain::token::SignedToken;
use jiff::civil::Date;
use seal::keys::sha256;
use std::collections::BTreeSet;
use std::path::Path;
use vault::{Tx, Vault, VaultFailure, VisitState};

/// The newest kept registrations, compared whole at every look.
const NEWEST: usize = 4;
/// Open visits of one vault, at most.
const OPEN: u32 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Opens; every kept registration is there, the newest are compared whole, and so is
    /// the visit at work.
    Newest,
    /// Also: every page of the file, every record of the chain, every paper, draft and
    /// slot.
    Whole,
}

/// What the vault holds of the visit at work, beyond what was said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beyond {
    /// Nothing unsaid; no visit is under way.
    Between,
    /// Nothing unsaid, in the middle of a visit: the next commit had not happened.
    BeforeCommit,
    /// A draft, its text or a page: committed, not said.
    DraftUnsaid,
    /// Confirmed, the date not kept yet.
    Asking,
    /// The date is kept (or the visit finished), not said.
    KeptUnsaid,
}

/// Everything one look needs.
pub struct Looker {
    ground: Ground,
    device: PublicKey,
}

impl Looker {
    pub fn new(ground: Ground) -> Result<Self, crate::programs::Failure> {
        let device = ground.device()?;
        Ok(Self { ground, device })
    }

    /// # Errors
    /// What was said and is not there, or is otherwise.
    pub fn look(&self, folder: &Path, said: &Said, depth: Depth) -> Result<Beyond, String> {
        let path = folder.join(VAULT);
        if !path.exists() {
            return if said.made { Err("the vault is gone".into()) } else { Ok(Beyond::BeforeCommit) };
        }
        let vault = match Vault::open(&path, &self.ground.key()) {
            Ok(vault) => vault,
            // Still being made: enrolment makes it under another name, and puts it here when whole.
            Err(VaultFailure::DoesNotOpen) if !said.made => return Ok(Beyond::BeforeCommit),
            Err(failure) => return Err(does_not_open(failure)),
        };
        if said.made && !Ground::is_enrolled(&vault).map_err(|failure| words(&failure))? {
            return Err("the kiosk no longer knows who it is".into());
        }
        if depth == Depth::Whole {
            vault.check(&self.device).map_err(|failure| format!("vault check: {}", words(&failure)))?;
        }
        vault.read(|tx| self.said(tx, said, depth)).map_err(|wrong| wrong.0)
    }

    fn said(&self, tx: &Tx<'_>, said: &Said, depth: Depth) -> Result<Beyond, Wrong> {
        let papers: BTreeSet<_> = tx.papers()?.into_iter().collect();
        let newest = said.kept.len().saturating_sub(NEWEST);
        for (nth, visit) in said.kept.iter().enumerate() {
            let registration = tx.visit(*visit)?.and_then(|found| found.registration);
            if !registration.is_some_and(|registration| papers.contains(&registration)) {
                return Err(wrong(said, visit, "a kept registration is gone"));
            }
            if nth >= newest || depth == Depth::Whole {
                held(tx, said, visit)?;
            }
        }
        if depth == Depth::Whole {
            for visit in said.visits.keys() {
                held(tx, said, visit)?;
            }
            whole(tx)?;
        }
        beyond(tx, said)
    }
}

/// One visit is as it was said, or further.
fn held(tx: &Tx<'_>, said: &Said, visit: &VisitId) -> Result<(), Wrong> {
    let Some(promise) = said.visits.get(visit) else { return Ok(()) };
    let found = tx.visit(*visit)?.ok_or_else(|| wrong(said, visit, "a visit is gone"))?;
    if tx.pages(*visit)?.len() < promise.pages {
        return Err(wrong(said, visit, "a scanned page is gone"));
    }
    if let Some(kept) = &promise.kept {
        if !matches!(found.state, VisitState::Kept | VisitState::Finished) {
            return Err(wrong(said, visit, "a kept visit is a draft again"));
        }
        let paper = match found.registration {
            Some(registration) => tx.paper(registration)?,
            None => None,
        };
        let paper = paper.ok_or_else(|| wrong(said, visit, "a kept paper is gone"))?;
        let now = paper_of(&paper);
        if now != *kept {
            return Err(wrong(said, visit, &format!("kept {kept:?}, now {now:?}")));
        }
    }
    if promise.finished && found.state != VisitState::Finished {
        return Err(wrong(said, visit, "a finished visit is open again"));
    }
    if let Some((who, said_revision)) = promise.saved
        && found.state != VisitState::Finished
    {
        let fields: DraftFields = serde_json::from_str(&found.fields).unwrap_or_default();
        if revision(who, &fields).is_none_or(|found| found < said_revision) {
            return Err(wrong(said, visit, "a saved draft is gone or is older"));
        }
    }
    Ok(())
}

/// Every registration there is whole, and no slot stands on two papers.
fn whole(tx: &Tx<'_>) -> Result<(), Wrong> {
    let mut slots = BTreeSet::new();
    let free: BTreeSet<_> = tx.free_slots(Date::MIN)?.into_iter().map(|free| free.slot).collect();
    for id in tx.papers()? {
        let missing = |what: &str| Wrong(format!("registration {id} has no {what}"));
        let paper = tx.paper(id)?.ok_or_else(|| missing("paper"))?;
        tx.registration_state(id)?.ok_or_else(|| missing("record"))?;
        let visit = tx.visit_of(id)?.ok_or_else(|| missing("visit"))?;
        let state = tx.visit(visit)?.map(|visit| visit.state);
        if !matches!(state, Some(VisitState::Kept | VisitState::Finished)) {
            return Err(missing("kept visit"));
        }
        let held = paper.registered.outcome.held().map(|held| held.token.0.clone());
        for token in paper.token.into_iter().chain(held) {
            let slot = SignedToken::from_bytes(&token).ok_or_else(|| missing("readable token"))?.token.slot;
            if !slots.insert(slot) {
                return Err(Wrong(format!("slot {slot} has two holders")));
            }
            if free.contains(&slot) {
                return Err(Wrong(format!("slot {slot} is on a paper and free")));
            }
        }
    }
    Ok(())
}

fn beyond(tx: &Tx<'_>, said: &Said) -> Result<Beyond, Wrong> {
    let mut furthest = match said.at_work {
        Some(visit) => {
            held(tx, said, &visit)?;
            Beyond::BeforeCommit
        }
        None => Beyond::Between,
    };
    let unsaid = Promise::default();
    for found in tx.open_visits(OPEN)? {
        let promise = said.visits.get(&found.id);
        let one = match found.state {
            VisitState::Asking => Beyond::Asking,
            VisitState::Kept if promise.unwrap_or(&unsaid).kept.is_none() => Beyond::KeptUnsaid,
            VisitState::Draft => match promise {
                Some(promise) if !more_than(tx, &found, promise)? => continue,
                _ => Beyond::DraftUnsaid,
            },
            VisitState::Kept | VisitState::Finished => continue,
        };
        furthest = furthest.max(one);
    }
    if let Some(visit) = said.at_work
        && tx.visit(visit)?.is_some_and(|found| found.state == VisitState::Finished)
    {
        furthest = Beyond::KeptUnsaid;
    }
    Ok(furthest)
}

fn more_than(tx: &Tx<'_>, found: &vault::Visit, promise: &Promise) -> Result<bool, Wrong> {
    if tx.pages(found.id)?.len() > promise.pages {
        return Ok(true);
    }
    let fields: DraftFields = serde_json::from_str(&found.fields).unwrap_or_default();
    Ok(match promise.saved {
        Some((who, said)) => revision(who, &fields).is_some_and(|found| found > said),
        None => !fields.family_names.is_empty(),
    })
}

/// As [`Paper::shown`], from what the vault holds.
fn paper_of(paper: &vault::Paper) -> Paper {
    let token = paper.token.as_deref().and_then(SignedToken::from_bytes).map(|signed| signed.token);
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    Paper {
        code: paper.registered.registration.code.to_string(),
        slot: or_none(token.as_ref().map(|token| token.slot.to_string())),
        slot_at: or_none(token.map(|token| token.at.strftime("%Y-%m-%dT%H:%M").to_string())),
        seal: sha256(&[seal::text::from_bytes(&paper.door).as_bytes()]).to_string(),
    }
}

/// What is not as it was said.
struct Wrong(String);

impl From<VaultFailure> for Wrong {
    fn from(failure: VaultFailure) -> Self {
        Self(words(&failure))
    }
}

fn wrong(said: &Said, visit: &VisitId, what: &str) -> Wrong {
    let nth = said.kept.iter().position(|kept| kept == visit);
    let nth = nth.map_or(String::new(), |nth| format!(" (kept {} of {})", nth + 1, said.kept.len()));
    Wrong(format!("{what}{nth}"))
}

fn does_not_open(failure: VaultFailure) -> String {
    format!("the vault does not open: {}", words(&failure))
}

fn words(failure: &VaultFailure) -> String {
    match std::error::Error::source(failure) {
        Some(cause) => format!("{failure}: {cause}"),
        None => failure.to_string(),
    }
}
