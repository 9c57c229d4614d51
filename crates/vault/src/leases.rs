//! The slots lent to this kiosk. Taking one is part of the transaction that keeps the
//! registration it is for.

use crate::{Tx, VaultFailure};
use domain::assign::FreeSlot;
use domain::ids::{LeaseId, RegistrationId, SlotId};
use domain::lease::Stratum;
use jiff::civil::{Date, DateTime};
use rusqlite::{OptionalExtension as _, params};
use wire::messages::LentSlot;

impl Tx<'_> {
    /// Adds slots; one already known is left as it is, so a change may come twice.
    ///
    /// # Errors
    /// The store fails.
    pub fn add_lease(&self, lease: LeaseId, slots: &[LentSlot]) -> Result<(), VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "INSERT INTO lease_slot (slot, lease, at, stratum, token) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (slot) DO NOTHING",
        )?;
        for slot in slots {
            statement.execute(params![
                id(slot.slot)?,
                lease.0,
                slot.at.to_string(),
                slot.stratum.key(),
                slot.token.0
            ])?;
        }
        Ok(())
    }

    /// Slots of the lease nobody has been given, on or after `from`.
    ///
    /// # Errors
    /// The store fails.
    pub fn free_slots(&self, from: Date) -> Result<Vec<FreeSlot>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT slot, at, stratum FROM lease_slot WHERE registration IS NULL AND at >= ?1 ORDER BY at, slot",
        )?;
        let mut rows = statement.query([from.to_string()])?;
        let mut slots = Vec::new();
        while let Some(row) = rows.next()? {
            let (slot, at, stratum): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            slots.push(FreeSlot {
                slot: SlotId(u64::try_from(slot).map_err(|_| VaultFailure::Stored("slot"))?),
                at: civil(&at)?,
                stratum: Some(Stratum::parse(&stratum).ok_or(VaultFailure::Stored("stratum"))?),
            });
        }
        Ok(slots)
    }

    /// Gives a leased slot to a registration: its lease and token, or none when somebody
    /// has it already.
    ///
    /// # Errors
    /// The store fails.
    pub fn take_slot(
        &self,
        slot: SlotId,
        registration: RegistrationId,
    ) -> Result<Option<(LeaseId, Vec<u8>)>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "UPDATE lease_slot SET registration = ?2 WHERE slot = ?1 AND registration IS NULL RETURNING lease, token",
        )?;
        let taken = statement
            .query_row(params![id(slot)?, registration.0], |row| Ok((LeaseId(row.get(0)?), row.get(1)?)))
            .optional()?;
        Ok(taken)
    }

    /// How many slots of the lease have been given.
    ///
    /// # Errors
    /// The store fails.
    pub fn given_slots(&self) -> Result<u32, VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT count(*) FROM lease_slot WHERE registration IS NOT NULL")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}

fn id(slot: SlotId) -> Result<i64, VaultFailure> {
    i64::try_from(slot.0).map_err(|_| VaultFailure::Stored("slot"))
}

fn civil(text: &str) -> Result<DateTime, VaultFailure> {
    text.parse().map_err(|_| VaultFailure::Stored("slot time"))
}
