//! Who did not come on a day that is over: an agent says it, after looking, and takes it back. Nothing
//! is guessed from a kiosk that was not heard since, and no date is moved here: the central that runs does.

use super::{AdminRefusal, known_site, line, refused};
use crate::{audit, dates};
use domain::audit::{AGENT_MAX, Act, Who};
use domain::code::FollowUpCode;
use domain::ids::{KioskId, RegistrationId, SiteId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool, Row};
use std::collections::{BTreeMap, BTreeSet};

/// People listed at once; all of them are counted.
const LISTED: usize = 500;

/// What is asked of one day.
#[derive(Debug, Clone)]
pub struct NoShow {
    pub site: String,
    pub day: Date,
    /// Follow-up codes of people who came though no kiosk says so, marked as absent before or not.
    pub came: Vec<String>,
    /// Kiosks that may still hold arrivals, and are not waited for.
    pub although: Vec<String>,
    /// The agent who says it; none to look only.
    pub by: Option<String>,
}

/// Tells who is not known to have come, or, said by an agent, marks them.
///
/// # Errors
/// The site, a code or a kiosk is unknown, the day is not over, or a kiosk was not heard since.
pub async fn no_show(pool: &PgPool, ask: &NoShow, now: Timestamp) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, &ask.site).await?;
    let by = ask.by.as_deref().map(|name| line("the agent's name", name, AGENT_MAX)).transpose()?;
    let mut tx = pool.begin().await?;
    crate::calendar::change::lock(&mut tx, &site).await?;
    if ask.day >= dates::day(&mut tx, &site, now).await? {
        return Err(refused(format!("{} is not over; ask again the day after", ask.day)));
    }
    let silent = silent(&mut tx, site.as_str(), ask).await?;
    if !silent.is_empty() && by.is_some() {
        return Err(refused(format!(
            "not heard since {}, and may hold people who came: {}; connect them, or name each with --although KIOSK",
            ask.day,
            silent.join(", ")
        )));
    }
    let mut came = codes(&ask.came)?;
    let rows = sqlx::query(
        "SELECT registration.id, registration.code, registration.body ->> 'code', slot.id, \
                replace(left(slot.at::text, 16), ' ', 'T'), slot.at::text, \
                registration.body #>> '{applicant,contact,phone}', registration.body #>> '{applicant,contact,email}', \
                EXISTS (SELECT 1 FROM record WHERE record.registration = registration.id \
                        AND (kind = 'registration' OR kind = 'dated' AND EXISTS (SELECT 1 FROM print \
                             WHERE print.registration = registration.id AND print.state IN ('printed', 'said_printed') \
                             AND print.at_s >= floor(extract(epoch FROM (convert_from(record.body, 'UTF8')::jsonb ->> 'at')::timestamptz)))) \
                        AND slot.id = ('x' || left(encode(decode(coalesce(convert_from(record.body, 'UTF8')::jsonb #>> '{outcome,token}', \
                             convert_from(record.body, 'UTF8')::jsonb ->> 'token'), 'base64'), 'hex'), 16))::bit(64)::bigint) \
         FROM slot JOIN registration ON registration.id = slot.registration \
         WHERE slot.site = $1 AND slot.at::date = $2::text::date AND NOT slot.outside AND state = 'kept' AND cancelled_s IS NULL \
         AND NOT EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = registration.id AND arrival.at::date = slot.at::date) \
         AND NOT EXISTS (SELECT 1 FROM missed WHERE missed.registration = registration.id AND missed.at = slot.at) \
         ORDER BY slot.at, slot.id",
    )
    .bind(site.as_str())
    .bind(ask.day.to_string())
    .fetch_all(&mut *tx)
    .await?;
    let (mut absent, mut told, mut untold) = (0_usize, Vec::new(), 0_usize);
    for row in &rows {
        let id = RegistrationId(
            row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| refused("a stored id cannot be read"))?,
        );
        let at: &str = row.try_get(5)?;
        if came.remove(&row.try_get::<i64, _>(1)?).is_some() {
            if let Some(by) = &by {
                was_there(&mut tx, (&site, at), id, (by, now)).await?;
            }
            continue;
        }
        // A date that stands on no paper that is out: nobody was told of it, so nobody missed it.
        if !row.try_get::<bool, _>(8)? {
            untold += 1;
            continue;
        }
        absent += 1;
        if let Some(by) = &by {
            sqlx::query(
                "INSERT INTO missed (registration, at, site, slot, said_s, said_by) \
                 VALUES ($1, $2::text::timestamp, $3, $4, $5, $6)",
            )
            .bind(id.0.as_slice())
            .bind(at)
            .bind(site.as_str())
            .bind(row.try_get::<i64, _>(3)?)
            .bind(now.as_second())
            .bind(by)
            .execute(&mut *tx)
            .await?;
        }
        if told.len() < LISTED {
            told.push(json!({
                "code": row.try_get::<Option<String>, _>(2)?, "slot_at": row.try_get::<String, _>(4)?,
                "phone": row.try_get::<Option<String>, _>(6)?, "email": row.try_get::<Option<String>, _>(7)?,
            }));
        }
    }
    let taken_back = take_back(&mut tx, (&site, ask.day), &mut came, (by.as_deref(), now)).await?;
    if !came.is_empty() {
        let wrong: Vec<&str> = came.values().copied().collect();
        return Err(refused(format!(
            "--came {}: nobody who is still looked for on {}, or was marked as absent then; correct it",
            wrong.join(", --came "),
            ask.day
        )));
    }
    match by {
        Some(by) => audit::write(&mut tx, &Who::Agent(by), Act::NoShowSaid, Some(&site), absent).await?,
        None => audit::by_us(&mut tx, Act::NoShowsRead, Some(&site), absent).await?,
    }
    tx.commit().await?;
    Ok(json!({
        "day": ask.day, "said": ask.by.is_some(), "absent": absent, "came": ask.came.len(), "not_told": untold,
        "not_heard_since": silent, "people": told, "taken_back": taken_back,
    }))
}

/// Kiosks that may have noted somebody on that day and have not said so, but those named.
async fn silent(db: &mut PgConnection, site: &str, ask: &NoShow) -> Result<Vec<String>, AdminRefusal> {
    let mut named = BTreeSet::new();
    for text in &ask.although {
        let kiosk = KioskId::parse(text).ok_or_else(|| {
            refused(format!("{text} is no kiosk; central admin kiosks --site {site} lists them"))
        })?;
        named.insert(kiosk.to_string());
    }
    let row = sqlx::query("SELECT zone FROM site WHERE id = $1").bind(site).fetch_one(&mut *db).await?;
    let zone = TimeZone::get(row.try_get(0)?).map_err(|_| refused("the site's time zone cannot be read"))?;
    let second = |day: Date| {
        let moment = day.to_zoned(zone.clone()).map_err(|_| refused("that day is in no calendar"))?;
        Ok::<_, AdminRefusal>(moment.timestamp().as_second())
    };
    let (begins, ends) = (second(ask.day)?, second(ask.day.saturating_add(1.days()))?);
    let rows = sqlx::query(
        "SELECT encode(id, 'hex') FROM kiosk WHERE site = $1 AND enrolled_s < $3 \
         AND (heard_s IS NULL OR heard_s < $3) \
         AND (lost_s IS NULL OR lost_s >= $2) AND (retired_s IS NULL OR retired_s >= $2) ORDER BY enrolled_s, id",
    )
    .bind(site)
    .bind(begins)
    .bind(ends)
    .fetch_all(db)
    .await?;
    let all = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    Ok(all.into_iter().filter(|kiosk| !named.contains(kiosk)).collect())
}

/// Follow-up codes as the table has them, and as they were typed.
fn codes(said: &[String]) -> Result<BTreeMap<i64, &str>, AdminRefusal> {
    said.iter()
        .map(|text| {
            let code = FollowUpCode::parse(text);
            let bits = code.and_then(|code| i64::try_from(code.to_bits()).ok());
            bits.map(|bits| (bits, text.as_str()))
                .ok_or_else(|| refused(format!("{text} is no follow-up code; write it as on the paper")))
        })
        .collect()
}

/// Those of `came` who were marked as absent on the day: they are no more. Answers whom, and the date
/// each has since, which is somebody else's then.
async fn take_back(
    db: &mut PgConnection,
    (site, day): (&SiteId, Date),
    came: &mut BTreeMap<i64, &str>,
    (by, now): (Option<&str>, Timestamp),
) -> Result<Vec<Value>, AdminRefusal> {
    let rows = sqlx::query(
        "SELECT registration.id, registration.code, registration.body ->> 'code', missed.at::text, \
                replace(left(slot.at::text, 16), ' ', 'T') \
         FROM missed JOIN registration ON registration.id = missed.registration \
         LEFT JOIN slot ON slot.registration = registration.id AND slot.id <> missed.slot \
         WHERE missed.site = $1 AND missed.at::date = $2::text::date AND registration.code = ANY ($3) \
         ORDER BY missed.at, registration.id",
    )
    .bind(site.as_str())
    .bind(day.to_string())
    .bind(came.keys().copied().collect::<Vec<_>>())
    .fetch_all(&mut *db)
    .await?;
    let mut taken_back = Vec::new();
    for row in &rows {
        if came.remove(&row.try_get::<i64, _>(1)?).is_none() {
            continue;
        }
        let id = RegistrationId(
            row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| refused("a stored id cannot be read"))?,
        );
        if let Some(by) = by {
            was_there(&mut *db, (site, row.try_get(3)?), id, (by, now)).await?;
        }
        taken_back.push(json!({
            "code": row.try_get::<Option<String>, _>(2)?, "slot_at": row.try_get::<Option<String>, _>(4)?,
        }));
    }
    Ok(taken_back)
}

/// The agent says that they came. The central that runs does what follows from it.
async fn was_there(
    db: &mut PgConnection,
    (site, at): (&SiteId, &str),
    id: RegistrationId,
    (by, now): (&str, Timestamp),
) -> Result<(), AdminRefusal> {
    let new = sqlx::query(
        "INSERT INTO arrival (registration, at, site, kiosk, came_s, due) \
         VALUES ($1, $2::text::timestamp, $3, NULL, $4, true) ON CONFLICT DO NOTHING",
    )
    .bind(id.0.as_slice())
    .bind(at)
    .bind(site.as_str())
    .bind(now.as_second())
    .execute(&mut *db)
    .await?;
    if new.rows_affected() == 1 {
        audit::write(db, &Who::Agent(by.to_owned()), Act::CameSaid, Some(&id), 1).await?;
    }
    Ok(())
}
