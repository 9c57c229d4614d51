//! Far dates that were asked about and not answered: whom the desk may call. Silence loses nobody their
//! place, and nothing is written here.

use super::{AdminRefusal, known_site};
use crate::{audit, dates, reconfirm};
use domain::audit::Act;
use domain::reconfirm::FIRST_DAYS;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

/// People listed at once; all of them are counted.
const LISTED: usize = 500;

/// The people of a site whose far date is asked about and still to come, the soonest first.
///
/// # Errors
/// The site is unknown, or the database fails.
pub async fn unconfirmed(pool: &PgPool, site: &str, now: Timestamp) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    let today = dates::day(&mut tx, &site, now).await?;
    let (made, said) = (reconfirm::MADE, reconfirm::SAID);
    let all = format!(
        "SELECT {made}, slot.at::text, {said}, registration.body ->> 'code', \
                registration.body #>> '{{applicant,contact,phone}}', registration.body #>> '{{applicant,contact,email}}' \
         FROM slot JOIN registration ON registration.id = slot.registration \
         WHERE slot.site = $1 AND slot.at >= $2::text::date + 1 AND slot.at < $3::text::date + 1 \
         AND state = 'kept' AND cancelled_s IS NULL \
         AND NOT EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = registration.id) \
         ORDER BY slot.at, slot.id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(all))
        .bind(site.as_str())
        .bind(today.to_string())
        .bind(today.saturating_add(FIRST_DAYS.days()).to_string())
        .fetch_all(&mut *tx)
        .await?;
    let (mut confirmed, mut silent, mut told) = (0_usize, 0_usize, Vec::new());
    for row in &rows {
        let Some((asking, at)) = reconfirm::read(row)?.filter(|(asking, _)| asking.first <= today) else {
            continue;
        };
        if row.try_get(2)? {
            confirmed += 1;
            continue;
        }
        silent += 1;
        if told.len() < LISTED {
            told.push(json!({
                "code": row.try_get::<Option<String>, _>(3)?,
                "slot_at": at.strftime("%Y-%m-%dT%H:%M").to_string(), "asked_until": asking.last,
                "phone": row.try_get::<Option<String>, _>(4)?, "email": row.try_get::<Option<String>, _>(5)?,
            }));
        }
    }
    audit::by_us(&mut tx, Act::UnconfirmedRead, Some(&site), silent).await?;
    tx.commit().await?;
    Ok(json!({ "confirmed": confirmed, "not_confirmed": silent, "people": told }))
}
