//! A second mediator unlocks beside the first, for one visit: some acts take two people. They see what
//! stands on the screen then, and a draft that says something else since is not what they saw.

use crate::check;
use crate::contract::{DraftFields, DraftView, FieldProblem, Problem};
use crate::kiosk::{Inner, Kiosk, lock};
use crate::session::{self, Session};
use crate::visit;
use domain::ids::{MediatorId, VisitId};
use jiff::{Timestamp, ToSpan as _};

/// Minutes a second mediator counts as being at the counter, once they unlocked: a visit is typed and
/// read back in them, and who has gone since vouches for nothing.
const LIVE_MINUTES: i64 = 15;

/// A second mediator at the counter.
#[derive(Debug, Clone)]
pub(crate) struct Second {
    visit: VisitId,
    /// Beside whom: ends with that session.
    first: MediatorId,
    session: Session,
    until: Timestamp,
    saw: Saw,
}

/// What they vouch for: this name, as that paper's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Saw {
    family_names: String,
    given_names: String,
    moved: String,
}

impl Saw {
    fn of(fields: &DraftFields) -> Self {
        let line = |text: &str| text.trim().to_owned();
        Self {
            family_names: line(&fields.family_names),
            given_names: line(&fields.given_names),
            moved: line(&fields.moved),
        }
    }
}

impl Kiosk {
    /// A second mediator says who they are, for what this visit's draft says of the person now. The same
    /// waits after wrong PINs as for the first.
    ///
    /// # Errors
    /// Nobody has unlocked, the visit is no draft of theirs, it is the same mediator, the PIN is wrong or
    /// it is too soon after wrong ones.
    pub async fn unlock_second(&self, visit: &str, mediator: &str, pin: &str) -> Result<DraftView, Problem> {
        let id = visit::visit_id(visit)?;
        let (mediator, pin) = (mediator.to_owned(), zeroize::Zeroizing::new(pin.to_owned()));
        self.off(move |inner| {
            let first = inner.session()?.mediator;
            let draft = inner.vault.read(|tx| visit::draft(inner, tx, id))?;
            // Before the PIN is looked at: it would be noted as right or wrong, and is neither.
            if first.as_str() == mediator {
                return Err(Problem::new("second_is_first"));
            }
            let session = session::known(inner, &mediator, &pin)?;
            let until = inner.now().saturating_add(LIVE_MINUTES.minutes()).unwrap_or(Timestamp::MAX);
            let saw = Saw::of(&visit::fields(&draft));
            *lock(&inner.second) = Some(Second { visit: id, first, session, until, saw });
            inner.vault.read(|tx| visit::view(inner, tx, id))
        })
        .await
    }
}

/// The second mediator who is at the counter for this visit and saw what its draft says.
pub(crate) fn here(inner: &Inner, visit: VisitId, fields: &DraftFields) -> Option<Session> {
    let first = inner.session().ok()?.mediator;
    let second = lock(&inner.second).clone()?;
    let counts = second.visit == visit
        && second.first == first
        && inner.now() < second.until
        && second.saw == Saw::of(fields);
    counts.then_some(second.session)
}

/// A draft that takes two mediators and has one.
pub(crate) fn missing() -> FieldProblem {
    check::fault("renamed", "second_session")
}
