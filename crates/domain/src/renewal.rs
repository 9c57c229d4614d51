//! When a renewal may be filed (CESEDA R.431-5), from the day the permit ends. It bounds the first
//! day of a date and never the last one: only a declared [`TimeLimit`] does that.
//!
//! The article knows two regimes. Permits on the list of R.431-2, whose renewal is asked for
//! online, are filed between the 120th and the 60th day before they end; all others within the two
//! months before. The Nth day before the end is that day minus N days, the two months are civil
//! months (a day the month does not have is its last one), and both ends belong to the period.

use crate::limit::{FURTHEST_DAYS, TimeLimit};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

/// The key of the one procedure with a filing period.
pub const PROCEDURE: &str = "renewal";
/// Days before a listed permit ends from which it is filed (R.431-5).
pub const LISTED_OPENS_DAYS: i32 = 120;
/// Days before a listed permit ends until which it is filed (R.431-5).
pub const LISTED_CLOSES_DAYS: i32 = 60;
/// Civil months before any other permit ends from which it is filed (R.431-5).
pub const OTHER_OPENS_MONTHS: i32 = 2;
/// Days between the registration and the opening, at most. Central follows a kiosk's day 366 days
/// ahead of its own; what is left is for a kiosk whose clock is up to a month ahead of central's.
pub const OPENS_AHEAD_DAYS: i32 = 335;

/// What a permit is renewed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// On the list of R.431-2: the renewal is asked for online.
    Listed,
    Other,
    /// Nobody at the counter knows. Counted from the earlier opening to the earlier end of both:
    /// whoever comes too early comes again, whoever comes too late may have lost by it.
    Unknown,
}

impl Regime {
    pub const ALL: [Self; 3] = [Self::Listed, Self::Other, Self::Unknown];

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|regime| regime.key() == key)
    }

    /// When a permit that ends on this day is filed.
    #[must_use]
    pub fn filing(self, expires_on: Date) -> Filing {
        match self {
            Self::Listed => Filing {
                opens: expires_on.saturating_sub(LISTED_OPENS_DAYS.days()),
                closes: expires_on.saturating_sub(LISTED_CLOSES_DAYS.days()),
            },
            Self::Other => {
                Filing { opens: expires_on.saturating_sub(OTHER_OPENS_MONTHS.months()), closes: expires_on }
            }
            Self::Unknown => {
                let (listed, other) = (Self::Listed.filing(expires_on), Self::Other.filing(expires_on));
                Filing { opens: listed.opens.min(other.opens), closes: listed.closes.min(other.closes) }
            }
        }
    }
}

/// The days on which a renewal is filed, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filing {
    pub opens: Date,
    pub closes: Date,
}

/// Where a day stands to a filing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    TooEarly { from: Date },
    InTime { until: Date },
    Late { since: Date },
}

impl Filing {
    #[must_use]
    pub fn standing(self, today: Date) -> Standing {
        if today < self.opens {
            Standing::TooEarly { from: self.opens }
        } else if today <= self.closes {
            Standing::InTime { until: self.closes }
        } else {
            Standing::Late { since: self.closes }
        }
    }
}

/// The permit to be renewed, as the person shows or says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The last day of the permit.
    pub expires_on: Date,
    pub regime: Regime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalRefusal {
    /// A regime without the day the permit ends.
    Missing,
    BadDate,
    /// More than [`FURTHEST_DAYS`] away, before or after: somebody mistyped the year.
    Far,
    UnknownRegime,
    /// Filing opens more than [`OPENS_AHEAD_DAYS`] ahead: a date can be given from this day on.
    OpensFarAhead(Date),
}

impl RenewalRefusal {
    /// The field of the draft (under `renewal.`) and the code of the sentence.
    #[must_use]
    pub fn field_and_code(self) -> (&'static str, &'static str) {
        match self {
            Self::Missing => ("expires_on", "expiry_missing"),
            Self::BadDate => ("expires_on", "bad_date"),
            Self::Far => ("expires_on", "expiry_far"),
            Self::UnknownRegime => ("regime", "unknown_regime"),
            Self::OpensFarAhead(_) => ("expires_on", "opens_far_ahead"),
        }
    }
}

impl Renewal {
    /// Reads what was declared: the end as `YYYY-MM-DD` and a regime's key, of which an empty one
    /// is unknown. None where nothing was said. An end that has passed is taken: a late renewal is
    /// registered all the same.
    ///
    /// # Errors
    /// See [`RenewalRefusal`]; never [`RenewalRefusal::OpensFarAhead`], which [`Renewal::within_reach`] judges.
    pub fn declared(expires_on: &str, regime: &str, today: Date) -> Result<Option<Self>, RenewalRefusal> {
        let regime = match regime.trim() {
            "" => Regime::Unknown,
            key => Regime::parse(key).ok_or(RenewalRefusal::UnknownRegime)?,
        };
        let expires_on = match expires_on.trim() {
            "" if regime == Regime::Unknown => return Ok(None),
            "" => return Err(RenewalRefusal::Missing),
            day => day.parse::<Date>().map_err(|_| RenewalRefusal::BadDate)?,
        };
        let (first, last) =
            (today.saturating_sub(FURTHEST_DAYS.days()), today.saturating_add(FURTHEST_DAYS.days()));
        if expires_on < first || expires_on > last {
            return Err(RenewalRefusal::Far);
        }
        Ok(Some(Self { expires_on, regime }))
    }

    #[must_use]
    pub fn filing(&self) -> Filing {
        self.regime.filing(self.expires_on)
    }

    /// The day filing opens, as a date is bound by it. None where a time limit ends before, or is
    /// due as soon as possible: it protects a right and comes first, and filing is then for the
    /// counter to settle.
    #[must_use]
    pub fn opens(&self, limit: Option<&TimeLimit>) -> Option<Date> {
        let opens = self.filing().opens;
        let waits = |limit: &TimeLimit| limit.last_day >= opens && !limit.right.is_due_soon();
        limit.is_none_or(waits).then_some(opens)
    }

    /// May a date be given `today` that waits for the opening?
    ///
    /// # Errors
    /// [`RenewalRefusal::OpensFarAhead`] with the first day on which one may.
    pub fn within_reach(&self, limit: Option<&TimeLimit>, today: Date) -> Result<(), RenewalRefusal> {
        match self.opens(limit).map(|opens| opens.saturating_sub(OPENS_AHEAD_DAYS.days())) {
            Some(from) if today < from => Err(RenewalRefusal::OpensFarAhead(from)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Right;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn opens(regime: Regime, end: Date) -> Date {
        regime.filing(end).opens
    }

    #[test]
    fn the_days_of_the_article() {
        let end = date(2027, 4, 30);
        let listed = Regime::Listed.filing(end);
        assert_eq!((listed.opens, listed.closes), (date(2026, 12, 31), date(2027, 3, 1)));
        let other = Regime::Other.filing(end);
        assert_eq!((other.opens, other.closes), (date(2027, 2, 28), end));
        // Two civil months, and not sixty days: a month's last day stands for one it does not have.
        assert_eq!(opens(Regime::Other, date(2028, 4, 30)), date(2028, 2, 29));
        assert_eq!(opens(Regime::Other, date(2027, 4, 29)), date(2027, 2, 28));
        assert_eq!(opens(Regime::Other, date(2027, 3, 31)), date(2027, 1, 31));
        assert_eq!(opens(Regime::Other, date(2027, 8, 31)), date(2027, 6, 30));
        assert_eq!(opens(Regime::Other, date(2028, 2, 29)), date(2027, 12, 29));
        // A leap day is one of the 120.
        assert_eq!(opens(Regime::Listed, date(2028, 3, 1)), date(2027, 11, 2));
        assert_eq!(opens(Regime::Listed, date(2027, 3, 1)), date(2026, 11, 1));
        let unknown = Regime::Unknown.filing(end);
        assert_eq!((unknown.opens, unknown.closes), (listed.opens, listed.closes));
    }

    #[test]
    fn both_ends_belong_to_the_period() {
        let filing = Regime::Listed.filing(date(2027, 4, 30));
        let at = |day| filing.standing(day);
        assert_eq!(at(date(2026, 12, 30)), Standing::TooEarly { from: date(2026, 12, 31) });
        assert_eq!(at(date(2026, 12, 31)), Standing::InTime { until: date(2027, 3, 1) });
        assert_eq!(at(date(2027, 3, 1)), Standing::InTime { until: date(2027, 3, 1) });
        assert_eq!(at(date(2027, 3, 2)), Standing::Late { since: date(2027, 3, 1) });
    }

    const TODAY: Date = date(2027, 2, 10);

    #[test]
    fn what_cannot_be_a_renewal_is_named() {
        let declared = |day, regime| Renewal::declared(day, regime, TODAY);
        let one = |day, regime| Ok(Some(Renewal { expires_on: day, regime }));
        assert_eq!(declared("", ""), Ok(None));
        assert_eq!(declared(" ", "unknown"), Ok(None));
        assert_eq!(declared("2027-06-30", " "), one(date(2027, 6, 30), Regime::Unknown));
        assert_eq!(declared("2026-06-30", "other"), one(date(2026, 6, 30), Regime::Other), "late is taken");
        assert_eq!(declared("", "listed"), Err(RenewalRefusal::Missing));
        assert_eq!(declared("2027-02-30", "listed"), Err(RenewalRefusal::BadDate));
        assert_eq!(declared("30/06/2027", "listed"), Err(RenewalRefusal::BadDate));
        assert_eq!(declared("2027-06-30", "moon"), Err(RenewalRefusal::UnknownRegime));
        let (first, last) =
            (TODAY.saturating_sub(FURTHEST_DAYS.days()), TODAY.saturating_add(FURTHEST_DAYS.days()));
        for (day, taken) in [
            (first, true),
            (first.saturating_sub(1.day()), false),
            (last, true),
            (last.saturating_add(1.day()), false),
            (Date::MIN, false),
            (Date::MAX, false),
        ] {
            let said = Renewal::declared(&day.to_string(), "other", TODAY);
            assert_eq!(said.is_ok(), taken, "{day}");
            assert!(taken || said == Err(RenewalRefusal::Far), "{day}");
        }
        for (refusal, words) in [
            (RenewalRefusal::Missing, ("expires_on", "expiry_missing")),
            (RenewalRefusal::UnknownRegime, ("regime", "unknown_regime")),
            (RenewalRefusal::OpensFarAhead(TODAY), ("expires_on", "opens_far_ahead")),
        ] {
            assert_eq!(refusal.field_and_code(), words);
        }
    }

    fn limit(last_day: Date) -> TimeLimit {
        TimeLimit { right: Right::CourtInjunction, last_day, evidence: "TA".into() }
    }

    #[test]
    fn a_time_limit_that_ends_before_filing_opens_comes_first() {
        let renewal = Renewal { expires_on: date(2027, 12, 31), regime: Regime::Other };
        let opens = date(2027, 10, 31);
        assert_eq!(renewal.opens(None), Some(opens));
        assert_eq!(renewal.opens(Some(&limit(opens))), Some(opens), "both hold");
        assert_eq!(renewal.opens(Some(&limit(date(2027, 10, 30)))), None);
    }

    #[test]
    fn an_opening_too_far_ahead_names_the_day_to_come_back() {
        let renewal = Renewal { expires_on: date(2029, 12, 31), regime: Regime::Other };
        let from = date(2029, 10, 31).saturating_sub(OPENS_AHEAD_DAYS.days());
        let before = from.saturating_sub(1.day());
        assert_eq!(renewal.within_reach(None, before), Err(RenewalRefusal::OpensFarAhead(from)));
        assert_eq!(renewal.within_reach(None, from), Ok(()));
        assert_eq!(
            renewal.within_reach(Some(&limit(date(2027, 12, 1))), before),
            Ok(()),
            "the limit decides"
        );
    }

    fn day() -> impl Strategy<Value = Date> {
        (0i32..20_000).prop_map(|days| date(2000, 1, 1).saturating_add(days.days()))
    }

    proptest! {
        /// Two civil months before is the same day of the month, or the last of a month that lacks it.
        #[test]
        fn two_months_are_civil_months(end in day()) {
            let opens = opens(Regime::Other, end);
            let months = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
            prop_assert_eq!(months(end) - months(opens), 2);
            let expected = end.day().min(opens.days_in_month());
            prop_assert_eq!(opens.day(), expected);
        }

        /// Day by day: first too early, then in time, then late; the turns are where the article
        /// puts them, counted in days.
        #[test]
        fn days_pass_once_through_the_period(end in day()) {
            let from = end.saturating_sub(130.days());
            for regime in Regime::ALL {
                let filing = regime.filing(end);
                for day in from.series(1.day()).take(150) {
                    let before = (end - day).get_days();
                    let expected = match (regime, day) {
                        (Regime::Other, day) => (day >= filing.opens, day <= end),
                        (Regime::Listed | Regime::Unknown, _) => (before <= 120, before >= 60),
                    };
                    let said = match filing.standing(day) {
                        Standing::TooEarly { from } => { prop_assert!(day < from); (false, true) }
                        Standing::InTime { until } => { prop_assert!(day <= until); (true, true) }
                        Standing::Late { since } => { prop_assert!(day > since); (true, false) }
                    };
                    prop_assert_eq!(said, expected, "{:?} {}", regime, day);
                }
            }
        }

        /// Nobody whose regime is not known is told of a period longer than either at its end, or
        /// opening later than either.
        #[test]
        fn not_knowing_opens_first_and_warns_first(end in day()) {
            let of = |regime: Regime| regime.filing(end);
            let (listed, other, unknown) = (of(Regime::Listed), of(Regime::Other), of(Regime::Unknown));
            prop_assert_eq!(unknown.opens, listed.opens.min(other.opens));
            prop_assert_eq!(unknown.closes, listed.closes.min(other.closes));
        }
    }
}
