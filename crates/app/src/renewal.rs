//! What the window says of a renewal's filing period while it is typed. Judges no other field: the
//! line stands as soon as the permit's end can be read, and decides nothing.

use crate::contract::{DraftFields, RenewalStanding, RenewalView};
use domain::limit::TimeLimit;
use domain::registration::Registration;
use domain::renewal::{PROCEDURE, Regime, Renewal, Standing};
use jiff::civil::Date;

/// The day filing opens that a person's date waits for, as their paper and the date screen tell it:
/// not where the regime is not known, for then it is a cautious guess, nor where the `date` given
/// lies before it all the same: central did not believe the kiosk's clock.
pub(crate) fn told(registration: &Registration, date: Option<Date>) -> Option<Date> {
    let known = registration.renewal.is_some_and(|renewal| renewal.regime != Regime::Unknown);
    registration.waits_for().filter(|opens| known && date.is_none_or(|date| date >= *opens))
}

pub(crate) fn view(fields: &DraftFields, today: Date) -> Option<RenewalView> {
    let said = fields.renewal.as_ref().filter(|_| fields.procedure == PROCEDURE)?;
    let renewal = Renewal::declared(&said.expires_on, &said.regime, today).ok()??;
    let limit = fields.limit.as_ref().and_then(|limit| {
        TimeLimit::declared(&limit.right, &limit.last_day, &limit.days, &limit.evidence, today).ok()
    });
    let (standing, day) = match renewal.filing().standing(today) {
        Standing::TooEarly { from } if renewal.opens(limit.as_ref()).is_none() => {
            (RenewalStanding::LimitFirst, from)
        }
        Standing::TooEarly { from } => (RenewalStanding::TooEarly, from),
        Standing::InTime { until } => (RenewalStanding::InTime, until),
        Standing::Late { since } => (RenewalStanding::Late, since),
    };
    Some(RenewalView { standing, day: day.to_string(), uncertain: renewal.regime == Regime::Unknown })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{LimitFields, RenewalFields};
    use jiff::civil::date;

    const TODAY: Date = date(2027, 3, 1);

    fn told(expires_on: &str, regime: &str) -> DraftFields {
        let renewal = Some(RenewalFields { expires_on: expires_on.into(), regime: regime.into() });
        DraftFields { procedure: PROCEDURE.into(), renewal, ..DraftFields::default() }
    }

    #[test]
    fn the_line_says_where_today_stands() {
        for (expires_on, regime, standing, day, uncertain) in [
            ("2027-12-31", "other", RenewalStanding::TooEarly, "2027-10-31", false),
            ("2027-12-31", "listed", RenewalStanding::TooEarly, "2027-09-02", false),
            ("2027-05-01", "other", RenewalStanding::InTime, "2027-05-01", false),
            ("2027-05-02", "other", RenewalStanding::TooEarly, "2027-03-02", false),
            ("2027-05-02", "", RenewalStanding::InTime, "2027-03-03", true),
            ("2027-04-29", "listed", RenewalStanding::Late, "2027-02-28", false),
            ("2027-04-29", "unknown", RenewalStanding::Late, "2027-02-28", true),
            ("2027-02-28", "other", RenewalStanding::Late, "2027-02-28", false),
        ] {
            let line = RenewalView { standing, day: day.into(), uncertain };
            assert_eq!(view(&told(expires_on, regime), TODAY), Some(line), "{expires_on} {regime}");
        }
    }

    #[test]
    fn a_limit_that_ends_before_filing_opens_is_said_to_decide() {
        let limit = |last_day: &str| {
            Some(LimitFields {
                right: "permit_expiry".into(),
                last_day: last_day.into(),
                evidence: "x".into(),
                ..LimitFields::default()
            })
        };
        let standing = |last_day: &str| {
            let fields = DraftFields { limit: limit(last_day), ..told("2027-12-31", "other") };
            view(&fields, TODAY).map(|view| view.standing)
        };
        assert_eq!(standing("2027-10-30"), Some(RenewalStanding::LimitFirst));
        assert_eq!(standing("2027-10-31"), Some(RenewalStanding::TooEarly));
    }

    #[test]
    fn nothing_is_said_of_what_cannot_be_read_or_is_no_renewal() {
        assert_eq!(view(&DraftFields::default(), TODAY), None);
        assert_eq!(view(&told("", ""), TODAY), None);
        assert_eq!(view(&told("31 December", "other"), TODAY), None);
        let other = DraftFields { procedure: "duplicate".into(), ..told("2027-12-31", "other") };
        assert_eq!(view(&other, TODAY), None);
    }
}
