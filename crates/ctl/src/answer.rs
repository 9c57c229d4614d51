//! What `jalonctl` prints, and its exit codes. Never panics when nobody reads it.

use app::contract::{Problem, sentence};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;

/// Exit codes every binary of Jalon shares.
pub(crate) const REFUSED: u8 = 1;
const USAGE: u8 = 2;
const MISSING: u8 = 3;
const FAILED: u8 = 4;

/// One line of JSON on standard output, or a failure when it cannot be written.
pub(crate) fn answer(value: &Value) -> ExitCode {
    written(&format!("{value}\n"), ExitCode::SUCCESS)
}

/// As [`answer`], with another exit code when it is written.
pub(crate) fn answer_with(value: &Value, code: ExitCode) -> ExitCode {
    written(&format!("{value}\n"), code)
}

/// As [`answer`], on several lines for a person to read.
pub(crate) fn answer_spaced(value: &Value) -> ExitCode {
    written(&format!("{value:#}\n"), ExitCode::SUCCESS)
}

/// Lines for a person to read.
pub(crate) fn answer_lines(lines: &str, code: ExitCode) -> ExitCode {
    written(lines, code)
}

/// The sentence in French, for whoever reads the terminal, and the code for programs.
pub(crate) fn refuse(problem: &Problem) -> ExitCode {
    tell(problem);
    let code = ExitCode::from(exit_code(&problem.code));
    let line = format!("{}\n", json!({ "problem": problem.code, "args": problem.args }));
    // The problem stays the one told, whether or not anybody reads its code.
    let _ = std::io::stdout().write_all(line.as_bytes());
    code
}

fn written(text: &str, code: ExitCode) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(_) => {
            tell(&Problem::new("answer_not_written"));
            ExitCode::from(FAILED)
        }
    }
}

/// The sentence in French, for whoever reads the terminal.
pub(crate) fn tell(problem: &Problem) {
    let _ = std::io::stderr().write_all(format!("jalonctl: {}\n", sentence(problem, "fr")).as_bytes());
}

fn exit_code(problem: &str) -> u8 {
    match problem {
        "bad_central_url"
        | "bad_printer_address"
        | "bad_scanner_address"
        | "zone_unknown"
        | "place_unreadable"
        | "mediator_needed"
        | "fields_not_fields"
        | "picture_not_a_file"
        | "picture_too_large" => USAGE,
        "not_enrolled"
        | "keyring_unavailable"
        | "home_missing"
        | "ca_missing"
        | "ca_unreadable"
        | "ca_not_certificate"
        | "enrol_unreachable"
        | "root_missing"
        | "root_unreadable"
        | "root_not_ring"
        | "audit_missing"
        | "audit_unreadable"
        | "checkpoint_not_one"
        | "lists_missing"
        | "lists_unreadable"
        | "lists_not_lists"
        | "fields_missing"
        | "fields_unreadable"
        | "queue_missing"
        | "queue_unreadable"
        | "queue_not_queue"
        | "recovery_missing"
        | "locked_key_missing"
        | "vault_missing"
        | "export_no_key"
        | "delivery_missing"
        | "delivery_unreadable"
        | "recovery_not_key"
        | "picture_missing"
        | "picture_unreadable" => MISSING,
        "disk_failed"
        | "unknown"
        | "out_not_written"
        | "answer_not_written"
        | "export_full"
        | "export_not_written"
        | "export_not_read_back"
        | "delivery_still_reading" => FAILED,
        _ => REFUSED,
    }
}
