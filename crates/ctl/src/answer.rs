//! What `jalonctl` prints, and its exit codes. Never panics when nobody reads it.

use app::contract::{Problem, sentence};
use l10n::Lang;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::OnceLock;

/// Exit codes every binary of Jalon shares.
pub(crate) const REFUSED: u8 = 1;
pub(crate) const USAGE: u8 = 2;
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

/// The sentence for whoever reads the terminal, and the code for programs.
pub(crate) fn refuse(problem: &Problem) -> ExitCode {
    refuse_with(problem, exit_code(&problem.code))
}

/// As [`refuse`], by a command whose refusal would be taken for its answer.
pub(crate) fn refuse_as_failed(problem: &Problem) -> ExitCode {
    let code = exit_code(&problem.code);
    refuse_with(problem, if code == REFUSED { FAILED } else { code })
}

fn refuse_with(problem: &Problem, code: u8) -> ExitCode {
    tell(problem);
    let line = format!("{}\n", json!({ "problem": problem.code, "args": problem.args }));
    // The problem stays the one told, whether or not anybody reads its code.
    let _ = std::io::stdout().write_all(line.as_bytes());
    ExitCode::from(code)
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

/// Sentences beside an answer, for whoever reads the terminal.
pub(crate) fn say(sentences: &[String]) {
    for sentence in sentences {
        let _ = std::io::stderr().write_all(format!("{sentence}\n").as_bytes());
    }
}

/// The sentence, for whoever reads the terminal.
pub(crate) fn tell(problem: &Problem) {
    let said = sentence(problem, lang().code());
    let _ = std::io::stderr().write_all(format!("jalonctl: {said}\n").as_bytes());
}

/// The language of this run, chosen once.
static LANG: OnceLock<Lang> = OnceLock::new();

/// `asked` with `--lang`; else what the terminal speaks, where there are sentences in it.
pub(crate) fn choose_lang(asked: Option<Lang>) {
    let _ = LANG.set(asked.or_else(terminal).unwrap_or(Lang::FRENCH));
}

pub(crate) fn lang() -> Lang {
    *LANG.get().unwrap_or(&Lang::FRENCH)
}

/// As POSIX has it: the first of these that is set counts. `C` is no language.
fn terminal() -> Option<Lang> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set)?;
    Lang::parse(locale.split(['_', '.', '@', '-']).next()?)
}

fn exit_code(problem: &str) -> u8 {
    match problem {
        "bad_central_url"
        | "bad_printer_address"
        | "bad_scanner_address"
        | "zone_unknown"
        | "place_unreadable"
        | "time_without_seconds"
        | "time_unreadable"
        | "time_never_was"
        | "pin_missing"
        | "mediator_needed"
        | "fields_not_fields"
        | "fields_wrong"
        | "picture_not_a_file"
        | "picture_too_large" => USAGE,
        "not_enrolled"
        | "settings_missing"
        | "settings_damaged"
        | "settings_kiosk_unknown"
        | "settings_not_kept"
        | "home_unwritable"
        | "keyring_unavailable"
        | "home_missing"
        | "enrol_disk_full"
        | "authority_missing"
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
        | "disk_full"
        | "disk_full_read"
        | "disk_read_only"
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
