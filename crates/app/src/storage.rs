//! How much room the vault's disk has left, and from when on nothing new begins: what was
//! begun must always be finished.

use crate::contract::{Problem, StorageState, StorageView};
use crate::kiosk::Inner;
use std::path::Path;
use vault::Unwritable;

const MIB: u64 = 1024 * 1024;
/// Below this the mediator is told: about a week of the busiest counter, time to call support.
const LOW: u64 = 1_024 * MIB;
/// Below this no new registration begins: the visits under way may still scan some pages
/// (300 kB each as a rule), and what follows needs its room.
const FOR_A_VISIT: u64 = 256 * MIB;
/// Below this nothing is scanned any more: the log before it is moved into the file (16 MiB),
/// its copy there, journal and prints of every visit that is kept, and an export's notes.
const TO_FINISH: u64 = 96 * MIB;
/// With less a vault may not open to be written: its log, the log's index, what the log is moved to.
const TO_OPEN: u64 = 32 * MIB;

/// What is about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    NewVisit,
    Page,
}

impl Inner {
    pub(crate) fn storage(&self) -> StorageView {
        view(room(self.vault.folder()))
    }

    /// Refuses what could fill the disk. Confirming, printing, sending and exporting never ask.
    pub(crate) fn has_room(&self, writing: Writing) -> Result<(), Problem> {
        let least = match writing {
            Writing::NewVisit => FOR_A_VISIT,
            Writing::Page => TO_FINISH,
        };
        match room(self.vault.folder()) {
            Some((free, _)) if free < least => {
                let code = match writing {
                    Writing::NewVisit => "storage_full",
                    Writing::Page => "storage_full_scan",
                };
                Err(Problem::new(code).with("free", free / MIB))
            }
            // A system that does not tell is no reason to send people away.
            _ => Ok(()),
        }
    }
}

fn view(room: Option<(u64, u64)>) -> StorageView {
    let mib = |bytes: u64| u32::try_from(bytes / MIB).unwrap_or(u32::MAX);
    match room {
        None => StorageView { state: StorageState::Unknown, free_mib: 0, total_mib: 0 },
        Some((free, total)) => StorageView {
            state: match free {
                free if free < FOR_A_VISIT => StorageState::Full,
                free if free < LOW => StorageState::Low,
                _ => StorageState::Ok,
            },
            free_mib: mib(free),
            total_mib: mib(total),
        },
    }
}

/// Bytes free to this user and in all, of the file system this folder is on.
#[cfg(unix)]
pub(crate) fn room(folder: &Path) -> Option<(u64, u64)> {
    let about = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(about.f_frsize);
    Some((bytes(about.f_bavail), bytes(about.f_blocks)))
}

/// Why this folder's file system takes nothing, when it does not.
#[cfg(unix)]
pub(crate) fn unwritable(folder: &Path) -> Option<Unwritable> {
    let about = rustix::fs::statvfs(folder).ok()?;
    if about.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        return Some(Unwritable::ReadOnly);
    }
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    (free < TO_OPEN).then_some(Unwritable::Full)
}

#[cfg(not(unix))]
pub(crate) fn unwritable(_: &Path) -> Option<Unwritable> {
    None
}

#[cfg(not(unix))]
pub(crate) fn room(_: &Path) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_word() {
        let state = |mib: u64| view(Some((mib * MIB, 10_000 * MIB))).state;
        assert_eq!(state(5_000), StorageState::Ok);
        assert_eq!(state(1_023), StorageState::Low);
        assert_eq!(state(255), StorageState::Full);
        assert_eq!(view(None).state, StorageState::Unknown);
        assert!(room(Path::new("/")).is_some_and(|(free, total)| free <= total));
    }
}
