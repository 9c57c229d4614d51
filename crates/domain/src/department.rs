//! A département: the area within which one préfecture receives people. A person may accept a date at
//! any of its sites, and then has the earliest of them all. Knows no list of sites.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::fmt;

/// Most sites of one département that dates are given at: each is asked for its first day when a
/// person accepts any of them, and each kiosk knows all their addresses.
pub const SITES_MAX: usize = 24;

/// Its official number: `01` to `95`, `2A` and `2B` for Corsica, `971` to `976` and the collectivities
/// overseas (INSEE, code officiel géographique).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Department([u8; 3]);

/// Overseas: départements, regions and collectivities that have a préfecture or a high commission.
const OVERSEAS: [&str; 11] = ["971", "972", "973", "974", "975", "976", "977", "978", "986", "987", "988"];

impl Department {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let metropolitan = match text {
            // Corsica is two since 1976.
            "20" => false,
            "2A" | "2B" => true,
            _ => {
                text.len() == 2
                    && text.bytes().all(|b| b.is_ascii_digit())
                    && text.parse().is_ok_and(|number: u8| (1..=95).contains(&number))
            }
        };
        if !metropolitan && !OVERSEAS.contains(&text) {
            return None;
        }
        let mut code = [b' '; 3];
        for (place, byte) in code.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        Some(Self(code))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII comes in.
        str::from_utf8(&self.0).unwrap_or_default().trim_end()
    }
}

impl fmt::Display for Department {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Department {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Department {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("expected the number of a département"))
    }
}

/// Which of these sites receives the person, by the first day each has for them: the earliest, and on
/// one day the one that comes first, which is where they registered. None when no site has a day.
pub fn first_site(days: impl IntoIterator<Item = Option<Date>>) -> Option<usize> {
    let days = days.into_iter().enumerate().filter_map(|(n, day)| Some((day?, n)));
    days.min().map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_departements_and_nothing_else() {
        for good in ["01", "09", "2A", "2B", "75", "93", "95", "971", "976", "988"] {
            let read = Department::parse(good).unwrap();
            assert_eq!(read.as_str(), good);
            assert_eq!(serde_json::to_string(&read).unwrap(), format!("\"{good}\""));
        }
        for bad in ["", "0", "00", "1", "20", "96", "2C", "2a", "+1", "970", "979", "0750", " 75", "7é"] {
            assert_eq!(Department::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nobody_is_sent_elsewhere_for_nothing_or_past_an_earlier_day(
            days in prop::collection::vec(prop::option::of(1i16..400), 0..8)
        ) {
            let day = |n: i16| Date::new(2027, 1, 1).unwrap().saturating_add(jiff::ToSpan::days(n));
            let days: Vec<_> = days.into_iter().map(|n| n.map(day)).collect();
            match first_site(days.iter().copied()) {
                None => prop_assert!(days.iter().all(Option::is_none)),
                Some(n) => {
                    let chosen = days[n].unwrap();
                    prop_assert!(days.iter().flatten().all(|day| chosen <= *day));
                    // Any before it in the list has no day as early.
                    prop_assert!(days[..n].iter().flatten().all(|day| chosen < *day));
                }
            }
        }
    }
}
