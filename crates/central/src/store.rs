//! The database: connecting, migrating, telling one history from another.

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Row};
use std::str::FromStr;
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Most connections one central holds.
const CONNECTIONS: u32 = 10;
/// Longest a statement may run: a request waits no longer than this for the database.
const STATEMENT_MS: &str = "15000";

/// # Errors
/// The URL is not one, or the database does not answer in time.
pub async fn connect(url: &str) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("jalon-central")
        .options([("statement_timeout", STATEMENT_MS), ("idle_in_transaction_session_timeout", STATEMENT_MS)]);
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
}

/// Brings the schema up to date. Refuses a database from a newer version.
///
/// # Errors
/// A migration fails, or the database holds one this version does not know.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    MIGRATIONS.run(pool).await
}

/// The database's own identity and timeline: another cluster, or this one restored to
/// an earlier moment, has another.
pub(crate) async fn epoch(pool: &PgPool) -> Result<String, sqlx::Error> {
    let row = sqlx::query(
        "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()",
    )
    .fetch_one(pool)
    .await?;
    let (system, timeline): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
    Ok(format!("{system:x}-{timeline}"))
}
