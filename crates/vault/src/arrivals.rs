//! People who came to their appointment and showed their paper here. Of other kiosks' papers too.

use crate::{Tx, VaultFailure};
use domain::ids::RegistrationId;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rusqlite::{OptionalExtension as _, params};

impl Tx<'_> {
    /// Notes that somebody came. The first time counts.
    ///
    /// # Errors
    /// The store fails.
    pub fn note_arrival(
        &self,
        id: RegistrationId,
        appointment: DateTime,
        at: Timestamp,
    ) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT OR IGNORE INTO arrival (registration, appointment, came_s) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![id.0, appointment.to_string(), at.as_second()])?;
        Ok(())
    }

    /// When they came, if they have.
    ///
    /// # Errors
    /// The store fails.
    pub fn arrival(
        &self,
        id: RegistrationId,
        appointment: DateTime,
    ) -> Result<Option<Timestamp>, VaultFailure> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT came_s FROM arrival WHERE registration = ?1 AND appointment = ?2")?;
        let came: Option<i64> =
            statement.query_row(params![id.0, appointment.to_string()], |row| row.get(0)).optional()?;
        came.map(|came| Timestamp::from_second(came).map_err(|_| VaultFailure::Stored("arrival"))).transpose()
    }

    /// Forgets who came before this day: their records say it, as long as they are kept.
    ///
    /// # Errors
    /// The store fails.
    pub fn forget_arrivals(&self, before: Date) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("DELETE FROM arrival WHERE appointment < ?1")?
            .execute([before.to_string()])?;
        Ok(())
    }
}
