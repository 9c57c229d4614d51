//! How many people were registered here in the last hour, and by whom. Names nobody registered.

use crate::{Tx, VaultFailure};
use domain::ids::MediatorId;
use jiff::Timestamp;
use rusqlite::params;

impl Tx<'_> {
    /// Notes a registration, and forgets those of `since` and before.
    ///
    /// # Errors
    /// The store fails.
    pub fn note_kept(
        &self,
        at: Timestamp,
        mediator: &MediatorId,
        since: Timestamp,
    ) -> Result<(), VaultFailure> {
        self.sql.prepare_cached("DELETE FROM kept_lately WHERE at_s <= ?1")?.execute([since.as_second()])?;
        self.sql
            .prepare_cached("INSERT INTO kept_lately (at_s, mediator) VALUES (?1, ?2)")?
            .execute(params![at.as_second(), mediator.as_str()])?;
        Ok(())
    }

    /// Registrations after `since`, the newest first, `most` of them.
    ///
    /// # Errors
    /// The store fails.
    pub fn kept_since(
        &self,
        since: Timestamp,
        most: u16,
    ) -> Result<Vec<(Timestamp, MediatorId)>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT at_s, mediator FROM kept_lately WHERE at_s > ?1 ORDER BY at_s DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![since.as_second(), most], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (at, mediator) = row?;
            let at = Timestamp::from_second(at).map_err(|_| VaultFailure::Stored("moment"))?;
            Ok((at, MediatorId::parse(&mediator).map_err(|_| VaultFailure::Stored("mediator id"))?))
        })
        .collect()
    }
}
