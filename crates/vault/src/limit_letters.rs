//! The letter of a time limit that no date serves: what the one that came out says, and whether the person
//! has it. When the préfecture was told is read from the journal, not kept here.

use crate::{Tx, VaultFailure};
use domain::ids::RegistrationId;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rusqlite::params;

/// What a letter says: another of these makes it another letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSaid {
    /// The civil hour of the appointment.
    pub at: DateTime,
    /// The last day that was declared.
    pub last_day: Date,
    /// When the préfecture was told.
    pub told: Option<Timestamp>,
}

impl Tx<'_> {
    /// This letter came out of the printer; nobody has it by that. The same again keeps what is known.
    ///
    /// # Errors
    /// The store fails.
    pub fn note_limit_letter(&self, id: RegistrationId, said: &LimitSaid) -> Result<(), VaultFailure> {
        if self.limit_letter(id, said)?.is_none() {
            self.sql
                .prepare_cached(
                    "INSERT INTO limit_letter (registration, appointment, last_day, told_s) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (registration) DO UPDATE SET appointment = excluded.appointment, \
                     last_day = excluded.last_day, told_s = excluded.told_s, handed_s = NULL",
                )?
                .execute(params![
                    id.0,
                    said.at.to_string(),
                    said.last_day.to_string(),
                    said.told.map(Timestamp::as_second)
                ])?;
        }
        Ok(())
    }

    /// The person has the printed letter in hand. Said again, the first time stands.
    ///
    /// # Errors
    /// The store fails.
    pub fn hand_limit_letter(&self, id: RegistrationId, at: Timestamp) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "UPDATE limit_letter SET handed_s = ?2 WHERE registration = ?1 AND handed_s IS NULL",
            )?
            .execute(params![id.0, at.as_second()])?;
        Ok(())
    }

    /// Did a letter that says this come out here, and when did the person have it in hand?
    ///
    /// # Errors
    /// The store fails.
    pub fn limit_letter(
        &self,
        id: RegistrationId,
        said: &LimitSaid,
    ) -> Result<Option<Option<Timestamp>>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT handed_s FROM limit_letter WHERE registration = ?1 AND appointment = ?2 AND last_day = ?3 \
             AND told_s IS ?4",
        )?;
        let mut rows = statement.query(params![
            id.0,
            said.at.to_string(),
            said.last_day.to_string(),
            said.told.map(Timestamp::as_second)
        ])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let handed: Option<i64> = row.get(0)?;
        let handed = handed.map(Timestamp::from_second).transpose();
        Ok(Some(handed.map_err(|_| VaultFailure::Stored("limit letter"))?))
    }
}
