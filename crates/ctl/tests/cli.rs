//! The command line from outside: exit codes and what is printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use domain::birth::Birth;
use domain::code::FollowUpCode;
use domain::ids::{RegistrationId, SiteId, SlotId};
use domain::token::SlotToken;
use jiff::Timestamp;
use seal::door::{Door, DoorParts, Ground};
use seal::keys::Signer;
use seal::ring::{KeyCertificate, KeyRing, Role};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest a command may take: none of these waits on anything.
const WAIT: Duration = Duration::from_secs(20);

fn command(args: &[&str], home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jalonctl"));
    command
        .args(args)
        .env("JALON_HOME", home)
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

fn jalonctl(args: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut child = command(args, home.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + WAIT;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("still waiting: {args:?}");
        }
        std::thread::yield_now();
    }
    child.wait_with_output().unwrap()
}

/// The exit code and the problem's code; there must be a sentence too.
fn problem(args: &[&str]) -> (Option<i32>, String) {
    let output = jalonctl(args);
    let said = String::from_utf8_lossy(&output.stderr);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert!(said.starts_with("jalonctl: ") && said.trim().ends_with('.'), "{args:?}: {said}");
    assert!(!said.contains("imprévue"), "{args:?} has no sentence of its own: {said}");
    (output.status.code(), answer["problem"].as_str().unwrap_or_default().to_owned())
}

fn told(code: i32, problem: &str) -> (Option<i32>, String) {
    (Some(code), problem.to_owned())
}

#[test]
fn usage_errors_are_2_and_missing_set_up_is_3() {
    assert_eq!(jalonctl(&[]).status.code(), Some(2));
    let output = jalonctl(&["seal", "verify", "--text", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("--root <root.pub.json>"),
        "it says what to give"
    );
    assert_eq!(problem(&["status", "--json"]), told(3, "not_enrolled"));
}

#[test]
fn sentences_are_in_the_language_asked_for_or_the_terminals() {
    let home = tempfile::tempdir().unwrap();
    let said = |args: &[&str], locale: &[(&str, &str)]| {
        let mut status = command(&[&["status"], args].concat(), home.path());
        status.env_remove("LC_ALL").env_remove("LC_MESSAGES").env_remove("LANG");
        let output = status.envs(locale.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&output.stdout).contains("not_enrolled"), "the code is one for all");
        String::from_utf8(output.stderr).unwrap()
    };
    let (french, english) = (said(&["--lang", "fr"], &[]), said(&["--lang", "en"], &[]));
    assert!(french.contains("Ce poste") && english.contains("This kiosk"), "{french}{english}");
    assert!(said(&["--lang", "ar"], &[]).contains("الجهاز"));
    for (locale, sentence) in [
        (&[][..], &french),
        (&[("LC_ALL", "C")], &french),
        (&[("LANG", "de_DE.UTF-8")], &french),
        (&[("LANG", "en_GB.UTF-8")], &english),
        (&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "en_US.UTF-8")], &english),
        (&[("LANG", "en_GB.UTF-8"), ("LC_MESSAGES", "C.UTF-8")], &french),
    ] {
        assert_eq!(said(&[], locale), *sentence, "{locale:?}");
    }
    assert_eq!(said(&["--lang", "fr"], &[("LC_ALL", "en_US.UTF-8")]), french);
    assert_eq!(jalonctl(&["--lang", "xx", "status"]).status.code(), Some(2));
}

#[test]
fn enrolment_tells_a_slip_from_centrals_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let enrol = |central: &str, ca: &str, more: &[&str]| {
        let args = ["enrol", "--central", central, "--code", "7K3Q-9MZT-4XW2-P", "--ca", ca];
        problem(&[&args, more].concat())
    };
    let (empty, garbage) = (file("empty.pem", ""), file("garbage.pem", "not a certificate\n"));
    let broken = file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let good = "https://central.example:8443";

    for url in ["http://central.example", "central.example:8443", "https://", "https://central.example:x"] {
        assert_eq!(enrol(url, &garbage, &[]), told(2, "bad_central_url"), "{url}");
    }
    assert_eq!(enrol(good, &garbage, &["--printer", "HP"]), told(2, "bad_printer_address"));
    assert_eq!(enrol(good, &garbage, &["--scanner", "Canon"]), told(2, "bad_scanner_address"));
    assert_eq!(enrol(good, "/nonexistent/ca.pem", &[]), told(3, "ca_missing"));
    assert_eq!(enrol(good, &folder.path().display().to_string(), &[]), told(3, "ca_unreadable"));
    for ca in [&empty, &garbage, &broken] {
        assert_eq!(enrol(good, ca, &[]), told(3, "ca_not_certificate"), "{ca}");
    }
}

#[test]
fn a_file_that_cannot_be_a_paper_is_told_by_name() {
    let world = World::new();
    let root = world.root();
    let verify = |args: &[&str], root: &str| problem(&[&["seal", "verify", "--root", root], args].concat());

    assert_eq!(verify(&["--text", "x"], "/nonexistent/root.pub.json"), told(3, "root_missing"));
    let folder = world.folder.path().display().to_string();
    assert_eq!(verify(&["--text", "x"], &folder), told(3, "root_unreadable"));
    let not_ring = world.file("not-ring", b"{}");
    assert_eq!(verify(&["--text", "x"], &not_ring), told(3, "root_not_ring"));

    assert_eq!(verify(&["--image", "/nonexistent/page.png"], &root), told(3, "picture_missing"));
    let pipe = world.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (pipe, large) = (pipe.display().to_string(), world.folder.path().join("large.png"));
    for not_a_file in [pipe.as_str(), "/dev/zero", "/dev/null", &folder] {
        assert_eq!(verify(&["--image", not_a_file], &root), told(2, "picture_not_a_file"), "{not_a_file}");
    }
    std::fs::File::create(&large).unwrap().set_len((64 << 20) + 1).unwrap();
    assert_eq!(verify(&["--image", &large.display().to_string()], &root), told(2, "picture_too_large"));

    // A file that is no picture is looked at, and says nothing.
    let output = jalonctl(&["seal", "verify", "--root", &root, "--image", &not_ring]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["reason"], "not_a_picture");
}

#[test]
fn a_paper_whose_day_is_over_is_looked_at() {
    let world = World::new();
    let root = world.root();
    let verify = |day: &str, more: &[&str]| {
        let text = world.paper(day);
        let output =
            jalonctl(&[&["seal", "verify", "--root", root.as_str(), "--text", &text], more].concat());
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["slot_at"], format!("{day}T09:00:00"));
        (output.status.code(), format!("{} {}", answer["verdict"], answer["reason"]).replace('"', ""))
    };
    let valid = (Some(0), "valid ".to_owned());
    let passed = (Some(1), "look day_passed".to_owned());
    assert_eq!(verify("2027-03-15", &["--at", "2027-03-15T23:59:59Z"]), valid);
    assert_eq!(verify("2027-03-15", &["--at", "2027-03-16T12:00:00Z"]), passed);
    // Without --at, now: a day long ago and a day far ahead.
    assert_eq!(verify("2020-01-02", &[]), passed);
    assert_eq!(verify("2120-01-02", &[]), valid);
    // What is looked at for another reason keeps it.
    let early = (Some(1), "look issued_later_than_now".to_owned());
    assert_eq!(verify("2020-01-02", &["--at", "2019-01-01T00:00:00Z"]), early);
}

#[test]
fn a_bare_dash_reads_the_code_from_standard_input() {
    let world = World::new();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_jalonctl"))
        .args(["seal", "verify", "-", "--root", &world.root()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), world.paper("2120-01-02").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), answer["verdict"].as_str()), (Some(0), Some("valid")));
}

#[test]
fn an_answer_nobody_can_take_is_a_failure_and_no_panic() {
    let world = World::new();
    let text = world.paper("2120-01-02");
    let verify = ["seal", "verify", "--root", &world.root(), "--text", &text];
    let home = tempfile::tempdir().unwrap();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for out in [Stdio::from(full()), Stdio::from(closed)] {
        let output = command(&verify, home.path()).stdout(out).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.starts_with("jalonctl: ") && !said.contains("panicked"), "{said}");
    }
    // Not even a sentence can be written.
    let status = command(&["status"], home.path()).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(3));
}

/// A central's keys, a kiosk and what it prints.
struct World {
    folder: tempfile::TempDir,
    slot_key: Signer,
    device: Signer,
}

impl World {
    fn new() -> Self {
        let (root, slot_key) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let slot = KeyCertificate::issue(&root, Role::Slot, slot_key.public(), from, until);
        let ring = KeyRing::new(root.public(), vec![slot]).unwrap();
        let world =
            Self { folder: tempfile::tempdir().unwrap(), slot_key, device: Signer::from_seed(&[3; 32]) };
        world.file("root.pub.json", &serde_json::to_vec(&ring).unwrap());
        world
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    fn root(&self) -> String {
        self.folder.path().join("root.pub.json").display().to_string()
    }

    /// The door code, as text, of a convocation at 09:00 of this day, issued in 2019.
    fn paper(&self, day: &str) -> String {
        let issued_at: Timestamp = "2019-06-01T10:00:00Z".parse().unwrap();
        let token = SlotToken {
            slot: SlotId(1),
            site: SiteId::parse("DEMO").unwrap(),
            at: format!("{day}T09:00").parse().unwrap(),
            kiosk: self.device.public(),
            last_issue: issued_at,
        };
        let code = Door::new(DoorParts {
            ground: Ground::Slot(seal::token::sign(&self.slot_key, token)),
            registration: RegistrationId([5; 16]),
            code: FollowUpCode::from_random([6; 8]),
            birth: Birth::Customary { year: 1991 },
            issued_at,
            rebuild_code: b"rebuild",
            name: "TRAORÉ Aïssata",
        })
        .seal(&self.device);
        seal::text::from_bytes(&code)
    }
}
