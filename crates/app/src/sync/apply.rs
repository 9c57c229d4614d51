//! Writing central's answers into the vault. Each may come twice.

use super::trust;
use crate::contract::Problem;
use crate::kiosk::{Inner, ROSTER};
use crate::paper;
use domain::ids::RegistrationId;
use vault::Tx;
use wire::messages::{Applied, Change, ChangesAnswer, Roster};
use wire::record::Acknowledgement;

/// The newest record central has signed for.
pub(super) const RECEIVED: &str = "received";
const ACKNOWLEDGEMENT: &str = "acknowledgement";
const CURSOR: &str = "cursor";
const TIME_MARK: &str = "time_mark";

/// Central's word on what it holds. Believed only when signed and when the hash is that
/// of our own record at that place.
pub(super) fn received(inner: &Inner, word: Option<&Acknowledgement>) -> Result<u64, Problem> {
    let Some(word) = word else { return Ok(0) };
    if !trust::acknowledged(&inner.identity, word) {
        return Err(Problem::new("central_bad_answer"));
    }
    inner.vault.transact(|tx| {
        if tx.hash_at(word.head.seq)? != Some(word.head.hash) {
            return Err(Problem::new("central_bad_answer"));
        }
        tx.mark_held(word.head.seq)?;
        tx.put_json(RECEIVED, &word.head.seq)?;
        tx.put_json(ACKNOWLEDGEMENT, word)?;
        Ok(word.head.seq)
    })
}

/// From where to pull, and the version of the roster we have.
pub(super) fn cursor(inner: &Inner) -> Result<(u64, u64), Problem> {
    inner.vault.read(|tx| {
        let roster: Option<Roster> = tx.get_json(ROSTER)?;
        Ok((tx.get_json(CURSOR)?.unwrap_or(0), roster.map_or(0, |roster| roster.version)))
    })
}

/// One pull: all of it and the new cursor, in one transaction.
pub(super) fn changes(inner: &Inner, answer: ChangesAnswer) -> Result<(), Problem> {
    inner.trust_time(answer.now);
    inner.vault.transact(|tx| {
        for change in answer.changes {
            apply(inner, tx, change)?;
        }
        if let Some(roster) = answer.roster.as_ref().and_then(|signed| trust::roster(&inner.identity, signed))
        {
            let known: Option<Roster> = tx.get_json(ROSTER)?;
            // Only forward: an older roster would bring back who has left.
            if known.is_none_or(|known| roster.version > known.version) {
                tx.put_json(ROSTER, &roster)?;
            }
        }
        tx.put_json(CURSOR, &answer.cursor)?;
        tx.put_json(TIME_MARK, &answer.now.as_second())?;
        Ok(())
    })
}

fn apply(inner: &Inner, tx: &Tx<'_>, change: Change) -> Result<(), Problem> {
    match change {
        Change::Result { seq, result, .. } => match result {
            Applied::Applied => Ok(tx.mark_result(seq, None)?),
            Applied::SetAside { reason } => Ok(tx.mark_result(seq, Some(&reason))?),
        },
        Change::Lease { lease, mut slots } => {
            // A token that is not for this kiosk could not be printed: it is not kept.
            slots.retain(|slot| {
                trust::token(&inner.identity, &slot.token.0)
                    .is_some_and(|signed| signed.token.slot == slot.slot && signed.token.at == slot.at)
            });
            Ok(tx.add_lease(lease, &slots)?)
        }
        Change::Dated { registration, token } => dated(inner, tx, registration, &token.0),
    }
}

/// A ranked person has a firm date: a new paper, sealed anew, takes the receipt's place.
/// The slot the receipt held stays theirs until that paper is out.
fn dated(inner: &Inner, tx: &Tx<'_>, id: RegistrationId, token: &[u8]) -> Result<(), Problem> {
    let Some(paper) = tx.paper(id)? else { return Ok(()) };
    if paper.token.is_some() {
        return Ok(());
    }
    let Some(token) = trust::token(&inner.identity, token) else { return Ok(()) };
    let paper = paper::make(inner, paper.registered, Some(token), inner.now(), inner.world.bytes())?;
    Ok(tx.keep_paper(&paper)?)
}

/// The trusted time as the vault knows it: the last central time, or the last record.
pub(crate) fn time_mark(tx: &Tx<'_>) -> Result<i64, Problem> {
    let central = tx.get_json::<i64>(TIME_MARK)?.unwrap_or(0);
    Ok(central.max(tx.last_record_s()?))
}
