//! Writes specimen letters into a folder and says how long and how large they are:
//! `cargo run -p letter --example specimens -- FOLDER`. Nobody in them exists.

#[path = "../tests/paper/specimen.rs"]
mod specimen;

use std::time::{Duration, Instant};

use l10n::Lang;
use letter::{Class, Fonts, render, render_limit_letter, render_notice};
use specimen::{limit_letter, notice, receipt, specimen};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let mut fonts = Fonts::new();
    let long = "Maria-Fernanda de los Ángeles Guðrún Þórhildur ".repeat(5);
    let long: String = long.chars().take(200).collect();
    let names = [
        ("fr", "fr", "DIALLO Aïssatou Œuvrard", None),
        ("ar", "ar", "أحمد بن عبد الله الفاسي", None),
        ("ar-latin", "ar", "BEN ABDALLAH EL FASSI Ahmed", None),
        ("en", "en", "O'NEILL-GARCÍA Siobhán", None),
        ("ti", "en", "ኣብርሃም ተስፋይ ገብረመድህን", None),
        ("long", "ar", &long, None),
        ("word", "fr", &"W".repeat(200), None),
        ("hostile", "ar", "Robert'); DROP TABLE people;-- <b>x</b> & \u{1f600}👩‍👩‍👧 王小明", None),
        ("held-fr", "fr", "HADDAD Leïla", Some(receipt(true, false))),
        ("held-en", "en", "HADDAD Leïla", Some(receipt(true, false))),
        ("held-ar", "ar", "HADDAD Leïla", Some(receipt(true, false))),
        ("told-fr", "fr", "HADDAD Leïla", Some(receipt(false, true))),
        ("told-en", "en", "ኣብርሃም ተስፋይ ገብረመድህን", Some(receipt(false, true))),
        ("told-ar", "ar", "HADDAD Leïla", Some(receipt(false, true))),
        ("offline-fr", "fr", "HADDAD Leïla", Some(receipt(false, false))),
        ("offline-en", "en", "HADDAD Leïla", Some(receipt(false, false))),
        ("offline-ar", "ar", "HADDAD Leïla", Some(receipt(false, false))),
    ];
    for (file, lang, name, kind) in names {
        let mut letter = specimen(Lang::parse(lang).ok_or("language")?, name);
        letter.class = Class::WithTimeLimit;
        letter.procedures.push("change_of_address".into());
        letter.declared = file != "ar-latin";
        if file.starts_with("told") {
            letter.birth_place.clear();
        }
        letter.kind = kind.unwrap_or(letter.kind);
        let first = Instant::now();
        let bytes = render(&mut fonts, &letter)?;
        let first = first.elapsed();
        let again = Instant::now();
        for _ in 0..20 {
            render(&mut fonts, &letter)?;
        }
        let ms = |d: Duration| d.as_secs_f64() * 1000.0;
        println!(
            "{file:16} {:6} bytes, first {:6.2} ms, warm {:6.2} ms",
            bytes.len(),
            ms(first),
            ms(again.elapsed()) / 20.0
        );
        std::fs::write(format!("{folder}/{file}.pdf"), bytes)?;
    }
    for code in ["fr", "en", "ar"] {
        let lang = Lang::parse(code).ok_or("language")?;
        let reasons = "Le titre présenté est celui d'une autre personne. La photographie et la date de naissance ne correspondent pas.";
        let write = |file: &str, bytes: Vec<u8>| std::fs::write(format!("{folder}/{file}-{code}.pdf"), bytes);
        write("annulment", render_notice(&mut fonts, &notice(lang, reasons))?)?;
        for (file, told) in [("limit-told", true), ("limit-untold", false)] {
            write(file, render_limit_letter(&mut fonts, &limit_letter(lang, told))?)?;
        }
    }
    Ok(())
}
