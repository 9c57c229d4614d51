//! Who asks: names as written, birth, nationality, the AGDREF number if there is one,
//! how to reach the person, and who acts for a minor.

use crate::birth::Birth;
use crate::text;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Longest name, place or e-mail, in characters.
pub const NAME_MAX: usize = 200;
/// Longest postal address, in characters.
pub const POSTAL_MAX: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applicant {
    /// As written, in any script. A person with one name has it here.
    pub family_names: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_names: Option<String>,
    pub birth: Birth,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_place: Option<String>,
    pub nationality: Nationality,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agdref: Option<Agdref>,
    pub identity: Identity,
    #[serde(default)]
    pub contact: Contact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub representative: Option<Representative>,
}

impl Applicant {
    /// The name as every paper prints it: family names, then given names, as written.
    #[must_use]
    pub fn name_as_printed(&self) -> String {
        printed(&self.family_names, self.given_names.as_deref())
    }

    /// The name as it is compared, see [`text::folded`].
    #[must_use]
    pub fn name_folded(&self) -> String {
        text::folded(&self.name_as_printed())
    }
}

/// Family names, then given names, as written.
pub(crate) fn printed(family_names: &str, given_names: Option<&str>) -> String {
    match given_names {
        Some(given) => format!("{family_names} {given}"),
        None => family_names.to_owned(),
    }
}

/// What the identity on the paper rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// A document was shown.
    Document,
    /// The person's word only; the paper says so.
    Declared,
}

/// ISO 3166-1 alpha-3, with ICAO 9303's `XXA` (stateless), `XXB` (refugee), `XXX` (not known).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Nationality(&'static str);

impl Nationality {
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        NATIONALITIES.split_ascii_whitespace().find(|known| *known == code).map(Self)
    }

    pub fn all() -> impl Iterator<Item = Self> {
        NATIONALITIES.split_ascii_whitespace().map(Self)
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for Nationality {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| D::Error::custom("unknown nationality"))
    }
}

/// A foreign national's number in the AGDREF register: 9 or 10 digits. First-time
/// applicants have none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Agdref(String);

impl Agdref {
    /// Reads the number as typed, spaces allowed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 40 {
            return None;
        }
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let right = matches!(digits.len(), 9 | 10) && digits.bytes().all(|b| b.is_ascii_digit());
        right.then_some(Self(digits))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Agdref {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("an AGDREF number has 9 or 10 digits"))
    }
}

/// Ways to reach the person; many have none, and lose nothing by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal: Option<String>,
}

/// Checks a phone number: 6 to 15 digits (ITU-T E.164), with `+`, spaces, dots, dashes
/// and brackets. Kept as typed.
#[must_use]
pub fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (6..=15).contains(&digits)
        && text.len() <= 40
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '.' | '-' | '(' | ')' | '/'))
}

/// Checks only what a wrong e-mail surely lacks; the rest a message will tell.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty()
        && domain.contains('.')
        && domain.split('.').all(|part| !part.is_empty())
        && !text.chars().any(|c| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ','))
}

/// Who acts for a minor or a protected adult.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Representative {
    pub family_names: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_names: Option<String>,
    pub relation: Relation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    Parent,
    Guardian,
    /// Aide sociale à l'enfance.
    ChildWelfare,
}

impl Relation {
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Guardian => "guardian",
            Self::ChildWelfare => "child_welfare",
        }
    }

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        match key {
            "parent" => Some(Self::Parent),
            "guardian" => Some(Self::Guardian),
            "child_welfare" => Some(Self::ChildWelfare),
            _ => None,
        }
    }
}

/// ISO 3166-1 alpha-3 (2026), Kosovo as passports write it (`XKX`), ICAO's three marks.
const NATIONALITIES: &str = "AFG ALA ALB DZA ASM AND AGO AIA ATG ARG ARM ABW AUS AUT AZE BHS BHR BGD BRB \
BLR BEL BLZ BEN BMU BTN BOL BES BIH BWA BRA IOT BRN BGR BFA BDI CPV KHM CMR CAN CYM CAF TCD CHL CHN \
COL COM COG COD COK CRI CIV HRV CUB CUW CYP CZE DNK DJI DMA DOM ECU EGY SLV GNQ ERI EST SWZ ETH FLK \
FRO FJI FIN FRA GAB GMB GEO DEU GHA GIB GRC GRL GRD GTM GGY GIN GNB GUY HTI VAT HND HKG HUN ISL IND \
IDN IRN IRQ IRL IMN ISR ITA JAM JPN JEY JOR KAZ KEN KIR PRK KOR XKX KWT KGZ LAO LVA LBN LSO LBR LBY \
LIE LTU LUX MAC MDG MWI MYS MDV MLI MLT MHL MRT MUS MEX FSM MDA MCO MNG MNE MSR MAR MOZ MMR NAM NRU \
NPL NLD NZL NIC NER NGA NIU MKD NOR OMN PAK PLW PSE PAN PNG PRY PER PHL PCN POL PRT PRI QAT ROU RUS \
RWA SHN KNA LCA VCT WSM SMR STP SAU SEN SRB SYC SLE SGP SXM SVK SVN SLB SOM ZAF SSD ESP LKA SDN SUR \
SWE CHE SYR TWN TJK TZA THA TLS TGO TKL TON TTO TUN TUR TKM TCA TUV UGA UKR ARE GBR USA URY UZB VUT \
VEN VNM VGB VIR ESH YEM ZMB ZWE XXA XXB XXX";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printed_as_written_and_compared_folded() {
        let mut applicant = Applicant {
            family_names: "N'DIAYE".into(),
            given_names: None,
            birth: Birth::Year { year: 1990 },
            birth_place: None,
            nationality: Nationality::parse("SEN").unwrap(),
            agdref: None,
            identity: Identity::Declared,
            contact: Contact::default(),
            representative: None,
        };
        assert_eq!(applicant.name_as_printed(), "N'DIAYE");
        applicant.given_names = Some("Aïssatou".into());
        assert_eq!(applicant.name_as_printed(), "N'DIAYE Aïssatou");
        assert_eq!(applicant.name_folded(), text::folded("N'DIAYE Aïssatou"));
        assert_ne!(applicant.name_folded(), text::folded("N'DIAYE"));
    }

    #[test]
    fn numbers_and_addresses() {
        assert!(Agdref::parse("123 456 7890").is_some());
        assert!(Agdref::parse("123456789").is_some());
        assert!(Agdref::parse("12345678").is_none());
        assert!(Agdref::parse("١٢٣٤٥٦٧٨٩").is_none());
        assert!(is_phone("+33 6 12 34 56 78"));
        assert!(!is_phone("12"));
        assert!(!is_phone("call me"));
        assert!(is_email("a.b@exemple.fr"));
        assert!(!is_email("a@b"));
        assert!(!is_email("a b@c.fr"));
        assert!(!is_email("@c.fr"));
        assert!(Nationality::parse("MAR").is_some());
        assert!(Nationality::parse("mar").is_none());
        assert!(Nationality::parse("ZZZ").is_none());
    }
}
