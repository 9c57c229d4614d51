//! Why a scanner gave no page. Each says something a person can do; none holds what was scanned.

use std::fmt;

/// A scan refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanRefusal {
    /// The address is none of `sane:`, `escl:`, `file:`, or cannot be read.
    BadAddress,
    /// The scanner's software is not installed (SANE's `scanimage`).
    DriverMissing,
    /// Nobody answers at this address.
    NoScanner,
    /// It was there and is gone.
    Unplugged,
    /// Another program is using it, or it is still working.
    Busy,
    /// Paper is stuck in the feeder.
    Jammed,
    /// No paper.
    NoDocument,
    /// The cover is open.
    CoverOpen,
    /// The device failed, without saying how.
    Io,
    /// No end within the time limit.
    TimedOut,
    /// The answer is not what a scanner says, or not a whole picture.
    BadAnswer,
    /// More bytes or pixels than a page can have.
    TooLarge,
    /// The system does not let this program use it.
    Denied,
    /// Stopped at the scanner itself.
    Cancelled,
    /// It cannot do what was asked, or with these settings.
    Unsupported,
    /// It, or this machine, had no memory left for the page.
    NoMemory,
    /// Its software ended in the middle.
    Crashed,
}

impl ScanRefusal {
    /// The code a front turns into a sentence.
    pub fn code(self) -> &'static str {
        match self {
            ScanRefusal::BadAddress => "scan_bad_address",
            ScanRefusal::DriverMissing => "scan_driver_missing",
            ScanRefusal::NoScanner => "scan_no_scanner",
            ScanRefusal::Unplugged => "scan_unplugged",
            ScanRefusal::Busy => "scan_busy",
            ScanRefusal::Jammed => "scan_jammed",
            ScanRefusal::NoDocument => "scan_no_document",
            ScanRefusal::CoverOpen => "scan_cover_open",
            ScanRefusal::Io => "scan_io",
            ScanRefusal::TimedOut => "scan_timed_out",
            ScanRefusal::BadAnswer => "scan_bad_answer",
            ScanRefusal::TooLarge => "scan_too_large",
            ScanRefusal::Denied => "scan_denied",
            ScanRefusal::Cancelled => "scan_cancelled",
            ScanRefusal::Unsupported => "scan_unsupported",
            ScanRefusal::NoMemory => "scan_no_memory",
            ScanRefusal::Crashed => "scan_crashed",
        }
    }

    /// Every refusal, for the test that each has its sentence.
    pub const ALL: [ScanRefusal; 17] = [
        ScanRefusal::BadAddress,
        ScanRefusal::DriverMissing,
        ScanRefusal::NoScanner,
        ScanRefusal::Unplugged,
        ScanRefusal::Busy,
        ScanRefusal::Jammed,
        ScanRefusal::NoDocument,
        ScanRefusal::CoverOpen,
        ScanRefusal::Io,
        ScanRefusal::TimedOut,
        ScanRefusal::BadAnswer,
        ScanRefusal::TooLarge,
        ScanRefusal::Denied,
        ScanRefusal::Cancelled,
        ScanRefusal::Unsupported,
        ScanRefusal::NoMemory,
        ScanRefusal::Crashed,
    ];
}

impl fmt::Display for ScanRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for ScanRefusal {}
