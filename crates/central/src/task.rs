//! The desk's tasks, written in the transaction of what makes them. Their clock is
//! `domain::task`'s; an agent answers each once, see [`crate::admin`].

use crate::device::Device;
use crate::{Central, Refusal, annulment, calendar, dates, own_channel};
use domain::calendar::Holidays;
use domain::ids::{RegistrationId, SiteId};
use domain::set_aside::Reason;
use domain::task::TaskKind;
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan as _};
use sqlx::{PgConnection, Row};
use wire::messages::Change;

/// Why a date is outside: nobody is received at that hour any more.
pub(crate) const CLOSED: &str = "closed";
/// The counter no longer serves what the person comes for.
pub(crate) const NOT_SERVED: &str = "not_served";

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
    let due = due(&mut *db, site, kind, today).await?;
    insert(db, site, registration, (kind, reason), made_s, due).await
}

/// A record could not be carried out. One task for a person and a reason, or for a kiosk where nobody is
/// known by the registration it is about.
pub(crate) async fn write_failed(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    (kind, reason): (&str, Reason),
    about: Option<RegistrationId>,
) -> Result<(), Refusal> {
    if reason.is_an_answer() {
        return Ok(());
    }
    let today = dates::today(&mut *db, central, &device.site).await?;
    let due = due(&mut *db, &device.site, TaskKind::FailedStep, today).await?;
    sqlx::query(
        "INSERT INTO task (site, kind, reason, registration, kiosk, made_s, due) \
         SELECT $1, $2, $3, (SELECT id FROM registration WHERE id = $4 AND site = $1), $5, $6, $7::text::date \
         ON CONFLICT DO NOTHING",
    )
    .bind(device.site.as_str())
    .bind(TaskKind::FailedStep.key())
    .bind(format!("{kind}:{}", reason.key()))
    .bind(about.map(|id| id.0.to_vec()))
    .bind(device.kiosk.0.as_slice())
    .bind(central.now().as_second())
    .bind(due.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// What a task about a limit is answered by when another limit takes that one's place.
const REPLACED: &str = "another limit was declared";

/// A limit was declared in the place of the one before: that one is looked at no more.
pub(crate) async fn limit_replaced(
    db: &mut PgConnection,
    central: &Central,
    registration: RegistrationId,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE task SET answer = $3, answered_by = 'central', answered_s = $4 \
         WHERE registration = $1 AND kind = $2 AND answer IS NULL",
    )
    .bind(registration.0.as_slice())
    .bind(TaskKind::LimitCheck.key())
    .bind(REPLACED)
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}

/// Of these registrations of one site each declared time limit is to be checked, once; anew when
/// the person takes back what they cancelled before anybody looked, or declares another.
pub(crate) async fn check_limits(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    registrations: &[&[u8]],
) -> Result<(), Refusal> {
    let today = dates::today(&mut *db, central, site).await?;
    let due = due(&mut *db, site, TaskKind::LimitCheck, today).await?;
    sqlx::query(
        "INSERT INTO task (site, kind, reason, registration, made_s, due) \
         SELECT site, $2, body -> 'limit' ->> 'right', id, $3, $4::text::date FROM registration \
         WHERE id = ANY ($1) AND body -> 'limit' ->> 'right' IS NOT NULL AND cancelled_s IS NULL \
         AND NOT EXISTS (SELECT 1 FROM task WHERE task.registration = registration.id AND kind = $2 \
                         AND (answer IS NULL OR answer NOT IN ('cancelled', 'annulled', 'missed', 'transferred', 'received', $5)) \
                         AND made_s >= coalesce(limit_heard_s, 0))",
    )
    .bind(registrations)
    .bind(TaskKind::LimitCheck.key())
    .bind(central.now().as_second())
    .bind(due.to_string())
    .bind(REPLACED)
    .execute(db)
    .await?;
    Ok(())
}

/// What had to be done is done, by what central itself gave.
pub(crate) async fn settle(
    db: &mut PgConnection,
    central: &Central,
    registration: RegistrationId,
    (kind, reason): (TaskKind, &str),
    answer: &str,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE task SET answer = $4, answered_by = 'central', answered_s = $5 \
         WHERE registration = $1 AND kind = $2 AND reason = $3 AND answer IS NULL",
    )
    .bind(registration.0.as_slice())
    .bind(kind.key())
    .bind(reason)
    .bind(answer)
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}

/// Tasks that do not end with the person's place.
const OTHERS: [TaskKind; 3] = [TaskKind::BusyHour, TaskKind::Question, TaskKind::FailedStep];

/// Nothing is left for the desk to do for this person, but about the hour they registered in, which is
/// other people's too, what was asked, and what could not be carried out. Answers what their kiosk is to hear of it.
pub(crate) async fn settle_all(
    db: &mut PgConnection,
    registration: RegistrationId,
    (answer, now): (&str, Timestamp),
) -> Result<Vec<Change>, Refusal> {
    settle_but(&mut *db, registration, (answer, now), &OTHERS).await?;
    let mut told = annulment::over(&mut *db, registration).await?;
    told.extend(own_channel::withdraw(db, registration, now).await?);
    Ok(told)
}

/// The same for a place its person gives up: what agents mean to annul stays theirs to decide, for nobody
/// shakes that off by giving the appointment up.
pub(crate) async fn settle_given_up(
    db: &mut PgConnection,
    registration: RegistrationId,
    (answer, now): (&str, Timestamp),
) -> Result<Vec<Change>, Refusal> {
    let open = [OTHERS.as_slice(), &[TaskKind::Annulment]].concat();
    settle_but(&mut *db, registration, (answer, now), &open).await?;
    own_channel::withdraw(db, registration, now).await
}

async fn settle_but(
    db: &mut PgConnection,
    registration: RegistrationId,
    (answer, now): (&str, Timestamp),
    open: &[TaskKind],
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE task SET answer = $4, answered_by = 'central', answered_s = $2 \
         WHERE registration = $1 AND answer IS NULL AND kind <> ALL ($3)",
    )
    .bind(registration.0.as_slice())
    .bind(now.as_second())
    .bind(open.iter().map(|kind| kind.key()).collect::<Vec<_>>())
    .bind(answer)
    .execute(db)
    .await?;
    Ok(())
}

/// A place counts again: the request for an earlier date that was answered only because it had ended
/// is open again.
pub(crate) async fn ask_again(db: &mut PgConnection, registration: RegistrationId) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE task SET answer = NULL, answered_by = NULL, answered_s = NULL WHERE id = \
         (SELECT id FROM task WHERE registration = $1 AND kind = $2 ORDER BY made_s DESC, id DESC LIMIT 1) \
         AND answered_by = 'central' AND answer IN ('cancelled', 'annulled', 'missed', 'transferred', 'received')",
    )
    .bind(registration.0.as_slice())
    .bind(TaskKind::AdvanceRequest.key())
    .execute(db)
    .await?;
    Ok(())
}

/// A date outside the calendar, given at `at`, is the desk's to change; a day gone by is not.
pub(crate) async fn write_outside(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    registration: RegistrationId,
    (reason, at): (&str, DateTime),
) -> Result<(), Refusal> {
    let today = dates::today(&mut *db, central, site).await?;
    if at.date() < today {
        return Ok(());
    }
    let due = before(due(&mut *db, site, TaskKind::DateOutside, today).await?, at, today);
    insert(db, site, registration, (TaskKind::DateOutside, reason), central.now().as_second(), due).await
}

/// The day before the date itself, where that is sooner.
pub(crate) fn before(due: Date, at: DateTime, today: Date) -> Date {
    due.min(at.date().saturating_sub(1.days())).max(today)
}

/// The day by which a task of this kind, made today, is to be answered.
pub(crate) async fn due(
    db: &mut PgConnection,
    site: &SiteId,
    kind: TaskKind,
    today: Date,
) -> Result<Date, Refusal> {
    let row = sqlx::query("SELECT holidays FROM site WHERE id = $1")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    let holidays = Holidays::parse(row.try_get(0)?).ok_or(Refusal::Stored("holidays"))?;
    Ok(kind.due(today, holidays, &calendar::closures(&mut *db, site).await?))
}

/// Writes a task with a day of its own.
pub(crate) async fn write_by(
    db: &mut PgConnection,
    site: &SiteId,
    registration: RegistrationId,
    kind: TaskKind,
    (now, due): (Timestamp, Date),
) -> Result<(), Refusal> {
    insert(db, site, registration, (kind, ""), now.as_second(), due).await
}

async fn insert(
    db: &mut PgConnection,
    site: &SiteId,
    registration: RegistrationId,
    (kind, reason): (TaskKind, &str),
    made_s: i64,
    due: Date,
) -> Result<(), Refusal> {
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
