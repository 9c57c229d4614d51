//! The person gives their appointment up at the counter, or takes that back while their place
//! waits. Both are records; the slot goes to whoever is next, at central. Never cancels for
//! somebody who is not there: that is the mediator's word, and the record keeps whose.

use crate::contract::{CancelledView, DateView, Problem};
use crate::kiosk::{Inner, Kiosk};
use crate::visit;
use crate::{coming, keep};
use domain::ids::RegistrationId;
use domain::offer::{UNDO_DAYS, may_return};
use jiff::ToSpan as _;
use vault::Tx;
use wire::body::{Body, Cancellation, Reinstatement};

impl Kiosk {
    /// Cancels the appointment of a visit. Twice is once.
    ///
    /// # Errors
    /// Nobody has unlocked, or the visit has no date.
    pub async fn cancel(&self, visit: &str) -> Result<DateView, Problem> {
        self.come_or_go(visit, |inner, tx, id| {
            // Asked back meanwhile, and given up after all: said again.
            if tx.cancelled(id)?.is_some_and(|cancelled| !cancelled.returning) {
                return Ok(());
            }
            let (mediator, at) = (inner.session()?.mediator, inner.now());
            // They were received here: there is nothing left to give up.
            let appointment = tx.paper(id)?.as_ref().and_then(coming::appointment);
            let came = appointment.map(|at| tx.arrival(id, at)).transpose()?.flatten();
            if came.is_some() {
                return Err(Problem::new("word_honoured"));
            }
            tx.give_back(id)?;
            // Before the cancellation: where central has made the held slot the person's date, it
            // is theirs and the cancellation frees it.
            inner.give_back_cancelled(tx, id, at)?;
            tx.cancel(id, at)?;
            inner.append(tx, &Body::Cancellation(Cancellation { registration: id, mediator, at }), at)
        })
        .await
    }

    /// Takes a cancellation back: the registration time counts as before. Central gives the date,
    /// the one given up where nobody was asked about it yet, and it comes with an exchange.
    ///
    /// # Errors
    /// Nobody has unlocked, nothing was cancelled, or the days to come back are over.
    pub async fn reinstate(&self, visit: &str) -> Result<DateView, Problem> {
        self.come_or_go(visit, |inner, tx, id| {
            let cancelled = tx.cancelled(id)?.ok_or_else(|| Problem::new("not_cancelled"))?;
            if cancelled.annulled {
                return Err(Problem::new("annulled"));
            }
            if cancelled.returning {
                return Ok(());
            }
            if !may_return(inner.civil(cancelled.at).date(), inner.today()) {
                return Err(Problem::new("cancelled_too_long").with("days", UNDO_DAYS));
            }
            let (mediator, at) = (inner.session()?.mediator, inner.now());
            tx.ask_back(id)?;
            inner.append(tx, &Body::Reinstatement(Reinstatement { registration: id, mediator, at }), at)
        })
        .await
    }

    async fn come_or_go(
        &self,
        visit: &str,
        act: impl FnOnce(&Inner, &Tx<'_>, RegistrationId) -> Result<(), Problem> + Send + 'static,
    ) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let view = self
            .off(move |inner| {
                visit::with_paper(inner, id, |tx, paper| {
                    act(inner, tx, paper.registered.registration.id)?;
                    keep::date_view(inner, tx, id)
                })
            })
            .await?;
        self.inner.wake.notify_one();
        Ok(view)
    }
}

/// Since when an appointment is given up, and until when it may be taken up again.
pub(crate) fn view(inner: &Inner, tx: &Tx<'_>, id: RegistrationId) -> Result<Option<CancelledView>, Problem> {
    let Some(cancelled) = tx.cancelled(id)? else { return Ok(None) };
    let until = inner.civil(cancelled.at).date().saturating_add(UNDO_DAYS.days());
    Ok(Some(CancelledView {
        at: inner.civil(cancelled.at).strftime("%Y-%m-%dT%H:%M").to_string(),
        until: (inner.today() <= until && !cancelled.annulled).then(|| until.to_string()),
        returning: cancelled.returning,
        annulled: cancelled.annulled,
        elsewhere: tx.elsewhere(id)?,
    }))
}
