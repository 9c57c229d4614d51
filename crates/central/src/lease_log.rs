//! The lease log: what central gives or lends, written to other storage before the answer
//! that carries it leaves. A database restored from a backup reads in it what it must not
//! give again. Holds slot and kiosk ids; never a person.

use crate::{Central, Refusal, changes, claim, dates};
use domain::bytes::{Hash, PublicKey};
use domain::ids::{KioskId, LeaseId, SiteId, SlotId};
use domain::lease::Stratum;
use jiff::civil::DateTime;
use seal::keys::sha256;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, Row};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use wire::messages::{Change, LentSlot};

/// Longest line that is looked at.
const LINE_MAX: u64 = 1_024;

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
}

impl LeaseLog {
    /// Opens or makes the log and reads it through. A last line cut short by a crash never
    /// left central: it is dropped.
    ///
    /// # Errors
    /// See [`LeaseLogFailure`].
    pub fn open(path: &Path) -> Result<Self, LeaseLogFailure> {
        let file = File::options().read(true).append(true).create(true).open(path)?;
        file.try_lock().map_err(|_| LeaseLogFailure::Busy)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            // The file's own name must outlive a power cut too.
            File::open(folder)?.sync_all()?;
        }
        let (mut n, mut hash, mut whole) = (0, Hash([0; 32]), 0);
        each_line(&file, |line, end| {
            let entry: Entry = serde_json::from_slice(line).map_err(|_| LeaseLogFailure::Damaged(n + 1))?;
            if entry.n != n + 1 || entry.prev != hash {
                return Err(LeaseLogFailure::Damaged(n + 1));
            }
            (n, hash, whole) = (entry.n, sha256(&[line]), end);
            Ok(())
        })?;
        if file.metadata()?.len() > whole {
            tracing::warn!(line = n + 1, "the last line of the lease log was cut short: dropped");
            file.set_len(whole)?;
            file.sync_all()?;
        }
        Ok(Self { end: Mutex::new(End { file, n, hash }) })
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
        let before = end.file.metadata()?.len();
        let written = end.file.write_all(&bytes).and_then(|()| end.file.sync_data());
        if let Err(failure) = written {
            // Half a line would stand before the next: taken back, or nothing more is written.
            end.file.set_len(before)?;
            return Err(failure);
        }
        (end.n, end.hash) = (n, hash);
        Ok((n, hash))
    }

    /// The hash of line `n`, and the entries after it. None when the log is shorter.
    fn after(&self, mark: u64) -> Result<Option<(Hash, Vec<Entry>)>, LeaseLogFailure> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.n < mark {
            return Ok(None);
        }
        let (mut at, mut entries) = (Hash([0; 32]), Vec::new());
        each_line(&end.file, |line, _| {
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

/// Writes what this transaction gives or lends to the log, and how far the database then
/// follows it. Called before the transaction commits.
pub(crate) async fn write(db: &mut PgConnection, central: &Central, slots: Vec<Sent>) -> Result<(), Refusal> {
    let Some(log) = central.lease_log.clone().filter(|_| !slots.is_empty()) else { return Ok(()) };
    // One at a time until commit: in a backup the mark never stands past a line whose
    // transaction is not in it.
    sqlx::query("SELECT 1 FROM lease_log FOR UPDATE").execute(&mut *db).await?;
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

/// Follows the log to its end: what stands there and not in the database is withheld.
/// Answers whether only extra slots may be given: the log is shorter than the database
/// has seen, or is another's, or was so before and nobody has looked.
pub(crate) async fn follow(central: &Central, log: &Arc<LeaseLog>) -> Result<bool, Refusal> {
    let mut tx = central.pool.begin().await?;
    let row = sqlx::query("SELECT n, hash, broken FROM lease_log FOR UPDATE").fetch_one(&mut *tx).await?;
    let mark = u64::try_from(row.try_get::<i64, _>(0)?).map_err(|_| Refusal::LeaseLog)?;
    let hash = Hash::from_slice(row.try_get(1)?).ok_or(Refusal::LeaseLog)?;
    let mut broken: bool = row.try_get(2)?;
    let reader = Arc::clone(log);
    let after = tokio::task::spawn_blocking(move || reader.after(mark))
        .await
        .map_err(|_| Refusal::LeaseLog)?
        .map_err(|_| Refusal::LeaseLog)?;
    match after {
        Some((at, entries)) if at == hash => {
            let mut leases: BTreeMap<LeaseId, Vec<&Sent>> = BTreeMap::new();
            for entry in &entries {
                if let Some(lease) = withhold(&mut tx, &entry.slot).await? {
                    leases.entry(lease).or_default().push(&entry.slot);
                }
            }
            for (lease, slots) in leases {
                tell_again(&mut tx, central, lease, &slots).await?;
            }
            if !entries.is_empty() {
                tracing::warn!(slots = entries.len(), "the database is behind the lease log: withheld");
            }
        }
        _ => {
            tracing::error!(
                "the lease log is not the one this database followed: only extra slots are given"
            );
            broken = true;
        }
    }
    let (n, hash) = log.end();
    sqlx::query("UPDATE lease_log SET n = $1, hash = $2, broken = $3")
        .bind(i64::try_from(n).map_err(|_| Refusal::LeaseLog)?)
        .bind(hash.0.as_slice())
        .bind(broken)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(broken)
}

/// Has this database ever followed a log, or given up following one?
pub(crate) async fn was_followed(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT n > 0 OR broken FROM lease_log").fetch_one(pool).await?.try_get(0)
}

/// A slot that left central: not free, and lent again under its lease if its kiosk is known.
/// Answers the lease when it is one this database did not have for this slot.
async fn withhold(tx: &mut PgConnection, sent: &Sent) -> Result<Option<LeaseId>, Refusal> {
    if claim::place(&mut *tx, sent.slot, &sent.site, sent.at).await?.is_none() {
        // The site came after the backup: it has no counters yet, and nothing to give.
        return Ok(None);
    }
    let mut again = None;
    let slot = i64::try_from(sent.slot.0).map_err(|_| Refusal::LeaseLog)?;
    if let Some(lent) = &sent.lent {
        sqlx::query(
            "INSERT INTO lease (id, kiosk, given_s, incarnation) \
             SELECT $1, id, enrolled_s, $3 FROM kiosk WHERE id = $2 ON CONFLICT DO NOTHING",
        )
        .bind(lent.lease.0.as_slice())
        .bind(sent.kiosk.0.as_slice())
        .bind(i32::try_from(lent.incarnation).map_err(|_| Refusal::LeaseLog)?)
        .execute(&mut *tx)
        .await?;
        let done = sqlx::query(
            "UPDATE slot SET lease = lease.id, stratum = $3 FROM lease \
             WHERE slot.id = $1 AND lease.id = $2 AND slot.lease IS NULL",
        )
        .bind(slot)
        .bind(lent.lease.0.as_slice())
        .bind(&lent.stratum)
        .execute(&mut *tx)
        .await?;
        again = (done.rows_affected() == 1).then_some(lent.lease);
    }
    sqlx::query("UPDATE slot SET withheld = true WHERE id = $1 AND lease IS NULL AND registration IS NULL")
        .bind(slot)
        .execute(tx)
        .await?;
    Ok(again)
}

/// The kiosk may never have pulled this lease: it is told again, token for token the same.
async fn tell_again(
    tx: &mut PgConnection,
    central: &Central,
    lease: LeaseId,
    slots: &[&Sent],
) -> Result<(), Refusal> {
    let row = sqlx::query(
        "SELECT kiosk.id, kiosk.key, site.id, site.zone, lease.incarnation FROM lease \
         JOIN kiosk ON kiosk.id = lease.kiosk JOIN site ON site.id = kiosk.site WHERE lease.id = $1",
    )
    .bind(lease.0.as_slice())
    .fetch_one(&mut *tx)
    .await?;
    let kiosk = KioskId(row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?);
    let key = PublicKey::from_slice(row.try_get(1)?).ok_or(Refusal::Stored("device key"))?;
    let site = SiteId::parse(row.try_get(2)?).ok_or(Refusal::Stored("site id"))?;
    let zone: &str = row.try_get(3)?;
    let incarnation = u32::try_from(row.try_get::<i32, _>(4)?).map_err(|_| Refusal::Stored("incarnation"))?;
    let slots = slots
        .iter()
        .filter_map(|sent| Some((sent, Stratum::parse(&sent.lent.as_ref()?.stratum)?)))
        .map(|(sent, stratum)| {
            let token = dates::token(central, key, &site, zone, (sent.slot, sent.at))?;
            Ok(LentSlot { slot: sent.slot, at: sent.at, stratum, token: token.to_bytes().into() })
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    changes::append(tx, central, kiosk, &[Change::Lease { lease, incarnation, slots }]).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
    use super::*;

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
        let log = LeaseLog::open(&path).unwrap();
        assert!(matches!(LeaseLog::open(&path), Err(LeaseLogFailure::Busy)));
        log.append(&[sent(1), sent(2)]).unwrap();
        let (n, hash) = log.append(&[sent(3)]).unwrap();
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let lines = u64::try_from(whole[..cut].iter().filter(|b| **b == b'\n').count()).unwrap();
            assert_eq!(LeaseLog::open(&path).unwrap().end().0, lines);
        }
        std::fs::write(&path, &whole).unwrap();
        let log = LeaseLog::open(&path).unwrap();
        assert_eq!(log.end(), (n, hash));
        let (_, entries) = log.after(1).unwrap().unwrap();
        assert_eq!(entries.iter().map(|entry| entry.slot.slot.0).collect::<Vec<_>>(), [2, 3]);
        assert!(log.after(4).unwrap().is_none(), "shorter than the database has seen");
    }

    #[test]
    fn a_changed_line_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lease.log");
        LeaseLog::open(&path).unwrap().append(&[sent(1), sent(2), sent(3)]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("\"slot\":1,", "\"slot\":9,", 1)).unwrap();
        assert!(matches!(LeaseLog::open(&path), Err(LeaseLogFailure::Damaged(2))));
        let dropped: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, dropped).unwrap();
        assert!(matches!(LeaseLog::open(&path), Err(LeaseLogFailure::Damaged(1))));
    }
}
