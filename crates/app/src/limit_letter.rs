//! A person whose date lies after the last day they declared takes a letter beside their convocation: for
//! them, and for them to send to the préfecture. It says that the préfecture was told only where central's
//! word says so, and with the time this kiosk heard it.

use crate::contract::{DateView, LimitLetterView, Problem};
use crate::keep;
use crate::kiosk::{Inner, Kiosk, lock};
use crate::visit;
use domain::code::FollowUpCode;
use domain::ids::{AttemptId, RegistrationId, VisitId};
use domain::token::{SignedToken, SlotToken};
use jiff::Timestamp;
use l10n::Lang;
use letter::{Fonts, LimitLetter};
use vault::{LimitSaid, Paper, Tx};
use wire::body::{Body, Outcome};

/// A letter that is due, and what it says.
struct Due {
    paper: Paper,
    token: SlotToken,
    said: LimitSaid,
}

impl Kiosk {
    /// Prints the letter for the person of a visit, and waits until it is out. It may be printed again.
    ///
    /// # Errors
    /// Nobody has unlocked, no letter is due, or none came out.
    pub async fn print_limit_letter(&self, visit: &str) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let (pdf, registration, said, attempt) = self
            .off(move |inner| {
                inner.session()?;
                inner.day_is_known()?;
                let due = inner.vault.read(|tx| due_of(inner, tx, id))?;
                let pdf = render(inner, &due)?;
                Ok((pdf, due.paper.registered.registration.id, due.said, AttemptId(inner.world.bytes())))
            })
            .await?;
        self.page_out(&pdf, attempt).await?;
        self.off(move |inner| {
            inner.vault.transact(|tx| {
                tx.note_limit_letter(registration, &said)?;
                keep::date_view(inner, tx, id)
            })
        })
        .await
    }

    /// The mediator says that the printed letter is in the person's hands. Twice is once.
    ///
    /// # Errors
    /// Nobody has unlocked, no letter is due, or none that says what is known now was printed.
    pub async fn hand_limit_letter(&self, visit: &str) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        self.off(move |inner| {
            inner.session()?;
            inner.vault.transact(|tx| {
                let Due { paper, said, .. } = due_of(inner, tx, id)?;
                let registration = paper.registered.registration.id;
                if tx.limit_letter(registration, &said)?.is_none() {
                    return Err(Problem::new("limit_letter_not_printed"));
                }
                tx.hand_limit_letter(registration, inner.now())?;
                keep::date_view(inner, tx, id)
            })
        })
        .await
    }

    /// The letter's PDF by the follow-up code on the paper, as of now.
    ///
    /// # Errors
    /// No paper of this kiosk has this code, or no letter is due.
    pub async fn limit_letter_pdf(&self, code: &str) -> Result<Vec<u8>, Problem> {
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
        self.off(move |inner| {
            let due = inner.vault.read(|tx| {
                let paper = tx.paper_by_code(code)?.ok_or_else(|| Problem::new("paper_not_here"))?;
                due(inner, tx, paper)?.ok_or_else(|| Problem::new("no_limit_letter"))
            })?;
            render(inner, &due)
        })
        .await
    }
}

/// What the screen shows of it.
pub(crate) fn view(inner: &Inner, tx: &Tx<'_>, paper: &Paper) -> Result<Option<LimitLetterView>, Problem> {
    let Some(Due { paper, said, .. }) = due(inner, tx, paper.clone())? else { return Ok(None) };
    let printed = tx.limit_letter(paper.registered.registration.id, &said)?;
    let civil = |at| inner.civil(at).strftime("%Y-%m-%dT%H:%M").to_string();
    Ok(Some(LimitLetterView {
        told_at: said.told.map(civil),
        printed: printed.is_some(),
        handed_at: printed.flatten().map(civil),
    }))
}

fn due_of(inner: &Inner, tx: &Tx<'_>, id: VisitId) -> Result<Due, Problem> {
    let visit = tx.visit(id)?.ok_or_else(|| Problem::new("no_visit"))?;
    let registration = visit.registration.ok_or_else(|| Problem::new("no_limit_letter"))?;
    let paper = tx.paper(registration)?.ok_or_else(|| Problem::new("no_limit_letter"))?;
    due(inner, tx, paper)?.ok_or_else(|| Problem::new("no_limit_letter"))
}

/// The letter of a date after the last day; none once the appointment is given up or its day over, nor
/// while an offer that serves the limit waits for the person's answer.
fn due(inner: &Inner, tx: &Tx<'_>, paper: Paper) -> Result<Option<Due>, Problem> {
    let registration = &paper.registered.registration;
    let (Some(limit), Some(signed)) =
        (&registration.limit, paper.token.as_deref().and_then(SignedToken::from_bytes))
    else {
        return Ok(None);
    };
    let (id, at, last_day) = (registration.id, signed.token.at, limit.last_day);
    if at.date() <= last_day || at.date() < inner.today() || tx.cancelled(id)?.is_some() {
        return Ok(None);
    }
    let served =
        tx.offer(id)?.is_some_and(|offer| offer.until >= inner.today() && offer.at.date() <= last_day);
    if served {
        return Ok(None);
    }
    let told = told(tx, id)?;
    Ok(Some(Due { token: signed.token, said: LimitSaid { at, last_day, told }, paper }))
}

/// Since when this kiosk knows that central has a date after this limit: it tells the préfecture in the
/// same transaction, and another date after it is no news. None while it does not know.
fn told(tx: &Tx<'_>, id: RegistrationId) -> Result<Option<Timestamp>, Problem> {
    let day = |token: &[u8]| SignedToken::from_bytes(token).map(|signed| signed.token.at.date());
    let (mut last_day, mut date, mut since) = (None, None, None);
    for (body, said) in tx.all_said(id)? {
        let heard = match body {
            Body::Registration(told) => {
                last_day = told.registration.limit.map(|limit| limit.last_day);
                date = told.outcome.token().and_then(day);
                match told.outcome {
                    // Its answer gave the date.
                    Outcome::Online { .. } => Some(said.at),
                    Outcome::Lease { .. } | Outcome::Rank { .. } => said.applied,
                }
            }
            // Heard from it.
            Body::Dated(dated) => {
                date = day(&dated.token.0);
                Some(said.at)
            }
            Body::Limit(later) => {
                // Of another day the préfecture hears anew.
                if last_day.replace(later.limit.last_day) != Some(later.limit.last_day) {
                    since = None;
                }
                said.applied
            }
            _ => continue,
        };
        let late = last_day.zip(date).is_some_and(|(last_day, date)| date > last_day);
        since = since.or(heard).filter(|_| late);
    }
    Ok(since)
}

fn render(inner: &Inner, due: &Due) -> Result<Vec<u8>, Problem> {
    let registration = &due.paper.registered.registration;
    let known = inner.identity.told();
    let at_site = known.site_of(&due.token.site).ok_or_else(|| Problem::new("site_unknown"))?;
    let ranked_at = due.paper.transfer.as_ref().and_then(|taken| taken.ranked_at);
    let letter = LimitLetter {
        lang: Lang::parse(&registration.lang).unwrap_or(Lang::FRENCH),
        name: registration.applicant.name_as_printed(),
        code: registration.code.to_string(),
        at: due.said.at,
        at_site: at_site.name.clone(),
        registered_at: inner.civil(ranked_at.unwrap_or(registration.registered_at)),
        last_day: due.said.last_day,
        told_at: due.said.told.map(|at| inner.civil(at)),
        site_name: known.site.name.clone(),
        site_address: known.site.address.clone(),
        site_phone: known.site.phone.clone(),
        issued_at: inner.civil(inner.now()),
    };
    let mut fonts = lock(&inner.fonts);
    Ok(letter::render_limit_letter(fonts.get_or_insert_with(Fonts::new), &letter)?)
}
