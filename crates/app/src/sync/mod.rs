//! Sync: what to do next is [`plan`]'s (pure), how it travels is [`transfer`]'s, what an
//! answer may be believed to say is [`trust`]'s. This file only takes the steps.

mod apply;
mod carry;
mod heard;
pub mod plan;
mod standing;
mod told;
pub mod transfer;
pub(crate) mod trust;
mod witness;
mod word;

pub(crate) use apply::time_mark;
pub(crate) use carry::CarryFailure;
pub(crate) use heard::{DURABLE, known, note_at, noted_at, notices};
pub(crate) use standing::{refuses, standing};
pub(crate) use told::listed;

use crate::contract::{Connection, Problem};
use crate::kiosk::{Inner, Kiosk, lock};
use crate::trusted_time::TimeMark;
use domain::planted;
use heard::Heard;
use jiff::Timestamp;
use plan::{Known, Step};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use transfer::{Caller, HttpRemote, RemoteFailure};
use wire::limits::{MESSAGE_BYTES, PUSH_RECORDS};
use wire::messages::{ChangesAnswer, LeaseRequest, PushRequest, ReturnRequest};
use wire::record::Record;

/// How often an idle kiosk asks.
const EVERY: Duration = Duration::from_secs(20);
/// First wait after a failure; doubled up to `LONGEST`.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// Times one exchange begins anew because central has lost something or this disk is
/// older: more than once each is an answer that makes no sense.
const ANEW: u32 = 3;
/// Steps of one exchange: a fault in the plan must not spin for ever.
const STEPS: usize = 10_000;

/// What is known of central, in memory.
#[derive(Debug, Clone)]
pub(crate) struct SyncState {
    pub connection: Connection,
    pub last_contact: Option<Timestamp>,
    pub time_mark: TimeMark,
    /// Has this program exchanged, or tried to? Before that `connection` is a guess.
    pub tried: bool,
    /// The mediator has said what day it is, since this program began.
    pub day_declared: bool,
    pub problem: Option<Problem>,
    /// Exchanges that failed in a row.
    pub failures: u32,
}

impl SyncState {
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            last_contact: None,
            time_mark: TimeMark::NONE,
            tried: false,
            day_declared: false,
            problem: None,
            failures: 0,
        }
    }
}

impl Kiosk {
    /// Keeps exchanging with central in the background until the last clone is gone.
    pub fn start(&self) {
        let weak = Arc::downgrade(&self.inner);
        tokio::spawn(background(weak));
    }

    /// One whole exchange: push, pull, lease, pages.
    ///
    /// # Errors
    /// Central is out of reach or refuses, or the vault fails; what was done stays done.
    pub async fn exchange(&self) -> Result<(), Problem> {
        let _one = self.inner.exchange.lock().await;
        let mut done = self.steps().await;
        if done.as_ref().is_err_and(is_unknown) {
            done = match self.come_back().await {
                Ok(()) => self.steps().await,
                Err(problem) => Err(problem),
            };
        }
        if done.as_ref().is_err_and(|problem| problem.code == "central_untrusted") {
            // Nothing was asked, when there is nothing to believe an answer by.
            if let Err(problem) = HttpRemote::open(&self.inner.file.central, &self.inner.file.ca) {
                done = Err(problem);
            }
        }
        let shown = done.clone();
        if let Err(failure) = self.off(move |inner| standing::note(inner, &shown)).await {
            tracing::error!(code = failure.code, "what central said of this kiosk is not kept");
        }
        let mut state = lock(&self.inner.sync);
        state.tried = true;
        match &done {
            Ok(()) => {
                state.connection = Connection::Online;
                state.last_contact = Some((self.inner.world.clock)());
                state.problem = None;
                state.failures = 0;
            }
            Err(problem) => {
                let unreachable = problem.code == "central_unreachable";
                state.connection = if unreachable { Connection::Offline } else { Connection::Refused };
                state.problem = Some(problem.clone());
                state.failures = state.failures.saturating_add(1);
            }
        }
        done
    }

    /// Hears what is new and does nothing else: for a counter that waits. An exchange under way is waited
    /// for, the network given up once the time is over, and what was heard is taken in whole.
    ///
    /// # Errors
    /// Not all was heard in time, or central has forgotten something: a whole exchange is due.
    pub(crate) async fn hear(&self, until: Instant) -> Result<(), Problem> {
        let late = |_| Problem::new("central_unreachable");
        let _one = timeout_at(until, self.inner.exchange.lock()).await.map_err(late)?;
        loop {
            let asked = self.off(apply::asked).await?;
            let answer = self.inner.remote.changes(self.inner.caller(), asked);
            let answer = timeout_at(until, answer).await.map_err(late)??;
            let more = answer.more;
            if !matches!(self.take(answer).await?, Heard::Holds(_)) {
                return Err(Problem::new("central_bad_answer"));
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Takes in what a pull answered, unless central has another history than this disk.
    async fn take(&self, answer: ChangesAnswer) -> Result<Heard, Problem> {
        // What is lent to another incarnation must not be taken for ours: first who we are, then
        // what is new.
        self.off(move |inner| {
            told::ring(inner, answer.ring.as_ref())?;
            let heard = heard::pulled(inner, &answer)?;
            if matches!(heard, Heard::Holds(_)) {
                apply::changes(inner, answer)?;
            }
            Ok(heard)
        })
        .await
    }

    async fn steps(&self) -> Result<(), Problem> {
        let mut known = self
            .off(|inner| {
                inner.erase_due()?;
                apply::take_up_passed_over(inner)?;
                inner.known()
            })
            .await?;
        let mut passed_over = Vec::new();
        let mut stalled = None;
        let mut anew = 0;
        for _ in 0..STEPS {
            match plan::next(&known) {
                Step::Push { after } => {
                    let records = self
                        .off(move |inner| Ok(inner.vault.read(|tx| tx.records_after(after, PUSH_RECORDS))?))
                        .await?;
                    let request = PushRequest { records: within(records) };
                    match self.inner.remote.push(self.inner.caller(), &request).await {
                        // Signed by a key that is new: the pull brings the ring that has it.
                        Ok(answer)
                            if answer
                                .received
                                .as_ref()
                                .is_some_and(|word| !trust::knows(&self.inner.identity, &word.key)) =>
                        {
                            known.push_stalled = true;
                            known.pulled = false;
                            continue;
                        }
                        Ok(answer) => {
                            let heard = self
                                .off(move |inner| heard::received(inner, answer.received.as_ref()))
                                .await?;
                            if let Heard::Holds(seq) = heard {
                                known.received = seq;
                            } else {
                                known = self.anew(&mut anew).await?;
                                continue;
                            }
                        }
                        // Central has another history of this kiosk than the kiosk: it cannot be
                        // fed from here, and is still pulled from.
                        Err(RemoteFailure::Refused { code, .. }) if code == "not_next" || code == "fork" => {
                            tracing::error!(code, "central does not take this journal");
                            stalled = Some(Problem::new("central_refused").with("reason", code));
                        }
                        Err(failure) => return Err(failure.into()),
                    }
                    // Central took less than was sent: it will not take more by repeating.
                    known.push_stalled = known.received <= after;
                }
                Step::Pull => {
                    let asked = self.off(apply::asked).await?;
                    let answer = self.inner.remote.changes(self.inner.caller(), asked).await?;
                    let more = answer.more;
                    if !matches!(self.take(answer).await?, Heard::Holds(_)) {
                        known = self.anew(&mut anew).await?;
                        // What it would not take followed on what it has forgotten.
                        stalled = None;
                        continue;
                    }
                    known.pulled = !more;
                    // A ranked person's date is a record of its own.
                    known.head = self.off(|inner| inner.known()).await?.head;
                }
                Step::FillLease => {
                    let incarnation = self.inner.incarnation.load(Ordering::Acquire);
                    let request = LeaseRequest { today: self.inner.today(), incarnation };
                    let answer = self.inner.remote.lease(self.inner.caller(), &request).await?;
                    known.lease_filled = true;
                    known.pulled = known.pulled && answer.lent == 0;
                }
                Step::GiveBack => {
                    known.head = self
                        .off(|inner| {
                            inner.give_back_due()?;
                            Ok(inner.known()?.head)
                        })
                        .await?;
                    known.given_back = true;
                }
                Step::SendPage => {
                    let skip = passed_over.clone();
                    let page = self.off(move |inner| Ok(inner.vault.read(|tx| tx.next_page(&skip))?)).await?;
                    let Some(page) = page else {
                        known.pages_waiting = false;
                        continue;
                    };
                    let id = page.id;
                    match self.inner.remote.send_page(self.inner.caller(), &page).await {
                        Ok(()) => {
                            self.off(move |inner| {
                                inner.vault.transact::<_, Problem>(|tx| Ok(tx.mark_page_sent(id)?))
                            })
                            .await?;
                        }
                        // One page that is refused never holds up the others.
                        Err(RemoteFailure::Refused { code, .. }) => {
                            tracing::warn!(code, "a page was refused");
                            passed_over.push(id);
                            if planted::on("refused_page_marked_sent") {
                                self.off(move |inner| inner.vault.transact(|tx| Ok(tx.mark_page_sent(id)?)))
                                    .await?;
                            }
                        }
                        Err(failure) => return Err(failure.into()),
                    }
                }
                Step::Done => return stalled.map_or(Ok(()), Err),
            }
        }
        Err(Problem::new("central_bad_answer"))
    }
}

/// Does central not know this kiosk? One restored to before its enrolment does not.
fn is_unknown(problem: &Problem) -> bool {
    problem.code == "central_refused"
        && problem.args.get("reason").is_some_and(|reason| reason == "not_enrolled")
}

impl Kiosk {
    /// # Errors
    /// Central was told that this kiosk is lost, or is not the one that enrolled it.
    async fn come_back(&self) -> Result<(), Problem> {
        let certificate = self.inner.identity.certificate.to_bytes().into();
        let answer = self.inner.remote.come_back(self.inner.caller(), &ReturnRequest { certificate }).await;
        match answer {
            Ok(answer) if answer.kiosk == self.inner.identity.kiosk => return Ok(()),
            Ok(_) => {}
            Err(failure) => {
                tracing::error!(code = failure.code(), "central does not take this kiosk back");
                let lasts = matches!(&failure, RemoteFailure::Refused { status, .. } if *status < 500);
                let problem = Problem::from(failure);
                if !lasts || problem.code == standing::LOST {
                    return Err(problem);
                }
            }
        }
        Err(Problem::new(standing::OTHER))
    }

    /// What is known once central's word has changed who we are or what it holds.
    async fn anew(&self, times: &mut u32) -> Result<Known, Problem> {
        *times += 1;
        if *times > ANEW {
            return Err(Problem::new("central_bad_answer"));
        }
        self.off(|inner| inner.known()).await
    }
}

impl Inner {
    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller { kiosk: self.identity.kiosk, device: &self.identity.device, now: self.now() }
    }

    fn known(&self) -> Result<Known, Problem> {
        self.vault.read(|tx| {
            let head = tx.head(self.incarnation.load(Ordering::Acquire))?.seq;
            let (received, _) = heard::known(tx)?;
            Ok(Known {
                head,
                received: received.min(head),
                push_stalled: false,
                pulled: false,
                lease_filled: false,
                given_back: false,
                pages_waiting: tx.unsent_pages()? > 0,
            })
        })
    }
}

/// As many of these records as one message carries.
fn within(records: Vec<Record>) -> Vec<Record> {
    let mut bytes = 0;
    let fits = |record: &Record| {
        // Base64 and the header's JSON, generously.
        bytes += record.body.0.len() * 4 / 3 + 1_024;
        bytes < MESSAGE_BYTES - 64 * 1_024
    };
    records.into_iter().take_while(fits).collect()
}

async fn background(weak: Weak<Inner>) {
    let mut retry = FIRST_RETRY;
    loop {
        let Some(inner) = weak.upgrade() else { return };
        let kiosk = Kiosk { inner };
        let wait = match kiosk.exchange().await {
            Ok(()) => {
                retry = FIRST_RETRY;
                // Idle: the moment for what would cost the counter two syncs.
                let _ = kiosk.off(|inner| Ok(inner.vault.checkpoint()?)).await;
                EVERY
            }
            Err(problem) => {
                tracing::info!(code = problem.code, "no exchange with central");
                let wait = retry;
                retry = (retry * 2).min(LONGEST_RETRY);
                // 2 000 kiosks must not come back in the same second.
                let [jitter] = kiosk.inner.world.bytes::<1>();
                wait + wait.mul_f32(f32::from(jitter) / 512.0)
            }
        };
        let woken = Arc::clone(&kiosk.inner);
        drop(kiosk);
        let _ = tokio::time::timeout(wait, woken.wake.notified()).await;
    }
}
