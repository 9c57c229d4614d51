//! A person comes back with their paper: the follow-up code and the birth date open the
//! registration it was issued for, and no other. One answer for a wrong code and a wrong
//! birth date; every wrong try makes the next one wait longer. What this kiosk did not
//! make, central is asked for.

use crate::contract::{BirthFields, ElsewhereView, FollowUpView, Problem};
use crate::kiosk::{Inner, Kiosk, lock};
use crate::sync::transfer::RemoteFailure;
use crate::{coming, offer, reconfirm};
use domain::code::FollowUpCode;
use domain::tries::Tries;
use std::time::Duration;
use wire::messages::{FollowUpRequest, Followed};

/// How long the counter waits for central's word.
const ASK_LIMIT: Duration = Duration::from_secs(5);

impl Kiosk {
    /// Opens a registration of this kiosk by the code on its paper and the birth date; of
    /// another kiosk's, tells the date central holds.
    ///
    /// # Errors
    /// Nobody has unlocked; the code cannot be one; no paper has this code and birth date,
    /// or central cannot be asked; it is too soon after wrong tries.
    pub async fn follow_up(&self, code: &str, birth: BirthFields) -> Result<FollowUpView, Problem> {
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
        let asked = asked(code, &birth);
        let own = self.off(move |inner| own(inner, asked.as_ref())).await?;
        if let Some(own) = own {
            return Ok(own);
        }
        let asked = self::asked(code, &birth);
        let elsewhere = match &asked {
            Some(asked) => self.ask_central(asked).await,
            None => Ok(None),
        };
        let now = self.inner.now();
        let mut tries = lock(&self.inner.follow_tries);
        let Ok(Some(Followed { at, site, zone, lang, cancelled, until, asked, reconfirm, offer })) =
            elsewhere
        else {
            // Out of central's reach too: it may be a guess at a paper of this kiosk.
            *tries = tries.after_wrong(now);
            return Err(elsewhere.err().unwrap_or_else(|| Problem::new("follow_up_unknown")));
        };
        *tries = Tries::default();
        let slot_at = at.map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string());
        let offer = offer.as_ref().map(offer::shown);
        let until = until.map(|until| until.to_string());
        let reconfirm = reconfirm.map(reconfirm::shown);
        let cancel_asked = asked.as_ref().map(|asked| coming::shown(&self.inner, asked));
        let elsewhere = ElsewhereView {
            code: code.to_string(),
            slot_at,
            site,
            zone,
            cancelled,
            until,
            cancel_asked,
            reconfirm,
            offer,
        };
        Ok(FollowUpView { visit: None, lang, elsewhere: Some(elsewhere) })
    }

    async fn ask_central(&self, asked: &FollowUpRequest) -> Result<Option<Followed>, Problem> {
        let inner = &self.inner;
        match tokio::time::timeout(ASK_LIMIT, inner.remote.follow_up(inner.caller(), asked)).await {
            Ok(Ok(answer)) => Ok(answer.found),
            Ok(Err(RemoteFailure::Unreachable)) | Err(_) => Err(Problem::new("follow_up_offline")),
            Ok(Err(failure)) => Err(failure.into()),
        }
    }
}

/// What the person says; none when it is no date at all.
pub(crate) fn asked(code: FollowUpCode, birth: &BirthFields) -> Option<FollowUpRequest> {
    let part = |text: &str| text.trim().parse::<i8>().ok();
    let year = birth.year.trim().parse().ok()?;
    Some(FollowUpRequest { code, year, month: part(&birth.month), day: part(&birth.day) })
}

/// The registration, when this kiosk made its paper.
fn own(inner: &Inner, asked: Option<&FollowUpRequest>) -> Result<Option<FollowUpView>, Problem> {
    inner.session()?;
    lock(&inner.follow_tries)
        .may_try(inner.now())
        .map_err(|seconds| Problem::new("try_wait").with("seconds", seconds))?;
    let Some(asked) = asked else { return Ok(None) };
    let found = inner.vault.read(|tx| {
        let Some(paper) = tx.paper_by_code(asked.code)? else { return Ok(None) };
        let registration = paper.registered.registration;
        if !registration.applicant.birth.is_said(asked.year, asked.month, asked.day) {
            return Ok(None);
        }
        let visit = tx.visit_of(registration.id)?.ok_or_else(|| Problem::new("no_visit"))?;
        Ok::<_, Problem>(Some((visit, registration.lang)))
    })?;
    if found.is_some() {
        *lock(&inner.follow_tries) = Tries::default();
    }
    Ok(found.map(|(visit, lang)| FollowUpView { visit: Some(visit.to_string()), lang, elsewhere: None }))
}
