//! A registration that follows another: who moves to the area of another site, or has another name
//! since, registers anew and names the paper. Where it counts, offers go by the earlier registration
//! time. Moves no date, and says nothing to whoever only guesses at a paper.

use crate::correction::Details;
use crate::registration::Registration;
use jiff::Timestamp;

/// The registration a paper's code names, as far as it matters to one that follows it.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    pub registration: &'a Registration,
    /// When its place ended, by whoever's word.
    pub ended: Option<Timestamp>,
    /// The person was received with it.
    pub honoured: bool,
    /// Annulled, and not given back.
    pub annulled: bool,
}

/// Does `new` take the registration time of `earlier` over? Whatever came first to whoever asks: it goes
/// by what was said at the counters. So a place given up before the new registration never counts, and
/// cancelling and registering again never beats the list. Another name takes two mediators: a time that
/// one alone could put on anybody's name would be sold.
#[must_use]
pub fn counts(new: &Registration, earlier: &Earlier<'_>) -> bool {
    let Earlier { registration: before, ended, honoured, annulled } = *earlier;
    let stood = ended.is_none_or(|ended| ended.as_second() > new.registered_at.as_second());
    new.moved == Some(before.code)
        && (new.site != before.site || new.is_renamed())
        && new.procedure == before.procedure
        // In seconds, as places are ranked: so no two registrations ever follow each other.
        && before.registered_at.as_second() < new.registered_at.as_second()
        && stood
        && !honoured
        && !annulled
        && is_one_person(new, before)
}

/// The rule of corrections for a name where two mediators did not say that it is another, and no slip in
/// the birth date: two clerks type one name in two ways, and a date is copied from the same document.
fn is_one_person(new: &Registration, before: &Registration) -> bool {
    let renamed = new.is_renamed();
    let (new, before) = (Details::of(&new.applicant), Details::of(&before.applicant));
    new.birth == before.birth && (renamed || new.names_apart(&before).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::FollowUpCode;
    use jiff::ToSpan as _;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// What is said otherwise.
    type Change = fn(&mut Registration);

    fn code(n: u8) -> FollowUpCode {
        FollowUpCode::from_random([n; 8])
    }

    fn registered(n: u8, site: &str, at: &str, more: &Value) -> Registration {
        let mut text = json!({
            "id": format!("{n:02x}").repeat(16), "code": code(n), "site": site, "procedure": "renewal",
            "applicant": {
                "family_names": "DIALLO", "given_names": "Mohamed", "birth": { "known": "whole", "date": "1991-03-14" },
                "nationality": "MLI", "identity": "declared", "contact": {}
            },
            "lang": "fr", "registered_at": at, "registered_on": "2027-03-08", "mediator": "demo"
        });
        text.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(text).unwrap()
    }

    fn before() -> Registration {
        registered(1, "ONE", "2027-03-08T09:00:00Z", &json!({}))
    }

    fn after() -> Registration {
        registered(2, "TWO", "2027-03-09T09:00:00Z", &json!({ "moved": code(1) }))
    }

    fn stands(registration: &Registration) -> Earlier<'_> {
        Earlier { registration, ended: None, honoured: false, annulled: false }
    }

    #[test]
    fn one_person_who_moved_keeps_the_time_and_nobody_else() {
        let (new, earlier) = (after(), before());
        assert!(counts(&new, &stands(&earlier)));
        // Typed by another clerk, of another nationality: still them.
        let mut typed = new.clone();
        typed.applicant.family_names = "Diallo".into();
        typed.applicant.given_names = Some("Mohammed".into());
        typed.applicant.nationality = crate::applicant::Nationality::parse("SEN").unwrap();
        assert!(counts(&typed, &stands(&earlier)));
        let refused: [(&str, Change); 7] = [
            ("no paper named", |new| new.moved = None),
            ("another paper", |new| new.moved = Some(code(3))),
            ("the same site", |new| new.site = before().site),
            ("another procedure", |new| {
                new.procedure = crate::procedure::Procedure::parse("first_permit").unwrap();
            }),
            ("another name", |new| new.applicant.family_names = "TRAORE".into()),
            ("another birth date", |new| {
                new.applicant.birth = crate::birth::Birth::Whole { date: "1991-03-15".parse().unwrap() };
            }),
            ("not the later one", |new| new.registered_at = before().registered_at),
        ];
        for (what, change) in refused {
            let mut new = after();
            change(&mut new);
            assert!(!counts(&new, &stands(&earlier)), "{what}");
        }
    }

    #[test]
    fn another_name_takes_two_mediators_and_the_same_birth_date() {
        let earlier = before();
        let renamed = |second: Option<&str>| {
            let mut new = after();
            new.applicant.family_names = "TRAORE".into();
            new.witness = second.map(|id| crate::ids::MediatorId::parse(id).unwrap());
            new
        };
        assert!(counts(&renamed(Some("second")), &stands(&earlier)));
        assert!(!counts(&renamed(None), &stands(&earlier)));
        assert!(!counts(&renamed(Some("demo")), &stands(&earlier)), "one mediator is one, said twice");
        // At the site of the first paper too, and there for no other reason.
        let here = |second| Registration { site: before().site, ..renamed(second) };
        assert!(counts(&here(Some("second")), &stands(&earlier)));
        assert!(!counts(&here(None), &stands(&earlier)));
        let mut born = renamed(Some("second"));
        born.applicant.birth = crate::birth::Birth::Whole { date: "1991-03-15".parse().unwrap() };
        assert!(!counts(&born, &stands(&earlier)), "another birth date");
        let over = Earlier { ended: Some(renamed(None).registered_at), ..stands(&earlier) };
        assert!(!counts(&renamed(Some("second")), &over), "given up before");
        let unnamed = Registration { moved: None, ..renamed(Some("second")) };
        assert!(!counts(&unnamed, &stands(&earlier)), "no paper named");
    }

    #[test]
    fn a_place_that_was_over_gives_nothing_and_one_given_up_since_does() {
        let (new, earlier) = (after(), before());
        let with = |ended, honoured, annulled| Earlier { registration: &earlier, ended, honoured, annulled };
        let at = new.registered_at;
        assert!(!counts(&new, &with(Some(at), false, false)));
        assert!(!counts(&new, &with(Some(at - 1.hour()), false, false)));
        assert!(counts(&new, &with(Some(at + 1.second()), false, false)));
        assert!(!counts(&new, &with(None, true, false)));
        assert!(!counts(&new, &with(None, false, true)));
    }

    proptest! {
        /// Whatever the two clocks say, time is only ever taken over from the one registered before.
        #[test]
        fn no_two_follow_each_other(first in -4_000_000i64..4_000_000, second in -4_000_000i64..4_000_000) {
            let at = |seconds: i64| Timestamp::from_second(1_804_590_000 + seconds).unwrap();
            let (mut one, mut two) = (before(), after());
            one.moved = Some(two.code);
            (one.registered_at, two.registered_at) = (at(first), at(second));
            let (forth, back) = (counts(&one, &stands(&two)), counts(&two, &stands(&one)));
            prop_assert!(!(forth && back));
            prop_assert_eq!(forth || back, first != second);
            prop_assert_eq!(back, first < second);
        }
    }
}
