//! A story in a message bus and a HOME of its own, with a real Secret Service
//! (gnome-keyring) or none, so that no developer's keyring is ever touched.

use crate::programs::{Failure, fail};
use std::path::Path;
use std::process::{Command, Stdio};

const INSIDE: &str = "JALON_KEYRING_STORY";

/// Runs the calling test again inside a bus of its own; `unlock` starts a daemon with an open
/// keyring. Call it first in a test named `name`.
///
/// # Panics
/// The story fails: this is the test's own failure.
pub fn inside(name: &str, unlock: bool, story: fn(&Path)) {
    if let Some(home) = std::env::var_os(INSIDE) {
        return story(Path::new(&home));
    }
    if let Err(failure) = again(name, unlock) {
        panic!("{failure}");
    }
}

fn again(name: &str, unlock: bool) -> Result<(), Failure> {
    let home = tempfile::tempdir()?;
    std::fs::create_dir_all(home.path().join("run"))?;
    let test = std::env::current_exe()?;
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
    let out = again.output().map_err(|_| fail("dbus-run-session is missing (Debian package dbus)"))?;
    let said = String::from_utf8_lossy(&out.stdout);
    if !out.status.success() {
        return Err(fail(format!("{said}{}", String::from_utf8_lossy(&out.stderr))));
    }
    if said.contains("1 passed") { Ok(()) } else { Err(fail("the story itself did not run")) }
}

/// Notes the keyring daemons of this bus, so that they end with the story.
///
/// # Errors
/// The processes cannot be read.
pub fn note_daemons(home: &Path) -> Result<(), Failure> {
    let mut pids = String::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let environ = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let ours = environ
            .split(|b| *b == 0)
            .any(|line| line == [b"HOME=", home.as_os_str().as_encoded_bytes()].concat());
        if ours && name.starts_with("gnome-keyring") {
            pids.push_str(&format!("{} ", entry.file_name().to_string_lossy()));
        }
    }
    Ok(std::fs::write(home.join("pids"), pids)?)
}
