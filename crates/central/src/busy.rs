//! Hours with more registrations than a kiosk or a mediator makes. Central counts for itself,
//! whatever the kiosk says; the desk has a task for the hour, and the dates of those beyond it wait
//! until it was answered or its time is over. Refuses nobody, and takes back nothing that stands on
//! a paper.

use crate::device::Device;
use crate::each_site::{Due, each_row};
use crate::journal::ranked;
use crate::{Central, Refusal, changes, claim, dates, sites, task};
use domain::busy::{self, Busy, PerHour};
use domain::bytes::PublicKey;
use domain::ids::{KioskId, SiteId};
use domain::registration::Registration;
use domain::task::TaskKind;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, Row};
use wire::body::{Body, Outcome, Registered, SCHEMA};
use wire::messages::Change;

/// Is the hour of this registration full without it? It is one central has written already.
pub(crate) async fn of(
    db: &mut PgConnection,
    device: &Device,
    registration: &Registration,
) -> Result<Option<Busy>, Refusal> {
    let at = registration.registered_at;
    let limits = limits(&mut *db, &device.site).await?;
    // The newest of the hour, as many as fill a kiosk's: more would say nothing more.
    let rows = sqlx::query(
        "SELECT registered_s, body ->> 'mediator' FROM registration \
         WHERE kiosk = $1 AND registered_s > $2 AND registered_s <= $3 AND id <> $4 \
         ORDER BY registered_s DESC LIMIT $5",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(busy::since(at).as_second())
    .bind(at.as_second())
    .bind(registration.id.0.as_slice())
    .bind(i64::from(limits.kiosk))
    .fetch_all(db)
    .await?;
    let before = rows
        .iter()
        .map(|row| {
            let at = Timestamp::from_second(row.try_get(0)?).map_err(|_| Refusal::Stored("moment"))?;
            Ok((at, row.try_get::<Option<&str>, _>(1)?.unwrap_or_default()))
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    // Ranks are to the second, and so is the hour.
    let at = Timestamp::from_second(at.as_second()).map_err(|_| Refusal::BadBody)?;
    Ok(limits.busy(before, (at, registration.mediator.as_str())))
}

/// Of these registrations of one kiosk, which central has written, may one be of a full hour? True
/// where it cannot be told at a glance.
pub(crate) async fn may_be(
    db: &mut PgConnection,
    device: &Device,
    registrations: &[&Registration],
) -> Result<bool, Refusal> {
    let (Some(first), Some(last)) = (
        registrations.iter().map(|one| one.registered_at).min(),
        registrations.iter().map(|one| one.registered_at).max(),
    ) else {
        return Ok(false);
    };
    let full = usize::from(limits(&mut *db, &device.site).await?.least());
    let most = registrations.len() + full;
    let rows = sqlx::query(
        "SELECT registered_s FROM registration WHERE kiosk = $1 AND registered_s > $2 AND registered_s <= $3 \
         ORDER BY registered_s LIMIT $4",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(busy::since(first).as_second())
    .bind(last.as_second())
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(db)
    .await?;
    if rows.len() == most {
        return Ok(true);
    }
    let seconds = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    let hour = last.as_second().saturating_sub(busy::since(last).as_second());
    Ok(seconds.iter().zip(seconds.iter().skip(full)).any(|(first, last)| last - first < hour))
}

/// A time limit does not wait: it is looked at by a task of its own.
pub(crate) fn may_wait(registration: &Registration) -> bool {
    registration.limit.is_none()
}

/// The desk hears of the hour, once. Answers the task, while it is to be waited for.
pub(crate) async fn tell(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
    busy: Busy,
) -> Result<Option<i64>, Refusal> {
    let at = registration.registered_at;
    let today = dates::today(&mut *db, central, &device.site).await?;
    let known = sqlx::query(
        "SELECT task.id, task.answer IS NULL AND task.due >= $5::text::date FROM registration \
         JOIN task ON task.registration = registration.id AND task.kind = 'busy_hour' AND task.site = $1 \
         WHERE registration.kiosk = $2 AND registered_s > $3 AND registered_s < $4 ORDER BY task.id DESC LIMIT 1",
    )
    .bind(device.site.as_str())
    .bind(device.kiosk.0.as_slice())
    .bind(busy::since(at).as_second())
    // Two visits of one kiosk may be kept in another order than they were begun.
    .bind(at.as_second().saturating_add(at.as_second() - busy::since(at).as_second()))
    .bind(today.to_string())
    .fetch_optional(&mut *db)
    .await?;
    if let Some(row) = known {
        let waits: bool = row.try_get(1)?;
        return Ok(waits.then(|| row.try_get(0)).transpose()?);
    }
    let what = (TaskKind::BusyHour, busy.key());
    let now = central.now().as_second();
    task::write(&mut *db, central, &device.site, registration.id, what, now).await?;
    let row =
        sqlx::query("SELECT id FROM task WHERE registration = $1 AND kind = 'busy_hour' AND answer IS NULL")
            .bind(registration.id.0.as_slice())
            .fetch_optional(db)
            .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// This person's date waits for that task.
pub(crate) async fn wait(
    db: &mut PgConnection,
    registration: &Registration,
    task: i64,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE registration SET waits_on = $2 WHERE id = $1")
        .bind(registration.id.0.as_slice())
        .bind(task)
        .execute(db)
        .await?;
    Ok(())
}

async fn limits(db: &mut PgConnection, site: &SiteId) -> Result<PerHour, Refusal> {
    let row = sqlx::query("SELECT per_hour_kiosk, per_hour_mediator FROM site WHERE id = $1")
        .bind(site.as_str())
        .fetch_one(db)
        .await?;
    sites::per_hour(row.try_get(0)?, row.try_get(1)?)
}

impl Central {
    /// Dates everybody whose task was answered, or not in its time; in rank order. Answers how many
    /// do not wait any more.
    ///
    /// # Errors
    /// The database or the lease log fails; who was dated stays dated.
    pub async fn date_waiting(&self) -> Result<usize, Refusal> {
        let sites = "SELECT DISTINCT site FROM registration WHERE waits_on IS NOT NULL ORDER BY site";
        let now = self.now().as_second();
        let due = |site: &SiteId| -> Due {
            sqlx::query(
                "SELECT registration.body::text, kiosk.id, kiosk.key, record.body FROM registration \
                 JOIN kiosk ON kiosk.id = registration.kiosk JOIN site ON site.id = registration.site \
                 LEFT JOIN task ON task.id = registration.waits_on \
                 LEFT JOIN record ON record.registration = registration.id AND record.kiosk = registration.kiosk \
                                 AND record.kind = 'registration' AND record.state = 'applied' \
                 WHERE registration.site = $1 AND waits_on IS NOT NULL AND cancelled_s IS NULL \
                 AND (task.id IS NULL OR task.answer IS NOT NULL \
                      OR task.due < (to_timestamp($2::bigint) AT TIME ZONE site.zone)::date) \
                 ORDER BY class = 'ordinary', ranked_s, tie_break, registration.id LIMIT $3 OFFSET $4",
            )
            .bind(site.as_str().to_owned())
            .bind(now)
        };
        each_row(self, (sites, "somebody who waits for the desk cannot be dated"), due, waited).await
    }
}

/// Somebody who waited long enough.
async fn waited(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    row: &PgRow,
) -> Result<bool, Refusal> {
    let registration: Registration =
        serde_json::from_str(row.try_get(0)?).map_err(|_| Refusal::Stored("registration"))?;
    let kiosk = row.try_get::<&[u8], _>(1)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?;
    let key = PublicKey::from_slice(row.try_get(2)?).ok_or(Refusal::Stored("device key"))?;
    let device = Device { kiosk: KioskId(kiosk), site: site.clone(), key };
    let held = row.try_get::<Option<&[u8]>, _>(3)?.and_then(said);
    date(db, central, &device, &registration, held.as_ref()).await?;
    Ok(true)
}

/// Dates somebody who waits for the desk and need not any more; false where they do not wait.
pub(crate) async fn at_once(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
) -> Result<bool, Refusal> {
    let row = sqlx::query(
        "SELECT record.body FROM registration \
         LEFT JOIN record ON record.registration = registration.id AND record.kiosk = registration.kiosk \
                         AND record.kind = 'registration' AND record.state = 'applied' \
         WHERE registration.id = $1 AND waits_on IS NOT NULL LIMIT 1",
    )
    .bind(registration.id.0.as_slice())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(false) };
    let held = row.try_get::<Option<&[u8]>, _>(0)?.and_then(said);
    date(tx, central, device, registration, held.as_ref()).await?;
    Ok(true)
}

/// What the kiosk kept, where its record is still whole.
fn said(body: &[u8]) -> Option<Registered> {
    match Body::read("registration", SCHEMA, body)? {
        Body::Registration(registered) => Some(*registered),
        _ => None,
    }
}

/// Gives one person their date, and tells their kiosk.
async fn date(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
    registered: Option<&Registered>,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE registration SET waits_on = NULL WHERE id = $1")
        .bind(registration.id.0.as_slice())
        .execute(&mut *tx)
        .await?;
    let held = match registered.map(|registered| &registered.outcome) {
        Some(Outcome::Rank { held: Some(held), .. }) => claim::own_token(central, device, &held.token).ok(),
        _ => None,
    };
    let mut step = tx.begin().await?;
    let given = match ranked::date(&mut step, central, device, registration, held).await? {
        Ok(given) => given,
        // What their receipt holds is nothing this database can settle: a date like anybody's.
        Err(_) => ranked::date(&mut step, central, device, registration, None).await?.unwrap_or(None),
    };
    if let Some(given) = given {
        let token = given.to_bytes().into();
        let told = Change::Dated { registration: registration.id, token };
        changes::append(&mut step, central, device.kiosk, &[told]).await?;
    }
    step.commit().await?;
    Ok(())
}
