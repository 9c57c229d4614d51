//! Bugs the simulation must find, planted in the store (docs/planted.md).

use crate::{Tx, VaultFailure};
use domain::planted;

impl Tx<'_> {
    /// Runs the statement that does what the bug does, where it is switched on: nowhere but
    /// in tests.
    #[inline(always)]
    pub(crate) fn planted(&self, name: &str, sql: impl FnOnce() -> String) -> Result<(), VaultFailure> {
        if planted::on(name) {
            self.sql.execute_batch(&sql())?;
        }
        Ok(())
    }
}
