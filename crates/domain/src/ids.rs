//! One newtype per id, so that a slot never stands where a lease is meant.

use crate::text::{self, TextRefusal};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Reads 32 hexadecimal digits.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return None;
                }
                u128::from_str_radix(text, 16).ok().map(|n| Self(n.to_be_bytes()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| D::Error::custom("expected 32 hexadecimal digits"))
            }
        }
    };
}

random_id!(
    /// One applicant's request for one procedure; the same at the kiosk and at central.
    RegistrationId
);
random_id!(
    /// A kiosk, for its whole life under one device key.
    KioskId
);
random_id!(
    /// One visit of one applicant at a kiosk, from the first keystroke.
    VisitId
);
random_id!(
    /// One attempt to print one paper.
    AttemptId
);
random_id!(
    /// One scanned page.
    PageId
);
random_id!(
    /// One lease of slots to one kiosk.
    LeaseId
);
random_id!(
    /// One offer of an earlier date to one registration.
    OfferId
);
random_id!(
    /// One thing a person said of their appointment, at whatever counter.
    WordId
);
random_id!(
    /// One proposal to annul one registration's appointment.
    AnnulmentId
);

/// A slot at a site: one place at one counter at one civil time. Given by central.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlotId(pub u64);

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A site's short name: 1 to 16 of `A-Z 0-9 -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SiteId(String);

impl SiteId {
    /// Longest site id in bytes; it stands inside the door code.
    pub const MAX: usize = 16;

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let shape = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
        ((1..=Self::MAX).contains(&text.len()) && text.bytes().all(shape)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SiteId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("expected a site id: 1 to 16 of A-Z 0-9 -"))
    }
}

/// The name a mediator signs in with: 1 to 32 visible characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediatorId(String);

impl MediatorId {
    /// # Errors
    /// The text is empty, over 32 characters, or holds a control or bidi character.
    pub fn parse(text: &str) -> Result<Self, TextRefusal> {
        text::one_line(text, 32).map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_only_looks_like_one() {
        assert!(RegistrationId::parse("+0000000000000000000000000000001").is_none());
        assert!(RegistrationId::parse(&"0".repeat(31)).is_none());
        let id = RegistrationId([7; 16]);
        assert_eq!(RegistrationId::parse(&id.to_string()), Some(id));
        assert_eq!(SlotId(42).to_string(), "42");
        assert_eq!(SiteId::parse("DEMO").map(|site| site.to_string()).as_deref(), Some("DEMO"));
        assert_eq!(MediatorId::parse("demo").map(|id| id.as_str().to_owned()), Ok("demo".to_owned()));
        assert!(SiteId::parse("demo").is_none());
        assert!(SiteId::parse("").is_none());
        assert!(SiteId::parse("DEMO-93").is_some());
    }
}
