//! How far two writings of a name lie apart: a slip of the hand, another transliteration, family
//! and given names the other way round. Judges letters alone; says nothing of who bears the name.

use crate::text;
use std::collections::BTreeSet;

/// Points above which two names are not one.
pub const POINTS_MAX: u8 = 4;
/// Parts of a name compared one by one; of a longer name only the order of its parts may differ.
const PARTS_MAX: usize = 12;
/// Longest part compared letter by letter, in letters; a longer one is the same or another.
const PART_LETTERS_MAX: usize = 40;
/// A part the other writing does not have.
const MISSING: u8 = 2;
/// The same where only one part is left to know the person by.
const MISSING_OF_TWO: u8 = 3;
/// Another part in its place: vowels were written where the first script leaves them out.
const OTHER_SCRIPT: u8 = 1;

/// What stands before a name and is written or not, together with it or apart.
const PARTICLES: [&str; 33] = [
    "al", "el", "ul", "as", "ben", "bin", "ibn", "bint", "bent", "ould", "uld", "wuld", "ait", "de", "da",
    "do", "dos", "das", "del", "della", "di", "du", "des", "le", "la", "les", "van", "von", "der", "den",
    "y", "e", "d",
];

/// Points between two names, each its family and its given names; none when they are not one.
/// The same both ways round.
#[must_use]
pub fn apart(one: (&str, Option<&str>), other: (&str, Option<&str>)) -> Option<u8> {
    let (one, other) = (Parts::read(one), Parts::read(other));
    if one.all.is_empty() || other.all.is_empty() {
        return None;
    }
    let told = |mut points: Option<u8>, found: Option<u8>| {
        if let Some(found) = found {
            points = Some(points.map_or(found, |points| points.min(found)));
        }
        points
    };
    let mut points = told(one.as_one_word(&other), by_parts(&one.all, &other.all));
    if one.all.len() <= PARTS_MAX && other.all.len() <= PARTS_MAX {
        for joined in joined(&one.all) {
            points = told(points, by_parts(&joined, &other.all));
        }
        for joined in joined(&other.all) {
            points = told(points, by_parts(&one.all, &joined));
        }
    }
    points.filter(|points| *points <= POINTS_MAX)
}

/// A name's parts in the order written.
struct Parts {
    all: Vec<Part>,
    /// How many of them are family names.
    family: usize,
}

/// One part as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// Latin letters, one for each sound as far as it is known; capitals stand for `sh` and `j`.
    letters: String,
    /// Of a script whose vowels are not, or not always, written.
    bare: bool,
    particle: bool,
    /// Of several that were written apart.
    joined: bool,
}

impl Parts {
    fn read((family, given): (&str, Option<&str>)) -> Self {
        let mut all = parts(family);
        let family = all.len();
        all.extend(parts(given.unwrap_or_default()));
        Self { all, family }
    }

    /// Written without their spaces, in either order.
    fn as_one_word(&self, other: &Self) -> Option<u8> {
        let (one, other) = (self.both_ways(), other.both_ways());
        let same = |a: &Part, b: &Part| a.bare == b.bare && a.letters == b.letters;
        one.iter().any(|a| other.iter().any(|b| same(a, b))).then_some(0)
    }

    fn both_ways(&self) -> [Part; 2] {
        let (family, given) = self.all.split_at(self.family.min(self.all.len()));
        [together(family.iter().chain(given)), together(given.iter().chain(family))]
    }
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = text::folded(text).split(' ').filter_map(Part::read).collect();
    // Lê and Đỗ are names where nothing else stands beside them.
    if parts.iter().all(|part| part.particle) {
        parts.iter_mut().for_each(|part| part.particle = false);
    }
    parts
}

impl Part {
    /// None of what has no letter.
    fn read(word: &str) -> Option<Self> {
        let latin: String =
            any_ascii::any_ascii(word).to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let letters = sounds(&latin);
        let particle = PARTICLES.contains(&latin.as_str());
        (!letters.is_empty()).then(|| Self {
            letters,
            bare: word.chars().any(leaves_vowels_out),
            particle,
            joined: false,
        })
    }

    /// The letters without their vowels.
    fn consonants(&self) -> String {
        once(self.letters.chars().filter(|c| !is_vowel(*c)))
    }

    fn apart(&self, other: &Self) -> Option<u8> {
        let (one, two) = (&self.letters, &other.letters);
        if one == two && self.bare == other.bare {
            return Some(0);
        }
        let shorter = one.chars().count().min(two.chars().count());
        if one.chars().count().max(two.chars().count()) > PART_LETTERS_MAX {
            return None;
        }
        let points = edits(one, two);
        if self.bare != other.bare {
            let consonants = self.consonants();
            let known = consonants.chars().count() > 1 || points <= 1;
            return (known && consonants == other.consonants()).then_some(OTHER_SCRIPT);
        }
        u8::try_from(points).ok().filter(|points| *points <= allowed(shorter))
    }
}

/// Points a part may lie apart by how many letters the shorter writing of it has.
fn allowed(letters: usize) -> u8 {
    match letters {
        0..=2 => 0,
        3..=4 => 1,
        5..=7 => 2,
        _ => 3,
    }
}

/// Each part of the one that has fewer has its own in the other; what is left over costs.
fn by_parts(one: &[Part], other: &[Part]) -> Option<u8> {
    if !particles_agree(one, other) {
        return None;
    }
    let (one, other) = (borne(one), borne(other));
    let (mut one, mut other, same) = unlike(one, other);
    if one.len() > other.len() {
        std::mem::swap(&mut one, &mut other);
    }
    let (known, missing) = (same + one.len(), other.len() - one.len());
    // More than the points there are could pay for.
    if known == 0 || other.len() > usize::from(POINTS_MAX) {
        return None;
    }
    // Two that are missing are not one because they could be joined.
    if missing > 0 && other.iter().any(|part| part.joined) {
        return None;
    }
    let each = if known == 1 { MISSING_OF_TWO } else { MISSING };
    let missing = u8::try_from(missing).ok()?.checked_mul(each)?;
    let near = paired(&one, &mut other)?;
    missing.checked_add(near).filter(|points| *points <= POINTS_MAX)
}

/// What is left of both without the parts they share, and how many those are.
fn unlike<'a>(one: Vec<&'a Part>, mut other: Vec<&'a Part>) -> (Vec<&'a Part>, Vec<&'a Part>, usize) {
    let before = one.len();
    let alike = |a: &Part, b: &Part| a.letters == b.letters && a.bare == b.bare;
    let left: Vec<_> = one
        .into_iter()
        .filter(|part| match other.iter().position(|its| alike(its, part)) {
            Some(at) => {
                other.swap_remove(at);
                false
            }
            None => true,
        })
        .collect();
    let same = before - left.len();
    (left, other, same)
}

/// The parts without their particles; all of them where fewer than two would be left to know the
/// person by.
fn borne(parts: &[Part]) -> Vec<&Part> {
    let borne: Vec<_> = parts.iter().filter(|part| !part.particle).collect();
    if borne.len() < 2 { parts.iter().collect() } else { borne }
}

/// A particle is left out or written; one is never another.
fn particles_agree(one: &[Part], other: &[Part]) -> bool {
    let of = |parts: &[Part]| -> BTreeSet<String> {
        parts.iter().filter(|part| part.particle).map(|part| part.letters.clone()).collect()
    };
    let (one, other) = (of(one), of(other));
    one.is_subset(&other) || other.is_subset(&one)
}

/// The fewest points with which each of these has one of the others. Both are as few as the points.
fn paired(ones: &[&Part], others: &mut Vec<&Part>) -> Option<u8> {
    let Some((first, rest)) = ones.split_first() else { return Some(0) };
    let mut fewest: Option<u8> = None;
    for at in 0..others.len() {
        let with = others.swap_remove(at);
        let points = first.apart(with).and_then(|points| points.checked_add(paired(rest, others)?));
        others.push(with);
        let last = others.len() - 1;
        others.swap(at, last);
        fewest = match (fewest, points) {
            (Some(fewest), Some(points)) => Some(fewest.min(points)),
            (fewest, points) => fewest.or(points),
        };
    }
    fewest
}

/// The same name with two or three neighbours written as one: `ben ali` and `benali`.
fn joined(parts: &[Part]) -> impl Iterator<Item = Vec<Part>> {
    [2, 3].into_iter().flat_map(move |count| {
        (0..parts.len().saturating_sub(count - 1)).map(move |from| {
            let (before, rest) = parts.split_at(from);
            let (group, after) = rest.split_at(count);
            before.iter().cloned().chain([together(group)]).chain(after.iter().cloned()).collect()
        })
    })
}

fn together<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Part {
    let mut letters = String::new();
    let mut bare = false;
    for part in parts {
        letters.push_str(&part.letters);
        bare |= part.bare;
    }
    Part { letters: once(letters.chars()), bare, particle: false, joined: true }
}

/// Vowels of these are written as marks that folding takes away, or not at all.
fn leaves_vowels_out(c: char) -> bool {
    let whole = matches!(c,
        // Latin, Greek, Cyrillic, Armenian.
        '\0'..='\u{58f}'
        // Georgian, and Ethiopic whose signs are syllables.
        | '\u{10a0}'..='\u{10ff}' | '\u{1200}'..='\u{139f}' | '\u{1c90}'..='\u{1cbf}' | '\u{2d80}'..='\u{2ddf}'
        // Latin and Greek with marks; what Latin had added later.
        | '\u{1e00}'..='\u{1fff}' | '\u{2c60}'..='\u{2c7f}' | '\u{a720}'..='\u{a7ff}');
    !whole && c.is_alphabetic()
}

/// What one transliteration writes and another writes otherwise, longest first.
const SOUNDS: [(&str, &str); 27] = [
    ("shch", "C"),
    ("tch", "C"),
    ("sch", "C"),
    ("dzh", "J"),
    ("sh", "C"),
    ("ch", "C"),
    ("cz", "C"),
    ("zh", "J"),
    ("dj", "J"),
    ("kh", "k"),
    ("gh", "g"),
    ("th", "t"),
    ("dh", "d"),
    ("ph", "f"),
    ("ck", "k"),
    ("qu", "k"),
    ("ou", "u"),
    ("oo", "u"),
    ("ee", "i"),
    ("tz", "s"),
    ("ts", "s"),
    ("q", "k"),
    ("c", "k"),
    ("j", "J"),
    ("w", "u"),
    ("y", "i"),
    ("x", "ks"),
];

/// One letter for each sound: none doubled, none that is mute at the end.
fn sounds(latin: &str) -> String {
    let mut heard = String::with_capacity(latin.len());
    let mut rest = latin;
    while let Some(first) = rest.chars().next() {
        let rule = SOUNDS.iter().find(|(written, _)| rest.starts_with(written));
        let length = match rule {
            Some((written, sound)) => {
                heard.push_str(sound);
                written.len()
            }
            None => {
                heard.push(first);
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    let mut heard = once(heard.chars());
    if heard.len() > 1 && heard.ends_with('h') {
        heard.pop();
    }
    heard
}

/// Without the second of two that are alike.
fn once(letters: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for c in letters {
        if !out.ends_with(c) {
            out.push(c);
        }
    }
    out
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// Sounds one alphabet writes for the other.
const NEAR: [(char, char); 9] = [
    ('b', 'p'),
    ('b', 'v'),
    ('d', 't'),
    ('f', 'v'),
    ('g', 'k'),
    ('J', 'g'),
    ('J', 'z'),
    ('C', 's'),
    ('s', 'z'),
];

/// One for another: a point between vowels or near sounds, else two.
fn other_letter(one: char, two: char) -> usize {
    let near = NEAR.contains(&(one, two)) || NEAR.contains(&(two, one));
    match one == two {
        true => 0,
        false if near || is_vowel(one) && is_vowel(two) => 1,
        false => 2,
    }
}

/// One more or one less: a point for a vowel or an `h`, else two.
fn more(c: char) -> usize {
    if is_vowel(c) || c == 'h' { 1 } else { 2 }
}

/// Fewest points that make one of the other; two neighbours the other way round are two points.
fn edits(one: &str, two: &str) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = vec![0];
    for c in two.chars() {
        let far = last.last().copied().unwrap_or(0) + more(c);
        last.push(far);
    }
    let mut previous = None;
    for a in one.chars() {
        let at = |row: &[usize], n: usize| row.get(n).copied().unwrap_or(usize::MAX / 2);
        let mut row = vec![at(&last, 0) + more(a)];
        let mut left = None;
        for (n, b) in two.chars().enumerate() {
            let mut fewest = (at(&last, n) + other_letter(a, b))
                .min(at(&last, n + 1) + more(a))
                .min(row.last().copied().unwrap_or(0) + more(b));
            if n > 0 && previous == Some(b) && left == Some(a) && a != b {
                fewest = fewest.min(at(&before_last, n - 1) + 2);
            }
            row.push(fewest);
            left = Some(b);
        }
        before_last = std::mem::replace(&mut last, row);
        previous = Some(a);
    }
    last.last().copied().unwrap_or(0)
}
