//! A page handed to a person beside their paper: sent and waited for, for the counter goes on from *it is
//! out*. One that does not come out is withdrawn. Never claims that anybody has it.

use crate::contract::Problem;
use crate::kiosk::Kiosk;
use domain::ids::AttemptId;
use print::{JobState, PrintRefusal, Printer as _};
use std::time::Duration;

/// Longest the counter waits: one page.
const PRINT_LIMIT: Duration = Duration::from_secs(90);

impl Kiosk {
    /// Returns once the page is out.
    ///
    /// # Errors
    /// No printer is set up, it refuses, or no page came out.
    pub(crate) async fn page_out(&self, pdf: &[u8], attempt: AttemptId) -> Result<(), Problem> {
        let _one = self.inner.printing.lock().await;
        let printer = self.inner.printer.as_ref().ok_or_else(|| Problem::new("no_printer"))?;
        let name = print::AttemptId::parse(&attempt.to_string()).map_err(Problem::from)?;
        let silent = |_| Problem::from(PrintRefusal::TimedOut);
        let job = tokio::time::timeout(PRINT_LIMIT, printer.submit(pdf, &name)).await.map_err(silent)??;
        let state = printer.follow(job, &name, PRINT_LIMIT, |_| {}).await?;
        if state == JobState::Completed {
            return Ok(());
        }
        // It would come out once nobody is there to take it.
        if let Err(refusal) = printer.cancel(job, &name).await {
            tracing::warn!(cause = %refusal, "a page that did not come out could not be withdrawn");
        }
        Err(Problem::new("notice_not_out"))
    }
}
