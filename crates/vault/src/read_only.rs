//! Opening a vault on a disk that takes nothing: full, or mounted to be read only. What was kept
//! is read, the log's part too; nothing is written, created or removed.

use super::open::{self, Vault, VaultKey};
use crate::VaultFailure;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Why a disk takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritable {
    Full,
    ReadOnly,
}

impl Unwritable {
    pub(crate) fn refuses(self) -> VaultFailure {
        match self {
            Self::Full => VaultFailure::Full,
            Self::ReadOnly => VaultFailure::ReadOnly,
        }
    }
}

impl Vault {
    /// Opens an existing vault of this version's schema to read it: every write is refused, with
    /// `why`. A program that holds it keeps others out as ever.
    ///
    /// # Errors
    /// See [`VaultFailure`]; one of an older version is brought up to date only where that can be
    /// written: `why`.
    pub fn open_to_read(path: &Path, key: &VaultKey, why: Unwritable) -> Result<Self, VaultFailure> {
        open::keep_cipher_ready();
        // A lock that was never made is held by nobody.
        let lock = match std::fs::File::open(path.with_extension("lock")) {
            Ok(file) => Some(open::held(file)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let connection = connect(path)?;
        open::unlock(&connection, key)?;
        // The index of the log is kept in this program's memory then, not in a file beside it.
        let _: String = connection.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |row| row.get(0))?;
        // What the log holds stays there.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        match open::version(&connection)? {
            version if version < open::known_version() => Err(why.refuses()),
            _ => Ok(Self::of(connection, open::folder(path), lock, Some(why))),
        }
    }
}

/// With a log beside it, without the system's locks: those need a file that can be written, and our
/// own keeps others out. Without one, as what nobody changes.
fn connect(path: &Path) -> Result<Connection, VaultFailure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let log = std::fs::metadata(path.with_extension("db-wal")).is_ok_and(|log| log.len() > 0);
    if log && cfg!(unix) {
        return Ok(Connection::open_with_flags_and_vfs(path, flags, "unix-none")?);
    }
    let whole = std::path::absolute(path)?;
    let named = whole.to_str().ok_or(VaultFailure::Io(std::io::ErrorKind::InvalidFilename.into()))?;
    let named = named.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Ok(Connection::open_with_flags(format!("file:{named}?immutable=1"), flags | OpenFlags::SQLITE_OPEN_URI)?)
}
