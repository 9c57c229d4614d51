//! Runs a program with everything it starts, and ends all of it when this process is told to end:
//! servers that went their own way too, and the folders they put their files in for a while.
//! SIGKILL alone leaves a folder, which the next run removes.

use crate::programs::{Failure, fail, kill};
use crate::simulate::fast_folder;
use crate::stand::ShortFolder;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal as Heard, SignalKind, signal};

/// Set for what runs under a supervisor.
pub const INSIDE: &str = "JALON_STAND_SUPERVISED";
/// Where folders in memory go, when it is not where [`fast_folder`] looks by itself.
pub const FAST: &str = "JALON_STAND_FAST";
/// For a program to end by itself once told to; then it is killed.
const POLITE: Duration = Duration::from_secs(3);
/// For killed ones to be gone.
const KILLED: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// Does somebody supervise this process already?
#[must_use]
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs it to its end, or until SIGTERM, SIGINT or SIGHUP; answers its exit code, or 128 and the
/// signal's number.
///
/// # Errors
/// It cannot be started, or something it started does not go.
pub fn run(command: &mut Command) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anything is started: a signal that comes early is not lost.
        let mut heard = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
            .into_iter()
            .map(|kind| Ok((kind.as_raw_value(), signal(kind)?)))
            .collect::<Result<Vec<_>, std::io::Error>>()?;
        // Whatever loses its parent becomes ours.
        set_child_subreaper(Some(getpid()))?;
        let folder = ShortFolder::make()?;
        let fast = tempfile::Builder::new().prefix("jalon-sim-").tempdir_in(fast_folder())?;
        command.env(INSIDE, "1").env("TMPDIR", folder.path()).env(FAST, fast.path());
        let mut child = command
            .spawn()
            .map_err(|error| fail(format!("{}: {error}", command.get_program().to_string_lossy())))?;
        let code = loop {
            if let Some(status) = child.try_wait()? {
                break status.code().map_or(4, |code| u8::try_from(code).unwrap_or(4));
            }
            if let Some(number) = told(&mut heard, LOOK).await {
                break 128_u8.saturating_add(u8::try_from(number).unwrap_or(0));
            }
        };
        end_all()?;
        let _ = child.wait();
        Ok(ExitCode::from(code))
    })
}

/// The number of the signal that came within this time.
async fn told(heard: &mut [(i32, Heard)], within: Duration) -> Option<i32> {
    let any = std::future::poll_fn(|context| {
        heard
            .iter_mut()
            .find_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number))
            .map_or(std::task::Poll::Pending, std::task::Poll::Ready)
    });
    tokio::time::timeout(within, any).await.ok()
}

/// Tells all this process has started, and what those started, to end; kills what does not.
fn end_all() -> Result<(), Failure> {
    for pid in descendants() {
        if let Some(pid) = pid_of(pid) {
            let _ = kill_process(pid, Signal::TERM);
        }
    }
    if gone_within(POLITE, |_| {}) {
        return Ok(());
    }
    // Again and again: one that is about to be killed may have started another.
    match gone_within(KILLED, |pid| drop(kill(pid))) {
        true => Ok(()),
        false => Err(fail("something that was started does not end")),
    }
}

fn gone_within(limit: Duration, again: impl Fn(u32)) -> bool {
    let end = Instant::now() + limit;
    loop {
        reap();
        let left = descendants();
        if left.is_empty() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        left.into_iter().for_each(&again);
        std::thread::sleep(LOOK);
    }
}

/// Takes leave of children that have ended, of whatever group; the one started here among them.
fn reap() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

fn pid_of(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Every process below this one.
fn descendants() -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut next) = (Vec::new(), vec![std::process::id()]);
    while let Some(pid) = next.pop() {
        let below = children.remove(&pid).unwrap_or_default();
        found.extend(&below);
        next.extend(below);
    }
    found
}

/// The fourth word of `/proc/PID/stat`; the second is a name in brackets with anything in it.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
