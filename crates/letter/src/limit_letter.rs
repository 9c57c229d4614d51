//! The letter of a time limit that no date serves: for the person, and for them to send to the préfecture,
//! beside the convocation, which many see and which never says that a limit was passed. It names no right.

use jiff::civil::{Date, DateTime};
use l10n::{Lang, text};

use crate::fonts::Fonts;
use crate::layout::Role;
use crate::pdf::{self, About};
use crate::say::{Row, Speaker, Value};
use crate::section::{Area, Section};
use crate::sheet::{self, Foot};
use crate::{FIELD_CHARS, LetterFailure};

/// All that the letter says. Values are printed exactly as they are given.
#[derive(Clone, Debug)]
pub struct LimitLetter {
    /// The person's language, beside French.
    pub lang: Lang,
    /// The person's name as written.
    pub name: String,
    /// The follow-up code.
    pub code: String,
    /// The appointment: civil time at its site.
    pub at: DateTime,
    /// The name of the appointment's site.
    pub at_site: String,
    /// The registration time that ranks: civil time of the site.
    pub registered_at: DateTime,
    /// The last day that was declared.
    pub last_day: Date,
    /// When the préfecture was told: civil time of the site. None: nothing says yet that it was.
    pub told_at: Option<DateTime>,
    /// The name of the site to write to, where the person registered.
    pub site_name: String,
    /// Its address, a line each.
    pub site_address: Vec<String>,
    /// Its telephone number, if published.
    pub site_phone: Option<String>,
    /// When this letter was made: civil time of the site.
    pub issued_at: DateTime,
}

/// One A4 page, tagged: French beside the person's language.
pub fn render_limit_letter(fonts: &mut Fonts, letter: &LimitLetter) -> Result<Vec<u8>, LetterFailure> {
    let values = [
        ("name", letter.name.as_str(), FIELD_CHARS),
        ("code", &letter.code, FIELD_CHARS),
        ("site_name", &letter.at_site, FIELD_CHARS),
        ("site_name", &letter.site_name, FIELD_CHARS),
    ];
    sheet::check(&values, &letter.site_address)?;
    let s = Speaker { own: (letter.lang != Lang::FRENCH).then_some(letter.lang) };
    let title = s.say("paper-limit-title");
    let rows = rows(letter, &s);
    let foot = Foot {
        to: "paper-limit-to",
        site_name: &letter.site_name,
        site_address: &letter.site_address,
        site_phone: letter.site_phone.as_deref(),
        issued_at: letter.issued_at,
    };
    let page = sheet::fit(fonts, |fonts, scale| {
        [
            sheet::head(fonts, (letter.lang, &title), &rows, scale),
            body(fonts, letter, &s, scale),
            sheet::foot(fonts, (letter.lang, &s), &foot, scale),
        ]
    })?;
    let told = letter.told_at.map(|at| at.to_string()).unwrap_or_default();
    let about = About {
        lang: letter.lang,
        title: &title,
        issued_at: letter.issued_at,
        parts: [b"limit", letter.code.as_bytes(), told.as_bytes()],
        alt: ["", ""],
    };
    pdf::write(&page, &about)
}

fn rows(letter: &LimitLetter, s: &Speaker) -> [Row; 6] {
    let words = |key, told: &dyn Fn(&Lang) -> String| Row {
        label: s.say(key),
        value: Value::Words(vec![s.with(told)]),
    };
    [
        s.data("paper-name", &letter.name),
        s.data("paper-code", &letter.code),
        words("paper-registered-at", &|lang| l10n::date_time_to_second(lang, &letter.registered_at)),
        words("paper-limit-last-day", &|lang| l10n::date_long(lang, &letter.last_day)),
        words("paper-your-date", &|lang| l10n::date_time_long(lang, &letter.at)),
        s.data("paper-place", &letter.at_site),
    ]
}

fn body(fonts: &mut Fonts, letter: &LimitLetter, s: &Speaker, scale: f32) -> Section {
    let mut section = sheet::part(letter.lang, scale);
    section.pair(fonts, &s.say("paper-limit-what"), Area::PAGE, 10.5, false, Role::Paragraph);
    section.y += 8.0 * scale;
    let told = match &letter.told_at {
        Some(at) => s.with(|lang| text(lang, "paper-limit-told", &[("at", &l10n::date_time_long(lang, at))])),
        None => s.say("paper-limit-untold"),
    };
    section.pair(fonts, &told, Area::PAGE, 11.0, true, Role::Paragraph);
    section.y += 2.0 * scale;
    for key in ["paper-limit-holds", "paper-limit-write", "paper-limit-alone"] {
        section.y += 6.0 * scale;
        section.pair(fonts, &s.say(key), Area::PAGE, 10.5, false, Role::Paragraph);
    }
    section
}
