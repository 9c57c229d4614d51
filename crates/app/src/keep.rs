//! From *Confirm* to a date on the screen.
//!
//! The kiosk commits, then asks central; no answer in time means it takes the date from
//! its lease under the same registration id, and what it then keeps is the date (I6). Where central
//! answers and the lease is looked at all the same, the kiosk first hears what central still stands by.

use crate::check::Checked;
use crate::contract::{DateSource, DateView, PaperKind, Problem};
use crate::kiosk::{Inner, Kiosk, lock};
use crate::sync::trust;
use crate::{paper, visit};
use domain::assign::{self, Choice, FreeSlot, Window};
use domain::busy::{self, Busy};
use domain::code::FollowUpCode;
use domain::ids::{MediatorId, RegistrationId, VisitId};
use domain::party;
use domain::planted;
use domain::registration::Registration;
use domain::reserve::Reserve;
use domain::token::SignedToken;
use jiff::{Timestamp, civil::DateTime};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use vault::{EntryState, Tx, Visit, VisitState};
use wire::body::{Body, Held, Outcome, Page, Piece, Registered};
use wire::messages::{DateRequest, Transferred};

/// How long the counter waits for central's date, and for what it then has to hear before it looks at
/// its lease: three seconds is what somebody at a counter waits without asking.
const ASK_LIMIT: Duration = Duration::from_millis(3_000);
/// The same, when central was out of reach a moment ago.
const ASK_LIMIT_OFFLINE: Duration = Duration::from_millis(1_000);
/// Central counts as well: the code it answers with when the hour is full.
const BUSY_HOUR: &str = "busy_hour";

impl Kiosk {
    /// Keeps the registration and gives its date. Repeating it answers the same date.
    ///
    /// # Errors
    /// The draft is incomplete, or the vault fails; nothing is lost then.
    pub async fn confirm(&self, visit: &str) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let asked = self.off(move |inner| commit(inner, id)).await?;
        if let Some((registration, busy)) = asked {
            // A full hour is the desk's to look at: no date is asked for, and none is taken.
            let answer = match busy {
                Some(busy) => Answer::Busy(busy),
                None => self.ask(&registration).await,
            };
            self.off(move |inner| keep(inner, id, registration, answer)).await?;
            self.inner.wake.notify_one();
        }
        self.off(move |inner| inner.vault.read(|tx| date_view(inner, tx, id))).await
    }

    /// The date of a visit that has one.
    ///
    /// # Errors
    /// The visit has no date yet, or is not there.
    pub async fn date(&self, visit: &str) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        self.off(move |inner| inner.vault.read(|tx| date_view(inner, tx, id))).await
    }

    /// Central's word, if it comes in time and is what it says.
    async fn ask(&self, registration: &Registration) -> Answer {
        let inner = &self.inner;
        let online = lock(&inner.sync).connection == crate::contract::Connection::Online;
        let limit = if online { ASK_LIMIT } else { ASK_LIMIT_OFFLINE };
        let until = Instant::now() + limit;
        let request = DateRequest { registration: registration.clone() };
        let answer = match timeout_at(until, inner.remote.date(inner.caller(), &request)).await {
            Ok(Ok(answer)) if answer.registration == registration.id => match answer.token {
                None => Answer::NoDate(answer.transfer),
                // A date on a day already gone is no date, whoever signed it.
                Some(token) => trust::token(&inner.identity, &token.0)
                    .filter(|signed| signed.token.at.date() > inner.today())
                    .map_or(Answer::Silence, |token| Answer::Date {
                        token,
                        extra: answer.extra,
                        transfer: answer.transfer,
                    }),
            },
            Ok(Ok(_)) | Err(_) => Answer::Silence,
            Ok(Err(failure)) if failure.code() == BUSY_HOUR => Answer::Busy(Busy::Kiosk),
            Ok(Err(failure)) => {
                tracing::info!(code = failure.code(), "central gave no date");
                Answer::Silence
            }
        };
        let lease_is_next = match &answer {
            Answer::NoDate(_) => true,
            Answer::Date { token, extra, .. } => falls_short(registration, (token, *extra)),
            Answer::Busy(_) | Answer::Silence => false,
        };
        // A counter may have ended since the last exchange: what central lent of it is dropped before
        // anybody is given it. Not heard in time, the lease is as it is offline.
        if lease_is_next && let Err(problem) = self.hear(until).await {
            tracing::info!(code = problem.code, "what the lease is good for was not heard");
        }
        answer
    }
}

/// What central said when asked for a date.
enum Answer {
    /// `extra`: with a slot made beside the others, for none serves their time limit.
    Date { token: SignedToken, extra: bool, transfer: Option<Transferred> },
    /// No date exists: it has written the escalation.
    NoDate(Option<Transferred>),
    /// The hour is full: a rank, and the desk looks.
    Busy(Busy),
    /// Nothing in time, or nothing to be believed.
    Silence,
}

/// Fixes what will be asked, on the disk. None when the visit has its date already.
fn commit(inner: &Inner, id: VisitId) -> Result<Option<(Registration, Option<Busy>)>, Problem> {
    let session = inner.session()?;
    inner.vault.transact(|tx| {
        let visit = visit::ours(inner, tx, id)?;
        match visit.state {
            VisitState::Kept | VisitState::Finished => Ok(None),
            _ if inner.day_is_in_doubt().is_some() => Err(Problem::new("today_unknown")),
            VisitState::Asking if !planted::on("asked_drawn_anew") => {
                let registration = asked(&visit)?;
                let busy = hour_of(inner, tx, &registration)?;
                Ok(Some((registration, busy)))
            }
            VisitState::Draft | VisitState::Asking => {
                let own = RegistrationId(inner.world.bytes());
                let (checked, party) = visit::judged(inner, tx, (id, &visit::fields(&visit)), own)?
                    .map_err(|_| Problem::new("draft_incomplete"))?;
                let registration =
                    Registration { party, ..registration(inner, own, checked, session.mediator) };
                let text = serde_json::to_string(&registration).map_err(|_| Problem::new("unknown"))?;
                tx.ask(id, registration.id, &text)?;
                let busy = hour_of(inner, tx, &registration)?;
                Ok(Some((registration, busy)))
            }
        }
    })
}

/// Is the hour of this registration full without it? A time limit never waits for that.
fn hour_of(inner: &Inner, tx: &Tx<'_>, registration: &Registration) -> Result<Option<Busy>, Problem> {
    if registration.limit.is_some() {
        return Ok(None);
    }
    let (limits, at) = (inner.identity.told().site.per_hour, registration.registered_at);
    let before = tx.kept_since(busy::since(at), limits.kiosk)?;
    let before = before.iter().map(|(at, mediator)| (*at, mediator.as_str()));
    Ok(limits.busy(before, (at, registration.mediator.as_str())))
}

fn asked(visit: &Visit) -> Result<Registration, Problem> {
    visit
        .asked
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or_else(|| Problem::new("vault_damaged"))
}

fn registration(inner: &Inner, id: RegistrationId, checked: Checked, mediator: MediatorId) -> Registration {
    let now = inner.now();
    Registration {
        id,
        code: FollowUpCode::from_random(inner.world.bytes()),
        site: inner.site_id().clone(),
        procedure: checked.procedure,
        limit: checked.limit,
        renewal: checked.renewal,
        accepts_earlier: checked.accepts_earlier,
        // Of sites this kiosk was not told of, no paper could give the address.
        department_wide: checked.department_wide && !inner.identity.told().nearby.is_empty(),
        party: None,
        moved: checked.moved,
        witness: checked.witness,
        applicant: checked.applicant,
        lang: checked.lang,
        registered_at: now,
        registered_on: inner.civil(now).date(),
        mediator,
    }
}

/// One transaction: the slot, the record, the paper's codes, the pages. On the disk when
/// it returns, and only then may a screen say *kept*.
fn keep(inner: &Inner, id: VisitId, registration: Registration, answer: Answer) -> Result<(), Problem> {
    let at = inner.now();
    let random = inner.world.bytes();
    inner.vault.transact(|tx| {
        if visit::open(tx, id)?.state == VisitState::Kept {
            return Ok(());
        }
        if let Answer::Date { transfer: Some(transfer), .. } | Answer::NoDate(Some(transfer)) = &answer {
            tx.put_transfer(registration.id, transfer)?;
        }
        let (outcome, token) = match answer {
            Answer::Date { token, extra, .. } => match in_time(inner, tx, &registration, (&token, extra))? {
                Some(leased) => leased,
                None => (Outcome::Online { token: token.to_bytes().into() }, Some(token)),
            },
            Answer::NoDate(_) => from_lease(inner, tx, &registration, Some(at))?,
            Answer::Busy(busy) => {
                let window = lease_window(inner, &registration);
                let free = tx.free_slots(window.earliest)?;
                let held = held(tx, &registration, free, &window)?;
                (Outcome::Rank { held, told: None, busy: Some(busy) }, None)
            }
            Answer::Silence => from_lease(inner, tx, &registration, None)?,
        };
        let mediator = registration.mediator.clone();
        let day_declared = inner.day_declared();
        let registered = Registered { registration, outcome, at, day_declared };
        let paper = paper::make(inner, registered.clone(), token, at, random)?;
        let registration = registered.registration.id;
        let registered =
            if planted::on("hold_left_out_of_the_record") { without_hold(registered) } else { registered };
        let (registered_at, author) = (registered.registration.registered_at, mediator.clone());
        inner.append(tx, &Body::Registration(Box::new(registered)), at)?;
        tx.note_kept(registered_at, &author, busy::since(registered_at))?;
        tx.keep_paper(&paper)?;
        let pages: Vec<Page> = tx
            .pages(id)?
            .iter()
            .map(|page| Page {
                page: page.id,
                number: page.number,
                rotation: 0,
                bytes: page.bytes,
                sha256: page.sha256,
            })
            .collect();
        if !pages.is_empty() {
            let piece = Piece { registration, pages, mediator, at };
            inner.append(tx, &Body::Piece(piece), at)?;
            tx.keep_pages(id)?;
        }
        Ok::<_, Problem>(tx.mark_visit_kept(id)?)
    })
}

/// The bug `hold_left_out_of_the_record`.
fn without_hold(mut registered: Registered) -> Registered {
    if let Outcome::Rank { held, .. } = &mut registered.outcome {
        *held = None;
    }
    registered
}

/// Central has no slot before the person's last useful day, or had to make one, or none on the day of
/// the others of their visit, and the lease has one: that slot is theirs. Central takes its own back
/// when the record comes.
fn in_time(
    inner: &Inner,
    tx: &Tx<'_>,
    registration: &Registration,
    (given, extra): (&SignedToken, bool),
) -> Result<Option<(Outcome, Option<SignedToken>)>, Problem> {
    if !falls_short(registration, (given, extra)) {
        return Ok(None);
    }
    let late = is_late(registration, given);
    let window = lease_window(inner, registration);
    let apart = |at: DateTime| is_apart(registration, at);
    let party = registration.party.as_ref();
    // With others to come, central's date may have waited for them already.
    let day = given.token.at.date();
    let last = party.filter(|party| party.people == 1).map_or(Some(day), |_| party::last_day(&window, day));
    let in_reach = |at: DateTime| last.is_some_and(|last| at.date() <= last) && !window.soon;
    match party::choose(tx.free_slots(window.earliest)?, &window, &Reserve::none(), party) {
        Choice::Inside(leased) if !late && !extra && (apart(leased.at) || !in_reach(leased.at)) => Ok(None),
        // Central's is soon, and this one is not.
        Choice::Inside(leased) if !late && !domain::extra::serves(&window, leased.at.date()) => Ok(None),
        Choice::Inside(_) => from_lease(inner, tx, registration, None).map(Some),
        Choice::AfterLimit(_) | Choice::Nothing => Ok(None),
    }
}

/// May the lease have a better date than this one of central's?
fn falls_short(registration: &Registration, (given, extra): (&SignedToken, bool)) -> bool {
    extra || is_late(registration, given) || is_apart(registration, given.token.at)
}

fn is_late(registration: &Registration, given: &SignedToken) -> bool {
    registration.limit.as_ref().is_some_and(|limit| given.token.at.date() > limit.last_day)
}

fn is_apart(registration: &Registration, at: DateTime) -> bool {
    registration.party.as_ref().is_some_and(|party| party.is_apart(at.date()))
}

/// A leased slot is good for papers issued today, whenever the person registered.
fn lease_window(inner: &Inner, registration: &Registration) -> Window {
    let mut window = registration.window();
    if !planted::on("old_draft_dated_in_the_past") {
        window.earliest = window.earliest.max(Window::new(inner.today(), None).earliest);
    }
    window
}

/// The first eligible slot of the lease; else a rank that holds a backstop; else a rank.
fn from_lease(
    inner: &Inner,
    tx: &Tx<'_>,
    registration: &Registration,
    told: Option<Timestamp>,
) -> Result<(Outcome, Option<SignedToken>), Problem> {
    let window = lease_window(inner, registration);
    let free = tx.free_slots(window.earliest)?;
    let party = registration.party.as_ref();
    let taken = match party::choose(free.iter().copied(), &window, &Reserve::none(), party).slot() {
        Some(slot) => tx.take_slot(slot.slot, registration.id)?,
        None => None,
    };
    let Some((lease, bytes)) = taken else {
        let held = held(tx, registration, free, &window)?;
        return Ok((Outcome::Rank { held, told, busy: None }, None));
    };
    let token = SignedToken::from_bytes(&bytes).ok_or_else(|| Problem::new("vault_damaged"))?;
    Ok((Outcome::Lease { lease, token: bytes.into() }, Some(token)))
}

/// The backstop a ranked person holds, where there is one.
fn held(
    tx: &Tx<'_>,
    registration: &Registration,
    free: Vec<FreeSlot>,
    window: &Window,
) -> Result<Option<Held>, Problem> {
    let taken = match assign::hold(free, window) {
        Some(slot) => tx.take_slot(slot.slot, registration.id)?,
        None => None,
    };
    Ok(taken.map(|(lease, token)| Held { lease, token: token.into() }))
}

fn shown_time(at: &DateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M").to_string()
}

pub(crate) fn date_view(inner: &Inner, tx: &Tx<'_>, id: VisitId) -> Result<DateView, Problem> {
    let visit = tx.visit(id)?.ok_or_else(|| Problem::new("no_visit"))?;
    let paper = match visit.registration {
        Some(registration) => tx.paper(registration)?,
        None => None,
    }
    .ok_or_else(|| Problem::new("draft_incomplete"))?;
    let registration = &paper.registered.registration;
    let token = paper.token.as_deref().and_then(SignedToken::from_bytes).map(|signed| signed.token);
    let limit = registration.limit.as_ref().map(|limit| limit.last_day);
    let source = match &paper.registered.outcome {
        Outcome::Online { .. } => DateSource::Online,
        Outcome::Lease { .. } => DateSource::Lease,
        Outcome::Rank { .. } => DateSource::Rank,
    };
    let held = paper.registered.outcome.held().and_then(|held| SignedToken::from_bytes(&held.token.0));
    let (told, busy) = match &paper.registered.outcome {
        Outcome::Rank { told, busy, .. } => (*told, busy.is_some() && token.is_none()),
        Outcome::Online { .. } | Outcome::Lease { .. } => (None, false),
    };
    let waiting =
        source != DateSource::Online && tx.registration_state(registration.id)? == Some(EntryState::Waiting);
    let printed = tx
        .last_attempt(registration.id)?
        .is_some_and(|attempt| attempt.state == vault::AttemptState::Printed);
    let known = inner.identity.told();
    let site = token.as_ref().and_then(|token| known.site_of(&token.site));
    Ok(DateView {
        visit: id.to_string(),
        code: registration.code.to_string(),
        kind: if token.is_some() { PaperKind::Convocation } else { PaperKind::Receipt },
        source,
        slot_at: token.as_ref().map(|token| shown_time(&token.at)),
        no_later_than: match token {
            Some(_) => None,
            None => held.map(|held| shown_time(&held.token.at)),
        },
        busy,
        told: told.map(|at| shown_time(&inner.civil(at))),
        zone: known.site.zone.clone(),
        slot: token.as_ref().map(|token| token.slot.to_string()),
        site: site.map_or_else(|| known.site.name.clone(), |site| site.name.clone()),
        elsewhere: site.filter(|site| site.id != known.site.id).map(|site| site.address.clone()),
        details: crate::correct::fields(registration),
        limit: limit.map(|day| day.to_string()),
        opens: crate::renewal::told(registration, token.as_ref().map(|token| token.at.date()))
            .map(|day| day.to_string()),
        after_limit: matches!((&token, limit), (Some(token), Some(limit)) if token.at.date() > limit),
        limit_letter: crate::limit_letter::view(inner, tx, &paper)?,
        only_here: waiting && !printed,
        code_large: seal::text::from_bytes(&paper.door),
        beside: registration.party.iter().flat_map(|party| &party.beside).map(shown_time).collect(),
        advance: crate::advance::view(inner, tx, registration.id)?,
        offer: crate::offer::view(inner, tx, registration.id)?,
        cancelled: crate::cancel::view(inner, tx, registration.id)?,
        annulment: crate::annulment::view(inner, tx, registration.id)?,
        transfer: crate::transfer::view(inner, tx, registration)?,
        cancel_asked: crate::coming::asked(inner, tx, registration.id)?,
        reconfirm: crate::reconfirm::view(inner, tx, &paper)?,
    })
}
