//! The journal as a file for whoever verifies it, and erasing bodies whose time is over. Writes
//! what the tables say, right or wrong: judging it is `jalonctl audit verify`'s.

use super::chain::header;
use super::witness::{checkpoint, signed};
use crate::Refusal;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::bytes::{Salt, Signature};
use domain::ids::KioskId;
use jiff::Timestamp;
use seal::audit::{Begin, End, Line, Stored, Witnessed};
use sqlx::{PgConnection, PgPool, Row};
use std::io::Write;

/// Entries read at once.
const AT_ONCE: i64 = 5_000;

/// Why the journal is not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportFailure {
    #[error("the database failed")]
    Database(#[from] Refusal),
    #[error("the file cannot be written")]
    Io(#[from] std::io::Error),
    /// Somebody has put something else into the table.
    #[error("entry {0} is not one")]
    Unreadable(i64),
}

impl From<sqlx::Error> for ExportFailure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Writes all of it, as it stood at one moment.
pub(crate) async fn export(
    pool: &PgPool,
    now: Timestamp,
    out: &mut (impl Write + Send),
) -> Result<End, ExportFailure> {
    let mut tx = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *tx).await?;
    put(out, &Line::Begin(Begin::now(now)))?;
    let mut end = End::default();
    witnesses(&mut tx, out, &mut end).await?;
    let mut after = 0_i64;
    loop {
        let rows = sqlx::query(
            "SELECT n, at_ms, prev, body_hash, salt, body FROM audit_entry WHERE n > $1 ORDER BY n LIMIT $2",
        )
        .bind(after)
        .bind(AT_ONCE)
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { break };
        for row in &rows {
            let unreadable = ExportFailure::Unreadable(row.try_get(0)?);
            let salt = Salt::from_slice(row.try_get(4)?);
            let (Ok(header), Some(salt)) = (header(row), salt) else { return Err(unreadable) };
            put(out, &Line::Entry(Stored { header, salt, body: row.try_get(5)? }))?;
            end.entries += 1;
        }
        after = last.try_get(0)?;
    }
    put(out, &Line::End(end))?;
    Ok(end)
}

/// Certificates of the kiosks that have signed, checkpoints, cosignatures.
async fn witnesses(db: &mut PgConnection, out: &mut impl Write, end: &mut End) -> Result<(), ExportFailure> {
    let rows = sqlx::query(
        "SELECT certificate FROM kiosk WHERE id IN (SELECT kiosk FROM audit_cosignature) ORDER BY id",
    )
    .fetch_all(&mut *db)
    .await?;
    for row in &rows {
        put(out, &Line::Certificate(STANDARD.encode(row.try_get::<&[u8], _>(0)?)))?;
    }
    let rows = sqlx::query("SELECT size, head, at_ms, key, signature FROM audit_checkpoint ORDER BY size")
        .fetch_all(&mut *db)
        .await?;
    for row in &rows {
        put(out, &Line::Checkpoint(signed(row)?))?;
        end.checkpoints += 1;
    }
    let rows =
        sqlx::query("SELECT size, head, at_ms, kiosk, signature FROM audit_cosignature ORDER BY size, kiosk")
            .fetch_all(db)
            .await?;
    for row in &rows {
        let unread = || Refusal::Stored("cosignature");
        put(
            out,
            &Line::Cosigned(Witnessed {
                checkpoint: checkpoint(row)?,
                kiosk: KioskId(row.try_get::<&[u8], _>(3)?.try_into().map_err(|_| unread())?),
                signature: Signature::from_slice(row.try_get(4)?).ok_or_else(unread)?,
            }),
        )?;
        end.cosignatures += 1;
    }
    Ok(())
}

fn put(out: &mut impl Write, line: &Line) -> Result<(), ExportFailure> {
    let mut text = serde_json::to_vec(line).map_err(std::io::Error::other)?;
    text.push(b'\n');
    Ok(out.write_all(&text)?)
}

/// Erases the bodies of entries chained before this moment; their headers stay. Answers how many.
pub(crate) async fn erase(db: &mut PgConnection, before: Timestamp) -> Result<u64, Refusal> {
    let done = sqlx::query(
        "UPDATE audit_entry SET body = '', salt = decode(repeat('00', 16), 'hex') WHERE at_ms < $1 AND body <> ''",
    )
    .bind(before.as_millisecond())
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
