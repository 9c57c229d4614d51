//! The database: connecting, migrating, telling one history from another.

use crate::Refusal;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool, Row};
use std::str::FromStr;
use std::time::Duration;

/// Most connections one central holds.
const CONNECTIONS: u32 = 10;
/// Pushes of records worked on at once: kiosks that come back together wait for each other, and
/// leave connections and processors to whoever asks for a date at a counter. With four, fewer
/// records went through and dates waited twice as long (docs/results.md).
pub(crate) const PUSHES_AT_ONCE: usize = 2;
/// Longest anybody waits for a connection, or a push for its turn.
pub(crate) const WAIT: Duration = Duration::from_secs(10);
/// Longest a statement may run: a request waits no longer than this for the database. A
/// commit that waits for its standby is not ended by it (PostgreSQL puts the limit away first).
const STATEMENT_MS: &str = "15000";

/// # Errors
/// The URL is not one, or the database does not answer in time.
pub async fn connect(url: &str) -> Result<PgPool, sqlx::Error> {
    connect_with(url, CONNECTIONS).await
}

/// Like [`connect`], with at most `connections` at once.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(url: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("jalon-central").options([
        ("statement_timeout", STATEMENT_MS),
        ("idle_in_transaction_session_timeout", STATEMENT_MS),
    ]);
    PgPoolOptions::new().max_connections(connections).acquire_timeout(WAIT).connect_with(options).await
}

/// One migration a file, applied in order, never edited once merged.
const MIGRATIONS: [&str; 38] = [
    include_str!("../migrations/0001_sites.sql"),
    include_str!("../migrations/0002_slots.sql"),
    include_str!("../migrations/0003_journal.sql"),
    include_str!("../migrations/0004_pieces.sql"),
    include_str!("../migrations/0005_slot_ids.sql"),
    include_str!("../migrations/0006_chains.sql"),
    include_str!("../migrations/0007_lease_log.sql"),
    include_str!("../migrations/0008_lost.sql"),
    include_str!("../migrations/0009_papers.sql"),
    include_str!("../migrations/0010_heard.sql"),
    include_str!("../migrations/0011_durable.sql"),
    include_str!("../migrations/0012_deliveries.sql"),
    include_str!("../migrations/0014_lists.sql"),
    include_str!("../migrations/0015_erase.sql"),
    include_str!("../migrations/0016_tasks.sql"),
    include_str!("../migrations/0017_audit.sql"),
    include_str!("../migrations/0019_supervisors.sql"),
    include_str!("../migrations/0018_calendar.sql"),
    include_str!("../migrations/0021_redate.sql"),
    include_str!("../migrations/0022_offers.sql"),
    include_str!("../migrations/0023_lease_log_back.sql"),
    include_str!("../migrations/0024_reserve.sql"),
    include_str!("../migrations/0025_sized_leases.sql"),
    include_str!("../migrations/0026_limit_later.sql"),
    include_str!("../migrations/0027_busy.sql"),
    include_str!("../migrations/0028_presence.sql"),
    include_str!("../migrations/0030_corrections.sql"),
    include_str!("../migrations/0031_annulment.sql"),
    include_str!("../migrations/0032_party.sql"),
    include_str!("../migrations/0036_departments.sql"),
    include_str!("../migrations/0033_transfer.sql"),
    include_str!("../migrations/0034_words.sql"),
    include_str!("../migrations/0035_own_channel.sql"),
    include_str!("../migrations/0037_line_of_moves.sql"),
    include_str!("../migrations/0038_words_in_order.sql"),
    include_str!("../migrations/0039_desk.sql"),
    include_str!("../migrations/0040_arrivals_said.sql"),
    include_str!("../migrations/0041_late.sql"),
];

/// Why a schema is not brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateFailure {
    #[error("the database was migrated by a newer version (schema {0})")]
    Newer(i32),
    #[error("the database has not been migrated to this version (schema {0})")]
    Older(i32),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Brings the schema up to date, all of it or nothing. Two centrals starting at once
/// wait for each other; a database from a newer version is refused.
///
/// # Errors
/// See [`MigrateFailure`].
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateFailure> {
    let mut tx = pool.begin().await?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL); \
         LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE; \
         INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version);",
    )
    .execute(&mut *tx)
    .await?;
    let row = sqlx::query("SELECT version FROM schema_version").fetch_one(&mut *tx).await?;
    let version: i32 = row.try_get(0)?;
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    if version > known {
        return Err(MigrateFailure::Newer(version));
    }
    for migration in MIGRATIONS.into_iter().skip(usize::try_from(version).unwrap_or(0)) {
        sqlx::raw_sql(migration).execute(&mut *tx).await?;
    }
    sqlx::query("UPDATE schema_version SET version = $1").bind(known).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Does the database have the schema this version works with? Changes nothing. A newer one
/// passes: it is migrated before the last older central is replaced.
///
/// # Errors
/// [`MigrateFailure::Older`], 0 when it was never migrated, or the database fails.
pub async fn check_schema(pool: &PgPool) -> Result<(), MigrateFailure> {
    let row = sqlx::query("SELECT to_regclass('schema_version') IS NOT NULL").fetch_one(pool).await?;
    if !row.try_get::<bool, _>(0)? {
        return Err(MigrateFailure::Older(0));
    }
    let row = sqlx::query("SELECT version FROM schema_version").fetch_one(pool).await?;
    let version: i32 = row.try_get(0)?;
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    if version < known { Err(MigrateFailure::Older(version)) } else { Ok(()) }
}

/// The database's own identity and timeline: another cluster, this one restored to an earlier
/// moment, or a standby that took over, has another. Read by the transaction that answers: the
/// server may change under a running central. The timeline is that of the log, not of the
/// control file, which names a new one only after its first checkpoint, minutes later. A server
/// that is a standby refuses.
pub(crate) async fn epoch(db: &mut PgConnection) -> Result<String, Refusal> {
    let row = sqlx::query(
        "SELECT system_identifier, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) FROM pg_control_system()",
    )
    .fetch_one(db)
    .await?;
    let (system, timeline): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
    let timeline = u32::from_str_radix(timeline, 16).map_err(|_| Refusal::Stored("timeline"))?;
    Ok(format!("{system:x}-{timeline}"))
}
