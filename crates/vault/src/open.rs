//! Opening the vault, and the one door through which everything is written.

use crate::{Tx, Unwritable, VaultFailure};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The 32 bytes that open a vault.
pub type VaultKey = Zeroizing<[u8; 32]>;

/// One migration a file, applied in order, never edited once merged.
const MIGRATIONS: [&str; 15] = [
    include_str!("../migrations/0001_store.sql"),
    include_str!("../migrations/0002_released.sql"),
    include_str!("../migrations/0003_listed.sql"),
    include_str!("../migrations/0004_advance.sql"),
    include_str!("../migrations/0006_procedures.sql"),
    include_str!("../migrations/0008_offers.sql"),
    include_str!("../migrations/0009_heard_leases.sql"),
    include_str!("../migrations/0010_lease_back.sql"),
    include_str!("../migrations/0012_lately.sql"),
    include_str!("../migrations/0013_arrivals.sql"),
    include_str!("../migrations/0015_corrections.sql"),
    include_str!("../migrations/0016_annulment.sql"),
    include_str!("../migrations/0017_transfer.sql"),
    include_str!("../migrations/0018_words.sql"),
    include_str!("../migrations/0019_limit_letter.sql"),
];

/// Longest wait for another process to let go of the vault, and the time between two looks.
const LOCK_WAIT: Duration = Duration::from_secs(3);
const LOCK_LOOK: Duration = Duration::from_millis(50);

/// An open vault. Dropping it lets another process take it.
pub struct Vault {
    connection: Mutex<Connection>,
    /// Set by the first I/O error: after a failed sync nobody knows what the disk holds.
    failed: AtomicBool,
    folder: PathBuf,
    /// Opened to be read only, and why.
    unwritable: Option<Unwritable>,
    /// Held for the vault's life; the lock ends with the process, however it ends.
    _lock: Option<File>,
}

impl Vault {
    /// Makes a new vault. Refuses when there is a file already.
    ///
    /// # Errors
    /// The file exists or cannot be made; see [`VaultFailure`].
    pub fn create(path: &Path, key: &VaultKey) -> Result<Self, VaultFailure> {
        if path.exists() {
            return Err(VaultFailure::Io(std::io::ErrorKind::AlreadyExists.into()));
        }
        Self::open_with(path, key, OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens an existing vault and brings its schema up to date. A file that does not
    /// open is left exactly as it is.
    ///
    /// # Errors
    /// See [`VaultFailure`].
    pub fn open(path: &Path, key: &VaultKey) -> Result<Self, VaultFailure> {
        if !path.exists() {
            return Err(VaultFailure::Io(std::io::ErrorKind::NotFound.into()));
        }
        // SQLite takes an empty file for a new database; a vault was never one.
        if std::fs::metadata(path)?.len() == 0 {
            return Err(VaultFailure::DoesNotOpen);
        }
        Self::open_with(path, key, OpenFlags::empty())
    }

    fn open_with(path: &Path, key: &VaultKey, create: OpenFlags) -> Result<Self, VaultFailure> {
        keep_cipher_ready();
        let lock = lock(path)?;
        if !create.is_empty() {
            private(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        unlock(&connection, key)?;
        // The first read tells whether the key opens it; until then nothing is written.
        let version = version(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: what a screen calls kept is on the disk. NORMAL can lose it.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // A checkpoint costs two syncs: it is made when the counter is idle, see `checkpoint`.
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        // What the log holds may be in memory only, after a sync that failed: moved into the
        // file it is written anew, and synced, before anybody is told of it.
        if create.is_empty() {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        migrate(&mut connection, version)?;
        let folder = folder(path);
        // SQLite syncs the log's name too, and goes on when that fails: then a power cut could take
        // the log with everything in it. An error here is told.
        #[cfg(unix)]
        File::open(&folder)?.sync_all()?;
        Ok(Self::of(connection, folder, Some(lock), None))
    }

    pub(crate) fn of(
        connection: Connection,
        folder: PathBuf,
        lock: Option<File>,
        unwritable: Option<Unwritable>,
    ) -> Self {
        let (connection, failed) = (Mutex::new(connection), AtomicBool::new(false));
        Self { connection, failed, folder, unwritable, _lock: lock }
    }

    /// Was it opened to be read only, and why?
    #[must_use]
    pub fn unwritable(&self) -> Option<Unwritable> {
        self.unwritable
    }

    /// Runs `act` in one transaction: all of it is on the disk when this returns `Ok`,
    /// none of it otherwise. After an I/O error every call fails until the vault is
    /// opened again: a failed sync is never retried.
    ///
    /// # Errors
    /// Whatever `act` answers, or a failure of the store.
    pub fn transact<T, E: From<VaultFailure>>(
        &self,
        act: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(why) = self.unwritable {
            return Err(why.refuses().into());
        }
        if self.failed.load(Ordering::Acquire) {
            return Err(VaultFailure::Disk.into());
        }
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let tx = Tx { sql: begun.map_err(|error| self.note(error))? };
        let done = act(&tx)?;
        tx.sql.commit().map_err(|error| self.note(error))?;
        Ok(done)
    }

    /// Runs `look` on a consistent view; writes nothing.
    ///
    /// # Errors
    /// Whatever `look` answers, or a failure of the store.
    pub fn read<T, E: From<VaultFailure>>(&self, look: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = connection.transaction_with_behavior(TransactionBehavior::Deferred);
        let tx = Tx { sql: begun.map_err(|error| self.note(error))? };
        look(&tx)
    }

    /// The folder its files are in: on the disk whose free room counts.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Did the disk fail? Nothing is written until the vault is opened again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Moves the write-ahead log into the file. For idle moments.
    ///
    /// # Errors
    /// The store fails.
    pub fn checkpoint(&self) -> Result<(), VaultFailure> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(|error| self.note(error))
    }

    fn note(&self, error: rusqlite::Error) -> VaultFailure {
        let failure = VaultFailure::from(error);
        if matches!(failure, VaultFailure::Disk) {
            self.failed.store(true, Ordering::Release);
        }
        failure
    }
}

pub(crate) fn unlock(connection: &Connection, key: &VaultKey) -> Result<(), VaultFailure> {
    let mut hex = Zeroizing::new(String::with_capacity(80));
    hex.push_str("x'");
    for byte in key.iter() {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
    }
    hex.push('\'');
    Ok(connection.pragma_update(None, "key", hex.as_str())?)
}

/// The version of its schema, not a later one than is known here.
pub(crate) fn version(connection: &Connection) -> Result<i64, VaultFailure> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > known_version() { Err(VaultFailure::Newer(version)) } else { Ok(version) }
}

pub(crate) fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

pub(crate) fn folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// SQLCipher sets its cryptography up with the first keyed connection of a process and takes
/// it down with the last; two threads that do so at once make one of them fail. One connection
/// on nothing, open for the life of the process, has it done once.
pub(crate) fn keep_cipher_ready() {
    static READY: OnceLock<Option<Mutex<Connection>>> = OnceLock::new();
    READY.get_or_init(|| {
        let connection = Connection::open_in_memory().ok()?;
        connection.pragma_update(None, "key", "ready").ok()?;
        Some(Mutex::new(connection))
    });
}

fn lock(path: &Path) -> Result<File, VaultFailure> {
    held(File::options().create(true).truncate(false).write(true).open(path.with_extension("lock"))?)
}

pub(crate) fn held(file: File) -> Result<File, VaultFailure> {
    let end = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // The program that was killed a moment ago may still be letting go of it.
            Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(LOCK_LOOK),
            Err(TryLockError::WouldBlock) => return Err(VaultFailure::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// An empty file only its owner may read; SQLite gives its log the same permissions.
fn private(path: &Path) -> Result<(), VaultFailure> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(VaultFailure::Io)?;
    Ok(())
}

fn migrate(connection: &mut Connection, version: i64) -> Result<(), VaultFailure> {
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    for (n, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "user_version", i64::try_from(n + 1).unwrap_or(i64::MAX))?;
        tx.commit()?;
    }
    Ok(())
}
