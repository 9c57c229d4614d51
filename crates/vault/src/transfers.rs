//! Registrations that follow another site's, as central told of them last; and the site at which the
//! person of an ended place has another.

use crate::{Tx, VaultFailure};
use domain::ids::RegistrationId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use wire::messages::Transferred;

/// A registration that follows another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Central's last word.
    pub told: Transferred,
    /// When the person said here that they keep this one.
    pub kept: Option<Timestamp>,
}

impl Tx<'_> {
    /// Keeps central's word.
    ///
    /// # Errors
    /// The store fails.
    pub fn put_transfer(&self, id: RegistrationId, told: &Transferred) -> Result<(), VaultFailure> {
        let text = serde_json::to_string(told).map_err(|_| VaultFailure::Stored("transfer"))?;
        self.sql
            .prepare_cached(
                "INSERT INTO transfer (registration, told) VALUES (?1, ?2) \
                 ON CONFLICT (registration) DO UPDATE SET told = excluded.told",
            )?
            .execute(params![id.0, text])?;
        Ok(())
    }

    /// Notes that the person keeps this one; of what central never told nothing is noted.
    ///
    /// # Errors
    /// The store fails.
    pub fn keep_transfer(&self, id: RegistrationId, at: Option<Timestamp>) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE transfer SET kept_s = ?2 WHERE registration = ?1")?
            .execute(params![id.0, at.map(Timestamp::as_second)])?;
        Ok(())
    }

    /// The page says another time than the paper that is out.
    ///
    /// # Errors
    /// The store fails.
    pub fn page_changed(&self, id: RegistrationId, at: Timestamp) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE transfer SET page_s = ?2 WHERE registration = ?1")?
            .execute(params![id.0, at.as_second()])?;
        Ok(())
    }

    /// Registrations whose new page may not be out yet, the longest due first: of one printed within the
    /// second the page itself says it.
    ///
    /// # Errors
    /// The store fails.
    pub fn pages_due(&self) -> Result<Vec<RegistrationId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT registration FROM transfer WHERE page_s IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM cancelled WHERE cancelled.registration = transfer.registration) \
             AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.registration = transfer.registration \
                             AND attempt.state = 'printed' AND attempt.at_s > page_s) \
             ORDER BY page_s, registration",
        )?;
        let rows = statement.query_map([], |row| row.get(0).map(RegistrationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// # Errors
    /// The store fails.
    pub fn transfer(&self, id: RegistrationId) -> Result<Option<Followed>, VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT told, kept_s FROM transfer WHERE registration = ?1")?;
        let row: Option<(String, Option<i64>)> =
            statement.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        row.map(|(told, kept)| {
            let kept = kept.map(|s| Timestamp::from_second(s).map_err(|_| VaultFailure::Stored("transfer")));
            Ok(Followed {
                told: serde_json::from_str(&told).map_err(|_| VaultFailure::Stored("transfer"))?,
                kept: kept.transpose()?,
            })
        })
        .transpose()
    }

    /// Notes the site at which the person of an ended place has another.
    ///
    /// # Errors
    /// The store fails.
    pub fn put_elsewhere(&self, id: RegistrationId, site: &str) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE cancelled SET elsewhere = ?2 WHERE registration = ?1")?
            .execute(params![id.0, site])?;
        Ok(())
    }

    /// That site, where one is known.
    ///
    /// # Errors
    /// The store fails.
    pub fn elsewhere(&self, id: RegistrationId) -> Result<Option<String>, VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT elsewhere FROM cancelled WHERE registration = ?1")?;
        Ok(statement.query_row([id.0], |row| row.get(0)).optional()?.flatten())
    }
}
