//! An earlier date is kept for somebody until they answer: told when they come back, and answered
//! at any counter with a network. Until they accept, the date they have holds. Never answers for
//! anybody.

use crate::contract::{BirthFields, DateView, OfferAnswerView, OfferView, Problem, ToTellKind, ToTellView};
use crate::follow_up;
use crate::kiosk::{Inner, Kiosk};
use crate::sync::transfer::RemoteFailure;
use crate::visit;
use domain::birth::Birth;
use domain::code::FollowUpCode;
use domain::ids::{OfferId, RegistrationId};
use std::time::Duration;
use vault::Tx;
use wire::messages::{OfferAnswer, OfferRequest, OfferState, Offered};

/// How long the counter waits for central's word.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// People the home screen lists; the others follow as these are answered.
const TO_TELL: u32 = 20;

impl Kiosk {
    /// The person of this visit takes the earlier date offered to them, or leaves it. The paper
    /// with the new date comes with the exchange that follows.
    ///
    /// # Errors
    /// Nobody has unlocked, there is no offer, it is over, or central cannot be asked.
    pub async fn answer_offer(&self, visit: &str, accept: bool) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let (registration, request) = self
            .off(move |inner| {
                inner.session()?;
                inner.vault.read(|tx| {
                    let visit = tx.visit(id)?.ok_or_else(|| Problem::new("no_visit"))?;
                    let registration = visit.registration.ok_or_else(|| Problem::new("no_offer"))?;
                    let paper = tx.paper(registration)?.ok_or_else(|| Problem::new("no_offer"))?;
                    let offer = tx.offer(registration)?.ok_or_else(|| Problem::new("no_offer"))?;
                    let told = &paper.registered.registration;
                    Ok::<_, Problem>((
                        registration,
                        request(told.code, told.applicant.birth, offer.offer, accept),
                    ))
                })
            })
            .await?;
        let offer = request.offer;
        let answer = self.tell_central(&request).await?;
        if answer.state.is_none() || answer.state == Some(OfferState::Over) {
            // It stands no more, whatever this kiosk has heard.
            self.off(move |inner| inner.vault.transact(|tx| Ok(tx.end_offer(registration, offer)?))).await?;
            return Err(Problem::new("offer_over"));
        }
        // Brings the new date's token, and with it the paper.
        self.exchange().await?;
        self.date(visit).await
    }

    /// The same at a kiosk that did not make the paper: the code on it and the birth date say
    /// whose offer it is.
    ///
    /// # Errors
    /// As [`Self::answer_offer`].
    pub async fn answer_offer_elsewhere(
        &self,
        code: &str,
        birth: BirthFields,
        offer: &str,
        accept: bool,
    ) -> Result<OfferAnswerView, Problem> {
        self.off(|inner| inner.session().map(|_| ())).await?;
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
        let offer = OfferId::parse(offer).ok_or_else(|| Problem::new("no_offer"))?;
        let said = follow_up::asked(code, &birth).ok_or_else(|| Problem::new("follow_up_unknown"))?;
        let request = OfferRequest { code, year: said.year, month: said.month, day: said.day, offer, accept };
        let answer = self.tell_central(&request).await?;
        match answer.state {
            None | Some(OfferState::Over) => Err(Problem::new("offer_over")),
            Some(state) => Ok(OfferAnswerView {
                accepted: state == OfferState::Accepted,
                slot_at: answer.at.map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string()),
            }),
        }
    }

    async fn tell_central(&self, request: &OfferRequest) -> Result<OfferAnswer, Problem> {
        let inner = &self.inner;
        match tokio::time::timeout(ANSWER_LIMIT, inner.remote.answer_offer(inner.caller(), request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(RemoteFailure::Unreachable)) | Err(_) => Err(Problem::new("offer_offline")),
            Ok(Err(failure)) => Err(failure.into()),
        }
    }
}

/// What is said of a birth date that is known as far as `birth` has it.
fn request(code: FollowUpCode, birth: Birth, offer: OfferId, accept: bool) -> OfferRequest {
    let (year, month, day) = birth.said();
    OfferRequest { code, year, month, day, offer, accept }
}

/// The offer a registration has, while it may be answered.
pub(crate) fn view(inner: &Inner, tx: &Tx<'_>, id: RegistrationId) -> Result<Option<OfferView>, Problem> {
    Ok(tx.offer(id)?.filter(|offer| offer.until >= inner.today()).as_ref().map(shown))
}

/// People this kiosk registered who have an offer to answer.
pub(crate) fn to_tell(inner: &Inner, tx: &Tx<'_>) -> Result<Vec<ToTellView>, Problem> {
    let mut people = Vec::new();
    for id in tx.offers(inner.today(), TO_TELL)? {
        let (Some(paper), Some(visit), Some(offer)) = (tx.paper(id)?, tx.visit_of(id)?, tx.offer(id)?) else {
            continue;
        };
        let OfferView { slot_at, until, .. } = shown(&offer);
        let told = paper.registered.registration;
        let name = told.applicant.name_as_printed();
        let phone = told.applicant.contact.phone;
        let (kind, visit) = (ToTellKind::Offer, visit.to_string());
        people.push(ToTellView { kind, visit, lang: told.lang, name, phone, slot_at, until });
    }
    Ok(people)
}

pub(crate) fn shown(offer: &Offered) -> OfferView {
    OfferView {
        offer: offer.offer.to_string(),
        slot_at: offer.at.strftime("%Y-%m-%dT%H:%M").to_string(),
        until: offer.until.to_string(),
    }
}
