//! A scanner driven by SANE, through `scanimage` in a process of its own: backends hang and crash,
//! and must not take the kiosk with them. At the limit the whole process group is killed. A page
//! goes through a pipe; feeder pages through a private folder in memory, emptied at once.
//! Source: scanimage(1), whose exit status is the SANE status (sane.h).

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use crate::{Colour, ScanRefusal, ScanRequest, ScannedPage, Scanner, Source, page};

/// Characters of a device's name or of one option.
const NAME_CHARS: usize = 200;
/// Options of one address.
const OPTIONS: usize = 32;
/// What scanimage says about a device's options, or on its error stream.
const TALK_BYTES: usize = 256 * 1024;
/// How long a backend may take to close once it has told why the scan ended. Some never come back from
/// it: the mediator is then told the reason, not the hang. Long enough for a feeder to come to rest.
const CLOSING: Duration = Duration::from_secs(10);
/// How long a device that failed is looked for, to tell one that was unplugged from one that is there.
const LOOKING: Duration = Duration::from_secs(5);
/// Width and height of the area, in the letters and millimetres of scanimage.
const A4: [(&str, &str); 2] = [("x", "210"), ("y", "297")];
/// A folder in memory (tmpfs): a page must not touch a disk in clear.
const IN_MEMORY: &str = "/dev/shm";

/// A SANE device with options of its own.
#[derive(Clone, Debug)]
pub struct Sane {
    device: String,
    /// (name without dashes, value), as given in the address.
    options: Vec<(String, String)>,
    config: Option<PathBuf>,
    /// `scanimage`, and [`CLOSING`]: others in tests only.
    program: PathBuf,
    closing: Duration,
}

impl Sane {
    /// Reads `NAME[?option=value&…]`, percent-decoded; `config` becomes `SANE_CONFIG_DIR`.
    pub fn parse(address: &str, config: Option<PathBuf>) -> Result<Sane, ScanRefusal> {
        let (device, query) = address.split_once('?').unwrap_or((address, ""));
        let device = percent_decoded(device).filter(|name| fits(name)).ok_or(ScanRefusal::BadAddress)?;
        let mut options = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = percent_decoded(name).filter(|name| is_option(name)).ok_or(ScanRefusal::BadAddress)?;
            let value = percent_decoded(value)
                .filter(|v| v.chars().count() <= NAME_CHARS && !v.contains(char::is_control));
            options.push((name, value.ok_or(ScanRefusal::BadAddress)?));
        }
        if options.len() > OPTIONS {
            return Err(ScanRefusal::BadAddress);
        }
        Ok(Sane { device, options, config, program: "scanimage".into(), closing: CLOSING })
    }

    async fn pages(&self, request: &ScanRequest) -> Result<Vec<ScannedPage>, ScanRefusal> {
        let arguments = self.arguments(request).await?;
        match request.source {
            Source::Glass => Ok(vec![self.one(&arguments, request).await?]),
            Source::Feeder => self.feeder(&arguments, request).await,
        }
    }

    /// Does its driver find it?
    pub(crate) async fn is_there(&self) -> Result<(), ScanRefusal> {
        self.run(&["-A".into()], TALK_BYTES).await?.refused()
    }

    async fn one(&self, arguments: &[String], request: &ScanRequest) -> Result<ScannedPage, ScanRefusal> {
        let run = self.run(arguments, request.page_bytes()).await?;
        run.refused()?;
        page::normalise(run.out, request.dpi)
    }

    async fn feeder(
        &self,
        arguments: &[String],
        request: &ScanRequest,
    ) -> Result<Vec<ScannedPage>, ScanRefusal> {
        let folder = tempfile::Builder::new()
            .prefix("scan-")
            .tempdir_in(IN_MEMORY)
            .or_else(|_| tempfile::tempdir())
            .map_err(|_| ScanRefusal::Io)?;
        let mut arguments = arguments.to_vec();
        arguments.push(format!("--batch={}/%d.jpg", folder.path().display()));
        arguments.push(format!("--batch-count={}", request.pages()));
        let run = self.run(&arguments, TALK_BYTES).await?;
        let mut pages = Vec::new();
        for number in 1..=request.pages() {
            // scanimage gives a page its final name only when it is whole.
            let path = folder.path().join(format!("{number}.jpg"));
            let Ok(about) = tokio::fs::metadata(&path).await else {
                break;
            };
            if about.len() > request.page_bytes() as u64 {
                return Err(ScanRefusal::TooLarge);
            }
            let bytes = tokio::fs::read(&path).await.map_err(|_| ScanRefusal::Io)?;
            pages.push(page::normalise(bytes, request.dpi)?);
        }
        match run.refused() {
            // The feeder ran empty: the end, unless it was empty from the start.
            Ok(()) | Err(ScanRefusal::NoDocument) if !pages.is_empty() => Ok(pages),
            Ok(()) => Err(ScanRefusal::NoDocument),
            Err(refusal) => Err(refusal),
        }
    }

    /// Options the device has, and no other: scanimage refuses a scan for one it does not know.
    async fn arguments(&self, request: &ScanRequest) -> Result<Vec<String>, ScanRefusal> {
        let mut ask: Vec<String> = vec!["-A".into()];
        // Options given in the address may make others appear.
        ask.splice(0..0, self.options.iter().map(|(name, value)| flag(name, value)));
        let known = match self.run(&ask, TALK_BYTES).await? {
            run if run.refused().is_ok() => Known::read(&run.out),
            _ => {
                let run = self.run(&["-A".into()], TALK_BYTES).await?;
                run.refused()?;
                Known::read(&run.out)
            }
        };
        let mut arguments = vec!["--format=jpeg".to_owned()];
        let own = |name: &str| self.options.iter().any(|(given, _)| given == name);
        let source: &[&str] = match request.source {
            Source::Glass => &["flatbed", "glass"],
            Source::Feeder => &["adf", "feeder"],
        };
        let mode: &[&str] = match request.colour {
            Colour::Colour => &["color", "24bit"],
            Colour::Grey => &["gray", "grey"],
        };
        for (name, wanted) in [("source", source), ("mode", mode)] {
            if let (false, Some(choices)) = (own(name), known.choices(name)) {
                let choice = choices
                    .iter()
                    .find(|choice| wanted.iter().any(|w| choice.to_ascii_lowercase().contains(w)));
                arguments.extend(choice.map(|choice| flag(name, choice)));
            }
        }
        if !own("resolution") && known.choices("resolution").is_some() {
            arguments.push(flag("resolution", &request.dpi.to_string()));
        }
        for (edge, millimetres) in A4 {
            if known.choices(edge).is_some() {
                arguments.extend([format!("-{edge}"), millimetres.into()]);
            }
        }
        for (name, value) in &self.options {
            if known.choices(name).is_some() {
                arguments.push(flag(name, value));
            }
        }
        Ok(arguments)
    }

    /// After a failure: does the device not even open any more?
    async fn is_gone(&self) -> bool {
        match tokio::time::timeout(LOOKING, self.run(&["-A".into()], TALK_BYTES)).await {
            Ok(Ok(run)) => {
                matches!(run.refused(), Err(ScanRefusal::NoScanner | ScanRefusal::Unplugged))
            }
            _ => false,
        }
    }

    /// Runs scanimage to its end; the caller holds the time limit, and dropping this kills the group.
    async fn run(&self, arguments: &[String], most: usize) -> Result<Run, ScanRefusal> {
        let mut command = Command::new(&self.program);
        command.arg("-d").arg(&self.device).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Messages are read below: they must be in one language.
        command.env("LC_ALL", "C");
        if let Some(folder) = &self.config {
            command.env("SANE_CONFIG_DIR", folder);
        }
        #[cfg(unix)]
        command.process_group(0);
        let mut child = Group(command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ScanRefusal::DriverMissing,
            std::io::ErrorKind::PermissionDenied => ScanRefusal::Denied,
            _ => ScanRefusal::Io,
        })?);
        let (out, err) = (child.0.stdout.take(), child.0.stderr.take());
        let mut talk = Talk::default();
        let spoke = Notify::new();
        let ended = {
            let whole = async {
                let (out, ()) = tokio::try_join!(drain(out, most), listen(err, &mut talk, &spoke))?;
                let status = child.0.wait().await.map_err(|_| ScanRefusal::Io)?;
                Ok((status.code(), out))
            };
            let closing = async {
                spoke.notified().await;
                tokio::time::sleep(self.closing).await;
            };
            tokio::select! {
                ended = whole => ended?,
                () = closing => (None, Vec::new()),
            }
        };
        Ok(Run { status: ended.0, out: ended.1, err: talk.text() })
    }
}

impl Scanner for Sane {
    fn describe(&self) -> String {
        format!("sane:{}", self.device)
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Vec<ScannedPage>, ScanRefusal> {
        let scanned = tokio::time::timeout(request.limit, self.pages(request)).await;
        match scanned.unwrap_or(Err(ScanRefusal::TimedOut)) {
            // Backends have no word for a cable that was pulled out.
            Err(ScanRefusal::Io) if self.is_gone().await => Err(ScanRefusal::Unplugged),
            other => other,
        }
    }
}

/// What one run of scanimage gave.
struct Run {
    /// `None`: killed by a signal, as a crashing backend is.
    status: Option<i32>,
    out: Vec<u8>,
    err: String,
}

/// SANE's own words for a status (sane_strstatus), untranslated.
const SAID: &[(&str, ScanRefusal)] = &[
    ("Document feeder jammed", ScanRefusal::Jammed),
    ("Document feeder out of documents", ScanRefusal::NoDocument),
    ("Scanner cover is open", ScanRefusal::CoverOpen),
    ("Device busy", ScanRefusal::Busy),
    ("Access to resource has been denied", ScanRefusal::Denied),
    ("Error during device I/O", ScanRefusal::Io),
    ("Operation was cancel", ScanRefusal::Cancelled),
    ("Operation not supported", ScanRefusal::Unsupported),
    ("Invalid argument", ScanRefusal::Unsupported),
    ("Out of memory", ScanRefusal::NoMemory),
    // Not a status but scanimage's picture writer: the device ended the page early.
    ("too few scanlines", ScanRefusal::BadAnswer),
];

/// scanimage's words when the device is not even open: a status then means something else.
const OPENING: &str = "open of device";

/// The refusal a running scan told, if it told one.
fn said(talk: &str) -> Option<ScanRefusal> {
    let told = |(words, _): &&(&str, ScanRefusal)| !talk.contains(OPENING) && talk.contains(words);
    SAID.iter().find(told).map(|(_, refusal)| *refusal)
}

impl Run {
    fn refused(&self) -> Result<(), ScanRefusal> {
        let opening = self.err.contains(OPENING);
        // A backend that dies or hangs while it closes loses the exit status, not what was said before.
        if let Some(refusal) = said(&self.err) {
            return Err(refusal);
        }
        Err(match self.status {
            Some(0) => return Ok(()),
            // Before the device is open, every status but these means that it is not there.
            Some(3) => ScanRefusal::Busy,
            Some(11) => ScanRefusal::Denied,
            Some(9) if opening => ScanRefusal::Unplugged,
            _ if opening => ScanRefusal::NoScanner,
            Some(2) => ScanRefusal::Cancelled,
            Some(4) => ScanRefusal::Unsupported,
            Some(5) => ScanRefusal::BadAnswer,
            Some(6) => ScanRefusal::Jammed,
            Some(7) => ScanRefusal::NoDocument,
            Some(8) => ScanRefusal::CoverOpen,
            Some(10) => ScanRefusal::NoMemory,
            None => ScanRefusal::Crashed,
            _ => ScanRefusal::Io,
        })
    }
}

/// A child and everything it started. Dropped before its end, all of it is killed.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) =
            self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            // Already gone is what we want.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// What scanimage says beside the page, at most [`TALK_BYTES`] of it.
#[derive(Default)]
struct Talk(Vec<u8>);

impl Talk {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// Reads what is said to its end, and gives notice once it tells why the scan ended.
async fn listen(
    stream: Option<impl AsyncRead + Unpin>,
    talk: &mut Talk,
    spoke: &Notify,
) -> Result<(), ScanRefusal> {
    let mut part = vec![0; 4 * 1024];
    let Some(mut stream) = stream else {
        return Ok(());
    };
    loop {
        let read = stream.read(&mut part).await.map_err(|_| ScanRefusal::Io)?;
        if read == 0 {
            return Ok(());
        }
        let room = TALK_BYTES.saturating_sub(talk.0.len());
        talk.0.extend(part.iter().take(read.min(room)));
        if said(&talk.text()).is_some() {
            spoke.notify_one();
        }
    }
}

/// Reads a page to its end. Beyond `most` bytes it is refused.
async fn drain(stream: Option<impl AsyncRead + Unpin>, most: usize) -> Result<Vec<u8>, ScanRefusal> {
    let (mut kept, mut part) = (Vec::new(), vec![0; 64 * 1024]);
    let Some(mut stream) = stream else {
        return Ok(kept);
    };
    loop {
        let read = stream.read(&mut part).await.map_err(|_| ScanRefusal::Io)?;
        if read == 0 {
            return Ok(kept);
        }
        let room = most.saturating_sub(kept.len());
        if read > room {
            return Err(ScanRefusal::TooLarge);
        }
        kept.extend(part.iter().take(read));
    }
}

/// The options `scanimage -A` lists, with the choices of each.
struct Known(Vec<(String, Vec<String>)>);

impl Known {
    /// Lines such as `    --mode Gray|Color [Gray]` and `    --resolution 75..600dpi [300]`.
    fn read(listing: &[u8]) -> Known {
        let listing = String::from_utf8_lossy(listing);
        let options = listing.lines().filter(|line| !line.contains("[inactive]")).filter_map(|line| {
            let line = line.trim_start();
            // Long names, and the letters of the scan area.
            let rest = line.strip_prefix("--").or_else(|| line.strip_prefix('-'))?;
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let choices = rest.split(" [").next().unwrap_or_default();
            Some((
                name.to_owned(),
                choices.trim().split('|').map(|choice| choice.trim().to_owned()).collect(),
            ))
        });
        Known(options.collect())
    }

    fn choices(&self, name: &str) -> Option<&[String]> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, choices)| choices.as_slice())
    }
}

/// One argument, so that a value is never taken for an option.
fn flag(name: &str, value: &str) -> String {
    if value.is_empty() { format!("--{name}") } else { format!("--{name}={value}") }
}

fn fits(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= NAME_CHARS
        && !name.starts_with('-')
        && !name.contains(char::is_control)
}

/// Device options only: those of scanimage itself that write files or run in batches are not.
fn is_option(name: &str) -> bool {
    const OWN: &[&str] = &[
        "format",
        "output-file",
        "device-name",
        "formatted-device-list",
        "help",
        "test",
        "accept-md5-only",
        "icc-profile",
    ];
    fits(name)
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.starts_with("batch")
        && !OWN.contains(&name)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_or_refused() {
        let scanner = Sane::parse("airscan:e0:Front%20desk?resolution=200&mode=Gray", None).unwrap();
        assert_eq!(scanner.device, "airscan:e0:Front desk");
        assert_eq!(scanner.options, [("resolution".into(), "200".into()), ("mode".into(), "Gray".into())]);
        for bad in [
            "",
            "-h",
            "a\nb",
            "x?output-file=/etc/passwd",
            "x?batch=/tmp/x",
            "x?-d=y",
            "x?A=1",
            "%zz",
            "x?a=%0a",
        ] {
            assert_eq!(Sane::parse(bad, None).unwrap_err(), ScanRefusal::BadAddress, "{bad}");
        }
    }

    #[test]
    fn options_are_read_from_the_listing() {
        let known = Known::read(
            b"    --mode Gray|Color [Gray]\n    --resolution 75..600dpi [300]\n    --source Flatbed|ADF [Flatbed]\n\
              \x20   --gamma 0..9 [inactive]\n    --batch-scan[=(yes|no)] [no]\n",
        );
        assert_eq!(known.choices("mode").unwrap(), ["Gray", "Color"]);
        assert!(known.choices("resolution").is_some() && known.choices("gamma").is_none());
        assert!(known.choices("batch-scan").is_some());
    }
}

#[cfg(test)]
#[cfg(unix)]
mod closing {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A device whose `scanimage` says `words` about a scan and then never ends.
    fn never_closing(folder: &std::path::Path, words: &str) -> Sane {
        let program = folder.join("scanimage");
        // A word of its own: a folder's drawn name may begin with `-A` too.
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in *\" -A \"*) exit 0;; esac\necho '{words}' >&2\nexec sleep 600\n"
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        Sane { program, closing: Duration::from_secs(3), ..Sane::parse("test:0", None).unwrap() }
    }

    #[tokio::test]
    async fn a_backend_that_never_closes_is_refused_for_what_it_told() {
        let folder = tempfile::tempdir().unwrap();
        for source in [Source::Glass, Source::Feeder] {
            let request = ScanRequest { source, limit: Duration::from_secs(120), ..ScanRequest::default() };
            let scanner = never_closing(folder.path(), "scanimage: sane_read: Document feeder jammed");
            assert_eq!(scanner.scan(&request).await, Err(ScanRefusal::Jammed));
        }
        // One that tells nothing is ended by the limit. In the same test: a program being written must
        // not be inherited by another child, or it cannot be started.
        let request = ScanRequest { limit: Duration::from_secs(1), ..ScanRequest::default() };
        let scanner = never_closing(folder.path(), "scanimage: rounded value of br-x");
        assert_eq!(scanner.scan(&request).await, Err(ScanRefusal::TimedOut));
    }
}
