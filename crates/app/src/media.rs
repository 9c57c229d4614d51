//! Memory sticks: which are plugged in, and writing an export file to one or carrying one
//! that is on it. The window names a stick from the list, never a path of its own.

use crate::contract::{DeliveryView, ExportView, MediumView, Problem};
use crate::export::ENDING;
use crate::kiosk::{Kiosk, blocking};
use crate::storage;
use std::path::{Path, PathBuf};

/// Where desktops mount what is plugged in.
const ROOTS: [&str; 2] = ["/media/", "/run/media/"];
/// What the kernel says is mounted, and where.
const MOUNTS: &str = "/proc/self/mounts";
/// Sticks shown, and files of each.
const MEDIA: usize = 8;
const FILES: usize = 20;
/// Names looked at on a stick before the list is cut.
const LOOKED_AT: usize = 10_000;

impl Kiosk {
    /// The memory sticks that are plugged in.
    ///
    /// # Errors
    /// Nobody has unlocked.
    pub async fn media(&self) -> Result<Vec<MediumView>, Problem> {
        self.inner.session()?;
        blocking(|| Ok(media())).await
    }

    /// Writes an export file of what central has not received to a stick.
    ///
    /// # Errors
    /// It is no longer there, or as [`Kiosk::export`].
    pub async fn export_to(&self, medium: &str) -> Result<ExportView, Problem> {
        self.inner.session()?;
        let medium = plugged_in(medium).await?;
        let exported = self.export(Path::new(&medium.id), false).await?;
        let file = exported.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(ExportView {
            medium: medium.name,
            file,
            records: exported.records,
            pages: exported.pages,
            pages_left_out: exported.pages_left_out,
        })
    }

    /// Carries another kiosk's export file from a stick to central.
    ///
    /// # Errors
    /// It is no longer there, or as [`Kiosk::deliver`].
    pub async fn deliver_from(&self, medium: &str, file: &str) -> Result<DeliveryView, Problem> {
        self.inner.session()?;
        let medium = plugged_in(medium).await?;
        if !medium.files.iter().any(|known| known == file) {
            return Err(Problem::new("delivery_missing").with("file", file));
        }
        let taken = self.deliver(&Path::new(&medium.id).join(file)).await?;
        Ok(DeliveryView {
            file: file.to_owned(),
            received: taken.records.received + taken.pages.received,
            known: taken.records.known + taken.pages.known,
            refused: taken.records.refused + taken.pages.refused,
        })
    }
}

async fn plugged_in(medium: &str) -> Result<MediumView, Problem> {
    let found = blocking(|| Ok(media())).await?;
    found.into_iter().find(|one| one.id == medium).ok_or_else(|| Problem::new("export_place_gone"))
}

fn media() -> Vec<MediumView> {
    let mounts = std::fs::read(MOUNTS).unwrap_or_default();
    mounted(&mounts)
        .into_iter()
        .filter_map(|place| {
            let (free, _) = storage::room(&place)?;
            Some(MediumView {
                id: place.to_str()?.to_owned(),
                name: place.file_name()?.to_string_lossy().into_owned(),
                free_mib: u32::try_from(free / (1024 * 1024)).unwrap_or(u32::MAX),
                files: files(&place),
            })
        })
        .take(MEDIA)
        .collect()
}

/// The mount points under [`ROOTS`], from a table as in proc(5): `device place type options`,
/// with spaces, tabs, line ends and backslashes of a place written in octal.
fn mounted(table: &[u8]) -> Vec<PathBuf> {
    table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(1))
        .filter_map(|place| Some(PathBuf::from(String::from_utf8(unescaped(place)).ok()?)))
        .filter(|place| ROOTS.iter().any(|root| place.starts_with(root) && place != Path::new(root)))
        .collect()
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\')
            .then(|| after.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                plain.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

/// Export files lying on the stick itself, not in its folders.
fn files(place: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let mut files: Vec<String> = entries
        .take(LOOKED_AT)
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == ENDING))
        .collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    files.truncate(FILES);
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_mounted_below_the_places_of_sticks() {
        let table = b"/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /media/lou/CL\\303\\211\\040USB vfat rw 0 0\n\
            tmpfs /mediatheque tmpfs rw 0 0\n/dev/sdc1 /run/media/lou/STICK exfat rw 0 0\n\
            none /media/ tmpfs rw 0 0\n\nbroken";
        let places = mounted(table);
        assert_eq!(places, [Path::new("/media/lou/CL\u{c9} USB"), Path::new("/run/media/lou/STICK")]);
    }

    #[test]
    fn only_export_files_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.jalon", "b.jalon", "holiday.jpg", "c.jalon.part"] {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        std::fs::create_dir(folder.path().join("d.jalon")).unwrap();
        assert_eq!(files(folder.path()), ["b.jalon", "a.jalon"]);
    }
}
