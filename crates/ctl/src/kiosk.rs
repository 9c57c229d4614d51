//! Commands that open this machine's kiosk.

use crate::answer::{
    REFUSED, answer, answer_lines, answer_spaced, answer_with, lang, refuse, refuse_as_failed, tell,
};
use crate::seal_rebuild::recovery_key;
use app::contract::Problem;
use app::doctor::{Machine, examine};
use app::{Kiosk, Settings, World};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

pub(crate) async fn status(json: bool) -> ExitCode {
    match summary().await {
        Ok(summary) => {
            say_standing(&summary);
            if json { answer(&summary) } else { answer_spaced(&summary) }
        }
        Err(problem) => refuse(&problem),
    }
}

/// On standard error, what central said of this kiosk and what to do, when it is not taken as any
/// other; the answer has the word under `standing`.
fn say_standing(answer: &Value) {
    if let Some(standing) = answer.get("standing").and_then(Value::as_str).filter(|word| *word != "accepted")
    {
        tell(&Problem::new(standing));
    }
}

async fn summary() -> Result<serde_json::Value, Problem> {
    read_only().await?.status().await
}

/// A kiosk to look at, though its disk may take nothing: that is told on standard error.
async fn read_only() -> Result<Kiosk, Problem> {
    let kiosk = Kiosk::open_to_read(Settings::from_env()?).await?;
    if let Some(problem) = kiosk.unwritable() {
        tell(&problem);
    }
    Ok(kiosk)
}

/// Exit 1 only when something is to be done first, which the answer says; what keeps it from being
/// known is a failure, or something missing.
pub(crate) async fn end_of_day() -> ExitCode {
    let done = async {
        let kiosk = read_only().await?;
        // So that *send* and *export* are told apart; without a network it is the latter. Where
        // nothing can be written, nothing that central answers could be kept.
        if kiosk.unwritable().is_none() {
            let _ = kiosk.exchange().await;
        }
        kiosk.end_of_day_counts().await
    };
    match done.await {
        Ok(day) => {
            say_standing(&day);
            let may = day.get("may_switch_off").is_some_and(|word| *word == true);
            if may { answer(&day) } else { answer_with(&day, ExitCode::from(REFUSED)) }
        }
        Err(problem) => refuse_as_failed(&problem),
    }
}

pub(crate) async fn doctor(json: bool) -> ExitCode {
    let lang = lang();
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(problem) => return refuse(&problem),
    };
    let report = examine(&settings, &Machine::system(), &World::system()).await;
    let code = if report.holds() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) };
    if json {
        return answer_with(&report.to_json(&lang), code);
    }
    let lines: Vec<String> = report
        .checks
        .iter()
        .map(|check| format!("{:<8}{:<17}{}\n", check.state.key(), check.id, check.sentence(&lang)))
        .collect();
    answer_lines(&lines.concat(), code)
}

pub(crate) async fn sync() -> ExitCode {
    let done = async {
        let kiosk = Kiosk::open(Settings::from_env()?).await?;
        kiosk.exchange().await?;
        kiosk.status().await
    };
    match done.await {
        Ok(summary) => {
            say_standing(&summary);
            answer(&summary)
        }
        Err(problem) => refuse(&problem),
    }
}

/// The PDF of a kept paper, or of the letter beside it.
pub(crate) async fn paper(code: &str, (out, force): (&Path, bool), letter: bool) -> ExitCode {
    let done = async {
        let told = |code: &str| Problem::new(code).with("file", out.display());
        let kiosk = read_only().await?;
        let pdf = if letter { kiosk.limit_letter_pdf(code).await? } else { kiosk.paper_pdf(code).await? };
        written(out, &pdf, force).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => told("out_exists"),
            _ => told("out_not_written"),
        })?;
        Ok::<_, Problem>(pdf.len())
    };
    match done.await {
        Ok(bytes) => answer(&json!({ "bytes": bytes })),
        Err(problem) => refuse(&problem),
    }
}

/// A file with a person's name in it: only its owner may read it.
fn written(out: &Path, pdf: &[u8], force: bool) -> std::io::Result<()> {
    use std::io::Write as _;
    if force {
        match std::fs::remove_file(out) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(out)?.write_all(pdf);
    if written.is_err() {
        // Half a paper is none.
        let _ = std::fs::remove_file(out);
    }
    written
}

pub(crate) async fn check() -> ExitCode {
    let done = async { read_only().await?.check_vault().await };
    match done.await {
        Ok(()) => answer(&json!({ "vault": "whole" })),
        Err(problem) => refuse(&problem),
    }
}

pub(crate) async fn export(to: &Path, all: bool) -> ExitCode {
    let done = async { read_only().await?.export(to, all).await };
    match done.await.map(serde_json::to_value) {
        Ok(Ok(exported)) => answer(&exported),
        Ok(Err(_)) => refuse(&Problem::new("unknown")),
        Err(problem) => refuse(&problem),
    }
}

/// Exit 1 when central refused a part of it: what it took, it keeps.
pub(crate) async fn deliver(file: &Path) -> ExitCode {
    let done = async { Kiosk::open(Settings::from_env()?).await?.deliver(file).await };
    match done.await {
        Ok(taken) => {
            let whole = taken.records.refused + taken.pages.refused == 0;
            let code = if whole { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) };
            answer_with(&json!({ "records": taken.records, "pages": taken.pages }), code)
        }
        Err(problem) => refuse(&problem),
    }
}

pub(crate) fn recover(recovery: &Path) -> ExitCode {
    let done = recovery_key(recovery).and_then(|key| app::recover(&Settings::from_env()?, &key));
    match done {
        Ok(kiosk) => answer(&json!({ "kiosk": kiosk, "key": "in the keyring" })),
        Err(problem) => refuse(&problem),
    }
}

pub(crate) async fn set_aside() -> ExitCode {
    let done = async { app::set_aside(&Settings::from_env()?, &World::system()).await };
    match done.await {
        Ok(folder) => answer(&json!({ "set_aside": folder })),
        Err(problem) => refuse(&problem),
    }
}
