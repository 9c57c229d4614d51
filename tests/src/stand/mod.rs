//! Every real part, kept in one run folder: a second run finds everything as left.

pub mod postgres;
mod short_folder;

use crate::programs::{Failure, Running, built, command, fail, free_port, output, output_with, wait_for};
use crate::tls;
use age::secrecy::ExposeSecret as _;
use postgres::Postgres;
use serde_json::{Value, json};
pub(crate) use short_folder::ShortFolder;
use sim::escl_scanner::EsclScanner;
use sim::ipp_printer::IppPrinter;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const SITE: &str = "DEMO";
pub const MEDIATOR: &str = "demo";
pub const PIN: &str = "246810";
/// The keyring's own password on the stand.
const KEYRING: &str = "stand";

/// What real parts to use instead of the stand's own.
#[derive(Debug, Clone, Default)]
pub struct Real {
    /// Central's URL, an enrolment code, the authority's file.
    pub central: Option<(String, String, PathBuf)>,
    pub printer: Option<String>,
    pub scanner: Option<String>,
}

/// The running parts. Dropping it ends them all.
pub struct Stand {
    pub folder: PathBuf,
    real: Real,
    postgres: Option<Postgres>,
    central: Option<Running>,
    pub printer: Option<IppPrinter>,
    pub scanner: Option<EsclScanner>,

    port: u16,
}

impl Stand {
    /// Starts everything in `folder`. The caller runs under a message bus of its own,
    /// with HOME and XDG_* already inside the folder (see [`environment`]).
    ///
    /// # Errors
    /// A part cannot be started; its log is in `folder/logs`.
    pub fn start(folder: &Path, real: Real) -> Result<Self, Failure> {
        for part in ["logs", "keys", "tls", "printer", "sane", "home", "kiosk"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        let mut stand = Self {
            folder: folder.to_owned(),
            real,
            postgres: None,
            central: None,
            printer: None,
            scanner: None,

            port: 0,
        };
        stand.keyring()?;
        stand.devices()?;
        if stand.real.central.is_none() {
            stand.postgres = Some(Postgres::start(folder)?);
            stand.demo()?;
            stand.port = stand.kept_port()?;
            stand.start_central()?;
        }
        stand.enrol()?;
        stand.write_endpoints()?;
        Ok(stand)
    }

    /// Starts central on its data, at the address it had before.
    ///
    /// # Errors
    /// It does not answer in time.
    pub fn start_central(&mut self) -> Result<(), Failure> {
        let database = self.database()?;
        output(&mut command(built("central")?, ["migrate", "--database", &database]))?;
        let listen = format!("127.0.0.1:{}", self.port);
        let tls = self.folder.join("tls");
        let mut serve = command(built("central")?, ["serve", "--listen", &listen, "--database", &database]);
        serve.arg("--tls-cert").arg(tls.join(tls::CERT)).arg("--tls-key").arg(tls.join(tls::KEY));
        serve.arg("--keys").arg(self.folder.join("keys"));
        serve.arg("--lease-log").arg(self.folder.join("lease.log"));
        let log = self.folder.join("logs/central.log");
        let mut running = Running::start(&mut serve, &log)?;
        let port = self.port;
        wait_for("central listens", || {
            if running.ended() {
                return Some(false);
            }
            std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(|_| true)
        })?
        .then_some(())
        .ok_or_else(|| fail(format!("central ended; see {}", log.display())))?;
        self.central = Some(running);
        Ok(())
    }

    /// Ends central with SIGKILL.
    pub fn kill_central(&mut self) {
        if let Some(central) = self.central.take() {
            central.kill();
        }
    }

    #[must_use]
    pub fn central_pid(&self) -> Option<u32> {
        self.central.as_ref().map(Running::pid)
    }

    /// What `central admin …` answers.
    ///
    /// # Errors
    /// It refuses or fails.
    pub fn admin(&self, act: &str, args: &[&str]) -> Result<Value, Failure> {
        let mut admin = command(built("central")?, ["admin", act]);
        admin.args(args).args(["--database", &self.database()?]);
        Ok(serde_json::from_str(&output(&mut admin)?)?)
    }

    /// A command of `jalonctl` on this stand's kiosk.
    ///
    /// # Errors
    /// It is not built.
    pub fn jalonctl(&self, args: &[&str]) -> Result<Command, Failure> {
        let mut ctl = command(built("jalonctl")?, args);
        self.kiosk_environment(&mut ctl);
        Ok(ctl)
    }

    /// Where the kiosk keeps its files, and how SANE finds the specimen scanner.
    pub fn kiosk_environment(&self, command: &mut Command) {
        command.env("JALON_HOME", self.folder.join("kiosk"));
        if self.scanner.is_some() {
            command.env("SANE_CONFIG_DIR", self.folder.join("sane"));
        }
    }

    #[must_use]
    pub fn ring(&self) -> PathBuf {
        self.folder.join("keys").join(central::keys::RING)
    }

    #[must_use]
    pub fn site_key(&self) -> PathBuf {
        self.folder.join("keys/site.key")
    }

    fn database(&self) -> Result<String, Failure> {
        self.postgres.as_ref().ok_or_else(|| fail("this stand has no central of its own"))?.database("jalon")
    }

    /// A keyring that is unlocked, as a login would leave it.
    fn keyring(&mut self) -> Result<(), Failure> {
        let mut daemon = command("gnome-keyring-daemon", ["--unlock", "--components=secrets"]);
        output_with(&mut daemon, KEYRING).map_err(|failure| {
            fail(format!("gnome-keyring-daemon (Debian package gnome-keyring): {failure}"))
        })?;
        Ok(())
    }

    fn devices(&mut self) -> Result<(), Failure> {
        if self.real.printer.is_none() {
            self.printer = Some(IppPrinter::start_in(&self.folder.join("printer"))?);
        }
        if self.real.scanner.is_none() {
            let scanner = EsclScanner::start(specimens()?)?;
            scanner.write_sane_config(&self.folder.join("sane"))?;
            self.scanner = Some(scanner);
        }
        Ok(())
    }

    /// Keys, site, counters and mediator of the demonstration, made once.
    fn demo(&self) -> Result<(), Failure> {
        let database = self.database()?;
        output(&mut command(built("central")?, ["migrate", "--database", &database]))?;
        if self.ring().exists() {
            return Ok(());
        }
        let keys = self.folder.join("keys");
        output(command(built("central")?, ["admin", "keys", "--out"]).arg(&keys))?;
        tls::make(&self.folder.join("tls"))?;
        let site_key = age::x25519::Identity::generate();
        private(&self.site_key(), site_key.to_string().expose_secret())?;
        let recipient = site_key.to_public().to_string();
        let name = "Sous-préfecture de démonstration";
        self.admin(
            "site",
            &[
                "--id",
                SITE,
                "--name",
                name,
                "--address",
                "1 place de la République",
                "--address",
                "99000 Modèleville",
                "--phone",
                "01 99 00 00 00",
                "--zone",
                "Europe/Paris",
                "--lease-slots",
                "4",
                "--site-key",
                &recipient,
            ],
        )?;
        for counter in ["A", "B"] {
            self.admin(
                "counter",
                &[
                    "--site",
                    SITE,
                    "--name",
                    counter,
                    "--weekdays",
                    "1,2,3,4,5",
                    "--opens",
                    "09:00",
                    "--closes",
                    "16:00",
                    "--every-minutes",
                    "20",
                ],
            )?;
        }
        let mut mediator = command(
            built("central")?,
            ["admin", "mediator", "--site", SITE, "--id", MEDIATOR, "--name", "Médiatrice de démonstration"],
        );
        output_with(mediator.args(["--database", &database]), PIN)?;
        Ok(())
    }

    /// The port of the run before, so that an enrolled kiosk finds its central again.
    fn kept_port(&self) -> Result<u16, Failure> {
        let file = self.folder.join("kiosk/kiosk.json");
        let known = std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let port = known
            .as_ref()
            .and_then(|file| file["central"].as_str())
            .and_then(|url| url.rsplit(':').next()?.parse().ok());
        match port {
            Some(port) => Ok(port),
            None => free_port(),
        }
    }

    fn central_url(&self) -> String {
        match &self.real.central {
            Some((url, _, _)) => url.clone(),
            None => format!("https://localhost:{}", self.port),
        }
    }

    fn ca(&self) -> PathBuf {
        match &self.real.central {
            Some((_, _, ca)) => ca.clone(),
            None => self.folder.join("tls").join(tls::CA),
        }
    }

    fn printer_uri(&self) -> Option<String> {
        self.real.printer.clone().or_else(|| self.printer.as_ref().map(IppPrinter::uri))
    }

    fn scanner_name(&self) -> Option<String> {
        self.real
            .scanner
            .clone()
            .or_else(|| self.scanner.as_ref().map(|_| "sane:airscan:e0:Specimen".to_owned()))
    }

    /// Enrols the kiosk once; later runs only tell it the devices' new addresses.
    fn enrol(&self) -> Result<(), Failure> {
        let file = self.folder.join("kiosk/kiosk.json");
        if file.exists() {
            let mut known: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
            known["printer"] = json!(self.printer_uri());
            known["scanner"] = json!(self.scanner_name());
            std::fs::write(&file, serde_json::to_vec_pretty(&known)?)?;
            return Ok(());
        }
        let code = match &self.real.central {
            Some((_, code, _)) => code.clone(),
            None => {
                let answer = self.admin("code", &["--site", SITE])?;
                answer["code"].as_str().ok_or_else(|| fail("no enrolment code"))?.to_owned()
            }
        };
        let (url, ca) = (self.central_url(), self.ca());
        let mut enrol = self.jalonctl(&["enrol", "--central", &url, "--code", &code])?;
        enrol.arg("--ca").arg(ca);
        if let Some(printer) = self.printer_uri() {
            enrol.args(["--printer", &printer]);
        }
        if let Some(scanner) = self.scanner_name() {
            enrol.args(["--scanner", &scanner]);
        }
        output(&mut enrol).map(|_| ())
    }

    /// `endpoints.json`: what checks from outside need to find the parts.
    fn write_endpoints(&self) -> Result<(), Failure> {
        let postgres = self.postgres.is_some().then(|| self.database()).transpose()?;
        let endpoints = json!({
            "central": self.central_url(),
            "ca": self.ca(),
            "printer": self.printer_uri(),
            "scanner": self.scanner_name(),
            "postgres": postgres,
            "site_key": self.site_key(),
            "root_pub": self.ring(),
            "webdriver": null,
            "mediator": MEDIATOR,
            "pin": PIN,
        });
        std::fs::write(self.folder.join("endpoints.json"), serde_json::to_vec_pretty(&endpoints)?)?;
        Ok(())
    }
}

/// Writes a file that only its owner reads.
///
/// # Errors
/// It cannot be written.
pub fn private(file: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut out = std::fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(file)?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// HOME and XDG_* inside the run folder, so that nothing of the developer's own is read
/// or written. Set before the message bus starts.
pub fn environment(folder: &Path) -> [(&'static str, PathBuf); 5] {
    let home = folder.join("home");
    [
        ("XDG_DATA_HOME", home.join("data")),
        ("XDG_CONFIG_HOME", home.join("config")),
        ("XDG_CACHE_HOME", home.join("cache")),
        ("XDG_RUNTIME_DIR", home.join("run")),
        ("HOME", home),
    ]
}

/// Two specimen pages (A4 at 300 dpi): a pattern no two of which are alike, drawn here so that no real
/// document is needed.
pub fn specimens() -> Result<Vec<Vec<u8>>, Failure> {
    (1..=2_u32)
        .map(|page| {
            let picture = image::RgbImage::from_fn(2480, 3508, |x, y| {
                let line = (y / 80) % 3 == 0 && (200..2280).contains(&x) && (x / (14 + page * 3)) % 3 != 0;
                let frame = (80..2400).contains(&x) && (80..3428).contains(&y);
                match (line, frame) {
                    (true, true) => image::Rgb([30, 30, 60]),
                    (false, true) => image::Rgb([245, 245, 238]),
                    _ => image::Rgb([200, 205, 210]),
                }
            });
            let mut jpeg = Vec::new();
            image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 85).encode_image(&picture)?;
            Ok(jpeg)
        })
        .collect()
}
