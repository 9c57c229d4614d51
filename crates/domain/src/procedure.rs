//! The procedures a person may ask an appointment for, read from `data/procedures.json`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
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

/// The procedures a counter serves at an hour: all there are and will be, or those named.
/// In JSON the keys; absent is all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcedureSet(u64);

impl ProcedureSet {
    /// All, those of later versions too.
    pub const ALL: Self = Self(u64::MAX);
    pub const NONE: Self = Self(0);

    pub fn of(procedures: impl IntoIterator<Item = Procedure>) -> Self {
        Self(procedures.into_iter().fold(0, |bits, procedure| bits | bit(procedure)))
    }

    /// Those of `keys` this version knows: what another version named besides, it cannot ask for.
    #[must_use]
    pub fn known<S: AsRef<str>>(keys: Option<&[S]>) -> Self {
        keys.map_or(Self::ALL, |keys| Self::of(keys.iter().filter_map(|key| Procedure::parse(key.as_ref()))))
    }

    /// Their keys in the order of the data file; none when it is all.
    #[must_use]
    pub fn keys(self) -> Option<Vec<&'static str>> {
        (!self.is_all()).then(|| self.each().map(Procedure::key).collect())
    }

    /// Each of them this version knows.
    pub fn each(self) -> impl Iterator<Item = Procedure> {
        all().iter().map(|entry| Procedure(&entry.key)).filter(move |procedure| self.includes(*procedure))
    }

    #[must_use]
    pub fn includes(self, procedure: Procedure) -> bool {
        self.0 & bit(procedure) != 0
    }

    /// How many it serves; all is more than any number named.
    #[must_use]
    pub fn breadth(self) -> u32 {
        self.0.count_ones()
    }

    /// Does it serve everybody `other` serves?
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Does it serve somebody `other` serves?
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::ALL
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }
}

impl Default for ProcedureSet {
    fn default() -> Self {
        Self::ALL
    }
}

fn bit(procedure: Procedure) -> u64 {
    all().iter().position(|entry| entry.key == procedure.key()).map_or(0, |n| 1 << n.min(62))
}

impl Serialize for ProcedureSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.keys().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ProcedureSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = Option::<Vec<Procedure>>::deserialize(deserializer)?;
        Ok(named.map_or(Self::ALL, Self::of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_more_than_every_one_named() {
        assert!(all().len() < 62, "one bit each");
        let named = ProcedureSet::of(ProcedureSet::ALL.each());
        assert_eq!(named.each().count(), all().len());
        assert!(ProcedureSet::ALL.covers(named) && !named.covers(ProcedureSet::ALL));
        let renewal = Procedure::parse("renewal").unwrap();
        let one = ProcedureSet::of([renewal]);
        assert_eq!((ProcedureSet::NONE.breadth(), one.breadth(), ProcedureSet::ALL.breadth()), (0, 1, 64));
        assert_eq!(ProcedureSet::of([renewal, renewal]), one);
        assert!(one.includes(renewal) && !one.includes(Procedure::parse("duplicate").unwrap()));
        assert_eq!(serde_json::to_string(&one).unwrap(), r#"["renewal"]"#);
        assert_eq!(serde_json::from_str::<ProcedureSet>(r#"["renewal"]"#).unwrap(), one);
        assert_eq!(serde_json::from_str::<ProcedureSet>("null").unwrap(), ProcedureSet::ALL);
        assert!(serde_json::from_str::<ProcedureSet>(r#"["later"]"#).is_err());
        assert_eq!(ProcedureSet::known(Some(&["renewal", "later"])), one);
        assert!(ProcedureSet::known(Some(&["later"])).is_empty());
    }

    #[test]
    fn the_data_file_is_whole() {
        assert_eq!(all().len(), 9);
        assert!(all().iter().all(|entry| entry.minutes > 0));
        assert!(Procedure::parse("renewal").is_some());
        assert!(Procedure::parse("Renewal").is_none());
    }
}
