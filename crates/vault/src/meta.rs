//! Single values: who this kiosk is, what it knows of central, cursors.

use crate::{Tx, VaultFailure};
use rusqlite::{OptionalExtension as _, params};

impl Tx<'_> {
    /// # Errors
    /// The store fails.
    pub fn put(&self, key: &str, value: &[u8]) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
            )?
            .execute(params![key, value])?;
        Ok(())
    }

    /// # Errors
    /// The store fails.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, VaultFailure> {
        let mut statement = self.sql.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// # Errors
    /// The store fails or the value cannot be written as JSON.
    pub fn put_json(&self, key: &str, value: &impl serde::Serialize) -> Result<(), VaultFailure> {
        let bytes = serde_json::to_vec(value).map_err(|_| VaultFailure::Stored("meta"))?;
        self.put(key, &bytes)
    }

    /// # Errors
    /// The store fails or holds something else under this key.
    pub fn get_json<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, VaultFailure> {
        self.get(key)?
            .map(|bytes| serde_json::from_slice(&bytes).map_err(|_| VaultFailure::Stored("meta")))
            .transpose()
    }
}
