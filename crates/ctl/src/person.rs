//! The files of `register`, `limit` and `correct`: what is no field, or not what a field takes, is told by the field's
//! name. Never repeats what stands in a field: it may be a name.

use app::contract::{CorrectionFields, DraftFields, LimitFields, Problem};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Longest name of a field that is repeated, in characters.
const NAME_MAX: usize = 60;

/// What a field takes.
enum Takes {
    Text,
    /// Digits, with quotation marks or without.
    Number,
    YesNo,
    OneOf(&'static [&'static str]),
    Fields(Fields),
}

type Fields = &'static [(&'static str, Takes)];

const LIMIT: Fields = &[
    (
        "right",
        Takes::OneOf(&[
            "protection_order",
            "court_injunction",
            "permit_expiry",
            "visa_expiry",
            "attestation_expiry",
            "birthday_18",
            "birthday_19",
        ]),
    ),
    ("last_day", Takes::Text),
    ("days", Takes::Number),
    ("evidence", Takes::Text),
];

const BIRTH: Fields = &[
    ("form", Takes::OneOf(&["whole", "year", "customary"])),
    ("day", Takes::Number),
    ("month", Takes::Number),
    ("year", Takes::Number),
];

const CORRECTION: Fields = &[
    ("lang", Takes::Text),
    ("family_names", Takes::Text),
    ("given_names", Takes::Text),
    ("birth", Takes::Fields(BIRTH)),
    ("nationality", Takes::Text),
];

const PERSON: Fields = &[
    ("lang", Takes::Text),
    ("family_names", Takes::Text),
    ("given_names", Takes::Text),
    ("birth", Takes::Fields(BIRTH)),
    ("birth_place", Takes::Text),
    ("nationality", Takes::Text),
    ("agdref", Takes::Text),
    ("declared", Takes::YesNo),
    ("contact", Takes::Fields(&[("phone", Takes::Text), ("email", Takes::Text), ("postal", Takes::Text)])),
    (
        "representative",
        Takes::Fields(&[
            ("family_names", Takes::Text),
            ("given_names", Takes::Text),
            ("relation", Takes::OneOf(&["parent", "guardian", "child_welfare"])),
        ]),
    ),
    ("procedure", Takes::Text),
    ("limit", Takes::Fields(LIMIT)),
    (
        "renewal",
        Takes::Fields(&[
            ("expires_on", Takes::Text),
            ("regime", Takes::OneOf(&["listed", "other", "unknown"])),
        ]),
    ),
    ("accepts_earlier", Takes::Number),
    ("department_wide", Takes::YesNo),
    ("moved", Takes::Text),
    ("renamed", Takes::YesNo),
    ("party", Takes::Fields(&[("people", Takes::Number), ("with", Takes::Text)])),
];

/// Why a file is not these fields.
pub(crate) enum NotFields {
    /// No JSON, from this line and column on.
    NotJson(usize, usize),
    /// Field by field, with the sentence of each.
    Wrong(Vec<Problem>),
}

/// A person's fields.
///
/// # Errors
/// See [`NotFields`].
pub(crate) fn read(bytes: &[u8]) -> Result<DraftFields, NotFields> {
    read_as(bytes, PERSON)
}

/// A time limit's fields.
///
/// # Errors
/// See [`NotFields`].
pub(crate) fn limit(bytes: &[u8]) -> Result<LimitFields, NotFields> {
    read_as(bytes, LIMIT)
}

/// What is corrected: a field that is not there stays as it stands.
///
/// # Errors
/// See [`NotFields`].
pub(crate) fn correction(bytes: &[u8]) -> Result<CorrectionFields, NotFields> {
    read_as(bytes, CORRECTION)
}

fn read_as<T: DeserializeOwned>(bytes: &[u8], known: Fields) -> Result<T, NotFields> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| NotFields::NotJson(error.line(), error.column()))?;
    let mut wrong = Vec::new();
    let Value::Object(given) = value else {
        return Err(NotFields::Wrong(vec![Problem::new("field_not_fields").with("field", "{ … }")]));
    };
    let fields = fields(given, known, "", &mut wrong);
    if wrong.is_empty() {
        serde_json::from_value(fields).map_err(|_| NotFields::NotJson(0, 0))
    } else {
        Err(NotFields::Wrong(wrong))
    }
}

fn fields(given: Map<String, Value>, known: Fields, above: &str, wrong: &mut Vec<Problem>) -> Value {
    let mut taken = Map::new();
    for (name, value) in given {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        let path = if above.is_empty() { shown } else { format!("{above}.{shown}") };
        let Some((name, takes)) = known.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            wrong.push(Problem::new("field_unknown").with("field", path).with("fields", names.join(", ")));
            continue;
        };
        // As if it were not there.
        if value.is_null() {
            continue;
        }
        let told = |code: &str| Problem::new(code).with("field", &path);
        match (takes, value) {
            (Takes::Fields(known), Value::Object(given)) => {
                taken.insert((*name).to_owned(), fields(given, known, &path, wrong));
            }
            (Takes::Text | Takes::Number, text @ Value::String(_))
            | (Takes::YesNo, text @ Value::Bool(_)) => {
                taken.insert((*name).to_owned(), text);
            }
            (Takes::Number, Value::Number(number)) if number.is_u64() => {
                taken.insert((*name).to_owned(), json!(number.to_string()));
            }
            // An empty one is told as missing, beside the others.
            (Takes::OneOf(words), Value::String(text)) if words.contains(&text.as_str()) => {
                taken.insert((*name).to_owned(), Value::String(text));
            }
            (Takes::OneOf(words), _) => {
                wrong.push(told("field_not_one_of").with("words", words.join(", ")));
            }
            (Takes::Text, _) => wrong.push(told("field_not_text")),
            (Takes::Number, _) => wrong.push(told("field_not_number")),
            (Takes::YesNo, _) => wrong.push(told("field_not_yes_no")),
            (Takes::Fields(_), _) => wrong.push(told("field_not_fields")),
        }
    }
    Value::Object(taken)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
    use super::*;

    #[test]
    fn each_wrong_field_is_told_by_its_name_and_by_what_it_takes() {
        for (text, code, field) in [
            (r#"{"family_names": ["DIALLO"]}"#, "field_not_text", "family_names"),
            (r#"{"declared": "yes"}"#, "field_not_yes_no", "declared"),
            (r#"{"birth": {"day": 2.5}}"#, "field_not_number", "birth.day"),
            (r#"{"birth": {"day": -2}}"#, "field_not_number", "birth.day"),
            (r#"{"birth": ["2", "5", "1990"]}"#, "field_not_fields", "birth"),
            (r#"{"birth": {"form": "moon"}}"#, "field_not_one_of", "birth.form"),
            (r#"{"limit": {"day": 5}}"#, "field_unknown", "limit.day"),
            (r#"{"renewal": {"expires_on": 20271231}}"#, "field_not_text", "renewal.expires_on"),
            (r#"{"renewal": {"regime": true}}"#, "field_not_one_of", "renewal.regime"),
            (r#"{"renewal": {"opens": "2027-12-31"}}"#, "field_unknown", "renewal.opens"),
            (r#"{"renewal": "2027-12-31"}"#, "field_not_fields", "renewal"),
            (r#"{"oops": 1}"#, "field_unknown", "oops"),
            (r#"["fr", "DIALLO"]"#, "field_not_fields", "{ … }"),
        ] {
            let Err(NotFields::Wrong(wrong)) = read(text.as_bytes()) else { panic!("{text}") };
            assert_eq!((wrong[0].code.as_str(), wrong[0].args["field"].as_str()), (code, field), "{text}");
            assert!(!wrong.iter().any(|problem| problem.args.values().any(|v| v.contains("DIALLO"))));
        }
        let Err(NotFields::Wrong(both)) = read(br#"{"oops": 1, "lang": 2}"#) else { panic!() };
        assert_eq!(both.len(), 2);
        assert!(matches!(read(b"{"), Err(NotFields::NotJson(1, 1))));
    }

    #[test]
    fn a_number_may_stand_with_quotation_marks_or_without() {
        let text =
            r#"{"birth": {"day": 2, "month": "5", "year": 1990}, "limit": {"days": 5}, "contact": null}"#;
        let Ok(fields) = read(text.as_bytes()) else { panic!() };
        assert_eq!((fields.birth.day.as_str(), fields.birth.month.as_str()), ("2", "5"));
        assert_eq!((fields.birth.year.as_str(), fields.limit.unwrap().days.as_str()), ("1990", "5"));
    }

    #[test]
    fn a_limit_by_itself_has_its_own_fields_and_no_persons() {
        let Ok(said) = limit(br#"{"right": "court_injunction", "days": 40, "evidence": "TA 1"}"#) else {
            panic!()
        };
        assert_eq!(
            (said.right.as_str(), said.days.as_str(), said.evidence.as_str()),
            ("court_injunction", "40", "TA 1")
        );
        for (text, code) in [
            (r#"{"family_names": "DIALLO"}"#, "field_unknown"),
            (r#"{"right": "moon"}"#, "field_not_one_of"),
            (r#"{"last_day": 20271231}"#, "field_not_text"),
        ] {
            let Err(NotFields::Wrong(wrong)) = limit(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(wrong[0].code, code, "{text}");
        }
    }

    #[test]
    fn a_correction_has_what_may_be_corrected_and_nothing_else() {
        let Ok(said) = correction(br#"{"given_names": "", "birth": {"year": 1990}}"#) else { panic!() };
        assert_eq!((said.family_names, said.given_names.as_deref()), (None, Some("")));
        assert_eq!(said.birth.unwrap().year, "1990");
        for text in [r#"{"agdref": "1"}"#, r#"{"procedure": "renewal"}"#, r#"{"birth_place": "x"}"#] {
            let Err(NotFields::Wrong(wrong)) = correction(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(wrong[0].code, "field_unknown", "{text}");
        }
    }

    /// A field the window gains is one of the file too.
    #[test]
    fn every_field_of_the_window_is_known() {
        let Value::Object(all) = serde_json::to_value(DraftFields::default()).unwrap() else { panic!() };
        let known: Vec<&str> = PERSON.iter().map(|(name, _)| *name).collect();
        let mut named: Vec<&str> = all.keys().map(String::as_str).collect();
        named.sort_unstable();
        let mut sorted = known.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, named);
    }
}
