//! Encrypted export: what central has not received goes into one file, locked to central's
//! delivery key, for a kiosk whose network is gone or whose disk must go. This kiosk cannot
//! read the file again. Never leaves half a file, never writes over one.

use crate::contract::Problem;
use crate::kiosk::{Inner, Kiosk};
use crate::sync;
use domain::bytes::Hash;
use seal::keys::Hashing;
use seal::ring::Role;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Read as _, Write};
use std::path::{Path, PathBuf};
use vault::VaultFailure;
use wire::delivery::{Beginning, DeliveredPage, End, Frame};
use wire::limits::{DELIVERY_BYTES, PUSH_RECORDS};

/// What an export file's name ends with.
pub(crate) const ENDING: &str = "jalon";
/// Room kept for what stands after the last page and for the envelope's own bytes.
const ROOM: u64 = 4 * 1024 * 1024;
/// The last export of this kiosk, in the vault.
const EXPORTED: &str = "exported";
/// Bytes read at once when the file is read back.
const READ_BYTES: usize = 256 * 1024;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    pub file: PathBuf,
    pub bytes: u64,
    pub sha256: Hash,
    pub records: u32,
    pub pages: u32,
    /// Pages that did not fit: they wait for the network, or for central to have the others.
    pub pages_left_out: u32,
}

/// The last export, as the vault remembers it. It proves nothing: a stick can be lost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LastExport {
    /// Unix seconds.
    pub at_s: i64,
    /// The newest record in it.
    pub head: u64,
    pub pages_left_out: u32,
}

impl Kiosk {
    /// Writes what central has not acknowledged (or all that is still readable here) to a
    /// new file, or into a folder under a name of its own; read back before it has its name.
    ///
    /// # Errors
    /// There is a file already, nothing to export, no delivery key, or the medium fails.
    pub async fn export(&self, to: &Path, all: bool) -> Result<Exported, Problem> {
        let to = to.to_owned();
        self.off(move |inner| inner.export(&to, all)).await
    }
}

impl Inner {
    pub(crate) fn export(&self, to: &Path, all: bool) -> Result<Exported, Problem> {
        let key = self
            .identity
            .told()
            .ring
            .latest(Role::Delivery)
            .ok_or_else(|| Problem::new("export_no_key"))?
            .key;
        let file = if to.is_dir() { to.join(self.export_name()) } else { to.to_owned() };
        let told = |code: &str| Problem::new(code).with("file", file.display());
        if file.symlink_metadata().is_ok() {
            return Err(told("export_exists"));
        }
        let (after, head, pages) = self.vault.read(|tx| {
            let received = sync::known(tx)?.0;
            let head = tx.head(0)?.seq;
            Ok::<_, Problem>((if all { 0 } else { received }, head, tx.kept_pages(all)?))
        })?;
        if after >= head && pages.is_empty() {
            return Err(Problem::new("export_nothing"));
        }
        let beside = beside(&file);
        let written = self.write_export(&beside, &key, (after, head), &pages).and_then(|written| {
            let read = read_back(&beside).map_err(ExportFailure::Medium)?;
            if read == (written.sha256, written.bytes) { Ok(written) } else { Err(ExportFailure::ReadBack) }
        });
        let exported = match written {
            Ok(written) => match put_in_place(&beside, &file) {
                Ok(()) => Ok(Exported { file: file.clone(), ..written }),
                Err(error) => Err(ExportFailure::Medium(error)),
            },
            Err(failure) => Err(failure),
        };
        let exported = exported.map_err(|failure| {
            let _ = std::fs::remove_file(&beside);
            match failure {
                ExportFailure::Medium(error) => {
                    tracing::error!(%error, "an export file could not be written");
                    told(match error.kind() {
                        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                            "export_full"
                        }
                        ErrorKind::AlreadyExists => "export_exists",
                        _ => "export_not_written",
                    })
                }
                ExportFailure::ReadBack => told("export_not_read_back"),
                ExportFailure::Here(problem) => problem,
            }
        })?;
        let last = LastExport { at_s: self.now().as_second(), head, pages_left_out: exported.pages_left_out };
        // The file is good without it: a disk that is full here must not hide that.
        if let Err(failure) = self.vault.transact::<_, VaultFailure>(|tx| tx.put_json(EXPORTED, &last)) {
            tracing::error!(cause = ?failure, "the export was not noted");
        }
        Ok(exported)
    }

    /// Names no person: the beginning of the kiosk's id and the moment.
    fn export_name(&self) -> String {
        let kiosk = self.identity.kiosk.to_string();
        let at = self.civil(self.now()).strftime("%Y%m%d-%H%M%S");
        format!("jalon-{}-{at}.{ENDING}", kiosk.get(..8).unwrap_or_default())
    }

    fn write_export(
        &self,
        beside: &Path,
        key: &domain::bytes::PublicKey,
        (after, head): (u64, u64),
        pages: &[domain::ids::PageId],
    ) -> Result<Exported, ExportFailure> {
        // Left by an export that broke off.
        let _ = std::fs::remove_file(beside);
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let counting =
            Counting { out: BufWriter::new(options.open(beside)?), hash: Hashing::default(), bytes: 0 };
        let mut out = seal::delivery::lock(key, counting).map_err(|refusal| match refusal {
            seal::delivery::DeliveryRefusal::Io(error) => ExportFailure::Medium(error),
            _ => ExportFailure::Here(Problem::new("export_no_key")),
        })?;
        let beginning = Beginning {
            kiosk: self.identity.kiosk,
            certificate: self.identity.certificate.to_bytes().into(),
            at: self.now(),
        };
        Frame::Beginning(beginning).write(&mut out)?;
        let (mut end, mut seq, mut bytes) = (End::default(), after, 0_u64);
        while seq < head {
            let records = self.vault.read(|tx| tx.records_after(seq, PUSH_RECORDS))?;
            if records.is_empty() {
                return Err(ExportFailure::Here(Problem::new("vault_damaged")));
            }
            for record in records.into_iter().take_while(|record| record.header.seq <= head) {
                seq = record.header.seq;
                end.records = end.records.saturating_add(1);
                bytes += 4_096 + u64::from(record.header.body_len) * 2;
                Frame::Record(Box::new(record)).write(&mut out)?;
            }
        }
        let mut left_out = 0_u32;
        for id in pages {
            // Erased meanwhile: central has it.
            let Some(page) = self.vault.read(|tx| tx.kept_page(*id))? else { continue };
            let length = u64::try_from(page.locked.len()).unwrap_or(u64::MAX);
            if bytes.saturating_add(length).saturating_add(ROOM) > DELIVERY_BYTES {
                left_out = left_out.saturating_add(1);
                continue;
            }
            bytes += length + 1_024;
            end.pages = end.pages.saturating_add(1);
            let page = DeliveredPage {
                page: page.id,
                registration: page.registration,
                sha256: page.sha256,
                locked: page.locked,
            };
            Frame::Page(page).write(&mut out)?;
        }
        Frame::End(end).write(&mut out)?;
        let Counting { out, hash, bytes } = out.finish()?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        forget(&file);
        Ok(Exported {
            file: PathBuf::new(),
            bytes,
            sha256: hash.finish(),
            records: end.records,
            pages: end.pages,
            pages_left_out: left_out,
        })
    }
}

/// The last export, if there was one.
pub(crate) fn last(tx: &vault::Tx<'_>) -> Result<Option<LastExport>, Problem> {
    Ok(tx.get_json(EXPORTED)?)
}

enum ExportFailure {
    /// Where it is written to.
    Medium(std::io::Error),
    ReadBack,
    /// This kiosk's own vault.
    Here(Problem),
}

impl From<std::io::Error> for ExportFailure {
    fn from(error: std::io::Error) -> Self {
        Self::Medium(error)
    }
}

impl From<VaultFailure> for ExportFailure {
    fn from(failure: VaultFailure) -> Self {
        Self::Here(failure.into())
    }
}

/// Hashes and counts what passes.
struct Counting {
    out: BufWriter<File>,
    hash: Hashing,
    bytes: u64,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += u64::try_from(written).unwrap_or(0);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    file.with_file_name(name)
}

/// The file's hash and length, as the medium gives them back.
pub(crate) fn read_back(file: &Path) -> std::io::Result<(Hash, u64)> {
    let (mut file, mut hash, mut length) = (File::open(file)?, Hashing::default(), 0_u64);
    let mut bytes = vec![0; READ_BYTES];
    loop {
        let read = file.read(&mut bytes)?;
        if read == 0 {
            return Ok((hash.finish(), length));
        }
        hash.update(bytes.get(..read).unwrap_or_default());
        length += u64::try_from(read).unwrap_or(0);
    }
}

/// What is read back comes from the medium, not from memory.
fn forget(file: &File) {
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Gives a finished file its name, never over another.
fn put_in_place(beside: &Path, file: &Path) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::renameat_with(
        rustix::fs::CWD,
        beside,
        rustix::fs::CWD,
        file,
        rustix::fs::RenameFlags::NOREPLACE,
    )?;
    #[cfg(not(target_os = "linux"))]
    {
        if file.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        std::fs::rename(beside, file)?;
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder)?.sync_all() {
        // Some file systems of memory sticks know no such thing.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}
