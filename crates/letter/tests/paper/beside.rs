//! The pages handed over beside a paper: the notice that an appointment may be annulled, and the letter
//! of a time limit that no date serves.

use super::{copied, has, poppler, specimen};
use l10n::Lang;
use letter::{Fonts, LetterFailure, LimitLetter, Notice, render_limit_letter, render_notice};

fn notice(lang: &str, reasons: &str) -> Notice {
    specimen::notice(Lang::parse(lang).unwrap(), reasons)
}

fn limit_letter(lang: &str, told: bool) -> LimitLetter {
    specimen::limit_letter(Lang::parse(lang).unwrap(), told)
}

#[test]
fn a_notice_says_why_until_when_and_that_the_appointment_holds_and_cannot_be_taken_for_a_paper() {
    for (lang, own) in [
        ("fr", "Vous pouvez répondre jusqu'au"),
        ("en", "You can answer until Monday 14 December 2026"),
        ("ar", "2026"),
    ] {
        let made = render_notice(&mut Fonts::new(), &notice(lang, "Le titre n'est pas le sien.")).unwrap();
        for wanted in [
            "La préfecture envisage d'annuler votre rendez-vous",
            "Le titre n'est pas le sien.",
            "Vous pouvez répondre jusqu'au lundi 14 décembre 2026.",
            "mardi 12 janvier 2027 à 9 h 40",
            "HADDAD Leïla",
            "7K3Q-9MZT-4XW2-P",
            "12 rue de l'Exemple",
            "votre rendez-vous tient",
            own,
        ] {
            has(&made, wanted);
        }
        assert!(!copied(&made).contains("convocation à"), "it convokes nobody");
        assert_eq!(pages(&made), 1);
        let same = render_notice(&mut Fonts::new(), &notice(lang, "Le titre n'est pas le sien.")).unwrap();
        assert_eq!(made, same, "equal notices are equal bytes");
    }
}

#[test]
fn the_longest_reasons_fit_the_page_and_longer_ones_are_refused() {
    let word = "motivation ";
    let longest: String = word.repeat(91).chars().take(1_000).collect();
    for lang in ["fr", "en", "ar"] {
        let made = render_notice(&mut Fonts::new(), &notice(lang, &longest)).unwrap();
        assert_eq!(pages(&made), 1);
        has(&made, "Où répondre");
    }
    let refused = render_notice(&mut Fonts::new(), &notice("fr", &format!("{longest}x")));
    assert!(matches!(refused, Err(LetterFailure::TooLong("reasons"))));
}

#[test]
fn the_letter_of_a_limit_says_what_was_declared_what_was_told_and_names_no_right() {
    let told = "La préfecture en a été informée le vendredi 20 novembre 2026 à 9 h 04.";
    let untold = "n'a pas encore la confirmation que la préfecture en est informée";
    for (lang, own, own_untold) in [
        ("fr", told, untold),
        ("en", "The préfecture was told of it on Friday 20 November 2026", "has no confirmation yet"),
        ("ar", "بذلك يوم الجمعة", "تأكيدًا بأن المحافظة"),
    ] {
        let letters = [true, false]
            .map(|told| render_limit_letter(&mut Fonts::new(), &limit_letter(lang, told)).unwrap());
        for made in &letters {
            for wanted in [
                "Votre rendez-vous est après l'échéance que vous avez déclarée",
                "jeudi 31 décembre 2026",
                "mardi 12 janvier 2027 à 9 h 40",
                "HADDAD Leïla",
                "7K3Q-9MZT-4XW2-P",
                "Sous-préfecture voisine",
                "12 rue de l'Exemple",
                "votre convocation reste valable",
                "une association ou un avocat",
                "n'est destinée qu'à vous et à la préfecture",
            ] {
                has(made, wanted);
            }
            let text = copied(made);
            // Nor may it be taken for what it is not.
            for word in ["protection", "titre de séjour", "récépissé", "vous convoque", "Départage"] {
                assert!(!text.contains(word), "`{word}` is in:\n{text}");
            }
            assert_eq!(pages(made), 1);
        }
        let [said, unsaid] = &letters;
        has(said, told);
        has(said, own);
        assert!(!copied(said).contains(untold) && !copied(said).contains(own_untold));
        has(unsaid, untold);
        has(unsaid, own_untold);
        let unsaid_text = copied(unsaid);
        assert!(!unsaid_text.contains("en a été informée"), "nothing is said to have happened");
        assert!(!unsaid_text.contains(own), "{unsaid_text}");
        let same = render_limit_letter(&mut Fonts::new(), &limit_letter(lang, true)).unwrap();
        assert_eq!(*said, same, "equal letters are equal bytes");
        assert_ne!(said, unsaid);
    }
}

#[test]
fn the_letter_of_a_limit_fits_the_page_with_the_longest_site() {
    for lang in ["fr", "en", "ar"] {
        let mut letter = limit_letter(lang, false);
        letter.name = "Maria-Fernanda de los Ángeles Guðrún ".repeat(5);
        letter.site_address = vec!["Direction de l'immigration et de l'intégration, escalier B".into(); 12];
        let made = render_limit_letter(&mut Fonts::new(), &letter).unwrap();
        assert_eq!(pages(&made), 1);
        has(&made, "Où écrire");
        letter.at_site = "x".repeat(601);
        let refused = render_limit_letter(&mut Fonts::new(), &letter);
        assert!(matches!(refused, Err(LetterFailure::TooLong("site_name"))));
    }
}

fn pages(pdf: &[u8]) -> usize {
    let info = String::from_utf8(poppler("pdfinfo", &[], pdf)).unwrap();
    let pages = info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap();
    pages.trim().parse().unwrap()
}
