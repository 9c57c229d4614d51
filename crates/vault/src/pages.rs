//! Scanned pages. They come in locked and leave locked; the store never opens one.

use crate::{Tx, VaultFailure};
use domain::bytes::Hash;
use domain::ids::{PageId, RegistrationId, VisitId};
use rusqlite::{OptionalExtension as _, params};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageState {
    /// Of a draft; may still be removed.
    Draft,
    /// Listed in a piece record; waits to be sent.
    Kept,
    /// Central has it whole.
    Sent,
}

/// A page without its bytes.
#[derive(Debug, Clone)]
pub struct PageRow {
    pub id: PageId,
    pub number: u16,
    pub bytes: u64,
    pub sha256: Hash,
    pub thumbnail: Option<Vec<u8>>,
    pub state: PageState,
}

/// A page to send.
#[derive(Debug, Clone)]
pub struct LockedPage {
    pub id: PageId,
    pub registration: RegistrationId,
    pub sha256: Hash,
    pub locked: Vec<u8>,
}

impl Tx<'_> {
    /// Adds a page at the end of a visit's pages.
    ///
    /// # Errors
    /// The store fails.
    pub fn add_page(
        &self,
        id: PageId,
        visit: VisitId,
        locked: &[u8],
        sha256: Hash,
        thumbnail: &[u8],
    ) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached(
                "INSERT INTO page (id, visit, number, locked, sha256, thumbnail, state) VALUES \
                 (?1, ?2, (SELECT coalesce(max(number), 0) + 1 FROM page WHERE visit = ?2), ?3, ?4, ?5, 'draft')",
            )?
            .execute(params![id.0, visit.0, locked, sha256.0, thumbnail])?;
        Ok(())
    }

    /// # Errors
    /// The store fails.
    pub fn pages(&self, visit: VisitId) -> Result<Vec<PageRow>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, number, length(locked), sha256, thumbnail, state FROM page WHERE visit = ?1 ORDER BY number",
        )?;
        let mut rows = statement.query([visit.0])?;
        let mut pages = Vec::new();
        while let Some(row) = rows.next()? {
            let bytes: i64 = row.get(2)?;
            let state: String = row.get(5)?;
            pages.push(PageRow {
                id: PageId(row.get(0)?),
                number: row.get(1)?,
                bytes: u64::try_from(bytes).map_err(|_| VaultFailure::Stored("page"))?,
                sha256: Hash(row.get(3)?),
                thumbnail: row.get(4)?,
                state: match state.as_str() {
                    "draft" => PageState::Draft,
                    "kept" => PageState::Kept,
                    "sent" => PageState::Sent,
                    _ => return Err(VaultFailure::Stored("page state")),
                },
            });
        }
        Ok(pages)
    }

    /// Removes a page of a draft.
    ///
    /// # Errors
    /// The store fails.
    pub fn remove_page(&self, visit: VisitId, page: PageId) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("DELETE FROM page WHERE id = ?1 AND visit = ?2 AND state = 'draft'")?
            .execute(params![page.0, visit.0])?;
        Ok(())
    }

    /// The pages of this visit now belong to a kept registration.
    ///
    /// # Errors
    /// The store fails.
    pub fn keep_pages(&self, visit: VisitId) -> Result<(), VaultFailure> {
        self.sql
            .prepare_cached("UPDATE page SET state = 'kept' WHERE visit = ?1 AND state = 'draft'")?
            .execute([visit.0])?;
        Ok(())
    }

    /// The next page to send, oldest first, after those in `passed_over`.
    ///
    /// # Errors
    /// The store fails.
    pub fn next_page(&self, passed_over: &[PageId]) -> Result<Option<LockedPage>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT page.id, visit.registration, page.sha256 FROM page JOIN visit ON visit.id = page.visit \
             WHERE page.state = 'kept' AND visit.registration IS NOT NULL ORDER BY page.rowid",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = PageId(row.get(0)?);
            if passed_over.contains(&id) {
                continue;
            }
            let locked =
                self.sql.query_row("SELECT locked FROM page WHERE id = ?1", [id.0], |row| row.get(0))?;
            let page = LockedPage {
                id,
                registration: RegistrationId(row.get(1)?),
                sha256: Hash(row.get(2)?),
                locked,
            };
            return Ok(Some(page));
        }
        Ok(None)
    }

    /// The pages of kept registrations, oldest first: those central does not have whole, or
    /// every one that is still here.
    ///
    /// # Errors
    /// The store fails.
    pub fn kept_pages(&self, sent_too: bool) -> Result<Vec<PageId>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT page.id FROM page JOIN visit ON visit.id = page.visit \
             WHERE (page.state = 'kept' OR (?1 AND page.state = 'sent')) AND visit.registration IS NOT NULL \
             ORDER BY page.rowid",
        )?;
        let rows = statement.query_map([sent_too], |row| Ok(PageId(row.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One page of a kept registration; none when it has been erased.
    ///
    /// # Errors
    /// The store fails.
    pub fn kept_page(&self, id: PageId) -> Result<Option<LockedPage>, VaultFailure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT visit.registration, page.sha256, page.locked FROM page JOIN visit ON visit.id = page.visit \
             WHERE page.id = ?1 AND visit.registration IS NOT NULL",
        )?;
        let page = statement.query_row([id.0], |row| {
            Ok(LockedPage {
                id,
                registration: RegistrationId(row.get(0)?),
                sha256: Hash(row.get(1)?),
                locked: row.get(2)?,
            })
        });
        Ok(page.optional()?)
    }

    /// # Errors
    /// The store fails.
    pub fn mark_page_sent(&self, page: PageId) -> Result<(), VaultFailure> {
        self.sql.prepare_cached("UPDATE page SET state = 'sent' WHERE id = ?1")?.execute([page.0])?;
        Ok(())
    }

    /// Every page is offered to central again; what it has whole it says so.
    ///
    /// # Errors
    /// The store fails.
    pub fn send_pages_again(&self) -> Result<(), VaultFailure> {
        self.sql.prepare_cached("UPDATE page SET state = 'kept' WHERE state = 'sent'")?.execute([])?;
        Ok(())
    }

    /// Pages that central does not have whole yet.
    ///
    /// # Errors
    /// The store fails.
    pub fn unsent_pages(&self) -> Result<u32, VaultFailure> {
        let mut statement = self.sql.prepare_cached("SELECT count(*) FROM page WHERE state = 'kept'")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}
