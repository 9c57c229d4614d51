//! Where things are, and running a program to its end.

use crate::{Done, Stop};
use std::path::PathBuf;
use std::process::Command;

/// The project's root.
pub fn root() -> PathBuf {
    // Cargo tells where it runs this from; what was true at compile time may be another
    // checkout's, when two share a target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or(here.clone(), PathBuf::from)
}

/// The folder cargo builds into.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => std::path::absolute(dir).unwrap_or_else(|_| root().join("target")),
        None => root().join("target"),
    }
}

pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs to the end; a code other than 0 is a refusal that names the step.
pub fn step(name: &str, command: &mut Command) -> Done {
    println!("== {name}");
    let status = command.status().map_err(|error| Stop::Failed(format!("{name}: {error}")))?;
    if status.success() { Ok(()) } else { Err(Stop::Refused(format!("{name} did not pass ({status})"))) }
}
