#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Whoever ends the demonstration or the simulation ends everything it started: no PostgreSQL, no
//! central, no printer goes on, and no folder is left.

use journeys::programs::{Running, built, command, wait_for};
use journeys::supervise;
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::Command;

const MARK: &str = "JALON_TOLD_TO_END";

/// Names of the programs of this story that run, by a word in their environment.
fn running(mark: &str) -> Vec<String> {
    let word = format!("{MARK}={mark}");
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            let environ = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|line| line == word.as_bytes())
        })
        .filter_map(|entry| Some(std::fs::read_to_string(entry.path().join("comm")).ok()?.trim().to_owned()))
        .collect()
}

fn left_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Starts it, waits until these programs run, tells it to end, and looks for what is left.
fn told_to_end(stand: &mut Command, signal: Signal, parts: &[&str]) {
    let place = tempfile::tempdir().unwrap();
    let (temp, fast) = (place.path().join("t"), place.path().join("f"));
    for folder in [&temp, &fast] {
        std::fs::create_dir(folder).unwrap();
    }
    let mark = place.path().file_name().unwrap().to_str().unwrap();
    stand.env(MARK, mark).env("TMPDIR", &temp).env(supervise::FAST, &fast).env_remove(supervise::INSIDE);
    let log = place.path().join("log");
    let mut stand = Running::start(stand, &log).unwrap();
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    let all_there = wait_for("every part runs", || {
        let there = running(mark);
        parts.iter().all(|part| there.iter().any(|name| name.starts_with(part))).then_some(())
    });
    assert!(all_there.is_ok(), "{:?} run: {}", running(mark), told());
    let pid = Pid::from_raw(i32::try_from(stand.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
    wait_for("it ends", || stand.ended().then_some(())).unwrap();
    assert_eq!(stand.code(), Some(128 + signal.as_raw()), "{}", told());
    assert_eq!(running(mark), Vec::<String>::new(), "{}", told());
    for folder in [&temp, &fast] {
        assert_eq!(left_in(folder), Vec::<String>::new(), "{}", told());
    }
}

#[test]
fn a_simulation_that_is_told_to_end_leaves_nothing() {
    let mut sim = command(built("stand").unwrap(), ["sim", "--seeds", "1000000"]);
    told_to_end(&mut sim, Signal::TERM, &["stand", "postgres"]);
}

#[test]
fn a_demonstration_that_is_told_to_end_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = command(built("stand").unwrap(), ["run", "--headless", "--dir"]);
    run.arg(folder.path().join("run")).arg("--out").arg(folder.path().join("out"));
    run.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("JALON_STAND_INSIDE");
    let parts = ["dbus", "stand", "postgres", "central", "ippeveprinter"];
    told_to_end(&mut run, Signal::INT, &parts);
}
