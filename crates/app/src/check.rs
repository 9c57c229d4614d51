//! From what was typed to a registration, or the list of fields that stand in the way.
//! The rules are `domain`'s; this only names the fields.

use crate::contract::{
    BirthFields, BirthForm, ContactFields, DetailFields, DraftFields, FieldProblem, PartyFields, Problem,
    RenewalFields, RepresentativeFields,
};
use domain::applicant::{
    Agdref, Applicant, Contact, Identity, NAME_MAX, Nationality, POSTAL_MAX, Relation, Representative,
    is_email, is_phone,
};
use domain::birth::{Birth, BirthRefusal};
use domain::code::FollowUpCode;
use domain::correction::Details;
use domain::ids::MediatorId;
use domain::limit::{self, TimeLimit};
use domain::offer::{NoticeDays, NoticeRefusal};
use domain::party;
use domain::procedure::Procedure;
use domain::renewal::{self, Renewal, RenewalRefusal};
use domain::text::{self, TextRefusal};
use jiff::civil::Date;

/// Largest draft kept, in bytes of JSON.
pub(crate) const DRAFT_BYTES: usize = 64 * 1024;

/// Signs a refusal names at most.
const SIGNS_NAMED: usize = 6;

/// What a complete draft says.
pub(crate) struct Checked {
    pub applicant: Applicant,
    pub procedure: Procedure,
    pub limit: Option<TimeLimit>,
    pub renewal: Option<Renewal>,
    pub accepts_earlier: Option<NoticeDays>,
    pub department_wide: bool,
    pub coming: Option<Coming>,
    /// The paper that the registration follows.
    pub moved: Option<FollowUpCode>,
    /// Who vouches beside the mediator that the person of that paper has another name since.
    pub witness: Option<MediatorId>,
    pub lang: String,
}

/// Who comes with the person, as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coming {
    /// Dates still to be given, this one counted.
    pub people: u8,
    /// The paper of the one before.
    pub with: Option<FollowUpCode>,
}

/// Judges a whole draft; every fault is listed, not the first only.
pub(crate) fn check(fields: &DraftFields, today: Date) -> Result<Checked, Vec<FieldProblem>> {
    let mut faults = Faults::default();
    let family_names = faults.line("family_names", &fields.family_names, NAME_MAX);
    let family_names = faults.printed("family_names", family_names);
    let given_names = faults.optional("given_names", &fields.given_names, NAME_MAX);
    let given_names = faults.printed("given_names", given_names);
    let birth = faults.birth(&fields.birth, today);
    let birth_place = faults.optional("birth_place", &fields.birth_place, NAME_MAX);
    let birth_place = faults.printed("birth_place", birth_place);
    let nationality = faults.nationality(&fields.nationality);
    let agdref = match fields.agdref.trim() {
        "" => None,
        number => Agdref::parse(number).or_else(|| faults.add("agdref", "bad_agdref", 0)),
    };
    let contact = faults.contact(&fields.contact);
    let representative = fields.representative.as_ref().and_then(|r| faults.representative(r));
    let procedure = match Procedure::parse(&fields.procedure) {
        Some(procedure) => Some(procedure),
        None if fields.procedure.is_empty() => faults.add("procedure", "empty", 0),
        None => faults.add("procedure", "unknown_procedure", 0),
    };
    let limit = fields.limit.as_ref().and_then(|limit| {
        let last_day = limit::day_said(&limit.right, (&limit.last_day, &limit.days), birth.as_ref());
        TimeLimit::declared(&limit.right, &last_day, &limit.days, &limit.evidence, today)
            .map_err(|refusal| {
                let (field, code) = refusal.field_and_code();
                faults.add::<()>(&format!("limit.{field}"), code, domain::limit::EVIDENCE_MAX);
            })
            .ok()
    });
    let renewal = fields
        .renewal
        .as_ref()
        .and_then(|said| faults.renewal(said, &fields.procedure, limit.as_ref(), today));
    let accepts_earlier =
        NoticeDays::parse(&fields.accepts_earlier).map_err(|refusal| faults.notice(refusal)).ok().flatten();
    let coming = fields.party.as_ref().and_then(|said| faults.party(said));
    if coming.is_some() && accepts_earlier.is_some() {
        // One of them alone would be moved.
        faults.add::<()>("accepts_earlier", "notice_together", 0);
    }
    if coming.is_some() && fields.department_wide {
        // They are received together where they registered.
        faults.add::<()>("department_wide", "department_together", 0);
    }
    let moved = match fields.moved.trim() {
        "" => None,
        code => FollowUpCode::parse(code).or_else(|| faults.add("moved", "bad_follow_up_code", 0)),
    };
    if fields.renamed && fields.moved.trim().is_empty() {
        faults.add::<()>("moved", "empty", 0);
    }
    let lang = faults.lang(&fields.lang);
    match (family_names, birth, nationality, procedure, lang) {
        (Some(family_names), Some(birth), Some(nationality), Some(procedure), Some(lang))
            if faults.0.is_empty() =>
        {
            let identity = if fields.declared { Identity::Declared } else { Identity::Document };
            let applicant = Applicant {
                family_names,
                given_names,
                birth,
                birth_place,
                nationality,
                agdref,
                identity,
                contact,
                representative,
            };
            let department_wide = fields.department_wide;
            Ok(Checked {
                applicant,
                procedure,
                limit,
                renewal,
                accepts_earlier,
                department_wide,
                coming,
                moved,
                witness: None,
                lang,
            })
        }
        _ => Err(faults.0),
    }
}

/// What a correction says and the language of the paper; the first fault is told.
pub(crate) fn details(fields: &DetailFields, today: Date) -> Result<(Details, String), Problem> {
    let mut faults = Faults::default();
    let family_names = faults.line("family_names", &fields.family_names, NAME_MAX);
    let family_names = faults.printed("family_names", family_names);
    let given_names = faults.optional("given_names", &fields.given_names, NAME_MAX);
    let given_names = faults.printed("given_names", given_names);
    let birth = faults.birth(&fields.birth, today);
    let nationality = faults.nationality(&fields.nationality);
    let lang = faults.lang(&fields.lang);
    match (family_names, birth, nationality, lang, faults.0.into_iter().next()) {
        (Some(family_names), Some(birth), Some(nationality), Some(lang), None) => {
            Ok((Details { family_names, given_names, birth, nationality }, lang))
        }
        (.., Some(fault)) => Err(Problem::new(&fault.code).with("field", fault.field).with("max", fault.max)),
        (.., None) => Err(Problem::new("unknown")),
    }
}

/// A field that stands in the way, whatever its limits.
pub(crate) fn fault(field: &str, code: &str) -> FieldProblem {
    FieldProblem { field: field.to_owned(), code: code.to_owned(), max: String::new() }
}

#[derive(Default)]
struct Faults(Vec<FieldProblem>);

impl Faults {
    fn add<T>(&mut self, field: &str, code: &str, max: usize) -> Option<T> {
        let max = if code == "too_long" { max.to_string() } else { String::new() };
        self.0.push(FieldProblem { field: field.to_owned(), code: code.to_owned(), max });
        None
    }

    fn line(&mut self, field: &str, value: &str, max: usize) -> Option<String> {
        text::one_line(value, max).map_err(|refusal| self.refused(field, refusal, max)).ok()
    }

    fn optional(&mut self, field: &str, value: &str, max: usize) -> Option<String> {
        text::optional_line(value, max).map_err(|refusal| self.refused(field, refusal, max)).ok().flatten()
    }

    /// A value that stands on the paper: every sign of it must have a shape there.
    fn printed(&mut self, field: &str, value: Option<String>) -> Option<String> {
        let value = value?;
        let missing = letter::unprintable(&value, SIGNS_NAMED);
        if missing.is_empty() {
            return Some(value);
        }
        self.0.push(FieldProblem { field: field.to_owned(), code: "unprintable".to_owned(), max: missing });
        None
    }

    fn refused(&mut self, field: &str, refusal: TextRefusal, max: usize) {
        self.add::<()>(field, refusal.code(), max);
    }

    fn notice(&mut self, refusal: NoticeRefusal) {
        let (code, days) = refusal.code();
        let max = if days == 0 { String::new() } else { days.to_string() };
        self.0.push(FieldProblem { field: "accepts_earlier".to_owned(), code: code.to_owned(), max });
    }

    fn party(&mut self, said: &PartyFields) -> Option<Coming> {
        let max = usize::from(party::PEOPLE_MAX);
        let people = match said.people.trim() {
            "" => Some(1),
            text => text.parse::<u8>().ok().filter(|people| (1..=party::PEOPLE_MAX).contains(people)),
        };
        let people = people.or_else(|| {
            let max = max.to_string();
            self.0.push(FieldProblem { field: "party.people".into(), code: "party_people".into(), max });
            None
        });
        let with = match said.with.trim() {
            "" => None,
            code => Some(FollowUpCode::parse(code).or_else(|| self.add("party.with", "party_with", 0))?),
        };
        let people = people?;
        (people > 1 || with.is_some()).then_some(Coming { people, with })
    }

    fn birth(&mut self, fields: &BirthFields, today: Date) -> Option<Birth> {
        let birth = match fields.form {
            BirthForm::Whole => Birth::whole(&fields.day, &fields.month, &fields.year, today),
            BirthForm::Year => Birth::year(&fields.year, today),
            BirthForm::Customary => Birth::customary(&fields.year, today),
        };
        birth
            .map_err(|refusal| {
                let field = if refusal == BirthRefusal::BadDate { "birth.day" } else { "birth.year" };
                let code = if fields.year.trim().is_empty() { "empty" } else { refusal.code() };
                self.add::<()>(field, code, 0);
            })
            .ok()
    }

    fn nationality(&mut self, code: &str) -> Option<Nationality> {
        match Nationality::parse(code) {
            Some(nationality) => Some(nationality),
            None if code.is_empty() => self.add("nationality", "empty", 0),
            None => self.add("nationality", "unknown_nationality", 0),
        }
    }

    fn lang(&mut self, code: &str) -> Option<String> {
        let lang = l10n::Lang::parse(code).map(|lang| lang.code().to_owned());
        lang.or_else(|| self.add("lang", "empty", 0))
    }

    fn renewal(
        &mut self,
        fields: &RenewalFields,
        procedure: &str,
        limit: Option<&TimeLimit>,
        today: Date,
    ) -> Option<Renewal> {
        let declared = Renewal::declared(&fields.expires_on, &fields.regime, today).and_then(|declared| {
            declared.map(|renewal| renewal.within_reach(limit, today).map(|()| renewal)).transpose()
        });
        match declared {
            // No procedure is told by its own name.
            Ok(Some(_)) if procedure != renewal::PROCEDURE && !procedure.is_empty() => {
                self.add("renewal.expires_on", "not_a_renewal", 0)
            }
            Ok(declared) => declared,
            Err(refusal) => {
                let (field, code) = refusal.field_and_code();
                let max = match refusal {
                    RenewalRefusal::OpensFarAhead(from) => from.to_string(),
                    _ => String::new(),
                };
                self.0.push(FieldProblem { field: format!("renewal.{field}"), code: code.to_owned(), max });
                None
            }
        }
    }

    fn contact(&mut self, fields: &ContactFields) -> Contact {
        let phone = self.optional("contact.phone", &fields.phone, NAME_MAX);
        let email = self.optional("contact.email", &fields.email, NAME_MAX);
        let postal = self.optional("contact.postal", &fields.postal, POSTAL_MAX);
        if phone.as_deref().is_some_and(|phone| !is_phone(phone)) {
            self.add::<()>("contact.phone", "bad_phone", 0);
        }
        if email.as_deref().is_some_and(|email| !is_email(email)) {
            self.add::<()>("contact.email", "bad_email", 0);
        }
        Contact { phone, email, postal }
    }

    fn representative(&mut self, fields: &RepresentativeFields) -> Option<Representative> {
        let family_names = self.line("representative.family_names", &fields.family_names, NAME_MAX);
        let family_names = self.printed("representative.family_names", family_names);
        let given_names = self.optional("representative.given_names", &fields.given_names, NAME_MAX);
        let given_names = self.printed("representative.given_names", given_names);
        let relation = Relation::parse(&fields.relation)
            .or_else(|| self.add("representative.relation", "relation_missing", 0));
        Some(Representative { family_names: family_names?, given_names, relation: relation? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::LimitFields;
    use jiff::civil::date;

    const TODAY: Date = date(2027, 3, 1);

    fn whole() -> DraftFields {
        DraftFields {
            lang: "ar".into(),
            family_names: "TRAORÉ".into(),
            given_names: "Aïssata".into(),
            birth: BirthFields {
                day: "14".into(),
                month: "3".into(),
                year: "1991".into(),
                ..Default::default()
            },
            nationality: "MLI".into(),
            procedure: "renewal".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_whole_draft_passes_and_an_empty_one_names_each_field() {
        assert!(check(&whole(), TODAY).is_ok());
        let faults = check(&DraftFields::default(), TODAY).err().unwrap();
        let named: Vec<_> = faults.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(named, ["family_names", "birth.year", "nationality", "procedure", "lang"]);
        assert!(faults.iter().all(|f| f.code == "empty"));
    }

    #[test]
    fn a_birthday_s_limit_is_read_from_the_birth_date() {
        let limited = |form, year: &str, last_day: &str| {
            let birth = BirthFields { form, day: "14".into(), month: "3".into(), year: year.into() };
            let (right, evidence) = ("birthday_18".to_owned(), "passport".to_owned());
            let limit = Some(LimitFields { right, last_day: last_day.into(), days: String::new(), evidence });
            let checked = check(&DraftFields { birth, limit, ..whole() }, TODAY);
            checked
                .map(|checked| checked.limit.unwrap().last_day.to_string())
                .map_err(|faults| (faults[0].field.clone(), faults[0].code.clone()))
        };
        let refused = |code: &str| Err(("limit.last_day".to_owned(), code.to_owned()));
        assert_eq!(limited(BirthForm::Whole, "2009", ""), Ok("2027-03-13".to_owned()));
        assert_eq!(limited(BirthForm::Whole, "2009", "2027-03-10"), Ok("2027-03-10".to_owned()));
        assert_eq!(limited(BirthForm::Whole, "1991", ""), refused("limit_passed"));
        // Of a year alone nobody knows the eve: it is asked for.
        assert_eq!(limited(BirthForm::Year, "2009", ""), refused("limit_missing"));
    }

    /// The three standings, by what they bound: only a filing that has not opened moves a date.
    #[test]
    fn a_permits_end_is_kept_or_refused_by_name() {
        let said = |expires_on: &str, regime: &str, procedure: &str| {
            let renewal = Some(RenewalFields { expires_on: expires_on.into(), regime: regime.into() });
            let checked = check(&DraftFields { renewal, procedure: procedure.into(), ..whole() }, TODAY);
            checked
                .map(|checked| checked.renewal.map(|renewal| renewal.expires_on.to_string()))
                .map_err(|mut faults| (faults.len(), faults.remove(0)))
        };
        for taken in ["2027-12-31", "2027-04-15", "2026-12-31"] {
            assert_eq!(said(taken, "other", "renewal"), Ok(Some(taken.to_owned())));
        }
        assert_eq!(said("", "", "renewal"), Ok(None));
        assert_eq!(said("", "", "duplicate"), Ok(None), "nothing was said");
        for (day, regime, procedure, field, code, max) in [
            ("2027-12-31", "other", "duplicate", "expires_on", "not_a_renewal", ""),
            ("31/12/2027", "other", "renewal", "expires_on", "bad_date", ""),
            ("9027-12-31", "other", "renewal", "expires_on", "expiry_far", ""),
            ("-009999-01-01", "other", "renewal", "expires_on", "expiry_far", ""),
            ("", "listed", "renewal", "expires_on", "expiry_missing", ""),
            ("2027-12-31", "yes", "renewal", "regime", "unknown_regime", ""),
            ("2029-12-31", "other", "renewal", "expires_on", "opens_far_ahead", "2028-11-30"),
        ] {
            let fault =
                FieldProblem { field: format!("renewal.{field}"), code: code.into(), max: max.into() };
            assert_eq!(said(day, regime, procedure), Err((1, fault)), "{day} {regime}");
        }
    }

    #[test]
    fn days_of_notice_are_kept_or_refused_by_name() {
        let said = |days: &str| {
            let checked = check(&DraftFields { accepts_earlier: days.into(), ..whole() }, TODAY);
            checked
                .map(|checked| checked.accepts_earlier.map(NoticeDays::days))
                .map_err(|mut faults| (faults.len(), faults.remove(0)))
        };
        assert_eq!((said(""), said(" 14 ")), (Ok(None), Ok(Some(14))));
        for (days, code, max) in
            [("2", "notice_short", "3"), ("61", "notice_long", "60"), ("bientôt", "bad_days", "")]
        {
            let fault = FieldProblem { field: "accepts_earlier".into(), code: code.into(), max: max.into() };
            assert_eq!(said(days), Err((1, fault)), "{days}");
        }
    }

    #[test]
    fn hostile_values_are_kept_exactly_or_refused_by_name() {
        let exact =
            DraftFields { family_names: "'; DROP TABLE x;-- <script>alert(1)</script>".into(), ..whole() };
        let checked = check(&exact, TODAY).ok().unwrap();
        assert_eq!(checked.applicant.family_names, exact.family_names);
        for (value, code) in [
            ("a\u{202e}b", "bidi_override"),
            ("a\u{7}b", "control_character"),
            (&"x".repeat(201), "too_long"),
            ("😀", "unprintable"),
            ("李小龍", "unprintable"),
        ] {
            let faults = check(&DraftFields { given_names: value.into(), ..whole() }, TODAY).err().unwrap();
            assert_eq!((faults[0].field.as_str(), faults[0].code.as_str()), ("given_names", code));
        }
    }
}
