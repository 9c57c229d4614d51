//! The command line from outside: exit codes and what is printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use std::process::{Command, Output};

fn jalonctl(args: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_jalonctl"))
        .args(args)
        .env("JALON_HOME", home.path())
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .output()
        .unwrap()
}

#[test]
fn usage_errors_are_2_and_missing_set_up_is_3() {
    assert_eq!(jalonctl(&[]).status.code(), Some(2));
    assert_eq!(jalonctl(&["seal", "verify"]).status.code(), Some(2));
    assert_eq!(jalonctl(&["seal", "verify", "--text", "x", "--root", "/nonexistent"]).status.code(), Some(3));
    let status = jalonctl(&["status", "--json"]);
    assert_eq!(status.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&status.stdout).contains("not_enrolled"));
    assert!(!status.stderr.is_empty(), "it says what to do");
}
