//! A job, its name and its states. The name is an attempt's id, checked to be nothing else: names of
//! jobs show on printers, in spools and in logs.

use std::fmt;

use crate::PrintRefusal;

/// Characters of an attempt id: a printer may cut longer names.
const ID_CHARS: usize = 64;

/// The id of one attempt to print: letters, digits, `-` and `_`, 1 to 64 of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttemptId(String);

impl AttemptId {
    /// Refuses whatever could be more than an id.
    pub fn parse(id: &str) -> Result<AttemptId, PrintRefusal> {
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if plain && (1..=ID_CHARS).contains(&id.len()) {
            Ok(AttemptId(id.to_owned()))
        } else {
            Err(PrintRefusal::BadAttempt)
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The printer's number of a job. Printers begin again at 1: good only until the next restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub i32);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a job stands. Source: RFC 8011 §5.3.7, with the printer's own reasons (§5.4.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Waits for somebody to release it.
    Held,
    /// Waits for its turn.
    Pending,
    /// Being printed.
    Processing,
    /// Begun, and waiting for a person: `media-empty`, `media-jam`, `cover-open`…
    Stopped {
        /// Keywords without their severity.
        reasons: Vec<String>,
    },
    /// Printed, as far as the printer can tell. Not: taken.
    Completed,
    /// Ended by the printer without printing all.
    Aborted {
        /// Keywords of the job and of the printer.
        reasons: Vec<String>,
    },
    /// Ended by a person.
    Cancelled,
    /// The printer does not know the job (any more), or says a state that does not exist.
    Unknown,
}

impl JobState {
    /// Whether the job will not move again.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            JobState::Completed | JobState::Aborted { .. } | JobState::Cancelled | JobState::Unknown
        )
    }

    /// The code a front turns into a sentence.
    pub fn code(&self) -> &'static str {
        match self {
            JobState::Held => "held",
            JobState::Pending => "pending",
            JobState::Processing => "processing",
            JobState::Stopped { .. } => "stopped",
            JobState::Completed => "completed",
            JobState::Aborted { .. } => "aborted",
            JobState::Cancelled => "cancelled",
            JobState::Unknown => "unknown",
        }
    }
}

/// A job found by its attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number at the printer.
    pub job: JobId,
    /// Its state when asked.
    pub state: JobState,
}
