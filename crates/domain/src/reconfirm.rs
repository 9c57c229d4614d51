//! A far date is asked about once before it comes: will the person be there? Whoever says yes, or says
//! nothing, keeps it; whoever says no gives it up, and somebody else has it in time.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Days between the paper and its date beyond which a date is far: three months. Within a season plans
/// hold and the paper is still at hand; asking about every date would make nobody answer.
pub const FAR_DAYS: i32 = 90;
/// Days before the date from which it is asked about: a month, as far as people plan.
pub const FIRST_DAYS: i32 = 30;
/// The last such day: what is given up on it is still offered to somebody for as long as an offer stands
/// (`offer::OFFER_DAYS`), with notice (`offer::NOTICE_DAYS`), to a second person too.
pub const LAST_DAYS: i32 = 10;

/// The civil days at the site on which a date is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    pub first: Date,
    pub last: Date,
}

impl Asking {
    #[must_use]
    pub fn is_on(&self, today: Date) -> bool {
        self.first <= today && today <= self.last
    }
}

/// When a date is asked about, by the paper that names it: the moment it was made, and the hour on it. The
/// day of that moment is counted in UTC, the same at kiosk and central. None: it is not far.
#[must_use]
pub fn asking(made: Timestamp, at: DateTime) -> Option<Asking> {
    let made = TimeZone::UTC.to_datetime(made).date();
    let day = at.date();
    let before = |days: i32| day.saturating_sub(days.days());
    (made < before(FAR_DAYS)).then(|| Asking { first: before(FIRST_DAYS), last: before(LAST_DAYS) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offer::{OFFER_DAYS, last_day};
    use jiff::civil::date;
    use proptest::prelude::*;

    fn on(days: i32) -> Date {
        date(2027, 1, 1).saturating_add(days.days())
    }

    fn noon(day: Date) -> Timestamp {
        TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_date_of_ninety_days_is_not_far_and_one_day_more_is() {
        let at = |days| on(days).at(9, 0, 0, 0);
        assert_eq!(asking(noon(on(0)), at(90)), None);
        assert_eq!(asking(noon(on(0)), at(91)), Some(Asking { first: on(61), last: on(81) }));
    }

    #[test]
    fn what_is_given_up_on_the_last_day_is_offered_to_two() {
        let at = on(100).at(9, 0, 0, 0);
        let mut today = on(100 - LAST_DAYS);
        for _ in 0..2 {
            let last = last_day(today, at);
            assert_eq!(last, Some(today.saturating_add((OFFER_DAYS - 1).days())), "as long as any offer");
            today = last.map_or(today, |last| last.saturating_add(1.days()));
        }
    }

    proptest! {
        #[test]
        fn asked_once_in_one_stretch_well_after_the_paper_and_well_before_the_day(
            made in 0i32..2_000, ahead in 0i32..800, hour in 0i8..24, today in 0i32..3_000,
        ) {
            let day = on(made + ahead);
            let asking = asking(noon(on(made)), day.at(hour, 0, 0, 0));
            prop_assert_eq!(asking.is_some(), ahead > FAR_DAYS);
            if let Some(asking) = asking {
                prop_assert!(asking.first > on(made) && asking.first <= asking.last && asking.last < day);
                let inside = made + ahead - today;
                prop_assert_eq!(asking.is_on(on(today)), (LAST_DAYS..=FIRST_DAYS).contains(&inside));
            }
        }
    }
}
