//! Calling the workspace's own stand: the demonstration, the real-window journey, the
//! simulation, the crash harness, the benchmarks. Everything it starts lives and ends in one process tree.

use crate::place::{cargo, root, step, target};
use crate::{Done, Stop, setup};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One graph for everything: the tests' own, with the window's automation hook.
pub const GRAPH: [&str; 4] = ["--workspace", "--all-targets", "--features", "kiosk/webdriver"];

/// `cargo xtask run`.
pub fn run(args: &[String]) -> Done {
    setup::setup()?;
    build()?;
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let mut args = args.to_vec();
    if !display && !args.iter().any(|arg| arg == "--headless") {
        println!("no display here: running without one (--headless)");
        args.push("--headless".into());
    }
    let headless = args.iter().any(|arg| arg == "--headless");
    supervised(&stand("run", &args, headless))
}

/// `cargo xtask sim`.
pub fn sim(args: &[String]) -> Done {
    setup::setup()?;
    build()?;
    supervised(&stand("sim", args, true))
}

/// `cargo xtask crash`.
pub fn crash(args: &[String]) -> Done {
    setup::setup()?;
    build()?;
    ended(&mut stand("crash", args, false))
}

/// `cargo xtask bench`: in a release build, which is what is installed. The first one takes
/// some ten minutes; it lies beside the debug one in the target folder.
pub fn bench(args: &[String]) -> Done {
    setup::setup()?;
    // Not on standard output: with --json that is figures only.
    eprintln!("== release build");
    let mut build = cargo(&["build", "--release", "--quiet", "--workspace", "--features", "kiosk/webdriver"]);
    let status = build
        .args(["--bin", "stand"])
        .status()
        .map_err(|error| Stop::Failed(format!("release build: {error}")))?;
    if !status.success() {
        return Err(Stop::Refused(format!("release build did not pass ({status})")));
    }
    let mut words = vec![target().join("release/stand").display().to_string(), "bench".to_owned()];
    words.extend(args.iter().cloned());
    ended(&mut alone(&words, false))
}

/// `cargo xtask codegen`.
pub fn codegen(args: &[String]) -> Done {
    setup::setup()?;
    build()?;
    ended(Command::new(program("stand")).arg("codegen").args(args).current_dir(root()))
}

/// Builds every program and test, once.
pub fn build() -> Done {
    step("build", cargo(&["build"]).args(GRAPH))
}

pub fn program(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// The stand in a process tree of its own: when it ends, however it ends, nothing of it
/// is left. With `screen` it has a screen of its own too.
pub fn stand(verb: &str, args: &[String], screen: bool) -> Command {
    let mut inner = vec![program("stand").display().to_string(), verb.to_owned()];
    inner.extend(args.iter().cloned());
    alone(&inner, screen)
}

/// Runs `words` under its own pid namespace, message bus and, if asked, screen.
pub fn alone(words: &[String], screen: bool) -> Command {
    // Tied to this process: when it is killed, so is the namespace, and with it everything inside.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    let root_user = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    if !root_user {
        command.args(["--user", "--map-current-user"]);
    }
    // Shared memory too: a database that is killed leaves some of it behind.
    command.args(["--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]);
    // xvfb-run as the first process of the namespace would hang for ever: hence this shell.
    let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    let bus = format!("dbus-run-session -- {}", quoted.join(" "));
    let script = if screen {
        format!("xvfb-run -a -s '-screen 0 1280x1024x24' {bus}; exit $?")
    } else {
        format!("{bus}; exit $?")
    };
    command.arg(script).stdin(Stdio::null()).current_dir(root());
    if screen {
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    }
    command
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env("NO_AT_BRIDGE", "1")
        .env("JALON_TARGET", target().join("debug"))
        .env("JALON_ROOT", root());
    command
}

/// Becomes the stand's supervisor: told to end, it ends all the command has started, and removes
/// its temporary folders. Only answers when it cannot.
fn supervised(command: &Command) -> Done {
    let mut supervise = Command::new(program("stand"));
    supervise.arg("supervise").arg("--").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => supervise.env(name, value),
            None => supervise.env_remove(name),
        };
    }
    let error = supervise.stdin(Stdio::null()).current_dir(root()).exec();
    Err(Stop::Failed(format!("the stand: {error}")))
}

fn ended(command: &mut Command) -> Done {
    let status = command.status().map_err(|error| Stop::Failed(format!("the stand: {error}")))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Stop::Code(u8::try_from(code).unwrap_or(4))),
        None => Err(Stop::Failed("the stand was ended".into())),
    }
}
