//! What people registered here said of their appointment, here or at other kiosks as central told, each
//! heard once; and what came by their own telephone or mail.

use crate::{Tx, VaultFailure};
use domain::ids::{RegistrationId, WordId};
use domain::own_channel::Channel;
use jiff::Timestamp;
use jiff::civil::DateTime;
use rusqlite::{OptionalExtension as _, params};
use wire::body::Said;
use wire::messages::CancelAsked;

impl Tx<'_> {
    /// Notes a word. False when it was heard before.
    ///
    /// # Errors
    /// The store fails.
    pub fn note_word(&self, said: &Said) -> Result<bool, VaultFailure> {
        let added = self
            .sql
            .prepare_cached(
                "INSERT OR IGNORE INTO word (word, registration, says, appointment, said_s) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                said.id.0,
                said.registration.0,
                said.says.key(),
                said.appointment.map(|at| at.to_string()),
                said.at.as_second()
            ])?;
        Ok(added == 1)
    }

    /// Was something else said of this place after `at`, here or elsewhere, of coming or not?
    ///
    /// # Errors
    /// The store fails.
    pub fn said_since(&self, id: RegistrationId, at: Timestamp) -> Result<bool, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM record WHERE registration = ?1 AND at_s > ?2 \
                            AND kind IN ('cancellation', 'reinstatement')) \
                 OR EXISTS (SELECT 1 FROM word WHERE registration = ?1 AND said_s > ?2)",
        )?;
        Ok(statement.query_row(params![id.0, at.as_second()], |row| row.get(0))?)
    }

    /// Is the last thing said of this place after `at` that they come?
    ///
    /// # Errors
    /// The store fails.
    pub fn comes_since(&self, id: RegistrationId, at: Timestamp) -> Result<bool, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM word AS come WHERE registration = ?1 AND says = 'come' AND said_s > ?2 \
             AND NOT EXISTS (SELECT 1 FROM word WHERE registration = ?1 AND says <> 'come' AND said_s > come.said_s) \
             AND NOT EXISTS (SELECT 1 FROM record WHERE registration = ?1 AND at_s > come.said_s \
                             AND kind IN ('cancellation', 'reinstatement')))",
        )?;
        Ok(statement.query_row(params![id.0, at.as_second()], |row| row.get(0))?)
    }

    /// The place is given up since `at`, whatever was said before.
    ///
    /// # Errors
    /// The store fails.
    pub fn cancel_since(&self, id: RegistrationId, at: Timestamp) -> Result<(), VaultFailure> {
        self.cancel(id, at)?;
        self.sql
            .prepare_cached("UPDATE cancelled SET at_s = ?2, coming_back = 0 WHERE registration = ?1")?
            .execute(params![id.0, at.as_second()])?;
        Ok(())
    }

    /// Keeps a request to cancel that central told.
    ///
    /// # Errors
    /// The store fails.
    pub fn put_asked(&self, id: RegistrationId, asked: &CancelAsked) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT OR IGNORE INTO asked_cancel (word, registration, channel, asked_s, due_s) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                asked.word.0,
                id.0,
                asked.channel.key(),
                asked.at.as_second(),
                asked.due.as_second()
            ])?;
        Ok(())
    }

    /// Nothing waits for this registration any more.
    ///
    /// # Errors
    /// The store fails.
    pub fn end_asked(&self, id: RegistrationId) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE asked_cancel SET over = 1 WHERE registration = ?1")?
            .execute([id.0])?;
        Ok(())
    }

    /// That request is over.
    ///
    /// # Errors
    /// The store fails.
    pub fn end_asked_one(&self, word: WordId) -> Result<(), VaultFailure> {
        self.sql.prepare_cached("UPDATE asked_cancel SET over = 1 WHERE word = ?1")?.execute([word.0])?;
        Ok(())
    }

    /// The request that waits for a registration.
    ///
    /// # Errors
    /// The store fails.
    pub fn asked(&self, id: RegistrationId) -> Result<Option<CancelAsked>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT word, channel, asked_s, due_s FROM asked_cancel WHERE registration = ?1 AND over = 0 \
             ORDER BY asked_s DESC LIMIT 1",
        )?;
        let row: Option<([u8; 16], String, i64, i64)> = statement
            .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let moment = |second| Timestamp::from_second(second).map_err(|_| VaultFailure::Stored("moment"));
        row.map(|(word, channel, asked, due)| {
            let channel = Channel::parse(&channel).ok_or(VaultFailure::Stored("channel"))?;
            Ok(CancelAsked { word: WordId(word), channel, at: moment(asked)?, due: moment(due)? })
        })
        .transpose()
    }

    /// Registrations with a request that waits, the first to be carried out at the top.
    ///
    /// # Errors
    /// The store fails.
    pub fn all_asked(&self, most: u32) -> Result<Vec<RegistrationId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT registration FROM asked_cancel WHERE over = 0 ORDER BY due_s, registration LIMIT ?1",
        )?;
        let rows = statement.query_map([most], |row| row.get(0).map(RegistrationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Did the person say that they will come, after the last request to cancel was made?
    ///
    /// # Errors
    /// The store fails.
    pub fn comes_all_the_same(&self, id: RegistrationId) -> Result<bool, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM word WHERE registration = ?1 AND says = 'come' AND said_s >= \
             (SELECT max(asked_s) FROM asked_cancel WHERE asked_cancel.registration = ?1))",
        )?;
        Ok(statement.query_row([id.0], |row| row.get(0))?)
    }

    /// Did the person say that they will come to this appointment?
    ///
    /// # Errors
    /// The store fails.
    pub fn said_coming(&self, id: RegistrationId, appointment: DateTime) -> Result<bool, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM word WHERE registration = ?1 AND says = 'come' AND appointment = ?2)",
        )?;
        Ok(statement.query_row(params![id.0, appointment.to_string()], |row| row.get(0))?)
    }
}
