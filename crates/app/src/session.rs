//! Who is at the counter: unlocking with a PIN, locking, the home screen.
//!
//! The PIN says *who*; it opens nothing by itself (the vault's key does).

use crate::annulment;
use crate::author;
use crate::coming;
use crate::contract::{
    Boot, HomeView, LanguageView, LeaseView, LimitChoice, MediatorView, Problem, SessionView, StorageState,
    ToTellView, UnfinishedView,
};
use crate::kiosk::{Inner, Kiosk, ROSTER, lock};
use crate::offer;
use crate::pin_tries;
use crate::sync;
use crate::transfer;
use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use domain::applicant::Nationality;
use domain::assign::LEAD_DAYS;
use domain::ids::MediatorId;
use domain::lease::Stratum;
use domain::limit::Right;
use jiff::{Timestamp, ToSpan};
use vault::{AttemptState, Visit, VisitState};
use wire::messages::Roster;

/// Longest PIN looked at.
const PIN_MAX: usize = 64;
/// Unfinished visits the home screen lists.
const UNFINISHED: u32 = 50;

/// A mediator at the counter.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub mediator: MediatorId,
    pub name: String,
}

/// How long a mediator is told that central forgot or that this disk is an older one.
const NOTICE_HOURS: i64 = 7 * 24;

impl Kiosk {
    /// # Errors
    /// The vault fails.
    pub async fn boot(&self) -> Result<Boot, Problem> {
        self.off(|inner| {
            let roster = inner.roster()?;
            let session = lock(&inner.session).clone();
            Ok(Boot {
                site_name: inner.identity.told().site.name.clone(),
                nearby: inner.identity.told().nearby.iter().map(|site| site.name.clone()).collect(),
                mediators: roster
                    .mediators
                    .iter()
                    .map(|m| MediatorView { id: m.id.as_str().to_owned(), name: m.name.clone() })
                    .collect(),
                languages: l10n::Lang::ALL
                    .iter()
                    .map(|lang| LanguageView {
                        code: lang.code().to_owned(),
                        name: lang.name_in_itself(),
                        dir: lang.dir().as_str().to_owned(),
                        screens: true,
                    })
                    .collect(),
                procedures: domain::procedure::all().iter().map(|p| p.key.clone()).collect(),
                limits: Right::ALL
                    .iter()
                    .map(|right| LimitChoice { key: right.key().to_owned(), in_days: right.in_days() })
                    .collect(),
                nationalities: Nationality::all().map(|n| n.code().to_owned()).collect(),
                session: session.map(|session| session.view()),
                idle_s: inner.file.idle_s,
            })
        })
        .await
    }

    /// # Errors
    /// The PIN is wrong, or it is too soon after wrong ones.
    pub async fn unlock(&self, mediator: &str, pin: &str) -> Result<SessionView, Problem> {
        let (mediator, pin) = (mediator.to_owned(), zeroize::Zeroizing::new(pin.to_owned()));
        self.off(move |inner| {
            let session = known(inner, &mediator, &pin)?;
            let view = session.view();
            *lock(&inner.second) = None;
            *lock(&inner.session) = Some(session);
            Ok(view)
        })
        .await
    }

    /// # Errors
    /// Never; the shape is the contract's.
    pub async fn lock(&self) -> Result<(), Problem> {
        *lock(&self.inner.second) = None;
        *lock(&self.inner.session) = None;
        Ok(())
    }

    /// # Errors
    /// Nobody has unlocked, or the vault fails.
    pub async fn home(&self) -> Result<HomeView, Problem> {
        self.off(|inner| {
            inner.session()?;
            let from = inner.today().saturating_add(LEAD_DAYS.days());
            let state = lock(&inner.sync).clone();
            inner.vault.read(|tx| {
                let mut free = tx.free_slots(from)?;
                // Backstops are held by receipts; they are no dates to give.
                free.retain(|slot| slot.stratum != Some(Stratum::Backstop));
                let [waiting, held, _, set_aside] = tx.counts()?;
                let unfinished = tx
                    .open_visits(UNFINISHED)?
                    .iter()
                    .filter_map(|visit| unfinished(inner, tx, visit).transpose())
                    .collect::<Result<_, Problem>>()?;
                Ok(HomeView {
                    connection: state.connection,
                    last_contact: state
                        .last_contact
                        .map(|at| inner.civil(at).strftime("%Y-%m-%dT%H:%M").to_string()),
                    today_from: inner.day_is_in_doubt().map(|day| day.to_string()),
                    lease: LeaseView {
                        free: u32::try_from(free.len()).unwrap_or(u32::MAX),
                        used: tx.given_slots()?,
                        first_day: free.first().map(|slot| slot.at.date().to_string()),
                        last_day: free.last().map(|slot| slot.at.date().to_string()),
                    },
                    waiting,
                    held,
                    set_aside,
                    notices: notices(inner, tx)?,
                    unfinished,
                    to_tell: to_tell(inner, tx)?,
                })
            })
        })
        .await
    }
}

/// Whose PIN it is. Wrong ones are counted, whoever they were said for.
pub(crate) fn known(inner: &Inner, mediator: &str, pin: &str) -> Result<Session, Problem> {
    let now = inner.now();
    pin_tries::may_try(inner, now)?;
    let roster = inner.roster()?;
    let entry = roster.mediators.iter().find(|entry| entry.id.as_str() == mediator);
    let right = pin.len() <= PIN_MAX
        && entry.is_some_and(|entry| {
            PasswordHash::new(&entry.pin)
                .is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok())
        });
    let (Some(entry), true) = (entry, right) else {
        pin_tries::note_wrong(inner, now)?;
        return Err(Problem::new("bad_pin"));
    };
    pin_tries::forget(inner, now)?;
    Ok(Session { mediator: entry.id.clone(), name: entry.name.clone() })
}

/// Notices of the last week, each once; how it stands with central for as long as it lasts.
fn notices(inner: &Inner, tx: &vault::Tx<'_>) -> Result<Vec<String>, Problem> {
    let since = inner.now().saturating_sub(NOTICE_HOURS.hours()).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut codes: Vec<String> = sync::notices(tx)?
        .into_iter()
        // Told below, for as long as it lasts.
        .filter(|notice| notice.code != "quarantined" && sync::noted_at(notice) >= since)
        .map(|notice| notice.code)
        .collect();
    match inner.storage().state {
        StorageState::Low => codes.push("storage_low".to_owned()),
        StorageState::Full => codes.push("storage_full".to_owned()),
        StorageState::Ok | StorageState::Unknown => {}
    }
    codes.extend(sync::standing(tx)?);
    codes.sort_unstable();
    codes.dedup();
    Ok(codes)
}

pub(crate) fn unfinished(
    inner: &Inner,
    tx: &vault::Tx<'_>,
    visit: &Visit,
) -> Result<Option<UnfinishedView>, Problem> {
    if let Some(who) = author::closed(inner, tx, visit)? {
        return Ok(Some(UnfinishedView {
            visit: visit.id.to_string(),
            state: "draft".to_owned(),
            code: None,
            name: String::new(),
            begun_by: Some(who),
        }));
    }
    let fields: crate::contract::DraftFields = serde_json::from_str(&visit.fields).unwrap_or_default();
    let paper = visit.registration.map(|id| tx.paper(id)).transpose()?.flatten();
    let name = match &paper {
        // As it was corrected since.
        Some(paper) => paper.registered.registration.applicant.name_as_printed(),
        None => format!("{} {}", fields.family_names, fields.given_names).trim().to_owned(),
    };
    let view = |state: &str, code| {
        Some(UnfinishedView {
            visit: visit.id.to_string(),
            state: state.to_owned(),
            code,
            name: name.clone(),
            begun_by: None,
        })
    };
    Ok(match (visit.state, visit.registration) {
        (VisitState::Draft | VisitState::Asking, _) => view("draft", None),
        (VisitState::Kept, Some(id)) => {
            let code = paper.map(|paper| paper.registered.registration.code.to_string());
            match tx.last_attempt(id)?.map(|attempt| attempt.state) {
                None | Some(AttemptState::Failed) => view("kept", code),
                Some(AttemptState::Attempted | AttemptState::Sent) => view("ask", code),
                Some(AttemptState::Printed) => view("printed", code),
            }
        }
        _ => None,
    })
}

impl Session {
    fn view(&self) -> SessionView {
        SessionView {
            mediator: MediatorView { id: self.mediator.as_str().to_owned(), name: self.name.clone() },
        }
    }
}

impl Inner {
    /// The mediator at the counter.
    pub fn session(&self) -> Result<Session, Problem> {
        lock(&self.session).clone().ok_or_else(|| Problem::new("no_session"))
    }

    pub fn roster(&self) -> Result<Roster, Problem> {
        self.vault.read(|tx| tx.get_json(ROSTER))?.ok_or_else(|| Problem::new("not_enrolled"))
    }
}

/// Whom somebody tells: first of what may take an appointment away.
fn to_tell(inner: &Inner, tx: &vault::Tx<'_>) -> Result<Vec<ToTellView>, Problem> {
    let mut people = annulment::to_tell(inner, tx)?;
    people.extend(coming::to_tell(inner, tx)?);
    people.extend(offer::to_tell(inner, tx)?);
    people.extend(transfer::to_tell(inner, tx)?);
    people.extend(crate::reconfirm::to_tell(inner, tx)?);
    Ok(people)
}
