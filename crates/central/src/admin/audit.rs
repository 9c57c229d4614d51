//! The audit journal, for whoever watches over central: chained and signed now, written to a
//! file, and old bodies erased.

use super::{AdminRefusal, new_file, refused};
use crate::audit::{self, ExportFailure};
use crate::{Central, Refusal};
use domain::audit::{Act, LEAST_DAYS};
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Chains what waits and signs how far the chain goes.
///
/// # Errors
/// The database fails.
pub async fn audit_seal(central: &Central) -> Result<Value, AdminRefusal> {
    let chained = central.chain_audit(true).await?;
    let mut db = central.pool.acquire().await?;
    let signed = audit::newest(&mut db).await?;
    Ok(json!({ "chained": chained, "checkpoint": signed }))
}

/// Writes the whole journal to `out`, its own export as the last entry. Leaves no file when it
/// fails: half a journal must not be taken for a whole one.
///
/// # Errors
/// The file is there already or cannot be written, the database fails, or a row of the journal
/// is none.
pub async fn audit_export(central: &Central, out: &Path) -> Result<Value, AdminRefusal> {
    let file = private(out)?;
    let done = written(central, file, &out.display().to_string()).await;
    if done.is_err() {
        let _ = std::fs::remove_file(out);
    }
    done
}

async fn written(central: &Central, file: File, shown: &str) -> Result<Value, AdminRefusal> {
    let io = |error| AdminRefusal::Io(shown.to_owned(), error);
    let mut file = BufWriter::new(file);
    {
        let mut db = central.pool.acquire().await?;
        audit::by_us(&mut db, Act::AuditExported, None, 1).await?;
    }
    central.chain_audit(true).await?;
    let end = audit::export(&central.pool, central.now(), &mut file).await.map_err(|failure| match failure {
        ExportFailure::Database(refusal) => refusal.into(),
        ExportFailure::Io(error) => io(error),
        ExportFailure::Unreadable(n) => refused(format!(
            "entry {n} of the audit journal cannot be read: somebody has changed the table; compare it with a backup"
        )),
    })?;
    let file = file.into_inner().map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)?;
    Ok(json!({ "file": shown, "entries": end.entries, "checkpoints": end.checkpoints,
        "cosignatures": end.cosignatures }))
}

/// It names agents: only its owner reads it.
fn private(out: &Path) -> Result<File, AdminRefusal> {
    use std::os::unix::fs::OpenOptionsExt as _;
    new_file(File::options().write(true).mode(0o600), out)
}

/// Erases the bodies of entries from before `day`; the chain stays whole.
///
/// # Errors
/// The day is younger than an entry is kept, or the database fails.
pub async fn audit_erase(central: &Central, day: Date, today: Date) -> Result<Value, AdminRefusal> {
    let latest = today.saturating_sub(LEAST_DAYS.days());
    if day > latest {
        return Err(refused(format!(
            "entries are kept for {LEAST_DAYS} days at least; give --before {latest} or earlier"
        )));
    }
    let before = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_err(|_| Refusal::Stored("day"))?;
    let mut tx = central.pool.begin().await?;
    let erased = audit::erase(&mut tx, before).await?;
    let count = usize::try_from(erased).unwrap_or(usize::MAX);
    audit::by_us(&mut tx, Act::AuditErased, Some(&day), count).await?;
    tx.commit().await?;
    // The checkpoint that follows shows that their time was over.
    central.chain_audit(true).await?;
    Ok(json!({ "erased": erased, "before": day.to_string() }))
}
