//! Attempts to print. One is written before the first byte goes out, so that after a
//! crash somebody knows whether paper may exist.

use crate::{Tx, VaultFailure};
use domain::bytes::Hash;
use domain::ids::{AttemptId, RegistrationId};
use rusqlite::params;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptState {
    /// Written; bytes may have gone out.
    Attempted,
    /// The printer has all bytes and gave a job number.
    Sent,
    Printed,
    Failed,
}

impl AttemptState {
    fn key(self) -> &'static str {
        match self {
            Self::Attempted => "attempted",
            Self::Sent => "sent",
            Self::Printed => "printed",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Attempt {
    pub id: AttemptId,
    pub registration: RegistrationId,
    pub state: AttemptState,
    pub job: Option<i32>,
    pub sha256: Hash,
    pub bytes: u32,
}

impl Tx<'_> {
    /// # Errors
    /// The store fails.
    pub fn add_attempt(&self, attempt: &Attempt, at_s: i64) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT INTO attempt (id, registration, state, job, sha256, bytes, at_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                attempt.id.0,
                attempt.registration.0,
                attempt.state.key(),
                attempt.job,
                attempt.sha256.0,
                attempt.bytes,
                at_s
            ])?;
        Ok(())
    }

    /// # Errors
    /// The store fails.
    pub fn set_attempt(
        &self,
        id: AttemptId,
        state: AttemptState,
        job: Option<i32>,
    ) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE attempt SET state = ?2, job = coalesce(?3, job) WHERE id = ?1")?
            .execute(params![id.0, state.key(), job])?;
        Ok(())
    }

    /// The latest attempt for a registration.
    ///
    /// # Errors
    /// The store fails.
    pub fn last_attempt(&self, registration: RegistrationId) -> Result<Option<Attempt>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, state, job, sha256, bytes FROM attempt WHERE registration = ?1 ORDER BY at_s DESC, rowid DESC LIMIT 1",
        )?;
        let mut rows = statement.query([registration.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let state: String = row.get(1)?;
        Ok(Some(Attempt {
            id: AttemptId(row.get(0)?),
            registration,
            state: match state.as_str() {
                "attempted" => AttemptState::Attempted,
                "sent" => AttemptState::Sent,
                "printed" => AttemptState::Printed,
                "failed" => AttemptState::Failed,
                _ => return Err(VaultFailure::Stored("attempt state")),
            },
            job: row.get(2)?,
            sha256: Hash(row.get(3)?),
            bytes: row.get(4)?,
        }))
    }
}
