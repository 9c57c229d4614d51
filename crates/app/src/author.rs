//! Whose draft it is. What a person has said and has no date yet opens for the mediator they
//! said it to, or for a supervisor; a date that is kept is anybody's to print.

use crate::contract::Problem;
use crate::kiosk::{Inner, ROSTER};
use vault::{Tx, Visit, VisitState};
use wire::messages::Roster;

/// Refuses a draft that somebody else at this kiosk began.
pub(crate) fn may_open(inner: &Inner, tx: &Tx<'_>, visit: &Visit) -> Result<(), Problem> {
    inner.session()?;
    match closed(inner, tx, visit)? {
        Some(who) => Err(Problem::new("others_draft").with("who", who)),
        None => Ok(()),
    }
}

/// Who began a draft that whoever is at the counter may not open; none when they may.
pub(crate) fn closed(inner: &Inner, tx: &Tx<'_>, visit: &Visit) -> Result<Option<String>, Problem> {
    if matches!(visit.state, VisitState::Kept | VisitState::Finished) {
        return Ok(None);
    }
    let here = inner.session().ok().map(|session| session.mediator);
    if here.as_ref().is_some_and(|here| here.as_str() == visit.mediator) {
        return Ok(None);
    }
    let roster: Roster = tx.get_json(ROSTER)?.ok_or_else(|| Problem::new("not_enrolled"))?;
    let author = roster.mediators.iter().find(|entry| entry.id.as_str() == visit.mediator);
    let mut supervisors = roster.mediators.iter().filter(|entry| entry.supervisor);
    let open = match (&here, author) {
        (Some(here), _) if supervisors.clone().any(|entry| entry.id == *here) => true,
        // They have left and nobody is above: the person must not have come for nothing.
        (Some(_), None) => supervisors.next().is_none(),
        _ => false,
    };
    Ok((!open).then(|| author.map_or_else(|| visit.mediator.clone(), |entry| entry.name.clone())))
}
