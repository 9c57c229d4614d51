//! What the desk has to do, and by when.

use crate::calendar::{Closure, Holidays, working_day_after};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Working days to answer an escalation: a time limit is at stake.
const ESCALATION_DAYS: u16 = 2;
/// Working days to answer a request for an earlier date. The product's own clock, not a term of
/// law: silence is told to the person with the day of the request.
const REQUEST_DAYS: u16 = 10;
/// Working days to re-date somebody whose date the calendar no longer holds; sooner when the
/// date itself is sooner.
const OUTSIDE_DAYS: u16 = 5;

/// Working days in which the desk looks at the evidence of a time limit a kiosk declared, at a
/// correction that was not taken, or at the residence or the new name of somebody who follows a paper.
const CHECK_DAYS: u16 = 2;
/// Working days in which the desk looks at an hour with more registrations than usual. Whoever waits
/// for it is given a date after them, looked at or not.
const BUSY_DAYS: u16 = 2;
/// Working days to reach somebody who did not come twice, or who was received and has another date:
/// well within the days their place waits.
const REACH_DAYS: u16 = 5;

/// Working days to answer a question. The product's own clock, not a term of law.
const QUESTION_DAYS: u16 = 5;

/// By which way a question came in; its answer goes back the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inbound {
    Phone,
    Email,
    /// A letter.
    Postal,
    /// Somebody came, or a mediator asks for them.
    Counter,
}

impl Inbound {
    pub const ALL: [Self; 4] = [Self::Phone, Self::Email, Self::Postal, Self::Counter];

    /// As the contact of a registration is named, where there is one.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Postal => "postal",
            Self::Counter => "counter",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// A registration that cannot be served in time, or at all.
    Escalation,
    /// The person asks for an earlier date.
    AdvanceRequest,
    /// A date given lies outside the calendar since that changed: the person is to be given
    /// another.
    DateOutside,
    /// A time limit was declared at a counter: its evidence is to be looked at. The date stands
    /// whatever is found (I3).
    LimitCheck,
    /// More registrations in an hour than a kiosk or a mediator makes: those beyond it wait for
    /// their date until somebody looked, or had the time to.
    BusyHour,
    /// Nobody came to the second date either: the person is to be reached while their place waits.
    MissedTwice,
    /// A kiosk corrected a name, a birth date or a nationality beyond what a correction is: nothing of
    /// it was taken. Who is it?
    CorrectionCheck,
    /// The person was received, and has another date for the same: do they still need it?
    SecondDate,
    /// The person has moved to the area of this site and keeps an earlier registration time: their
    /// residence is to be looked at. The date stands whatever is found (I3).
    ResidenceCheck,
    /// The person has another name than on the paper whose registration time they keep: what shows it
    /// is to be looked at. The date stands whatever is found (I3).
    NameCheck,
    /// A record of a kiosk that central could not carry out: what was said at the counter is kept, and
    /// somebody looks what is to be done for the person.
    FailedStep,
    /// A question that came in about a registration.
    Question,
    /// An appointment is proposed to be annulled for fraud: another agent decides, once the person was
    /// heard or the day for their answer is over.
    Annulment,
}

impl TaskKind {
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Escalation => "escalation",
            Self::AdvanceRequest => "advance_request",
            Self::DateOutside => "date_outside",
            Self::LimitCheck => "limit_check",
            Self::BusyHour => "busy_hour",
            Self::MissedTwice => "missed_twice",
            Self::CorrectionCheck => "correction_check",
            Self::SecondDate => "second_date",
            Self::ResidenceCheck => "residence_check",
            Self::NameCheck => "name_check",
            Self::FailedStep => "failed_step",
            Self::Question => "question",
            Self::Annulment => "annulment",
        }
    }

    /// The day by which the desk is to have answered.
    #[must_use]
    pub fn due(self, today: Date, holidays: Holidays, closures: &[Closure]) -> Date {
        let days = match self {
            Self::Escalation => ESCALATION_DAYS,
            Self::AdvanceRequest => REQUEST_DAYS,
            Self::DateOutside => OUTSIDE_DAYS,
            Self::LimitCheck
            | Self::CorrectionCheck
            | Self::ResidenceCheck
            | Self::NameCheck
            | Self::FailedStep => CHECK_DAYS,
            Self::Question => QUESTION_DAYS,
            Self::BusyHour => BUSY_DAYS,
            Self::MissedTwice | Self::SecondDate => REACH_DAYS,
            // Written with the day the proposal names; this is the earliest it can be.
            Self::Annulment => crate::annulment::ANSWER_DAYS,
        };
        // A time limit, or people who wait for a date, do not wait for a counter that is closed: the
        // desk is at work.
        let soon = matches!(self, Self::Escalation | Self::LimitCheck | Self::BusyHour);
        let closures = if soon { &[] } else { closures };
        working_day_after(today, days, holidays, closures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_closure_puts_off_what_can_wait_and_no_time_limit() {
        let monday = date(2027, 3, 8);
        let closures = [Closure { first: monday, last: date(2027, 4, 30) }];
        let due = |kind: TaskKind| kind.due(monday, Holidays::None, &closures);
        assert_eq!(due(TaskKind::Escalation), date(2027, 3, 10));
        assert_eq!(due(TaskKind::LimitCheck), date(2027, 3, 10));
        assert_eq!(due(TaskKind::BusyHour), date(2027, 3, 10));
        assert!(due(TaskKind::AdvanceRequest) > date(2027, 4, 30));
        assert!(due(TaskKind::DateOutside) > date(2027, 4, 30));
    }
}
