//! Bugs the simulation must find, planted in the database (docs/planted.md).

pub(crate) use domain::planted::on;
use sqlx::{AssertSqlSafe, PgConnection};

/// Runs the statement that does what the bug does, where it is switched on: nowhere but in
/// tests.
#[inline(always)]
pub(crate) async fn sql(
    db: &mut PgConnection,
    name: &str,
    sql: impl FnOnce() -> String,
) -> Result<(), sqlx::Error> {
    if on(name) {
        sqlx::raw_sql(AssertSqlSafe(sql())).execute(db).await?;
    }
    Ok(())
}
