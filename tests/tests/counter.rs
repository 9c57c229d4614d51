#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Bad input and bad peers at the counter: kept and printed exactly, or refused with a
//! reason; nothing lost, nothing waited for beyond its limit.

use app::contract::{BirthFields, DateSource, DraftFields, LimitFields, RepresentativeFields};
use journeys::counter::Counter;
use journeys::tls;
use sim::escl_scanner::{EsclScanner, Fault};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
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
        ..DraftFields::default()
    }
}

type Put = fn(&mut DraftFields, String);

/// Every typed field, by its name in the contract.
const FIELDS: [(&str, Put); 18] = [
    ("lang", |f, v| f.lang = v),
    ("family_names", |f, v| f.family_names = v),
    ("given_names", |f, v| f.given_names = v),
    ("birth.day", |f, v| f.birth.day = v),
    ("birth.month", |f, v| f.birth.month = v),
    ("birth.year", |f, v| f.birth.year = v),
    ("birth_place", |f, v| f.birth_place = v),
    ("nationality", |f, v| f.nationality = v),
    ("agdref", |f, v| f.agdref = v),
    ("contact.phone", |f, v| f.contact.phone = v),
    ("contact.email", |f, v| f.contact.email = v),
    ("contact.postal", |f, v| f.contact.postal = v),
    ("procedure", |f, v| f.procedure = v),
    ("representative.family_names", |f, v| f.representative.as_mut().unwrap().family_names = v),
    ("representative.relation", |f, v| f.representative.as_mut().unwrap().relation = v),
    ("limit.right", |f, v| f.limit.as_mut().unwrap().right = v),
    ("limit.days", |f, v| f.limit.as_mut().unwrap().days = v),
    ("limit.evidence", |f, v| f.limit.as_mut().unwrap().evidence = v),
];

fn hostile() -> Vec<String> {
    [
        "",
        " ",
        "'; DROP TABLE registration;--",
        "<script>alert(1)</script>",
        "😀👩‍👧",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\0b",
        "a\u{1b}[31mb",
        "{ $name }",
        "../../etc/passwd",
        "31",
        "-1",
        "99999999999999999999",
        "2027-02-30",
        "%s%n",
        "\u{feff}",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["x".repeat(5_000), "é".repeat(201)])
    .collect()
}

#[tokio::test]
async fn hostile_values_are_kept_exactly_or_refused_by_name() {
    provider();
    let counter = Counter::start(None, None).await.unwrap();
    let kiosk = &counter.kiosk;
    let (mut kept, mut refused) = (0, 0);
    for (name, put) in FIELDS {
        for value in hostile() {
            let mut fields = whole();
            put(&mut fields, value.clone());
            let visit = kiosk.start_visit("ar").await.unwrap().visit;
            let view = kiosk.save_draft(&visit, fields.clone()).await.unwrap();
            assert_eq!(view.fields, fields, "{name}: a draft is kept as it was typed");
            let named = view
                .problems
                .iter()
                .any(|p| p.field == name || name.starts_with("limit") || name.starts_with("birth"));
            if view.problems.is_empty() {
                // Enough are taken all the way: each costs a date.
                if kept < 12 {
                    let date = kiosk.confirm(&visit).await.unwrap();
                    let pdf = kiosk.paper_pdf(&date.code).await.unwrap();
                    assert!(pdf.starts_with(b"%PDF"), "{name}");
                }
                kept += 1;
            } else {
                assert!(named, "{name}={value:?}: {:?}", view.problems);
                let refusal = kiosk.confirm(&visit).await.unwrap_err();
                assert_eq!(refusal.code, "draft_incomplete");
                assert_eq!(kiosk.open_visit(&visit).await.unwrap().fields, fields, "nothing is lost");
                for problem in &view.problems {
                    for lang in ["fr", "en", "ar"] {
                        let problem = app::contract::Problem::new(&problem.code).with("max", &problem.max);
                        let sentence = app::contract::sentence(&problem, lang);
                        // The sentence for an unknown code names the code.
                        let named = problem.code.contains('_') && sentence.contains(&problem.code);
                        assert!(
                            !named && !sentence.is_empty(),
                            "{} has its sentence in {lang}",
                            problem.code
                        );
                    }
                }
                refused += 1;
            }
        }
    }
    assert!(kept > 20 && refused > 100, "{kept} kept, {refused} refused");
    kiosk.exchange().await.unwrap();
    let status = kiosk.status().await.unwrap();
    assert_eq!(status["journal"]["set_aside"], 0, "central takes them exactly too: {status}");
    kiosk.check_vault().await.unwrap();
    // Ids that are none.
    for visit in ["", "x", "../", &"0".repeat(32), &"f".repeat(4_000)] {
        assert_eq!(kiosk.open_visit(visit).await.unwrap_err().code, "no_visit");
        assert_eq!(kiosk.confirm(visit).await.unwrap_err().code, "no_visit");
        assert!(kiosk.print_status(visit).await.is_err());
    }
    for (mediator, pin) in
        [("demo", ""), ("", ""), ("demo", "000000"), ("' OR 1=1", "x"), ("demo", &"1".repeat(100_000))]
    {
        assert!(matches!(
            kiosk.unlock(mediator, pin).await.unwrap_err().code.as_str(),
            "bad_pin" | "pin_wait"
        ));
    }
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
