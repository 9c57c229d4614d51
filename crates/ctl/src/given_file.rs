//! Files named on the command line: read whole, within a limit, and only when they are
//! files. Never waits on a pipe or a device.

use app::contract::Problem;
use std::io::Read as _;
use std::path::Path;

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileRefusal {
    Missing,
    /// There, but not to be read by this user.
    Unreadable,
    /// A folder, a pipe, a device.
    NotAFile,
    TooLarge,
}

/// A regular file, opened.
pub(crate) fn open(path: &Path) -> Result<std::fs::File, FileRefusal> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => FileRefusal::Missing,
        _ => FileRefusal::Unreadable,
    };
    // Asked before it is opened: opening a pipe already waits.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(FileRefusal::NotAFile);
    }
    std::fs::File::open(path).map_err(failed)
}

/// The bytes of a regular file of at most `max` bytes.
pub(crate) fn read(path: &Path, max: u64) -> Result<Vec<u8>, FileRefusal> {
    let mut bytes = Vec::new();
    let mut file = open(path)?.take(max.saturating_add(1));
    let read = file.read_to_end(&mut bytes).map_err(|_| FileRefusal::Unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read <= max) { Ok(bytes) } else { Err(FileRefusal::TooLarge) }
}

/// The same, each refusal told by its code with the file: `missing`, `unreadable` (what is no
/// file too), `other` for one that is larger than any of its kind.
pub(crate) fn named(
    path: &Path,
    max: u64,
    [missing, unreadable, other]: [&str; 3],
) -> Result<Vec<u8>, Problem> {
    read(path, max).map_err(|refusal| {
        let code = match refusal {
            FileRefusal::Missing => missing,
            FileRefusal::Unreadable | FileRefusal::NotAFile => unreadable,
            FileRefusal::TooLarge => other,
        };
        Problem::new(code).with("file", path.display())
    })
}
