//! The letter of an invented person, for the tests and for the specimen papers. Every part that the
//! counter puts together from other words (the country) is put together here in the same form.

use jiff::civil::date;
use l10n::Lang;
use letter::{Class, Kind, Letter, LimitLetter, Notice};

/// A convocation for `name`, in `lang` beside French.
pub fn specimen(lang: Lang, name: &str) -> Letter {
    let country = |lang: &Lang| l10n::text(lang, "country-DZA", &[]);
    let (french, theirs) = (country(&Lang::FRENCH), country(&lang));
    Letter {
        kind: Kind::Convocation {
            at: date(2027, 1, 12).at(9, 40, 0, 0),
            zone: "Europe/Paris".into(),
            counter: Some("2".into()),
        },
        lang,
        name: name.into(),
        birth: "01/01/1988".into(),
        birth_place: "Béjaïa".into(),
        nationality: if french == theirs { french } else { format!("{french} · {theirs}") },
        agdref: Some("7512345678".into()),
        declared: true,
        representative: None,
        procedures: vec!["renewal".into()],
        site_name: "Préfecture de démonstration".into(),
        site_address: vec!["12 rue de l'Exemple".into(), "99999 Ville-Modèle".into()],
        site_phone: Some("01 99 00 12 34".into()),
        code: "7K3Q-9MZT-4XW2-P".into(),
        issued_at: date(2026, 11, 20).at(9, 5, 0, 0),
        rule_version: "2026-1".into(),
        class: Class::Ordinary,
        opens: None,
        accepts_earlier: None,
        elsewhere: false,
        taken_over: None,
        confirm_from: None,
        registered_at: date(2026, 11, 20).at(9, 4, 37, 0),
        tie_break: "4f1c9a72".into(),
        door: (0..287u32).map(|i| (i * 37 % 251) as u8).collect(),
        rebuild: (0..330u32).map(|i| (i * 91 % 256) as u8).collect(),
    }
}

/// A receipt's two dates, for the three receipts there are: a held slot, the préfecture told, neither.
pub fn receipt(held: bool, told: bool) -> Kind {
    Kind::Receipt {
        no_later_than: held.then(|| date(2027, 3, 4).at(14, 20, 0, 0)),
        told: told.then(|| date(2026, 11, 20).at(9, 4, 0, 0)),
        zone: "Europe/Paris".into(),
    }
}

/// A notice that an appointment may be annulled, for these reasons.
pub fn notice(lang: Lang, reasons: &str) -> Notice {
    let paper = specimen(lang, "HADDAD Leïla");
    Notice {
        lang: paper.lang,
        name: paper.name,
        code: paper.code,
        at: date(2027, 1, 12).at(9, 40, 0, 0),
        site_name: paper.site_name,
        site_address: paper.site_address,
        site_phone: paper.site_phone,
        until: date(2026, 12, 14),
        reasons: reasons.to_owned(),
        issued_at: date(2026, 11, 20).at(9, 5, 0, 0),
    }
}

/// The letter of a limit, before or after the préfecture was told.
pub fn limit_letter(lang: Lang, told: bool) -> LimitLetter {
    let paper = specimen(lang, "HADDAD Leïla");
    LimitLetter {
        lang: paper.lang,
        name: paper.name,
        code: paper.code,
        at: date(2027, 1, 12).at(9, 40, 0, 0),
        at_site: "Sous-préfecture voisine".into(),
        registered_at: paper.registered_at,
        last_day: date(2026, 12, 31),
        told_at: told.then(|| date(2026, 11, 20).at(9, 4, 0, 0)),
        site_name: paper.site_name,
        site_address: paper.site_address,
        site_phone: paper.site_phone,
        issued_at: date(2026, 11, 20).at(9, 5, 0, 0),
    }
}
