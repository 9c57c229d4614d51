//! French public holidays, computed for any year. A day whose legal basis is not certain is
//! not here: the site enters it as a closure.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Which public holidays a site keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holidays {
    Metropolitan,
    /// Good Friday and 26 December too (local law).
    AlsaceMoselle,
    Guadeloupe,
    Guyane,
    Martinique,
    Mayotte,
    Reunion,
    SaintBarthelemy,
    /// The national days; the day of the abolition of slavery has moved by texts that
    /// contradict each other (27 May, 28 May): it is entered as a closure.
    SaintMartin,
    SaintPierreEtMiquelon,
    /// None is computed: where the territory's own labour code fixes the days
    /// (Wallis-et-Futuna, French Polynesia, New Caledonia) they are entered as closures.
    None,
}

impl Holidays {
    /// All there are, as an administrator is told them.
    pub const ALL: [Self; 11] = [
        Self::Metropolitan,
        Self::AlsaceMoselle,
        Self::Guadeloupe,
        Self::Guyane,
        Self::Martinique,
        Self::Mayotte,
        Self::Reunion,
        Self::SaintBarthelemy,
        Self::SaintMartin,
        Self::SaintPierreEtMiquelon,
        Self::None,
    ];

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|holidays| holidays.key() == key)
    }

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Metropolitan => "metropolitan",
            Self::AlsaceMoselle => "alsace_moselle",
            Self::Guadeloupe => "guadeloupe",
            Self::Guyane => "guyane",
            Self::Martinique => "martinique",
            Self::Mayotte => "mayotte",
            Self::Reunion => "reunion",
            Self::SaintBarthelemy => "saint_barthelemy",
            Self::SaintMartin => "saint_martin",
            Self::SaintPierreEtMiquelon => "saint_pierre_et_miquelon",
            Self::None => "none",
        }
    }

    /// Is this day a public holiday here? (Code du travail L.3133-1, L.3134-13; the
    /// commemorations of the abolition of slavery, decree 83-1003 as amended by decree
    /// 2012-553.)
    #[must_use]
    pub fn include(self, day: Date) -> bool {
        let easter_offset = day.since(easter(day.year())).map_or(i32::MIN, |span| span.get_days());
        let national = matches!(
            (day.month(), day.day()),
            (1 | 5 | 11, 1) | (5, 8) | (7, 14) | (8, 15) | (11, 11) | (12, 25)
        ) || matches!(easter_offset, 1 | 39 | 50);
        let local = match self {
            Self::None => return false,
            Self::Metropolitan | Self::SaintMartin | Self::SaintPierreEtMiquelon => false,
            Self::AlsaceMoselle => easter_offset == -2 || (day.month(), day.day()) == (12, 26),
            Self::Guadeloupe => (day.month(), day.day()) == (5, 27),
            Self::Guyane => (day.month(), day.day()) == (6, 10),
            Self::Martinique => (day.month(), day.day()) == (5, 22),
            Self::Mayotte => (day.month(), day.day()) == (4, 27),
            Self::Reunion => (day.month(), day.day()) == (12, 20),
            Self::SaintBarthelemy => (day.month(), day.day()) == (10, 9),
        };
        national || local
    }
}

/// Easter Sunday in the Gregorian calendar (Meeus, Jones, Butcher).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    let month = i8::try_from(month).unwrap_or(4);
    let day = i8::try_from(day).unwrap_or(1);
    Date::new(year, month, day).unwrap_or(Date::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn each_territory_keeps_its_own_days() {
        assert!(Holidays::AlsaceMoselle.include(date(2027, 3, 26)));
        assert!(Holidays::Mayotte.include(date(2027, 4, 27)));
        assert!(Holidays::Martinique.include(date(2027, 5, 22)));
        assert!(Holidays::Guadeloupe.include(date(2027, 5, 27)));
        assert!(Holidays::Guyane.include(date(2027, 6, 10)));
        assert!(Holidays::Reunion.include(date(2027, 12, 20)));
        assert!(!Holidays::Metropolitan.include(date(2027, 12, 20)));
        assert!(Holidays::SaintBarthelemy.include(date(2027, 10, 9)));
        assert!(!Holidays::SaintMartin.include(date(2027, 5, 27)));
        for holidays in Holidays::ALL {
            assert_eq!(Holidays::parse(holidays.key()), Some(holidays));
            let national = date(2027, 7, 14);
            assert_eq!(holidays.include(national), holidays != Holidays::None);
        }
    }

    /// Dates of Easter as published (INSEE, 2024-2030).
    #[test]
    fn easter_as_published() {
        for day in [
            date(2024, 3, 31),
            date(2025, 4, 20),
            date(2026, 4, 5),
            date(2027, 3, 28),
            date(2028, 4, 16),
            date(2029, 4, 1),
            date(2030, 4, 21),
        ] {
            assert_eq!(easter(day.year()), day);
        }
    }
}
