//! The follow-up code on every paper: 60 bits in Crockford's base 32 and one check
//! character (ISO/IEC 7064, hybrid scheme), in groups a person
//! can read over the phone: `7K3Q-9MZT-4XW2-P`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// Crockford's alphabet: no I, L, O or U to misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 12;

/// A code with a right check character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowUpCode(u64);

impl FollowUpCode {
    /// Takes the low 60 bits of `random`.
    #[must_use]
    pub fn from_random(random: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(random) & ((1 << 60) - 1))
    }

    /// Reads a code as typed: any case, spaces and dashes anywhere, `O` for 0, `I` and
    /// `L` for 1. None when it is not 13 signs or the check character is wrong.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let signs: Vec<u64> =
            text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).map(value).collect::<Option<_>>()?;
        let (check, digits) = signs.split_last()?;
        if digits.len() != DIGITS {
            return None;
        }
        let code = Self(digits.iter().fold(0, |sum, digit| sum << 5 | digit));
        (code.check() == *check).then_some(code)
    }

    /// The 60 bits, for storage.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        self.0
    }

    fn digits(self) -> [u64; DIGITS] {
        let mut shift = 60;
        [(); DIGITS].map(|()| {
            shift -= 5;
            self.0 >> shift & 31
        })
    }

    /// ISO/IEC 7064's hybrid scheme with M = 32: it catches every single wrong sign and
    /// nearly every swap of neighbours.
    fn check(self) -> u64 {
        const M: u64 = 32;
        let product = self.digits().into_iter().fold(M, |p, digit| {
            let sum = match (p + digit) % M {
                0 => M,
                sum => sum,
            };
            sum * 2 % (M + 1)
        });
        (M + 1 - product) % M
    }
}

fn value(c: char) -> Option<u64> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    };
    let at = ALPHABET.iter().position(|sign| char::from(*sign) == c)?;
    u64::try_from(at).ok()
}

fn sign(value: u64) -> char {
    usize::try_from(value).ok().and_then(|v| ALPHABET.get(v)).copied().map_or('?', char::from)
}

impl fmt::Display for FollowUpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, digit) in self.digits().into_iter().enumerate() {
            if i > 0 && i % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", sign(digit))?;
        }
        write!(f, "-{}", sign(self.check()))
    }
}

/// A code opens a person's file: it is never written to a log.
impl fmt::Debug for FollowUpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FollowUpCode(…)")
    }
}

impl Serialize for FollowUpCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FollowUpCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a follow-up code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Papers printed by earlier versions must still be read: the check character never changes.
    #[test]
    fn codes_are_as_they_were_printed() {
        for (bits, text) in
            [(0, "0000-0000-0000-4"), (1, "0000-0000-0001-2"), (0x0fed_cba9_8765_4321, "ZVEB-N63P-AGS1-Q")]
        {
            let code = FollowUpCode::from_random(u64::to_be_bytes(bits));
            assert_eq!((code.to_bits(), code.to_string().as_str()), (bits, text));
            assert_eq!(format!("{code:?}"), "FollowUpCode(…)");
        }
        let code = FollowUpCode::from_random([9; 8]);
        let spaced = |spaces: usize| format!("{code}{}", " ".repeat(spaces));
        assert_eq!(FollowUpCode::parse(&spaced(48)), Some(code), "64 characters");
        assert_eq!(FollowUpCode::parse(&spaced(49)), None);
    }

    proptest! {
        #[test]
        fn every_code_reads_back(random: [u8; 8]) {
            let code = FollowUpCode::from_random(random);
            let text = code.to_string();
            prop_assert_eq!(text.len(), 16);
            prop_assert_eq!(FollowUpCode::parse(&text), Some(code));
            prop_assert_eq!(FollowUpCode::parse(&text.to_lowercase().replace('-', " ")), Some(code));
        }

        #[test]
        fn one_wrong_sign_is_always_caught(random: [u8; 8], at in 0usize..13, other in 0u64..32) {
            let text = FollowUpCode::from_random(random).to_string().replace('-', "");
            let mut signs: Vec<char> = text.chars().collect();
            prop_assume!(signs[at] != sign(other));
            signs[at] = sign(other);
            prop_assert_eq!(FollowUpCode::parse(&signs.iter().collect::<String>()), None);
        }
    }
}
