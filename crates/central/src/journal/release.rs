//! A kiosk gives leased slots back. Never another's, and never one that somebody has been given.

use super::Step;
use crate::device::Device;
use crate::{Refusal, calendar};
use domain::ids::{KioskId, LeaseId};
use domain::lease::{Reach, Stratum};
use domain::set_aside::Reason;
use sqlx::{PgConnection, Row};
use wire::body::Release;

pub(super) async fn apply(
    tx: &mut PgConnection,
    device: &Device,
    release: &Release,
) -> Result<Step, Refusal> {
    match lessee(&mut *tx, release.lease).await? {
        Some(kiosk) if kiosk == device.kiosk => {}
        Some(_) => return Ok(Step::SetAside(Reason::SlotNotInLease)),
        // A lease of a history this database does not know: nothing of it is lent here.
        None => return Ok(Step::Applied(Vec::new())),
    }
    calendar::hold(&mut *tx, &device.site).await?;
    // What is not lent again at the queue front.
    let comes_back = |stratum: &Stratum| !Reach::SIZED.may_lend(Stratum::Front, Some(*stratum));
    let comes_back: Vec<_> = Stratum::ALL.into_iter().filter(comes_back).map(Stratum::key).collect();
    for slot in &release.slots {
        sqlx::query(
            "UPDATE slot SET lease = NULL, came_back = stratum = ANY ($3) AND back IS NOT NULL, \
             stratum = NULL, back = NULL WHERE id = $1 AND lease = $2 AND registration IS NULL",
        )
        .bind(i64::try_from(slot.0).map_err(|_| Refusal::BadRecord)?)
        .bind(release.lease.0.as_slice())
        .bind(&comes_back)
        .execute(&mut *tx)
        .await?;
    }
    Ok(Step::Applied(Vec::new()))
}

/// Whose lease it is; none when this database knows no such lease.
async fn lessee(tx: &mut PgConnection, lease: LeaseId) -> Result<Option<KioskId>, Refusal> {
    let row = sqlx::query("SELECT kiosk FROM lease WHERE id = $1")
        .bind(lease.0.as_slice())
        .fetch_optional(tx)
        .await?;
    row.map(|row| {
        row.try_get::<&[u8], _>(0)?.try_into().map(KioskId).map_err(|_| Refusal::Stored("kiosk id"))
    })
    .transpose()
}
