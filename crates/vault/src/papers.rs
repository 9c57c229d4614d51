//! What a paper is made from, kept so that a reprint carries the same seal.

use crate::{Tx, VaultFailure};
use domain::code::FollowUpCode;
use domain::ids::RegistrationId;
use domain::reconfirm::{Asking, asking};
use domain::token::SignedToken;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rusqlite::{OptionalExtension as _, params};
use wire::body::Registered;
use wire::messages::Transferred;

#[derive(Debug, Clone)]
pub struct Paper {
    pub registered: Registered,
    /// The signed slot token of the date now printed; none on a ranked receipt.
    pub token: Option<Vec<u8>>,
    pub door: Vec<u8>,
    pub rebuild: Vec<u8>,
    pub issued_at: Timestamp,
    /// What central told last of the paper the registration follows. It stands on the page, not in
    /// what is kept with the paper.
    pub transfer: Option<Transferred>,
}

impl Paper {
    /// The far date on a convocation, and the days on which it is asked about.
    #[must_use]
    pub fn asking(&self) -> Option<(DateTime, Asking)> {
        let at = self.token.as_deref().and_then(SignedToken::from_bytes)?.token.at;
        asking(self.issued_at, at).map(|asking| (at, asking))
    }
}

impl Tx<'_> {
    /// Keeps a paper, or another in its place: a receipt whose date came, or what was declared since.
    ///
    /// # Errors
    /// The store fails.
    pub fn keep_paper(&self, paper: &Paper) -> Result<(), VaultFailure> {
        let registration = &paper.registered.registration;
        let text =
            serde_json::to_string(&paper.registered).map_err(|_| VaultFailure::Stored("registration"))?;
        let far = paper.asking();
        self.sql
            .prepare_cached(
                "INSERT INTO paper (registration, code, registered, token, door, rebuild, issued_s, far_at, ask_first, ask_last) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (registration) DO UPDATE SET \
                 registered = excluded.registered, token = excluded.token, door = excluded.door, rebuild = excluded.rebuild, issued_s = excluded.issued_s, \
                 far_at = excluded.far_at, ask_first = excluded.ask_first, ask_last = excluded.ask_last",
            )?
            .execute(params![
                registration.id.0,
                code(registration.code)?,
                text,
                paper.token,
                paper.door,
                paper.rebuild,
                paper.issued_at.as_second(),
                far.map(|(at, _)| at.to_string()),
                far.map(|(_, asking)| asking.first.to_string()),
                far.map(|(_, asking)| asking.last.to_string())
            ])?;
        Ok(())
    }

    /// Registrations whose far date is asked about on `today` and not confirmed, the soonest first.
    ///
    /// # Errors
    /// The store fails.
    pub fn to_confirm(&self, today: Date, most: u32) -> Result<Vec<RegistrationId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT registration FROM paper WHERE ask_last >= ?1 AND ask_first <= ?1 \
             AND NOT EXISTS (SELECT 1 FROM cancelled WHERE cancelled.registration = paper.registration) \
             AND NOT EXISTS (SELECT 1 FROM word WHERE word.registration = paper.registration AND says = 'come' AND appointment = far_at) \
             ORDER BY ask_last, code LIMIT ?2",
        )?;
        let rows =
            statement.query_map(params![today.to_string(), most], |row| row.get(0).map(RegistrationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// # Errors
    /// The store fails.
    pub fn paper(&self, id: RegistrationId) -> Result<Option<Paper>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT registered, token, door, rebuild, issued_s FROM paper WHERE registration = ?1",
        )?;
        let mut rows = statement.query([id.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let registered: String = row.get(0)?;
        Ok(Some(Paper {
            registered: serde_json::from_str(&registered)
                .map_err(|_| VaultFailure::Stored("registration"))?,
            token: row.get(1)?,
            door: row.get(2)?,
            rebuild: row.get(3)?,
            issued_at: Timestamp::from_second(row.get(4)?).map_err(|_| VaultFailure::Stored("time"))?,
            transfer: self.transfer(id)?.map(|followed| followed.told),
        }))
    }

    /// The paper that bears this follow-up code.
    ///
    /// # Errors
    /// The store fails.
    pub fn paper_by_code(&self, code: FollowUpCode) -> Result<Option<Paper>, VaultFailure> {
        let mut statement = self.sql.prepare_cached("SELECT registration FROM paper WHERE code = ?1")?;
        let id = statement.query_row([self::code(code)?], |row| row.get(0)).optional()?;
        match id {
            Some(id) => self.paper(RegistrationId(id)),
            None => Ok(None),
        }
    }

    /// Registrations with a paper that came out before the one kept now, which did not; the newest first.
    /// None of an appointment that was given up.
    ///
    /// # Errors
    /// The store fails.
    pub fn replaced_papers(&self, most: u32) -> Result<Vec<RegistrationId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT registration FROM paper \
             WHERE EXISTS (SELECT 1 FROM attempt WHERE attempt.registration = paper.registration \
                           AND state = 'printed' AND at_s < issued_s) \
             AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.registration = paper.registration \
                             AND state = 'printed' AND at_s >= issued_s) \
             AND NOT EXISTS (SELECT 1 FROM cancelled WHERE cancelled.registration = paper.registration) \
             ORDER BY issued_s DESC, code LIMIT ?1",
        )?;
        let rows = statement.query_map([most], |row| row.get(0).map(RegistrationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Registrations of every kept paper, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub fn papers(&self) -> Result<Vec<RegistrationId>, VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT registration FROM paper ORDER BY issued_s, code")?;
        let rows = statement.query_map([], |row| row.get(0).map(RegistrationId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn code(code: FollowUpCode) -> Result<i64, VaultFailure> {
    i64::try_from(code.to_bits()).map_err(|_| VaultFailure::Stored("code"))
}
