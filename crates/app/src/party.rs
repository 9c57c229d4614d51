//! The people of one visit: the next one is begun from the one before, and asks to be received with
//! them. Knows those this kiosk has registered; never moves a date that was given.

use crate::check::Coming;
use crate::contract::{
    ContactFields, DraftFields, DraftView, FieldProblem, PartyFields, Problem, RepresentativeFields,
};
use crate::kiosk::Kiosk;
use crate::{correct, visit};
use domain::applicant::{Applicant, Identity};
use domain::ids::RegistrationId;
use domain::party::{PEOPLE_MAX, Party};
use domain::registration::Registration;
use domain::token::SignedToken;
use vault::{Tx, VaultFailure, VisitState};

impl Kiosk {
    /// Begins the visit of the next one who comes with a person that has a date, and ends theirs:
    /// somebody of their family, or the same person for another procedure.
    ///
    /// # Errors
    /// The visit has no date yet, or is not there; the party is full; no room for another visit.
    pub async fn next_of_visit(&self, visit: &str, same_person: bool) -> Result<DraftView, Problem> {
        let before = visit::visit_id(visit)?;
        let view = self
            .off(move |inner| {
                let begin = visit::Begin::new(inner)?;
                inner.vault.transact(|tx| {
                    let kept = tx.visit(before)?.ok_or_else(|| Problem::new("no_visit"))?;
                    match kept.state {
                        VisitState::Kept => tx.finish_visit(before)?,
                        // They came back with their paper.
                        VisitState::Finished => {}
                        VisitState::Draft | VisitState::Asking => {
                            return Err(Problem::new("draft_incomplete"));
                        }
                    }
                    let id = kept.registration.ok_or_else(|| Problem::new("draft_incomplete"))?;
                    let paper = tx.paper(id)?.ok_or_else(|| Problem::new("draft_incomplete"))?;
                    let fields = fields(&paper.registered.registration, same_person);
                    begin.with(inner, tx, &fields)
                })
            })
            .await?;
        self.inner.wake.notify_one();
        Ok(view)
    }
}

/// What is known of the next one before anything is typed.
fn fields(before: &Registration, same_person: bool) -> DraftFields {
    let applicant = &before.applicant;
    let stands = correct::fields(before);
    let still = before.party.as_ref().map_or(1, |party| party.people.saturating_sub(1).max(1));
    let party = PartyFields { people: still.to_string(), with: before.code.to_string() };
    let family = DraftFields {
        lang: stands.lang,
        family_names: stands.family_names,
        nationality: stands.nationality,
        contact: contact(applicant),
        party: Some(party),
        ..DraftFields::default()
    };
    if !same_person {
        return family;
    }
    let representative = applicant.representative.as_ref().map(|one| RepresentativeFields {
        family_names: one.family_names.clone(),
        given_names: one.given_names.clone().unwrap_or_default(),
        relation: one.relation.key().to_owned(),
    });
    DraftFields {
        given_names: stands.given_names,
        birth: stands.birth,
        birth_place: applicant.birth_place.clone().unwrap_or_default(),
        agdref: applicant.agdref.as_ref().map(|number| number.as_str().to_owned()).unwrap_or_default(),
        declared: applicant.identity == Identity::Declared,
        representative,
        ..family
    }
}

fn contact(applicant: &Applicant) -> ContactFields {
    let contact = applicant.contact.clone();
    ContactFields {
        phone: contact.phone.unwrap_or_default(),
        email: contact.email.unwrap_or_default(),
        postal: contact.postal.unwrap_or_default(),
    }
}

/// The party of somebody who said whom they come with: `id` is their own registration.
///
/// # Errors
/// The field that stands in the way, in the `Ok`; the vault fails.
pub(crate) fn of(
    tx: &Tx<'_>,
    coming: Option<Coming>,
    id: RegistrationId,
) -> Result<Result<Option<Party>, FieldProblem>, VaultFailure> {
    let Some(coming) = coming else { return Ok(Ok(None)) };
    let Some(code) = coming.with else { return Ok(Ok(Party::begun(id, coming.people))) };
    let refused = |field: &str, code: &str, max: String| {
        Ok(Err(FieldProblem { field: format!("party.{field}"), code: code.into(), max }))
    };
    let Some(paper) = tx.paper_by_code(code)? else { return refused("with", "party_with", String::new()) };
    let before = &paper.registered.registration;
    let stands = tx.cancelled(before.id)?.is_none();
    let at = paper.token.as_deref().filter(|_| stands).and_then(SignedToken::from_bytes);
    let party =
        Party::after((before.id, before.party.as_ref()), at.map(|signed| signed.token.at), coming.people);
    match party {
        Some(party) => Ok(Ok(Some(party))),
        None => refused("people", "party_people", PEOPLE_MAX.to_string()),
    }
}
