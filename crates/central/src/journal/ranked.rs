//! The date of a person who left with a rank: the first one free, and never later than the slot
//! their receipt holds.

use crate::claim::Before;
use crate::device::Device;
use crate::{Central, Refusal, claim, dates, planted};
use domain::registration::Registration;
use domain::set_aside::Reason;
use domain::token::SignedToken;
use sqlx::PgConnection;

/// Gives it; none where there is none to give. An error is why the record is set aside.
pub(crate) async fn date(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
    held: Option<SignedToken>,
) -> Result<Result<Option<SignedToken>, Reason>, Refusal> {
    let Some(held) = held else {
        return Ok(Ok(dates::give(tx, central, device, registration).await?.map(|given| given.token)));
    };
    match dates::give_before(&mut *tx, central, device, registration, &held.token).await? {
        // The slot held stays lent: the kiosk releases it once the new paper is out.
        Some(given) => {
            let slot = held.token.slot.0;
            let free = || format!("UPDATE slot SET lease = NULL, stratum = NULL WHERE id = {slot}");
            planted::sql(&mut *tx, "held_slot_freed", free).await?;
            Ok(Ok(Some(given.token)))
        }
        None if planted::on("hold_not_settled") => Ok(Ok(None)),
        None => {
            let settled =
                claim::settle(&mut *tx, central, device, &held.token, registration.id, Before::Free).await?;
            if let Some(reason) = settled {
                return Ok(Err(reason));
            }
            dates::escalate_late(&mut *tx, central, registration, held.token.at).await?;
            Ok(Ok(Some(held)))
        }
    }
}
