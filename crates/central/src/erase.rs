//! Erasing what is no longer kept of people, some time after their appointment: see
//! `docs/retention.md`. How long is the controller's to say; without its word nothing is
//! erased. Signed headers stay, so every kiosk's chain does, and so does that a slot was
//! somebody's.

use crate::{Central, Refusal, audit};
use domain::audit::Act;
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use sqlx::{Connection as _, PgPool, Row};
use std::time::Duration;

/// Fewest days after the appointment: kiosks keep theirs as long, and what a restored
/// central lost is sent again from there.
pub const LEAST_DAYS: u16 = 35;
/// Registrations erased in one transaction: nobody waits for more.
const AT_ONCE: i64 = 100;
/// How often a central that runs looks for what is due.
const EVERY: Duration = Duration::from_secs(6 * 3_600);

/// Erases every registration whose appointment was before this day, and papers brought with
/// such a date. Answers how many there were.
///
/// # Errors
/// The database fails; what was erased stays erased.
pub async fn before(pool: &PgPool, day: Date) -> Result<u64, Refusal> {
    let mut erased = 0;
    loop {
        let mut db = pool.acquire().await?;
        let mut tx = db.begin().await?;
        // Those with a record still to be applied wait for it.
        let rows = sqlx::query(
            "SELECT registration.id FROM registration LEFT JOIN slot ON slot.registration = registration.id \
             WHERE (slot.at < $1::text::date OR slot.id IS NULL \
                    AND greatest(to_timestamp(registration.cancelled_s)::date, registration.cancelled_at::date) < $1::text::date) \
             AND NOT EXISTS (SELECT 1 FROM offer WHERE offer.registration = registration.id AND offer.before >= $1::text::date) \
             AND NOT EXISTS (SELECT 1 FROM record \
             WHERE record.kiosk = registration.kiosk AND record.state = 'held') \
             ORDER BY slot.at LIMIT $2 FOR UPDATE OF registration SKIP LOCKED",
        )
        .bind(day.to_string())
        .bind(AT_ONCE)
        .fetch_all(&mut *tx)
        .await?;
        let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Vec<u8>>, _>>()?;
        for statement in [
            "UPDATE record SET body = '', salt = decode(repeat('00', 16), 'hex') WHERE registration = ANY ($1)",
            "DELETE FROM upload WHERE registration = ANY ($1)",
            "DELETE FROM piece_page WHERE registration = ANY ($1)",
            "DELETE FROM print WHERE registration = ANY ($1)",
            "DELETE FROM merge_link WHERE later = ANY ($1) OR earlier = ANY ($1)",
            // The desk's words on their way to a kiosk; the change keeps its place.
            "UPDATE change SET body = jsonb_set(change.body, '{answer}', '\"\"') FROM registration \
             WHERE registration.id = ANY ($1) AND change.kiosk = registration.kiosk \
             AND change.body ->> 'change' = 'answered' \
             AND change.body ->> 'registration' = encode(registration.id, 'hex')",
            "UPDATE change SET body = jsonb_set(change.body, '{reasons}', '\"\"') FROM registration \
             WHERE registration.id = ANY ($1) AND change.kiosk = registration.kiosk \
             AND change.body ->> 'change' = 'annulment_proposed' \
             AND change.body ->> 'registration' = encode(registration.id, 'hex')",
            "DELETE FROM annulment WHERE registration = ANY ($1)",
            "DELETE FROM word WHERE registration = ANY ($1)",
            "DELETE FROM asked_cancel WHERE registration = ANY ($1)",
            "DELETE FROM task WHERE registration = ANY ($1)",
            "DELETE FROM missed WHERE registration = ANY ($1)",
            "DELETE FROM arrival WHERE registration = ANY ($1)",
            "DELETE FROM correction WHERE registration = ANY ($1)",
            "DELETE FROM redate WHERE registration = ANY ($1)",
            "DELETE FROM late WHERE registration = ANY ($1)",
            "DELETE FROM escalation WHERE registration = ANY ($1)",
            "DELETE FROM offer WHERE registration = ANY ($1)",
            "DELETE FROM replaced_paper WHERE registration = ANY ($1)",
            "DELETE FROM paper WHERE registration = ANY ($1)",
            // Its day is over, and it stays taken.
            "UPDATE slot SET registration = NULL, withheld = true WHERE registration = ANY ($1)",
            "DELETE FROM registration WHERE id = ANY ($1)",
        ] {
            sqlx::query(statement).bind(&ids).execute(&mut *tx).await?;
        }
        audit::by_us_each(&mut tx, Act::Erased, &ids).await?;
        tx.commit().await?;
        let found = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        erased += found;
        if found < u64::try_from(AT_ONCE).unwrap_or(u64::MAX) {
            return Ok(erased + papers(pool, day).await?);
        }
    }
}

/// Papers of lost kiosks whose registration was never read back, with the records that
/// brought them.
async fn papers(pool: &PgPool, day: Date) -> Result<u64, Refusal> {
    let mut tx = pool.begin().await?;
    let rows = sqlx::query("DELETE FROM paper WHERE at < $1::text::date RETURNING registration")
        .bind(day.to_string())
        .fetch_all(&mut *tx)
        .await?;
    let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Vec<u8>>, _>>()?;
    sqlx::query(
        "UPDATE record SET body = '', salt = decode(repeat('00', 16), 'hex') WHERE registration = ANY ($1)",
    )
    .bind(&ids)
    .execute(&mut *tx)
    .await?;
    // Of registrations whose kiosk never sent them.
    sqlx::query("DELETE FROM arrival WHERE at < $1::text::date")
        .bind(day.to_string())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "DELETE FROM word WHERE state = 'waits' AND to_timestamp(said_s)::date < $1::text::date \
         AND NOT EXISTS (SELECT 1 FROM registration WHERE registration.id = word.registration)",
    )
    .bind(day.to_string())
    .execute(&mut *tx)
    .await?;
    audit::by_us_each(&mut tx, Act::Erased, &ids).await?;
    tx.commit().await?;
    Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
}

impl Central {
    /// Erases what is due now and every few hours from now on: what lies `days` after the
    /// appointment. Ends with the process.
    pub fn keep_for(&self, days: u16) {
        let central = self.clone();
        tokio::spawn(async move {
            loop {
                let today = TimeZone::UTC.to_datetime(central.now()).date();
                let day = today.saturating_sub(i32::from(days.max(LEAST_DAYS)).days());
                match before(&central.pool, day).await {
                    Ok(0) => {}
                    Ok(erased) => tracing::info!(erased, %day, "erased what was no longer to be kept"),
                    // It is due again next time.
                    Err(refusal) => tracing::error!(cause = ?refusal, "nothing could be erased"),
                }
                tokio::time::sleep(EVERY).await;
            }
        });
    }
}
