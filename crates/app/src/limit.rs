//! A person who has a place comes back with evidence of a time limit. It is declared as at the
//! registration, kept as a record of its own, and stands on a new paper; central offers an earlier
//! date at once where there is one. Never moves the date by itself.

use crate::contract::{Connection, DateView, LimitFields, Problem};
use crate::kiosk::{Inner, Kiosk, lock};
use crate::{paper, visit};
use domain::assign::Window;
use domain::extra;
use domain::limit::{self, EVIDENCE_MAX, LimitRefusal, TimeLimit};
use domain::token::SignedToken;
use std::time::Duration;
use vault::{Paper, Tx};
use wire::body::{Body, LimitDeclared};

/// How long the counter waits for an exchange, so that an offer shows while the person is there.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(5);

impl Kiosk {
    /// Declares a time limit for the person of this visit, in the place of one told before. The same
    /// again asks central once more while the date does not serve it, and changes nothing else. On the disk when it returns; where central answers in time, what it
    /// offers is there too.
    ///
    /// # Errors
    /// Nobody has unlocked, the visit has no date, or a field of the limit is refused: `field` names it.
    pub async fn declare_limit(&self, visit: &str, limit: LimitFields) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        self.off(move |inner| visit::with_paper(inner, id, |tx, paper| declare(inner, tx, paper, &limit)))
            .await?;
        self.inner.wake.notify_one();
        let worth_asking = {
            let sync = lock(&self.inner.sync);
            sync.connection == Connection::Online || !sync.tried
        };
        if worth_asking {
            let kiosk = self.clone();
            // By itself: an exchange that takes longer is not broken off.
            let exchange = tokio::spawn(async move { kiosk.exchange().await });
            let _ = tokio::time::timeout(EXCHANGE_LIMIT, exchange).await;
        }
        self.date(visit).await
    }

    /// The same for whoever has the paper's follow-up code and no window.
    ///
    /// # Errors
    /// No paper of this kiosk has this code, or as [`Self::declare_limit`].
    pub async fn declare_limit_of(&self, code: &str, limit: LimitFields) -> Result<DateView, Problem> {
        let (visit, _) = self.visit_of(code).await?;
        self.declare_limit(&visit.to_string(), limit).await
    }
}

/// Does the date of this paper do for the limit on it, as of today? Without a date, there is none.
fn is_served(inner: &Inner, paper: &Paper) -> bool {
    let token = paper.token.as_deref().and_then(SignedToken::from_bytes);
    let mut window = paper.registered.registration.window();
    window.earliest = window.earliest.max(Window::new(inner.today(), None).earliest);
    token.is_none_or(|signed| extra::serves(&window, signed.token.at.date()))
}

fn declare(inner: &Inner, tx: &Tx<'_>, paper: Paper, fields: &LimitFields) -> Result<(), Problem> {
    let id = paper.registered.registration.id;
    let LimitFields { right, last_day, days, evidence } = fields;
    let birth = &paper.registered.registration.applicant.birth;
    let last_day = &limit::day_said(right, (last_day, days), Some(birth));
    let limit = TimeLimit::declared(right, last_day, days, evidence, inner.today()).map_err(refused)?;
    let same = paper.registered.registration.limit.as_ref() == Some(&limit);
    if same && (tx.offer(id)?.is_some() || is_served(inner, &paper)) {
        return Ok(());
    }
    let (mediator, at) = (inner.session()?.mediator, inner.now());
    let said = LimitDeclared { registration: id, limit: limit.clone(), mediator, at };
    inner.append(tx, &Body::Limit(said), at)?;
    if same {
        // They are here again, and their date still does not serve them: what is free now is asked for.
        return Ok(());
    }
    let mut registered = paper.registered.clone();
    registered.registration.limit = Some(limit);
    // The class on the paper is another now, and what it is rebuilt from says the limit.
    let paper = if paper::may_seal(&paper, at) {
        let token = paper.token.as_deref().and_then(SignedToken::from_bytes);
        paper::make(inner, registered, token, at, inner.world.bytes())?
    } else {
        Paper { registered, ..paper }
    };
    Ok(tx.keep_paper(&paper)?)
}

fn refused(refusal: LimitRefusal) -> Problem {
    let (field, code) = refusal.field_and_code();
    Problem::new(code).with("field", format!("limit.{field}")).with("max", EVIDENCE_MAX)
}
