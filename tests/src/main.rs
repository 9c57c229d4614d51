//! `stand run | sim | crash | described | bench | codegen`: called by `cargo xtask`, inside a process tree, message
//! bus and (without a display) a screen of its own.

use clap::{Args, Parser, Subcommand};
use journeys::programs::{Failure, built, fail};
use journeys::stand::{MEDIATOR, PIN, Real, Stand, environment};
use journeys::{bench, crash, described, simulate, supervise};
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start every part and the window; with --headless drive it through the journey.
    Run(Run),
    /// Run the simulation: many seeds, or one again.
    Sim(simulate::Sim),
    /// Take the power from a kiosk, many times, and look for what it had kept.
    Crash(crash::Crash),
    /// The kiosk whose power goes.
    #[command(hide = true)]
    CrashVictim(crash::Victim),
    /// A kiosk on an errand, killed.
    #[command(hide = true)]
    CrashErrand(crash::errands::Errand),
    /// Central against its own description, by schemathesis.
    Described(described::Described),
    /// Measure, beside what it is measured against.
    Bench(bench::Bench),
    /// Run a program, and end it with all it has started when this process is told to end.
    #[command(hide = true)]
    Supervise {
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Write the window's types from the contract.
    Codegen {
        /// Change nothing; fail when a file differs.
        #[arg(long)]
        check: bool,
    },
}

#[derive(Args)]
struct Run {
    #[arg(long)]
    headless: bool,
    /// Empty the run folder first.
    #[arg(long)]
    fresh: bool,
    /// The run folder.
    #[arg(long, env = "JALON_RUN_DIR")]
    dir: Option<PathBuf>,
    /// Where the journey's report goes.
    #[arg(long)]
    out: Option<PathBuf>,
    #[arg(long, requires_all = ["code", "ca"])]
    central: Option<String>,
    #[arg(long)]
    code: Option<String>,
    #[arg(long)]
    ca: Option<PathBuf>,
    #[arg(long)]
    printer: Option<String>,
    #[arg(long)]
    scanner: Option<String>,
}

fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let verb = Cli::parse().verb;
    if matches!(verb, Verb::Run(_) | Verb::Sim(_)) && !supervise::is_inside() {
        return again();
    }
    let done = match verb {
        Verb::Supervise { words } => return supervised(&words),
        Verb::Run(run) => self::run(run),
        Verb::Sim(sim) => simulate::run(&sim),
        Verb::Crash(crash) => crash::run(&crash),
        Verb::CrashErrand(errand) => crash::errands::run(&errand).map(|()| true),
        Verb::CrashVictim(victim) => crash::be_victim(&victim).map(|()| true),
        Verb::Described(asked) => described::run(&asked),
        Verb::Bench(bench) => return self::bench(&bench),
        Verb::Codegen { check } => codegen(check).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("stand: {failure}");
            ExitCode::from(4)
        }
    }
}

/// This program again, under a supervisor.
fn again() -> ExitCode {
    let words = std::env::current_exe().map(|program| {
        [program.into_os_string()].into_iter().chain(std::env::args_os().skip(1)).collect::<Vec<_>>()
    });
    match words {
        Ok(words) => supervised(&words),
        Err(error) => {
            eprintln!("stand: this program's own path is not known: {error}");
            ExitCode::from(4)
        }
    }
}

fn supervised(words: &[OsString]) -> ExitCode {
    let Some((program, args)) = words.split_first() else { return ExitCode::from(2) };
    supervise::run(Command::new(program).args(args)).unwrap_or_else(|failure| {
        eprintln!("stand: {failure}");
        ExitCode::from(4)
    })
}

fn bench(bench: &bench::Bench) -> ExitCode {
    match bench::run(bench) {
        Ok(bench::Ended::Held) => ExitCode::SUCCESS,
        Ok(bench::Ended::Broken) => ExitCode::from(1),
        Ok(bench::Ended::Missing(line)) => {
            eprintln!("stand: something is missing; run:\n  {line}");
            ExitCode::from(3)
        }
        Err(failure) => {
            eprintln!("stand: {failure}");
            ExitCode::from(4)
        }
    }
}

/// Answers false when a step of the journey did not hold.
fn run(run: Run) -> Result<bool, Failure> {
    let folder = match &run.dir {
        Some(dir) => std::path::absolute(dir)?,
        None => built("stand")?
            .parent()
            .and_then(Path::parent)
            .ok_or_else(|| fail("no target folder"))?
            .join("jalon-run"),
    };
    let out = run.out.clone().unwrap_or_else(|| folder.join("out"));
    if run.headless && ["DISPLAY", "WAYLAND_DISPLAY"].iter().all(|name| std::env::var_os(name).is_none()) {
        return Err(fail(
            "--headless drives a window, and there is no display to open it on; run cargo xtask run --headless, \
             which brings one, or xvfb-run -a stand run --headless",
        ));
    }
    made(&folder, "--dir")?;
    let lock = alone_in(&folder)?;
    if std::env::var_os("JALON_STAND_INSIDE").is_none() {
        if run.fresh {
            empty(&folder)?;
        }
        made(&folder.join("home/run"), "--dir")?;
        made(&out, "--out")?;
        return Err(inside(&folder));
    }
    let central = match (run.central, run.code, run.ca) {
        (Some(url), Some(code), Some(ca)) => Some((url, code, ca)),
        _ => None,
    };
    let stand = Stand::start(&folder, Real { central, printer: run.printer, scanner: run.scanner })?;
    println!("run folder  {}", folder.display());
    println!("mediator    {MEDIATOR}");
    println!("PIN         {PIN}");
    let runtime = tokio::runtime::Runtime::new()?;
    if run.headless {
        return runtime.block_on(journeys::journey::run(stand, &out));
    }
    let mut kiosk = Command::new(built("kiosk")?);
    stand.kiosk_environment(&mut kiosk);
    let status = kiosk.status()?;
    drop(lock);
    Ok(status.success())
}

/// Makes a folder that was named on the command line, or says which.
fn made(folder: &Path, flag: &str) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|error| fail(format!("{} cannot be made; correct {flag}: {error}", folder.display())))
}

const LOCK: &str = "stand.lock";

/// One stand at a time in a folder: a second one would take its database's files.
fn alone_in(folder: &Path) -> Result<File, Failure> {
    let path = folder.join(LOCK);
    let file = File::create(&path)
        .map_err(|error| fail(format!("{} cannot be written; correct --dir: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(fail(format!(
            "a stand is already running in {}; end it, or give another folder with --dir",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Removes all a folder holds but the lock.
fn empty(folder: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Runs this program again under a message bus of its own, with HOME inside the folder:
/// the keyring of whoever runs it is never touched. Only answers when it cannot.
fn inside(folder: &Path) -> Failure {
    let Ok(program) = std::env::current_exe() else { return fail("this program's own path is not known") };
    let mut again = Command::new("dbus-run-session");
    again.arg("--").arg(program).args(std::env::args_os().skip(1));
    again.env("JALON_STAND_INSIDE", "1").env("NO_AT_BRIDGE", "1");
    for (name, value) in environment(folder) {
        again.env(name, value);
    }
    again.exec().into()
}

fn codegen(check: bool) -> Result<(), Failure> {
    let root = std::env::current_dir()?;
    let wanted = tempfile::tempdir()?;
    app::contract::export_typescript(wanted.path())?;
    let generated = root.join("ui/src/generated");
    let mut differing = Vec::new();
    for entry in std::fs::read_dir(wanted.path())? {
        let entry = entry?;
        let file = generated.join(entry.file_name());
        let text = std::fs::read(entry.path())?;
        if std::fs::read(&file).ok().as_deref() != Some(text.as_slice()) {
            if check {
                differing.push(entry.file_name().to_string_lossy().into_owned());
            } else {
                std::fs::create_dir_all(&generated)?;
                std::fs::write(&file, text)?;
            }
        }
    }
    if differing.is_empty() {
        Ok(())
    } else {
        Err(fail(format!("not as the contract says: {}; run cargo xtask codegen", differing.join(", "))))
    }
}
