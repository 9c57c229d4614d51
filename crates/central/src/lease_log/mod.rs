//! The lease log: what central gives or lends, written to other storage before the answer
//! that carries it leaves. A database restored from a backup reads in it what it must not
//! give again. Holds slot and kiosk ids; never a person.

mod replay;

use crate::{Central, Random, Refusal, planted};
use domain::bytes::Hash;
use domain::ids::{KioskId, LeaseId, SiteId, SlotId};
use jiff::civil::{Date, DateTime};
pub(crate) use replay::{distrust, follow, is_followed, sites_to_make, was_followed};
use seal::keys::sha256;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Ends of the log that are remembered: more than one transaction ever makes.
const STANDS: usize = 4_096;
/// Longest line that is looked at.
const LINE_MAX: u64 = 1_024;

/// The first line: a name drawn at random, so that a new log is never taken for one that
/// was lost.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    log: Hash,
}

/// One slot that left central. A line of JSON; `prev` is the SHA-256 of the line before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    n: u64,
    prev: Hash,
    #[serde(flatten)]
    pub slot: Sent,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub site: SiteId,
    pub slot: SlotId,
    pub at: DateTime,
    pub kiosk: KioskId,
    /// None for a date given online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lent: Option<Lent>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lent {
    pub lease: LeaseId,
    pub stratum: String,
    pub incarnation: u32,
    /// The day from which the kiosk gives it back unused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Date>,
}

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LeaseLogFailure {
    #[error("the lease log cannot be read or written")]
    Io(#[from] io::Error),
    #[error("another central writes this lease log")]
    Busy,
    #[error("line {0} of the lease log does not follow the one before it")]
    Damaged(u64),
}

/// An open log. One central writes it at a time.
pub struct LeaseLog {
    end: Mutex<End>,
}

struct End {
    file: File,
    n: u64,
    hash: Hash,
    /// Every kiosk a line names.
    kiosks: BTreeSet<KioskId>,
    /// The last ends this process made, oldest first: while nothing else writes for its database,
    /// that stands at one of them. Later ones are of transactions that never committed.
    stands: VecDeque<(u64, Hash)>,
    /// Where a last line begins that a crash cut short: it goes when the next is written.
    torn: Option<u64>,
    path: PathBuf,
}

impl End {
    fn is_now(&mut self, n: u64, hash: Hash) {
        (self.n, self.hash) = (n, hash);
        if self.stands.len() >= STANDS {
            self.stands.pop_front();
        }
        self.stands.push_back((n, hash));
    }
}

impl LeaseLog {
    /// Opens or makes the log and reads it through. A last line cut short by a crash never
    /// left central: it is dropped when the next is written. `random` names a new log.
    ///
    /// # Errors
    /// See [`LeaseLogFailure`].
    pub fn open(path: &Path, random: &Random) -> Result<Self, LeaseLogFailure> {
        let mut file = File::options().read(true).append(true).create(true).open(path)?;
        file.try_lock().map_err(|_| LeaseLogFailure::Busy)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            // The file's own name must outlive a power cut too.
            File::open(folder)?.sync_all()?;
        }
        let (mut n, mut hash, mut whole, mut kiosks) = (0, None, 0, BTreeSet::new());
        each_line(&file, |line, end| {
            match hash {
                None => {
                    serde_json::from_slice::<Named>(line).map_err(|_| LeaseLogFailure::Damaged(0))?;
                }
                Some(before) => {
                    let entry: Entry =
                        serde_json::from_slice(line).map_err(|_| LeaseLogFailure::Damaged(n + 1))?;
                    if entry.n != n + 1 || entry.prev != before {
                        return Err(LeaseLogFailure::Damaged(n + 1));
                    }
                    n = entry.n;
                    kiosks.insert(entry.slot.kiosk);
                }
            }
            (hash, whole) = (Some(sha256(&[line])), end);
            Ok(())
        })?;
        let bytes = file.metadata()?.len();
        let hash = match hash {
            Some(hash) => hash,
            // Something else than a log: nothing is written over it.
            None if !is_begun(&file, bytes)? => return Err(LeaseLogFailure::Damaged(0)),
            None => {
                file.set_len(0)?;
                begin(&mut file, random)?
            }
        };
        if bytes > whole {
            tracing::warn!(line = n + 1, "the last line of the lease log was cut short: it is not followed");
        }
        // A log that turns out to be another database's stays as it is, to its last byte.
        let torn = (bytes > whole && whole > 0).then_some(whole);
        let stands = VecDeque::from([(n, hash)]);
        Ok(Self { end: Mutex::new(End { file, n, hash, kiosks, stands, torn, path: path.to_owned() }) })
    }

    /// Does any line name this kiosk?
    pub(crate) fn names(&self, kiosk: KioskId) -> bool {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).kiosks.contains(&kiosk)
    }

    /// Does any line say that this slot went to this kiosk?
    fn says(&self, slot: SlotId, kiosk: KioskId) -> Result<bool, LeaseLogFailure> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = false;
        each_line(&end.file, |line, _| {
            // The first line names the log.
            let entry = serde_json::from_slice::<Entry>(line).ok();
            found |= entry.is_some_and(|entry| (entry.slot.slot, entry.slot.kiosk) == (slot, kiosk));
            Ok(())
        })?;
        Ok(found)
    }

    /// Did this process bring the database where it stands? Not when another central has followed a
    /// copy of this log since, or the database was put back under this one.
    fn brought(&self, to: (u64, Hash)) -> bool {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).stands.contains(&to)
    }

    /// Writes and syncs; answers the new end.
    fn append(&self, slots: &[Sent]) -> io::Result<(u64, Hash)> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut n, mut hash, mut bytes) = (end.n, end.hash, Vec::new());
        for slot in slots {
            n += 1;
            let line = serde_json::to_vec(&Entry { n, prev: hash, slot: slot.clone() })?;
            hash = sha256(&[&line]);
            bytes.extend_from_slice(&line);
            bytes.push(b'\n');
        }
        if !is_still(&end.path, &end.file)? {
            // Moved or deleted under a running central: what is written there nobody would find.
            return Err(io::Error::new(io::ErrorKind::NotFound, "the lease log is no longer at its path"));
        }
        if let Some(whole) = end.torn {
            end.file.set_len(whole)?;
            end.torn = None;
        }
        let before = end.file.metadata()?.len();
        let written = end.file.write_all(&bytes).and_then(|()| end.file.sync_data());
        if let Err(failure) = written {
            // Half a line would stand before the next: taken back, or nothing more is written.
            end.file.set_len(before)?;
            return Err(failure);
        }
        end.is_now(n, hash);
        end.kiosks.extend(slots.iter().map(|slot| slot.kiosk));
        Ok((n, hash))
    }

    /// The hash of line `mark` (of the first line, the log's name, for 0), and the entries
    /// after it. None when the log is shorter.
    fn after(&self, mark: u64) -> Result<Option<(Hash, Vec<Entry>)>, LeaseLogFailure> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.n < mark {
            return Ok(None);
        }
        let (mut at, mut entries, mut first) = (Hash([0; 32]), Vec::new(), true);
        each_line(&end.file, |line, _| {
            if std::mem::take(&mut first) {
                at = sha256(&[line]);
                return Ok(());
            }
            let entry: Entry = serde_json::from_slice(line).map_err(|_| LeaseLogFailure::Damaged(mark))?;
            if entry.n == mark {
                at = sha256(&[line]);
            } else if entry.n > mark {
                entries.push(entry);
            }
            Ok(())
        })?;
        Ok(Some((at, entries)))
    }

    fn end(&self) -> (u64, Hash) {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        (end.n, end.hash)
    }
}

/// Is it empty, or a log whose name a crash cut short? Nothing has left by it then.
fn is_begun(mut file: &File, bytes: u64) -> io::Result<bool> {
    const BEGINS: &[u8] = br#"{"log":""#;
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(LINE_MAX).read_to_end(&mut start)?;
    if let Some(name) = start.get(BEGINS.len()..) {
        return Ok(start.starts_with(BEGINS) && bytes < LINE_MAX && name.iter().all(u8::is_ascii_graphic));
    }
    Ok(BEGINS.starts_with(&start))
}

/// Is this open file still the one at this path?
#[cfg(unix)]
fn is_still(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (there, open) = (std::fs::metadata(path)?, file.metadata()?);
    Ok((there.dev(), there.ino()) == (open.dev(), open.ino()))
}

#[cfg(not(unix))]
fn is_still(path: &Path, _: &File) -> io::Result<bool> {
    // An open file cannot be moved away there.
    Ok(path.exists())
}

/// Names a new log; answers the hash of that line.
fn begin(file: &mut File, random: &Random) -> io::Result<Hash> {
    let mut name = [0; 32];
    random(&mut name);
    let line = serde_json::to_vec(&Named { log: Hash(name) })?;
    file.write_all(&[line.as_slice(), b"\n"].concat())?;
    file.sync_all()?;
    Ok(sha256(&[&line]))
}

/// Every whole line from the beginning, with the offset after it.
fn each_line(
    mut file: &File,
    mut look: impl FnMut(&[u8], u64) -> Result<(), LeaseLogFailure>,
) -> Result<(), LeaseLogFailure> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(file);
    let (mut line, mut offset, mut n) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)?;
        offset += u64::try_from(read).unwrap_or(0);
        n += 1;
        match line.split_last() {
            Some((b'\n', line)) => look(line, offset)?,
            _ if u64::try_from(read).unwrap_or(0) == LINE_MAX => return Err(LeaseLogFailure::Damaged(n)),
            // The end, or a line cut short.
            _ => return Ok(()),
        }
    }
}

/// A kiosk has a paper, with central's own token, of a slot somebody at another kiosk holds. Where
/// this log has no line of it, something left central that it does not know: it is an old copy,
/// followed after a restore. From then on extra slots only, until every kiosk is heard.
pub(crate) async fn doubt(
    db: &mut PgConnection,
    central: &Central,
    (slot, kiosk): (SlotId, KioskId),
) -> Result<(), Refusal> {
    let Some(log) = central.lease_log.clone().filter(|_| !central.extras_only()) else { return Ok(()) };
    let says = tokio::task::spawn_blocking(move || log.says(slot, kiosk)).await;
    if says.map_err(|_| Refusal::LeaseLog)?.map_err(|_| Refusal::LeaseLog)? {
        return Ok(());
    }
    tracing::error!(
        "a paper names a slot that the lease log does not know to have left: it is not the whole log. Only extra slots \
         are given, until every kiosk is heard and admin lease-log --accept is run"
    );
    distrust(db, central).await
}

/// Writes what this transaction gives or lends to the log, and how far the database then
/// follows it. Called before the transaction commits.
pub(crate) async fn write(db: &mut PgConnection, central: &Central, slots: Vec<Sent>) -> Result<(), Refusal> {
    let Some(log) = central.lease_log.clone().filter(|_| !slots.is_empty()) else { return Ok(()) };
    if planted::on("lease_log_not_written") {
        return Ok(());
    }
    let kept = if planted::on("lease_log_first_only") { 1 } else { slots.len() };
    let slots: Vec<Sent> = slots.into_iter().take(kept).collect();
    // One at a time until commit: in a backup the mark never stands past a line whose
    // transaction is not in it.
    let row = sqlx::query("SELECT n, hash FROM lease_log FOR UPDATE").fetch_one(&mut *db).await?;
    if !log.brought(replay::mark(&row, 0, 1)?.ok_or(Refusal::LeaseLog)?) {
        tracing::error!(
            "this database no longer stands where this central brought it: another central follows a copy of the \
             lease log, or the database was put back. No date leaves this central. End it, and the other one; start one \
             with the log that was written last (the longer one), and keep the other file aside"
        );
        return Err(Refusal::LeaseLog);
    }
    let (n, hash) = tokio::task::spawn_blocking(move || log.append(&slots))
        .await
        .map_err(|_| Refusal::LeaseLog)?
        .map_err(|failure| {
            tracing::error!(%failure, "the lease log takes nothing: no date leaves central");
            Refusal::LeaseLog
        })?;
    // A transaction that never commits has sent nothing; the next one passes over its lines.
    sqlx::query("UPDATE lease_log SET n = $1, hash = $2")
        .bind(i64::try_from(n).map_err(|_| Refusal::LeaseLog)?)
        .bind(hash.0.as_slice())
        .execute(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
    use super::*;

    fn random() -> Random {
        crate::system_random()
    }

    fn sent(n: u64) -> Sent {
        Sent {
            site: SiteId::parse("ONE").unwrap(),
            slot: SlotId(n),
            at: jiff::civil::date(2027, 3, 8).at(9, 20, 0, 0),
            kiosk: KioskId([1; 16]),
            lent: None,
        }
    }

    #[test]
    fn what_was_written_is_read_back_and_a_cut_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lease.log");
        let log = LeaseLog::open(&path, &random()).unwrap();
        assert!(matches!(LeaseLog::open(&path, &random()), Err(LeaseLogFailure::Busy)));
        log.append(&[sent(1), sent(2)]).unwrap();
        let (n, hash) = log.append(&[sent(3)]).unwrap();
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let lines = u64::try_from(whole[..cut].iter().filter(|b| **b == b'\n').count()).unwrap();
            let log = LeaseLog::open(&path, &random()).unwrap();
            // The first line is the log's name.
            assert_eq!(log.end().0, lines.saturating_sub(1));
            assert_eq!(log.names(KioskId([1; 16])), lines > 1);
            if lines == 0 {
                continue;
            }
            // Only what is written next takes the place of half a line.
            assert_eq!(std::fs::read(&path).unwrap(), &whole[..cut]);
            log.append(&[sent(9)]).unwrap();
            let end = log.end();
            drop(log);
            assert_eq!(LeaseLog::open(&path, &random()).unwrap().end(), end);
        }
        // No log, and left as it is.
        for other in [&b"a\n"[..], b"text", b"{\"log\":\"\xff"] {
            std::fs::write(&path, other).unwrap();
            assert!(matches!(LeaseLog::open(&path, &random()), Err(LeaseLogFailure::Damaged(0))));
            assert_eq!(std::fs::read(&path).unwrap(), other);
        }
        std::fs::write(&path, &whole).unwrap();
        let log = LeaseLog::open(&path, &random()).unwrap();
        assert_eq!(log.end(), (n, hash));
        let (_, entries) = log.after(1).unwrap().unwrap();
        assert_eq!(entries.iter().map(|entry| entry.slot.slot.0).collect::<Vec<_>>(), [2, 3]);
        assert!(log.after(4).unwrap().is_none(), "shorter than the database has seen");
        assert!(log.says(SlotId(3), KioskId([1; 16])).unwrap());
        assert!(
            !log.says(SlotId(3), KioskId([2; 16])).unwrap()
                && !log.says(SlotId(9), KioskId([1; 16])).unwrap()
        );
        // Moved away under a central that runs.
        std::fs::rename(&path, folder.path().join("moved.log")).unwrap();
        assert!(log.append(&[sent(4)]).is_err());
        std::fs::rename(folder.path().join("moved.log"), &path).unwrap();
        assert!(log.brought((n, hash)) && !log.brought((n, Hash([9; 32]))) && !log.brought((2, hash)));
    }

    #[test]
    fn a_changed_line_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lease.log");
        LeaseLog::open(&path, &random()).unwrap().append(&[sent(1), sent(2), sent(3)]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("\"slot\":1,", "\"slot\":9,", 1)).unwrap();
        assert!(matches!(LeaseLog::open(&path, &random()), Err(LeaseLogFailure::Damaged(2))));
        let dropped: String =
            text.lines().take(1).chain(text.lines().skip(2)).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, dropped).unwrap();
        assert!(matches!(LeaseLog::open(&path, &random()), Err(LeaseLogFailure::Damaged(1))));
    }
}
