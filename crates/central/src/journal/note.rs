//! What became of records is written with them, and their kiosk is told.

use super::{Done, Held, Step};
use crate::device::Device;
use crate::{Central, Refusal, changes, planted, task};
use domain::ids::RegistrationId;
use sqlx::PgConnection;
use wire::body::Body;
use wire::messages::{Applied, Change};

/// Writes what became of these records, and tells their kiosk.
pub(super) async fn note(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    done: Vec<Done<'_>>,
) -> Result<(), Refusal> {
    let about: Vec<_> = done.iter().map(|done| done.held.body.as_ref().and_then(subject)).collect();
    let state = |done: &Done| match done.step {
        Step::Applied(_) => ("applied", None),
        Step::SetAside(reason) => ("set_aside", Some(reason.key())),
        Step::Waits => ("waits", None),
    };
    sqlx::query(
        "UPDATE record SET state = done.state, reason = done.reason, registration = done.about \
         FROM unnest($2::int[], $3::bigint[], $4::text[], $5::text[], $6::bytea[]) \
              AS done (chain, seq, state, reason, about) \
         WHERE kiosk = $1 AND record.chain = done.chain AND record.seq = done.seq",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(done.iter().map(|done| done.held.chain).collect::<Vec<_>>())
    .bind(done.iter().map(|done| done.held.seq).collect::<Vec<_>>())
    .bind(done.iter().map(|done| state(done).0).collect::<Vec<_>>())
    .bind(done.iter().map(|done| state(done).1).collect::<Vec<_>>())
    .bind(about.iter().map(|id| id.as_ref().map(|id| id.0.as_slice())).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await?;
    let gone = || format!("DELETE FROM record WHERE state = 'set_aside' AND kiosk = '\\x{}'", device.kiosk);
    planted::sql(&mut *tx, "set_aside_deleted", gone).await?;
    for (done, about) in done.iter().zip(&about) {
        if let Step::SetAside(reason) = done.step {
            let kind = done.held.body.as_ref().map_or("record", Body::kind);
            task::write_failed(&mut *tx, central, device, (kind, reason), *about).await?;
        }
    }
    let mut told = Vec::with_capacity(done.len());
    for Done { held, step } in done {
        let result = match step {
            Step::Applied(changes) => {
                told.extend(changes);
                Applied::Applied
            }
            Step::SetAside(reason) => Applied::SetAside { reason: reason.key().to_owned() },
            Step::Waits => continue,
        };
        let seq = u64::try_from(held.seq).map_err(|_| Refusal::Stored("seq"))?;
        told.push(Change::Result { incarnation: held.incarnation, seq, hash: held.hash, result });
    }
    changes::append(tx, central, device.kiosk, &told).await
}

/// Whom a record is about, to be erased with them.
fn subject(body: &Body) -> Option<RegistrationId> {
    match body {
        Body::Paper(paper) => seal::door::Door::read(&paper.door.0).map(|(door, ..)| door.registration),
        other => other.registration(),
    }
}

/// A record that those behind it in the same transaction ask for: whoever said twice that they take their
/// place back hears the date they have once, whether both records come together or one by one.
pub(super) async fn at_once(tx: &mut PgConnection, device: &Device, held: &Held) -> Result<(), Refusal> {
    let Some(Body::Reinstatement(said)) = &held.body else { return Ok(()) };
    sqlx::query(
        "UPDATE record SET state = 'applied', registration = $4 WHERE kiosk = $1 AND chain = $2 AND seq = $3",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(held.chain)
    .bind(held.seq)
    .bind(said.registration.0.as_slice())
    .execute(tx)
    .await?;
    Ok(())
}
