//! Appointments that the préfecture means to annul, and those it has annulled: all of it central's
//! word, heard again whenever central has lost something.

use crate::{Tx, VaultFailure};
use domain::ids::{AnnulmentId, RegistrationId};
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{OptionalExtension as _, params};

/// A proposal that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annulment {
    pub id: AnnulmentId,
    /// The last day for the person's answer, as proposed.
    pub answer_by: Date,
    pub reasons: String,
    /// The day on the notice last printed.
    pub printed_until: Option<Date>,
    /// When the person had the notice in hand.
    pub told: Option<Timestamp>,
}

impl Tx<'_> {
    /// Keeps a proposal. One that is known keeps what was done about it, and stays decided.
    ///
    /// # Errors
    /// The store fails.
    pub fn propose_annulment(
        &self,
        id: RegistrationId,
        annulment: AnnulmentId,
        (answer_by, reasons): (Date, &str),
    ) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT INTO annulment (annulment, registration, state, answer_by, reasons) VALUES (?1, ?2, 'open', ?3, ?4) \
                 ON CONFLICT (annulment) DO UPDATE SET state = 'open', answer_by = excluded.answer_by, \
                 reasons = excluded.reasons WHERE state = 'stale'",
            )?
            .execute(params![annulment.0, id.0, answer_by.to_string(), reasons])?;
        Ok(())
    }

    /// The proposal about a registration, while it stands.
    ///
    /// # Errors
    /// The store fails.
    pub fn annulment(&self, id: RegistrationId) -> Result<Option<Annulment>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT annulment, answer_by, reasons, printed_until, told_s FROM annulment \
             WHERE registration = ?1 AND state = 'open' ORDER BY rowid DESC LIMIT 1",
        )?;
        type Row = ([u8; 16], String, String, Option<String>, Option<i64>);
        let row: Option<Row> = statement
            .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .optional()?;
        let day = |text: String| text.parse().map_err(|_| VaultFailure::Stored("annulment"));
        row.map(|(id, answer_by, reasons, printed_until, told)| {
            let told = told.map(Timestamp::from_second).transpose();
            Ok(Annulment {
                id: AnnulmentId(id),
                answer_by: day(answer_by)?,
                reasons,
                printed_until: printed_until.map(day).transpose()?,
                told: told.map_err(|_| VaultFailure::Stored("annulment"))?,
            })
        })
        .transpose()
    }

    /// Registrations whose person is still to be told, the one to answer first at the top.
    ///
    /// # Errors
    /// The store fails.
    pub fn annulments_to_tell(&self) -> Result<Vec<RegistrationId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT registration FROM annulment WHERE state = 'open' AND told_s IS NULL \
             AND NOT EXISTS (SELECT 1 FROM cancelled WHERE cancelled.registration = annulment.registration) \
             ORDER BY answer_by, registration",
        )?;
        let rows = statement.query_map([], |row| row.get(0).map(RegistrationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A notice with this day came out of the printer.
    ///
    /// # Errors
    /// The store fails.
    pub fn note_notice(&self, annulment: AnnulmentId, until: Date) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE annulment SET printed_until = ?2 WHERE annulment = ?1")?
            .execute(params![annulment.0, until.to_string()])?;
        Ok(())
    }

    /// The person has it in hand.
    ///
    /// # Errors
    /// The store fails.
    pub fn note_told(&self, annulment: AnnulmentId, at: Timestamp) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE annulment SET told_s = ?2 WHERE annulment = ?1")?
            .execute(params![annulment.0, at.as_second()])?;
        Ok(())
    }

    /// Is this one over, undone perhaps?
    ///
    /// # Errors
    /// The store fails.
    pub fn is_annulment_over(&self, annulment: AnnulmentId) -> Result<bool, VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT 1 FROM annulment WHERE annulment = ?1 AND state = 'over'")?;
        Ok(statement.exists([annulment.0])?)
    }

    /// Notes that the appointment is annulled; false when that is over already, told again.
    ///
    /// # Errors
    /// The store fails.
    pub fn annul(
        &self,
        id: RegistrationId,
        annulment: AnnulmentId,
        at: Timestamp,
    ) -> Result<bool, VaultFailure> {
        let noted = self
            .sql
            .prepare_cached(
                "INSERT INTO annulment (annulment, registration, state, answer_by, reasons) VALUES (?1, ?2, 'annulled', '', '') \
                 ON CONFLICT (annulment) DO UPDATE SET state = 'annulled', reasons = '' WHERE state <> 'over'",
            )?
            .execute(params![annulment.0, id.0])?;
        if noted == 0 {
            return Ok(false);
        }
        // Given up before, it stays so when the annulment is undone.
        let given_up = self.cancelled(id)?.is_some();
        self.cancel(id, at)?;
        self.sql
            .prepare_cached(
                "UPDATE cancelled SET annulled = max(annulled, ?2), coming_back = 0 WHERE registration = ?1",
            )?
            .execute(params![id.0, !given_up])?;
        Ok(true)
    }

    /// A proposal is over. What it had annulled waits for the date that follows, or was honoured all
    /// the same and waits for nothing; what its person had given up before is given up as it was.
    ///
    /// # Errors
    /// The store fails.
    pub fn end_annulment(
        &self,
        id: RegistrationId,
        annulment: AnnulmentId,
        date_follows: bool,
    ) -> Result<(), VaultFailure> {
        let mut was = self.sql.prepare_cached("SELECT state FROM annulment WHERE annulment = ?1")?;
        let was: Option<String> = was.query_row([annulment.0], |row| row.get(0)).optional()?;
        self.sql
            .prepare_cached("UPDATE annulment SET state = 'over', reasons = '' WHERE annulment = ?1")?
            .execute([annulment.0])?;
        if was.as_deref() == Some("annulled") {
            let then = match date_follows {
                true => "UPDATE cancelled SET annulled = 0, coming_back = 1 WHERE registration = ?1",
                false => "DELETE FROM cancelled WHERE registration = ?1 AND annulled = 1",
            };
            self.sql.prepare_cached(then)?.execute([id.0])?;
        }
        Ok(())
    }

    /// Central has lost something and is heard anew: what it does not say again does not stand.
    ///
    /// # Errors
    /// The store fails.
    pub fn hear_annulments_anew(&self) -> Result<(), VaultFailure> {
        self.sql.execute("UPDATE annulment SET state = 'stale' WHERE state IN ('open', 'annulled')", [])?;
        self.sql.execute("DELETE FROM cancelled WHERE annulled = 1", [])?;
        Ok(())
    }
}
