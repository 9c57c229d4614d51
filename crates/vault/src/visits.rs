//! Visits: a draft that is never lost, then a kept date whose paper may still be due.

use crate::{Tx, VaultFailure};
use domain::ids::{RegistrationId, VisitId};
use rusqlite::{OptionalExtension as _, Row, params};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitState {
    Draft,
    /// Committed, and central may have been asked; the date is not kept yet.
    Asking,
    Kept,
    Finished,
}

impl VisitState {
    fn key(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Asking => "asking",
            Self::Kept => "kept",
            Self::Finished => "finished",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Asking, Self::Kept, Self::Finished].into_iter().find(|s| s.key() == text)
    }
}

#[derive(Debug, Clone)]
pub struct Visit {
    pub id: VisitId,
    pub mediator: String,
    /// The draft's fields as JSON, as the window sent them.
    pub fields: String,
    pub state: VisitState,
    pub registration: Option<RegistrationId>,
    /// The registration as JSON, fixed before central is asked.
    pub asked: Option<String>,
    /// The session's age identity, while the visit is open.
    pub identity: Option<String>,
    /// Unix seconds.
    pub begun_s: i64,
}

impl Tx<'_> {
    /// # Errors
    /// The store fails.
    pub fn begin_visit(
        &self,
        id: VisitId,
        mediator: &str,
        fields: &str,
        identity: &str,
        begun_s: i64,
    ) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT INTO visit (id, mediator, fields, state, identity, begun_s) VALUES (?1, ?2, ?3, 'draft', ?4, ?5)",
            )?
            .execute(params![id.0, mediator, fields, identity, begun_s])?;
        Ok(())
    }

    /// # Errors
    /// The store fails.
    pub fn visit(&self, id: VisitId) -> Result<Option<Visit>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, mediator, fields, state, registration, asked, identity, begun_s FROM visit WHERE id = ?1",
        )?;
        let mut rows = statement.query([id.0])?;
        rows.next()?.map(visit).transpose()
    }

    /// The visit of a registration.
    ///
    /// # Errors
    /// The store fails.
    pub fn visit_of(&self, id: RegistrationId) -> Result<Option<VisitId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached("SELECT id FROM visit WHERE registration = ?1")?;
        Ok(statement.query_row([id.0], |row| row.get(0).map(VisitId)).optional()?)
    }

    /// Visits that are not finished, latest first.
    ///
    /// # Errors
    /// The store fails.
    pub fn open_visits(&self, limit: u32) -> Result<Vec<Visit>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, mediator, fields, state, registration, asked, identity, begun_s FROM visit \
             WHERE state <> 'finished' ORDER BY begun_s DESC, id LIMIT ?1",
        )?;
        let mut rows = statement.query([limit])?;
        let mut visits = Vec::new();
        while let Some(row) = rows.next()? {
            visits.push(visit(row)?);
        }
        Ok(visits)
    }

    /// Keeps the fields of a draft. Answers false when it is no longer one.
    ///
    /// # Errors
    /// The store fails.
    pub fn save_fields(&self, id: VisitId, fields: &str) -> Result<bool, VaultFailure> {
        let changed = self
            .sql
            .prepare_cached("UPDATE visit SET fields = ?2 WHERE id = ?1 AND state = 'draft'")?
            .execute(params![id.0, fields])?;
        Ok(changed == 1)
    }

    /// Fixes what central is asked: from here on the draft does not change.
    ///
    /// # Errors
    /// The store fails.
    pub fn ask(&self, id: VisitId, registration: RegistrationId, asked: &str) -> Result<bool, VaultFailure> {
        self.planted("asked_drawn_anew", || {
            "UPDATE visit SET state = 'draft' WHERE state = 'asking'".to_owned()
        })?;
        let changed = self
            .sql
            .prepare_cached(
                "UPDATE visit SET state = 'asking', registration = ?2, asked = ?3 WHERE id = ?1 AND state = 'draft'",
            )?
            .execute(params![id.0, registration.0, asked])?;
        Ok(changed == 1)
    }

    /// # Errors
    /// The store fails.
    pub fn mark_visit_kept(&self, id: VisitId) -> Result<(), VaultFailure> {
        self.sql.prepare_cached("UPDATE visit SET state = 'kept' WHERE id = ?1")?.execute([id.0])?;
        Ok(())
    }

    /// Ends a visit and destroys what could still open its pages.
    ///
    /// # Errors
    /// The store fails.
    pub fn finish_visit(&self, id: VisitId) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "UPDATE visit SET state = 'finished', identity = NULL, fields = '{}', asked = NULL WHERE id = ?1",
            )?
            .execute([id.0])?;
        self.sql.prepare_cached("UPDATE page SET thumbnail = NULL WHERE visit = ?1")?.execute([id.0])?;
        Ok(())
    }

    /// Throws a draft away, pages too. Answers false when it is no longer a draft.
    ///
    /// # Errors
    /// The store fails.
    pub fn discard(&self, id: VisitId) -> Result<bool, VaultFailure> {
        let draft = self.visit(id)?.is_some_and(|visit| visit.state == VisitState::Draft);
        if draft {
            self.sql.prepare_cached("DELETE FROM page WHERE visit = ?1")?.execute([id.0])?;
            self.sql.prepare_cached("DELETE FROM visit WHERE id = ?1")?.execute([id.0])?;
        }
        Ok(draft)
    }
}

fn visit(row: &Row<'_>) -> Result<Visit, VaultFailure> {
    let state: String = row.get(3)?;
    let registration: Option<[u8; 16]> = row.get(4)?;
    Ok(Visit {
        id: VisitId(row.get(0)?),
        mediator: row.get(1)?,
        fields: row.get(2)?,
        state: VisitState::parse(&state).ok_or(VaultFailure::Stored("visit state"))?,
        registration: registration.map(RegistrationId),
        asked: row.get(5)?,
        identity: row.get(6)?,
        begun_s: row.get(7)?,
    })
}
