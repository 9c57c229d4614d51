//! Offers of an earlier date that stand, and appointments that were given up.

use crate::{Tx, VaultFailure};
use domain::bytes::Hash;
use domain::ids::{OfferId, RegistrationId};
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{OptionalExtension as _, params};
use wire::messages::Offered;

/// An appointment that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled {
    pub at: Timestamp,
    /// The person has asked for it back.
    pub returning: bool,
    /// By an agent's decision: the person cannot ask for it.
    pub annulled: bool,
}

impl Tx<'_> {
    /// Keeps an offer; a registration has one at a time.
    ///
    /// # Errors
    /// The store fails.
    pub fn put_offer(&self, id: RegistrationId, offer: &Offered) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT INTO offer (registration, offer, at, until) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (registration) DO UPDATE SET offer = excluded.offer, at = excluded.at, until = excluded.until",
            )?
            .execute(params![id.0, offer.offer.0, offer.at.to_string(), offer.until.to_string()])?;
        Ok(())
    }

    /// That offer is over; a newer one stands.
    ///
    /// # Errors
    /// The store fails.
    pub fn end_offer(&self, id: RegistrationId, offer: OfferId) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("DELETE FROM offer WHERE registration = ?1 AND offer = ?2")?
            .execute(params![id.0, offer.0])?;
        Ok(())
    }

    /// # Errors
    /// The store fails.
    pub fn offer(&self, id: RegistrationId) -> Result<Option<Offered>, VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT offer, at, until FROM offer WHERE registration = ?1")?;
        let row: Option<([u8; 16], String, String)> =
            statement.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        row.map(|(offer, at, until)| {
            Ok(Offered {
                offer: OfferId(offer),
                at: at.parse().map_err(|_| VaultFailure::Stored("offer"))?,
                until: until.parse().map_err(|_| VaultFailure::Stored("offer"))?,
            })
        })
        .transpose()
    }

    /// Registrations with an offer that may be answered on `today`, the one to be answered first
    /// at the top.
    ///
    /// # Errors
    /// The store fails.
    pub fn offers(&self, today: Date, most: u32) -> Result<Vec<RegistrationId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT registration FROM offer WHERE until >= ?1 ORDER BY until, at, registration LIMIT ?2",
        )?;
        let rows =
            statement.query_map(params![today.to_string(), most], |row| row.get(0).map(RegistrationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes that the person has given their appointment up.
    ///
    /// # Errors
    /// The store fails.
    pub fn cancel(&self, id: RegistrationId, at: Timestamp) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("INSERT OR IGNORE INTO cancelled (registration, at_s) VALUES (?1, ?2)")?
            .execute(params![id.0, at.as_second()])?;
        self.sql.prepare_cached("DELETE FROM offer WHERE registration = ?1")?.execute([id.0])?;
        self.end_asked(id)?;
        // Another lease may bring its slot again.
        self.sql
            .prepare_cached("UPDATE lease_slot SET released = 1 WHERE registration = ?1")?
            .execute([id.0])?;
        Ok(())
    }

    /// Did they ask for it back after `at`? Told of an ending again, the answer to it stands.
    ///
    /// # Errors
    /// The store fails.
    pub fn was_reinstated(&self, id: RegistrationId, at: Timestamp) -> Result<bool, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM record WHERE registration = ?1 AND kind = 'reinstatement' AND at_s >= ?2)",
        )?;
        Ok(statement.query_row(params![id.0, at.as_second()], |row| row.get(0))?)
    }

    /// They ask for it back: central gives the date.
    ///
    /// # Errors
    /// The store fails.
    pub fn ask_back(&self, id: RegistrationId) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE cancelled SET coming_back = 1 WHERE registration = ?1")?
            .execute([id.0])?;
        Ok(())
    }

    /// A return that central has set aside: what was cancelled stays so.
    ///
    /// # Errors
    /// The store fails.
    pub fn no_way_back(&self, seq: u64, hash: &Hash) -> Result<(), VaultFailure> {
        let seq = i64::try_from(seq).map_err(|_| VaultFailure::Stored("seq"))?;
        self.sql
            .prepare_cached(
                "UPDATE cancelled SET coming_back = 0 WHERE registration = (SELECT registration FROM record \
                 WHERE seq = ?1 AND hash = ?2 AND kind = 'reinstatement')",
            )?
            .execute(params![seq, hash.0])?;
        Ok(())
    }

    /// A cancellation of somebody who was received: there was nothing to give up.
    ///
    /// # Errors
    /// The store fails.
    pub fn nothing_given_up(&self, seq: u64, hash: &Hash) -> Result<(), VaultFailure> {
        let seq = i64::try_from(seq).map_err(|_| VaultFailure::Stored("seq"))?;
        self.sql
            .prepare_cached(
                "DELETE FROM cancelled WHERE registration = (SELECT registration FROM record \
                 WHERE seq = ?1 AND hash = ?2 AND kind = 'cancellation')",
            )?
            .execute(params![seq, hash.0])?;
        Ok(())
    }

    /// It is theirs again.
    ///
    /// # Errors
    /// The store fails.
    pub fn give_back(&self, id: RegistrationId) -> Result<(), VaultFailure> {
        self.sql.prepare_cached("DELETE FROM cancelled WHERE registration = ?1")?.execute([id.0])?;
        Ok(())
    }

    /// That the person gave their appointment up; none while they have not.
    ///
    /// # Errors
    /// The store fails.
    pub fn cancelled(&self, id: RegistrationId) -> Result<Option<Cancelled>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT at_s, coming_back, annulled OR EXISTS (SELECT 1 FROM annulment WHERE state = 'annulled' \
                                                           AND annulment.registration = cancelled.registration) \
             FROM cancelled WHERE registration = ?1",
        )?;
        let row: Option<(i64, bool, bool)> =
            statement.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        row.map(|(at, returning, annulled)| {
            let at = Timestamp::from_second(at).map_err(|_| VaultFailure::Stored("cancellation"))?;
            Ok(Cancelled { at, returning, annulled })
        })
        .transpose()
    }
}
