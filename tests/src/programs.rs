//! Programs of the workspace and of the system, started and ended by their process id.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait on any condition.
pub const WAIT: Duration = Duration::from_secs(20);

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A text as a failure.
pub fn fail(text: impl Into<String>) -> Failure {
    text.into().into()
}

/// A program of this workspace, built beside the running one.
///
/// # Errors
/// It has not been built.
pub fn built(name: &str) -> Result<PathBuf, Failure> {
    let folder = match std::env::var_os("JALON_TARGET") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let here = std::env::current_exe()?;
            // target/debug/stand, or target/debug/deps/<test>
            let folder = here.parent().map(Path::to_owned).unwrap_or_default();
            if folder.ends_with("deps") {
                folder.parent().map(Path::to_owned).unwrap_or_default()
            } else {
                folder
            }
        }
    };
    let program = folder.join(name);
    if program.exists() {
        Ok(program)
    } else {
        Err(fail(format!("{name} is not built; run cargo xtask setup, then cargo build")))
    }
}

/// Runs to the end and answers what it printed.
///
/// # Errors
/// It cannot be started or ends with another code than 0; its own words are told.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let out = command.stdin(Stdio::null()).output()?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    Err(fail(format!("{program} ended with {}: {}", out.status, said.trim())))
}

/// Runs with some text on its standard input.
///
/// # Errors
/// As [`output`].
pub fn output_with(command: &mut Command, input: &str) -> Result<String, Failure> {
    use std::io::Write as _;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let out = child.wait_with_output()?;
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    } else {
        Err(fail(String::from_utf8_lossy(&out.stderr).into_owned()))
    }
}

/// A program that runs until it is ended; dropping it kills and reaps it.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts with both outputs appended to `log`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self, Failure> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| fail(format!("{}: {error}", command.get_program().to_string_lossy())))?;
        Ok(Self(child))
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL, then reaped.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Its exit code, once it has ended by itself; none when a signal ended it.
    pub fn code(&mut self) -> Option<i32> {
        self.0.try_wait().ok().flatten()?.code()
    }

    /// Has it ended by itself?
    pub fn ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits until `ready` answers something, at most [`WAIT`].
///
/// # Errors
/// The time is over; `what` names the condition.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> Result<T, Failure> {
    let end = Instant::now() + WAIT;
    loop {
        if let Some(found) = ready() {
            return Ok(found);
        }
        if Instant::now() > end {
            return Err(fail(format!("waited {} s in vain: {what}", WAIT.as_secs())));
        }
        // Between two looks at a condition; never instead of one.
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16, Failure> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Process ids of everything running `program`.
#[must_use]
pub fn pids_of(program: &Path) -> Vec<u32> {
    let wanted = std::fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == wanted))
        .collect()
}

/// SIGKILL by process id.
///
/// # Errors
/// There is no such process, or it is another's.
pub fn kill(pid: u32) -> Result<(), Failure> {
    let pid =
        i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).ok_or_else(|| fail("not a pid"))?;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL)?;
    Ok(())
}

/// A command whose words may be paths.
#[must_use]
pub fn command<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}
