//! What a site keeps for near time limits, counted once on each of its days and kept as counted,
//! so that it can be told later why a date was given. The rule is `domain::reserve`'s.

use crate::calendar::Calendar;
use crate::{Central, Refusal};
use domain::ids::SiteId;
use domain::limit::{Right, TimeLimit};
use domain::party;
use domain::procedure::Procedure;
use domain::renewal::Renewal;
use domain::reserve::{self, Near, Open, Reserve, SEEN_DAYS, Seen};
use jiff::civil::Date;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// What the site keeps as counted on `today`, its own day. Counted now where nobody has yet.
pub(crate) async fn of(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    today: Date,
) -> Result<Reserve, Refusal> {
    // What left central before a restore is not known: each slot given is a new one.
    if central.extras_only() {
        return Ok(Reserve::none());
    }
    if let Some(counted) = counted(&mut *db, site, today).await? {
        return Ok(counted);
    }
    let reserve = count(&mut *db, central, site, today).await?;
    // Nobody waits for whoever else counts at this moment: they come to the same but for people of
    // other days whose records come in between.
    let row = sqlx::query("SELECT pg_try_advisory_xact_lock(hashtextextended('reserve ' || $1, 0))")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    if !row.try_get::<bool, _>(0)? {
        return Ok(reserve);
    }
    let body = serde_json::to_string(&reserve).map_err(|_| Refusal::Stored("reserve"))?;
    sqlx::query(
        "INSERT INTO reserve (site, day, body) VALUES ($1, $2::text::date, $3::text::jsonb) ON CONFLICT DO NOTHING",
    )
    .bind(site.as_str())
    .bind(today.to_string())
    .bind(body)
    .execute(&mut *db)
    .await?;
    // Another may have counted just before: everybody of the day goes by one count.
    Ok(counted(db, site, today).await?.unwrap_or(reserve))
}

/// What the site keeps as last counted, and on which of its days; none before the first.
pub(crate) async fn last(db: &mut PgConnection, site: &SiteId) -> Result<Option<(Date, Reserve)>, Refusal> {
    let row =
        sqlx::query("SELECT day::text, body::text FROM reserve WHERE site = $1 ORDER BY day DESC LIMIT 1")
            .bind(site.as_str())
            .fetch_optional(db)
            .await?;
    let Some(row) = row else { return Ok(None) };
    let day = row.try_get::<&str, _>(0)?.parse().map_err(|_| Refusal::Stored("date"))?;
    Ok(read(row.try_get(1)?).map(|reserve| (day, reserve)))
}

/// The calendar is another from now on: counted again when somebody next registers.
pub(crate) async fn forget(db: &mut PgConnection, site: &SiteId, today: Date) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM reserve WHERE site = $1 AND day >= $2::text::date")
        .bind(site.as_str())
        .bind(today.to_string())
        .execute(db)
        .await?;
    Ok(())
}

async fn counted(db: &mut PgConnection, site: &SiteId, today: Date) -> Result<Option<Reserve>, Refusal> {
    let row = sqlx::query("SELECT body::text FROM reserve WHERE site = $1 AND day = $2::text::date")
        .bind(site.as_str())
        .bind(today.to_string())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(read(row.try_get(0)?))
}

/// None for one written by a central of another version, perhaps: nobody goes without a date for it.
fn read(body: &str) -> Option<Reserve> {
    let read = serde_json::from_str(body);
    read.inspect_err(|cause| tracing::warn!(%cause, "a count of time limits cannot be read")).ok()
}

async fn count(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    today: Date,
) -> Result<Reserve, Refusal> {
    let since = central.now().as_second().saturating_sub(i64::from(SEEN_DAYS + 1) * DAY_S);
    let rows = sqlx::query(
        "SELECT count(*), procedure, registration.body ->> 'registered_on', \
                registration.body -> 'limit' ->> 'right', registration.body -> 'limit' ->> 'last_day', \
                registration.body ->> 'renewal', \
                max(CASE WHEN registration.body ? 'party' THEN slot.at - make_interval(days => $3) \
                         ELSE slot.at END)::date::text \
         FROM registration LEFT JOIN slot ON slot.registration = registration.id AND slot.lease IS NULL \
         WHERE registration.site = $1 AND registered_s >= $2 AND state = 'kept' AND cancelled_s IS NULL \
         GROUP BY 2, 3, 4, 5, 6",
    )
    .bind(site.as_str())
    .bind(since)
    .bind(party::WAIT_DAYS)
    .fetch_all(&mut *db)
    .await?;
    // One that cannot be read, an erased one for instance, holds nothing up.
    let seen: Vec<Seen> =
        rows.iter().map(seen).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let calendar = Calendar::read(db, site).await?;
    let counters: Vec<_> = calendar.counters.iter().map(|counter| &counter.calendar).collect();
    let open = Open::of(&calendar.rules, &counters, today, reserve::front(today, &seen));
    Ok(Reserve::observed(today, &seen, &open))
}

fn seen(row: &PgRow) -> Result<Option<Seen>, Refusal> {
    let day = |column: usize| -> Result<Option<Date>, Refusal> {
        let text: Option<&str> = row.try_get(column)?;
        Ok(text.and_then(|text| text.parse().ok()))
    };
    let (Some(procedure), Some(registered_on)) = (Procedure::parse(row.try_get(1)?), day(2)?) else {
        return Ok(None);
    };
    let right = row.try_get::<Option<&str>, _>(3)?.and_then(Right::parse);
    let limit = right.zip(day(4)?);
    let limit = limit.map(|(right, last_day)| TimeLimit { right, last_day, evidence: String::new() });
    let renewal: Option<&str> = row.try_get(5)?;
    let renewal: Option<Renewal> = renewal.and_then(|text| serde_json::from_str(text).ok());
    // A date that waits for the filing to open says nothing of the queue; of one that may have waited
    // for the others of a visit, what it would have been alone counts at the least.
    let opens = renewal.and_then(|renewal| renewal.opens(limit.as_ref()));
    let given = day(6)?.filter(|_| opens.is_none_or(|opens| opens <= registered_on));
    let limit = limit.map(|limit| Near { last_day: limit.last_day, soon: limit.right.is_due_soon() });
    let people = u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX);
    Ok(Some(Seen { people, procedure, registered_on, limit, given }))
}
