//! Printing a kept paper. The attempt is journalled before the first byte goes out;
//! *sent* and *printed* are two states, and *taken* is nobody's to claim.
//!
//! After a crash paper is made without asking only when no byte can have gone out;
//! otherwise the attempt is looked for at the printer, else the mediator is asked once.

use crate::contract::{PrintState, PrintView, Problem};
use crate::kiosk::{Inner, Kiosk, blocking, lock};
use crate::{paper, visit};
use domain::code::FollowUpCode;
use domain::ids::{AttemptId, RegistrationId, VisitId};
use domain::planted;
use print::{JobId, JobState, PrintRefusal, Printer as _};
use seal::keys::sha256;
use std::sync::Arc;
use std::time::Duration;
use vault::{Attempt, AttemptState};
use wire::body::{Body, Print, PrintOutcome};

/// Longest a job is followed: a person may have to bring paper.
const FOLLOW_LIMIT: Duration = Duration::from_secs(20 * 60);
/// A state asked for once, between two looks.
const GLANCE: Duration = Duration::from_secs(2);

/// What this process knows of the job it is following.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    registration: RegistrationId,
    /// What the printer waits for, if it does.
    waiting: Option<Problem>,
    /// Nobody can tell whether paper came out.
    ask: bool,
    /// The job is being sent or followed now.
    running: bool,
}

impl Kiosk {
    /// Prints the paper of a visit, once. A paper on its way is followed, never sent
    /// twice; a failed one is sent again under a new attempt.
    ///
    /// # Errors
    /// No printer is set up, or the visit has no date.
    pub async fn print(&self, visit: &str) -> Result<PrintView, Problem> {
        let id = visit::visit_id(visit)?;
        let registration = self.registration(id).await?;
        if self.inner.printer.is_none() {
            return Err(Problem::new("no_printer"));
        }
        let running = self.live(registration).is_some_and(|live| live.running);
        if !running {
            let last = self.last_attempt(registration).await?;
            match last.as_ref().map(|attempt| attempt.state) {
                None | Some(AttemptState::Failed) => self.send(registration).await?,
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
        let last = self.last_attempt(registration).await?.map(|attempt| attempt.state);
        let running = self.live(registration).is_some_and(|live| live.running);
        if self.inner.printer.is_some() && !running && last == Some(AttemptState::Printed) {
            self.send(registration).await?;
            return self.print_view(registration).await;
        }
        self.print(visit).await
    }

    /// # Errors
    /// The visit has no date, or the vault fails.
    pub async fn print_status(&self, visit: &str) -> Result<PrintView, Problem> {
        let registration = self.registration(visit::visit_id(visit)?).await?;
        self.print_view(registration).await
    }

    /// The mediator says whether the paper came out.
    ///
    /// # Errors
    /// Nothing was asked, or the vault fails.
    pub async fn answer_print(&self, visit: &str, came_out: bool) -> Result<PrintView, Problem> {
        let registration = self.registration(visit::visit_id(visit)?).await?;
        let attempt = self.last_attempt(registration).await?.ok_or_else(|| Problem::new("no_visit"))?;
        if !self.live(registration).is_some_and(|live| live.running)
            && matches!(attempt.state, AttemptState::Attempted | AttemptState::Sent)
        {
            let outcome = if came_out { PrintOutcome::SaidPrinted } else { PrintOutcome::SaidNotPrinted };
            self.off(move |inner| inner.note(&attempt, outcome, None)).await?;
            self.set_live(registration, |live| live.ask = false);
        }
        self.print_view(registration).await
    }

    /// Writes the attempt, then sends and follows in the background.
    async fn send(&self, registration: RegistrationId) -> Result<(), Problem> {
        let (attempt, pdf) = self
            .off(move |inner| {
                inner.session()?;
                let paper = inner
                    .vault
                    .read(|tx| tx.paper(registration))?
                    .ok_or_else(|| Problem::new("draft_incomplete"))?;
                let paper =
                    if planted::on("resealed_on_print") { paper::again(inner, paper)? } else { paper };
                let pdf = paper::render(inner, &paper)?;
                let attempt = Attempt {
                    id: AttemptId(inner.world.bytes()),
                    registration,
                    state: AttemptState::Attempted,
                    job: None,
                    sha256: sha256(&[&pdf]),
                    bytes: u32::try_from(pdf.len()).unwrap_or(u32::MAX),
                };
                inner.begin(&attempt)?;
                Ok((attempt, pdf))
            })
            .await?;
        *lock(&self.inner.live) = Some(Live { registration, waiting: None, ask: false, running: true });
        let kiosk = self.clone();
        tokio::spawn(async move {
            let _one = kiosk.inner.printing.lock().await;
            kiosk.submit(attempt, pdf).await;
        });
        Ok(())
    }

    async fn submit(&self, attempt: Attempt, pdf: Vec<u8>) {
        let (Some(printer), Ok(name)) =
            (&self.inner.printer, print::AttemptId::parse(&attempt.id.to_string()))
        else {
            return;
        };
        match printer.submit(&pdf, &name).await {
            Ok(job) => self.follow(attempt, job).await,
            Err(refusal) if refusal.may_have_arrived() => {
                let found = printer.find(&name).await.ok().flatten();
                match found {
                    Some(found) => self.follow(attempt, found.job).await,
                    None => self.end(&attempt, None, Some(refusal.into())).await,
                }
            }
            Err(refusal) => self.end(&attempt, Some(PrintOutcome::Failed), Some(refusal.into())).await,
        }
    }

    async fn follow(&self, attempt: Attempt, job: JobId) {
        let Some(printer) = &self.inner.printer else { return };
        let sent = attempt.id;
        let kept = self
            .off(move |inner| {
                Ok(inner.vault.transact::<_, vault::VaultFailure>(|tx| {
                    tx.set_attempt(sent, AttemptState::Sent, Some(job.0))
                })?)
            })
            .await;
        if kept.is_err() {
            return self.end(&attempt, None, kept.err()).await;
        }
        let registration = attempt.registration;
        let watch = self.clone();
        let state = printer
            .follow(job, FOLLOW_LIMIT, move |state| {
                let waiting = match state {
                    JobState::Stopped { reasons } => Some(stopped(reasons)),
                    _ => None,
                };
                watch.set_live(registration, |live| live.waiting = waiting);
            })
            .await;
        match state {
            Ok(JobState::Completed) => self.end(&attempt, Some(PrintOutcome::Printed), None).await,
            Ok(JobState::Aborted { reasons }) => {
                let _ = printer.cancel(job).await;
                self.end(&attempt, Some(PrintOutcome::Failed), Some(aborted(&reasons))).await;
            }
            Ok(JobState::Cancelled) => {
                self.end(&attempt, Some(PrintOutcome::Failed), Some(Problem::new("printer_aborted"))).await;
            }
            // It stopped answering, or forgot the job: paper may be out.
            Ok(_) | Err(_) => self.end(&attempt, None, None).await,
        }
    }

    /// The job is over, one way or the other; without an outcome the mediator is asked.
    async fn end(&self, attempt: &Attempt, outcome: Option<PrintOutcome>, problem: Option<Problem>) {
        let registration = attempt.registration;
        let mut asked = outcome.is_none();
        if let Some(outcome) = outcome {
            let attempt = attempt.clone();
            let noted = self.off(move |inner| inner.note(&attempt, outcome, None)).await;
            asked = noted.is_err();
        }
        self.set_live(registration, |live| {
            live.running = false;
            live.ask = asked;
            live.waiting = problem;
        });
        self.inner.wake.notify_one();
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
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("no_visit"))?;
        self.off(move |inner| {
            let paper = inner.vault.read(|tx| tx.paper_by_code(code))?;
            paper::render(inner, &paper.ok_or_else(|| Problem::new("no_visit"))?)
        })
        .await
    }

    /// After a restart: is the attempt at the printer?
    async fn look_for(&self, last: Option<Attempt>) -> Result<(), Problem> {
        let (Some(attempt), Some(printer)) = (last, &self.inner.printer) else { return Ok(()) };
        let registration = attempt.registration;
        let ask = Live { registration, waiting: None, ask: true, running: false };
        let name = print::AttemptId::parse(&attempt.id.to_string()).map_err(Problem::from)?;
        let found = tokio::time::timeout(GLANCE * 5, printer.find(&name)).await;
        match found {
            Ok(Ok(Some(found))) => {
                *lock(&self.inner.live) = Some(Live { ask: false, running: true, ..ask });
                let kiosk = self.clone();
                tokio::spawn(async move {
                    let _one = kiosk.inner.printing.lock().await;
                    kiosk.follow(attempt, found.job).await;
                });
            }
            _ => *lock(&self.inner.live) = Some(ask),
        }
        Ok(())
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

    fn live(&self, registration: RegistrationId) -> Option<Live> {
        lock(&self.inner.live).clone().filter(|live| live.registration == registration)
    }

    fn set_live(&self, registration: RegistrationId, change: impl FnOnce(&mut Live)) {
        if let Some(live) = lock(&self.inner.live).as_mut().filter(|live| live.registration == registration) {
            change(live);
        }
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
                problem: live.and_then(|live| live.waiting),
            })
        })
        .await
    }
}

fn state(last: Option<&Attempt>, live: Option<&Live>) -> PrintState {
    match (last.map(|attempt| attempt.state), live) {
        (None, _) => PrintState::NotSent,
        (Some(AttemptState::Printed), _) => PrintState::Printed,
        (Some(AttemptState::Failed), _) => PrintState::Failed,
        (Some(_), Some(Live { ask: true, .. })) => PrintState::Ask,
        (Some(_), Some(Live { waiting: Some(_), running: true, .. })) => PrintState::Waiting,
        (Some(_), Some(Live { running: true, .. })) => PrintState::Sent,
        // Left by an earlier run of the program: `print` looks for it.
        (Some(_), _) => PrintState::NotSent,
    }
}

impl Inner {
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

    fn note(&self, attempt: &Attempt, outcome: PrintOutcome, job: Option<i32>) -> Result<(), Problem> {
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

fn stopped(reasons: &[String]) -> Problem {
    let has = |word: &str| reasons.iter().any(|reason| reason.starts_with(word));
    Problem::new(if has("media-empty") || has("media-needed") {
        "printer_no_paper"
    } else if has("media-jam") {
        "printer_jam"
    } else if has("cover-open") || has("door-open") {
        "printer_cover_open"
    } else {
        "printer_timed_out"
    })
}

fn aborted(reasons: &[String]) -> Problem {
    if reasons.iter().any(|reason| reason.starts_with("media-jam")) {
        Problem::new("printer_jam")
    } else {
        Problem::new("printer_aborted")
    }
}

impl From<PrintRefusal> for Problem {
    fn from(refusal: PrintRefusal) -> Self {
        Self::new(match refusal {
            PrintRefusal::BadAddress | PrintRefusal::BadAttempt => "no_printer",
            PrintRefusal::NoPrinter => "printer_unreachable",
            PrintRefusal::TimedOut | PrintRefusal::Busy | PrintRefusal::NotAccepting => "printer_timed_out",
            PrintRefusal::BadAnswer | PrintRefusal::UnknownJob => "printer_bad_answer",
            PrintRefusal::NoPdf => "printer_refused_format",
            PrintRefusal::TooLarge | PrintRefusal::Denied | PrintRefusal::Refused => "printer_aborted",
        })
    }
}
