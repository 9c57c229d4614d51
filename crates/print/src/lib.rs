//! Printers behind one trait: IPP, each job followed to its end. *Sent*, *printed* and *taken* are
//! three states: this crate tells the first two apart and never claims the third. A job carries an
//! attempt id and nothing of a person; a printer's answers are bounded outside data.

mod ipp_printer;
mod job;
mod refusal;

use std::future::Future;
use std::time::Duration;

pub use ipp_printer::IppPrinter;
pub use job::{AttemptId, Found, JobId, JobState};
pub use refusal::PrintRefusal;

/// A document sent: ours have at most 60 kB, an evidence pack with pages a few MB.
pub const DOCUMENT_BYTES: usize = 32 * 1024 * 1024;

/// A printer. Its contract, run on every implementation: a document accepted lands unchanged; each
/// job ends in a state or is reported as it stands at the limit; nothing waits longer than told.
pub trait Printer {
    /// What it is, for a person: no secret.
    fn describe(&self) -> String;

    /// Sends a PDF (A4, not scaled) under the attempt's name, after asking whether the printer takes
    /// PDF at all. *Sent* is all that success means.
    fn submit(
        &self,
        pdf: &[u8],
        attempt: &AttemptId,
    ) -> impl Future<Output = Result<JobId, PrintRefusal>> + Send;

    /// Where the job of this attempt stands now. A printer that was restarted counts from 1 again: a
    /// job of this number and another name is not ours, and ours is unknown.
    fn state(
        &self,
        job: JobId,
        attempt: &AttemptId,
    ) -> impl Future<Output = Result<JobState, PrintRefusal>> + Send;

    /// Watches the job until it ends, at most `limit`; then gives the state it stands in, ended or
    /// not (`Stopped` tells why: no paper, a jam). `changed` hears each new state.
    fn follow(
        &self,
        job: JobId,
        attempt: &AttemptId,
        limit: Duration,
        changed: impl FnMut(&JobState) + Send,
    ) -> impl Future<Output = Result<JobState, PrintRefusal>> + Send;

    /// Asks the printer to drop the attempt's job, never another's; the state to read afterwards says
    /// whether it did.
    fn cancel(
        &self,
        job: JobId,
        attempt: &AttemptId,
    ) -> impl Future<Output = Result<(), PrintRefusal>> + Send;

    /// Looks for an attempt among all jobs the printer still knows: after a crash, whether a byte
    /// arrived. Printers forget ended jobs, some within a minute: `None` proves nothing by itself.
    fn find(&self, attempt: &AttemptId) -> impl Future<Output = Result<Option<Found>, PrintRefusal>> + Send;
}

/// Any of the printers, by its address.
#[derive(Debug)]
pub enum AnyPrinter {
    /// `ipp://host:port/path` or `ipps://…`
    Ipp(IppPrinter),
}

impl AnyPrinter {
    /// Opens a printer by its address; nothing is asked of it yet. Needs a rustls provider installed
    /// by the program.
    pub fn open(address: &str) -> Result<AnyPrinter, PrintRefusal> {
        Self::open_with(address, None)
    }

    /// As [`AnyPrinter::open`]; `ca` (PEM) is then the only authority believed for `ipps:`.
    pub fn open_with(address: &str, ca: Option<&[u8]>) -> Result<AnyPrinter, PrintRefusal> {
        IppPrinter::open(address, ca).map(AnyPrinter::Ipp)
    }
}

impl Printer for AnyPrinter {
    fn describe(&self) -> String {
        let AnyPrinter::Ipp(printer) = self;
        printer.describe()
    }

    async fn submit(&self, pdf: &[u8], attempt: &AttemptId) -> Result<JobId, PrintRefusal> {
        let AnyPrinter::Ipp(printer) = self;
        printer.submit(pdf, attempt).await
    }

    async fn state(&self, job: JobId, attempt: &AttemptId) -> Result<JobState, PrintRefusal> {
        let AnyPrinter::Ipp(printer) = self;
        printer.state(job, attempt).await
    }

    async fn follow(
        &self,
        job: JobId,
        attempt: &AttemptId,
        limit: Duration,
        changed: impl FnMut(&JobState) + Send,
    ) -> Result<JobState, PrintRefusal> {
        let AnyPrinter::Ipp(printer) = self;
        printer.follow(job, attempt, limit, changed).await
    }

    async fn cancel(&self, job: JobId, attempt: &AttemptId) -> Result<(), PrintRefusal> {
        let AnyPrinter::Ipp(printer) = self;
        printer.cancel(job, attempt).await
    }

    async fn find(&self, attempt: &AttemptId) -> Result<Option<Found>, PrintRefusal> {
        let AnyPrinter::Ipp(printer) = self;
        printer.find(attempt).await
    }
}
