//! Where a kiosk keeps its files and which devices it uses: `$JALON_HOME`, else
//! `$XDG_DATA_HOME/jalon`, with `kiosk.json` and `vault.db` in it.

use crate::contract::Problem;
use domain::ids::KioskId;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Seconds without a touch before a person's traces are cleared.
const IDLE_S: u32 = 120;
/// Largest `kiosk.json` read, in bytes: a few addresses.
const FILE_BYTES: u64 = 64 << 10;
/// Damaged files kept beside the one written again; beyond them the last one gives way.
const DAMAGED_MAX: u32 = 99;

/// `kiosk.json`. Holds nothing personal and no key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KioskFile {
    pub kiosk: KioskId,
    /// Central's URL, e.g. `https://central.example:8443`.
    pub central: String,
    /// The authority central's certificate must be signed by, as a PEM file; a path without a root
    /// is looked for beside `kiosk.json`. Enrolment keeps its own copy there.
    pub ca: PathBuf,
    /// `ipp(s)://…`; none: papers are shown large, to copy.
    #[serde(default)]
    pub printer: Option<String>,
    /// `sane:NAME | escl:URL | file:PATH`.
    #[serde(default)]
    pub scanner: Option<String>,
    #[serde(default = "idle")]
    pub idle_s: u32,
    #[serde(default)]
    pub mode: Mode,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A mediator is at the counter.
    #[default]
    Counter,
    /// A person is alone at it.
    WalkIn,
}

fn idle() -> u32 {
    IDLE_S
}

/// A kiosk's folder.
#[derive(Debug, Clone)]
pub struct Settings {
    pub home: PathBuf,
}

impl Settings {
    /// Reads `$JALON_HOME`, else `$XDG_DATA_HOME/jalon`, else `~/.local/share/jalon`.
    ///
    /// # Errors
    /// No home folder is known.
    pub fn from_env() -> Result<Self, Problem> {
        let var = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = var("JALON_HOME")
            .or_else(|| var("XDG_DATA_HOME").map(|data| data.join("jalon")))
            .or_else(|| var("HOME").map(|home| home.join(".local/share/jalon")))
            .ok_or_else(|| Problem::new("not_enrolled"))?;
        Ok(Self { home })
    }

    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.home.join("vault.db")
    }

    fn file(&self) -> PathBuf {
        self.home.join("kiosk.json")
    }

    /// # Errors
    /// The kiosk is not enrolled; or it is, and `kiosk.json` is gone or empty
    /// (`settings_missing`) or cannot be read (`settings_damaged`).
    pub fn read(&self) -> Result<KioskFile, Problem> {
        let bytes = match self.bytes() {
            Ok(bytes) => bytes,
            Err(_) if !self.vault().exists() => return Err(Problem::new("not_enrolled")),
            Err(error) if is_gone(&error) => return Err(self.told("settings_missing")),
            Err(_) => return Err(self.told("settings_damaged")),
        };
        let file: KioskFile = serde_json::from_slice(&bytes).map_err(|_| match self.vault().exists() {
            false => Problem::new("not_enrolled"),
            true if is_blank(&bytes) => self.told("settings_missing"),
            true => self.told("settings_damaged"),
        })?;
        Ok(KioskFile { ca: self.home.join(&file.ca), ..file })
    }

    /// Where enrolment keeps the authority's file: what was given to it may lie on a stick.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.home.join("central-ca.pem")
    }

    /// Takes the authority's file into this folder; answers where it is now.
    ///
    /// # Errors
    /// It cannot be read (`authority_missing`), or the folder cannot be written.
    pub(crate) fn keep_authority(&self, given: &Path) -> Result<PathBuf, Problem> {
        let place = self.authority();
        let bytes = std::fs::read(given)
            .map_err(|_| Problem::new("authority_missing").with("file", given.display()))?;
        self.write_whole(&place, &bytes)?;
        Ok(place)
    }

    fn bytes(&self) -> std::io::Result<Vec<u8>> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        std::fs::File::open(self.file())?.take(FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn told(&self, code: &str) -> Problem {
        Problem::new(code).with("file", self.file().display())
    }

    /// Moves a `kiosk.json` that cannot be read aside, bytes and all, before it is written again.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn keep_damaged(&self) -> Result<(), Problem> {
        if self.bytes().is_ok_and(|bytes| is_blank(&bytes)) || !self.file().exists() {
            return Ok(());
        }
        let beside = |n: u32| self.home.join(format!("kiosk.damaged-{n}.json"));
        let free = (1..DAMAGED_MAX).map(beside).find(|place| !place.exists());
        std::fs::rename(self.file(), free.unwrap_or_else(|| beside(DAMAGED_MAX)))
            .map_err(|_| Problem::new("disk_failed"))
    }

    /// Writes `kiosk.json` whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, file: &KioskFile) -> Result<(), Problem> {
        // By its name alone where it lies here: the folder may be moved.
        let ca = file.ca.strip_prefix(&self.home).unwrap_or(&file.ca).to_owned();
        let bytes = serde_json::to_vec_pretty(&KioskFile { ca, ..file.clone() })
            .map_err(|_| Problem::new("disk_failed"))?;
        self.write_whole(&self.file(), &bytes)
    }
}

impl Settings {
    /// The copy of the identity, for a fresh vault; see [`crate::set_aside`].
    pub(crate) fn identity_copy(&self) -> PathBuf {
        self.home.join("identity.db")
    }

    /// The vault's key, locked to the recovery key.
    pub(crate) fn locked_key(&self) -> PathBuf {
        self.home.join("vault-key.locked")
    }

    pub(crate) fn forget_keepsakes(&self) {
        Self::clear_vault(&self.identity_copy());
        let _ = std::fs::remove_file(self.locked_key());
    }

    /// Moves a finished vault to its place, for good.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn take(&self, staged: &Path, place: &Path) -> Result<(), Problem> {
        std::fs::rename(staged, place).and_then(|()| self.settle()).map_err(|_| Problem::new("disk_failed"))
    }

    /// Moves the vault's files as they are into a folder of their own.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn move_vault(&self, folder: &Path) -> Result<(), Problem> {
        let moved = || {
            std::fs::create_dir_all(folder)?;
            // The log first: the file alone, moved, would look whole and be short of it.
            for ending in ["db-wal", "db-shm", "db"] {
                let from = self.vault().with_extension(ending);
                if from.exists() {
                    std::fs::rename(&from, folder.join(format!("vault.{ending}")))?;
                }
            }
            std::fs::File::open(folder)?.sync_all()?;
            self.settle()
        };
        moved().map_err(|_: std::io::Error| Problem::new("disk_failed"))
    }

    /// Removes what an attempt to make a vault at `staged` has left.
    pub(crate) fn clear_vault(staged: &Path) {
        for ending in ["db", "db-wal", "db-shm", "lock"] {
            let _ = std::fs::remove_file(staged.with_extension(ending));
        }
    }

    pub(crate) fn write_whole(&self, path: &Path, bytes: &[u8]) -> Result<(), Problem> {
        write_whole(path, bytes).map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Problem::new("disk_full"),
            _ => Problem::new("disk_failed"),
        })
    }

    fn settle(&self) -> std::io::Result<()> {
        std::fs::File::open(&self.home)?.sync_all()
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// What a power cut leaves of a file: nothing, or zeros.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace())
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
