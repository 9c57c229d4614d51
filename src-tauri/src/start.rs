//! What stands before the window: the few words of the command line, and whether there is
//! a display. Never touches the window system's library, which ends the process when it
//! finds none.

use app::contract::{Problem, sentence};
use std::ffi::OsString;
use std::io::Write as _;

const HELP: &str = "\
The window at the counter.

Usage: kiosk

It takes no options: what it uses stands in kiosk.json, in $JALON_HOME or else
$XDG_DATA_HOME/jalon, written by jalonctl enrol.

  -h, --help     Print this
  -V, --version  Print the version
";

/// Exit codes every binary of Jalon shares.
const USAGE: i32 = 2;
const MISSING: i32 = 3;
const FAILED: i32 = 4;

/// Nothing when the window may open; else the exit code, once what there is to say is said.
pub fn ended(arguments: impl IntoIterator<Item = OsString>) -> Option<i32> {
    match asked(arguments) {
        Asked::Help => Some(said(HELP)),
        Asked::Version => Some(said(concat!("kiosk ", env!("CARGO_PKG_VERSION"), "\n"))),
        Asked::Unknown(argument) => {
            Some(told(&Problem::new("unknown_argument").with("argument", argument), USAGE))
        }
        #[cfg(target_os = "linux")]
        Asked::Window if !crate::display::is_there() => Some(told(&Problem::new("no_display"), MISSING)),
        Asked::Window => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Window,
    Help,
    Version,
    Unknown(String),
}

/// The first word decides: there is nothing for a second to say.
fn asked(arguments: impl IntoIterator<Item = OsString>) -> Asked {
    let Some(first) = arguments.into_iter().next() else { return Asked::Window };
    match first.to_str() {
        Some("-h" | "--help") => Asked::Help,
        Some("-V" | "--version") => Asked::Version,
        _ => Asked::Unknown(first.to_string_lossy().into_owned()),
    }
}

fn said(text: &str) -> i32 {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => 0,
        Err(_) => told(&Problem::new("answer_not_written"), FAILED),
    }
}

/// Says why, in French, to whoever reads the terminal.
fn told(problem: &Problem, code: i32) -> i32 {
    let _ = std::io::stderr().write_all(format!("kiosk: {}\n", sentence(problem, "fr")).as_bytes());
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_asked_for_or_refused() {
        let of = |words: &[&str]| asked(words.iter().map(OsString::from));
        assert_eq!(of(&[]), Asked::Window);
        assert_eq!(of(&["--help", "x"]), Asked::Help);
        assert_eq!(of(&["-V"]), Asked::Version);
        assert_eq!(of(&["--bogus"]), Asked::Unknown("--bogus".into()));
        assert_eq!(of(&[""]), Asked::Unknown(String::new()));
    }
}
