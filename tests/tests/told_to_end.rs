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
    // One nobody opens a window on before it is ended.
    run.env("DISPLAY", ":65000").env_remove("WAYLAND_DISPLAY").env_remove("JALON_STAND_INSIDE");
    let parts = ["dbus", "stand", "postgres", "central", "ippeveprinter"];
    told_to_end(&mut run, Signal::INT, &parts);
}

/// What a stand lacks is told at once, with the path: a display, a folder it can use, a folder no
/// other stand is at work in.
#[test]
fn a_demonstration_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("run");
    let said = |words: &[&str], display: bool| {
        let mut run = command(built("stand").unwrap(), ["run", "--headless"]);
        run.args(words).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("JALON_STAND_INSIDE");
        if display {
            run.env("DISPLAY", ":65000");
        }
        let out = run.output().unwrap();
        assert_eq!(out.status.code(), Some(4), "{out:?}");
        String::from_utf8(out.stderr).unwrap()
    };
    let dir = place.display().to_string();
    assert!(said(&["--dir", &dir], false).contains("no display"));
    assert!(!place.exists(), "nothing was begun");
    let nowhere = "/proc/nowhere/run";
    let told = said(&["--dir", nowhere], true);
    assert!(told.contains(nowhere) && told.contains("--dir"), "{told}");
    let told = said(&["--dir", &dir, "--out", nowhere], true);
    assert!(told.contains(nowhere) && told.contains("--out"), "{told}");
    let held = std::fs::File::create(place.join("stand.lock")).unwrap();
    held.try_lock().unwrap();
    for fresh in [&["--dir", &dir][..], &["--dir", &dir, "--fresh"]] {
        let told = said(fresh, true);
        assert!(told.contains("already running") && told.contains(&dir), "{told}");
    }
    assert!(place.join("home").exists(), "--fresh took nothing from under it");
}
