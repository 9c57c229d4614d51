//! What the paper says, in French and in the person's language, before anything is laid out.
//! Every sentence comes from `locales/`; this file only chooses which.

use jiff::civil::DateTime;
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
    /// Whose clock the times above are read on.
    pub zone: Option<Said>,
    /// What the date, or its absence, means.
    pub explained: Vec<Said>,
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
    let mut date = date(&s, &letter.kind);
    date.explained.extend(
        letter
            .opens
            .map(|day| s.with(|lang| text(lang, "paper-opens", &[("day", &l10n::date_long(lang, &day))]))),
    );
    date.explained.extend(letter.accepts_earlier.map(|days| {
        let days = days.to_string();
        s.with(|lang| text(lang, "paper-ahead", &[("days", &days)]))
    }));
    if letter.elsewhere {
        date.explained.push(s.say("paper-elsewhere"));
    }
    date.explained.extend(
        letter
            .confirm_from
            .map(|day| s.with(|lang| text(lang, "paper-confirm", &[("day", &l10n::date_long(lang, &day))]))),
    );
    Words {
        own_side: if letter.lang.dir() == Dir::Rtl { Side::Right } else { Side::Left },
        title: s.say(date.title),
        name_label: s.say("paper-name"),
        declared: letter.declared.then(|| s.say("paper-declared")),
        person: person(&s, letter),
        date_label: s.say(date.label),
        date: date.day,
        time: date.time,
        zone: date.zone,
        explained: date.explained,
        place: place(&s, letter),
        advice: vec![
            Advice { picture: Picture::Paper, said: s.say(date.what) },
            Advice { picture: Picture::Documents, said: s.say(date.come) },
            Advice { picture: Picture::NotForSale, said: s.say("paper-not-for-sale") },
            Advice { picture: Picture::Earlier, said: s.say(date.earlier) },
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
            Row { label: s.say("paper-registered-at"), value: Value::Words(registered_at(&s, letter)) },
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

/// The time that ranks, and where it comes from when it was taken over.
fn registered_at(s: &Speaker, letter: &Letter) -> Vec<Said> {
    let at = s.with(|lang| l10n::date_time_to_second(lang, &letter.registered_at));
    let taken_over = letter
        .taken_over
        .as_ref()
        .map(|site| s.with(|lang| text(lang, "paper-taken-over", &[("site", site.as_str())])));
    std::iter::once(at).chain(taken_over).collect()
}

/// What the four papers say differently: a convocation; a receipt with a held slot; one whose want
/// of a date the préfecture was told of; one it has yet to be told of.
struct DateWords {
    title: &'static str,
    label: &'static str,
    day: Said,
    time: Option<Said>,
    zone: Option<Said>,
    explained: Vec<Said>,
    what: &'static str,
    come: &'static str,
    earlier: &'static str,
}

fn date(s: &Speaker, kind: &Kind) -> DateWords {
    let local_time = |zone: &str| Some(s.with(|lang| text(lang, "paper-zone", &[("zone", zone)])));
    let day = |at: &DateTime| s.with(|lang| l10n::date_long(lang, &at.date()));
    let time = |at: &DateTime| Some(s.with(|lang| l10n::time(lang, at.time())));
    let asked = |day: &str, zone, explained| DateWords {
        title: "paper-title-receipt",
        label: "paper-waiting",
        day: s.say(day),
        time: None,
        zone,
        explained,
        what: "paper-what-receipt",
        come: "paper-keep",
        earlier: "paper-request",
    };
    match kind {
        Kind::Convocation { at, zone, .. } => DateWords {
            title: "paper-title-convocation",
            label: "paper-your-date",
            day: day(at),
            time: time(at),
            zone: local_time(zone),
            explained: Vec::new(),
            what: "paper-what-convocation",
            come: "paper-bring",
            earlier: "paper-earlier",
        },
        Kind::Receipt { no_later_than: Some(at), zone, .. } => DateWords {
            label: "paper-no-later-than",
            day: day(at),
            time: time(at),
            come: "paper-come-or-earlier",
            earlier: "paper-earlier",
            ..asked("paper-waiting", local_time(zone), vec![s.say("paper-held")])
        },
        Kind::Receipt { no_later_than: None, told: Some(told), zone } => {
            let when = s.with(|lang| {
                let at = l10n::date_time_long(lang, told);
                text(lang, "paper-told", &[("at", &at), ("zone", zone)])
            });
            asked("paper-no-date-exists", None, vec![when, s.say("paper-rank-kept")])
        }
        Kind::Receipt { no_later_than: None, told: None, .. } => {
            asked("paper-no-date-here", None, vec![s.say("paper-request-kept"), s.say("paper-come-back")])
        }
    }
}

fn person(s: &Speaker, letter: &Letter) -> Vec<Row> {
    let mut birth = vec![letter.birth.clone()];
    let mut label = "paper-birth";
    if !letter.birth_place.is_empty() {
        birth.push(letter.birth_place.clone());
        label = "paper-birth-and-place";
    }
    let mut rows = vec![Row { label: s.say(label), value: Value::Data(birth) }];
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

pub(crate) struct Speaker {
    pub own: Option<Lang>,
}

impl Speaker {
    pub(crate) fn say(&self, key: &str) -> Said {
        self.with(|lang| text(lang, key, &[]))
    }

    pub(crate) fn with(&self, phrase: impl Fn(&Lang) -> String) -> Said {
        Said { fr: phrase(&Lang::FRENCH), own: self.own.as_ref().map(phrase) }
    }

    pub(crate) fn data(&self, label: &str, value: &str) -> Row {
        Row { label: self.say(label), value: Value::Data(vec![value.to_owned()]) }
    }
}
