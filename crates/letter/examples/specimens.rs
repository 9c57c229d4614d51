//! Writes specimen letters into a folder and says how long and how large they are:
//! `cargo run -p letter --example specimens -- FOLDER`. Nobody in them exists.

use std::time::Instant;

use jiff::civil::date;
use l10n::Lang;
use letter::{Class, Fonts, Kind, Letter, render};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let mut fonts = Fonts::new();
    let long = "Maria-Fernanda de los Ángeles Guðrún Þórhildur ".repeat(5);
    let long: String = long.chars().take(200).collect();
    let names = [
        ("fr", "fr", "DIALLO Aïssatou Œuvrard", true),
        ("ar", "ar", "أحمد بن عبد الله الفاسي", true),
        ("ar-latin", "ar", "BEN ABDALLAH EL FASSI Ahmed", false),
        ("en", "en", "O'NEILL-GARCÍA Siobhán", true),
        ("ti", "en", "ኣብርሃም ተስፋይ ገብረመድህን", true),
        ("long", "ar", &long, true),
        ("word", "fr", &"W".repeat(200), true),
        ("hostile", "ar", "Robert'); DROP TABLE people;-- <b>x</b> & \u{1f600}👩‍👩‍👧 王小明", true),
        ("receipt", "ar", "HADDAD Leïla", true),
        ("receipt-no-date", "fr", "HADDAD Leïla", true),
    ];
    for (file, lang, name, declared) in names {
        let mut letter = specimen(Lang::parse(lang).ok_or("language")?, name);
        letter.declared = declared;
        let held = date(2027, 3, 4).at(14, 20, 0, 0);
        if file.starts_with("receipt") {
            let no_later_than = (file == "receipt").then_some(held);
            letter.kind = Kind::Receipt { no_later_than, zone: "Europe/Paris".into() };
        }
        let first = Instant::now();
        let bytes = render(&mut fonts, &letter)?;
        let first = first.elapsed();
        let again = Instant::now();
        for _ in 0..20 {
            render(&mut fonts, &letter)?;
        }
        let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
        println!(
            "{file:16} {:6} bytes, first {:6.2} ms, warm {:6.2} ms",
            bytes.len(),
            ms(first),
            ms(again.elapsed()) / 20.0
        );
        std::fs::write(format!("{folder}/{file}.pdf"), bytes)?;
    }
    Ok(())
}

fn specimen(lang: Lang, name: &str) -> Letter {
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
        nationality: "Algérie".into(),
        agdref: Some("7512345678".into()),
        declared: true,
        representative: None,
        procedures: vec!["renewal".into(), "change_of_address".into()],
        site_name: "Préfecture de démonstration".into(),
        site_address: vec!["12 rue de l'Exemple".into(), "99999 Ville-Modèle".into()],
        site_phone: Some("01 99 00 12 34".into()),
        code: "7K3Q-9MZT-4XW2-P".into(),
        issued_at: date(2026, 11, 20).at(11, 5, 0, 0),
        rule_version: "2026-1".into(),
        class: Class::WithTimeLimit,
        registered_at: "2026-11-20 11:04:37".into(),
        tie_break: "4f1c9a72".into(),
        door: (0..290u32).map(|i| (i * 37 % 251) as u8).collect(),
        rebuild: (0..330u32).map(|i| (i * 91 % 256) as u8).collect(),
    }
}
