//! The notice that an appointment may be annulled: handed to the person beside their paper, never in
//! its place, and on a page of its own, for they show the other to many. It bears no code to verify.

use jiff::civil::{Date, DateTime};
use l10n::{Dir, Lang, text};

use crate::fonts::Fonts;
use crate::layout::{HEIGHT, Page, Role, stack};
use crate::pdf::{self, About};
use crate::say::{Row, Said, Speaker, Value};
use crate::section::{Area, Section};
use crate::text::{Look, Side};
use crate::{FIELD_CHARS, LINES, LetterFailure};

/// Characters of the reasons: what fits the page beside the rest.
const REASONS_CHARS: usize = 1_000;
/// Each try is this much smaller than the one before, down to where type is still readable.
const SHRINK: f32 = 0.95;
const SMALLEST: f32 = 0.6;
/// Least room between the parts, in points.
const GAP: f32 = 14.0;

/// All that the notice says. Values are printed exactly as they are given.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The person's language, beside French.
    pub lang: Lang,
    /// The person's name as written.
    pub name: String,
    /// The follow-up code.
    pub code: String,
    /// The appointment: civil time at the site.
    pub at: DateTime,
    /// The site's name.
    pub site_name: String,
    /// The site's address, a line each.
    pub site_address: Vec<String>,
    /// The site's telephone number, if published.
    pub site_phone: Option<String>,
    /// The last day for the person's answer.
    pub until: Date,
    /// The agent's own words, in French.
    pub reasons: String,
    /// When this notice was made: civil time of the site.
    pub issued_at: DateTime,
}

/// One A4 page, tagged: French beside the person's language.
pub fn render_notice(fonts: &mut Fonts, notice: &Notice) -> Result<Vec<u8>, LetterFailure> {
    check(notice)?;
    let s = Speaker { own: (notice.lang != Lang::FRENCH).then_some(notice.lang) };
    let title = s.say("paper-annulment-title");
    let page = compose(fonts, notice, &s, &title)?;
    let about = About {
        lang: notice.lang,
        title: &title,
        issued_at: notice.issued_at,
        parts: [b"annulment", notice.code.as_bytes(), notice.reasons.as_bytes()],
        alt: ["", ""],
    };
    pdf::write(&page, &about)
}

fn compose(fonts: &mut Fonts, notice: &Notice, s: &Speaker, title: &Said) -> Result<Page, LetterFailure> {
    let mut scale = 1.0;
    while scale >= SMALLEST {
        let sections = [
            head(fonts, notice, s, title, scale),
            body(fonts, notice, s, scale),
            foot(fonts, notice, s, scale),
        ];
        let filled: f32 = sections.iter().map(|section| section.y).sum();
        if filled + 2.0 * GAP <= HEIGHT {
            return Ok(stack(sections, GAP));
        }
        scale *= SHRINK;
    }
    Err(LetterFailure::TooMuchText)
}

fn section(notice: &Notice, scale: f32) -> Section {
    Section::on(if notice.lang.dir() == Dir::Rtl { Side::Right } else { Side::Left }, scale)
}

fn head(fonts: &mut Fonts, notice: &Notice, s: &Speaker, title: &Said, scale: f32) -> Section {
    let mut section = section(notice, scale);
    section.pair(fonts, title, Area::PAGE, 14.0, true, Role::Title);
    section.y += 4.0 * scale;
    section.line(1.2, 0.0);
    section.y += 8.0 * scale;
    let at = s.with(|lang| l10n::date_time_long(lang, &notice.at));
    let rows = [
        s.data("paper-name", &notice.name),
        s.data("paper-code", &notice.code),
        Row { label: s.say("paper-your-date"), value: Value::Words(vec![at]) },
    ];
    section.table(fonts, &rows, Area::PAGE, 126.0, 10.5);
    section
}

fn body(fonts: &mut Fonts, notice: &Notice, s: &Speaker, scale: f32) -> Section {
    let mut section = section(notice, scale);
    section.pair(fonts, &s.say("paper-annulment-what"), Area::PAGE, 10.5, false, Role::Paragraph);
    section.y += 8.0 * scale;
    section.pair(fonts, &s.say("paper-annulment-reasons"), Area::PAGE, 10.5, true, Role::Paragraph);
    section.y += 3.0 * scale;
    let look = Look { size: 10.5, bold: false, side: Side::Left };
    section.y += section.text(fonts, &notice.reasons, Area::PAGE.inner(10.0), look, false);
    section.y += 8.0 * scale;
    let until =
        s.with(|lang| text(lang, "paper-annulment-until", &[("day", &l10n::date_long(lang, &notice.until))]));
    section.pair(fonts, &until, Area::PAGE, 12.0, true, Role::Paragraph);
    for key in ["paper-annulment-how", "paper-annulment-holds", "paper-annulment-then"] {
        section.y += 6.0 * scale;
        section.pair(fonts, &s.say(key), Area::PAGE, 10.5, false, Role::Paragraph);
    }
    section
}

fn foot(fonts: &mut Fonts, notice: &Notice, s: &Speaker, scale: f32) -> Section {
    let mut section = section(notice, scale);
    section.line(0.6, 0.55);
    section.y += 6.0 * scale;
    let address =
        std::iter::once(notice.site_name.clone()).chain(notice.site_address.iter().cloned()).collect();
    let mut rows = vec![Row { label: s.say("paper-annulment-to"), value: Value::Data(address) }];
    if let Some(phone) = &notice.site_phone {
        rows.push(s.data("paper-phone", phone));
    }
    section.table(fonts, &rows, Area::PAGE, 126.0, 10.0);
    section.y += 4.0 * scale;
    let issued = s.with(|lang| {
        text(lang, "paper-annulment-issued", &[("at", &l10n::date_time_long(lang, &notice.issued_at))])
    });
    section.pair(fonts, &issued, Area::PAGE, 8.5, false, Role::Paragraph);
    section
}

fn check(notice: &Notice) -> Result<(), LetterFailure> {
    let long = |value: &str, most: usize| value.chars().nth(most).is_some();
    let values: [(&'static str, &str, usize); 4] = [
        ("name", &notice.name, FIELD_CHARS),
        ("code", &notice.code, FIELD_CHARS),
        ("site_name", &notice.site_name, FIELD_CHARS),
        ("reasons", &notice.reasons, REASONS_CHARS),
    ];
    if let Some((field, ..)) = values.iter().find(|(_, value, most)| long(value, *most)) {
        return Err(LetterFailure::TooLong(field));
    }
    let lines = &notice.site_address;
    if lines.len() > LINES || lines.iter().any(|line| long(line, FIELD_CHARS)) {
        return Err(LetterFailure::TooLong("site_address"));
    }
    Ok(())
}
