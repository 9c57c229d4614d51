#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Messages and bodies as the first version wrote them, in `version-1/`: kept, never made anew. Today's
//! code reads each, and finds in it what it says.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use wire::body::{Body, Outcome};
use wire::messages::{
    Change, ChangesAnswer, DateAnswer, DateRequest, EnrolAnswer, EnrolRequest, FollowUpAnswer,
    FollowUpRequest, LeaseAnswer, LeaseRequest, PushAnswer, PushRequest, ReturnAnswer, ReturnRequest,
    SignedRoster, Told,
};
use wire::problem::Problem;
use wire::record::Acknowledgement;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/version-1")
}

/// What today's type makes of it, written again.
fn again<T: serde::Serialize + serde::de::DeserializeOwned>(value: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(value.clone()).unwrap()).unwrap()
}

/// Nothing the first version said is lost.
fn holds(now: &Value, then: &Value, place: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (key, value) in then {
                holds(now.get(key).unwrap_or(&Value::Null), value, &format!("{place}.{key}"));
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{place}");
            now.iter().zip(then).for_each(|(now, then)| holds(now, then, place));
        }
        _ => assert_eq!(now, then, "{place}"),
    }
}

#[test]
fn what_the_first_version_wrote_is_read() {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let text = std::fs::read_to_string(folder().join(&name)).unwrap();
        let then: Value = serde_json::from_str(&text).unwrap();
        let name = name.trim_end_matches(".json");
        let now = match name {
            "acknowledgement" => again::<Acknowledgement>(&then),
            "changes-answer" => again::<ChangesAnswer>(&then),
            "date-answer" => again::<DateAnswer>(&then),
            "date-request" => again::<DateRequest>(&then),
            "enrol-answer" => again::<EnrolAnswer>(&then),
            "enrol-request" => again::<EnrolRequest>(&then),
            "follow-up-answer" => again::<FollowUpAnswer>(&then),
            "follow-up-request" => again::<FollowUpRequest>(&then),
            "lease-answer" => again::<LeaseAnswer>(&then),
            "lease-request" => again::<LeaseRequest>(&then),
            "problem" => again::<Problem>(&then),
            "push-answer" | "push-answer-nothing" => again::<PushAnswer>(&then),
            "push-request" => again::<PushRequest>(&then),
            "return-answer" => again::<ReturnAnswer>(&then),
            "return-request" => again::<ReturnRequest>(&then),
            "signed-roster" => again::<SignedRoster>(&then),
            _ if name.starts_with("change-") => again::<Change>(&then),
            _ if name.starts_with("outcome-") => again::<Outcome>(&then),
            _ => {
                let kind = name.strip_prefix("body-").unwrap();
                let body = Body::read(kind, 1, text.as_bytes()).unwrap();
                serde_json::to_value(body).unwrap()
            }
        };
        holds(&now, &then, name);
        files.insert(name.to_owned());
    }
    assert!(files.len() >= 29, "none is taken away: {files:?}");
}

#[test]
fn what_a_later_version_adds_is_passed_over_or_waits() {
    let read = |name: &str| std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let mut pulled: Value = serde_json::from_str(&read("changes-answer")).unwrap();
    let known = pulled["changes"].as_array().unwrap().len();
    pulled["later"] = serde_json::json!({ "a": [1] });
    let changes = pulled["changes"].as_array_mut().unwrap();
    changes[0]["later"] = serde_json::json!(true);
    changes.insert(1, serde_json::json!({ "change": "offer", "until": "2027-01-01" }));
    let superseded = serde_json::json!({ "state": "superseded", "by": 7 });
    changes.push(serde_json::json!({ "change": "result", "incarnation": 1, "seq": 9, "hash": "04".repeat(32), "result": superseded }));
    let answer: ChangesAnswer = serde_json::from_value(pulled.clone()).unwrap();
    let later: Vec<&str> = answer
        .changes
        .iter()
        .filter_map(|told| match told {
            Told::Later(later) => Some(later.change.as_str()),
            Told::Known(_) => None,
        })
        .collect();
    assert_eq!((later, answer.changes.len()), (vec!["offer", "result"], known + 2));
    // What is no change at all is no answer of central's.
    pulled["changes"] = serde_json::json!([{ "what": 1 }]);
    assert!(serde_json::from_value::<ChangesAnswer>(pulled).is_err());

    // A registration with what this version does not know waits whole: none is half understood.
    let mut told: Value = serde_json::from_str(&read("body-registration")).unwrap();
    let known = |told: &Value| Body::read("registration", 1, told.to_string().as_bytes()).is_some();
    told["registration"]["renewal"] = serde_json::json!({ "expires_on": "2027-06-30", "regime": "other" });
    assert!(known(&told));
    told["registration"]["renewal"]["regime"] = serde_json::json!("later");
    assert!(!known(&told));

    // A body is read only under the kind and schema of its header.
    let print = read("body-print");
    assert!(Body::read("print", 1, print.as_bytes()).is_some());
    for (kind, schema) in [("print", 2), ("print", 0), ("release", 1), ("printed", 1)] {
        assert!(Body::read(kind, schema, print.as_bytes()).is_none(), "{kind} {schema}");
    }
}
