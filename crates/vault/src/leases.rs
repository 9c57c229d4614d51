//! The slots lent to this kiosk. Taking one is part of the transaction that keeps the
//! registration it is for.

use crate::{Tx, VaultFailure};
use domain::assign::FreeSlot;
use domain::ids::{LeaseId, RegistrationId, SlotId};
use domain::lease::Stratum;
use domain::planted;
use domain::procedure::ProcedureSet;
use jiff::civil::{Date, DateTime};
use rusqlite::{OptionalExtension as _, params};
use wire::messages::LentSlot;

impl Tx<'_> {
    /// Adds the slots of a lease, which come in one change; of a lease heard before it adds nothing.
    /// A slot that was given back comes again by another lease.
    ///
    /// # Errors
    /// The store fails.
    pub fn add_lease(&self, lease: LeaseId, slots: &[LentSlot]) -> Result<(), VaultFailure> {
        let heard = self
            .sql
            .prepare_cached("INSERT OR IGNORE INTO heard_lease (lease) VALUES (?1)")?
            .execute([lease.0])?;
        if heard == 0 && !planted::on("lease_pulled_twice") {
            return Ok(());
        }
        let mut statement = self.sql.prepare_cached(
            "INSERT INTO lease_slot (slot, lease, at, stratum, token, procedures, back) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (slot) DO UPDATE SET lease = excluded.lease, stratum = excluded.stratum, \
             procedures = excluded.procedures, token = excluded.token, back = excluded.back, \
             registration = NULL, released = 0 \
             WHERE released = 1 AND lease_slot.lease <> excluded.lease",
        )?;
        for (n, slot) in slots.iter().enumerate() {
            let free = || format!("UPDATE lease_slot SET registration = NULL WHERE slot = {}", slot.slot.0);
            self.planted("lease_pulled_twice", free)?;
            let wrong = if planted::on("token_of_the_neighbour") { slots.get(n + 1) } else { None };
            statement.execute(params![
                id(slot.slot)?,
                lease.0,
                slot.at.to_string(),
                slot.stratum.key(),
                wrong.unwrap_or(slot).token.0,
                slot.procedures.as_ref().map(|keys| keys.join(" ")),
                slot.back.map(|day| day.to_string())
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
            "SELECT slot, at, stratum, procedures FROM lease_slot \
             WHERE registration IS NULL AND released = 0 AND at >= ?1 ORDER BY at, slot",
        )?;
        let mut rows = statement.query([from.to_string()])?;
        let mut slots = Vec::new();
        while let Some(row) = rows.next()? {
            let (slot, at, stratum): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let procedures: Option<String> = row.get(3)?;
            let keys = procedures.map(|keys| keys.split(' ').map(str::to_owned).collect::<Vec<_>>());
            slots.push(FreeSlot {
                slot: SlotId(u64::try_from(slot).map_err(|_| VaultFailure::Stored("slot"))?),
                at: civil(&at)?,
                stratum: Some(Stratum::parse(&stratum).ok_or(VaultFailure::Stored("stratum"))?),
                serves: ProcedureSet::known(keys.as_deref()),
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
            "UPDATE lease_slot SET registration = ?2 \
             WHERE slot = ?1 AND registration IS NULL AND released = 0 RETURNING lease, token",
        )?;
        let taken = statement
            .query_row(params![id(slot)?, registration.0], |row| Ok((LeaseId(row.get(0)?), row.get(1)?)))
            .optional()?;
        let free = || format!("UPDATE lease_slot SET registration = NULL WHERE slot = {}", slot.0);
        self.planted("leased_slot_not_taken", free)?;
        self.planted("backstop_held_twice", || free() + " AND stratum = 'backstop'")?;
        Ok(taken)
    }

    /// Slots nobody has been given that go back on `today` or earlier.
    ///
    /// # Errors
    /// The store fails.
    pub fn due_back(&self, today: Date) -> Result<Vec<(LeaseId, SlotId)>, VaultFailure> {
        let all = || "UPDATE lease_slot SET registration = NULL WHERE stratum = 'backstop'".to_owned();
        self.planted("held_backstop_released", all)?;
        let mut statement = self.sql.prepare_cached(
            "SELECT lease, slot FROM lease_slot WHERE registration IS NULL AND released = 0 AND back <= ?1 \
             ORDER BY slot",
        )?;
        let mut rows = statement.query([today.to_string()])?;
        let mut slots = Vec::new();
        while let Some(row) = rows.next()? {
            let slot: i64 = row.get(1)?;
            let slot = u64::try_from(slot).map_err(|_| VaultFailure::Stored("slot"))?;
            slots.push((LeaseId(row.get(0)?), SlotId(slot)));
        }
        Ok(slots)
    }

    /// Is this slot of this lease still ours to give, and nobody's?
    ///
    /// # Errors
    /// The store fails.
    pub fn is_idle(&self, lease: LeaseId, slot: SlotId) -> Result<bool, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT 1 FROM lease_slot WHERE slot = ?1 AND lease = ?2 AND registration IS NULL AND released = 0",
        )?;
        Ok(statement.exists(params![id(slot)?, lease.0])?)
    }

    /// Marks a slot as given back: it is never given by this kiosk again under this lease.
    ///
    /// # Errors
    /// The store fails.
    pub fn mark_released(&self, slot: SlotId) -> Result<(), VaultFailure> {
        if planted::on("released_slot_given") {
            return Ok(());
        }
        self.sql
            .prepare_cached("UPDATE lease_slot SET released = 1 WHERE slot = ?1")?
            .execute([id(slot)?])?;
        Ok(())
    }

    /// Nothing of the lease is given any more. What was given stays given.
    ///
    /// # Errors
    /// The store fails.
    pub fn abandon_lease(&self) -> Result<(), VaultFailure> {
        if planted::on("abandoned_lease_drawn") {
            return Ok(());
        }
        self.sql
            .prepare_cached("UPDATE lease_slot SET released = 1 WHERE registration IS NULL")?
            .execute([])?;
        Ok(())
    }

    /// Does this slot of this lease still stand for this registration, and is it not given back?
    ///
    /// # Errors
    /// The store fails.
    pub fn is_held_for(
        &self,
        (lease, slot): (LeaseId, SlotId),
        registration: RegistrationId,
    ) -> Result<bool, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT 1 FROM lease_slot WHERE slot = ?1 AND lease = ?2 AND registration = ?3 AND released = 0",
        )?;
        Ok(statement.exists(params![id(slot)?, lease.0, registration.0])?)
    }

    /// How many slots of the lease have been given as dates.
    ///
    /// # Errors
    /// The store fails.
    pub fn given_slots(&self) -> Result<u32, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT count(*) FROM lease_slot WHERE registration IS NOT NULL AND stratum <> ?1",
        )?;
        Ok(statement.query_row([Stratum::Backstop.key()], |row| row.get(0))?)
    }
}

fn id(slot: SlotId) -> Result<i64, VaultFailure> {
    i64::try_from(slot.0).map_err(|_| VaultFailure::Stored("slot"))
}

fn civil(text: &str) -> Result<DateTime, VaultFailure> {
    text.parse().map_err(|_| VaultFailure::Stored("slot time"))
}
