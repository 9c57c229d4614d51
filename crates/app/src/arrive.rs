//! A person came to their appointment: the paper in their hand says so, whoever made it, with or
//! without a network. Marks nobody by name, and nobody whose paper is not good today.

use crate::contract::{Problem, ShownPaperView};
use crate::kiosk::{Inner, Kiosk};
use crate::shown_paper::{Codes, judge, typed};
use domain::ids::{RegistrationId, SlotId};
use domain::planted;
use jiff::civil::DateTime;
use seal::door::{Door, Ground};
use vault::Tx;
use wire::body::{Arrival, Body};

/// The appointment a paper is for, as far as it is here and today.
pub(crate) struct Appointment {
    pub registration: RegistrationId,
    pub slot: SlotId,
    pub at: DateTime,
}

impl Kiosk {
    /// Notes that whoever holds this paper came. Twice is once.
    ///
    /// # Errors
    /// Nobody has unlocked, nobody knows what day it is, or the paper is not good here today.
    pub async fn arrive(&self, door: &str) -> Result<ShownPaperView, Problem> {
        let codes = typed(door)?;
        let view = self
            .off(move |inner| {
                let mediator = inner.session()?.mediator;
                inner.day_is_known()?;
                let at = inner.now();
                let shown = inner.vault.transact(|tx| {
                    let (shown, appointment) = judge(inner, tx, &codes)?;
                    if shown.arrived_at.is_some() {
                        return Ok(shown);
                    }
                    let Appointment { registration, slot, at: appointment } =
                        appointment.ok_or_else(|| Problem::new("arrival_not_today"))?;
                    tx.forget_arrivals(inner.today())?;
                    tx.note_arrival(registration, appointment, at)?;
                    let said = Arrival { registration, slot, appointment, mediator, at };
                    inner.append(tx, &Body::Arrival(said), at)?;
                    Ok::<_, Problem>(judge(inner, tx, &codes)?.0)
                })?;
                inner.trust_time(at);
                Ok(shown)
            })
            .await?;
        self.inner.wake.notify_one();
        Ok(view)
    }
}

/// The appointment of a paper that is good: today, at this site, and not given up. A receipt is good on
/// the day it holds.
pub(crate) fn expected(inner: &Inner, tx: &Tx<'_>, codes: &Codes) -> Result<Option<Appointment>, Problem> {
    let Some((door, ..)) = Door::read(&codes.door) else { return Ok(None) };
    let token = match door.ground {
        Ground::Slot(signed) | Ground::Held(signed) => signed.token,
        Ground::Rank(_) => return Ok(None),
    };
    let here = token.site == inner.identity.site_id && token.at.date() == inner.today();
    if !here || tx.cancelled(door.registration)?.is_some() {
        return Ok(None);
    }
    if planted::on("stranger_turned_away") && tx.paper(door.registration)?.is_none() {
        return Ok(None);
    }
    Ok(Some(Appointment { registration: door.registration, slot: token.slot, at: token.at }))
}
