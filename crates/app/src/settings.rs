//! Where a kiosk keeps its files and which devices it uses: `$JALON_HOME`, else
//! `$XDG_DATA_HOME/jalon`, with `kiosk.json` and `vault.db` in it.

use crate::contract::Problem;
use domain::ids::KioskId;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Seconds without a touch before a person's traces are cleared.
const IDLE_S: u32 = 120;

/// `kiosk.json`. Holds nothing personal and no key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KioskFile {
    pub kiosk: KioskId,
    /// Central's URL, e.g. `https://central.example:8443`.
    pub central: String,
    /// The authority central's certificate must be signed by, as a PEM file.
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
    /// There is no `kiosk.json` (the kiosk is not enrolled) or it cannot be read.
    pub fn read(&self) -> Result<KioskFile, Problem> {
        let bytes = std::fs::read(self.file()).map_err(|_| Problem::new("not_enrolled"))?;
        serde_json::from_slice(&bytes).map_err(|_| Problem::new("not_enrolled"))
    }

    /// Writes `kiosk.json` whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, file: &KioskFile) -> Result<(), Problem> {
        let failed = |_| Problem::new("disk_failed");
        let bytes = serde_json::to_vec_pretty(file).map_err(|_| Problem::new("disk_failed"))?;
        write_whole(&self.file(), &bytes).map_err(failed)
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
        write_whole(path, bytes).map_err(|_| Problem::new("disk_failed"))
    }

    fn settle(&self) -> std::io::Result<()> {
        std::fs::File::open(&self.home)?.sync_all()
    }
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
