//! The person says at the counter that they will come: whatever was asked by their telephone or mail is
//! withdrawn. Kept without a network too; nothing is taken from anybody by it.

use crate::contract::{CancelAskedView, DateView, Problem, ToTellKind, ToTellView};
use crate::keep;
use crate::kiosk::{Inner, Kiosk};
use crate::visit;
use domain::ids::{RegistrationId, WordId};
use domain::token::SignedToken;
use domain::word::Word;
use jiff::civil::DateTime;
use vault::{Paper, Tx};
use wire::body::{Body, Said, WordNoted};
use wire::messages::CancelAsked;

/// People the home screen lists; the others follow as these are told.
const TO_TELL: u32 = 20;

impl Kiosk {
    /// Notes that the person of this visit will come. Twice is once.
    ///
    /// # Errors
    /// Nobody has unlocked, the visit has no date, or the appointment was given up.
    pub async fn say_coming(&self, visit: &str) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let view = self
            .off(move |inner| {
                visit::with_paper(inner, id, |tx, paper| {
                    comes(inner, tx, &paper)?;
                    keep::date_view(inner, tx, id)
                })
            })
            .await?;
        self.inner.wake.notify_one();
        Ok(view)
    }
}

fn comes(inner: &Inner, tx: &Tx<'_>, paper: &Paper) -> Result<(), Problem> {
    let registration = &paper.registered.registration;
    let id = registration.id;
    if tx.cancelled(id)?.is_some() {
        return Err(Problem::new("cancelled"));
    }
    let appointment = appointment(paper);
    let known = appointment.map(|at| tx.said_coming(id, at)).transpose()?.unwrap_or(false);
    if known && tx.asked(id)?.is_none() {
        return Ok(());
    }
    let (mediator, at) = (inner.session()?.mediator, inner.now());
    let (word, kiosk) = (WordId(inner.world.bytes()), inner.identity.kiosk);
    let (code, says) = (registration.code, Word::Come);
    let said = Said { id: word, registration: id, code, says, appointment, kiosk, mediator, at };
    tx.note_word(&said)?;
    tx.end_asked(id)?;
    inner.append(tx, &Body::Word(WordNoted { said, at }), at)
}

/// The hour on the paper; on a receipt the one it holds.
pub(crate) fn appointment(paper: &Paper) -> Option<DateTime> {
    let held = paper.registered.outcome.held().map(|held| held.token.0.as_slice());
    let token = paper.token.as_deref().or(held).and_then(SignedToken::from_bytes);
    token.map(|signed| signed.token.at)
}

/// The request to cancel that waits.
pub(crate) fn asked(
    inner: &Inner,
    tx: &Tx<'_>,
    id: RegistrationId,
) -> Result<Option<CancelAskedView>, Problem> {
    Ok(tx.asked(id)?.map(|asked| shown(inner, &asked)))
}

pub(crate) fn shown(inner: &Inner, asked: &CancelAsked) -> CancelAskedView {
    let civil = |at| inner.civil(at).strftime("%Y-%m-%dT%H:%M").to_string();
    CancelAskedView { channel: asked.channel.key().to_owned(), at: civil(asked.at), due: civil(asked.due) }
}

/// People this kiosk registered whose appointment is to be cancelled unless they say otherwise.
pub(crate) fn to_tell(inner: &Inner, tx: &Tx<'_>) -> Result<Vec<ToTellView>, Problem> {
    let mut people = Vec::new();
    for id in tx.all_asked(TO_TELL)? {
        let (Some(paper), Some(visit), Some(asked)) = (tx.paper(id)?, tx.visit_of(id)?, tx.asked(id)?) else {
            continue;
        };
        let Some(at) = appointment(&paper).filter(|at| at.date() >= inner.today()) else { continue };
        let told = paper.registered.registration;
        people.push(ToTellView {
            kind: ToTellKind::CancelAsked,
            visit: visit.to_string(),
            name: told.applicant.name_as_printed(),
            phone: told.applicant.contact.phone,
            lang: told.lang,
            slot_at: at.strftime("%Y-%m-%dT%H:%M").to_string(),
            until: inner.civil(asked.due).date().to_string(),
        });
    }
    Ok(people)
}
