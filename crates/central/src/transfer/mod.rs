//! A registration that follows another: its person has moved, or has another name since. Where the
//! earlier place stood when this one was registered, offers and lists go by the earlier registration
//! time. Never moves a date: both stand until the person keeps one or was received with one.
//!
//! Whatever order records arrive in, the same follows: a paper central does not know yet is looked for
//! again at each exchange of the kiosk that named it.

mod both;
mod tell;

pub(crate) use both::{honoured, is_elsewhere, keep};
pub(crate) use tell::tell;

use crate::device::Device;
use crate::{Central, Refusal, task};
use domain::ids::{RegistrationId, SiteId};
use domain::registration::Registration;
use domain::task::TaskKind;
use domain::transfer::{Earlier, counts};
use jiff::Timestamp;
use sqlx::{PgConnection, Row};
use wire::messages::Transferred;

/// Seconds within which the record of a registration that was asked about comes, where its kiosk was not
/// lost: until then its paper may be out, and the time it names is not another's.
const KEPT_WITHIN_S: i64 = 24 * 3_600;

/// What the desk's checks are answered by when the earlier time counts no more.
const NOT_FOLLOWED: &str = "the earlier registration does not count";

/// Looks for the paper a registration names. None where it names none. Again, it is the same.
pub(crate) async fn follow(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
) -> Result<Option<Transferred>, Refusal> {
    let Some(code) = registration.moved else { return Ok(None) };
    sqlx::query(
        "INSERT INTO transfer (registration, kiosk, code) VALUES ($1, $2, $3) ON CONFLICT (registration) DO NOTHING",
    )
    .bind(registration.id.0.as_slice())
    .bind(device.kiosk.0.as_slice())
    .bind(i64::try_from(code.to_bits()).map_err(|_| Refusal::BadBody)?)
    .execute(&mut *db)
    .await?;
    link(&mut *db, central, registration.id).await?;
    tell::standing(db, central, registration.id).await.map(Some)
}

/// Takes the earlier registration time over where it counts, and what follows from that once the
/// registration is kept: the desk is to look at the residence or at the name, and a place that was kept
/// in the earlier one's stead ends that one.
async fn link(db: &mut PgConnection, central: &Central, id: RegistrationId) -> Result<(), Refusal> {
    if let Some(earlier) = earlier_of(&mut *db, central, id).await? {
        sqlx::query(
            "UPDATE transfer SET earlier = $2, site = registration.site, was = NULL FROM registration \
             WHERE transfer.registration = $1 AND registration.id = $2",
        )
        .bind(id.0.as_slice())
        .bind(earlier.0.as_slice())
        .execute(&mut *db)
        .await?;
        rank(&mut *db, id).await?;
    }
    check(&mut *db, central, id).await?;
    both::end_left(db, central, id).await
}

/// The registration this one may follow from now on; none while it follows one, or none counts.
async fn earlier_of(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
) -> Result<Option<RegistrationId>, Refusal> {
    let row = sqlx::query(
        "SELECT new.body::text, new.state = 'kept', earlier.id, earlier.body::text, earlier.cancelled_s, \
                EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = earlier.id), \
                EXISTS (SELECT 1 FROM annulment WHERE annulment.registration = earlier.id AND annulment.state IN ('annulled', 'undoing')) \
         FROM transfer JOIN registration AS new ON new.id = transfer.registration \
         JOIN registration AS earlier ON earlier.code = transfer.code \
         WHERE transfer.registration = $1 AND transfer.earlier IS NULL AND new.cancelled_s IS NULL \
         AND earlier.state = 'kept' FOR UPDATE OF earlier",
    )
    .bind(id.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    // One that cannot be read holds nobody up: nothing is taken over from it.
    let read = |column: usize| -> Result<Option<Registration>, Refusal> {
        Ok(serde_json::from_str(row.try_get(column)?).ok())
    };
    let (Some(new), Some(before)) = (read(0)?, read(3)?) else {
        tracing::error!("a registration that is followed, or the one that follows, cannot be read");
        return Ok(None);
    };
    let ended: Option<i64> = row.try_get(4)?;
    let ended =
        ended.map(|s| Timestamp::from_second(s).map_err(|_| Refusal::Stored("cancellation"))).transpose()?;
    let earlier =
        Earlier { registration: &before, ended, honoured: row.try_get(5)?, annulled: row.try_get(6)? };
    if !counts(&new, &earlier) {
        return Ok(None);
    }
    let (kept, earlier): (bool, &[u8]) = (row.try_get(1)?, row.try_get(2)?);
    let first = sqlx::query(
        "SELECT registration.id, registration.state = 'kept' OR registration.registered_s > $2 FROM transfer \
         JOIN registration ON registration.id = transfer.registration WHERE transfer.earlier = $1",
    )
    .bind(earlier)
    .bind(central.now().as_second().saturating_sub(KEPT_WITHIN_S))
    .fetch_optional(&mut *db)
    .await?;
    if let Some(first) = first {
        // The first counts: its paper may say so already. Unless nobody kept it in a day and this one was.
        if !kept || first.try_get::<bool, _>(1)? {
            return Ok(None);
        }
        drop_link(&mut *db, registration_id(first.try_get(0)?)?).await?;
    }
    registration_id(earlier).map(Some)
}

/// Its person gave the place up, at `at`. What was registered after that never had a time to take over;
/// and what it followed may be followed by another.
pub(crate) async fn given_up(
    db: &mut PgConnection,
    central: &Central,
    (id, at): (RegistrationId, Timestamp),
) -> Result<(), Refusal> {
    let at_s = at.min(central.now()).as_second();
    let rows = sqlx::query(
        "SELECT transfer.registration FROM transfer JOIN registration ON registration.id = transfer.registration \
         WHERE transfer.earlier = $1 AND registration.registered_s >= $2",
    )
    .bind(id.0.as_slice())
    .bind(at_s)
    .fetch_all(&mut *db)
    .await?;
    for row in &rows {
        unlink(&mut *db, central, registration_id(row.try_get(0)?)?).await?;
        // Ended since by the one that followed it: it was over before.
        sqlx::query("UPDATE registration SET cancelled_s = least(cancelled_s, $2) WHERE id = $1")
            .bind(id.0.as_slice())
            .bind(at_s)
            .execute(&mut *db)
            .await?;
    }
    let followed = sqlx::query("SELECT 1 FROM transfer WHERE earlier = $1")
        .bind(id.0.as_slice())
        .fetch_optional(&mut *db)
        .await?;
    // While another follows this one, that one has the time of both.
    if followed.is_none() {
        sqlx::query("UPDATE transfer SET was = coalesce(earlier, was) WHERE registration = $1")
            .bind(id.0.as_slice())
            .execute(&mut *db)
            .await?;
        unlink(db, central, id).await?;
    }
    Ok(())
}

/// Its appointment was annulled: its registration time counts for nobody.
pub(crate) async fn annulled(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
) -> Result<(), Refusal> {
    let row = sqlx::query("SELECT registration FROM transfer WHERE earlier = $1")
        .bind(id.0.as_slice())
        .fetch_optional(&mut *db)
        .await?;
    match row {
        Some(row) => unlink(db, central, registration_id(row.try_get(0)?)?).await,
        None => Ok(()),
    }
}

/// The place counts again: it may follow, and what follows it stands beside it once more.
pub(crate) async fn back(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
) -> Result<(), Refusal> {
    for statement in [
        "UPDATE transfer SET over = false WHERE registration = $1",
        "UPDATE transfer SET over = false, kept_s = NULL WHERE earlier = $1",
        // Kept once, and the earlier place was taken up again since.
        "UPDATE transfer SET kept_s = NULL FROM registration WHERE transfer.registration = $1 \
         AND registration.code = transfer.code AND registration.cancelled_s IS NULL",
    ] {
        sqlx::query(statement).bind(id.0.as_slice()).execute(&mut *db).await?;
    }
    link(db, central, id).await
}

/// The registration follows none any more, and those that follow it go by its own time.
async fn unlink(db: &mut PgConnection, central: &Central, id: RegistrationId) -> Result<(), Refusal> {
    if drop_link(&mut *db, id).await? {
        for kind in [TaskKind::ResidenceCheck, TaskKind::NameCheck] {
            task::settle(&mut *db, central, id, (kind, ""), NOT_FOLLOWED).await?;
        }
    }
    Ok(())
}

async fn drop_link(db: &mut PgConnection, id: RegistrationId) -> Result<bool, Refusal> {
    let done = sqlx::query(
        "UPDATE transfer SET earlier = NULL, site = NULL, over = false WHERE registration = $1 AND earlier IS NOT NULL",
    )
    .bind(id.0.as_slice())
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    rank(db, id).await?;
    Ok(true)
}

/// The time this place ranks by, and all that follow it: of a line of moves, that of the first.
async fn rank(db: &mut PgConnection, id: RegistrationId) -> Result<(), Refusal> {
    sqlx::query(
        "WITH RECURSIVE line AS (\
            SELECT registration.id, coalesce(before.ranked_s, registration.registered_s) AS ranked_s FROM registration \
            LEFT JOIN transfer ON transfer.registration = registration.id \
            LEFT JOIN registration AS before ON before.id = transfer.earlier WHERE registration.id = $1 \
            UNION ALL SELECT transfer.registration, line.ranked_s FROM transfer JOIN line ON transfer.earlier = line.id) \
         UPDATE registration SET ranked_s = line.ranked_s FROM line \
         WHERE registration.id = line.id AND registration.ranked_s <> line.ranked_s",
    )
    .bind(id.0.as_slice())
    .execute(db)
    .await?;
    Ok(())
}

/// What the desk looks at: the new name where two mediators say there is one, else the residence. Once for
/// each place; anew when the person takes back what they gave up before anybody looked.
async fn check(db: &mut PgConnection, central: &Central, id: RegistrationId) -> Result<(), Refusal> {
    let row = sqlx::query(
        "SELECT registration.site, registration.body::text FROM transfer JOIN registration ON registration.id = transfer.registration \
         WHERE transfer.registration = $1 AND earlier IS NOT NULL AND state = 'kept' AND cancelled_s IS NULL \
         AND NOT EXISTS (SELECT 1 FROM task WHERE task.registration = $1 AND kind IN ($2, $3) \
                         AND (answer IS NULL OR answer NOT IN ('cancelled', 'annulled', 'missed', 'transferred', 'received', $4)))",
    )
    .bind(id.0.as_slice())
    .bind(TaskKind::ResidenceCheck.key())
    .bind(TaskKind::NameCheck.key())
    .bind(NOT_FOLLOWED)
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let site = SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?;
    let registration: Registration =
        serde_json::from_str(row.try_get(1)?).map_err(|_| Refusal::Stored("registration"))?;
    let kind = match registration.is_renamed() {
        true => TaskKind::NameCheck,
        false => TaskKind::ResidenceCheck,
    };
    task::write(db, central, &site, id, (kind, ""), central.now().as_second()).await
}

fn registration_id(bytes: &[u8]) -> Result<RegistrationId, Refusal> {
    bytes.try_into().map(RegistrationId).map_err(|_| Refusal::Stored("registration id"))
}
