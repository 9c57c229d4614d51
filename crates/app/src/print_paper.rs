//! Printing a kept paper. The attempt is journalled before the first byte goes out;
//! *sent* and *printed* are two states, and *taken* is nobody's to claim.
//!
//! After a crash paper is made without asking only when no byte can have gone out;
//! otherwise the attempt is looked for at the printer, else the mediator is asked once.

use crate::contract::{PrintState, PrintView, Problem};
use crate::kiosk::{Inner, Kiosk, blocking};
use crate::print_job::Live;
use crate::{paper, visit};
use domain::code::FollowUpCode;
use domain::ids::{AttemptId, RegistrationId, VisitId};
use domain::planted;
use seal::keys::sha256;
use std::sync::Arc;
use vault::{Attempt, AttemptState};
use wire::body::{Body, Print, PrintOutcome};

impl Kiosk {
    /// Prints the paper of a visit, once. A paper on its way is followed, never sent
    /// twice; a failed one is sent again under a new attempt.
    ///
    /// # Errors
    /// No printer is set up, or the visit has no date.
    pub async fn print(&self, visit: &str) -> Result<PrintView, Problem> {
        let id = visit::visit_id(visit)?;
        let registration = self.registration(id).await?;
        // Two who ask at once send one paper.
        let _one = self.inner.printing.lock().await;
        self.print_once(registration).await
    }

    async fn print_once(&self, registration: RegistrationId) -> Result<PrintView, Problem> {
        self.stands(registration).await?;
        if self.inner.printer.is_none() {
            return Err(Problem::new("no_printer"));
        }
        let running = self.live(registration).is_some_and(|live| live.running);
        if !running {
            let last = self.last_attempt(registration).await?;
            match last.as_ref().map(|attempt| attempt.state) {
                None => self.send(registration).await?,
                Some(AttemptState::Failed) => {
                    self.withdraw(last.as_ref()).await?;
                    self.send(registration).await?;
                }
                Some(_) if planted::on("attempt_sent_again") => self.send(registration).await?,
                // This very paper is out already; another (a rank became a date) is not.
                Some(AttemptState::Printed) if self.is_out(registration, last.clone()).await? => {}
                Some(AttemptState::Printed) => self.send(registration).await?,
                Some(AttemptState::Attempted | AttemptState::Sent) => self.look_for(last).await?,
            }
        }
        self.print_view(registration).await
    }

    /// Prints a paper that is out already once more, with the same seal: it was lost, or the
    /// person asks for it. A paper on its way, or one nobody can tell about, is not doubled.
    ///
    /// # Errors
    /// No printer is set up, or the visit has no date.
    pub async fn reprint(&self, visit: &str) -> Result<PrintView, Problem> {
        let id = visit::visit_id(visit)?;
        let registration = self.registration(id).await?;
        self.stands(registration).await?;
        let _one = self.inner.printing.lock().await;
        let last = self.last_attempt(registration).await?.map(|attempt| attempt.state);
        let running = self.live(registration).is_some_and(|live| live.running);
        if self.inner.printer.is_some() && !running && last == Some(AttemptState::Printed) {
            self.send(registration).await?;
            return self.print_view(registration).await;
        }
        self.print_once(registration).await
    }

    /// # Errors
    /// The visit has no date, or the vault fails.
    pub async fn print_status(&self, visit: &str) -> Result<PrintView, Problem> {
        let registration = self.registration(visit::visit_id(visit)?).await?;
        self.print_view(registration).await
    }

    /// The mediator says whether the paper came out: when nobody else can tell, or when the printer said
    /// *complete* and nothing came. Said once for an attempt.
    ///
    /// # Errors
    /// Nothing was asked, or the vault fails.
    pub async fn answer_print(&self, visit: &str, came_out: bool) -> Result<PrintView, Problem> {
        let registration = self.registration(visit::visit_id(visit)?).await?;
        let attempt = self.last_attempt(registration).await?.ok_or_else(|| Problem::new("no_visit"))?;
        let live = self.live(registration);
        let asked = match attempt.state {
            AttemptState::Attempted | AttemptState::Sent => true,
            // The printer's word, not a person's.
            AttemptState::Printed => !came_out && !live.as_ref().is_some_and(|live| live.said),
            AttemptState::Failed => false,
        };
        if asked && !live.is_some_and(|live| live.running) {
            let outcome = if came_out { PrintOutcome::SaidPrinted } else { PrintOutcome::SaidNotPrinted };
            self.off(move |inner| inner.note(&attempt, outcome, None)).await?;
            self.put_live(Live { said: true, ..Live::of(registration) });
        }
        self.print_view(registration).await
    }

    /// Writes the attempt, then sends and follows in the background.
    async fn send(&self, registration: RegistrationId) -> Result<(), Problem> {
        let (attempt, pdf) = self.off(move |inner| inner.attempt(registration)).await?;
        self.put_live(Live { running: true, ..Live::of(registration) });
        let kiosk = self.clone();
        // In the background, each paper by itself: a printer that waits holds up nobody.
        tokio::spawn(async move { kiosk.submit(attempt, pdf).await });
        Ok(())
    }

    /// Is the paper that would be printed now, byte for byte, the one that came out?
    async fn is_out(&self, registration: RegistrationId, last: Option<Attempt>) -> Result<bool, Problem> {
        self.off(move |inner| {
            let paper = inner.vault.read(|tx| tx.paper(registration))?;
            let paper = paper.ok_or_else(|| Problem::new("draft_incomplete"))?;
            let now = sha256(&[&paper::render(inner, &paper)?]);
            Ok(last.is_some_and(|attempt| attempt.sha256 == now))
        })
        .await
    }

    /// The PDF of a kept paper by its follow-up code: what a print sends, byte for byte.
    ///
    /// # Errors
    /// No paper of this kiosk has this code.
    pub async fn paper_pdf(&self, code: &str) -> Result<Vec<u8>, Problem> {
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
        self.off(move |inner| {
            let paper = inner.vault.read(|tx| tx.paper_by_code(code))?;
            paper::render(inner, &paper.ok_or_else(|| Problem::new("paper_not_here"))?)
        })
        .await
    }

    /// Whoever is at the counter says that a paper, printed elsewhere from its PDF, was handed over:
    /// noted as the answer *it came out* is, and the visit is finished.
    ///
    /// # Errors
    /// Nobody has unlocked, no paper of this kiosk has this code, or its appointment was given up.
    pub async fn handed_over(&self, code: &str) -> Result<(), Problem> {
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
        let _one = self.inner.printing.lock().await;
        let paper = self.off(move |inner| Ok(inner.vault.read(|tx| tx.paper_by_code(code))?)).await?;
        let registration = paper.ok_or_else(|| Problem::new("paper_not_here"))?.registered.registration.id;
        self.stands(registration).await?;
        self.off(|inner| inner.session().map(|_| ())).await?;
        if self.live(registration).is_some_and(|live| live.running) {
            return Err(Problem::new("printer_busy"));
        }
        let last = self.last_attempt(registration).await?;
        if !self.is_out(registration, last.clone().filter(|last| last.state == AttemptState::Printed)).await?
        {
            self.off(move |inner| {
                let on_its_way =
                    |last: &Attempt| matches!(last.state, AttemptState::Attempted | AttemptState::Sent);
                let attempt = match last.filter(on_its_way) {
                    Some(attempt) => attempt,
                    None => inner.attempt(registration)?.0,
                };
                inner.note(&attempt, PrintOutcome::SaidPrinted, None)
            })
            .await?;
        }
        let visit = self.off(move |inner| Ok(inner.vault.read(|tx| tx.visit_of(registration))?)).await?;
        match visit {
            Some(visit) => self.finish_visit(&visit.to_string()).await,
            None => Ok(()),
        }
    }

    /// No paper is made of an appointment that was given up.
    async fn stands(&self, registration: RegistrationId) -> Result<(), Problem> {
        match self.off(move |inner| Ok(inner.vault.read(|tx| tx.cancelled(registration))?)).await? {
            Some(_) => Err(Problem::new("cancelled")),
            None => Ok(()),
        }
    }

    async fn registration(&self, id: VisitId) -> Result<RegistrationId, Problem> {
        self.off(move |inner| {
            inner
                .vault
                .read(|tx| tx.visit(id))?
                .ok_or_else(|| Problem::new("no_visit"))?
                .registration
                .ok_or_else(|| Problem::new("draft_incomplete"))
        })
        .await
    }

    async fn last_attempt(&self, registration: RegistrationId) -> Result<Option<Attempt>, Problem> {
        self.off(move |inner| Ok(inner.vault.read(|tx| tx.last_attempt(registration))?)).await
    }

    async fn print_view(&self, registration: RegistrationId) -> Result<PrintView, Problem> {
        let live = self.live(registration);
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let (paper, last) = inner.vault.read(|tx| {
                Ok::<_, vault::VaultFailure>((tx.paper(registration)?, tx.last_attempt(registration)?))
            })?;
            let paper = paper.ok_or_else(|| Problem::new("draft_incomplete"))?;
            let state = state(last.as_ref(), live.as_ref());
            Ok(PrintView {
                code: paper.registered.registration.code.to_string(),
                attempt: last.as_ref().map(|attempt| attempt.id.to_string()).unwrap_or_default(),
                state,
                job_id: last.as_ref().and_then(|attempt| attempt.job),
                bytes: last.as_ref().map_or(0, |attempt| attempt.bytes),
                sha256: last.as_ref().map(|attempt| attempt.sha256.to_string()).unwrap_or_default(),
                said: live.as_ref().is_some_and(|live| live.said),
                problem: live.and_then(|live| live.waiting),
            })
        })
        .await
    }
}

fn state(last: Option<&Attempt>, live: Option<&Live>) -> PrintState {
    match (last.map(|attempt| attempt.state), live) {
        (None, _) => PrintState::NotSent,
        // Written, and what there is to say of it not told yet: it ends with the next look.
        (Some(AttemptState::Printed | AttemptState::Failed), Some(Live { running: true, .. })) => {
            PrintState::Sent
        }
        (Some(AttemptState::Printed), _) => PrintState::Printed,
        (Some(AttemptState::Failed), _) => PrintState::Failed,
        (Some(_), Some(Live { ask: true, .. })) => PrintState::Ask,
        (Some(_), Some(Live { waiting: Some(_), running: true, .. })) => PrintState::Waiting,
        (Some(AttemptState::Sent), Some(Live { running: true, .. })) => PrintState::Sent,
        // Not all bytes are there yet.
        // Or left by an earlier run of the program: `print` looks for it.
        (Some(_), _) => PrintState::NotSent,
    }
}

impl Inner {
    /// A new attempt and its page; the mediator at the counter began it.
    fn attempt(&self, registration: RegistrationId) -> Result<(Attempt, Vec<u8>), Problem> {
        self.session()?;
        let paper =
            self.vault.read(|tx| tx.paper(registration))?.ok_or_else(|| Problem::new("draft_incomplete"))?;
        let paper = if planted::on("resealed_on_print") { paper::again(self, paper)? } else { paper };
        let pdf = paper::render(self, &paper)?;
        let attempt = Attempt {
            id: AttemptId(self.world.bytes()),
            registration,
            state: AttemptState::Attempted,
            job: None,
            sha256: sha256(&[&pdf]),
            bytes: u32::try_from(pdf.len()).unwrap_or(u32::MAX),
        };
        self.begin(&attempt)?;
        Ok((attempt, pdf))
    }

    /// The attempt, on the disk before any byte goes out.
    fn begin(&self, attempt: &Attempt) -> Result<(), Problem> {
        let at = self.now();
        let body = self.print_body(attempt, PrintOutcome::Attempted)?;
        self.vault.transact(|tx| {
            tx.add_attempt(attempt, at.as_second())?;
            self.append(tx, &body, at)?;
            Ok(())
        })
    }

    pub(crate) fn note(
        &self,
        attempt: &Attempt,
        outcome: PrintOutcome,
        job: Option<i32>,
    ) -> Result<(), Problem> {
        let state = match outcome {
            PrintOutcome::Attempted => AttemptState::Attempted,
            PrintOutcome::Printed | PrintOutcome::SaidPrinted => AttemptState::Printed,
            PrintOutcome::Failed | PrintOutcome::SaidNotPrinted => AttemptState::Failed,
        };
        let body = self.print_body(attempt, outcome)?;
        let at = self.now();
        self.vault.transact(|tx| {
            tx.set_attempt(attempt.id, state, job)?;
            self.append(tx, &body, at)?;
            if state == AttemptState::Printed {
                self.give_back_held(tx, attempt, at)?;
            }
            Ok(())
        })
    }

    fn print_body(&self, attempt: &Attempt, state: PrintOutcome) -> Result<Body, Problem> {
        // A job may end after its mediator has locked: the record keeps who began it.
        let mediator = match self.session() {
            Ok(session) => session.mediator,
            Err(_) => {
                let paper = self.vault.read(|tx| tx.paper(attempt.registration))?;
                paper.ok_or_else(|| Problem::new("no_session"))?.registered.registration.mediator
            }
        };
        Ok(Body::Print(Print {
            registration: attempt.registration,
            attempt: attempt.id,
            state,
            sha256: attempt.sha256,
            mediator,
            at: self.now(),
        }))
    }
}
