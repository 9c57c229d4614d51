//! What central has seen of a kiosk in the last season: its people, the days its site was open, its
//! longest absence. Counted once on each of the site's days; what a lease is sized by.

use crate::calendar::Calendar;
use crate::device::Device;
use crate::{Central, Refusal};
use domain::lease::{COVER_DAYS, Seen};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use sqlx::{PgConnection, Row};

/// A season, in days.
pub(crate) const SEASON_DAYS: i32 = 90;
/// Seconds between two notes of when a kiosk asked: more often tells nothing of absences.
const NOTED_S: i64 = 3_600;
/// Seconds of silence from which it is an absence: a shorter one has no more open days than every
/// lease lasts for.
const AWAY_S: i64 = COVER_DAYS as i64 * 86_400;

/// Notes that a kiosk asks for its lease `today`, and the absence this ends: on which day it asked
/// before.
pub(crate) async fn asks(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    today: Date,
) -> Result<Option<Date>, Refusal> {
    let now = central.now().as_second();
    let row = sqlx::query("SELECT asked_s, asked_on::text FROM kiosk WHERE id = $1")
        .bind(device.kiosk.0.as_slice())
        .fetch_one(&mut *db)
        .await?;
    let asked: Option<i64> = row.try_get(0)?;
    let before: Option<&str> = row.try_get(1)?;
    let before = before.map(|day| day.parse().map_err(|_| Refusal::Stored("date"))).transpose()?;
    if before == Some(today) && asked.is_some_and(|asked| now.saturating_sub(asked) < NOTED_S) {
        return Ok(before);
    }
    sqlx::query("UPDATE kiosk SET asked_s = $2, asked_on = $3::text::date WHERE id = $1")
        .bind(device.kiosk.0.as_slice())
        .bind(now)
        .bind(today.to_string())
        .execute(&mut *db)
        .await?;
    if let Some(since) = asked.filter(|asked| now.saturating_sub(*asked) >= AWAY_S) {
        sqlx::query(
            "INSERT INTO absence (kiosk, began_s, ended_s) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(device.kiosk.0.as_slice())
        .bind(since)
        .bind(now)
        .execute(&mut *db)
        .await?;
        // Its next lease is to last for as long.
        sqlx::query("UPDATE kiosk SET seen_on = NULL WHERE id = $1")
            .bind(device.kiosk.0.as_slice())
            .execute(db)
            .await?;
    }
    Ok(before)
}

/// What has been seen of a kiosk until `today`, its site's own day: as counted earlier today, or now.
pub(crate) async fn of(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    today: Date,
) -> Result<Seen, Refusal> {
    let row = sqlx::query("SELECT seen::text FROM kiosk WHERE id = $1 AND seen_on = $2::text::date")
        .bind(device.kiosk.0.as_slice())
        .bind(today.to_string())
        .fetch_optional(&mut *db)
        .await?;
    // One that a central of another version wrote is counted again.
    let counted = match row {
        Some(row) => row.try_get::<Option<&str>, _>(0)?.and_then(|text| serde_json::from_str(text).ok()),
        None => None,
    };
    if let Some(counted) = counted {
        return Ok(counted);
    }
    let seen = count(&mut *db, central, device, today).await?;
    let body = serde_json::to_string(&seen).map_err(|_| Refusal::Stored("what was seen of a kiosk"))?;
    sqlx::query("UPDATE kiosk SET seen = $2::text::jsonb, seen_on = $3::text::date WHERE id = $1")
        .bind(device.kiosk.0.as_slice())
        .bind(body)
        .bind(today.to_string())
        .execute(db)
        .await?;
    Ok(seen)
}

async fn count(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    today: Date,
) -> Result<Seen, Refusal> {
    let calendar = Calendar::read(&mut *db, &device.site).await?;
    let zone = &calendar.rules.zone;
    let row = sqlx::query("SELECT enrolled_s FROM kiosk WHERE id = $1")
        .bind(device.kiosk.0.as_slice())
        .fetch_one(&mut *db)
        .await?;
    let enrolled = day_of(row.try_get(0)?, zone).unwrap_or(today);
    let begin = today.saturating_sub(SEASON_DAYS.days()).max(enrolled);
    let (since, until) = (second_of(begin, zone)?, second_of(today, zone)?);
    // Today is not over: it would count as a day of few people.
    let row = sqlx::query(
        // Those dated at another site of the département too: without a network they need this lease.
        "SELECT count(*) FROM registration WHERE kiosk = $1 AND registered_s >= $2 \
         AND registered_s < $3 AND state = 'kept'",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(since)
    .bind(until)
    .fetch_one(&mut *db)
    .await?;
    let people: i64 = row.try_get(0)?;
    let open = |first: Date, last: Date| {
        let days = first.series(1.day()).take_while(|day| *day <= last);
        days.filter(|day| calendar.is_open(*day)).count()
    };
    let yesterday = today.saturating_sub(1.day());
    let open_days = u32::try_from(open(begin, yesterday)).unwrap_or(u32::MAX);
    let rows = sqlx::query("SELECT began_s, ended_s FROM absence WHERE kiosk = $1 AND ended_s >= $2")
        .bind(device.kiosk.0.as_slice())
        .bind(central.now().as_second().saturating_sub(i64::from(SEASON_DAYS) * 86_400))
        .fetch_all(db)
        .await?;
    let mut longest = 0;
    for row in &rows {
        let began = day_of(row.try_get(0)?, zone);
        let ended = day_of(row.try_get(1)?, zone);
        if let (Some(began), Some(ended)) = (began, ended) {
            // A lease lasts for twenty open days at most: no longer absence is looked at.
            longest = longest.max(open(began.max(ended.saturating_sub(SEASON_DAYS.days())), ended));
        }
    }
    Ok(Seen {
        people: u32::try_from(people).unwrap_or(u32::MAX),
        open_days,
        longest_away: u16::try_from(longest).unwrap_or(u16::MAX),
    })
}

fn day_of(second: i64, zone: &TimeZone) -> Option<Date> {
    Some(Timestamp::from_second(second).ok()?.to_zoned(zone.clone()).date())
}

fn second_of(day: Date, zone: &TimeZone) -> Result<i64, Refusal> {
    let midnight = day.to_zoned(zone.clone()).map_err(|_| Refusal::Stored("time zone"))?;
    Ok(midnight.timestamp().as_second())
}
