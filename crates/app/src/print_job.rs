//! One attempt at the printer: sent, followed to its end, looked for after a crash, withdrawn
//! before another. Never decides whether a paper is to be printed.

use crate::contract::Problem;
use crate::kiosk::{Kiosk, lock};
use domain::ids::RegistrationId;
use print::{JobId, JobState, PrintRefusal, Printer as _};
use std::time::Duration;
use vault::{Attempt, AttemptState};
use wire::body::PrintOutcome;

/// Longest a job is followed: a person may have to bring paper.
const FOLLOW_LIMIT: Duration = Duration::from_secs(20 * 60);
/// Longest a printer is asked about an earlier attempt, once.
const GLANCE: Duration = Duration::from_secs(10);
/// Between two tries at a printer that is busy with another job.
const IN_LINE: Duration = Duration::from_secs(1);
/// Papers this process remembers the printing of, beside those on their way.
const REMEMBERED: usize = 64;

/// What this process knows of a paper's printing.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub registration: RegistrationId,
    /// What the printer waits for, if it does; else why it failed.
    pub waiting: Option<Problem>,
    /// Nobody can tell whether paper came out.
    pub ask: bool,
    /// The job is being sent or followed now.
    pub running: bool,
    /// The mediator has said what came of the attempt.
    pub said: bool,
}

impl Live {
    pub fn of(registration: RegistrationId) -> Self {
        Self { registration, waiting: None, ask: false, running: false, said: false }
    }
}

impl Kiosk {
    pub(crate) async fn submit(&self, attempt: Attempt, pdf: Vec<u8>) {
        let (Some(printer), Ok(name)) =
            (&self.inner.printer, print::AttemptId::parse(&attempt.id.to_string()))
        else {
            return;
        };
        match self.in_line(&attempt, &pdf, &name).await {
            Ok(job) => self.follow(attempt, name, job).await,
            Err(refusal) if refusal.may_have_arrived() => {
                let found = printer.find(&name).await.ok().flatten();
                match found {
                    Some(found) => self.follow(attempt, name, found.job).await,
                    None => self.end(&attempt, None, Some(refusal.into())).await,
                }
            }
            Err(refusal) => self.end(&attempt, Some(PrintOutcome::Failed), Some(refusal.into())).await,
        }
    }

    /// Sends once the printer is free: many take one job at a time, and say so before they take a byte.
    async fn in_line(
        &self,
        attempt: &Attempt,
        pdf: &[u8],
        name: &print::AttemptId,
    ) -> Result<JobId, PrintRefusal> {
        let printer = self.inner.printer.as_ref().ok_or(PrintRefusal::BadAddress)?;
        let end = tokio::time::Instant::now() + FOLLOW_LIMIT;
        loop {
            match printer.submit(pdf, name).await {
                Err(PrintRefusal::Busy) if tokio::time::Instant::now() < end => {
                    self.set_live(attempt.registration, |live| {
                        live.waiting = Some(Problem::new("printer_busy"));
                    });
                    tokio::time::sleep(IN_LINE).await;
                }
                other => {
                    self.set_live(attempt.registration, |live| live.waiting = None);
                    return other;
                }
            }
        }
    }

    async fn follow(&self, attempt: Attempt, name: print::AttemptId, job: JobId) {
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
            .follow(job, &name, FOLLOW_LIMIT, move |state| {
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
                let _ = printer.cancel(job, &name).await;
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

    /// After a restart: is the attempt at the printer?
    pub(crate) async fn look_for(&self, last: Option<Attempt>) -> Result<(), Problem> {
        let (Some(attempt), Some(printer)) = (last, &self.inner.printer) else { return Ok(()) };
        let registration = attempt.registration;
        let name = print::AttemptId::parse(&attempt.id.to_string()).map_err(Problem::from)?;
        let found = tokio::time::timeout(GLANCE * 5, printer.find(&name)).await;
        match found {
            Ok(Ok(Some(found))) => {
                self.put_live(Live { running: true, ..Live::of(registration) });
                let kiosk = self.clone();
                tokio::spawn(async move { kiosk.follow(attempt, name, found.job).await });
            }
            _ => self.put_live(Live { ask: true, ..Live::of(registration) }),
        }
        Ok(())
    }

    /// What is left of a failed attempt at the printer is cancelled before another is sent: it would
    /// come out after all, once somebody brings paper.
    ///
    /// # Errors
    /// The printer does not answer, or keeps the job: a second paper is then not risked.
    pub(crate) async fn withdraw(&self, last: Option<&Attempt>) -> Result<(), Problem> {
        let (Some(attempt), Some(printer)) = (last, &self.inner.printer) else { return Ok(()) };
        let name = print::AttemptId::parse(&attempt.id.to_string()).map_err(Problem::from)?;
        let silent = |_| Problem::from(PrintRefusal::TimedOut);
        let found = match tokio::time::timeout(GLANCE, printer.find(&name)).await.map_err(silent)? {
            // It does not tell its jobs to us, ever: nothing would be gained by not printing.
            Err(PrintRefusal::Refused | PrintRefusal::Denied) => None,
            found => found?,
        };
        let Some(found) = found.filter(|found| !found.state.is_final()) else { return Ok(()) };
        match tokio::time::timeout(GLANCE, printer.cancel(found.job, &name)).await.map_err(silent)? {
            // Its word that no more of the job comes out (RFC 8011 §4.3.3), though the state may follow later.
            Ok(()) => Ok(()),
            // It may have ended by itself meanwhile.
            Err(_) if printer.state(found.job, &name).await?.is_final() => Ok(()),
            Err(_) => Err(Problem::new("printer_keeps_job")),
        }
    }

    pub(crate) fn live(&self, registration: RegistrationId) -> Option<Live> {
        lock(&self.inner.live).get(&registration).cloned()
    }

    pub(crate) fn put_live(&self, one: Live) {
        let mut live = lock(&self.inner.live);
        if live.len() >= REMEMBERED {
            live.retain(|_, one| one.running);
        }
        live.insert(one.registration, one);
    }

    fn set_live(&self, registration: RegistrationId, change: impl FnOnce(&mut Live)) {
        if let Some(live) = lock(&self.inner.live).get_mut(&registration) {
            change(live);
        }
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
        "printer_waits"
    })
}

fn aborted(reasons: &[String]) -> Problem {
    if reasons.iter().any(|reason| reason.starts_with("media-jam")) {
        Problem::new("printer_jammed")
    } else {
        Problem::new("printer_aborted")
    }
}

impl From<PrintRefusal> for Problem {
    fn from(refusal: PrintRefusal) -> Self {
        Self::new(match refusal {
            PrintRefusal::BadAddress | PrintRefusal::BadAttempt => "no_printer",
            PrintRefusal::NoPrinter => "printer_unreachable",
            PrintRefusal::Silent | PrintRefusal::TimedOut | PrintRefusal::NotAccepting => "printer_timed_out",
            PrintRefusal::NotIpp | PrintRefusal::BadAnswer | PrintRefusal::UnknownJob => "printer_bad_answer",
            PrintRefusal::NoPdf => "printer_refused_format",
            PrintRefusal::Busy => "printer_busy",
            PrintRefusal::Denied => "printer_denied",
            PrintRefusal::TooLarge | PrintRefusal::Refused => "printer_aborted",
        })
    }
}
