//! A file system of a few hundred mebibytes, in a mount namespace of a test's own: full when
//! the test says so, and gone with it.

use crate::programs::{Failure, fail};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const INSIDE: &str = "JALON_SMALL_DISK";
const MIB: u64 = 1024 * 1024;

/// Runs the calling test again where a file system of `mib` mebibytes is mounted; the story
/// gets its folder. Call it first in a test named `name`.
///
/// # Panics
/// The story fails: this is the test's own failure.
pub fn inside(name: &str, mib: u32, story: impl FnOnce(&SmallDisk)) {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return story(&SmallDisk { folder: PathBuf::from(folder) });
    }
    if let Err(failure) = again(name, mib) {
        panic!("{failure}");
    }
}

fn again(name: &str, mib: u32) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let test = std::env::current_exe()?;
    // Mounted in this namespace only, and unmounted with its last process.
    let script = format!(
        "mount -t tmpfs -o size={mib}m,mode=0777 tmpfs \"${INSIDE}\" && exec '{}' --exact {name} --nocapture",
        test.display()
    );
    let mut again = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        again.args(["--user", "--map-root-user"]);
    }
    again.args(["--mount", "sh", "-c", &script]).stdin(Stdio::null()).env(INSIDE, place.path());
    let out = again.output().map_err(|_| fail("unshare is missing (Debian package util-linux)"))?;
    let said = String::from_utf8_lossy(&out.stdout);
    if !out.status.success() {
        return Err(fail(format!("{said}{}", String::from_utf8_lossy(&out.stderr))));
    }
    if said.contains("1 passed") { Ok(()) } else { Err(fail("the story itself did not run")) }
}

/// The small file system.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Fills it until this much is free; with 0 not a byte is.
    ///
    /// # Errors
    /// It has less free already.
    pub fn leave(&self, mib: u64) -> Result<(), Failure> {
        self.free()?;
        let about = rustix::fs::statvfs(&self.folder)?;
        let free = about.f_bavail.saturating_mul(about.f_frsize);
        let fill = free.checked_sub(mib * MIB).ok_or_else(|| fail("the small disk is fuller already"))?;
        let filler = std::fs::File::create(self.filler())?;
        if fill > 0 {
            rustix::fs::fallocate(filler.as_fd(), rustix::fs::FallocateFlags::empty(), 0, fill)?;
        }
        Ok(())
    }

    /// Frees what was filled.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn free(&self) -> Result<(), Failure> {
        match std::fs::remove_file(self.filler()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}
