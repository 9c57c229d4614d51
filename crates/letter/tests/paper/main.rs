//! The paper as others see it: poppler's reading of the text, a scanner's reading of the codes, a
//! PDF checker's reading of the tags. Every value is an invented person's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

mod beside;
mod specimen;

use std::process::Command;

use l10n::Lang;
use letter::{Fonts, Letter, LetterFailure, render};
use specimen::receipt;

fn specimen(lang: &str, name: &str) -> Letter {
    specimen::specimen(Lang::parse(lang).unwrap(), name)
}

fn made(letter: &Letter) -> Vec<u8> {
    render(&mut Fonts::new(), letter).unwrap()
}

/// Runs one of poppler's tools on the bytes; its output on stdout.
fn poppler(tool: &str, arguments: &[&str], pdf: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.pdf");
    std::fs::write(&path, pdf).unwrap();
    let mut command = Command::new(tool);
    command.args(arguments).arg(&path);
    if tool == "pdftotext" {
        command.arg("-");
    }
    let output = command.output().unwrap_or_else(|e| panic!("{tool} (Debian package poppler-utils): {e}"));
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Text as copied from the page: spaces and line ends as one space, direction marks taken out.
fn copied(pdf: &[u8]) -> String {
    let text = String::from_utf8(poppler("pdftotext", &[], pdf)).unwrap();
    let plain: String =
        text.chars().filter(|c| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn has(pdf: &[u8], wanted: &str) {
    let text = copied(pdf);
    let wanted = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&wanted), "`{wanted}` is not in:\n{text}");
}

#[test]
fn a_french_convocation_says_who_when_where_and_what_it_is() {
    let pdf = made(&specimen("fr", "DIALLO Aïssatou Œuvrard"));
    for wanted in [
        "Attestation d'inscription et convocation",
        "DIALLO Aïssatou Œuvrard",
        "mardi 12 janvier 2027",
        "9 h 40",
        "7K3Q-9MZT-4XW2-P",
        "Préfecture de démonstration",
        "12 rue de l'Exemple",
        "Renouvellement de titre de séjour",
        "Ce n'est pas l'enregistrement de votre demande",
        "Il ne peut être ni vendu ni donné",
        "demander une date plus proche",
        "Identité déclarée, sans document présenté.",
        "ordinaire",
        "2026-1",
        "Algérie",
        "Date et lieu de naissance",
        "vendredi 20 novembre 2026 à 9 h 04 min 37 s",
        "Document établi le vendredi 20 novembre 2026 à 9 h 05",
        "4f1c9a72",
    ] {
        has(&pdf, wanted);
    }
    assert!(pdf.len() <= 60_000, "{} bytes", pdf.len());
}

#[test]
fn an_arabic_convocation_carries_both_languages() {
    let pdf = made(&specimen("ar", "أحمد بن عبد الرحمن"));
    for wanted in [
        "أحمد بن عبد الرحمن",
        "mardi 12 janvier 2027",
        "يناير",
        "9:40",
        "9:04:37",
        "7K3Q-9MZT-4XW2-P",
        "موعدكم",
        "Algérie · الجزائر",
    ] {
        has(&pdf, wanted);
    }
    assert!(pdf.len() <= 60_000, "{} bytes", pdf.len());
}

#[test]
fn a_receipt_with_a_held_slot_says_when_to_come_and_that_it_may_be_earlier() {
    let mut letter = specimen("fr", "HADDAD Leïla");
    letter.kind = receipt(true, false);
    let pdf = made(&letter);
    for wanted in [
        "au plus tard le",
        "jeudi 4 mars 2027",
        "14 h 20",
        "Heure locale (Europe/Paris)",
        "Cette heure est réservée pour vous.",
        "Sinon, venez au jour et à l'heure indiqués ci-dessus.",
        "sauf si un nouveau document vous donne une date plus proche",
    ] {
        has(&pdf, wanted);
    }
    // A slot is held: whatever was told before no longer matters to the person.
    letter.kind = receipt(true, true);
    assert!(!copied(&made(&letter)).contains("informée"));
}

#[test]
fn a_paper_says_from_which_day_a_file_is_taken_and_of_what_permit_nothing() {
    let opens = Some(jiff::civil::date(2027, 1, 11));
    let wanted = "Votre dossier peut être déposé à partir du lundi 11 janvier 2027.";
    for kind in [None, Some(receipt(true, false)), Some(receipt(false, false))] {
        for (lang, own) in [("en", "from Monday 11 January 2027"), ("ar", "2027")] {
            let plain = specimen(lang, "HADDAD Leïla");
            let plain = Letter { kind: kind.clone().unwrap_or(plain.kind.clone()), ..plain };
            assert!(
                !copied(&made(&plain)).contains("peut être déposé"),
                "nothing is said where nothing waits"
            );
            let pdf = made(&Letter { opens, ..plain });
            has(&pdf, wanted);
            has(&pdf, own);
        }
    }
}

#[test]
fn a_far_date_says_from_which_day_it_is_confirmed_and_that_silence_loses_nothing() {
    let confirm_from = Some(jiff::civil::date(2027, 1, 11));
    for (lang, own) in
        [("fr", "lundi 11 janvier 2027"), ("en", "From Monday 11 January 2027"), ("ar", "2027")]
    {
        let plain = specimen(lang, "HADDAD Leïla");
        assert!(!copied(&made(&plain)).contains("ne fait rien perdre"), "a near date is not asked about");
        let pdf = made(&Letter { confirm_from, ..plain });
        has(&pdf, "À partir du lundi 11 janvier 2027");
        has(&pdf, "Ne pas le faire ne fait rien perdre.");
        has(&pdf, own);
    }
}

#[test]
fn a_paper_says_that_its_date_may_come_earlier_unasked_and_how_to_cancel() {
    for kind in [None, Some(receipt(true, false)), Some(receipt(false, true)), Some(receipt(false, false))] {
        for lang in ["fr", "en", "ar"] {
            let plain = specimen(lang, "HADDAD Leïla");
            let plain = Letter { kind: kind.clone().unwrap_or(plain.kind.clone()), ..plain };
            let pdf = made(&plain);
            has(
                &pdf,
                "Pour annuler, revenez-y avec ce document, ou allez à un autre point d'accueil avec ce document et une pièce d'identité.",
            );
            assert!(!copied(&pdf).contains("se libère"), "asked first, as everybody");
            let ahead = made(&Letter { accepts_earlier: Some(14), ..plain });
            has(&ahead, "14 jours à l'avance au moins");
            has(&ahead, "un nouveau document remplace alors celui-ci");
        }
    }
}

#[test]
fn an_appointment_at_another_site_says_so_above_its_address() {
    for (lang, wanted) in [
        ("fr", "ce rendez-vous n'est pas au site où vous vous êtes inscrit(e)"),
        ("en", "this appointment is not at the site where you registered"),
        ("ar", "ليس في الموقع الذي"),
    ] {
        let plain = specimen(lang, "HADDAD Leïla");
        assert!(!copied(&made(&plain)).contains("n'est pas au site"));
        let pdf = made(&Letter { elsewhere: true, ..plain });
        has(&pdf, wanted);
        has(&pdf, "ce rendez-vous n'est pas au site");
    }
}

#[test]
fn a_receipt_without_a_date_says_when_the_prefecture_was_told() {
    for (lang, wanted) in [
        ("fr", "La préfecture en a été informée le vendredi 20 novembre 2026 à 9 h 04 (Europe/Paris)."),
        ("en", "The préfecture was told of it on Friday 20 November 2026 at 9:04 (Europe/Paris)."),
        ("ar", "أُبلِغت المحافظة"),
    ] {
        let pdf = made(&Letter { kind: receipt(false, true), ..specimen(lang, "HADDAD Leïla") });
        has(&pdf, wanted);
        has(&pdf, "Aucune date n'existe aujourd'hui");
        has(&pdf, "Ce document est aussi votre demande de date.");
        assert!(!copied(&pdf).contains("mars"));
    }
}

#[test]
fn a_receipt_made_offline_never_says_that_anybody_was_told() {
    for lang in ["fr", "en", "ar"] {
        let pdf = made(&Letter { kind: receipt(false, false), ..specimen(lang, "HADDAD Leïla") });
        has(&pdf, "Aucune date n'a pu être donnée ici aujourd'hui");
        has(&pdf, "dès que la connexion sera rétablie");
        has(&pdf, "Ce document est aussi votre demande de date.");
        let text = copied(&pdf);
        assert!(!text.contains("informée") && !text.contains("was told"), "{text}");
    }
}

#[test]
fn a_label_names_a_birth_place_only_when_there_is_one() {
    for (lang, place) in [("fr", "lieu de naissance"), ("en", "place of birth"), ("ar", "ومكانه")] {
        has(&made(&specimen(lang, "X")), place);
        let pdf = made(&Letter { birth_place: String::new(), ..specimen(lang, "X") });
        has(&pdf, "Date de naissance");
        assert!(!copied(&pdf).contains(place));
    }
}

#[test]
fn a_registration_time_that_was_taken_over_says_from_where() {
    for (lang, said) in [("fr", "heure reprise"), ("en", "time taken over"), ("ar", "وقت معتمد")] {
        let pdf = made(&Letter { taken_over: Some("Lyon".into()), ..specimen(lang, "X") });
        has(&pdf, said);
        has(&pdf, "heure reprise de l'inscription à Lyon");
        assert!(!copied(&made(&specimen(lang, "X"))).contains(said));
    }
}

#[test]
fn no_paper_is_called_a_recepisse() {
    for lang in Lang::ALL {
        for (_, source) in l10n::files(lang).iter().filter(|(area, _)| *area == "paper") {
            let sentences = source.lines().filter(|line| !line.starts_with('#')).collect::<String>();
            assert!(!sentences.to_lowercase().contains("récépissé"), "{lang}");
        }
    }
}

#[test]
fn the_page_is_tagged_one_a4_and_its_metadata_names_nobody() {
    let pdf = made(&specimen("ar", "SECRETNAME Only-On-Page"));
    let info = String::from_utf8(poppler("pdfinfo", &[], &pdf)).unwrap();
    assert!(info.contains("Tagged:          yes"), "{info}");
    assert!(info.contains("Pages:           1\n") && info.contains("(A4)"), "{info}");
    assert!(info.contains("Attestation d'inscription et convocation"), "{info}");
    let metadata = String::from_utf8(poppler("pdfinfo", &["-meta"], &pdf)).unwrap();
    assert!(!info.contains("SECRETNAME") && !metadata.contains("SECRETNAME"));
    let tree = String::from_utf8(poppler("pdfinfo", &["-struct-text"], &pdf)).unwrap();
    assert!(tree.contains("H1") && tree.contains("Figure") && tree.contains("SECRETNAME"), "{tree}");
    let checked = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.pdf");
        std::fs::write(&path, &pdf).unwrap();
        Command::new("qpdf").arg("--check").arg(&path).output().expect("Debian package qpdf")
    };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn equal_letters_give_equal_bytes() {
    let letter = specimen("ar", "BEN ABDALLAH Ahmed");
    let mut fonts = Fonts::new();
    let first = render(&mut fonts, &letter).unwrap();
    assert_eq!(first, render(&mut fonts, &letter).unwrap());
    assert_eq!(first, made(&letter));
    let mut other = letter.clone();
    other.tie_break.push('x');
    assert_ne!(first, render(&mut fonts, &other).unwrap());
}

#[test]
fn both_codes_are_read_back_exactly_from_a_200_dpi_print() {
    let every_byte: Vec<u8> = (0..=255).collect();
    for (door, rebuild) in [
        (
            (0..287u32).map(|i| (i * 37 % 251) as u8).collect(),
            (0..330u32).map(|i| (i * 91 % 256) as u8).collect(),
        ),
        (every_byte.clone(), vec![0]),
        (b"0123456789".to_vec(), vec![0xff; 330]),
    ] {
        let letter = Letter { door, rebuild, ..specimen("ar", "BEN ABDALLAH Ahmed") };
        let pdf = made(&letter);
        let page = image::load_from_memory(&poppler(
            "pdftoppm",
            &["-r", "200", "-gray", "-png", "-singlefile"],
            &pdf,
        ));
        let page = page.unwrap().into_luma8();
        assert_eq!(read_code(&page, 0), letter.door);
        assert_eq!(read_code(&page, 1), letter.rebuild);
    }
}

/// The code at `place` (0 or 1) from the left, at the foot of the page.
fn read_code(page: &image::GrayImage, place: u32) -> Vec<u8> {
    use rxing::{BarcodeFormat, DecodeHints, RXingResultMetadataType, RXingResultMetadataValue, Reader};
    let mm = |n: f32| (n / 25.4 * 200.0) as u32;
    // A band where nothing but the codes stands.
    let quiet = |x: u32| {
        (0..page.height()).all(|y| y < mm(242.0) || y > mm(252.0) || page.get_pixel(x, y).0[0] > 128)
    };
    let mut edges: Vec<(u32, u32)> = Vec::new();
    for x in (mm(10.0)..mm(92.0)).filter(|x| !quiet(*x)) {
        match edges.last_mut() {
            // A code may have a white column, never a white gap as wide as two quiet zones.
            Some((_, to)) if x - *to < mm(2.5) => *to = x,
            _ => edges.push((x, x)),
        }
    }
    let (from, to) = edges[place as usize];
    let margin = mm(1.6);
    let crop = image::imageops::crop_imm(page, from - margin, mm(215.0), to - from + 2 * margin, mm(60.0))
        .to_image();
    let (width, height) = crop.dimensions();
    let pixels = crop.into_raw();
    let source = rxing::Luma8LuminanceSource::new(pixels, width, height).unwrap();
    let mut bitmap = rxing::BinaryBitmap::new(rxing::common::HybridBinarizer::new(source));
    let hints = DecodeHints::default().with(rxing::DecodeHintValue::TryHarder(true));
    let found = rxing::qrcode::QRCodeReader.decode_with_hints(&mut bitmap, &hints).unwrap();
    assert_eq!(*found.getBarcodeFormat(), BarcodeFormat::QR_CODE);
    match &found.getRXingResultMetadata()[&RXingResultMetadataType::BYTE_SEGMENTS] {
        RXingResultMetadataValue::ByteSegments(segments) => segments.concat(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn hostile_names_are_printed_exactly() {
    let long = "Guðrún Þórhildur ".repeat(12);
    let names = [
        "Robert'); DROP TABLE people;-- end",
        "<script>alert(1)</script> & <b>x</b>",
        "Zoé \u{1f600}\u{1f469}\u{200d}\u{1f467} Smiley",
        "{ $name } paper-title",
        "ኣብርሃም ተስፋይ",
        "王小明",
        "Ñ\u{303}and\u{fa} Œdipe ﬁnﬂ",
        long.trim(),
    ];
    let mut fonts = Fonts::new();
    for lang in ["fr", "ar"] {
        for name in names {
            let pdf = render(&mut fonts, &specimen(lang, name)).unwrap();
            // Emoji joiners have no width: poppler may or may not give them back.
            let bare = |text: &str| text.replace(['\u{200d}', ' ', '\n'], "");
            let text = copied(&pdf);
            assert!(bare(&text).contains(&bare(name)), "{lang} `{name}` is not in:\n{text}");
        }
    }
}

#[test]
fn a_word_longer_than_a_line_is_broken_and_never_cut() {
    let name = "W".repeat(199) + "Z";
    let pdf = made(&specimen("ar", &name));
    let text = copied(&pdf).replace(' ', "");
    assert!(text.contains(&name), "{text}");
}

#[test]
fn nothing_leaves_the_page_or_overlaps_when_every_value_is_long() {
    let long = "Très long nom de lieu ".repeat(9);
    let mut letter = specimen("ar", &"Prénom-Composé ".repeat(13));
    letter.birth_place = long.clone();
    letter.nationality = long.clone();
    letter.representative = Some(long.clone());
    letter.site_name = long.clone();
    letter.site_address = vec![long.clone(); 4];
    letter.procedures = vec!["renewal".into(), "family_reunification".into(), "unknown_key".into()];
    letter.opens = Some(jiff::civil::date(2027, 9, 30));
    letter.accepts_earlier = Some(60);
    letter.elsewhere = true;
    letter.taken_over = Some("Sous-préfecture de Saint-Julien-en-Genevois et environs".into());
    letter.confirm_from = Some(jiff::civil::date(2027, 9, 30));
    let pdf = made(&letter);
    has(&pdf, "unknown_key");
    let boxes = String::from_utf8(poppler("pdftotext", &["-bbox"], &pdf)).unwrap();
    let edge = |line: &str, name: &str| -> f32 {
        line.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let words: Vec<_> = boxes.lines().filter(|line| line.contains("<word ")).collect();
    assert!(words.len() > 200);
    for line in words {
        assert!(edge(line, "xMin") >= 20.0 && edge(line, "xMax") <= 576.0, "{line}");
        assert!(edge(line, "yMin") >= 20.0 && edge(line, "yMax") <= 825.0, "{line}");
    }
}

#[test]
fn control_characters_and_overrides_show_as_a_mark() {
    let pdf = made(&specimen("fr", "A\u{202e}B\u{0}C\nD"));
    has(&pdf, "A\u{fffd}B\u{fffd}C\u{fffd}D");
}

#[test]
fn what_cannot_be_printed_is_said() {
    let mut fonts = Fonts::new();
    let refused = |fonts: &mut Fonts, change: &dyn Fn(&mut Letter)| {
        let mut letter = specimen("fr", "X");
        change(&mut letter);
        render(fonts, &letter).unwrap_err()
    };
    assert!(matches!(refused(&mut fonts, &|l| l.door = vec![1; 331]), LetterFailure::Code(331)));
    assert!(matches!(refused(&mut fonts, &|l| l.rebuild.clear()), LetterFailure::Code(0)));
    assert_eq!(refused(&mut fonts, &|l| l.name = "x".repeat(601)).code(), "letter_value_too_long");
    assert_eq!(
        refused(&mut fonts, &|l| {
            l.site_address = vec!["W".repeat(600); 12];
            l.procedures = vec!["W".repeat(600); 12];
        })
        .code(),
        "letter_does_not_fit"
    );
}
