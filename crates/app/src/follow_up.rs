//! A person comes back with their paper: the follow-up code and the birth date open the
//! registration it was issued for, and no other. One answer for a wrong code and a wrong
//! birth date; every wrong try makes the next one wait longer.

use crate::contract::{BirthFields, FollowUpView, Problem};
use crate::kiosk::{Inner, Kiosk, lock};
use crate::tries::Tries;
use domain::birth::Birth;
use domain::code::FollowUpCode;
use vault::Paper;

impl Kiosk {
    /// Opens a registration of this kiosk by the code on its paper and the birth date.
    ///
    /// # Errors
    /// Nobody has unlocked; the code cannot be one; no paper of this kiosk has this code
    /// and birth date; it is too soon after wrong tries.
    pub async fn follow_up(&self, code: &str, birth: BirthFields) -> Result<FollowUpView, Problem> {
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
        self.off(move |inner| {
            inner.session()?;
            let now = inner.now();
            lock(&inner.follow_tries)
                .may_try(now)
                .map_err(|s| Problem::new("try_wait").with("seconds", s))?;
            let found = find(inner, code)?
                .filter(|paper| is_born(paper.registered.registration.applicant.birth, &birth));
            let Some(paper) = found else {
                lock(&inner.follow_tries).wrong(now);
                return Err(Problem::new("follow_up_unknown"));
            };
            *lock(&inner.follow_tries) = Tries::default();
            let registration = &paper.registered.registration;
            let visit = inner.vault.read(|tx| tx.visit_of(registration.id))?;
            let visit = visit.ok_or_else(|| Problem::new("no_visit"))?;
            Ok(FollowUpView { visit: visit.to_string(), lang: registration.lang.clone() })
        })
        .await
    }
}

fn find(inner: &Inner, code: FollowUpCode) -> Result<Option<Paper>, Problem> {
    Ok(inner.vault.read(|tx| tx.paper_by_code(code))?)
}

/// Only what the person is known by counts: for a year, the year.
fn is_born(birth: Birth, said: &BirthFields) -> bool {
    let number = |text: &str| text.trim().parse::<i16>().ok();
    match birth {
        Birth::Whole { date } => {
            number(&said.year) == Some(date.year())
                && number(&said.month) == Some(i16::from(date.month()))
                && number(&said.day) == Some(i16::from(date.day()))
        }
        Birth::Year { year } | Birth::Customary { year } => number(&said.year) == Some(year),
    }
}
