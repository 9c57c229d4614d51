//! Moving everybody whose date the calendar no longer has, seen before it is done; and whom the
//! desk calls afterwards. Moves no date by itself: the central that runs does.

use super::{AdminRefusal, Ask, known_site, refused};
use crate::calendar::change;
use crate::redate::Plan;
use crate::{audit, dates};
use domain::audit::Act;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::collections::BTreeMap;

/// Moved dates listed at once: those nobody has made a paper of first.
const LISTED: i64 = 500;

/// Gives everybody of a site whose open task says that the calendar no longer has their date
/// another one: see `domain::batch`. With a preview it tells how many, and does nothing.
///
/// # Errors
/// The site is unknown; what left central before a restore is not known; or there is somebody to
/// move and the preview's token is not given.
pub async fn redate(pool: &PgPool, site: &str, ask: &Ask) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    change::lock(&mut tx, &site).await?;
    let row = sqlx::query("SELECT broken FROM lease_log").fetch_one(&mut *tx).await?;
    if row.try_get::<bool, _>(0)? {
        return Err(refused(
            "what left central before it was restored is not known, so nobody is moved; \
             see central admin lease-log, then ask again",
        ));
    }
    let today = dates::day(&mut tx, &site, ask.now).await?;
    let plan = Plan::make(&mut tx, &site, today).await?;
    let token = plan.token(&site);
    let moves = plan.moves.len();
    if ask.preview {
        return Ok(told(&plan, ("token", json!(token))));
    }
    if moves > 0 && ask.token.as_deref() != Some(token.as_str()) {
        let why = if ask.token.is_some() { "not those of this token any more" } else { "not looked at yet" };
        return Err(refused(format!(
            "{moves} dates would be moved, and the moves are {why}; repeat with --preview, then with --token and \
             the token it answers"
        )));
    }
    plan.say(&mut tx, &site, ask.now).await?;
    audit::by_us(&mut tx, Act::RedatingSaid, Some(&site), moves).await?;
    tx.commit().await?;
    Ok(told(&plan, ("said", json!(moves))))
}

/// Numbers alone: no name and no code.
fn told(plan: &Plan, (key, value): (&str, Value)) -> Value {
    let (mut days, mut missed): (BTreeMap<Date, [u32; 2]>, u32) = Default::default();
    for (one, given) in &plan.moves {
        let kind = usize::from(one.registration.limit.is_none());
        if let Some(count) = days.entry(given.what.at.date()).or_default().get_mut(kind) {
            *count += 1;
        }
        missed += u32::from(given.late);
    }
    let days: Vec<Value> = days
        .into_iter()
        .map(|(day, [limited, ordinary])| {
            json!({ "day": day, "with_time_limit": limited, "ordinary": ordinary })
        })
        .collect();
    json!({
        "preview": key == "token", key: value, "outside": plan.moves.len() + plan.none.len(),
        "moved": plan.moves.len(), "limits_missed": missed, "without_a_date": plan.none.len(), "days": days,
    })
}

/// The dates of a site that were moved and are to come, the soonest first, and before them those
/// that wait. Whoever does not have the new
/// paper in hand is to be called: a kiosk makes it before anybody is there to take it.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn redated(pool: &PgPool, site: &str, now: Timestamp) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut db = pool.acquire().await?;
    let today = dates::day(&mut db, &site, now).await?;
    let row = sqlx::query(
        "SELECT count(*) FILTER (WHERE moved_s IS NULL), count(*) FILTER (WHERE moved_s IS NOT NULL), \
                count(*) FILTER (WHERE moved_s IS NOT NULL AND NOT EXISTS \
                (SELECT 1 FROM print WHERE print.registration = redate.registration \
                 AND print.state IN ('printed', 'said_printed') AND print.at_s >= redate.taken_s)) \
         FROM redate WHERE site = $1",
    )
    .bind(site.as_str())
    .fetch_one(&mut *db)
    .await?;
    // What waits has not left central: no date is told of it.
    let rows = sqlx::query(
        "SELECT registration.body ->> 'code', replace(left(before.at::text, 16), ' ', 'T'), \
                replace(left(slot.at::text, 16), ' ', 'T'), registration.after_limit, redate.moved_s, \
                EXISTS (SELECT 1 FROM print WHERE print.registration = redate.registration \
                        AND print.state IN ('printed', 'said_printed') AND print.at_s >= redate.taken_s) AS out, \
                registration.body #>> '{applicant,contact,phone}', registration.body #>> '{applicant,contact,email}', \
                encode(kiosk.id, 'hex'), kiosk.heard_s, kiosk.lost_s IS NOT NULL, kiosk.retired_s IS NOT NULL, redate.reason \
         FROM redate JOIN registration ON registration.id = redate.registration \
         JOIN slot ON slot.id = redate.slot AND slot.registration = redate.registration \
         JOIN slot AS before ON before.id = redate.before JOIN kiosk ON kiosk.id = registration.kiosk \
         WHERE redate.site = $1 AND redate.moved_s IS NOT NULL AND slot.at >= $2::text::timestamp \
         ORDER BY out, slot.at, slot.id LIMIT $3",
    )
    .bind(site.as_str())
    .bind(today.to_string())
    .bind(LISTED)
    .fetch_all(&mut *db)
    .await?;
    let moved = rows
        .iter()
        .map(|row| {
            let heard_s: Option<i64> = row.try_get(9)?;
            let kiosk = match (row.try_get(10)?, row.try_get(11)?) {
                (true, _) => "lost",
                (false, true) => "retired",
                (false, false) => "in_service",
            };
            Ok(json!({
                "code": row.try_get::<Option<String>, _>(0)?,
                "before": row.try_get::<String, _>(1)?,
                "slot_at": row.try_get::<String, _>(2)?,
                "reason": row.try_get::<String, _>(12)?,
                "after_limit": row.try_get::<bool, _>(3)?,
                "moved_s": row.try_get::<i64, _>(4)?,
                "call": !row.try_get::<bool, _>(5)?,
                "phone": row.try_get::<Option<String>, _>(6)?,
                "email": row.try_get::<Option<String>, _>(7)?,
                "kiosk": row.try_get::<String, _>(8)?,
                "kiosk_is": kiosk,
                "silent_s": heard_s.map(|heard| now.as_second().saturating_sub(heard).max(0)),
            }))
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    audit::by_us(&mut db, Act::RedatedRead, Some(&site), moved.len()).await?;
    Ok(json!({
        "waiting": row.try_get::<i64, _>(0)?, "moved": row.try_get::<i64, _>(1)?,
        "without_new_paper": row.try_get::<i64, _>(2)?, "redated": moved,
    }))
}
