//! The fields a mediator fills, exactly as typed. Nothing here is checked: a draft
//! may be wrong or half empty and is saved all the same; `domain` judges it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything typed for one applicant. Field names are the `name=` of the inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DraftFields {
    /// BCP 47 code of the person's language, for the paper and the read-back.
    pub lang: String,
    pub family_names: String,
    pub given_names: String,
    pub birth: BirthFields,
    pub birth_place: String,
    /// ISO 3166-1 alpha-3, or `XXA` for a stateless person.
    pub nationality: String,
    /// AGDREF number, 9 or 10 digits, or empty.
    pub agdref: String,
    /// True when the person shows no identity document.
    pub declared: bool,
    pub contact: ContactFields,
    /// Present when the applicant is a minor or is represented.
    pub representative: Option<RepresentativeFields>,
    /// A procedure key from `Boot::procedures`.
    pub procedure: String,
    /// Present when a right may lapse.
    pub limit: Option<LimitFields>,
    /// Present when the permit to be renewed was asked about; for that procedure alone.
    pub renewal: Option<RenewalFields>,
    /// Days of notice with which any earlier date is taken without being asked; empty: asked first.
    pub accepts_earlier: String,
    /// Any site of the département may receive the person; asked only where there are others.
    pub department_wide: bool,
    /// The code on the paper of a registration that this one follows: the person has moved from the area
    /// of another site, or has another name since; or empty.
    pub moved: String,
    /// The name on that paper is another: takes a second mediator.
    pub renamed: bool,
    /// Present when people come together, or one person for several procedures.
    pub party: Option<PartyFields>,
}

/// A birth date as people know it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct BirthFields {
    pub form: BirthForm,
    pub day: String,
    pub month: String,
    pub year: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BirthForm {
    /// Day, month and year are known.
    #[default]
    Whole,
    /// Only the year is known.
    Year,
    /// Papers say 1 January because only the year was known.
    Customary,
}

/// How to reach the person. All optional: many have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct ContactFields {
    pub phone: String,
    pub email: String,
    pub postal: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct RepresentativeFields {
    pub family_names: String,
    pub given_names: String,
    /// `parent`, `guardian` or `child_welfare`.
    pub relation: String,
}

/// A right that may lapse, and what shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct LimitFields {
    /// A key from `Boot::limits`.
    pub right: String,
    /// Last useful day as `YYYY-MM-DD`; or empty when `days` is given, or for the eve of a birthday.
    pub last_day: String,
    /// Days from today (a court's "within N days"); or empty when `last_day` is given.
    pub days: String,
    /// What was shown: reference of the order, the permit's number of pages, …
    pub evidence: String,
}

/// What may be corrected once the date is given, all of it, exactly as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DetailFields {
    pub family_names: String,
    pub given_names: String,
    pub birth: BirthFields,
    /// ISO 3166-1 alpha-3, or `XXA` for a stateless person.
    pub nationality: String,
    /// BCP 47 code of the language of the paper.
    pub lang: String,
}

/// The same from a file: what is not in it stays as it stands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorrectionFields {
    pub family_names: Option<String>,
    pub given_names: Option<String>,
    pub birth: Option<BirthFields>,
    pub nationality: Option<String>,
    pub lang: Option<String>,
}

/// The permit to be renewed. Both empty is as good as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct RenewalFields {
    /// Its last day as `YYYY-MM-DD`.
    pub expires_on: String,
    /// `listed` (the renewal is asked for online, R.431-2), `other` or `unknown`; empty is unknown.
    pub regime: String,
}

/// The people of one visit, who are received on one day if that can be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct PartyFields {
    /// Dates still to be given, this one counted, 1 to 12; empty is 1.
    pub people: String,
    /// Follow-up code on the paper of the one before; empty for the first.
    pub with: String,
}

/// One field that keeps the draft from becoming a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FieldProblem {
    /// Dotted path in `DraftFields`, e.g. `birth.month`.
    pub field: String,
    /// Code of the sentence in errors.ftl.
    pub code: String,
    /// What the sentence needs (`max`): a limit, the signs meant, a day as `YYYY-MM-DD`; or empty.
    pub max: String,
}
