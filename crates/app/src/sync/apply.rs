//! Writing central's answers into the vault. Each may come twice.

use super::heard::{self, CURSOR};
use super::transfer::Asked;
use super::{told, trust, witness, word};
use crate::contract::Problem;
use crate::kiosk::{Inner, ROSTER};
use crate::{paper, transfer};
use domain::annulment::REASONS_MAX;
use domain::ids::{AnnulmentId, RegistrationId};
use domain::planted;
use domain::set_aside::Reason;
use domain::token::SignedToken;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use vault::{Paper, Tx};
use wire::body::{Body, Dated};
use wire::messages::{Applied, Change, ChangesAnswer, Roster, Told};

const TIME_MARK: &str = "time_mark";
const MARK: &str = "mark";
/// Characters of the desk's answer that are kept.
const ANSWER_MAX: usize = 500;
/// Why a date is another: the person has taken a cancelled appointment back.
const REINSTATED: &str = "reinstated";
/// Why a place ended: the person cancelled it by their own telephone or mail.
const OWN_CHANNEL: &str = "cancelled";
/// The same, by an agent who undid an annulment.
const UNDONE: &str = "annulment_undone";
/// What a mediator is told of a date that is another; none when the person was there for it.
fn notice(because: &str) -> Option<&'static str> {
    match because {
        REINSTATED | "offer_accepted" => None,
        // What they said when they registered: they are to learn it before the day.
        "accepted_ahead" => Some("date_earlier"),
        // They did not come to the date before.
        "missed" => Some("date_missed"),
        // The préfecture took its decision back.
        UNDONE => Some("annulment_undone"),
        _ => Some("date_moved"),
    }
}

/// Characters of a site's name that are kept.
const SITE_NAME_MAX: usize = 200;
const PASSED_OVER: &str = "passed_over";
/// Kinds noted for the log; more say nothing more.
const KINDS_NOTED: usize = 16;
const THIS_VERSION: &str = env!("CARGO_PKG_VERSION");

/// From where to pull, the version of the roster we have, and the record of ours central
/// was last heard to hold.
pub(super) fn asked(inner: &Inner) -> Result<Asked, Problem> {
    inner.vault.read(|tx| {
        let roster: Option<Roster> = tx.get_json(ROSTER)?;
        Ok(Asked {
            cursor: tx.get_json(CURSOR)?.unwrap_or(0),
            mark: tx.get_json::<String>(MARK)?.filter(|mark| is_mark(mark)).unwrap_or_default(),
            roster: roster.map_or(0, |roster| roster.version),
            head: heard::known(tx)?.1,
            lists: told::versions(tx)?,
            ring: inner.identity.told().ring.len(),
            witness: witness::named(inner, tx)?,
        })
    })
}

/// One pull: all of it and the new cursor, in one transaction.
pub(super) fn changes(inner: &Inner, answer: ChangesAnswer) -> Result<(), Problem> {
    inner.trust_time(answer.now);
    inner.vault.transact(|tx| {
        told::lists(inner, tx, &answer)?;
        witness::shown(inner, tx, answer.checkpoint.as_ref())?;
        let applied = if planted::on("cursor_past_the_applied") { 8 } else { usize::MAX };
        let mut later = Vec::new();
        for told in answer.changes.into_iter().take(applied) {
            match told {
                Told::Known(change) => apply(inner, tx, change)?,
                Told::Later(one) => later.push(one.change),
            }
        }
        if !later.is_empty() {
            pass_over(inner, tx, later)?;
        }
        if let Some(roster) = answer.roster.as_ref().and_then(|signed| trust::roster(&inner.identity, signed))
        {
            let known: Option<Roster> = tx.get_json(ROSTER)?;
            // Only forward: an older roster would bring back who has left.
            let forward = known.is_none_or(|known| roster.version > known.version);
            if forward && !planted::on("roster_not_heard") {
                tx.put_json(ROSTER, &roster)?;
            }
        }
        tx.put_json(CURSOR, &answer.cursor)?;
        tx.put_json(MARK, &answer.mark)?;
        tx.put_json(TIME_MARK, &answer.now.as_second())?;
        Ok(())
    })
}

/// What came that this version cannot read. The cursor goes on; a version that is newer pulls
/// everything again, once.
#[derive(Serialize, Deserialize)]
struct PassedOver {
    /// The version of this program.
    by: String,
    kinds: Vec<String>,
}

fn pass_over(inner: &Inner, tx: &Tx<'_>, later: Vec<String>) -> Result<(), Problem> {
    let before = passed_over(tx)?;
    if before.is_none() {
        heard::note(inner, tx, "central_newer")?;
    }
    let mut kinds = before.map_or_else(Vec::new, |before| before.kinds);
    kinds.extend(later.into_iter().filter(|kind| is_kind(kind)));
    kinds.sort_unstable();
    kinds.dedup();
    kinds.truncate(KINDS_NOTED);
    tracing::warn!(?kinds, "changes of a later version are passed over");
    tx.put_json(PASSED_OVER, &Some(PassedOver { by: THIS_VERSION.to_owned(), kinds }))?;
    Ok(())
}

fn passed_over(tx: &Tx<'_>) -> Result<Option<PassedOver>, Problem> {
    Ok(tx.get_json::<Option<PassedOver>>(PASSED_OVER)?.flatten())
}

/// Another version of this program passed changes over: everything is pulled again, and what this
/// one can read is taken up. Each change may come twice.
pub(super) fn take_up_passed_over(inner: &Inner) -> Result<(), Problem> {
    let older = |tx: &Tx<'_>| Ok::<_, Problem>(passed_over(tx)?.is_some_and(|one| one.by != THIS_VERSION));
    if !inner.vault.read(older)? {
        return Ok(());
    }
    inner.vault.transact(|tx| {
        tx.put_json(PASSED_OVER, &None::<PassedOver>)?;
        Ok(tx.put_json(CURSOR, &0u64)?)
    })
}

/// It is written into the log.
fn is_kind(kind: &str) -> bool {
    (1..=wire::record::KIND_MAX).contains(&kind.len())
        && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// It becomes part of the next request's address.
fn is_mark(mark: &str) -> bool {
    mark.len() <= 16 && mark.bytes().all(|b| b.is_ascii_hexdigit())
}

fn apply(inner: &Inner, tx: &Tx<'_>, change: Change) -> Result<(), Problem> {
    match change {
        Change::Result { seq, hash, result, .. } => match result {
            Applied::Applied => Ok(tx.mark_result(seq, &hash, None, inner.now())?),
            Applied::SetAside { reason } => {
                tx.mark_result(seq, &hash, Some(&reason), inner.now())?;
                // They were received, at another kiosk perhaps: there was nothing left to give up.
                if reason == Reason::Honoured.key() {
                    tx.nothing_given_up(seq, &hash)?;
                }
                // Of a return that came too late: the person may be told so, and go on from there.
                Ok(tx.no_way_back(seq, &hash)?)
            }
        },
        // Lent to a disk this one has replaced: it may stand on papers nobody has reported.
        Change::Lease { incarnation, .. }
            if incarnation != inner.incarnation.load(Ordering::Acquire)
                && !planted::on("lease_of_another_incarnation") =>
        {
            Ok(())
        }
        Change::Lease { lease, mut slots, .. } => {
            // A token that is not for this kiosk could not be printed: it is not kept.
            slots.retain(|slot| {
                trust::token(&inner.identity, &slot.token.0)
                    .is_some_and(|signed| signed.token.slot == slot.slot && signed.token.at == slot.at)
            });
            Ok(tx.add_lease(lease, &slots)?)
        }
        Change::Withdrawn { lease, slots } => inner.give_back_withdrawn(tx, lease, &slots),
        Change::Answered { registration, asked, answer, at } => {
            let answer: String = answer.chars().take(ANSWER_MAX).collect();
            Ok(tx.answer_earlier(registration, asked, &answer, at)?)
        }
        Change::Dated { registration, token } => dated(inner, tx, registration, &token.0),
        Change::Moved { registration, from, token, because } => {
            moved(inner, tx, (registration, from), &token.0, &because)
        }
        Change::Offered { registration, offer } => match tx.paper(registration)? {
            Some(_) => Ok(tx.put_offer(registration, &offer)?),
            None => Ok(()),
        },
        Change::OfferEnded { registration, offer } => Ok(tx.end_offer(registration, offer)?),
        Change::Ended { registration, at, because, site } => {
            ended(inner, tx, (registration, at), (&because, site.as_deref()))
        }
        Change::Transfer { registration, transfer } => transfer::heard(inner, tx, registration, &transfer),
        Change::AnnulmentProposed { registration, annulment, answer_by, reasons } => {
            let reasons: String = reasons.chars().take(REASONS_MAX).collect();
            match tx.paper(registration)? {
                Some(_) => Ok(tx.propose_annulment(registration, annulment, (answer_by, &reasons))?),
                None => Ok(()),
            }
        }
        Change::Annulled { registration, annulment, at } => {
            annulled(inner, tx, (registration, annulment), at)
        }
        Change::Word { said } => word::heard(inner, tx, &said),
        Change::CancelAsked { registration, asked } => match tx.paper(registration)? {
            Some(_) => Ok(tx.put_asked(registration, &asked)?),
            None => Ok(()),
        },
        Change::CancelWithdrawn { word, .. } => Ok(tx.end_asked_one(word)?),
        Change::AnnulmentOver { registration, annulment, date_follows } => {
            Ok(tx.end_annulment(registration, annulment, date_follows)?)
        }
    }
}

/// A ranked person has a firm date: a new paper, sealed anew, takes the receipt's place.
/// The slot the receipt held stays theirs until that paper is out.
fn dated(inner: &Inner, tx: &Tx<'_>, id: RegistrationId, token: &[u8]) -> Result<(), Problem> {
    let Some(paper) = tx.paper(id)? else { return Ok(()) };
    let cancelled = tx.cancelled(id)?;
    if cancelled.is_some_and(|cancelled| cancelled.returning) {
        tx.give_back(id)?;
    } else if cancelled.is_some() || paper.token.is_some() && !planted::on("dated_again") {
        return Ok(());
    }
    anew(inner, tx, paper, token).map(drop)
}

/// Another date than the one on a paper of this kiosk: a new paper with it. Only in the place of
/// the hour it follows: what was printed since is the date.
fn moved(
    inner: &Inner,
    tx: &Tx<'_>,
    (id, from): (RegistrationId, DateTime),
    token: &[u8],
    because: &str,
) -> Result<(), Problem> {
    let Some(paper) = tx.paper(id)? else { return Ok(()) };
    let Some(signed) = trust::token(&inner.identity, token) else { return Ok(()) };
    let returning = tx.cancelled(id)?.map(|cancelled| cancelled.returning);
    match (because == REINSTATED || because == UNDONE, returning) {
        // The answer to what was asked here, whatever paper was out before.
        (true, Some(true)) => tx.give_back(id)?,
        // It comes again, and something else was said since; or the person has gone.
        (true, _) | (false, Some(_)) => return Ok(()),
        (false, None) => {}
    }
    let held = paper.registered.outcome.held().map(|held| held.token.0.as_slice());
    let now = paper.token.as_deref().or(held).and_then(SignedToken::from_bytes);
    let Some(now) = now.filter(|now| now.token.at == from || returning.is_some()) else { return Ok(()) };
    // They came, and this kiosk has noted it: what was made of their absence is on its way back.
    if tx.arrival(id, from)?.is_some() {
        return Ok(());
    }
    // Given back the very slot of their convocation: that paper is good again.
    if paper.token.is_some() && signed.token.slot == now.token.slot {
        // Said all the same: a central that is restored to before that learns it again.
        let at = inner.now();
        let body = Body::Dated(Dated { registration: id, token: signed.to_bytes().into(), at });
        inner.append(tx, &body, at)?;
        // Who took a cancellation back stands at the counter; whose annulment was undone does not.
        return match notice(because).filter(|_| because == UNDONE) {
            Some(notice) => heard::note_once(inner, tx, notice),
            None => Ok(()),
        };
    }
    let made = anew(inner, tx, paper, token)?;
    match notice(because).filter(|_| made) {
        Some(notice) => heard::note_once(inner, tx, notice),
        None => Ok(()),
    }
}

/// Central has ended a place of its own: the person may take it back, as after a cancellation. What
/// was said here since, or before, stands.
fn ended(
    inner: &Inner,
    tx: &Tx<'_>,
    (id, at): (RegistrationId, Timestamp),
    (because, elsewhere): (&str, Option<&str>),
) -> Result<(), Problem> {
    let Some(paper) = tx.paper(id)? else { return Ok(()) };
    let dated = paper.token.as_deref().and_then(SignedToken::from_bytes);
    let came = dated.map(|dated| tx.arrival(id, dated.token.at)).transpose()?.flatten();
    if came.is_some() || tx.cancelled(id)?.is_some() || tx.was_reinstated(id, at)? {
        return Ok(());
    }
    give_back_held(inner, tx, &paper)?;
    if let Some(site) = elsewhere {
        tx.cancel(id, at)?;
        tx.put_elsewhere(id, &site.chars().take(SITE_NAME_MAX).collect::<String>())?;
        return heard::note_once(inner, tx, "place_transferred");
    }
    let comes = because == OWN_CHANNEL && tx.comes_all_the_same(id)?;
    tx.cancel(id, at)?;
    if comes {
        // Said here while this kiosk was away: central hears of it, and the date follows.
        return Ok(tx.ask_back(id)?);
    }
    heard::note_once(inner, tx, if because == OWN_CHANNEL { "place_given_up" } else { "place_ended" })
}

/// Two agents have annulled the appointment; only an agent undoes that. Noted as come here, they are
/// received whatever was decided.
fn annulled(
    inner: &Inner,
    tx: &Tx<'_>,
    (id, annulment): (RegistrationId, AnnulmentId),
    at: Timestamp,
) -> Result<(), Problem> {
    let Some(paper) = tx.paper(id)? else { return Ok(()) };
    let dated = paper.token.as_deref().and_then(SignedToken::from_bytes);
    let came = dated.as_ref().map(|dated| tx.arrival(id, dated.token.at)).transpose()?.flatten();
    if came.is_some() || tx.is_annulment_over(annulment)? {
        return Ok(());
    }
    give_back_held(inner, tx, &paper)?;
    if !tx.annul(id, annulment, at)? {
        return Ok(());
    }
    heard::note_once(inner, tx, "place_annulled")
}

/// What a receipt held beside the date is nobody's once the place is over.
pub(super) fn give_back_held(inner: &Inner, tx: &Tx<'_>, paper: &Paper) -> Result<(), Problem> {
    let slot = |token: &[u8]| SignedToken::from_bytes(token).map(|signed| signed.token.slot);
    let held = paper.registered.outcome.held().and_then(|held| slot(&held.token.0));
    if held.is_some() && held != paper.token.as_deref().and_then(slot) {
        inner.give_back_cancelled(tx, paper.registered.registration.id, inner.now())?;
    }
    Ok(())
}

/// Another paper of the same registration, and the record that says so. False when it can no
/// longer be made.
fn anew(inner: &Inner, tx: &Tx<'_>, paper: Paper, token: &[u8]) -> Result<bool, Problem> {
    let id = paper.registered.registration.id;
    let Some(token) = trust::token(&inner.identity, token) else { return Ok(false) };
    let at = inner.now();
    if at > token.token.last_issue {
        // Its day came before the kiosk heard of it: a paper sealed now would verify as forged.
        // The receipt stands, and a person gives another date.
        heard::note(inner, tx, "dated_too_late")?;
        return Ok(false);
    }
    let body = Body::Dated(Dated { registration: id, token: token.to_bytes().into(), at });
    let paper = paper::make(inner, paper.registered, Some(token), at, inner.world.bytes())?;
    tx.keep_paper(&paper)?;
    if !planted::on("dated_unrecorded") {
        inner.append(tx, &body, at)?;
    }
    Ok(true)
}

/// The trusted time as the vault knows it: the last central time, or the last record.
pub(crate) fn time_mark(tx: &Tx<'_>) -> Result<i64, Problem> {
    let central = tx.get_json::<i64>(TIME_MARK)?.unwrap_or(0);
    Ok(central.max(tx.last_record_s()?))
}
