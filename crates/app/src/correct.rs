//! A person comes back with a name, a birth date or a nationality that was mistyped, or reads
//! another language better. The same place, date and code on a new paper, without a network too.
//! Never puts another person into a place: `domain::correction` judges, here and at central.

use crate::check;
use crate::contract::{BirthFields, BirthForm, CorrectionFields, DateView, DetailFields, Problem};
use crate::keep;
use crate::kiosk::{Inner, Kiosk};
use crate::{paper, visit};
use domain::birth::Birth;
use domain::correction::{self, CORRECTIONS_MAX, CorrectionRefusal, Details};
use domain::registration::Registration;
use domain::token::SignedToken;
use vault::{Paper, Tx};
use wire::body::{Body, Correction};

impl Kiosk {
    /// Corrects what the person of this visit is known by. What stands already changes nothing. On
    /// the disk when it returns, and the paper that is printed from then on says it.
    ///
    /// # Errors
    /// Nobody has unlocked, the visit has no date, a field is refused (`field` names it), the hour of
    /// the appointment is over, or the change is beyond what is a correction: the appointment stands.
    pub async fn correct(&self, visit: &str, details: DetailFields) -> Result<DateView, Problem> {
        let id = visit::visit_id(visit)?;
        let view = self
            .off(move |inner| {
                visit::with_paper(inner, id, |tx, paper| {
                    change(inner, tx, &paper, &details)?;
                    keep::date_view(inner, tx, id)
                })
            })
            .await?;
        self.inner.wake.notify_one();
        Ok(view)
    }

    /// The same for whoever has the paper's follow-up code and no window: what is not told stays.
    ///
    /// # Errors
    /// No paper of this kiosk has this code, or as [`Self::correct`].
    pub async fn correct_of(&self, code: &str, told: CorrectionFields) -> Result<DateView, Problem> {
        let (visit, registration) = self.visit_of(code).await?;
        let stands = fields(&registration);
        let details = DetailFields {
            family_names: told.family_names.unwrap_or(stands.family_names),
            given_names: told.given_names.unwrap_or(stands.given_names),
            birth: told.birth.unwrap_or(stands.birth),
            nationality: told.nationality.unwrap_or(stands.nationality),
            lang: told.lang.unwrap_or(stands.lang),
        };
        self.correct(&visit.to_string(), details).await
    }
}

fn change(inner: &Inner, tx: &Tx<'_>, paper: &Paper, fields: &DetailFields) -> Result<(), Problem> {
    let id = paper.registered.registration.id;
    let (details, lang) = check::details(fields, inner.today())?;
    let mut registered = paper.registered.clone();
    let registration = &mut registered.registration;
    let stands = Details::of(&registration.applicant);
    let person = stands != details;
    if !person && registration.lang == lang {
        return Ok(());
    }
    if person {
        let mut stood = tx.corrected(id)?;
        if stood.is_empty() {
            tx.keep_corrected(id, &stands)?;
            stood.push(stands);
        }
        let (first, since) = stood.split_first().ok_or_else(|| Problem::new("vault_damaged"))?;
        correction::judge(first, since, &details).map_err(refused)?;
        tx.keep_corrected(id, &details)?;
    }
    let (mediator, at) = (inner.session()?.mediator, inner.now());
    // The page and its seal name one person.
    if !paper::may_seal(paper, at) {
        return Err(Problem::new("correction_too_late"));
    }
    let said = Correction { registration: id, details: details.clone(), lang: lang.clone(), mediator, at };
    inner.append(tx, &Body::Correction(said), at)?;
    details.stand_in(&mut registration.applicant);
    registration.lang = lang;
    let token = paper.token.as_deref().and_then(SignedToken::from_bytes);
    let paper = paper::make(inner, registered, token, at, inner.world.bytes())?;
    Ok(tx.keep_paper(&paper)?)
}

/// What stands, as it would be typed.
pub(crate) fn fields(registration: &Registration) -> DetailFields {
    let applicant = &registration.applicant;
    let year_of = |form, year: i16| BirthFields { form, year: year.to_string(), ..BirthFields::default() };
    DetailFields {
        family_names: applicant.family_names.clone(),
        given_names: applicant.given_names.clone().unwrap_or_default(),
        birth: match applicant.birth {
            Birth::Whole { date } => BirthFields {
                day: date.day().to_string(),
                month: date.month().to_string(),
                ..year_of(BirthForm::Whole, date.year())
            },
            Birth::Year { year } => year_of(BirthForm::Year, year),
            Birth::Customary { year } => year_of(BirthForm::Customary, year),
        },
        nationality: applicant.nationality.code().to_owned(),
        lang: registration.lang.clone(),
    }
}

fn refused(refusal: CorrectionRefusal) -> Problem {
    let (field, code) = refusal.field_and_code();
    Problem::new(code).with("field", field).with("max", CORRECTIONS_MAX)
}
