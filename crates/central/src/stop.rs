//! Why `central` ends, as the sentence it prints and the exit code every binary of Jalon
//! shares. Never panics when nobody reads it.

use central::MigrateFailure;
use central::admin::AdminRefusal;
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

type Cause = Box<dyn Error + Send + Sync>;

/// A sentence, its cause if there is one, and its exit code.
#[derive(Debug)]
pub(crate) struct Stop {
    code: u8,
    sentence: String,
    cause: Option<Cause>,
}

impl Stop {
    /// 1: what was asked cannot be done.
    pub fn refused(sentence: impl Into<String>) -> Self {
        Self { code: 1, sentence: sentence.into(), cause: None }
    }

    /// 3: something must be set up first.
    pub fn missing(sentence: impl Into<String>) -> Self {
        Self { code: 3, sentence: sentence.into(), cause: None }
    }

    /// 4: it failed.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self { code: 4, sentence: sentence.into(), cause: None }
    }

    pub fn because(self, cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// Prints it to standard error.
    pub fn told(self) -> ExitCode {
        let mut text = format!("central: {}\n", self.sentence);
        let mut cause = self.cause.as_ref().map(|cause| &**cause as &dyn Error);
        while let Some(inner) = cause {
            text.push_str(&format!("  because: {inner}\n"));
            cause = inner.source();
        }
        // Nobody may be reading; the code says it all the same.
        let _ = std::io::stderr().write_all(text.as_bytes());
        ExitCode::from(self.code)
    }
}

impl From<AdminRefusal> for Stop {
    fn from(refusal: AdminRefusal) -> Self {
        if refusal.is_refusal() { Self::refused(refusal.to_string()) } else { failed(&refusal) }
    }
}

impl From<MigrateFailure> for Stop {
    fn from(failure: MigrateFailure) -> Self {
        match failure {
            MigrateFailure::Newer(_) => {
                Self::missing(format!("{failure}; bring this central up to that version"))
            }
            MigrateFailure::Older(_) => Self::missing(format!("{failure}; run central migrate")),
            MigrateFailure::Database(_) => failed(&failure),
        }
    }
}

fn failed(failure: &dyn Error) -> Stop {
    // Copied: the sentence of each cause is all that is shown of it.
    let stop = Stop::failed(failure.to_string());
    match failure.source() {
        Some(cause) => stop.because(cause.to_string()),
        None => stop,
    }
}

/// Writes one line to standard output.
///
/// # Errors
/// Nobody reads it, or the disk is full.
pub(crate) fn say(line: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Stop::failed("the answer could not be written to standard output").because(error))
}
