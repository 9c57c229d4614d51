//! Erasing what is no longer needed of people. The signed headers stay, so the chain does.

use crate::{Tx, VaultFailure};
use domain::bytes::Salt;
use domain::ids::RegistrationId;
use jiff::{Timestamp, civil::Date};
use rusqlite::params;
use wire::record::Record;

impl Tx<'_> {
    /// Drafts begun before `before` that nobody has confirmed, with their pages.
    ///
    /// # Errors
    /// The store fails.
    pub fn erase_drafts(&self, before: Timestamp) -> Result<(), VaultFailure> {
        let before = before.as_second();
        self.sql
            .prepare_cached(
                "DELETE FROM page WHERE visit IN (SELECT id FROM visit WHERE state = 'draft' AND begun_s < ?1)",
            )?
            .execute([before])?;
        self.sql
            .prepare_cached("DELETE FROM visit WHERE state = 'draft' AND begun_s < ?1")?
            .execute([before])?;
        Ok(())
    }

    /// Registrations whose every record is durable and was written before `before`, whose
    /// appointment's day is over, and whose pages are all sent.
    ///
    /// # Errors
    /// The store fails.
    pub fn erasable(
        &self,
        durable: u64,
        before: Timestamp,
        today: Date,
        limit: usize,
    ) -> Result<Vec<RegistrationId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT paper.registration, paper.token, cancelled.at_s FROM paper \
             JOIN visit ON visit.registration = paper.registration \
             LEFT JOIN cancelled ON cancelled.registration = paper.registration \
             WHERE paper.issued_s < ?1 AND (paper.token IS NOT NULL OR cancelled.at_s IS NOT NULL) AND visit.state IN ('kept', 'finished') \
             AND coalesce(cancelled.coming_back, 0) = 0 \
             AND NOT EXISTS (SELECT 1 FROM record WHERE record.registration = paper.registration \
                             AND (record.seq > ?2 OR record.at_s >= ?1)) \
             AND NOT EXISTS (SELECT 1 FROM page WHERE page.visit = visit.id AND page.state <> 'sent') \
             ORDER BY paper.issued_s",
        )?;
        let durable = i64::try_from(durable).map_err(|_| VaultFailure::Stored("durable"))?;
        let mut rows = statement.query(params![before.as_second(), durable])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            let (token, cancelled): (Option<Vec<u8>>, Option<i64>) = (row.get(1)?, row.get(2)?);
            let over = match (cancelled, token) {
                // Somebody who gave their appointment up may come back for it that long.
                (Some(cancelled), _) => cancelled < before.as_second(),
                (None, Some(token)) => {
                    let signed = domain::token::SignedToken::from_bytes(&token)
                        .ok_or(VaultFailure::Stored("token"))?;
                    signed.token.at.date() < today
                }
                (None, None) => false,
            };
            if over {
                due.push(RegistrationId(row.get(0)?));
            }
            if due.len() == limit {
                break;
            }
        }
        Ok(due)
    }

    /// Everything of one registration but its records' signed headers.
    ///
    /// # Errors
    /// The store fails.
    pub fn erase(&self, id: RegistrationId) -> Result<(), VaultFailure> {
        let mut statement =
            self.sql.prepare_cached("SELECT seq, record FROM record WHERE registration = ?1")?;
        let mut rows = statement.query([id.0])?;
        let mut erased = Vec::new();
        while let Some(row) = rows.next()? {
            let (seq, text): (i64, String) = (row.get(0)?, row.get(1)?);
            let mut record: Record =
                serde_json::from_str(&text).map_err(|_| VaultFailure::Stored("record"))?;
            (record.salt, record.body) = (Salt([0; 16]), Vec::new().into());
            erased.push((seq, serde_json::to_string(&record).map_err(|_| VaultFailure::Stored("record"))?));
        }
        for (seq, text) in erased {
            self.sql
                .prepare_cached("UPDATE record SET record = ?2, registration = NULL WHERE seq = ?1")?
                .execute(params![seq, text])?;
        }
        for statement in [
            "DELETE FROM page WHERE visit IN (SELECT id FROM visit WHERE registration = ?1)",
            "DELETE FROM advance WHERE registration = ?1",
            "DELETE FROM offer WHERE registration = ?1",
            "DELETE FROM cancelled WHERE registration = ?1",
            "DELETE FROM correction WHERE registration = ?1",
            "DELETE FROM annulment WHERE registration = ?1",
            "DELETE FROM limit_letter WHERE registration = ?1",
            "DELETE FROM transfer WHERE registration = ?1",
            "DELETE FROM word WHERE registration = ?1",
            "DELETE FROM asked_cancel WHERE registration = ?1",
            "DELETE FROM attempt WHERE registration = ?1",
            "DELETE FROM lease_slot WHERE registration = ?1",
            "DELETE FROM paper WHERE registration = ?1",
            "DELETE FROM visit WHERE registration = ?1",
        ] {
            self.sql.prepare_cached(statement)?.execute([id.0])?;
        }
        Ok(())
    }
}
