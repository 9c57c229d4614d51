//! The préfecture means to annul an appointment: the person is told at the counter and handed the
//! reasons on paper, with the day until which they can answer. The date holds meanwhile. No screen
//! shows the reasons, and nobody counts as told before the notice is in their hands.

use crate::contract::{AnnulmentView, DateView, Problem, ToTellKind, ToTellView};
use crate::keep;
use crate::kiosk::{Inner, Kiosk, lock};
use crate::visit;
use domain::annulment::until;
use domain::ids::{AttemptId, RegistrationId, VisitId};
use domain::token::SignedToken;
use jiff::civil::{Date, DateTime};
use l10n::Lang;
use letter::{Fonts, Notice};
use vault::{Annulment, Paper, Tx};
use wire::body::{AnnulmentTold, Body};

/// People the home screen lists; the others follow as these are told.
const TO_TELL: usize = 20;

/// A proposal, and whom it is about.
struct Standing {
    registration: RegistrationId,
    paper: Paper,
    annulment: Annulment,
    at: DateTime,
}

impl Kiosk {
    /// Prints the notice for the person of a visit, and waits until it is out. It may be printed again.
    ///
    /// # Errors
    /// Nobody has unlocked, nothing is proposed, or no notice came out.
    pub async fn print_notice(&self, visit: &str) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let (pdf, annulment, until, attempt) = self
            .off(move |inner| {
                inner.session()?;
                inner.day_is_known()?;
                let standing = inner.vault.read(|tx| standing(inner, tx, id))?;
                // Once told, the day that was told: central counts by that one.
                let until = shown_until(inner, &standing.annulment);
                let notice = notice(inner, &standing, until);
                let mut fonts = lock(&inner.fonts);
                let pdf = letter::render_notice(fonts.get_or_insert_with(Fonts::new), &notice)?;
                Ok((pdf, standing.annulment.id, until, AttemptId(inner.world.bytes())))
            })
            .await?;
        self.page_out(&pdf, attempt).await?;
        self.off(move |inner| {
            inner.vault.transact(|tx| {
                tx.note_notice(annulment, until)?;
                keep::date_view(inner, tx, id)
            })
        })
        .await
    }

    /// The mediator says that the printed notice is in the person's hands: from now on they count as
    /// told, with the day that stands on it. Twice is once.
    ///
    /// # Errors
    /// Nobody has unlocked, nothing is proposed, or no notice was printed.
    pub async fn hand_notice(&self, visit: &str) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let view = self
            .off(move |inner| {
                let mediator = inner.session()?.mediator;
                inner.day_is_known()?;
                inner.vault.transact(|tx| {
                    let Standing { registration, annulment, .. } = standing(inner, tx, id)?;
                    let until =
                        printed(inner, &annulment).ok_or_else(|| Problem::new("notice_not_printed"))?;
                    if annulment.told.is_none() {
                        let at = inner.now();
                        let told =
                            AnnulmentTold { registration, annulment: annulment.id, until, mediator, at };
                        tx.note_told(annulment.id, at)?;
                        inner.append(tx, &Body::AnnulmentTold(told), at)?;
                    }
                    keep::date_view(inner, tx, id)
                })
            })
            .await?;
        self.inner.wake.notify_one();
        Ok(view)
    }
}

/// What is proposed about the appointment of a visit.
fn standing(inner: &Inner, tx: &Tx<'_>, id: VisitId) -> Result<Standing, Problem> {
    let visit = tx.visit(id)?.ok_or_else(|| Problem::new("no_visit"))?;
    let registration = visit.registration.ok_or_else(|| Problem::new("no_annulment"))?;
    of(inner, tx, registration)?.ok_or_else(|| Problem::new("no_annulment"))
}

/// The same by registration; none once it is over, or the day of the appointment has come.
fn of(inner: &Inner, tx: &Tx<'_>, registration: RegistrationId) -> Result<Option<Standing>, Problem> {
    let Some(annulment) = tx.annulment(registration)? else { return Ok(None) };
    let Some(paper) = tx.paper(registration)? else { return Ok(None) };
    if tx.cancelled(registration)?.is_some() {
        return Ok(None);
    }
    let held = paper.registered.outcome.held().map(|held| held.token.0.as_slice());
    let token = paper.token.as_deref().or(held).and_then(SignedToken::from_bytes);
    let Some(at) = token.map(|token| token.token.at).filter(|at| at.date() > inner.today()) else {
        return Ok(None);
    };
    Ok(Some(Standing { registration, paper, annulment, at }))
}

/// What the screen shows of it: no reasons.
pub(crate) fn view(inner: &Inner, tx: &Tx<'_>, id: RegistrationId) -> Result<Option<AnnulmentView>, Problem> {
    Ok(of(inner, tx, id)?.map(|standing| AnnulmentView {
        until: shown_until(inner, &standing.annulment).to_string(),
        printed: printed(inner, &standing.annulment).is_some(),
        told_at: standing.annulment.told.map(|at| inner.civil(at).strftime("%Y-%m-%dT%H:%M").to_string()),
    }))
}

/// The day on the notice that was printed; none while there is none, or one of days ago that would
/// leave less time than one of today.
fn printed(inner: &Inner, annulment: &Annulment) -> Option<Date> {
    let least = until(annulment.answer_by, inner.today());
    annulment.printed_until.filter(|day| annulment.told.is_some() || *day >= least)
}

/// That day, or the one a notice printed today would bear.
fn shown_until(inner: &Inner, annulment: &Annulment) -> Date {
    printed(inner, annulment).unwrap_or_else(|| until(annulment.answer_by, inner.today()))
}

/// People this kiosk registered who are still to be told.
pub(crate) fn to_tell(inner: &Inner, tx: &Tx<'_>) -> Result<Vec<ToTellView>, Problem> {
    let mut people = Vec::new();
    for id in tx.annulments_to_tell()? {
        if people.len() == TO_TELL {
            break;
        }
        let (Some(standing), Some(visit)) = (of(inner, tx, id)?, tx.visit_of(id)?) else { continue };
        let until = shown_until(inner, &standing.annulment).to_string();
        let told = standing.paper.registered.registration;
        people.push(ToTellView {
            kind: ToTellKind::Annulment,
            visit: visit.to_string(),
            lang: told.lang,
            name: told.applicant.name_as_printed(),
            phone: told.applicant.contact.phone,
            slot_at: standing.at.strftime("%Y-%m-%dT%H:%M").to_string(),
            until,
        });
    }
    Ok(people)
}

fn notice(inner: &Inner, standing: &Standing, until: Date) -> Notice {
    let registration = &standing.paper.registered.registration;
    let site = &inner.identity.told().site;
    Notice {
        lang: Lang::parse(&registration.lang).unwrap_or(Lang::FRENCH),
        name: registration.applicant.name_as_printed(),
        code: registration.code.to_string(),
        at: standing.at,
        site_name: site.name.clone(),
        site_address: site.address.clone(),
        site_phone: site.phone.clone(),
        until,
        reasons: standing.annulment.reasons.clone(),
        issued_at: inner.civil(inner.now()),
    }
}
