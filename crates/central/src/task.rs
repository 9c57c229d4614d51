//! The desk's tasks, written in the transaction of what makes them. Their clock is
//! `domain::task`'s; an agent answers each once, see [`crate::admin`].

use crate::{Central, Refusal, calendar, dates};
use domain::calendar::Holidays;
use domain::ids::{RegistrationId, SiteId};
use domain::task::TaskKind;
use sqlx::{PgConnection, Row};

/// Writes a task, unless one of its kind and reason is open for this registration.
pub(crate) async fn write(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    registration: RegistrationId,
    (kind, reason): (TaskKind, &str),
    made_s: i64,
) -> Result<(), Refusal> {
    let today = dates::today(&mut *db, central, site).await?;
    let row = sqlx::query("SELECT holidays FROM site WHERE id = $1")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    let holidays = Holidays::parse(row.try_get(0)?).ok_or(Refusal::Stored("holidays"))?;
    let due = kind.due(today, holidays, &calendar::closures(&mut *db, site).await?);
    sqlx::query(
        "INSERT INTO task (site, kind, reason, registration, made_s, due) \
         VALUES ($1, $2, $3, $4, $5, $6::text::date) ON CONFLICT DO NOTHING",
    )
    .bind(site.as_str())
    .bind(kind.key())
    .bind(reason)
    .bind(registration.0.as_slice())
    .bind(made_s)
    .bind(due.to_string())
    .execute(db)
    .await?;
    Ok(())
}
