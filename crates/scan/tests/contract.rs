//! One contract for every scanner, and the faults of each: SANE's own test backend, our eSCL test
//! scanner, and the same one seen through SANE by sane-airscan.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use scan::{AnyScanner, Colour, PAGE_BYTES, ScanRefusal, ScanRequest, ScannedPage, Scanner, Source};
use sim::escl_scanner::{EsclScanner, Fault};

/// A4 at 75 dpi, each page of another grey.
fn pages(count: u8) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| {
            let picture = image::RgbImage::from_pixel(620, 877, image::Rgb([50 + number * 60; 3]));
            let mut jpeg = Vec::new();
            picture.write_to(&mut Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).unwrap();
            jpeg
        })
        .collect()
}

fn request(source: Source) -> ScanRequest {
    ScanRequest { source, dpi: 75, limit: Duration::from_secs(20), ..ScanRequest::default() }
}

fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The grey in the middle of a page: says which one it is, whatever it was encoded with.
fn grey(page: &ScannedPage) -> u8 {
    let picture = image::load_from_memory(&page.jpeg).unwrap().into_luma8();
    picture.get_pixel(picture.width() / 2, picture.height() / 2).0[0]
}

/// What every scanner does. It holds two pages of grey 50 and 110, at 75 dpi.
async fn contract(scanner: &AnyScanner) {
    assert!(!scanner.describe().is_empty());
    let fed = scanner.scan(&request(Source::Feeder)).await.unwrap();
    assert_eq!(fed.len(), 2, "{}", scanner.describe());
    for (page, wanted) in fed.iter().zip([50u8, 110]) {
        assert!(page.jpeg.starts_with(&[0xff, 0xd8]) && page.jpeg.ends_with(&[0xff, 0xd9]));
        assert!(grey(page).abs_diff(wanted) <= 3, "{}", scanner.describe());
        assert!(page.width.abs_diff(620) <= 2 && page.height.abs_diff(877) <= 2, "{page:?}");
        assert_eq!(page.dpi, 75);
    }
    let one = ScanRequest { max_pages: 1, ..request(Source::Feeder) };
    assert_eq!(scanner.scan(&one).await.unwrap().len(), 1);
    // The glass: one page each time, the next one laid by hand.
    let mut laid = Vec::new();
    for _ in 0..2 {
        let page = scanner.scan(&request(Source::Glass)).await.unwrap();
        assert_eq!(page.len(), 1);
        laid.push(grey(&page[0]) / 20);
    }
    assert_ne!(laid[0], laid[1]);
    let grey_scale = ScanRequest { colour: Colour::Grey, ..request(Source::Glass) };
    assert_eq!(scanner.scan(&grey_scale).await.unwrap().len(), 1);
    assert_eq!(scanner.answers(std::time::Duration::from_secs(20)).await, Ok(()), "it says that it is there");
    let small = ScanRequest { max_page_bytes: 100, ..request(Source::Glass) };
    assert_eq!(scanner.scan(&small).await, Err(ScanRefusal::TooLarge));
}

#[tokio::test]
async fn escl_keeps_the_contract() {
    provider();
    let device = EsclScanner::start(pages(2)).unwrap();
    contract(&AnyScanner::open(&format!("escl:{}", device.url())).unwrap()).await;
    assert_eq!(device.jobs(), device.deleted(), "every job is ended");
}

#[tokio::test]
async fn sane_keeps_the_contract() {
    let device = EsclScanner::start(pages(2)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let name = device.write_sane_config(folder.path()).unwrap();
    let scanner = AnyScanner::open_with(&format!("sane:{name}"), Some(folder.path().into())).unwrap();
    contract(&scanner).await;
}

#[tokio::test]
async fn files_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    for (number, page) in pages(2).iter().enumerate() {
        std::fs::write(folder.path().join(format!("page-{number}.jpg")), page).unwrap();
    }
    std::fs::write(folder.path().join("notes.txt"), "not a page").unwrap();
    contract(&AnyScanner::open(&format!("file:{}", folder.path().display())).unwrap()).await;
}

#[tokio::test]
async fn an_escl_page_comes_byte_for_byte() {
    provider();
    let made = pages(1);
    let device = EsclScanner::start(made.clone()).unwrap();
    let scanner = AnyScanner::open(&format!("escl:{}", device.url())).unwrap();
    assert_eq!(scanner.scan(&request(Source::Glass)).await.unwrap()[0].jpeg, made[0]);
}

#[tokio::test]
async fn every_fault_of_an_escl_scanner_is_a_refusal_in_time() {
    provider();
    let device = EsclScanner::start(pages(2)).unwrap();
    let scanner = AnyScanner::open(&format!("escl:{}", device.url())).unwrap();
    for (fault, wanted) in [
        (Fault::Jam, ScanRefusal::Jammed),
        (Fault::CoverOpen, ScanRefusal::CoverOpen),
        (Fault::Empty, ScanRefusal::NoDocument),
        (Fault::BadXml, ScanRefusal::BadAnswer),
        (Fault::Html200, ScanRefusal::BadAnswer),
        (Fault::TruncatedPage, ScanRefusal::BadAnswer),
        (Fault::EndlessBody, ScanRefusal::TooLarge),
        (Fault::OtherHost, ScanRefusal::BadAnswer),
        (Fault::Hang, ScanRefusal::TimedOut),
        (Fault::Busy(1_000), ScanRefusal::Busy),
    ] {
        device.set_fault(fault);
        let mut asked = request(Source::Feeder);
        asked.max_page_bytes = PAGE_BYTES / 8;
        if matches!(fault, Fault::Hang | Fault::Busy(_)) {
            asked.limit = Duration::from_secs(1);
        }
        let from = Instant::now();
        let refused = scanner.scan(&asked).await.unwrap_err();
        let right = refused == wanted || (wanted == ScanRefusal::Busy && refused == ScanRefusal::TimedOut);
        assert!(right, "{fault:?}: {refused}");
        assert!(from.elapsed() < Duration::from_secs(20));
    }
    // Mended, it works again; busy a little, it is waited for.
    device.set_fault(Fault::Busy(2));
    assert_eq!(scanner.scan(&request(Source::Feeder)).await.unwrap().len(), 2);
    device.set_pages(Vec::new());
    assert_eq!(scanner.scan(&request(Source::Feeder)).await, Err(ScanRefusal::NoDocument));
    let address = format!("escl:{}", device.url());
    drop(device);
    let gone = AnyScanner::open(&address).unwrap().scan(&request(Source::Glass)).await;
    assert_eq!(gone, Err(ScanRefusal::NoScanner));
}

/// SANE's test backend, and nothing else, with lines added to its configuration.
fn test_backend(folder: &Path, more: &str) -> AnyScanner {
    std::fs::write(folder.join("dll.conf"), "test\n").unwrap();
    let config = format!(
        "number_of_devices 1\nmode Color\nresolution_min 75.0\nresolution_max 600.0\nresolution 75.0\n\
         test-picture \"Color pattern\"\ngeometry_max 300.0\nbr_x 60.0\nbr_y 40.0\n{more}\n"
    );
    std::fs::write(folder.join("test.conf"), config).unwrap();
    AnyScanner::open_with("sane:test:0", Some(folder.into())).unwrap()
}

#[tokio::test]
async fn the_faults_of_sanes_test_backend_are_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = test_backend(folder.path(), "");
    let page = scanner.scan(&request(Source::Glass)).await.unwrap();
    assert!(page[0].width > 100 && page[0].height > 80, "{page:?}");
    let three = ScanRequest { max_pages: 3, ..request(Source::Feeder) };
    assert_eq!(scanner.scan(&three).await.unwrap().len(), 3);
    for (status, wanted) in [
        ("SANE_STATUS_JAMMED", ScanRefusal::Jammed),
        ("SANE_STATUS_NO_DOCS", ScanRefusal::NoDocument),
        ("SANE_STATUS_COVER_OPEN", ScanRefusal::CoverOpen),
        ("SANE_STATUS_IO_ERROR", ScanRefusal::Io),
        ("SANE_STATUS_DEVICE_BUSY", ScanRefusal::Busy),
        ("SANE_STATUS_ACCESS_DENIED", ScanRefusal::Denied),
        ("SANE_STATUS_EOF", ScanRefusal::Io),
    ] {
        let scanner = test_backend(folder.path(), &format!("read-status-code \"{status}\""));
        // None of these is about time: the limit is far beyond what a loaded machine needs.
        let patient = ScanRequest { limit: Duration::from_secs(120), ..request(Source::Glass) };
        assert_eq!(scanner.scan(&patient).await, Err(wanted), "{status}");
    }
    let scanner = test_backend(folder.path(), "number_of_devices 0");
    assert!(scanner.scan(&request(Source::Glass)).await.is_err(), "a crash is a refusal");
}

#[tokio::test]
async fn a_hanging_backend_is_killed_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let slow = "read-delay true\nread-delay-duration 200000\nbr_x 210.0\nbr_y 297.0";
    let scanner = test_backend(folder.path(), slow);
    let asked = ScanRequest { dpi: 600, limit: Duration::from_secs(1), ..request(Source::Glass) };
    let from = Instant::now();
    assert_eq!(scanner.scan(&asked).await, Err(ScanRefusal::TimedOut));
    assert!(from.elapsed() < Duration::from_secs(10));
    // Nothing that was given this configuration is left running.
    let mark = format!("SANE_CONFIG_DIR={}", folder.path().display());
    let left = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter_map(|process| std::fs::read(process.path().join("environ")).ok())
            .any(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()))
    };
    while left() {
        assert!(from.elapsed() < Duration::from_secs(20), "a scanimage is left");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_device_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dll.conf"), "test\n").unwrap();
    let scanner = AnyScanner::open_with("sane:nosuch:device", Some(folder.path().into())).unwrap();
    assert_eq!(scanner.scan(&request(Source::Glass)).await, Err(ScanRefusal::NoScanner));
    let scanner = AnyScanner::open("file:/nonexistent/page.jpg").unwrap();
    assert_eq!(scanner.scan(&request(Source::Glass)).await, Err(ScanRefusal::NoScanner));
}

#[test]
fn bad_addresses_are_refused() {
    provider();
    for bad in ["", "sane:", "file:", "escl:", "escl:ftp://x/", "escl:not a url", "wia:x", "sane:x?batch=y"] {
        assert_eq!(AnyScanner::open(bad).unwrap_err(), ScanRefusal::BadAddress, "{bad}");
    }
    let codes: std::collections::BTreeSet<_> =
        ScanRefusal::ALL.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(codes.len(), ScanRefusal::ALL.len());
}
