//! Why a printer took nothing, or told nothing. None holds what was to be printed.

use std::fmt;

/// An exchange with a printer refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintRefusal {
    /// The address is not `ipp://…` or `ipps://…`.
    BadAddress,
    /// The attempt's id is not one.
    BadAttempt,
    /// Nobody answers there, or its certificate is not trusted.
    NoPrinter,
    /// It does not answer, and nothing of the document was sent.
    Silent,
    /// What it answers is not IPP, and nothing of the document was sent.
    NotIpp,
    /// No answer within the limit. The document may have arrived: look for the attempt.
    TimedOut,
    /// The answer is not IPP, or lacks what it must have. The document may have arrived.
    BadAnswer,
    /// The document, or the answer, is larger than it can be.
    TooLarge,
    /// The printer does not take PDF.
    NoPdf,
    /// The printer takes no jobs at present.
    NotAccepting,
    /// The printer is busy with others.
    Busy,
    /// This program may not print there.
    Denied,
    /// The printer does not know the job.
    UnknownJob,
    /// The printer refused for a reason of its own.
    Refused,
}

impl PrintRefusal {
    /// Every refusal, for the test that each has its sentence.
    pub const ALL: [PrintRefusal; 14] = [
        PrintRefusal::BadAddress,
        PrintRefusal::BadAttempt,
        PrintRefusal::NoPrinter,
        PrintRefusal::Silent,
        PrintRefusal::NotIpp,
        PrintRefusal::TimedOut,
        PrintRefusal::BadAnswer,
        PrintRefusal::TooLarge,
        PrintRefusal::NoPdf,
        PrintRefusal::NotAccepting,
        PrintRefusal::Busy,
        PrintRefusal::Denied,
        PrintRefusal::UnknownJob,
        PrintRefusal::Refused,
    ];

    /// The code a front turns into a sentence.
    pub fn code(self) -> &'static str {
        match self {
            PrintRefusal::BadAddress => "print_bad_address",
            PrintRefusal::BadAttempt => "print_bad_attempt",
            PrintRefusal::NoPrinter => "print_no_printer",
            PrintRefusal::Silent => "print_silent",
            PrintRefusal::NotIpp => "print_not_ipp",
            PrintRefusal::TimedOut => "print_timed_out",
            PrintRefusal::BadAnswer => "print_bad_answer",
            PrintRefusal::TooLarge => "print_too_large",
            PrintRefusal::NoPdf => "print_no_pdf",
            PrintRefusal::NotAccepting => "print_not_accepting",
            PrintRefusal::Busy => "print_busy",
            PrintRefusal::Denied => "print_denied",
            PrintRefusal::UnknownJob => "print_unknown_job",
            PrintRefusal::Refused => "print_refused",
        }
    }

    /// Whether the printer may have got the document all the same: then the attempt is looked for
    /// before anything is sent again.
    pub fn may_have_arrived(self) -> bool {
        matches!(self, PrintRefusal::TimedOut | PrintRefusal::BadAnswer)
    }
}

impl fmt::Display for PrintRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for PrintRefusal {}
