//! The measure of the harness: a table in plain SQLite, told to be kept as a kiosk's
//! registrations are. With `synchronous = NORMAL` SQLite does not wait for its log, so the
//! harness must catch it losing; with `FULL` it must not.

use super::said::{Paper, Said, Word};
use super::victim::{Synchronous, Victim};
use crate::programs::Failure;
use domain::ids::VisitId;
use rusqlite::{Connection, OptionalExtension as _};
use sim::simulation::Dice;
use std::path::Path;

pub const FILE: &str = "plain.db";
/// Log pages after which SQLite makes a checkpoint: several in one life.
const CHECKPOINT_PAGES: u32 = 60;
const DRAFT_BYTES: usize = 600;
const PAPER_BYTES: usize = 3_000;

/// Keeps `visits` rows, a draft first, and says so of each.
pub fn live(victim: &Victim, synchronous: Synchronous) -> Result<(), Failure> {
    let connection = Connection::open(victim.folder.join(FILE))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let how = match synchronous {
        Synchronous::Normal => "NORMAL",
        Synchronous::Full => "FULL",
    };
    connection.pragma_update(None, "synchronous", how)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.execute_batch("CREATE TABLE kept (visit BLOB PRIMARY KEY, seal TEXT, body BLOB) STRICT")?;
    Word::Made.say()?;
    let mut dice = Dice::new(victim.seed, 100);
    for n in 0..victim.visits {
        let visit = VisitId(u128::from(n).to_be_bytes());
        let seal = dice.below(u64::MAX).to_string();
        connection.execute(
            "INSERT INTO kept (visit, body) VALUES (?1, ?2)",
            (visit.0, vec![dice.below(256).to_le_bytes()[0]; DRAFT_BYTES]),
        )?;
        Word::Begun { visit }.say()?;
        connection.execute(
            "UPDATE kept SET seal = ?2, body = ?3 WHERE visit = ?1",
            (visit.0, &seal, vec![dice.below(256).to_le_bytes()[0]; PAPER_BYTES]),
        )?;
        let paper = Paper { code: "-".into(), slot: "-".into(), slot_at: "-".into(), seal };
        Word::Kept { visit, paper }.say()?;
    }
    std::mem::forget(connection);
    Ok(())
}

/// Everything said to be kept is there.
///
/// # Errors
/// What is missing, or why the file cannot be read.
pub fn look(folder: &Path, said: &Said) -> Result<(), String> {
    if !said.made {
        return Ok(());
    }
    let words = |error: rusqlite::Error| format!("plain SQLite does not open: {error}");
    let connection = Connection::open(folder.join(FILE)).map_err(words)?;
    let mut seal =
        connection.prepare("SELECT seal FROM kept WHERE visit = ?1 AND seal IS NOT NULL").map_err(words)?;
    for visit in &said.kept {
        let wanted = said.visits.get(visit).and_then(|promise| promise.kept.as_ref());
        let found: Option<String> = seal.query_row([visit.0], |row| row.get(0)).optional().map_err(words)?;
        if found.as_ref() != wanted.map(|paper| &paper.seal) {
            return Err("a kept registration is gone".to_owned());
        }
    }
    Ok(())
}
