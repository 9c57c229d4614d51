//! A visit: begun, typed, saved at every pause, discarded or finished. A draft may be
//! wrong or half empty; it is kept all the same.

use crate::author;
use crate::check::{self, Checked, DRAFT_BYTES};
use crate::contract::{DraftFields, DraftView, FieldProblem, PageView, Problem};
use crate::kiosk::{Inner, Kiosk};
use crate::storage::Writing;
use crate::{party, renewal, second};
use age::secrecy::ExposeSecret as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::code::FollowUpCode;
use domain::ids::{MediatorId, PageId, RegistrationId, VisitId};
use domain::party::Party;
use domain::registration::Registration;
use domain::token::SignedToken;
use vault::{Paper, Tx, VaultFailure, Visit, VisitState};

/// The visit of a command whose answer is not written yet.
const COMMAND: &str = "command";

/// A visit to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub visit: String,
    /// Nothing was asked for yet: it is to be confirmed like any other draft.
    pub is_draft: bool,
}

impl Kiosk {
    /// Begins a visit in the person's language.
    ///
    /// # Errors
    /// Nobody has unlocked, or the vault fails.
    pub async fn start_visit(&self, lang: &str) -> Result<DraftView, Problem> {
        let lang = lang.to_owned();
        self.off(move |inner| {
            let begin = Begin::new(inner)?;
            let fields = DraftFields { lang, ..DraftFields::default() };
            inner.vault.transact(|tx| begin.with(inner, tx, &fields))
        })
        .await
    }

    /// Takes up a visit that was not finished.
    ///
    /// # Errors
    /// There is no such open visit.
    pub async fn open_visit(&self, visit: &str) -> Result<DraftView, Problem> {
        let visit = visit.to_owned();
        self.off(move |inner| {
            let id = visit_id(&visit)?;
            inner.vault.read(|tx| {
                ours(inner, tx, id)?;
                view(inner, tx, id)
            })
        })
        .await
    }

    /// The same for a command, whose answer may be lost: until [`Self::command_answered`] it is the visit
    /// [`Self::left_with`] finds.
    ///
    /// # Errors
    /// As [`Self::start_visit`].
    pub async fn start_command(&self, lang: &str) -> Result<String, Problem> {
        let visit = self.start_visit(lang).await?.visit;
        self.note_command(Some(visit.clone())).await?;
        Ok(visit)
    }

    /// Its answer was written where it was asked for: said again, it is another person's.
    ///
    /// # Errors
    /// The vault fails.
    pub async fn command_answered(&self) -> Result<(), Problem> {
        self.note_command(None).await
    }

    async fn note_command(&self, visit: Option<String>) -> Result<(), Problem> {
        self.off(move |inner| inner.vault.transact(|tx| Ok(tx.put_json(COMMAND, &visit)?))).await
    }

    /// The visit a command was ended in, before its answer was written, with exactly these fields: a draft,
    /// or one whose date is being asked for or kept and whose paper nobody has taken. None where the date is
    /// past or given up: the person comes for another.
    ///
    /// # Errors
    /// Nobody has unlocked, or the vault fails.
    pub async fn left_with(&self, fields: DraftFields) -> Result<Option<Left>, Problem> {
        self.off(move |inner| {
            inner.session()?;
            inner.vault.read(|tx| {
                let left: Option<String> = tx.get_json::<Option<String>>(COMMAND)?.flatten();
                let Some(visit) = left.and_then(|left| VisitId::parse(&left)) else { return Ok(None) };
                let Some(visit) = tx.visit(visit)? else { return Ok(None) };
                let same = serde_json::from_str::<DraftFields>(&visit.fields).is_ok_and(|it| it == fields);
                let open = visit.state != VisitState::Finished;
                if !same
                    || !open
                    || author::closed(inner, tx, &visit)?.is_some()
                    || is_over(inner, tx, &visit)?
                {
                    return Ok(None);
                }
                let is_draft = visit.state == VisitState::Draft;
                Ok(Some(Left { visit: visit.id.to_string(), is_draft }))
            })
        })
        .await
    }

    /// Keeps what is typed; on the disk when this returns.
    ///
    /// # Errors
    /// The visit is gone or has its date already, or the fields are over their limit.
    pub async fn save_draft(&self, visit: &str, fields: DraftFields) -> Result<DraftView, Problem> {
        let visit = visit.to_owned();
        self.off(move |inner| {
            let id = visit_id(&visit)?;
            let text = to_json(&fields)?;
            inner.vault.transact(|tx| {
                ours(inner, tx, id)?;
                if !tx.save_fields(id, &text)? {
                    let code = if tx.visit(id)?.is_some() { "already_kept" } else { "no_visit" };
                    return Err(Problem::new(code));
                }
                view(inner, tx, id)
            })
        })
        .await
    }

    /// Throws a draft away, its pages too.
    ///
    /// # Errors
    /// It has its date already, or is not there.
    pub async fn discard_draft(&self, visit: &str) -> Result<(), Problem> {
        let visit = visit.to_owned();
        self.off(move |inner| {
            let id = visit_id(&visit)?;
            let gone = inner.vault.transact::<_, Problem>(|tx| {
                ours(inner, tx, id)?;
                Ok(tx.discard(id)?)
            })?;
            if gone { Ok(()) } else { Err(Problem::new("already_kept")) }
        })
        .await
    }

    /// Removes a page of a draft.
    ///
    /// # Errors
    /// There is no such draft.
    pub async fn remove_page(&self, visit: &str, page: &str) -> Result<DraftView, Problem> {
        let (visit, page) = (visit.to_owned(), page.to_owned());
        self.off(move |inner| {
            let id = visit_id(&visit)?;
            let page = PageId::parse(&page).ok_or_else(|| Problem::new("no_page"))?;
            inner.vault.transact(|tx| {
                draft(inner, tx, id)?;
                tx.remove_page(id, page)?;
                view(inner, tx, id)
            })
        })
        .await
    }

    /// Ends a visit: the session identity is destroyed, the person's traces leave the
    /// window's side of the vault. A draft without a date stays a draft.
    ///
    /// # Errors
    /// The visit has no date yet, or is not there.
    pub async fn finish_visit(&self, visit: &str) -> Result<(), Problem> {
        let visit = visit.to_owned();
        self.off(move |inner| {
            let id = visit_id(&visit)?;
            inner.vault.transact(|tx| match tx.visit(id)?.map(|visit| visit.state) {
                Some(VisitState::Kept) => Ok(tx.finish_visit(id)?),
                Some(VisitState::Finished) => Ok(()),
                Some(VisitState::Draft | VisitState::Asking) => Err(Problem::new("draft_incomplete")),
                None => Err(Problem::new("no_visit")),
            })
        })
        .await?;
        self.inner.wake.notify_one();
        Ok(())
    }
}

impl Kiosk {
    /// The visit of a paper of this kiosk and what stands on it, for whoever has its follow-up code and
    /// no window.
    pub(crate) async fn visit_of(&self, code: &str) -> Result<(VisitId, Registration), Problem> {
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
        self.off(move |inner| {
            inner.session()?;
            inner.vault.read(|tx| {
                let paper = tx.paper_by_code(code)?.ok_or_else(|| Problem::new("paper_not_here"))?;
                let registration = paper.registered.registration;
                let visit = tx.visit_of(registration.id)?.ok_or_else(|| Problem::new("no_visit"))?;
                Ok((visit, registration))
            })
        })
        .await
    }
}

/// A visit that may be begun: somebody has unlocked, the day is known, there is room.
pub(crate) struct Begin(MediatorId);

impl Begin {
    pub fn new(inner: &Inner) -> Result<Self, Problem> {
        let session = inner.session()?;
        inner.day_is_known()?;
        inner.has_room(Writing::NewVisit)?;
        Ok(Self(session.mediator))
    }

    pub fn with(self, inner: &Inner, tx: &Tx<'_>, fields: &DraftFields) -> Result<DraftView, Problem> {
        let id = VisitId(inner.world.bytes());
        // Opens this visit's pages until it is finished, then exists no more.
        let identity = age::x25519::Identity::generate().to_string();
        let begun = inner.now().as_second();
        tx.begin_visit(id, self.0.as_str(), &to_json(fields)?, identity.expose_secret(), begun)?;
        view(inner, tx, id)
    }
}

/// Somebody who came back with their paper: what is done for them, in one transaction, by whoever has
/// unlocked, on a day that is known.
pub(crate) fn with_paper<T>(
    inner: &Inner,
    id: VisitId,
    act: impl FnOnce(&Tx<'_>, Paper) -> Result<T, Problem>,
) -> Result<T, Problem> {
    inner.session()?;
    inner.day_is_known()?;
    inner.vault.transact(|tx| {
        let visit = tx.visit(id)?.ok_or_else(|| Problem::new("no_visit"))?;
        let registration = visit.registration.ok_or_else(|| Problem::new("draft_incomplete"))?;
        let paper = tx.paper(registration)?.ok_or_else(|| Problem::new("draft_incomplete"))?;
        act(tx, paper)
    })
}

pub(crate) fn visit_id(text: &str) -> Result<VisitId, Problem> {
    VisitId::parse(text).ok_or_else(|| Problem::new("no_visit"))
}

/// An open visit, whatever its state.
pub(crate) fn open(tx: &Tx<'_>, id: VisitId) -> Result<Visit, Problem> {
    match tx.visit(id)? {
        Some(visit) if visit.state != VisitState::Finished => Ok(visit),
        _ => Err(Problem::new("no_visit")),
    }
}

/// An open visit that whoever is at the counter may open.
pub(crate) fn ours(inner: &Inner, tx: &Tx<'_>, id: VisitId) -> Result<Visit, Problem> {
    let visit = open(tx, id)?;
    author::may_open(inner, tx, &visit)?;
    Ok(visit)
}

/// A visit of theirs that is still a draft.
pub(crate) fn draft(inner: &Inner, tx: &Tx<'_>, id: VisitId) -> Result<Visit, Problem> {
    let visit = ours(inner, tx, id)?;
    if visit.state == VisitState::Draft { Ok(visit) } else { Err(Problem::new("already_kept")) }
}

pub(crate) fn fields(visit: &Visit) -> DraftFields {
    serde_json::from_str(&visit.fields).unwrap_or_default()
}

/// What a draft says, or what stands in the way.
pub(crate) type Judged = Result<(Checked, Option<Party>), Vec<FieldProblem>>;

/// Judges a visit's draft as it would be registered today, under this id.
pub(crate) fn judged(
    inner: &Inner,
    tx: &Tx<'_>,
    (visit, fields): (VisitId, &DraftFields),
    id: RegistrationId,
) -> Result<Judged, VaultFailure> {
    let mut checked = match check::check(fields, inner.today()) {
        Ok(checked) => checked,
        Err(problems) => return Ok(Err(problems)),
    };
    if fields.renamed {
        checked.witness = second::here(inner, visit, fields).map(|second| second.mediator);
        if checked.witness.is_none() {
            return Ok(Err(vec![second::missing()]));
        }
    }
    let party = party::of(tx, checked.coming, id)?;
    Ok(party.map(|party| (checked, party)).map_err(|problem| vec![problem]))
}

/// Does the date of a kept visit serve nobody any more?
fn is_over(inner: &Inner, tx: &Tx<'_>, visit: &Visit) -> Result<bool, Problem> {
    let Some(id) = visit.registration.filter(|_| visit.state == VisitState::Kept) else { return Ok(false) };
    let token = tx.paper(id)?.and_then(|paper| paper.token);
    let at = token.as_deref().and_then(SignedToken::from_bytes).map(|signed| signed.token.at);
    Ok(tx.cancelled(id)?.is_some() || at.is_some_and(|at| at.date() < inner.today()))
}

pub(crate) fn problems(
    inner: &Inner,
    tx: &Tx<'_>,
    draft: (VisitId, &DraftFields),
) -> Result<Vec<FieldProblem>, VaultFailure> {
    // Whatever its id will be, the same stands in the way.
    Ok(judged(inner, tx, draft, RegistrationId([0; 16]))?.err().unwrap_or_default())
}

pub(crate) fn view(inner: &Inner, tx: &Tx<'_>, id: VisitId) -> Result<DraftView, Problem> {
    let visit = open(tx, id)?;
    let fields = fields(&visit);
    let pages = tx
        .pages(id)?
        .into_iter()
        .map(|page| PageView {
            id: page.id.to_string(),
            number: u32::from(page.number),
            thumbnail: page
                .thumbnail
                .map(|jpeg| format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
                .unwrap_or_default(),
        })
        .collect();
    let code = match visit.registration {
        Some(registration) => {
            tx.paper(registration)?.map(|paper| paper.registered.registration.code.to_string())
        }
        None => None,
    };
    Ok(DraftView {
        visit: id.to_string(),
        problems: problems(inner, tx, (id, &fields))?,
        renewal: renewal::view(&fields, inner.today()),
        second: second::here(inner, id, &fields).map(|second| second.name),
        fields,
        pages,
        saved: true,
        code,
    })
}

fn to_json(fields: &DraftFields) -> Result<String, Problem> {
    let text = serde_json::to_string(fields).map_err(|_| Problem::new("unknown"))?;
    if text.len() > DRAFT_BYTES {
        return Err(Problem::new("too_long").with("max", DRAFT_BYTES));
    }
    Ok(text)
}
