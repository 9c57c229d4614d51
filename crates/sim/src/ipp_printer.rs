//! A real IPP printer on a free port of this machine: CUPS's `ippeveprinter` (Debian package
//! cups-ipp-utils) with a temporary spool and a script that makes faults. It needs a system bus,
//! which a container or a new machine has not: a private one is started for it. Both are ended, with
//! what they started, when the handle is dropped.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The wait for the printer to answer.
const START: Duration = Duration::from_secs(20);

/// Printers started by this process.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// What happens to jobs from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They are printed.
    None,
    /// They wait for paper until the fault is lifted, then are printed.
    NoPaper,
    /// Paper sticks: the job is aborted.
    Jam,
    /// The job is aborted, without a reason.
    Abort,
}

/// A running printer.
pub struct IppPrinter {
    port: u16,
    folder: PathBuf,
    /// Kept for its removal.
    _temporary: Option<tempfile::TempDir>,
    printer: Group,
    _bus: Group,
}

impl IppPrinter {
    /// Starts in a temporary folder.
    pub fn start() -> Result<IppPrinter> {
        let temporary = tempfile::Builder::new().prefix("ipp-").tempdir()?;
        let folder = temporary.path().to_owned();
        let mut printer = Self::start_in(&folder)?;
        printer._temporary = Some(temporary);
        Ok(printer)
    }

    /// Starts with its spool and log in `folder`, which is kept.
    pub fn start_in(folder: &Path) -> Result<IppPrinter> {
        let spool = folder.join("spool");
        std::fs::create_dir_all(&spool)?;
        let script = folder.join("job.sh");
        std::fs::write(&script, SCRIPT.replace("{folder}", &folder.display().to_string()))?;
        allow_execution(&script)?;
        set_fault(folder, Fault::None)?;
        let (bus, address) = bus()?;
        let end = Instant::now() + START;
        loop {
            // Free a moment ago: taken in between, the printer ends and another port is tried. Its
            // name tells it from another that took the port.
            let name = format!("Specimen-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut printer = Group(
                Command::new(program())
                    .args([
                        "-r",
                        "off",
                        "-n",
                        "localhost",
                        "-p",
                        &port.to_string(),
                        "-k",
                        "-f",
                        "application/pdf",
                        "-d",
                    ])
                    .arg(&spool)
                    .arg("-c")
                    .arg(&script)
                    .arg(&name)
                    .env("DBUS_SYSTEM_BUS_ADDRESS", &address)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(std::fs::File::create(folder.join("printer.log"))?)
                    .group()
                    .spawn()
                    .map_err(|e| {
                        Error::other(format!("ippeveprinter (Debian package cups-ipp-utils): {e}"))
                    })?,
            );
            while printer.0.try_wait()?.is_none() {
                if answers(port, &name).unwrap_or(false) {
                    return Ok(IppPrinter {
                        port,
                        folder: folder.to_owned(),
                        _temporary: None,
                        printer,
                        _bus: bus,
                    });
                }
                if Instant::now() > end {
                    return Err(Error::other("the test printer does not answer"));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            if Instant::now() > end {
                return Err(Error::other("the test printer does not start"));
            }
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address: `ipp://localhost:PORT/ipp/print`.
    pub fn uri(&self) -> String {
        format!("ipp://localhost:{}/ipp/print", self.port)
    }

    /// For jobs from now on; [`Fault::None`] also lets waiting ones go.
    pub fn set_fault(&self, fault: Fault) -> Result<()> {
        set_fault(&self.folder, fault)
    }

    /// The documents received, in the order of their jobs. The file name is
    /// `<job-id>-<job name, lower case>.pdf`.
    pub fn received(&self) -> Result<Vec<PathBuf>> {
        let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(self.spool())?
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                // Beside each document stands what the script printed (.prn): nothing.
                path.extension().filter(|kind| *kind == "pdf")?;
                let number = path.file_name()?.to_str()?.split('-').next()?.parse().ok()?;
                Some((number, path))
            })
            .collect();
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    /// The folder documents land in.
    pub fn spool(&self) -> PathBuf {
        self.folder.join("spool")
    }

    /// The process that prints, for tests that stop or kill it.
    pub fn pid(&self) -> u32 {
        self.printer.0.id()
    }
}

/// A child and all that it started; killed and waited for when dropped.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// A message bus of our own, and its address.
fn bus() -> Result<(Group, String)> {
    let mut bus = Group(
        Command::new("dbus-daemon")
            .args(["--session", "--print-address", "--nofork", "--nopidfile"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .group()
            .spawn()
            .map_err(|e| Error::other(format!("dbus-daemon (Debian package dbus-daemon): {e}")))?,
    );
    let out = bus.0.stdout.take().ok_or_else(|| Error::other("no output"))?;
    let mut address = String::new();
    BufReader::new(out).read_line(&mut address)?;
    match address.trim() {
        "" => Err(Error::other("dbus-daemon gave no address")),
        address => Ok((bus, address.to_owned())),
    }
}

/// Whether the printer of this name answers on `port`: its page for browsers shows it.
fn answers(port: u16, name: &str) -> Result<bool> {
    let mut stream = TcpStream::connect(("localhost", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let (mut page, mut part) = (String::new(), [0; 4096]);
    while page.len() < 64 * 1024 && !page.contains(name) {
        let read = stream.read(&mut part)?;
        if read == 0 {
            return Ok(false);
        }
        page.push_str(&String::from_utf8_lossy(part.get(..read).unwrap_or_default()));
    }
    Ok(page.contains(name))
}

/// Not on every user's PATH.
fn program() -> &'static str {
    if Path::new("/usr/sbin/ippeveprinter").exists() { "/usr/sbin/ippeveprinter" } else { "ippeveprinter" }
}

fn set_fault(folder: &Path, fault: Fault) -> Result<()> {
    let word = match fault {
        Fault::None => "none",
        Fault::NoPaper => "no-paper",
        Fault::Jam => "jam",
        Fault::Abort => "abort",
    };
    // Renamed into place: the script never reads half a word.
    std::fs::write(folder.join("fault.new"), word)?;
    std::fs::rename(folder.join("fault.new"), folder.join("fault"))
}

trait OwnGroup {
    fn group(&mut self) -> &mut Self;
}

impl OwnGroup for Command {
    fn group(&mut self) -> &mut Self {
        std::os::unix::process::CommandExt::process_group(self, 0)
    }
}

fn allow_execution(script: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755))
}

/// Run by ippeveprinter for each job; its error stream sets the printer's state.
const SCRIPT: &str = r#"#!/bin/sh
fault() { cat "{folder}/fault"; }
# Whoever sends the next job has taken the stuck paper out.
echo "STATE: -media-jam-error" >&2
case "$(fault)" in
no-paper)
    echo "STATE: +media-empty-error" >&2
    while [ "$(fault)" = no-paper ]; do sleep 0.05; done
    echo "STATE: -media-empty-error" >&2
    ;;
jam)
    echo "STATE: +media-jam-error" >&2
    # A real one stands still for a while before it gives up: longer than anybody looks away.
    sleep 3
    echo "ERROR: paper jam" >&2
    exit 1
    ;;
abort)
    echo "ERROR: cannot print" >&2
    exit 1
    ;;
esac
exit 0
"#;
