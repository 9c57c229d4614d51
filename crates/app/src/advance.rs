//! The person asks for an earlier date: one touch, kept in the journal, sent to the desk as a
//! task. Its answer, or its silence, is told with its day. Never moves the date given.

use crate::contract::{AdvanceState, AdvanceView, Problem};
use crate::kiosk::{Inner, Kiosk};
use crate::visit;
use domain::ids::RegistrationId;
use vault::{EntryState, Tx};
use wire::body::{AdvanceRequest, Body};

impl Kiosk {
    /// Asks for an earlier date than the one this visit has. While a request is open it is
    /// the same one; once answered, the person may ask again.
    ///
    /// # Errors
    /// Nobody has unlocked, the visit has no date yet, or it was given up.
    pub async fn ask_earlier(&self, visit: &str) -> Result<AdvanceView, Problem> {
        let id = visit::visit_id(visit)?;
        let view = self
            .off(move |inner| {
                visit::with_paper(inner, id, |tx, paper| {
                    let registration = paper.registered.registration.id;
                    let (mediator, at) = (inner.session()?.mediator, inner.now());
                    if tx.cancelled(registration)?.is_some_and(|cancelled| !cancelled.returning) {
                        return Err(Problem::new("cancelled"));
                    }
                    let open = tx.advance(registration)?.is_some_and(|advance| advance.answer.is_none());
                    if !open {
                        let request = AdvanceRequest { registration, mediator, at };
                        inner.append(tx, &Body::AdvanceRequest(request), at)?;
                        tx.ask_earlier(registration, at)?;
                    }
                    view(inner, tx, registration)?.ok_or_else(|| Problem::new("unknown"))
                })
            })
            .await?;
        self.inner.wake.notify_one();
        Ok(view)
    }
}

/// What became of a registration's request, if there is one.
pub(crate) fn view(inner: &Inner, tx: &Tx<'_>, id: RegistrationId) -> Result<Option<AdvanceView>, Problem> {
    let civil = |at| inner.civil(at).strftime("%Y-%m-%dT%H:%M").to_string();
    Ok(tx.advance(id)?.map(|advance| AdvanceView {
        asked_at: civil(advance.asked_at),
        state: match (advance.state, &advance.answer) {
            (_, Some(_)) => AdvanceState::Answered,
            (EntryState::Waiting, None) => AdvanceState::OnlyHere,
            (_, None) => AdvanceState::Received,
        },
        answered_at: advance.answer.as_ref().map(|(_, at)| civil(*at)),
        answer: advance.answer.map(|(text, _)| text),
    }))
}
