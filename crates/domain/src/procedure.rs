//! The procedures a person may ask an appointment for, read from `data/procedures.json`.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::sync::LazyLock;

/// One line of the data file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcedureEntry {
    /// Stable key; its name in each language stands in `locales/`.
    pub key: String,
    /// Minutes one visit takes at the counter.
    pub minutes: u16,
}

static ENTRIES: LazyLock<Vec<ProcedureEntry>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/procedures.json")).unwrap_or_default());

/// Every procedure, in the order the screens show them.
#[must_use]
pub fn all() -> &'static [ProcedureEntry] {
    &ENTRIES
}

/// A procedure known to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Procedure(&'static str);

impl Procedure {
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        all().iter().find(|entry| entry.key == key).map(|entry| Self(&entry.key))
    }

    #[must_use]
    pub fn key(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for Procedure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        Self::parse(&key).ok_or_else(|| D::Error::custom("unknown procedure"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_file_is_whole() {
        assert_eq!(all().len(), 9);
        assert!(all().iter().all(|entry| entry.minutes > 0));
        assert!(Procedure::parse("renewal").is_some());
        assert!(Procedure::parse("Renewal").is_none());
    }
}
