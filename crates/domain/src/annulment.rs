//! Annulment of an appointment for fraud: how long the person has to answer, and how long it can be
//! undone. The two agents, the reasons and the hearing are central's to keep.

use crate::calendar::{Closure, Holidays, working_day_after};
use jiff::ToSpan as _;
use jiff::civil::Date;

/// Working days from the proposal to the last day for an answer, at the least. The product's own
/// clock, as long as the one of a request: time to find somebody who advises, and to write.
pub const ANSWER_DAYS: u16 = 10;
/// Days from the one on which the person was told, at the least: whoever comes back late has as long
/// as two weeks all the same. Calendar days, for a kiosk without a network knows no holidays.
pub const TOLD_DAYS: i32 = 14;
/// Days after the decision in which an agent can undo it: as long as a place waits that was given up.
pub const UNDO_DAYS: i32 = 30;
/// Longest reasons, and longest answer of the person, in characters: they fit one printed page.
pub const REASONS_MAX: usize = 1_000;

/// The first day that may be named as the last for an answer, proposed today.
#[must_use]
pub fn earliest_answer_by(today: Date, holidays: Holidays, closures: &[Closure]) -> Date {
    working_day_after(today, ANSWER_DAYS, holidays, closures)
}

/// The last day for an answer, told on this one.
#[must_use]
pub fn until(answer_by: Date, told: Date) -> Date {
    answer_by.max(told.saturating_add(TOLD_DAYS.days()))
}

/// Can a decision of that day still be undone?
#[must_use]
pub fn may_undo(decided: Date, today: Date) -> bool {
    today <= decided.saturating_add(UNDO_DAYS.days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn ten_working_days_and_a_closed_site_answers_later() {
        let monday = date(2027, 3, 8);
        assert_eq!(earliest_answer_by(monday, Holidays::None, &[]), date(2027, 3, 22));
        let closures = [Closure { first: date(2027, 3, 9), last: date(2027, 3, 12) }];
        assert_eq!(earliest_answer_by(monday, Holidays::None, &closures), date(2027, 3, 26));
    }

    #[test]
    fn undone_within_the_month() {
        let day = date(2027, 3, 8);
        assert!(may_undo(day, date(2027, 4, 7)));
        assert!(!may_undo(day, date(2027, 4, 8)));
    }

    proptest! {
        #[test]
        fn nobody_has_less_than_was_said_nor_than_two_weeks(by in 0i32..400, told in 0i32..400) {
            let day = |days: i32| date(2027, 1, 1).saturating_add(days.days());
            let last = until(day(by), day(told));
            prop_assert!(last >= day(by) && last >= day(told + 14));
            prop_assert!(last == day(by) || last == day(told + 14));
        }
    }
}
