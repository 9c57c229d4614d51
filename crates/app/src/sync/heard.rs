//! What central's word on this kiosk's journal means: it holds more of it, it has
//! forgotten some (a restore) and is fed again, or it knows more than this disk does (an
//! older disk was put back, or another machine runs a copy of this vault).

use super::trust;
use crate::contract::Problem;
use crate::kiosk::{INCARNATION, Inner};
use domain::bytes::Hash;
use domain::planted;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use vault::Tx;
use wire::body::{Begun, Body};
use wire::messages::ChangesAnswer;
use wire::record::Acknowledgement;

/// The newest record central has signed for.
const RECEIVED: &str = "received";
/// The newest record central has signed to be on other storage too.
pub(crate) const DURABLE: &str = "durable";
const ACKNOWLEDGEMENT: &str = "acknowledgement";
const EPOCH: &str = "epoch";
const QUARANTINED: &str = "quarantined";
const NOTICES: &str = "notices";
pub(super) const CURSOR: &str = "cursor";
/// Notices kept, the oldest dropped: a kiosk rarely has one.
const NOTICES_MAX: usize = 8;

/// What an answer changed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Central holds our journal up to this record, and nothing is out of order.
    Holds(u64),
    /// Central holds less than it said, or its database is another: everything after this
    /// record is sent again and everything is pulled again.
    Forgot(u64),
    /// This disk is older than what central holds: a new incarnation has begun, and the
    /// lease of the old one is no longer drawn from.
    Older,
}

/// Something that happened, kept in the vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub code: String,
    /// Unix seconds.
    pub at_s: i64,
}

/// The record central was last heard to hold, for a question about the chain it is on.
pub(crate) fn known(tx: &Tx<'_>) -> Result<(u64, Option<Hash>), Problem> {
    let seq = tx.get_json::<u64>(RECEIVED)?.unwrap_or(0);
    // 0, or a record of a disk newer than this one: nothing of ours.
    Ok((seq, tx.hash_at(seq)?))
}

/// Reads central's word on what it holds. Believed only when signed.
pub(super) fn received(inner: &Inner, word: Option<&Acknowledgement>) -> Result<Heard, Problem> {
    if word.is_some_and(|word| !trust::acknowledged(&inner.identity, word)) {
        return Err(Problem::new("central_bad_answer"));
    }
    inner.vault.transact(|tx| standing(inner, tx, word))
}

/// The same for a pull, which may also tell of another database or a second machine.
pub(super) fn pulled(inner: &Inner, answer: &ChangesAnswer) -> Result<Heard, Problem> {
    let word = answer.received.as_ref();
    if word.is_some_and(|word| !trust::acknowledged(&inner.identity, word)) {
        return Err(Problem::new("central_bad_answer"));
    }
    inner.vault.transact(|tx| {
        let mut heard = standing(inner, tx, word)?;
        if let Some(word) = &answer.durable
            && trust::durable(&inner.identity, word)
            && tx.hash_at(word.head.seq)? == Some(word.head.hash)
        {
            let known = tx.get_json::<u64>(DURABLE)?.unwrap_or(0);
            tx.put_json(DURABLE, &known.max(word.head.seq))?;
        }
        let before: Option<String> = tx.get_json(EPOCH)?;
        if before.as_ref() != Some(&answer.epoch) {
            tx.put_json(EPOCH, &answer.epoch)?;
            if let (Some(_), Heard::Holds(seq)) = (before, heard) {
                // Another database counts its changes anew; our journal it holds.
                tx.put_json(CURSOR, &0u64)?;
                tx.hear_annulments_anew()?;
                heard = Heard::Forgot(seq);
            }
        }
        let was = tx.get_json::<bool>(QUARANTINED)?.unwrap_or(false);
        if was != answer.quarantined {
            tx.put_json(QUARANTINED, &answer.quarantined)?;
            if answer.quarantined {
                take_up_anew(inner, tx, word.map_or(0, |word| word.head.incarnation), "quarantined")?;
                return Ok(Heard::Older);
            }
        }
        Ok(heard)
    })
}

fn standing(inner: &Inner, tx: &Tx<'_>, word: Option<&Acknowledgement>) -> Result<Heard, Problem> {
    let known = tx.get_json::<u64>(RECEIVED)?.unwrap_or(0);
    let forgot_all = known > 0 && !planted::on("forgetful_central_not_noticed");
    let Some(word) = word else { return if forgot_all { forgot(inner, tx, 0) } else { Ok(Heard::Holds(0)) } };
    match tx.hash_at(word.head.seq)? {
        Some(ours) if ours == word.head.hash => {
            if word.head.seq < known && !planted::on("forgetful_central_not_noticed") {
                return forgot(inner, tx, word.head.seq);
            }
            tx.mark_held(word.head.seq)?;
            tx.put_json(RECEIVED, &word.head.seq)?;
            tx.put_json(ACKNOWLEDGEMENT, word)?;
            Ok(Heard::Holds(word.head.seq))
        }
        // Another machine of this vault has gone on from there: ours becomes a second chain.
        Some(_) => Ok(Heard::Holds(known)),
        None => {
            tracing::error!("central holds more of this kiosk's journal than this disk does");
            take_up_anew(inner, tx, word.head.incarnation, "disk_older")?;
            Ok(Heard::Older)
        }
    }
}

/// Everything after `seq` is sent again, pages too; everything is pulled again.
fn forgot(inner: &Inner, tx: &Tx<'_>, seq: u64) -> Result<Heard, Problem> {
    tracing::error!(from = seq, "central has lost what it had acknowledged: it is sent again");
    tx.send_again_after(seq)?;
    if !planted::on("pages_not_sent_again") {
        tx.send_pages_again()?;
    }
    tx.put_json(RECEIVED, &seq)?;
    tx.put_json(CURSOR, &0u64)?;
    tx.hear_annulments_anew()?;
    note(inner, tx, "central_forgot")?;
    Ok(Heard::Forgot(seq))
}

/// A new incarnation: what the old one was lent may stand on papers this disk knows
/// nothing of, so none of it is given any more. Its first record tells central, which
/// answers for this chain from then on.
fn take_up_anew(inner: &Inner, tx: &Tx<'_>, theirs: u32, because: &str) -> Result<(), Problem> {
    let next = inner.incarnation.load(Ordering::Acquire).max(theirs).saturating_add(1);
    let next = if planted::on("incarnation_reused") { next - 1 } else { next };
    tx.abandon_lease()?;
    tx.put_json(INCARNATION, &next)?;
    // Inside the transaction: should it fail, a gap in the count harms nobody.
    inner.incarnation.store(next, Ordering::Release);
    let at = inner.now();
    let body = Body::Incarnation(Begun { because: because.to_owned(), at });
    inner.append(tx, &body, at)?;
    note(inner, tx, because)
}

pub(super) fn note(inner: &Inner, tx: &Tx<'_>, code: &str) -> Result<(), Problem> {
    note_at(tx, code, inner.now())
}

/// The same for what may be told of many people at once: it stands once, with the last time.
pub(super) fn note_once(inner: &Inner, tx: &Tx<'_>, code: &str) -> Result<(), Problem> {
    let mut notices = notices(tx)?;
    if notices.pop_if(|last| last.code == code).is_some() {
        tx.put_json(NOTICES, &notices)?;
    }
    note(inner, tx, code)
}

/// Keeps something for the mediator to know.
pub(crate) fn note_at(tx: &Tx<'_>, code: &str, at: Timestamp) -> Result<(), Problem> {
    let mut notices = notices(tx)?;
    notices.push(Notice { code: code.to_owned(), at_s: at.as_second() });
    let surplus = notices.len().saturating_sub(NOTICES_MAX);
    notices.drain(..surplus);
    Ok(tx.put_json(NOTICES, &notices)?)
}

/// What has happened to this kiosk or to central that a mediator should know, oldest first.
pub(crate) fn notices(tx: &Tx<'_>) -> Result<Vec<Notice>, Problem> {
    Ok(tx.get_json(NOTICES)?.unwrap_or_default())
}

/// Is this kiosk lent nothing until an agent has looked at it?
pub(super) fn is_quarantined(tx: &Tx<'_>) -> Result<bool, Problem> {
    Ok(tx.get_json(QUARANTINED)?.unwrap_or(false))
}

/// When a notice was written.
pub(crate) fn noted_at(notice: &Notice) -> Timestamp {
    Timestamp::from_second(notice.at_s).unwrap_or(Timestamp::UNIX_EPOCH)
}
