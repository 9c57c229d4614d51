//! Which signs a paper can show: those the bundled fonts have. Anything else would come out
//! as an empty box, on a paper that must be compared with a person's documents.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use skrifa::{FontRef, MetadataProvider};

use crate::fonts::FILES;

/// Signs that shape others and have no glyph of their own: joiners and variation selectors.
const SHAPELESS: [char; 4] = ['\u{200c}', '\u{200d}', '\u{fe0e}', '\u{fe0f}'];

/// The first signs of `text`, at most `max` different ones, that no bundled font can show.
pub fn unprintable(text: &str, max: usize) -> String {
    static KNOWN: OnceLock<BTreeSet<u32>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let fonts = FILES.iter().filter_map(|file| FontRef::new(file).ok());
        fonts.flat_map(|font| font.charmap().mappings().map(|(sign, _)| sign).collect::<Vec<_>>()).collect()
    });
    let mut found = String::new();
    for sign in text.chars().filter(|sign| !SHAPELESS.contains(sign)) {
        if found.chars().count() >= max {
            break;
        }
        if !known.contains(&u32::from(sign)) && !found.contains(sign) {
            found.push(sign);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_signs_it_cannot_show() {
        for name in [
            "TRAORÉ Aïssata",
            "Nguyễn Thị Hồng",
            "بن عيسى",
            "ሰላም",
            "सीता",
            "Олена",
            "O’Brien-Łukasz",
            "ნინო",
            "אברהם",
        ] {
            assert_eq!(unprintable(name, 9), "", "{name}");
        }
        assert_eq!(unprintable("LI 李小龍 李", 9), "李小龍");
        assert_eq!(unprintable("李小龍", 2), "李小");
        assert_eq!(unprintable("a😀b", 9), "😀");
    }
}
