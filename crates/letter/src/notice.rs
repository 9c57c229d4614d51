//! The notice that an appointment may be annulled: handed to the person beside their paper, never in
//! its place, and on a page of its own, for they show the other to many. It bears no code to verify.

use jiff::civil::{Date, DateTime};
use l10n::{Lang, text};

use crate::fonts::Fonts;
use crate::layout::Role;
use crate::pdf::{self, About};
use crate::say::{Row, Speaker, Value};
use crate::section::{Area, Section};
use crate::sheet::{self, Foot};
use crate::text::{Look, Side};
use crate::{FIELD_CHARS, LetterFailure};

/// Characters of the reasons: what fits the page beside the rest.
const REASONS_CHARS: usize = 1_000;

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
    let values = [
        ("name", notice.name.as_str(), FIELD_CHARS),
        ("code", &notice.code, FIELD_CHARS),
        ("site_name", &notice.site_name, FIELD_CHARS),
        ("reasons", &notice.reasons, REASONS_CHARS),
    ];
    sheet::check(&values, &notice.site_address)?;
    let s = Speaker { own: (notice.lang != Lang::FRENCH).then_some(notice.lang) };
    let title = s.say("paper-annulment-title");
    let rows = [
        s.data("paper-name", &notice.name),
        s.data("paper-code", &notice.code),
        Row {
            label: s.say("paper-your-date"),
            value: Value::Words(vec![s.with(|lang| l10n::date_time_long(lang, &notice.at))]),
        },
    ];
    let foot = Foot {
        to: "paper-annulment-to",
        site_name: &notice.site_name,
        site_address: &notice.site_address,
        site_phone: notice.site_phone.as_deref(),
        issued_at: notice.issued_at,
    };
    let page = sheet::fit(fonts, |fonts, scale| {
        [
            sheet::head(fonts, (notice.lang, &title), &rows, scale),
            body(fonts, notice, &s, scale),
            sheet::foot(fonts, (notice.lang, &s), &foot, scale),
        ]
    })?;
    let about = About {
        lang: notice.lang,
        title: &title,
        issued_at: notice.issued_at,
        parts: [b"annulment", notice.code.as_bytes(), notice.reasons.as_bytes()],
        alt: ["", ""],
    };
    pdf::write(&page, &about)
}

fn body(fonts: &mut Fonts, notice: &Notice, s: &Speaker, scale: f32) -> Section {
    let mut section = sheet::part(notice.lang, scale);
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
