#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! What the files of `locales/` say, read through the crate's public face.

use jiff::civil::{date, time};
use l10n::{Dir, Lang, text};

fn lang(code: &str) -> Lang {
    Lang::parse(code).unwrap()
}

#[test]
fn languages_know_their_name_and_direction() {
    assert!(Lang::ALL.len() >= 3);
    assert_eq!(lang("fr-FR"), Lang::FRENCH);
    assert_eq!(lang("ar_DZ").name_in_itself(), "العربية");
    assert_eq!(lang("AR").dir(), Dir::Rtl);
    assert_eq!(lang("en").dir().as_str(), "ltr");
    assert_eq!(Lang::parse("xx"), None);
    assert_eq!(Lang::parse(""), None);
    for lang in Lang::ALL {
        assert_ne!(lang.name_in_itself(), "language-name", "{lang}");
    }
}

#[test]
fn every_language_has_every_key_of_french() {
    for lang in Lang::ALL {
        for (area, source) in l10n::files(&Lang::FRENCH) {
            assert!(source.starts_with("# review: "), "{lang}/{area}.ftl must open with its review status");
            for line in source.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_lowercase())) {
                let key = line.split([' ', '=']).next().unwrap();
                let has_value = l10n::try_text(&Lang::FRENCH, key, &[]).is_some();
                assert_eq!(l10n::try_text(lang, key, &[]).is_some(), has_value, "{lang}: {key}");
            }
        }
    }
}

#[test]
fn dates_are_said_in_words_with_western_digits() {
    let day = date(2027, 1, 12);
    assert_eq!(l10n::date_long(&lang("fr"), &day), "mardi 12 janvier 2027");
    assert_eq!(l10n::date_long(&lang("fr"), &date(2027, 3, 1)), "lundi 1er mars 2027");
    assert_eq!(l10n::date_long(&lang("en"), &day), "Tuesday 12 January 2027");
    assert_eq!(l10n::date_long(&lang("ar"), &day), "الثلاثاء 12 يناير 2027");
    assert_eq!(l10n::date_short(&lang("fr"), &day), "12/01/2027");
    assert_eq!(l10n::time(&lang("fr"), time(9, 5, 0, 0)), "9\u{a0}h\u{a0}05");
    assert_eq!(l10n::time(&lang("ar"), time(14, 30, 0, 0)), "14:30");
    assert_eq!(
        l10n::date_time_long(&lang("fr"), &day.at(9, 30, 0, 0)),
        "mardi 12 janvier 2027 à\u{a0}9\u{a0}h\u{a0}30"
    );
    assert_eq!(
        l10n::date_time_to_second(&lang("fr"), &day.at(9, 5, 7, 0)),
        "mardi 12 janvier 2027 à\u{a0}9\u{a0}h\u{a0}05\u{a0}min\u{a0}07\u{a0}s"
    );
    assert_eq!(
        l10n::date_time_to_second(&lang("en"), &day.at(9, 5, 7, 0)),
        "Tuesday 12 January 2027 at 9:05:07"
    );
}

#[test]
fn an_argument_is_data_and_never_a_message() {
    let hostile = "{ $date } { paper-name } <b>\u{1f600}";
    let said = text(&lang("fr"), "paper-zone", &[("zone", hostile)]);
    assert_eq!(said, format!("Heure locale ({hostile})"));
    assert_eq!(text(&lang("fr"), "paper-zone", &[("zone", "007")]), "Heure locale (007)");
    assert_eq!(text(&lang("ar"), "no-such-key", &[]), "no-such-key");
}

#[test]
fn isolation_marks_are_off() {
    for lang in Lang::ALL {
        let said = text(lang, "paper-zone", &[("zone", "Europe/Paris")]);
        assert!(!said.contains(['\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}']), "{lang}");
    }
}
