//! A short private folder under the system's temp for sockets (a unix path ends at 107
//! bytes), and the removal of those whose owner was killed. Never removes one in use.

use crate::programs::Failure;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

const PREFIX: &str = "jalon-";
/// Locked by the owner as long as it lives: the kernel lets go of it however the owner ends,
/// and it tells across pid namespaces, where a process number in the name would not.
const LOCK: &str = "owner.lock";

/// The folder; dropped, it is removed.
#[derive(Debug)]
pub struct ShortFolder {
    folder: tempfile::TempDir,
    _lock: File,
}

impl ShortFolder {
    /// Makes one, having removed those left by owners that are gone.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make() -> Result<Self, Failure> {
        Self::make_in(&std::env::temp_dir())
    }

    fn make_in(place: &Path) -> Result<Self, Failure> {
        remove_left(place);
        let name = format!("{PREFIX}{}-", std::process::id());
        let private = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(&name).permissions(private).tempdir_in(place)?;
        // Under its name only once locked: a folder with a lock nobody holds is a left one.
        let fresh = folder.path().join("owner.new");
        let lock = File::create(&fresh)?;
        lock.lock()?;
        fs::rename(&fresh, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn remove_left(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let folder = entry.path();
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)) && is_left(&folder) {
            // Two runs may find the same one; whoever is second finds nothing.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Ours, with an owner's lock that nobody holds.
fn is_left(folder: &Path) -> bool {
    let own = |path: &Path| {
        fs::symlink_metadata(path)
            .is_ok_and(|found| !found.is_symlink() && found.uid() == rustix::process::geteuid().as_raw())
    };
    let lock = folder.join(LOCK);
    if !own(folder) || !own(&lock) {
        return false;
    }
    match File::open(&lock).map(|file| file.try_lock()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_and_no_other_folder_goes() {
        let place = tempfile::tempdir().unwrap();
        let left = place.path().join("jalon-7-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join(".s.PGSQL.5432"), "").unwrap();
        let kept = ["jalon-sim-x", "jalon-run", "other-7-x"].map(|name| place.path().join(name));
        kept.iter().for_each(|folder| fs::create_dir(folder).unwrap());
        fs::write(kept[2].join(LOCK), "").unwrap();

        let one = ShortFolder::make_in(place.path()).unwrap();
        let two = ShortFolder::make_in(place.path()).unwrap();
        assert!(!left.exists());
        assert!(kept.iter().all(|folder| folder.exists()));
        let (first, second) = (one.path().to_owned(), two.path().to_owned());
        assert!(first.exists() && second.exists(), "one in use stays");
        assert_eq!(fs::metadata(&first).unwrap().mode() & 0o777, 0o700);

        drop(one);
        assert!(!first.exists() && second.exists());
    }
}
