//! A far date is asked about once before it comes, by the paper that names it: whoever says that they
//! come has it noted ([`crate::coming`]), whoever says nothing keeps it all the same.

use crate::contract::{Problem, ReconfirmView, ToTellKind, ToTellView};
use crate::kiosk::Inner;
use vault::{Paper, Tx};
use wire::messages::Reconfirm;

/// People the home screen lists; the others follow as these have said it.
const TO_TELL: u32 = 20;

/// What is asked today of whoever has this paper.
pub(crate) fn view(inner: &Inner, tx: &Tx<'_>, paper: &Paper) -> Result<Option<ReconfirmView>, Problem> {
    let Some((at, asking)) = paper.asking().filter(|(_, asking)| asking.is_on(inner.today())) else {
        return Ok(None);
    };
    let said = tx.said_coming(paper.registered.registration.id, at)?;
    Ok(Some(ReconfirmView { until: asking.last.to_string(), said }))
}

pub(crate) fn shown(told: Reconfirm) -> ReconfirmView {
    ReconfirmView { until: told.last.to_string(), said: told.said }
}

/// People this kiosk registered whose far date is not confirmed.
pub(crate) fn to_tell(inner: &Inner, tx: &Tx<'_>) -> Result<Vec<ToTellView>, Problem> {
    let mut people = Vec::new();
    for id in tx.to_confirm(inner.today(), TO_TELL)? {
        let (Some(paper), Some(visit)) = (tx.paper(id)?, tx.visit_of(id)?) else { continue };
        let Some((at, asking)) = paper.asking() else { continue };
        let told = paper.registered.registration;
        people.push(ToTellView {
            kind: ToTellKind::Reconfirm,
            visit: visit.to_string(),
            name: told.applicant.name_as_printed(),
            phone: told.applicant.contact.phone,
            lang: told.lang,
            slot_at: at.strftime("%Y-%m-%dT%H:%M").to_string(),
            until: asking.last.to_string(),
        });
    }
    Ok(people)
}
