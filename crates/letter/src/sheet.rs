//! A page handed to a person beside their paper, never in its place: three parts from top to bottom, as
//! large as they fit. It bears no code to verify, so nobody can take it for a convocation.

use jiff::civil::DateTime;
use l10n::{Dir, Lang, text};

use crate::fonts::Fonts;
use crate::layout::{HEIGHT, Page, Role, stack};
use crate::say::{Row, Said, Speaker, Value};
use crate::section::{Area, Section};
use crate::text::Side;
use crate::{FIELD_CHARS, LINES, LetterFailure};

/// Each try is this much smaller than the one before, down to where type is still readable.
const SHRINK: f32 = 0.95;
const SMALLEST: f32 = 0.6;
/// Least room between the parts, in points.
const GAP: f32 = 14.0;
/// Room for the labels of a table, in points.
const LABELS: f32 = 126.0;

/// Makes the parts smaller until they fit one page.
pub(crate) fn fit(
    fonts: &mut Fonts,
    mut parts: impl FnMut(&mut Fonts, f32) -> [Section; 3],
) -> Result<Page, LetterFailure> {
    let mut scale = 1.0;
    while scale >= SMALLEST {
        let sections = parts(fonts, scale);
        let filled: f32 = sections.iter().map(|section| section.y).sum();
        if filled + 2.0 * GAP <= HEIGHT {
            return Ok(stack(sections, GAP));
        }
        scale *= SHRINK;
    }
    Err(LetterFailure::TooMuchText)
}

/// An empty part, on the side the person's language is written from.
pub(crate) fn part(lang: Lang, scale: f32) -> Section {
    Section::on(if lang.dir() == Dir::Rtl { Side::Right } else { Side::Left }, scale)
}

/// The title and what the page is about.
pub(crate) fn head(fonts: &mut Fonts, (lang, title): (Lang, &Said), rows: &[Row], scale: f32) -> Section {
    let mut section = part(lang, scale);
    section.pair(fonts, title, Area::PAGE, 14.0, true, Role::Title);
    section.y += 4.0 * scale;
    section.line(1.2, 0.0);
    section.y += 8.0 * scale;
    section.table(fonts, rows, Area::PAGE, LABELS, 10.5);
    section
}

/// Where to write, and when the page was made.
pub(crate) struct Foot<'a> {
    /// The key of the label of the address.
    pub to: &'static str,
    pub site_name: &'a str,
    pub site_address: &'a [String],
    pub site_phone: Option<&'a str>,
    /// Civil time of the site.
    pub issued_at: DateTime,
}

pub(crate) fn foot(fonts: &mut Fonts, (lang, s): (Lang, &Speaker), foot: &Foot<'_>, scale: f32) -> Section {
    let mut section = part(lang, scale);
    section.line(0.6, 0.55);
    section.y += 6.0 * scale;
    let address =
        std::iter::once(foot.site_name.to_owned()).chain(foot.site_address.iter().cloned()).collect();
    let mut rows = vec![Row { label: s.say(foot.to), value: Value::Data(address) }];
    if let Some(phone) = foot.site_phone {
        rows.push(s.data("paper-phone", phone));
    }
    section.table(fonts, &rows, Area::PAGE, LABELS, 10.0);
    section.y += 4.0 * scale;
    let issued =
        s.with(|lang| text(lang, "paper-issued-at", &[("at", &l10n::date_time_long(lang, &foot.issued_at))]));
    section.pair(fonts, &issued, Area::PAGE, 8.5, false, Role::Paragraph);
    section
}

/// Refuses values no page could hold.
pub(crate) fn check(
    values: &[(&'static str, &str, usize)],
    site_address: &[String],
) -> Result<(), LetterFailure> {
    let long = |value: &str, most: usize| value.chars().nth(most).is_some();
    if let Some((field, ..)) = values.iter().find(|(_, value, most)| long(value, *most)) {
        return Err(LetterFailure::TooLong(field));
    }
    if site_address.len() > LINES || site_address.iter().any(|line| long(line, FIELD_CHARS)) {
        return Err(LetterFailure::TooLong("site_address"));
    }
    Ok(())
}
