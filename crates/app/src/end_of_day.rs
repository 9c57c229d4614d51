//! The end of the day: what is still only on this kiosk, whose paper was not taken or was replaced
//! since, what was begun, how the disk stands; and whether it may be switched off or what to do first.

use crate::contract::{
    Connection, EndOfDayView, ExportedView, LeftView, Problem, ReplacedView, StorageState,
};
use crate::export;
use crate::kiosk::{Inner, Kiosk, lock};
use crate::session::unfinished;
use crate::{set_aside, sync};
use domain::token::SignedToken;
use jiff::Timestamp;
use vault::{Paper, Tx, VisitState};

/// Open visits looked at; the oldest beyond them are not shown.
const VISITS: u32 = 200;
/// Replaced papers looked at: a closure moves as many people of one kiosk in a bad week.
const REPLACED: u32 = 200;
const DAY_S: i64 = 86_400;

impl Kiosk {
    /// # Errors
    /// Nobody has unlocked, or the vault fails.
    pub async fn end_of_day(&self) -> Result<EndOfDayView, Problem> {
        self.off(|inner| {
            inner.session()?;
            inner.end_of_day()
        })
        .await
    }

    /// The same for a terminal, where nobody has unlocked: counts and codes, never a name.
    ///
    /// # Errors
    /// The vault fails.
    pub async fn end_of_day_counts(&self) -> Result<serde_json::Value, Problem> {
        self.off(|inner| {
            let view = inner.end_of_day()?;
            let left = |left: &LeftView| serde_json::json!({ "code": left.code, "state": left.state, "since": left.since, "days": left.days });
            let replaced = |one: &ReplacedView| serde_json::json!({ "code": one.code, "since": one.since, "days": one.days });
            Ok(serde_json::json!({
                "may_switch_off": view.first.is_empty(),
                "reason": (!view.first.is_empty()).then_some("to_do"),
                "first": view.first,
                "only_here": view.only_here,
                "records_waiting": view.records_waiting,
                "pages_waiting": view.pages_waiting,
                "papers": view.papers.iter().map(left).collect::<Vec<_>>(),
                "replaced": view.replaced.iter().map(replaced).collect::<Vec<_>>(),
                "drafts": view.drafts.iter().map(left).collect::<Vec<_>>(),
                "set_aside": view.set_aside,
                "storage": view.storage,
                "exported": view.exported,
                "standing": view.standing.as_deref().unwrap_or("accepted"),
                "vaults_set_aside": view.vaults_set_aside,
            }))
        })
        .await
    }
}

impl Inner {
    fn end_of_day(&self) -> Result<EndOfDayView, Problem> {
        let storage = self.storage();
        let online = lock(&self.sync).connection == Connection::Online;
        self.vault.read(|tx| {
            let [records_waiting, _, _, set_aside] = tx.counts()?;
            let pages_waiting = tx.unsent_pages()?;
            let (mut papers, mut drafts) = (Vec::new(), Vec::new());
            for visit in tx.open_visits(VISITS)? {
                let Some(open) = unfinished(self, tx, &visit)? else { continue };
                let since = Timestamp::from_second(visit.begun_s).unwrap_or(Timestamp::UNIX_EPOCH);
                let left = LeftView {
                    visit: open.visit,
                    state: open.state,
                    code: open.code,
                    name: open.name,
                    begun_by: open.begun_by,
                    since: self.civil(since).strftime("%Y-%m-%dT%H:%M").to_string(),
                    days: self.days_since(since),
                };
                if visit.state == VisitState::Kept { papers.push(left) } else { drafts.push(left) }
            }
            let exported = self.exported(tx)?;
            let waits = records_waiting + pages_waiting > 0;
            let on_a_stick = exported.as_ref().is_some_and(|exported| exported.whole);
            let asked = [
                ("papers", !papers.is_empty()),
                ("send", waits && online),
                ("export", waits && !online && !on_a_stick),
                ("storage", storage.state == StorageState::Full),
            ];
            Ok(EndOfDayView {
                first: asked.iter().filter(|(_, due)| *due).map(|(code, _)| (*code).to_owned()).collect(),
                only_here: tx.waiting_registrations()?,
                records_waiting,
                pages_waiting,
                papers,
                replaced: self.replaced(tx)?,
                drafts,
                set_aside,
                storage,
                exported,
                standing: sync::standing(tx)?,
                vaults_set_aside: set_aside::unsent(self.vault.folder()),
            })
        })
    }

    /// People whose paper is another now than the one they were handed, while its day is to come.
    fn replaced(&self, tx: &Tx<'_>) -> Result<Vec<ReplacedView>, Problem> {
        let today = self.today();
        let over = |paper: &Paper| {
            let token = paper.token.as_deref().and_then(SignedToken::from_bytes);
            token.is_some_and(|signed| signed.token.at.date() < today)
        };
        let mut people = Vec::new();
        for id in tx.replaced_papers(REPLACED)? {
            let (Some(paper), Some(visit)) = (tx.paper(id)?, tx.visit_of(id)?) else { continue };
            if over(&paper) {
                continue;
            }
            let told = paper.registered.registration;
            people.push(ReplacedView {
                visit: visit.to_string(),
                code: told.code.to_string(),
                name: told.applicant.name_as_printed(),
                phone: told.applicant.contact.phone,
                lang: told.lang,
                since: self.civil(paper.issued_at).strftime("%Y-%m-%dT%H:%M").to_string(),
                days: self.days_since(paper.issued_at),
            });
        }
        Ok(people)
    }

    fn days_since(&self, since: Timestamp) -> u32 {
        let days = (self.now().as_second() - since.as_second()).max(0) / DAY_S;
        u32::try_from(days).unwrap_or(u32::MAX)
    }

    fn exported(&self, tx: &Tx<'_>) -> Result<Option<ExportedView>, Problem> {
        let Some(last) = export::last(tx)? else { return Ok(None) };
        let at = Timestamp::from_second(last.at_s).unwrap_or(Timestamp::UNIX_EPOCH);
        // Pages belong to a piece record: none newer than the last record in the file.
        let whole = last.head >= tx.head(0)?.seq && last.pages_left_out == 0;
        Ok(Some(ExportedView { at: self.civil(at).strftime("%Y-%m-%dT%H:%M").to_string(), whole }))
    }
}
