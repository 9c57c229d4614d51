//! Requests for an earlier date, as the person who comes back is told of them.

use crate::{EntryState, Tx, VaultFailure};
use domain::ids::RegistrationId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    pub asked_at: Timestamp,
    /// How far its record has come.
    pub state: EntryState,
    /// The desk's words, and when.
    pub answer: Option<(String, Timestamp)>,
}

impl Tx<'_> {
    /// Notes a request whose record is the newest of the journal.
    ///
    /// # Errors
    /// The store fails.
    pub fn ask_earlier(&self, id: RegistrationId, at: Timestamp) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT INTO advance (registration, asked_s, seq) SELECT ?1, ?2, max(seq) FROM record WHERE true \
                 ON CONFLICT (registration) DO UPDATE SET asked_s = excluded.asked_s, seq = excluded.seq, \
                 answer = NULL, answered_s = NULL",
            )?
            .execute(params![id.0, at.as_second()])?;
        Ok(())
    }

    /// The desk's answer to the request made then; to an earlier one it is passed over.
    ///
    /// # Errors
    /// The store fails.
    pub fn answer_earlier(
        &self,
        id: RegistrationId,
        asked: Timestamp,
        answer: &str,
        at: Timestamp,
    ) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "UPDATE advance SET answer = ?3, answered_s = ?4 WHERE registration = ?1 AND asked_s = ?2",
            )?
            .execute(params![id.0, asked.as_second(), answer, at.as_second()])?;
        Ok(())
    }

    /// # Errors
    /// The store fails.
    pub fn advance(&self, id: RegistrationId) -> Result<Option<Advance>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT asked_s, state, answer, answered_s FROM advance JOIN record ON record.seq = advance.seq \
             WHERE advance.registration = ?1",
        )?;
        type Row = (i64, String, Option<String>, Option<i64>);
        let row: Option<Row> = statement
            .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((asked, state, answer, answered)) = row else { return Ok(None) };
        let moment = |s| Timestamp::from_second(s).map_err(|_| VaultFailure::Stored("request"));
        let answer = answer.zip(answered).map(|(text, at)| Ok::<_, VaultFailure>((text, moment(at)?)));
        Ok(Some(Advance {
            asked_at: moment(asked)?,
            state: EntryState::parse(&state).ok_or(VaultFailure::Stored("record state"))?,
            answer: answer.transpose()?,
        }))
    }
}
