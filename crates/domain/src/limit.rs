//! Rights that may lapse and the days they bound.
//!
//! A protection order's permit is due as soon as possible: its end is a backstop and
//! never a target (design, idea 7). A court's injunction has its own term.

use crate::birth::Birth;
use crate::text::{self, TextRefusal};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

/// Furthest a last useful day may lie; beyond it somebody mistyped the year.
pub const FURTHEST_DAYS: i32 = 3_660;
/// Longest evidence text in characters.
pub const EVIDENCE_MAX: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Ordonnance de protection.
    ProtectionOrder,
    /// A judge's order to the préfecture to convene the person within a term.
    CourtInjunction,
    /// A residence permit that ends.
    PermitExpiry,
    /// A visa that ends.
    VisaExpiry,
    /// An attestation or provisional permission that ends.
    AttestationExpiry,
    /// What must be asked for by the eve of a birthday.
    #[serde(rename = "birthday_18")]
    Birthday18,
    #[serde(rename = "birthday_19")]
    Birthday19,
}

impl Right {
    pub const ALL: [Self; 7] = [
        Self::ProtectionOrder,
        Self::CourtInjunction,
        Self::PermitExpiry,
        Self::VisaExpiry,
        Self::AttestationExpiry,
        Self::Birthday18,
        Self::Birthday19,
    ];

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::ProtectionOrder => "protection_order",
            Self::CourtInjunction => "court_injunction",
            Self::PermitExpiry => "permit_expiry",
            Self::VisaExpiry => "visa_expiry",
            Self::AttestationExpiry => "attestation_expiry",
            Self::Birthday18 => "birthday_18",
            Self::Birthday19 => "birthday_19",
        }
    }

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.key() == key)
    }

    /// True when the permit it opens is due as soon as possible (design, idea 7): its end is a backstop and never a target.
    #[must_use]
    pub fn is_due_soon(self) -> bool {
        matches!(self, Self::ProtectionOrder)
    }

    /// True when the term is usually given as a number of days.
    #[must_use]
    pub fn in_days(self) -> bool {
        matches!(self, Self::CourtInjunction)
    }
}

/// The day a limit was declared for: what was said or, of a birthday nothing was said of, its eve where the
/// birth date is known. Who was born on 29 February has it on the 28th in other years.
#[must_use]
pub fn day_said(right: &str, (last_day, days): (&str, &str), birth: Option<&Birth>) -> String {
    let years = match Right::parse(right) {
        Some(Right::Birthday18) => 18,
        Some(Right::Birthday19) => 19,
        _ => return last_day.to_owned(),
    };
    match birth {
        Some(Birth::Whole { date }) if last_day.trim().is_empty() && days.trim().is_empty() => {
            date.saturating_add(years.years()).saturating_sub(1.days()).to_string()
        }
        _ => last_day.to_owned(),
    }
}

/// A right, the last day on which an appointment still serves it, and what was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeLimit {
    pub right: Right,
    pub last_day: Date,
    pub evidence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitRefusal {
    UnknownRight,
    /// Neither a day nor a number of days.
    Missing,
    BadDate,
    BadDays,
    /// The last useful day is before today: the right has lapsed already.
    Passed,
    TooFar,
    NoEvidence,
    Evidence(TextRefusal),
}

impl LimitRefusal {
    /// The field of the draft (under `limit.`) and the code of the sentence.
    #[must_use]
    pub fn field_and_code(self) -> (&'static str, &'static str) {
        match self {
            Self::UnknownRight => ("right", "unknown_right"),
            Self::Missing => ("last_day", "limit_missing"),
            Self::BadDate => ("last_day", "bad_date"),
            Self::BadDays => ("days", "bad_days"),
            Self::Passed => ("last_day", "limit_passed"),
            Self::TooFar => ("last_day", "limit_too_far"),
            Self::NoEvidence => ("evidence", "evidence_missing"),
            Self::Evidence(refusal) => ("evidence", refusal.code()),
        }
    }
}

impl TimeLimit {
    /// Reads a declared limit: `last_day` as `YYYY-MM-DD`, or `days` counted from
    /// `today` (today plus N is the last day). A given day wins over a number of days.
    ///
    /// # Errors
    /// See [`LimitRefusal`].
    pub fn declared(
        right: &str,
        last_day: &str,
        days: &str,
        evidence: &str,
        today: Date,
    ) -> Result<Self, LimitRefusal> {
        let right = Right::parse(right).ok_or(LimitRefusal::UnknownRight)?;
        let last_day = match (last_day.trim(), days.trim()) {
            ("", "") => return Err(LimitRefusal::Missing),
            ("", days) => {
                let days = days.parse::<u16>().map_err(|_| LimitRefusal::BadDays)?;
                if days == 0 || i32::from(days) > FURTHEST_DAYS {
                    return Err(LimitRefusal::BadDays);
                }
                today.saturating_add(i32::from(days).days())
            }
            (day, _) => day.parse::<Date>().map_err(|_| LimitRefusal::BadDate)?,
        };
        if last_day < today {
            return Err(LimitRefusal::Passed);
        }
        if last_day > today.saturating_add(FURTHEST_DAYS.days()) {
            return Err(LimitRefusal::TooFar);
        }
        let evidence = text::one_line(evidence, EVIDENCE_MAX).map_err(|refusal| match refusal {
            TextRefusal::Empty => LimitRefusal::NoEvidence,
            other => LimitRefusal::Evidence(other),
        })?;
        Ok(Self { right, last_day, evidence })
    }

    /// Is it one that could have been declared on `today`, written as this program writes it?
    #[must_use]
    pub fn is_sound(&self, today: Date) -> bool {
        let day = self.last_day.to_string();
        Self::declared(self.right.key(), &day, "", &self.evidence, today).is_ok_and(|sound| sound == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2027, 2, 10);

    #[test]
    fn a_court_term_counts_from_today() {
        let limit = TimeLimit::declared("court_injunction", "", "40", "TA 2700123", TODAY).unwrap();
        assert_eq!(limit.last_day, date(2027, 3, 22));
    }

    #[test]
    fn what_cannot_be_a_limit_is_named() {
        let declared = |right, day, days, evidence| TimeLimit::declared(right, day, days, evidence, TODAY);
        assert_eq!(declared("x", "", "4", "a"), Err(LimitRefusal::UnknownRight));
        assert_eq!(declared("permit_expiry", "", "", "a"), Err(LimitRefusal::Missing));
        assert_eq!(declared("permit_expiry", "2027-02-30", "", "a"), Err(LimitRefusal::BadDate));
        assert_eq!(declared("permit_expiry", "2027-02-09", "", "a"), Err(LimitRefusal::Passed));
        assert_eq!(declared("permit_expiry", "9027-02-09", "", "a"), Err(LimitRefusal::TooFar));
        assert_eq!(declared("permit_expiry", "", "-4", "a"), Err(LimitRefusal::BadDays));
        assert_eq!(declared("permit_expiry", "", "99999999", "a"), Err(LimitRefusal::BadDays));
        assert_eq!(declared("permit_expiry", "", "4", " "), Err(LimitRefusal::NoEvidence));
        assert_eq!(declared("permit_expiry", "", "0", "a"), Err(LimitRefusal::BadDays));
        assert_eq!(declared("permit_expiry", "", "3661", "a"), Err(LimitRefusal::BadDays));
        // The last days there are.
        let last = TODAY.saturating_add(FURTHEST_DAYS.days());
        assert_eq!(declared("permit_expiry", "", "3660", "a").unwrap().last_day, last);
        assert_eq!(declared("permit_expiry", "2037-02-17", "", "a").unwrap().last_day, last);
        assert_eq!(declared("permit_expiry", "2027-02-10", "", "a").unwrap().last_day, TODAY);
    }

    #[test]
    fn what_nobody_could_have_declared_is_not_sound() {
        let limit = |day: &str, evidence: &str| TimeLimit {
            right: Right::ProtectionOrder,
            last_day: day.parse().unwrap(),
            evidence: evidence.into(),
        };
        assert!(limit("2027-02-10", "TJ 27/1").is_sound(TODAY));
        for (day, evidence) in [
            ("2027-02-09", "a"),
            ("2037-02-18", "a"),
            ("-009999-01-01", "a"),
            ("2027-03-01", ""),
            ("2027-03-01", " a"),
        ] {
            assert!(!limit(day, evidence).is_sound(TODAY), "{day} {evidence}");
        }
        assert!(!limit("2027-03-01", &"x".repeat(EVIDENCE_MAX + 1)).is_sound(TODAY));
    }

    #[test]
    fn each_refusal_has_its_field_and_each_right_its_way() {
        let told = [
            (LimitRefusal::UnknownRight, ("right", "unknown_right")),
            (LimitRefusal::Missing, ("last_day", "limit_missing")),
            (LimitRefusal::BadDays, ("days", "bad_days")),
            (LimitRefusal::NoEvidence, ("evidence", "evidence_missing")),
        ];
        for (refusal, words) in told {
            assert_eq!(refusal.field_and_code(), words);
        }
        for right in Right::ALL {
            assert_eq!(Right::parse(right.key()), Some(right));
            assert_eq!(serde_json::to_value(right).unwrap(), right.key(), "one word for it everywhere");
            assert_eq!(right.in_days(), right == Right::CourtInjunction);
        }
    }

    #[test]
    fn a_birthday_s_limit_is_its_eve() {
        let born = |text: &str| Birth::Whole { date: text.parse().unwrap() };
        let said = |right, day, birth: &Birth| day_said(right, (day, ""), Some(birth));
        assert_eq!(said("birthday_18", "", &born("2009-07-01")), "2027-06-30");
        assert_eq!(said("birthday_19", " ", &born("2009-01-01")), "2027-12-31");
        assert_eq!(said("birthday_18", "", &born("2008-02-29")), "2026-02-27");
        assert_eq!(said("birthday_18", "2027-05-01", &born("2009-07-01")), "2027-05-01", "as it was said");
        assert_eq!(day_said("birthday_18", ("", "9"), Some(&born("2009-07-01"))), "");
        // A year alone has no eve, and no other right has one.
        assert_eq!(said("birthday_18", "", &Birth::Year { year: 2009 }), "");
        assert_eq!(day_said("birthday_18", ("", ""), None), "");
        assert_eq!(said("permit_expiry", "", &born("2009-07-01")), "");
    }
}
