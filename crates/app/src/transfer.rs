//! A person who has moved here or has another name, and the registration they had before. Both
//! appointments stand until they keep one at this counter. Tells of the other one what central tells, and no more.

use crate::contract::{DateView, Problem, ToTellKind, ToTellView, TransferState, TransferView};
use crate::keep;
use crate::kiosk::{Inner, Kiosk};
use crate::{paper, visit};
use domain::ids::RegistrationId;
use domain::registration::Registration;
use domain::token::SignedToken;
use jiff::civil::DateTime;
use seal::keys::sha256;
use vault::{AttemptState, Tx};
use wire::body::{Body, Transfer};
use wire::messages::Transferred;

/// People listed at once, as with offers.
const TO_TELL: usize = 20;

impl Kiosk {
    /// The person keeps this appointment, and the earlier one is over. Twice is once.
    /// To keep the other one this one is cancelled.
    ///
    /// # Errors
    /// Nobody has unlocked, the visit has no date or was cancelled, or no other appointment stands.
    pub async fn keep_transfer(&self, visit: &str) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let view = self
            .off(move |inner| {
                visit::with_paper(inner, id, |tx, paper| {
                    keep(inner, tx, paper.registered.registration.id)?;
                    keep::date_view(inner, tx, id)
                })
            })
            .await?;
        self.inner.wake.notify_one();
        Ok(view)
    }

    /// The same for whoever has the paper's follow-up code and no window.
    ///
    /// # Errors
    /// No paper of this kiosk has this code, or as [`Self::keep_transfer`].
    pub async fn keep_transfer_of(&self, code: &str) -> Result<DateView, Problem> {
        let (visit, _) = self.visit_of(code).await?;
        self.keep_transfer(&visit.to_string()).await
    }
}

fn keep(inner: &Inner, tx: &Tx<'_>, id: RegistrationId) -> Result<(), Problem> {
    if tx.cancelled(id)?.is_some() {
        return Err(Problem::new("cancelled"));
    }
    let followed = tx.transfer(id)?.filter(|followed| followed.told.earlier.is_some());
    let followed = followed.ok_or_else(|| Problem::new("no_earlier_appointment"))?;
    if followed.kept.is_some() {
        return Ok(());
    }
    let (mediator, at) = (inner.session()?.mediator, inner.now());
    tx.keep_transfer(id, Some(at))?;
    inner.append(tx, &Body::Transfer(Transfer { registration: id, mediator, at }), at)
}

/// Central's word of the paper a registration follows. A page that says another time than the one in the
/// person's hands is due.
pub(crate) fn heard(
    inner: &Inner,
    tx: &Tx<'_>,
    id: RegistrationId,
    told: &Transferred,
) -> Result<(), Problem> {
    if tx.paper(id)?.is_none() {
        return Ok(());
    }
    let before = tx.transfer(id)?;
    tx.put_transfer(id, told)?;
    if before.as_ref().is_some_and(|before| before.kept.is_some()) && told.earlier.is_none() {
        // It is over. Should the person take it up again there, they are asked anew.
        tx.keep_transfer(id, None)?;
    }
    let printed = |told: &Transferred| (told.ranked_at, told.site.clone());
    let changed = before.map_or_else(Default::default, |before| printed(&before.told)) != printed(told);
    let out = tx.last_attempt(id)?.is_some_and(|attempt| attempt.state == AttemptState::Printed);
    if changed && out {
        tx.page_changed(id, inner.now())?;
    }
    Ok(())
}

/// People whose paper names another registration time than the one that counts, while their day is to
/// come.
pub(crate) fn to_tell(inner: &Inner, tx: &Tx<'_>) -> Result<Vec<ToTellView>, Problem> {
    let mut people = Vec::new();
    for id in tx.pages_due()? {
        if people.len() >= TO_TELL {
            break;
        }
        let (Some(paper), Some(visit)) = (tx.paper(id)?, tx.visit_of(id)?) else { continue };
        let at = paper.token.as_deref().and_then(SignedToken::from_bytes).map(|signed| signed.token.at);
        let Some(at) = at.filter(|at| at.date() >= inner.today()) else { continue };
        // Told again from the beginning, the page may be the one that is out.
        let out = tx.last_attempt(id)?.filter(|attempt| attempt.state == AttemptState::Printed);
        let page = sha256(&[&paper::render(inner, &paper)?]);
        if out.is_some_and(|out| out.sha256 == page) {
            continue;
        }
        let told = paper.registered.registration;
        people.push(ToTellView {
            kind: ToTellKind::Transfer,
            visit: visit.to_string(),
            lang: told.lang,
            name: told.applicant.name_as_printed(),
            phone: told.applicant.contact.phone,
            slot_at: shown(at),
            until: at.date().to_string(),
        });
    }
    Ok(people)
}

fn shown(at: DateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// How the registration stands beside the one it follows; none where it names no other paper.
pub(crate) fn view(
    inner: &Inner,
    tx: &Tx<'_>,
    registration: &Registration,
) -> Result<Option<TransferView>, Problem> {
    if registration.moved.is_none() {
        return Ok(None);
    }
    let Some(followed) = tx.transfer(registration.id)? else {
        let state = TransferState::Waiting;
        return Ok(Some(TransferView { state, since: None, site: None, earlier_at: None, zone: None }));
    };
    let Transferred { ranked_at, site, earlier } = followed.told;
    let state = match (&earlier, ranked_at) {
        (Some(_), _) if followed.kept.is_some() => TransferState::Keeping,
        (Some(_), _) => TransferState::Both,
        (None, Some(_)) => TransferState::Alone,
        (None, None) => TransferState::None,
    };
    Ok(Some(TransferView {
        state,
        since: ranked_at.map(|at| shown(inner.civil(at))),
        site,
        earlier_at: earlier.as_ref().and_then(|earlier| earlier.at).map(shown),
        zone: earlier.map(|earlier| earlier.zone),
    }))
}
