#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Bad input and bad peers at the counter: kept and printed exactly, or refused with a
//! reason; nothing lost, nothing waited for beyond its limit.

use app::contract::{
    BirthFields, COMMANDS, CorrectionFields, DateSource, DetailFields, DraftFields, LimitFields, Problem,
    RenewalFields, RepresentativeFields, WordKind,
};
use journeys::counter::Counter;
use journeys::hostile::{places, texts, values, with};
use journeys::tls;
use sim::escl_scanner::{EsclScanner, Fault};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn in_days(days: i32) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    jiff::civil::Date::saturating_add(today, jiff::ToSpan::days(days)).to_string()
}

fn whole() -> DraftFields {
    DraftFields {
        lang: "ar".into(),
        family_names: "بن عيسى".into(),
        given_names: "فاطمة".into(),
        birth: BirthFields {
            day: "14".into(),
            month: "3".into(),
            year: "1991".into(),
            ..BirthFields::default()
        },
        nationality: "DZA".into(),
        procedure: "renewal".into(),
        representative: Some(RepresentativeFields {
            family_names: "A".into(),
            given_names: String::new(),
            relation: "parent".into(),
        }),
        limit: Some(LimitFields {
            right: "court_injunction".into(),
            days: "40".into(),
            evidence: "TA 1".into(),
            ..LimitFields::default()
        }),
        // In time by the list of R.431-2: it moves no date.
        renewal: Some(RenewalFields { expires_on: in_days(100), regime: "listed".into() }),
        ..DraftFields::default()
    }
}

/// Does this refusal have its sentence in every language with screens?
#[track_caller]
fn has_its_sentence(problem: &Problem) {
    for lang in ["fr", "en", "ar"] {
        let sentence = app::contract::sentence(problem, lang);
        let lang = l10n::Lang::parse(lang).unwrap();
        let unknown = l10n::text(&lang, "error-unknown", &[("code", &problem.code)]);
        assert!(problem.code == "unknown" || sentence != unknown, "{} has no sentence", problem.code);
    }
}

#[tokio::test]
async fn hostile_values_in_every_field_are_kept_exactly_or_refused_by_name() {
    provider();
    let counter = Counter::start(None, None).await.unwrap();
    let kiosk = &counter.kiosk;
    let sample = serde_json::to_value(whole()).unwrap();
    let (mut kept, mut refused) = (0, 0);
    for place in places(&sample) {
        let name = place.trim_start_matches('/').replace('/', ".");
        for value in values() {
            // What the window cannot send is refused before the core, as by any shape.
            let Ok(fields) = serde_json::from_value::<DraftFields>(with(&sample, &place, &value)) else {
                continue;
            };
            let visit = kiosk.start_visit("ar").await.unwrap().visit;
            let view = match kiosk.save_draft(&visit, fields.clone()).await {
                Ok(view) => view,
                Err(refusal) => {
                    assert_eq!(refusal.code, "too_long", "{name}");
                    has_its_sentence(&refusal);
                    assert_eq!(kiosk.open_visit(&visit).await.unwrap().fields.lang, "ar", "the draft stays");
                    continue;
                }
            };
            assert_eq!(view.fields, fields, "{name}: a draft is kept as it was typed");
            if view.problems.is_empty() {
                // Enough are taken all the way: each costs a date.
                if kept < 12 {
                    let date = kiosk.confirm(&visit).await.unwrap();
                    let pdf = kiosk.paper_pdf(&date.code).await.unwrap();
                    assert!(pdf.starts_with(b"%PDF"), "{name}");
                }
                kept += 1;
            } else {
                let top = name.split('.').next().unwrap_or_default();
                // Another name is on some paper: that is the field to fill.
                let asked = if top == "renamed" { "moved" } else { top };
                let named = view.problems.iter().any(|problem| problem.field.starts_with(asked));
                assert!(named, "{name}={value}: {:?}", view.problems);
                let refusal = kiosk.confirm(&visit).await.unwrap_err();
                assert_eq!(refusal.code, "draft_incomplete");
                assert_eq!(kiosk.open_visit(&visit).await.unwrap().fields, fields, "nothing is lost");
                for problem in &view.problems {
                    has_its_sentence(&Problem::new(&problem.code).with("max", &problem.max));
                }
                refused += 1;
            }
        }
    }
    println!("{kept} values kept exactly, {refused} refused by name");
    assert!(kept > 100 && refused > 300, "{kept} kept, {refused} refused");
    kiosk.exchange().await.unwrap();
    let status = kiosk.status().await.unwrap();
    assert_eq!(status["journal"]["set_aside"], 0, "central takes them exactly too: {status}");
    kiosk.check_vault().await.unwrap();
}

#[tokio::test]
async fn hostile_arguments_of_every_command_are_refused_by_name() {
    provider();
    let counter = Counter::start(None, None).await.unwrap();
    let kiosk = &counter.kiosk;
    let mine = kiosk.start_visit("fr").await.unwrap().visit;
    kiosk.save_draft(&mine, whole()).await.unwrap();
    for command in COMMANDS {
        for text in texts() {
            let birth = || BirthFields {
                day: text.clone(),
                month: text.clone(),
                year: text.clone(),
                ..BirthFields::default()
            };
            let refusal = match command {
                // They take nothing.
                "boot" | "lock" | "home" | "outbox" | "sync_now" | "set_aside" | "end_of_day" | "media" => {
                    break;
                }
                "unlock" => kiosk.unlock(&text, &text).await.err(),
                "start_visit" => match kiosk.start_visit(&text).await {
                    // A language nobody has is a draft to be corrected, and no more.
                    Ok(view) => {
                        assert_eq!(view.fields.lang, text);
                        kiosk.discard_draft(&view.visit).await.err()
                    }
                    Err(refusal) => Some(refusal),
                },
                "save_draft" => kiosk.save_draft(&text, whole()).await.err(),
                "unlock_second" => kiosk
                    .unlock_second(&mine, &text, &text)
                    .await
                    .err()
                    .and(kiosk.unlock_second(&text, &text, &text).await.err()),
                "open_visit" => kiosk.open_visit(&text).await.err(),
                "discard_draft" => kiosk.discard_draft(&text).await.err(),
                "scan_page" => kiosk.scan_page(&text).await.err(),
                "remove_page" => kiosk
                    .remove_page(&mine, &text)
                    .await
                    .err()
                    .or(kiosk.remove_page(&text, &text).await.err()),
                "read_back" => kiosk.read_back(&text).await.err(),
                "confirm" => kiosk.confirm(&text).await.err(),
                "date" => kiosk.date(&text).await.err(),
                "print" => kiosk.print(&text).await.err(),
                "print_status" => kiosk.print_status(&text).await.err(),
                "answer_print" => kiosk.answer_print(&text, true).await.err(),
                "finish_visit" => kiosk.finish_visit(&text).await.err(),
                "next_of_visit" => kiosk.next_of_visit(&text, true).await.err(),
                "follow_up" => kiosk.follow_up(&text, birth()).await.err(),
                "reprint" => kiosk.reprint(&text).await.err(),
                "show_paper" => kiosk.show_paper(&text).await.err(),
                "ask_earlier" => kiosk.ask_earlier(&text).await.err(),
                "cancel" => kiosk.cancel(&text).await.err(),
                "reinstate" => kiosk.reinstate(&text).await.err(),
                "declare_limit" => {
                    let limit = || LimitFields {
                        right: text.clone(),
                        last_day: text.clone(),
                        days: text.clone(),
                        evidence: text.clone(),
                    };
                    let of_code = kiosk.declare_limit_of(&text, limit()).await.err();
                    kiosk.declare_limit(&text, limit()).await.err().and(of_code)
                }
                "correct" => {
                    let details = DetailFields {
                        family_names: text.clone(),
                        given_names: text.clone(),
                        birth: birth(),
                        nationality: text.clone(),
                        lang: text.clone(),
                    };
                    let told = CorrectionFields { family_names: Some(text.clone()), ..Default::default() };
                    let of_code = kiosk.correct_of(&text, told).await.err();
                    kiosk.correct(&text, details).await.err().and(of_code)
                }
                "keep_transfer" => {
                    let of_code = kiosk.keep_transfer_of(&text).await.err();
                    kiosk.keep_transfer(&text).await.err().and(of_code)
                }
                "answer_offer" => kiosk.answer_offer(&text, true).await.err(),
                "answer_offer_elsewhere" => {
                    kiosk.answer_offer_elsewhere(&text, birth(), &text, true).await.err()
                }
                "say_elsewhere" => {
                    let say = |seen| {
                        kiosk.say_elsewhere(&text, birth(), WordKind::Cancel, Some(text.clone()), seen)
                    };
                    say(false).await.err().and(say(true).await.err())
                }
                "say_coming" => kiosk.say_coming(&text).await.err(),
                "print_notice" => kiosk.print_notice(&text).await.err(),
                "hand_notice" => kiosk.hand_notice(&text).await.err(),
                "print_limit_letter" => {
                    let of_code = kiosk.limit_letter_pdf(&text).await.err();
                    kiosk.print_limit_letter(&text).await.err().and(of_code)
                }
                "hand_limit_letter" => kiosk.hand_limit_letter(&text).await.err(),
                "declare_today" => kiosk.declare_today(&text).await.err(),
                "arrive" => kiosk.arrive(&text).await.err(),
                "bring_paper" => kiosk.bring_paper(&text, Some(&text)).await.err(),
                "export_to" => kiosk.export_to(&text).await.err(),
                "deliver_from" => kiosk.deliver_from(&text, &text).await.err(),
                other => panic!("{other}: say what hostile values it is given"),
            };
            match refusal {
                Some(refusal) => {
                    assert!(
                        !["unknown", "vault_failed"].contains(&refusal.code.as_str()),
                        "{command} {text:.40}"
                    );
                    has_its_sentence(&refusal);
                }
                None => assert_eq!(command, "start_visit", "{text:.40} was taken"),
            }
        }
    }
    assert_eq!(kiosk.open_visit(&mine).await.unwrap().fields, whole(), "nothing of it touched the draft");
    for (mediator, pin) in [("demo", "000000"), ("demo", &"1".repeat(100_000)), ("' OR 1=1", "x")] {
        let code = kiosk.unlock(mediator, pin).await.unwrap_err().code;
        assert!(matches!(code.as_str(), "bad_pin" | "pin_wait"), "{code}");
    }
    kiosk.check_vault().await.unwrap();
}

/// What a broken peer does with a connection, after TLS.
#[derive(Clone, Copy, Debug)]
enum Broken {
    Html,
    Endless,
    WrongJson,
    Garbage,
    Closes,
}

async fn broken_central(folder: &std::path::Path, broken: Broken) -> (String, tokio::task::JoinHandle<()>) {
    let config = central::serve::tls_config(&folder.join(tls::CERT), &folder.join(tls::KEY)).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
                match broken {
                    Broken::Html => {
                        let page = format!(
                            "{head}content-type: text/html\r\ncontent-length: 15\r\n\r\n<html>Wi-Fi</ht"
                        );
                        let _ = stream.write_all(page.as_bytes()).await;
                    }
                    Broken::WrongJson => {
                        let page = format!(
                            "{head}content-type: application/json\r\ncontent-length: 13\r\n\r\n{{\"token\":true}}"
                        );
                        let _ = stream.write_all(page.as_bytes()).await;
                    }
                    Broken::Endless => {
                        let _ = stream
                            .write_all(format!("{head}content-type: application/json\r\n\r\n").as_bytes())
                            .await;
                        while stream.write_all(&[b'['; 65_536]).await.is_ok() {}
                    }
                    Broken::Garbage => {
                        let _ = stream.write_all(&[0xff; 512]).await;
                    }
                    Broken::Closes => {}
                }
                let _ = stream.shutdown().await;
            });
        }
    });
    (url, task)
}

#[tokio::test]
async fn a_broken_central_never_holds_the_counter() {
    provider();
    let mut counter = Counter::start(None, None).await.unwrap();
    counter.kiosk.exchange().await.unwrap();
    let folder = counter.folder.path().to_owned();
    let ca = folder.join(tls::CA);
    let mut leased = 0;
    for broken in [Broken::Html, Broken::Endless, Broken::WrongJson, Broken::Garbage, Broken::Closes] {
        let (url, task) = broken_central(&folder, broken).await;
        counter = counter.asking(&url, &ca).await.unwrap();
        let kiosk = &counter.kiosk;
        let visit = kiosk.start_visit("fr").await.unwrap().visit;
        kiosk.save_draft(&visit, whole()).await.unwrap();
        let from = Instant::now();
        let date = kiosk.confirm(&visit).await.unwrap();
        assert!(from.elapsed() < Duration::from_secs(10), "{broken:?}");
        assert_ne!(date.source, DateSource::Online, "{broken:?}");
        leased += u32::from(date.source == DateSource::Lease);
        let from = Instant::now();
        let refusal = kiosk.exchange().await.unwrap_err();
        assert!(from.elapsed() < Duration::from_secs(35), "{broken:?}");
        assert!(
            matches!(refusal.code.as_str(), "central_bad_answer" | "central_unreachable"),
            "{broken:?}: {refusal}"
        );
        task.abort();
    }
    assert_eq!(leased, 4, "the whole lease, then a rank");
}

#[tokio::test]
async fn a_central_of_another_authority_is_not_believed() {
    provider();
    let counter = Counter::start(None, None).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    tls::make(other.path()).unwrap();
    let (url, task) = broken_central(other.path(), Broken::Html).await;
    let ca = counter.folder.path().join(tls::CA);
    let counter = counter.asking(&url, &ca).await.unwrap();
    assert_eq!(counter.kiosk.exchange().await.unwrap_err().code, "central_untrusted");
    task.abort();
}

#[tokio::test]
async fn a_broken_scanner_is_a_refusal_and_the_draft_stays() {
    provider();
    let jpeg = journeys::stand::specimens().unwrap();
    let device = EsclScanner::start(jpeg).unwrap();
    let counter = Counter::start(Some(format!("escl:{}", device.url())), None).await.unwrap();
    let kiosk = &counter.kiosk;
    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    kiosk.save_draft(&visit, whole()).await.unwrap();
    for (fault, codes) in [
        // The feeder is jammed, and the page lies on the glass: the device only says that it failed.
        (Fault::Jam, &["scanner_jammed", "scanner_failed"][..]),
        (Fault::BadXml, &["scanner_bad_answer"][..]),
        (Fault::Html200, &["scanner_bad_answer"][..]),
        (Fault::EndlessBody, &["scanner_too_large", "scanner_bad_answer"][..]),
        (Fault::TruncatedPage, &["scanner_bad_answer"][..]),
    ] {
        device.set_fault(fault);
        let refusal = kiosk.scan_page(&visit).await.unwrap_err();
        assert!(codes.contains(&refusal.code.as_str()), "{fault:?}: {refusal}");
        let view = kiosk.open_visit(&visit).await.unwrap();
        assert_eq!((view.pages.len(), view.fields), (0, whole()));
    }
    device.set_fault(Fault::None);
    assert_eq!(kiosk.scan_page(&visit).await.unwrap().pages.len(), 1, "mended, it scans again");
    let date = kiosk.confirm(&visit).await.unwrap();
    assert_eq!(kiosk.print(&visit).await.unwrap_err().code, "no_printer");
    assert!(!date.code_large.is_empty(), "no printer: the code is there to copy");
}
