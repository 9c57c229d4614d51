//! The journal: appended to inside the transaction that changes anything, pushed from
//! here, and marked as central answers.

use crate::{Tx, VaultFailure};
use domain::bytes::{Hash, Salt};
use domain::ids::{KioskId, RegistrationId};
use domain::planted;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};
use seal::keys::{Context, Signer, sha256};
use wire::body::{Body, SCHEMA};
use wire::record::{Head, Header, Record};

/// Who writes this journal.
pub struct Author<'a> {
    pub kiosk: KioskId,
    pub incarnation: u32,
    pub device: &'a Signer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// Only on this kiosk.
    Waiting,
    /// Central holds it.
    Held,
    Applied,
    SetAside,
}

impl EntryState {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "waiting" => Self::Waiting,
            "held" => Self::Held,
            "applied" => Self::Applied,
            "set_aside" => Self::SetAside,
            _ => return None,
        })
    }
}

/// One line of the outbox.
#[derive(Debug, Clone)]
pub struct Entry {
    pub seq: u64,
    pub kind: String,
    pub registration: Option<RegistrationId>,
    pub at: Timestamp,
    pub state: EntryState,
    pub reason: Option<String>,
}

/// What was said of a registration in one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub at: Timestamp,
    /// When this kiosk heard that central has carried it out; none while it has not.
    pub applied: Option<Timestamp>,
}

impl Tx<'_> {
    /// Signs `body` into the chain. `salt` must be fresh randomness.
    ///
    /// # Errors
    /// The store fails, or the body cannot be written.
    pub fn append(
        &self,
        author: &Author<'_>,
        body: &Body,
        salt: Salt,
        at: Timestamp,
    ) -> Result<u64, VaultFailure> {
        let head = self.head(author.incarnation)?;
        let bytes = serde_json::to_vec(body).map_err(|_| VaultFailure::Stored("body"))?;
        let header = Header {
            kiosk: author.kiosk,
            incarnation: author.incarnation,
            seq: head.seq + 1,
            prev: head.hash,
            kind: body.kind().to_owned(),
            schema: SCHEMA,
            body_len: u32::try_from(bytes.len()).map_err(|_| VaultFailure::Stored("body"))?,
            body_hash: sha256(&[&salt.0, &bytes]),
        };
        let signed = header.to_bytes();
        let hash = sha256(&[&signed]);
        let signature = author.device.sign(Context::Record, &signed);
        let seq = header.seq;
        let record = Record { header, signature, salt, body: bytes.into() };
        let text = serde_json::to_string(&record).map_err(|_| VaultFailure::Stored("record"))?;
        self.sql
            .prepare_cached(
                "INSERT INTO record (seq, hash, record, kind, registration, at_s, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting')",
            )?
            .execute(params![
                number(seq)?,
                hash.0,
                text,
                body.kind(),
                body.registration().map(|id| id.0),
                at.as_second()
            ])?;
        Ok(seq)
    }

    /// The newest record's place; seq 0 and zeros before the first.
    ///
    /// # Errors
    /// The store fails.
    pub fn head(&self, incarnation: u32) -> Result<Head, VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1")?;
        let row: Option<(i64, [u8; 32])> =
            statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (seq, hash) = row.unwrap_or((0, [0; 32]));
        Ok(Head { incarnation, seq: unsigned(seq)?, hash: Hash(hash) })
    }

    /// When the newest record was written, in Unix seconds; 0 before the first.
    ///
    /// # Errors
    /// The store fails.
    pub fn last_record_s(&self) -> Result<i64, VaultFailure> {
        let mut statement = self.sql.prepare_cached("SELECT coalesce(max(at_s), 0) FROM record")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The hash of one record's header.
    ///
    /// # Errors
    /// The store fails.
    pub fn hash_at(&self, seq: u64) -> Result<Option<Hash>, VaultFailure> {
        let mut statement = self.sql.prepare_cached("SELECT hash FROM record WHERE seq = ?1")?;
        Ok(statement.query_row([number(seq)?], |row| Ok(Hash(row.get(0)?))).optional()?)
    }

    /// Up to `limit` records after `seq`, in order, for a push.
    ///
    /// # Errors
    /// The store fails.
    pub fn records_after(&self, seq: u64, limit: usize) -> Result<Vec<Record>, VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT record FROM record WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![number(seq)?, limit])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            records.push(serde_json::from_str(&text).map_err(|_| VaultFailure::Stored("record"))?);
        }
        Ok(records)
    }

    /// Central holds everything up to `seq`.
    ///
    /// # Errors
    /// The store fails.
    pub fn mark_held(&self, seq: u64) -> Result<(), VaultFailure> {
        let seq = if planted::on("held_marked_too_far") { u64::from(u32::MAX) } else { seq };
        self.sql
            .prepare_cached("UPDATE record SET state = 'held' WHERE seq <= ?1 AND state = 'waiting'")?
            .execute([number(seq)?])?;
        Ok(())
    }

    /// Central has lost everything after `seq`: it waits to be sent once more.
    ///
    /// # Errors
    /// The store fails.
    pub fn send_again_after(&self, seq: u64) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE record SET state = 'waiting', reason = NULL WHERE seq > ?1")?
            .execute([number(seq)?])?;
        Ok(())
    }

    /// What became of one record at central. A result for another record at this place (of
    /// another machine running this vault) changes nothing.
    ///
    /// # Errors
    /// The store fails.
    pub fn mark_result(
        &self,
        seq: u64,
        hash: &Hash,
        set_aside: Option<&str>,
        heard: Timestamp,
    ) -> Result<(), VaultFailure> {
        let ours = if planted::on("result_of_another_record") { self.hash_at(seq)? } else { None };
        let hash = ours.as_ref().unwrap_or(hash);
        let state = if set_aside.is_some() { "set_aside" } else { "applied" };
        self.sql
            .prepare_cached(
                "UPDATE record SET result_s = iif(state = ?2, coalesce(result_s, ?5), ?5), state = ?2, reason = ?3 \
                 WHERE seq = ?1 AND hash = ?4",
            )?
            .execute(params![number(seq)?, state, set_aside, hash.0, heard.as_second()])?;
        Ok(())
    }

    /// How many records wait, are held, applied, set aside.
    ///
    /// # Errors
    /// The store fails.
    pub fn counts(&self) -> Result<[u32; 4], VaultFailure> {
        let mut counts = [0; 4];
        let mut statement = self.sql.prepare_cached("SELECT state, count(*) FROM record GROUP BY state")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (state, count): (String, u32) = (row.get(0)?, row.get(1)?);
            let at = match EntryState::parse(&state) {
                Some(EntryState::Waiting) => 0,
                Some(EntryState::Held) => 1,
                Some(EntryState::Applied) => 2,
                Some(EntryState::SetAside) => 3,
                None => return Err(VaultFailure::Stored("record state")),
            };
            if let Some(slot) = counts.get_mut(at) {
                *slot = count;
            }
        }
        Ok(counts)
    }

    /// Registrations central has not said to hold.
    ///
    /// # Errors
    /// The store fails.
    pub fn waiting_registrations(&self) -> Result<u32, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT count(*) FROM record WHERE state = 'waiting' AND kind = 'registration'",
        )?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The newest `limit` entries, newest first; those that need somebody come first.
    ///
    /// # Errors
    /// The store fails.
    pub fn outbox(&self, limit: u32) -> Result<Vec<Entry>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT seq, kind, registration, at_s, state, reason FROM record \
             ORDER BY state = 'set_aside' DESC, state = 'waiting' DESC, seq DESC LIMIT ?1",
        )?;
        let mut rows = statement.query([limit])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(entry(row)?);
        }
        Ok(entries)
    }

    /// What was said of a registration and its date, in order. A body that was erased says nothing.
    ///
    /// # Errors
    /// The store fails.
    pub fn all_said(&self, id: RegistrationId) -> Result<Vec<(Body, Said)>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT record, at_s, iif(state = 'applied', result_s, NULL) FROM record \
             WHERE registration = ?1 AND kind IN ('registration', 'dated', 'limit') ORDER BY seq",
        )?;
        let time = |s| Timestamp::from_second(s).map_err(|_| VaultFailure::Stored("time"));
        let mut rows = statement.query([id.0])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let (text, at, applied): (String, i64, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let record: Record = serde_json::from_str(&text).map_err(|_| VaultFailure::Stored("record"))?;
            let Record { header, body, .. } = record;
            let Some(body) = Body::read(&header.kind, header.schema, &body.0) else { continue };
            all.push((body, Said { at: time(at)?, applied: applied.map(time).transpose()? }));
        }
        Ok(all)
    }

    /// The state of the record that registered this.
    ///
    /// # Errors
    /// The store fails.
    pub fn registration_state(&self, id: RegistrationId) -> Result<Option<EntryState>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT state FROM record WHERE registration = ?1 AND kind = 'registration' ORDER BY seq LIMIT 1",
        )?;
        let state: Option<String> = statement.query_row([id.0], |row| row.get(0)).optional()?;
        state.map(|s| EntryState::parse(&s).ok_or(VaultFailure::Stored("record state"))).transpose()
    }
}

fn entry(row: &Row<'_>) -> Result<Entry, VaultFailure> {
    let state: String = row.get(4)?;
    let registration: Option<[u8; 16]> = row.get(2)?;
    Ok(Entry {
        seq: unsigned(row.get(0)?)?,
        kind: row.get(1)?,
        registration: registration.map(RegistrationId),
        at: Timestamp::from_second(row.get(3)?).map_err(|_| VaultFailure::Stored("time"))?,
        state: EntryState::parse(&state).ok_or(VaultFailure::Stored("record state"))?,
        reason: row.get(5)?,
    })
}

fn number(seq: u64) -> Result<i64, VaultFailure> {
    i64::try_from(seq).map_err(|_| VaultFailure::Stored("seq"))
}

fn unsigned(seq: i64) -> Result<u64, VaultFailure> {
    u64::try_from(seq).map_err(|_| VaultFailure::Stored("seq"))
}
