//! Recording one vault's life: several sessions of the kiosk, one after the other on one
//! folder, under `record.c`, from the making of the vault on. Sessions end in order or
//! not, and some move the log into the file first.

use super::trace::Trace;
use super::victim::{End, Synchronous};
use crate::programs::{Failure, built, fail, output};
use sim::simulation::Dice;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The recorder's source; built when it is needed, by the compiler the vault's own build
/// needs anyway.
const RECORD_C: &str = include_str!("record.c");
const SESSIONS: u64 = 4;
/// Rows of the plain table: enough for several checkpoints.
const PLAIN_ROWS: u64 = 60;

/// Builds the recorder into `folder`.
///
/// # Errors
/// There is no C compiler.
pub fn recorder(folder: &Path) -> Result<PathBuf, Failure> {
    let (source, library) = (folder.join("record.c"), folder.join("record.so"));
    std::fs::write(&source, RECORD_C)?;
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    output(&mut cc)?;
    Ok(library)
}

/// What one victim is told.
pub struct Session<'a> {
    pub ground: &'a Path,
    pub folder: &'a Path,
    pub seed: u64,
    pub session: u64,
    pub visits: u64,
    pub end: End,
    pub checkpoint: bool,
    pub fill: bool,
    pub plain: Option<Synchronous>,
}

impl Session<'_> {
    pub fn command(&self) -> Result<Command, Failure> {
        let mut command = Command::new(built("stand")?);
        command.arg("crash-victim");
        command.arg("--folder").arg(self.folder).arg("--ground").arg(self.ground);
        command.arg("--seed").arg(self.seed.to_string()).arg("--session").arg(self.session.to_string());
        command.arg("--visits").arg(self.visits.to_string());
        command.arg("--end").arg(match self.end {
            End::Close => "close",
            End::Drop => "drop",
        });
        if self.checkpoint {
            command.arg("--checkpoint");
        }
        if self.fill {
            command.arg("--fill");
        }
        if let Some(synchronous) = self.plain {
            command.arg("--plain").arg(match synchronous {
                Synchronous::Normal => "normal",
                Synchronous::Full => "full",
            });
        }
        Ok(command)
    }
}

/// A kiosk's life, with its log filled once or not. The same for the same seed, but for
/// what is locked with fresh keys; a scanned page is padded by chance too, which now and
/// then makes it a page of the store longer or shorter.
///
/// # Errors
/// The kiosk under test fails, which it has no reason to.
pub fn vault(
    recorder: &Path,
    ground: &Path,
    scratch: &Path,
    seed: u64,
    fill: bool,
) -> Result<Trace, Failure> {
    let mut dice = Dice::new(seed, 1);
    let mut sessions = Vec::new();
    for session in 0..SESSIONS {
        let visits = 6 + dice.below(5);
        let end = if dice.chance(50) { End::Close } else { End::Drop };
        sessions.push((session, visits, end, session > 0 && dice.chance(50)));
    }
    record(recorder, scratch, |folder| {
        let session = |&(session, visits, end, checkpoint)| Session {
            ground,
            folder,
            seed,
            session,
            visits,
            end,
            checkpoint,
            fill: fill && session == 0,
            plain: None,
        };
        sessions.iter().map(session).map(|session| session.command()).collect()
    })
}

/// The life of a plain table.
///
/// # Errors
/// As [`vault`].
pub fn plain(recorder: &Path, scratch: &Path, seed: u64, synchronous: Synchronous) -> Result<Trace, Failure> {
    record(recorder, scratch, |folder| {
        let session = Session {
            ground: folder,
            folder,
            seed,
            session: 0,
            visits: PLAIN_ROWS,
            end: End::Drop,
            checkpoint: false,
            fill: false,
            plain: Some(synchronous),
        };
        Ok(vec![session.command()?])
    })
}

fn record(
    recorder: &Path,
    scratch: &Path,
    commands: impl FnOnce(&Path) -> Result<Vec<Command>, Failure>,
) -> Result<Trace, Failure> {
    let folder = tempfile::Builder::new().prefix("record-").tempdir_in(scratch)?;
    // The recorder compares whole paths.
    let life = std::fs::canonicalize(folder.path())?.join("life");
    std::fs::create_dir(&life)?;
    let trace = folder.path().join("trace");
    for mut command in commands(&life)? {
        command
            .env("LD_PRELOAD", recorder)
            .env("JALON_TRACE", &trace)
            .env("JALON_TRACE_ROOT", &life)
            .stdin(Stdio::null());
        let out = command.output()?;
        if !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            return Err(fail(format!("the kiosk under test ended with {}: {said}", out.status)));
        }
    }
    Trace::read(std::fs::read(&trace)?)
}
