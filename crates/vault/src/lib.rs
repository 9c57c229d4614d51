//! The kiosk's encrypted store (SQLCipher): journal, drafts, leases, outbox.
//!
//! Stores wire's bytes and indexes a few columns. Every write goes through
//! [`Vault::transact`], is on the disk when it returns, and one process holds the vault.
//! Never deletes or replaces a file it cannot open.

mod advance;
mod annulments;
mod arrivals;
mod attempts;
mod check;
mod corrections;
mod erase;
mod journal;
pub mod key;
mod lately;
mod leases;
mod limit_letters;
mod listed;
mod meta;
mod offers;
mod open;
mod pages;
mod papers;
mod planted;
mod read_only;
mod transfers;
mod visits;
mod words;

pub use advance::Advance;
pub use annulments::Annulment;
pub use attempts::{Attempt, AttemptState};
pub use journal::{Author, Entry, EntryState, Said};
pub use limit_letters::LimitSaid;
pub use offers::Cancelled;
pub use open::{Vault, VaultKey};
pub use pages::{LockedPage, PageRow, PageState};
pub use papers::Paper;
pub use read_only::Unwritable;
pub use transfers::Followed;
pub use visits::{Visit, VisitState};

/// Why the vault does not do what it is asked. No variant carries anything personal.
#[derive(Debug, thiserror::Error)]
pub enum VaultFailure {
    #[error("another process holds the vault")]
    Busy,
    #[error("the key does not open this vault, or it is damaged")]
    DoesNotOpen,
    #[error("the vault was written by a newer version ({0})")]
    Newer(i64),
    #[error("there is a vault, and its key is not in the keyring")]
    KeyMissing,
    #[error("the keyring does not answer or is locked")]
    Keyring,
    #[error("the disk failed; nothing more is written until the vault is opened again")]
    Disk,
    #[error("the disk is full; nothing of this was written")]
    Full,
    #[error("the disk can only be read; nothing of this was written")]
    ReadOnly,
    #[error("the vault's file or folder cannot be used")]
    Io(#[from] std::io::Error),
    #[error("the store failed")]
    Sqlite(#[source] rusqlite::Error),
    #[error("stored data cannot be read: {0}")]
    Stored(&'static str),
}

impl VaultFailure {
    /// The code of the sentence a person reads.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "vault_busy",
            Self::DoesNotOpen | Self::Stored(_) => "vault_damaged",
            Self::Newer(_) => "vault_newer",
            Self::KeyMissing => "vault_key_missing",
            Self::Keyring => "keyring_unavailable",
            Self::Full => "disk_full",
            Self::ReadOnly => "disk_read_only",
            Self::Disk | Self::Io(_) | Self::Sqlite(_) => "disk_failed",
        }
    }
}

impl From<rusqlite::Error> for VaultFailure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                Self::DoesNotOpen
            }
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::SystemIoFailure) => Self::Disk,
            _ => Self::Sqlite(error),
        }
    }
}

/// One transaction. Its methods stand beside the tables they touch.
pub struct Tx<'c> {
    sql: rusqlite::Transaction<'c>,
}
