//! A birth date as people know it: whole, a year only, or the customary 1 January
//! that papers carry when only the year was known.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Oldest birth year taken; nobody living was born before.
pub const OLDEST_YEAR: i16 = 1900;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "known", rename_all = "snake_case")]
pub enum Birth {
    Whole {
        date: Date,
    },
    Year {
        year: i16,
    },
    /// Papers say 1 January of this year; kept apart so that two such people are
    /// never taken for one on the strength of it.
    Customary {
        year: i16,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BirthRefusal {
    /// No such day, or a part is not a number.
    BadDate,
    BadYear,
    InFuture,
}

impl BirthRefusal {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BadDate => "bad_date",
            Self::BadYear => "bad_year",
            Self::InFuture => "birth_in_future",
        }
    }
}

impl Birth {
    /// # Errors
    /// The day does not exist, is before [`OLDEST_YEAR`], or after `today`.
    pub fn whole(day: &str, month: &str, year: &str, today: Date) -> Result<Self, BirthRefusal> {
        let year = parse_year(year, today)?;
        let day = day.trim().parse::<i8>().map_err(|_| BirthRefusal::BadDate)?;
        let month = month.trim().parse::<i8>().map_err(|_| BirthRefusal::BadDate)?;
        let date = Date::new(year, month, day).map_err(|_| BirthRefusal::BadDate)?;
        if date > today {
            return Err(BirthRefusal::InFuture);
        }
        Ok(Self::Whole { date })
    }

    /// # Errors
    /// The year is not a number, before [`OLDEST_YEAR`], or after `today`.
    pub fn year(year: &str, today: Date) -> Result<Self, BirthRefusal> {
        parse_year(year, today).map(|year| Self::Year { year })
    }

    /// # Errors
    /// As [`Birth::year`].
    pub fn customary(year: &str, today: Date) -> Result<Self, BirthRefusal> {
        parse_year(year, today).map(|year| Self::Customary { year })
    }

    /// Does somebody who says this date say this one? Only what the person is known by
    /// counts: for a year, the year.
    #[must_use]
    pub fn is_said(self, year: i16, month: Option<i8>, day: Option<i8>) -> bool {
        match self {
            Self::Whole { date } => {
                year == date.year() && month == Some(date.month()) && day == Some(date.day())
            }
            Self::Year { year: known } | Self::Customary { year: known } => year == known,
        }
    }

    /// What somebody says who knows all of it: [`Birth::is_said`] is true of it.
    #[must_use]
    pub fn said(self) -> (i16, Option<i8>, Option<i8>) {
        match self {
            Self::Whole { date } => (date.year(), Some(date.month()), Some(date.day())),
            Self::Year { year } | Self::Customary { year } => (year, None, None),
        }
    }

    /// Year, month and day for a fixed layout; 0 stands for a part nobody knows, and
    /// month 13 for the customary 1 January.
    #[must_use]
    pub fn to_parts(self) -> (i16, u8, u8) {
        match self {
            Self::Whole { date } => (date.year(), date.month().unsigned_abs(), date.day().unsigned_abs()),
            Self::Year { year } => (year, 0, 0),
            Self::Customary { year } => (year, 13, 1),
        }
    }

    /// The other way of [`Birth::to_parts`].
    #[must_use]
    pub fn from_parts(year: i16, month: u8, day: u8) -> Option<Self> {
        match (month, day) {
            (0, 0) => Some(Self::Year { year }),
            (13, 1) => Some(Self::Customary { year }),
            _ => {
                let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
                Date::new(year, month, day).ok().map(|date| Self::Whole { date })
            }
        }
    }
}

/// Digits only, as papers in every language can carry it: `14/03/1991`, `1991`,
/// `01/01/1991`.
impl fmt::Display for Birth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { date } => {
                write!(f, "{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
            }
            Self::Year { year } => write!(f, "{year:04}"),
            Self::Customary { year } => write!(f, "01/01/{year:04}"),
        }
    }
}

fn parse_year(year: &str, today: Date) -> Result<i16, BirthRefusal> {
    let year = year.trim().parse::<i16>().map_err(|_| BirthRefusal::BadYear)?;
    if year < OLDEST_YEAR {
        return Err(BirthRefusal::BadYear);
    }
    if year > today.year() {
        return Err(BirthRefusal::InFuture);
    }
    Ok(year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2027, 3, 1);

    #[test]
    fn impossible_days_are_refused() {
        assert_eq!(Birth::whole("30", "2", "1990", TODAY), Err(BirthRefusal::BadDate));
        assert_eq!(Birth::whole("x", "2", "1990", TODAY), Err(BirthRefusal::BadDate));
        assert_eq!(Birth::whole("1", "2", "1890", TODAY), Err(BirthRefusal::BadYear));
        assert_eq!(Birth::whole("2", "3", "2027", TODAY), Err(BirthRefusal::InFuture));
        assert_eq!(Birth::year("2028", TODAY), Err(BirthRefusal::InFuture));
        assert_eq!(
            Birth::whole("29", "2", "2000", TODAY).map(|b| b.to_string()).as_deref(),
            Ok("29/02/2000")
        );
    }

    #[test]
    fn parts_keep_what_is_not_known() {
        for birth in [
            Birth::Whole { date: date(1991, 3, 14) },
            Birth::Year { year: 1991 },
            Birth::Customary { year: 1991 },
        ] {
            let (y, m, d) = birth.to_parts();
            assert_eq!(Birth::from_parts(y, m, d), Some(birth));
        }
        assert_eq!(Birth::from_parts(1991, 2, 31), None);
    }
}
