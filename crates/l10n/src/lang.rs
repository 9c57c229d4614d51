//! A language the product speaks: its code, its direction, its own name.
//! It never negotiates: a person picks a language by its name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{LANGS, text};

/// Scripts written from the right, by primary subtag (BCP 47). Languages, not regions, decide here.
const RIGHT_TO_LEFT: &[&str] = &["ar", "ckb", "dv", "fa", "he", "prs", "ps", "sd", "ug", "ur", "yi"];

/// A language there is a folder for. Holds its BCP 47 code, e.g. `fr`. Serialises as that code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lang(pub(crate) &'static str);

/// The direction text runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    /// From the left.
    Ltr,
    /// From the right.
    Rtl,
}

impl Dir {
    /// `ltr` or `rtl`, as HTML's `dir` wants it.
    pub fn as_str(self) -> &'static str {
        match self {
            Dir::Ltr => "ltr",
            Dir::Rtl => "rtl",
        }
    }
}

impl fmt::Display for Dir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Lang {
    /// Every language with a folder under `locales/`, by code.
    pub const ALL: &'static [Lang] = LANGS;
    /// The language of the administration: always printed, always complete.
    pub const FRENCH: Lang = Lang("fr");

    /// The language with this code. `fr-FR` or `AR_dz` find `fr` and `ar`; an unknown one is `None`.
    pub fn parse(code: &str) -> Option<Lang> {
        let wanted = code.trim().replace('_', "-").to_ascii_lowercase();
        let by = |c: &str| LANGS.iter().copied().find(|lang| lang.0.eq_ignore_ascii_case(c));
        by(&wanted).or_else(|| by(wanted.split('-').next()?))
    }

    /// The BCP 47 code, e.g. `ar`.
    pub fn code(&self) -> &'static str {
        self.0
    }

    /// The direction this language is written in.
    pub fn dir(&self) -> Dir {
        let primary = self.0.split('-').next().unwrap_or(self.0);
        if RIGHT_TO_LEFT.contains(&primary) { Dir::Rtl } else { Dir::Ltr }
    }

    /// The language's name in itself, e.g. `العربية`: what a person looks for in a list.
    pub fn name_in_itself(&self) -> String {
        text(self, "language-name", &[])
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lang({})", self.0)
    }
}

impl Serialize for Lang {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Lang {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Lang::parse(&code).ok_or_else(|| serde::de::Error::custom("unknown language"))
    }
}
