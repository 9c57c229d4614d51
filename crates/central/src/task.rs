//! What the desk has to do, each with an owner (the site's desk) and a clock. Written in the
//! transaction of what makes it; answered by a named agent, once.

use crate::{Central, Refusal, calendar, dates};
use domain::calendar::{Closure, Holidays, working_day_after};
use domain::ids::{RegistrationId, SiteId};
use sqlx::{PgConnection, Row};

/// Working days to answer an escalation: a time limit is at stake.
const ESCALATION_DAYS: u16 = 2;
/// Working days to answer a request for an earlier date. The product's own clock, not a term of
/// law: silence is told to the person with the day it began.
const REQUEST_DAYS: u16 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Escalation,
    AdvanceRequest,
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Self::Escalation => "escalation",
            Self::AdvanceRequest => "advance_request",
        }
    }

    fn days(self) -> u16 {
        match self {
            Self::Escalation => ESCALATION_DAYS,
            Self::AdvanceRequest => REQUEST_DAYS,
        }
    }
}

/// Writes a task, unless one of its kind and reason is open for this registration.
pub(crate) async fn write(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    registration: RegistrationId,
    (kind, reason): (Kind, &str),
    made_s: i64,
) -> Result<(), Refusal> {
    let today = dates::today(&mut *db, central, site).await?;
    let row = sqlx::query("SELECT holidays FROM site WHERE id = $1")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    let holidays = Holidays::parse(row.try_get(0)?).ok_or(Refusal::Stored("holidays"))?;
    let closures: Vec<Closure> = calendar::closures(&mut *db, site).await?;
    let due = working_day_after(today, kind.days(), holidays, &closures);
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
