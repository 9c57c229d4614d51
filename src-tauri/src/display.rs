//! Is there a display? Asked of its socket, with nothing of the window system's library.
//! Never says no to a display it cannot ask: one on another machine passes.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};

/// Where X servers of this machine listen.
const X_SOCKETS: &str = "/tmp/.X11-unix";

pub fn is_there() -> bool {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    given("WAYLAND_DISPLAY").is_some_and(|name| wayland(&name, given("XDG_RUNTIME_DIR")))
        || given("DISPLAY").is_some_and(|name| x11(&name))
}

/// An absolute path, or a name in the session's folder.
fn wayland(name: &OsString, runtime: Option<OsString>) -> bool {
    let socket = match runtime {
        Some(folder) => PathBuf::from(folder).join(name),
        None => PathBuf::from(name),
    };
    UnixStream::connect(socket).is_ok()
}

/// `:N`, `unix:N` and `:N.S` are of this machine; `host:N` is not asked.
fn x11(name: &OsString) -> bool {
    let Some((host, number)) = name.to_str().and_then(|name| name.rsplit_once(':')) else { return false };
    let number = number.split('.').next().unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    if !matches!(host, "" | "unix") {
        return true;
    }
    let socket = Path::new(X_SOCKETS).join(format!("X{number}"));
    UnixStream::connect(&socket).is_ok()
        || SocketAddr::from_abstract_name(socket.as_os_str().as_encoded_bytes())
            .is_ok_and(|address| UnixStream::connect_addr(&address).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_that_nobody_serves_is_none() {
        let folder = std::env::temp_dir().into_os_string();
        for name in ["", "nonsense", ":", ":x", ":4294967295", "unix:4294967295.0"] {
            assert!(!x11(&name.into()), "{name}");
        }
        assert!(x11(&"elsewhere.example:10.0".into()), "another machine's is not asked");
        assert!(!wayland(&"no-such-wayland".into(), Some(folder)));
    }
}
