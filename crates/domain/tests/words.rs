//! What a person says and what is written down of it: birth dates, lines of text, the words other
//! programs read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use domain::applicant::{Agdref, Nationality, Relation};
use domain::birth::Birth;
use domain::calendar::{Holidays, SiteKind};
use domain::text::{TextRefusal, folded, one_line, optional_line};
use jiff::civil::{Date, date};

#[test]
fn a_birth_date_is_said_as_far_as_it_is_known() {
    let whole = Birth::Whole { date: date(1991, 3, 8) };
    assert_eq!(whole.said(), (1991, Some(3), Some(8)));
    for (year, month, day, says) in [
        (1991, Some(3), Some(8), true),
        (1990, Some(3), Some(8), false),
        (1991, Some(4), Some(8), false),
        (1991, Some(3), Some(9), false),
        (1991, Some(3), None, false),
        (1991, None, Some(8), false),
    ] {
        assert_eq!(whole.is_said(year, month, day), says, "{year} {month:?} {day:?}");
    }
    for known in [Birth::Year { year: 1991 }, Birth::Customary { year: 1991 }] {
        assert_eq!(known.said(), (1991, None, None));
        // Whoever knows a year alone is known by it, whatever a form asks besides.
        assert!(known.is_said(1991, None, None) && known.is_said(1991, Some(1), Some(1)));
        assert!(!known.is_said(1992, None, None));
    }
}

#[test]
fn a_line_is_measured_before_and_after_it_is_trimmed() {
    // Spaces around it may be as many as three times the line.
    let spread = |n: usize| format!("{}{}", "a".repeat(10), " ".repeat(n));
    assert_eq!(one_line(&spread(30), 10).as_deref(), Ok("aaaaaaaaaa"));
    assert_eq!(one_line(&spread(31), 10), Err(TextRefusal::TooLong(10)));
    assert_eq!(optional_line("  ", 10), Ok(None));
    assert_eq!(optional_line(" a ", 10), Ok(Some("a".into())));
    assert_eq!(optional_line("a\0", 10), Err(TextRefusal::Control));
}

#[test]
fn words_are_apart_and_marks_are_not() {
    assert_eq!(folded("  Traoré--Aïssata  N\u{2019}Diaye "), "traore aissata ndiaye");
    assert_eq!(folded("---"), "");
}

#[test]
fn words_other_programs_read() {
    for relation in [Relation::Parent, Relation::Guardian, Relation::ChildWelfare] {
        assert_eq!(Relation::parse(relation.key()), Some(relation));
    }
    assert_eq!(Relation::parse("friend"), None);
    let last = date(2027, 1, 1);
    let kinds = [SiteKind::Fixed, SiteKind::Temporary { last }, SiteKind::Mobile];
    assert_eq!(kinds.map(SiteKind::key), ["fixed", "temporary", "mobile"]);
    assert_eq!(Nationality::parse("MLI").unwrap().code(), "MLI");
    assert_eq!(Nationality::parse("mli"), None);
    assert_eq!(Agdref::parse("99 12 34 567 8").unwrap().as_str(), "9912345678");
    assert_eq!(domain::audit::LATE_MS, 900_000);
}

/// Easter Mondays as they were and will be: the earliest and the latest of two centuries, the
/// years the rule has exceptions for, and a few between.
#[test]
fn easter_falls_where_it_does() {
    let sundays: [Date; 14] = [
        date(1954, 4, 18),
        date(1961, 4, 2),
        date(1981, 4, 19),
        date(2000, 4, 23),
        date(2008, 3, 23),
        date(2011, 4, 24),
        date(2024, 3, 31),
        date(2026, 4, 5),
        date(2027, 3, 28),
        date(2038, 4, 25),
        date(2049, 4, 18),
        date(2076, 4, 19),
        date(2100, 3, 28),
        date(2106, 4, 18),
    ];
    for sunday in sundays {
        let around = sunday.saturating_sub(jiff::ToSpan::days(2)).series(jiff::ToSpan::days(1)).take(4);
        let closed: Vec<bool> = around.map(|day| Holidays::AlsaceMoselle.include(day)).collect();
        // Good Friday and Easter Monday; Saturday and Sunday are nobody's public holidays.
        assert_eq!(closed, [true, false, false, true], "{sunday}");
    }
}
