//! One applicant's request for one procedure, complete and checked: what a kiosk keeps,
//! what central receives, what the papers are made from.

use crate::applicant::Applicant;
use crate::assign::Window;
use crate::code::FollowUpCode;
use crate::ids::{MediatorId, RegistrationId, SiteId};
use crate::limit::TimeLimit;
use crate::offer::NoticeDays;
use crate::party::Party;
use crate::place::{Class, PlaceKey};
use crate::procedure::Procedure;
use crate::renewal::Renewal;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub id: RegistrationId,
    pub code: FollowUpCode,
    pub site: SiteId,
    pub procedure: Procedure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<TimeLimit>,
    /// The permit to be renewed, where its end was told: no date before filing opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
    /// They take any earlier date without being asked, with so many days' notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepts_earlier: Option<NoticeDays>,
    /// Any site of the département may receive them: the one with the earliest date does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub department_wide: bool,
    /// Who comes with them, where they asked to be received together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    /// The paper that it follows: the person has moved from the area of another site, or has another
    /// name since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<FollowUpCode>,
    /// A second mediator, unlocked beside the first: both saw what shows that the person of that paper
    /// has this name now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<MediatorId>,
    pub applicant: Applicant,
    /// BCP 47 code of the language the person reads.
    pub lang: String,
    pub registered_at: Timestamp,
    /// The civil day at the site when it was registered.
    pub registered_on: Date,
    pub mediator: MediatorId,
}

impl Registration {
    #[must_use]
    pub fn class(&self) -> Class {
        if self.limit.is_some() { Class::WithTimeLimit } else { Class::Ordinary }
    }

    /// Do two mediators say that the person of the paper followed has another name since? One of them
    /// twice is one.
    #[must_use]
    pub fn is_renamed(&self) -> bool {
        self.moved.is_some() && self.witness.as_ref().is_some_and(|second| *second != self.mediator)
    }

    /// The same person, whoever came with them.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self { party: None, ..self.clone() }
    }

    #[must_use]
    pub fn place(&self) -> PlaceKey {
        PlaceKey::new(self.class(), self.registered_at, self.id)
    }

    /// The days between which its date must lie, and what it must serve.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window_from(self.registered_on)
    }

    /// The same as if it were registered on `day`.
    #[must_use]
    pub fn window_from(&self, day: Date) -> Window {
        let mut window = Window::new(day, self.limit.as_ref()).for_procedure(self.procedure);
        if let Some(opens) = self.opening() {
            window.earliest = window.earliest.max(opens);
        }
        window
    }

    /// The day filing opens that its date waits for: it had not when the person was registered.
    #[must_use]
    pub fn waits_for(&self) -> Option<Date> {
        self.opening().filter(|opens| *opens > self.registered_on)
    }

    fn opening(&self) -> Option<Date> {
        self.renewal.as_ref()?.opens(self.limit.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use serde_json::json;

    fn registered(more: &serde_json::Value) -> Registration {
        let mut text = json!({
            "id": "06".repeat(16), "code": FollowUpCode::from_random([7; 8]), "site": "DEMO", "procedure": "renewal",
            "applicant": {
                "family_names": "DIALLO", "birth": { "known": "year", "year": 1990 }, "nationality": "MLI",
                "identity": "declared", "contact": {}
            },
            "lang": "fr", "registered_at": "2027-03-08T09:00:00Z", "registered_on": "2027-03-08", "mediator": "demo"
        });
        text.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_date_waits_for_the_filing_to_open_and_a_time_limit_for_nothing() {
        let today: Date = "2027-03-08".parse().unwrap();
        let tomorrow = today.saturating_add(1.day());
        let bounds = |more: serde_json::Value| {
            let one = registered(&more);
            (one.window().earliest, one.window().latest, one.waits_for())
        };
        let permit = |expires_on: &str, regime: &str| json!({ "expires_on": expires_on, "regime": regime });
        let limit =
            |last_day: &str| json!({ "right": "permit_expiry", "last_day": last_day, "evidence": "x" });
        let day = |text: &str| -> Date { text.parse().unwrap() };
        assert_eq!(bounds(json!({})), (tomorrow, None, None));
        let opens = day("2027-05-10");
        assert_eq!(bounds(json!({ "renewal": permit("2027-07-10", "other") })), (opens, None, Some(opens)));
        // The same end on the list: filing is open. What a permit's end is not: a time limit.
        assert_eq!(bounds(json!({ "renewal": permit("2027-07-05", "listed") })), (tomorrow, None, None));
        assert_eq!(bounds(json!({ "renewal": permit("2027-03-01", "other") })), (tomorrow, None, None));
        // Declared as one too, both hold; a limit that ends before comes first.
        let both = json!({ "renewal": permit("2027-07-10", "other"), "limit": limit("2027-07-10") });
        assert_eq!(bounds(both), (opens, Some(day("2027-07-10")), Some(opens)));
        // A protection order is due as soon as possible, whatever its end.
        let mut soon = limit("2027-09-01");
        soon["right"] = "protection_order".into();
        let soon = json!({ "renewal": permit("2027-07-10", "other"), "limit": soon });
        assert_eq!(bounds(soon), (tomorrow, Some(day("2027-09-01")), None));
        let before = json!({ "renewal": permit("2027-07-10", "other"), "limit": limit("2027-04-01") });
        assert_eq!(bounds(before), (tomorrow, Some(day("2027-04-01")), None));
        // Whatever day the kiosk's clock said, filing opens when it opens.
        let mut ahead = registered(&json!({ "renewal": permit("2027-07-10", "other") }));
        ahead.registered_on = day("2035-01-01");
        assert_eq!(ahead.window_from(today).earliest, opens);
        assert_eq!(ahead.waits_for(), None);
    }

    #[test]
    fn what_was_not_told_is_not_written_and_what_is_unknown_is_refused() {
        let text = serde_json::to_value(registered(&json!({}))).unwrap();
        assert!(
            ["renewal", "limit", "accepts_earlier", "department_wide", "party", "moved", "witness"]
                .iter()
                .all(|key| text.get(key).is_none())
        );
        for wrong in [
            json!({ "expires_on": "2027-07-10" }),
            json!({ "expires_on": "2027-07-10", "regime": "moon" }),
            json!({ "expires_on": "2027-02-30", "regime": "other" }),
            json!({ "expires_on": "2027-07-10", "regime": "other", "later": 1 }),
        ] {
            let mut text = text.clone();
            text["renewal"] = wrong;
            assert!(serde_json::from_value::<Registration>(text).is_err());
        }
    }
}
