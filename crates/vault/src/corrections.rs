//! What a registration came with and every correction of it since: a correction is judged by all.

use crate::{Tx, VaultFailure};
use domain::correction::Details;
use domain::ids::RegistrationId;
use rusqlite::params;

impl Tx<'_> {
    /// What it came with, then each correction in the order made; nothing where none was made.
    ///
    /// # Errors
    /// The store fails.
    pub fn corrected(&self, id: RegistrationId) -> Result<Vec<Details>, VaultFailure> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT details FROM correction WHERE registration = ?1 ORDER BY number")?;
        let mut rows = statement.query([id.0])?;
        let mut stood = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            stood.push(serde_json::from_str(&text).map_err(|_| VaultFailure::Stored("correction"))?);
        }
        Ok(stood)
    }

    /// Keeps the next of them; the first is what it came with.
    ///
    /// # Errors
    /// The store fails.
    pub fn keep_corrected(&self, id: RegistrationId, details: &Details) -> Result<(), VaultFailure> {
        let text = serde_json::to_string(details).map_err(|_| VaultFailure::Stored("correction"))?;
        self.sql
            .prepare_cached(
                "INSERT INTO correction (registration, number, details) \
                 SELECT ?1, count(*), ?2 FROM correction WHERE registration = ?1",
            )?
            .execute(params![id.0, text])?;
        Ok(())
    }
}
