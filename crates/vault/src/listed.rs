//! Papers another has replaced, as central's signed list tells them. Marks and times only.

use crate::{Tx, VaultFailure};
use domain::bytes::Mark;
use domain::lists::Standing;
use jiff::civil::Date;
use rusqlite::{OptionalExtension as _, params};

impl Tx<'_> {
    /// Keeps what stands for one registration; a later word takes an earlier one's place.
    ///
    /// # Errors
    /// The store fails.
    pub fn list_paper(&self, paper: &Standing) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT INTO listed_paper (code, at, until) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (code) DO UPDATE SET at = excluded.at, until = excluded.until",
            )?
            .execute(params![paper.code.0, paper.at.map(|at| at.to_string()), paper.until.to_string()])?;
        Ok(())
    }

    /// # Errors
    /// The store fails.
    pub fn listed_paper(&self, code: &Mark) -> Result<Option<Standing>, VaultFailure> {
        let mut statement = self.sql.prepare_cached("SELECT at, until FROM listed_paper WHERE code = ?1")?;
        let row: Option<(Option<String>, String)> =
            statement.query_row([code.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((at, until)) = row else { return Ok(None) };
        let at = at.map(|at| at.parse()).transpose().map_err(|_| VaultFailure::Stored("listed paper"))?;
        let until = until.parse().map_err(|_| VaultFailure::Stored("listed paper"))?;
        Ok(Some(Standing { code: *code, at, until }))
    }

    /// Forgets what nobody need know any more.
    ///
    /// # Errors
    /// The store fails.
    pub fn unlist_papers(&self, today: Date) -> Result<(), VaultFailure> {
        // ISO days sort as text.
        self.sql
            .prepare_cached("DELETE FROM listed_paper WHERE until <= ?1")?
            .execute([today.to_string()])?;
        Ok(())
    }
}
