//! Giving leased slots back, by a record of this kiosk: the only way they return before
//! their day. Never gives back a slot some paper still counts on.

use crate::contract::Problem;
use crate::kiosk::Inner;
use crate::paper;
use domain::ids::{LeaseId, RegistrationId, SlotId};
use domain::planted;
use domain::token::SignedToken;
use jiff::Timestamp;
use seal::keys::sha256;
use std::collections::BTreeMap;
use vault::{Attempt, Paper, Tx};
use wire::body::{Body, Release};

impl Inner {
    /// Slots nobody was given whose day to go back has come: others can be given them, and central
    /// has lent newer ones.
    pub(crate) fn give_back_due(&self) -> Result<(), Problem> {
        let today = self.today();
        if planted::on("due_slots_kept") {
            return Ok(());
        }
        if self.vault.read(|tx| tx.due_back(today))?.is_empty() {
            return Ok(());
        }
        let at = self.now();
        self.vault.transact(|tx| {
            let slots = tx.due_back(today)?;
            self.release(tx, &slots, at)
        })
    }

    /// The slot a receipt held, once the paper with the person's date is out. Part of the
    /// transaction that notes the print.
    pub(crate) fn give_back_held(
        &self,
        tx: &Tx<'_>,
        attempt: &Attempt,
        at: Timestamp,
    ) -> Result<(), Problem> {
        if planted::on("hold_never_released") {
            return Ok(());
        }
        let Some(paper) = tx.paper(attempt.registration)? else { return Ok(()) };
        let Some((lease, slot)) = outdated_hold(&paper) else { return Ok(()) };
        // The job may have been the receipt itself, printed late.
        let early = planted::on("hold_released_before_the_paper");
        if !tx.is_held_for((lease, slot), attempt.registration)?
            || !early && sha256(&[&paper::render(self, &paper)?]) != attempt.sha256
        {
            return Ok(());
        }
        self.release(tx, &[(lease, slot)], at)
    }

    /// The slot a receipt held, when its person gives their appointment up: no paper counts on it
    /// any more. The receipt is told as cancelled until another paper takes its place.
    pub(crate) fn give_back_cancelled(
        &self,
        tx: &Tx<'_>,
        id: RegistrationId,
        at: Timestamp,
    ) -> Result<(), Problem> {
        let Some(paper) = tx.paper(id)? else { return Ok(()) };
        let Some((lease, slot)) = hold(&paper) else { return Ok(()) };
        if !tx.is_held_for((lease, slot), id)? {
            return Ok(());
        }
        self.release(tx, &[(lease, slot)], at)
    }

    /// Slots the calendar no longer has, as far as nobody has been given them. What stands on a
    /// paper stands.
    pub(crate) fn give_back_withdrawn(
        &self,
        tx: &Tx<'_>,
        lease: LeaseId,
        slots: &[SlotId],
    ) -> Result<(), Problem> {
        let mut idle = Vec::new();
        for slot in slots {
            if tx.is_idle(lease, *slot)? {
                idle.push((lease, *slot));
            }
        }
        self.release(tx, &idle, self.now())
    }

    fn release(&self, tx: &Tx<'_>, slots: &[(LeaseId, SlotId)], at: Timestamp) -> Result<(), Problem> {
        let mut by_lease: BTreeMap<LeaseId, Vec<SlotId>> = BTreeMap::new();
        for (lease, slot) in slots {
            tx.mark_released(*slot)?;
            by_lease.entry(*lease).or_default().push(*slot);
        }
        for (lease, slots) in by_lease {
            self.append(tx, &Body::Release(Release { lease, slots, at }), at)?;
        }
        Ok(())
    }
}

fn hold(paper: &Paper) -> Option<(LeaseId, SlotId)> {
    let held = paper.registered.outcome.held()?;
    Some((held.lease, SignedToken::from_bytes(&held.token.0)?.token.slot))
}

/// The slot a receipt held, when its person now has another one.
fn outdated_hold(paper: &Paper) -> Option<(LeaseId, SlotId)> {
    let (lease, slot) = hold(paper)?;
    let now = SignedToken::from_bytes(paper.token.as_deref()?)?.token.slot;
    (now != slot).then_some((lease, slot))
}
