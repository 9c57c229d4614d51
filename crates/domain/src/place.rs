//! A registration's position: ranked by class and registration time within a site and
//! procedure (I8). The paper prints what the key is made of, so anyone recomputes it.

use crate::ids::RegistrationId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of these rules that papers name. Raised when the order would change.
pub const RULE_VERSION: &str = "1";

/// The neutral class: no paper tells which right bounds a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    WithTimeLimit,
    Ordinary,
}

impl Class {
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::WithTimeLimit => "with_time_limit",
            Self::Ordinary => "ordinary",
        }
    }
}

/// Earlier sorts first: class, then registration time to the second, then a tie-break
/// drawn from the registration's random id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlaceKey {
    pub class: Class,
    /// Unix seconds.
    pub registered_s: i64,
    pub tie_break: u32,
}

impl PlaceKey {
    #[must_use]
    pub fn new(class: Class, registered_at: Timestamp, id: RegistrationId) -> Self {
        let [a, b, c, d, ..] = id.0;
        Self { class, registered_s: registered_at.as_second(), tie_break: u32::from_be_bytes([a, b, c, d]) }
    }

    /// The same place by a registration time that was taken over, in Unix seconds.
    #[must_use]
    pub fn since(self, registered_s: i64) -> Self {
        Self { registered_s, ..self }
    }

    /// A place as a paper prints it: the class's key, the time that ranks, the tie-break. None
    /// when the class or the tie-break is not one.
    #[must_use]
    pub fn printed(class: &str, registered_s: i64, tie_break: &str) -> Option<Self> {
        let class = [Class::WithTimeLimit, Class::Ordinary].into_iter().find(|one| one.key() == class)?;
        let hexadecimal = tie_break.len() == 8 && tie_break.bytes().all(|b| b.is_ascii_hexdigit());
        let tie_break = u32::from_str_radix(tie_break, 16).ok().filter(|_| hexadecimal)?;
        Some(Self { class, registered_s, tie_break })
    }

    /// The tie-break as papers print it: 8 hexadecimal digits.
    #[must_use]
    pub fn tie_break_text(&self) -> String {
        format!("{:08X}", self.tie_break)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_then_time_then_tie() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let id = |n| RegistrationId([n; 16]);
        let limited = PlaceKey::new(Class::WithTimeLimit, at(9), id(9));
        let first = PlaceKey::new(Class::Ordinary, at(1), id(9));
        let tie = PlaceKey::new(Class::Ordinary, at(2), id(1));
        let last = PlaceKey::new(Class::Ordinary, at(2), id(2));
        assert!(limited < first && first < tie && tie < last);
        assert_eq!(tie.tie_break_text(), "01010101");
        assert_eq!(PlaceKey::printed("ordinary", 2, "01010101"), Some(tie));
        for (class, tie_break) in [("vip", "01010101"), ("ordinary", "1010101"), ("ordinary", "+1010101")] {
            assert_eq!(PlaceKey::printed(class, 2, tie_break), None);
        }
    }
}
