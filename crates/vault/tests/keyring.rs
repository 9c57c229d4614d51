#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The vault's key in a real Secret Service (gnome-keyring), each story in a message bus
//! and a HOME of its own, so that no developer's keyring is ever touched.

use domain::ids::KioskId;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use vault::{VaultFailure, VaultKey};

const INSIDE: &str = "JALON_KEYRING_STORY";
const KIOSK: KioskId = KioskId([7; 16]);

fn key() -> VaultKey {
    VaultKey::new([9; 32])
}

/// Runs the test again inside a bus of its own; `unlock` starts a daemon with an open keyring.
fn inside(name: &str, unlock: bool, story: fn(&Path)) {
    if let Some(home) = std::env::var_os(INSIDE) {
        return story(Path::new(&home));
    }
    let home = tempfile::tempdir().unwrap();
    let run = home.path().join("run");
    std::fs::create_dir_all(&run).unwrap();
    let test = std::env::current_exe().unwrap();
    let daemon = if unlock {
        "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null; "
    } else {
        ""
    };
    // The daemon is ended with the bus: it is told to by its own process id.
    let script = format!(
        "{daemon}'{}' --exact {name} --nocapture; code=$?; \
         for pid in $(cat \"$HOME\"/pids 2>/dev/null); do kill $pid; done; exit $code",
        test.display()
    );
    let mut again = Command::new("dbus-run-session");
    again.args(["--", "sh", "-c", &script]).stdin(Stdio::null());
    for (variable, folder) in [
        ("HOME", ""),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_RUNTIME_DIR", "run"),
        (INSIDE, ""),
    ] {
        again.env(variable, home.path().join(folder));
    }
    again.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS");
    let out = again.output().expect("dbus-run-session (Debian package dbus)");
    assert!(
        out.status.success(),
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(String::from_utf8_lossy(&out.stdout).contains("1 passed"), "the story itself must have run");
}

/// Notes the keyring daemons of this bus, so that they end with the story.
fn note_daemons(home: &Path) {
    let mut pids = String::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let environ = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let ours = environ
            .split(|b| *b == 0)
            .any(|line| line == [b"HOME=", home.as_os_str().as_encoded_bytes()].concat());
        if ours && name.starts_with("gnome-keyring") {
            pids.push_str(&format!("{} ", entry.file_name().to_string_lossy()));
        }
    }
    std::fs::write(home.join("pids"), pids).unwrap();
}

#[test]
fn a_key_is_made_once_and_opens_the_vault_again() {
    inside("a_key_is_made_once_and_opens_the_vault_again", true, |home| {
        let path = home.join("vault.db");
        let vault = vault::key::create(&path, KIOSK, key()).unwrap();
        vault.transact(|tx| tx.put("x", b"kept")).unwrap();
        drop(vault);
        assert!(vault::key::create(&path, KIOSK, VaultKey::new([1; 32])).is_err(), "never over a vault");
        let vault = vault::key::open(&path, KIOSK).unwrap();
        assert_eq!(vault.read(|tx| tx.get("x")).unwrap().as_deref(), Some(b"kept".as_slice()));
        drop(vault);
        // Another kiosk's key is not there: a refusal, and not one byte changed.
        let before = std::fs::read(&path).unwrap();
        let other = vault::key::open(&path, KioskId([8; 16]));
        assert!(matches!(other, Err(VaultFailure::KeyMissing)));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        note_daemons(home);
    });
}

#[test]
fn without_an_open_keyring_it_answers_in_time_and_makes_nothing() {
    inside("without_an_open_keyring_it_answers_in_time_and_makes_nothing", false, |home| {
        let path = home.join("vault.db");
        let from = Instant::now();
        assert!(vault::key::create(&path, KIOSK, key()).is_err());
        assert!(from.elapsed() < Duration::from_secs(12), "two calls of at most five seconds each");
        assert!(!path.exists(), "a vault nobody can open must not be made");
        note_daemons(home);
    });
}
