//! What a person's words may hold. Everything typed is kept and printed exactly, so
//! the few characters that could change how a line reads are refused, by name.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Why a typed text is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRefusal {
    Empty,
    /// Longer than this many characters.
    TooLong(usize),
    /// A control character: nothing prints it, and some printers obey it.
    Control,
    /// A bidirectional override or isolate: the line would read otherwise than it is.
    Bidi,
}

impl TextRefusal {
    /// The code of the sentence a person reads.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong(_) => "too_long",
            Self::Control => "control_character",
            Self::Bidi => "bidi_override",
        }
    }
}

/// Checks one line: trimmed, in NFC, 1 to `max` characters.
///
/// # Errors
/// See [`TextRefusal`]; the first fault found is told.
pub fn one_line(text: &str, max: usize) -> Result<String, TextRefusal> {
    // The raw length first: nobody makes us normalise a megabyte.
    if text.chars().take(max * 4 + 1).count() > max * 4 {
        return Err(TextRefusal::TooLong(max));
    }
    let text: String = text.trim().nfc().collect();
    if text.is_empty() {
        return Err(TextRefusal::Empty);
    }
    if text.chars().count() > max {
        return Err(TextRefusal::TooLong(max));
    }
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') {
            return Err(TextRefusal::Control);
        }
        if matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            return Err(TextRefusal::Bidi);
        }
    }
    Ok(text)
}

/// Like [`one_line`], where nothing typed is an answer too.
///
/// # Errors
/// As [`one_line`], but never `Empty`.
pub fn optional_line(text: &str, max: usize) -> Result<Option<String>, TextRefusal> {
    match one_line(text, max) {
        Ok(line) => Ok(Some(line)),
        Err(TextRefusal::Empty) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// The form in which names are compared: no marks, no case, letters and digits of any
/// script, one space between words. Never printed.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if matches!(c, '\'' | '\u{2019}') {
            // N'Diaye and NDiaye are one name.
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_lines_are_refused_by_name() {
        assert_eq!(one_line("a\u{202e}b", 10), Err(TextRefusal::Bidi));
        assert_eq!(one_line("a\0b", 10), Err(TextRefusal::Control));
        assert_eq!(one_line("a\nb", 10), Err(TextRefusal::Control));
        assert_eq!(one_line("   ", 10), Err(TextRefusal::Empty));
        assert_eq!(one_line(&"a".repeat(11), 10), Err(TextRefusal::TooLong(10)));
        assert_eq!(one_line(&"a".repeat(1 << 20), 10), Err(TextRefusal::TooLong(10)));
        assert_eq!(one_line("'; DROP TABLE x;--<b>😀", 40).as_deref(), Ok("'; DROP TABLE x;--<b>😀"));
        // Joiners are part of how Persian and Indic names are written.
        assert!(one_line("می\u{200c}نا", 40).is_ok());
    }

    #[test]
    fn folding_joins_what_clerks_write_apart() {
        assert_eq!(folded("N'DIAYE  Aïssata"), folded("Ndiaye aissata"));
        assert_eq!(folded("محمّد"), folded("محمد"));
        assert_ne!(folded("ሃይለ"), folded("ሃይላ"));
    }

    proptest! {
        #[test]
        fn a_kept_line_is_kept_exactly_the_second_time(text in "\\PC{0,60}") {
            if let Ok(line) = one_line(&text, 60) {
                prop_assert_eq!(one_line(&line, 60), Ok(line));
            }
        }
    }
}
