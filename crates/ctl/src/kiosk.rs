//! Commands that open this machine's kiosk.

use crate::{FAILED, MISSING, REFUSED};
use app::contract::Problem;
use app::settings::{KioskFile, Mode};
use app::{Kiosk, Settings, World};
use domain::ids::KioskId;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) async fn enrol(
    central: String,
    code: &str,
    ca: PathBuf,
    printer: Option<String>,
    scanner: Option<String>,
) -> ExitCode {
    let done = async {
        let settings = Settings::from_env()?;
        // The kiosk must find it from wherever it is started.
        let ca = std::fs::canonicalize(&ca).map_err(|_| Problem::new("central_untrusted"))?;
        let kiosk = KioskId([0; 16]);
        let file = KioskFile { kiosk, central, ca, printer, scanner, idle_s: 120, mode: Mode::Counter };
        app::enrol(&settings, file, code, &World::system()).await
    };
    match done.await {
        Ok(file) => {
            println!("{}", json!({ "kiosk": file.kiosk, "central": file.central }));
            ExitCode::SUCCESS
        }
        Err(problem) => refuse(&problem),
    }
}

pub(crate) async fn status(json: bool) -> ExitCode {
    match summary().await {
        Ok(summary) if json => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Ok(summary) => {
            println!("{summary:#}");
            ExitCode::SUCCESS
        }
        Err(problem) => refuse(&problem),
    }
}

async fn summary() -> Result<serde_json::Value, Problem> {
    let kiosk = Kiosk::open(Settings::from_env()?).await?;
    kiosk.status().await
}

pub(crate) async fn sync() -> ExitCode {
    let done = async {
        let kiosk = Kiosk::open(Settings::from_env()?).await?;
        kiosk.exchange().await?;
        kiosk.status().await
    };
    match done.await {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(problem) => refuse(&problem),
    }
}

pub(crate) async fn paper(code: &str, out: &std::path::Path) -> ExitCode {
    let done = async {
        let pdf = Kiosk::open(Settings::from_env()?).await?.paper_pdf(code).await?;
        std::fs::write(out, &pdf).map_err(|_| Problem::new("disk_failed"))?;
        Ok::<_, Problem>(pdf.len())
    };
    match done.await {
        Ok(bytes) => {
            println!("{}", json!({ "bytes": bytes }));
            ExitCode::SUCCESS
        }
        Err(problem) => refuse(&problem),
    }
}

pub(crate) async fn check() -> ExitCode {
    let done = async { Kiosk::open(Settings::from_env()?).await?.check_vault().await };
    match done.await {
        Ok(()) => {
            println!("{}", json!({ "vault": "whole" }));
            ExitCode::SUCCESS
        }
        Err(problem) => refuse(&problem),
    }
}

/// The sentence in French, for whoever reads the terminal, and the code for programs.
fn refuse(problem: &Problem) -> ExitCode {
    eprintln!("jalonctl: {}", app::contract::sentence(problem, "fr"));
    println!("{}", json!({ "problem": problem.code, "args": problem.args }));
    ExitCode::from(match problem.code.as_str() {
        "not_enrolled" | "keyring_unavailable" => MISSING,
        "disk_failed" | "unknown" => FAILED,
        _ => REFUSED,
    })
}
