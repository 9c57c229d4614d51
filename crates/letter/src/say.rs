//! What the paper says, in French and in the person's language, before anything is laid out.
//! Every sentence comes from `locales/`; this file only chooses which.

use l10n::{Dir, Lang, text};

use crate::text::Side;
use crate::{Class, Kind, Letter};

/// The same words in French and, unless the person reads French, in their language.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub fr: String,
    pub own: Option<String>,
}

/// A line of the tables: a label, and one value or a value in each language.
pub(crate) struct Row {
    pub label: Said,
    pub value: Value,
}

pub(crate) enum Value {
    /// Data: the same in every language, lines under each other.
    Data(Vec<String>),
    /// Words.
    Words(Vec<Said>),
}

/// A sentence to know, with the picture beside it.
pub(crate) struct Advice {
    pub picture: Picture,
    pub said: Said,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    Paper,
    Documents,
    NotForSale,
    Earlier,
    Follow,
}

/// All the words of one letter.
pub(crate) struct Words {
    /// The edge the person's language is written from.
    pub own_side: Side,
    pub title: Said,
    pub name_label: Said,
    pub declared: Option<Said>,
    pub person: Vec<Row>,
    pub date_label: Said,
    pub date: Said,
    pub time: Option<Said>,
    pub date_note: Option<Said>,
    pub place: Vec<Row>,
    pub advice: Vec<Advice>,
    pub code_label: Said,
    pub order: Vec<Row>,
    pub order_note: Said,
    pub issued: Said,
    pub door: Said,
    pub rebuild: Said,
    pub door_alt: Said,
    pub rebuild_alt: Said,
}

pub(crate) fn words(letter: &Letter) -> Words {
    let s = Speaker { own: (letter.lang != Lang::FRENCH).then_some(letter.lang) };
    let (zone, receipt) = match &letter.kind {
        Kind::Convocation { zone, .. } => (zone, false),
        Kind::Receipt { zone, .. } => (zone, true),
    };
    let local_time = s.with(|lang| text(lang, "paper-zone", &[("zone", zone)]));
    let (date_label, date, time, date_note) = match &letter.kind {
        Kind::Convocation { at, .. } => (s.say("paper-your-date"), Some(at), true, Some(local_time)),
        Kind::Receipt { no_later_than: Some(at), .. } => {
            (s.say("paper-no-later-than"), Some(at), true, Some(local_time))
        }
        Kind::Receipt { no_later_than: None, .. } => {
            (s.say("paper-your-date"), None, false, Some(s.say("paper-no-date-explained")))
        }
    };
    let by_kind = |convocation: &str, on_receipt: &str| s.say(if receipt { on_receipt } else { convocation });
    Words {
        own_side: if letter.lang.dir() == Dir::Rtl { Side::Right } else { Side::Left },
        title: by_kind("paper-title-convocation", "paper-title-receipt"),
        name_label: s.say("paper-name"),
        declared: letter.declared.then(|| s.say("paper-declared")),
        person: person(&s, letter),
        date_label,
        time: date.filter(|_| time).map(|at| s.with(|lang| l10n::time(lang, at.time()))),
        date: match date {
            Some(at) => s.with(|lang| l10n::date_long(lang, &at.date())),
            None => s.say("paper-no-date-yet"),
        },
        date_note,
        place: place(&s, letter),
        advice: vec![
            Advice { picture: Picture::Paper, said: by_kind("paper-what-convocation", "paper-what-receipt") },
            Advice { picture: Picture::Documents, said: by_kind("paper-bring", "paper-keep") },
            Advice { picture: Picture::NotForSale, said: s.say("paper-not-for-sale") },
            Advice { picture: Picture::Earlier, said: by_kind("paper-earlier", "paper-earlier-receipt") },
            Advice { picture: Picture::Follow, said: s.say("paper-follow") },
        ],
        code_label: s.say("paper-code"),
        order: vec![
            Row {
                label: s.say("paper-class"),
                value: Value::Words(vec![s.say(match letter.class {
                    Class::Ordinary => "paper-class-ordinary",
                    Class::WithTimeLimit => "paper-class-with-time-limit",
                })]),
            },
            s.data("paper-registered-at", &letter.registered_at),
            s.data("paper-tie-break", &letter.tie_break),
            s.data("paper-rule-version", &letter.rule_version),
        ],
        order_note: s.say("paper-order-explained"),
        issued: s.with(|lang| {
            text(lang, "paper-issued-at", &[("at", &l10n::date_time_long(lang, &letter.issued_at))])
        }),
        door: s.say("paper-qr-door"),
        rebuild: s.say("paper-qr-rebuild"),
        door_alt: s.say("paper-alt-door"),
        rebuild_alt: s.say("paper-alt-rebuild"),
    }
}

fn person(s: &Speaker, letter: &Letter) -> Vec<Row> {
    let mut birth = vec![letter.birth.clone()];
    if !letter.birth_place.is_empty() {
        birth.push(letter.birth_place.clone());
    }
    let mut rows = vec![Row { label: s.say("paper-birth"), value: Value::Data(birth) }];
    let nationality = if letter.nationality.is_empty() { "—" } else { &letter.nationality };
    rows.push(s.data("paper-nationality", nationality));
    if let Some(agdref) = &letter.agdref {
        rows.push(s.data("paper-agdref", agdref));
    }
    if let Some(representative) = &letter.representative {
        rows.push(s.data("paper-representative", representative));
    }
    let procedures = letter.procedures.iter().map(|key| s.with(|lang| procedure(lang, key))).collect();
    rows.push(Row { label: s.say("paper-procedures"), value: Value::Words(procedures) });
    rows
}

fn place(s: &Speaker, letter: &Letter) -> Vec<Row> {
    let lines =
        std::iter::once(letter.site_name.clone()).chain(letter.site_address.iter().cloned()).collect();
    let mut rows = vec![Row { label: s.say("paper-place"), value: Value::Data(lines) }];
    if let Kind::Convocation { counter: Some(counter), .. } = &letter.kind {
        rows.push(s.data("paper-counter", counter));
    }
    if let Some(phone) = &letter.site_phone {
        rows.push(s.data("paper-phone", phone));
    }
    rows
}

/// A procedure no file names is printed by its key: visible, and the person keeps their paper.
fn procedure(lang: &Lang, key: &str) -> String {
    l10n::try_text(lang, &format!("paper-procedure-{key}"), &[]).unwrap_or_else(|| key.to_owned())
}

struct Speaker {
    own: Option<Lang>,
}

impl Speaker {
    fn say(&self, key: &str) -> Said {
        self.with(|lang| text(lang, key, &[]))
    }

    fn with(&self, phrase: impl Fn(&Lang) -> String) -> Said {
        Said { fr: phrase(&Lang::FRENCH), own: self.own.as_ref().map(phrase) }
    }

    fn data(&self, label: &str, value: &str) -> Row {
        Row { label: self.say(label), value: Value::Data(vec![value.to_owned()]) }
    }
}
