//! The paper a person leaves with: a convocation or a ranked receipt, as the bytes of a tagged PDF.
//! Pure functions of what they are given: no clock, no file, no randomness, so equal input gives
//! equal bytes. It never decides a date and never says that a paper was printed.

mod code;
mod fonts;
mod glyphs;
mod ink;
mod layout;
mod limit_letter;
mod notice;
mod pdf;
mod pictogram;
mod printable;
mod say;
mod section;
mod sheet;
mod text;

use jiff::civil::{Date, DateTime};
use l10n::Lang;

pub use code::CODE_BYTES;
pub use fonts::Fonts;
pub use limit_letter::{LimitLetter, render_limit_letter};
pub use notice::{Notice, render_notice};
pub use printable::unprintable;

/// Characters in one value of a letter: twice the longest name the registry has met.
pub const FIELD_CHARS: usize = 600;
/// Lines of an address, procedures of one visit: beyond it a page cannot stay readable.
pub const LINES: usize = 12;

/// All that is printed. Values are printed exactly as they are given; only control characters and
/// direction overrides, which have no shape, come out as a visible replacement mark.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Which paper it is, with its date.
    pub kind: Kind,
    /// The person's language: the column beside French. French alone gives one wide column.
    pub lang: Lang,
    /// The person's name as written.
    pub name: String,
    /// The birth date, already formatted (it may be a year only).
    pub birth: String,
    /// Where the person was born; may be empty.
    pub birth_place: String,
    /// Nationality: the country in French and, where it is written otherwise, in the person's
    /// language (`Algérie · الجزائر`); may be empty.
    pub nationality: String,
    /// The person's AGDREF number, if there is one.
    pub agdref: Option<String>,
    /// The identity was declared, no document was shown.
    pub declared: bool,
    /// Who acts for a minor.
    pub representative: Option<String>,
    /// Keys of procedures (`renewal`): their names are `paper-procedure-<key>` in `locales/`.
    pub procedures: Vec<String>,
    /// The site's name.
    pub site_name: String,
    /// The site's address, a line each.
    pub site_address: Vec<String>,
    /// The site's telephone number, if published.
    pub site_phone: Option<String>,
    /// The follow-up code, e.g. `7K3Q-9MZT-4XW2-P`.
    pub code: String,
    /// When this paper was made: civil time of the site.
    pub issued_at: DateTime,
    /// Version of the ranking rule.
    pub rule_version: String,
    /// The neutral class: nothing on the paper tells a right.
    pub class: Class,
    /// The day from which the application may be filed, where it could not yet be when the person was
    /// registered. It says why the date is far, and of what permit nothing.
    pub opens: Option<Date>,
    /// Days of notice with which an earlier date is given without asking, where the person chose so.
    pub accepts_earlier: Option<u8>,
    /// The appointment is at another site than the one where the person registered.
    pub elsewhere: bool,
    /// Of a far date, the first day on which the person may say that they will come.
    pub confirm_from: Option<Date>,
    /// The registration time that ranks, to the second: civil time of the site.
    pub registered_at: DateTime,
    /// The site whose registration time that is, where the person has moved from there.
    pub taken_over: Option<String>,
    /// What orders two registrations of the same instant.
    pub tie_break: String,
    /// Bytes of the door code, 1 to [`CODE_BYTES`].
    pub door: Vec<u8>,
    /// Bytes of the rebuild code, 1 to [`CODE_BYTES`].
    pub rebuild: Vec<u8>,
}

/// The two papers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A definite date.
    Convocation {
        /// Civil time at the site.
        at: DateTime,
        /// The site's time zone, e.g. `Europe/Paris`.
        zone: String,
        /// The counter, where one is named.
        counter: Option<String>,
    },
    /// A rank, with the held date it cannot be later than, if there is one. Without one the paper is
    /// the request for a date, told to the préfecture or still to be sent to it.
    Receipt {
        /// The held slot: civil time at the site.
        no_later_than: Option<DateTime>,
        /// When the préfecture was told that no date exists: civil time of the site. Not printed
        /// beside a held slot, which says that one does.
        told: Option<DateTime>,
        /// The site's time zone.
        zone: String,
    },
}

/// The class as it may be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// No declared time limit.
    Ordinary,
    /// With a legal time limit (which one is never said).
    WithTimeLimit,
}

/// Why no paper could be made. Nothing in it is personal.
#[derive(Debug, thiserror::Error)]
pub enum LetterFailure {
    /// A code's bytes are empty or more than [`CODE_BYTES`].
    #[error("a paper code of {0} bytes: 1 to {CODE_BYTES} fit")]
    Code(usize),
    /// A value has more than [`FIELD_CHARS`] characters or a list more than [`LINES`] lines.
    #[error("the value of {0} is too long for a page")]
    TooLong(&'static str),
    /// The whole does not fit one page, even at the smallest type.
    #[error("the letter does not fit one page")]
    TooMuchText,
    /// A bundled font could not be cut down.
    #[error("font subset: {0}")]
    Font(String),
    /// The PDF could not be written.
    #[error("writing the PDF")]
    Pdf(#[from] lopdf::Error),
    /// The PDF could not be written out.
    #[error("writing the PDF")]
    Write(#[from] std::io::Error),
}

impl LetterFailure {
    /// The code a front turns into a sentence.
    pub fn code(&self) -> &'static str {
        match self {
            LetterFailure::Code(_) => "letter_code_size",
            LetterFailure::TooLong(_) => "letter_value_too_long",
            LetterFailure::TooMuchText => "letter_does_not_fit",
            LetterFailure::Font(_) => "letter_font",
            LetterFailure::Pdf(_) | LetterFailure::Write(_) => "letter_pdf",
        }
    }
}

/// One A4 page, tagged, at most 60 kB for any ordinary letter: French beside the person's language.
/// Source for what it says: CESEDA R.431-2 (the substitution route gives a date for the reception
/// where the application is registered; the paper is not that registration).
pub fn render(fonts: &mut Fonts, letter: &Letter) -> Result<Vec<u8>, LetterFailure> {
    check(letter)?;
    let words = say::words(letter);
    let page = layout::compose(fonts, letter, &words)?;
    let about = pdf::About {
        lang: letter.lang,
        title: &words.title,
        issued_at: letter.issued_at,
        parts: [&letter.door, &letter.rebuild, letter.code.as_bytes()],
        alt: [&words.door_alt.fr, &words.rebuild_alt.fr],
    };
    pdf::write(&page, &about)
}

fn check(letter: &Letter) -> Result<(), LetterFailure> {
    let values: [(&'static str, &str); 9] = [
        ("name", &letter.name),
        ("birth", &letter.birth),
        ("birth_place", &letter.birth_place),
        ("nationality", &letter.nationality),
        ("agdref", letter.agdref.as_deref().unwrap_or_default()),
        ("representative", letter.representative.as_deref().unwrap_or_default()),
        ("site_name", &letter.site_name),
        ("code", &letter.code),
        ("tie_break", &letter.tie_break),
    ];
    let long = |value: &str| value.chars().nth(FIELD_CHARS).is_some();
    if let Some((field, _)) = values.iter().find(|(_, value)| long(value)) {
        return Err(LetterFailure::TooLong(field));
    }
    for (field, lines) in [("site_address", &letter.site_address), ("procedures", &letter.procedures)] {
        if lines.len() > LINES || lines.iter().any(|line| long(line)) {
            return Err(LetterFailure::TooLong(field));
        }
    }
    Ok(())
}
