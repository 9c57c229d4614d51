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
        match fault {
            Fault::Hang => asked.limit = Duration::from_secs(1),
            Fault::Busy(_) => asked.limit = Duration::from_secs(4),
            _ => {}
        }
        let from = Instant::now();
        let refused = scanner.scan(&asked).await.unwrap_err();
        assert_eq!(refused, wanted, "{fault:?}");
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
    let mut told = std::collections::BTreeSet::new();
    for (status, wanted) in [
        ("UNSUPPORTED", ScanRefusal::Unsupported),
        ("CANCELLED", ScanRefusal::Cancelled),
        ("DEVICE_BUSY", ScanRefusal::Busy),
        ("INVAL", ScanRefusal::Unsupported),
        // Half a page: the device says it is at the end before it is.
        ("EOF", ScanRefusal::BadAnswer),
        ("JAMMED", ScanRefusal::Jammed),
        ("NO_DOCS", ScanRefusal::NoDocument),
        ("COVER_OPEN", ScanRefusal::CoverOpen),
        ("IO_ERROR", ScanRefusal::Io),
        ("NO_MEM", ScanRefusal::NoMemory),
        ("ACCESS_DENIED", ScanRefusal::Denied),
    ] {
        let scanner = test_backend(folder.path(), &format!("read-status-code \"SANE_STATUS_{status}\""));
        for source in [Source::Glass, Source::Feeder] {
            // None of these is about time: the limit is far beyond what a loaded machine needs.
            let patient = ScanRequest { limit: Duration::from_secs(120), ..request(source) };
            assert_eq!(scanner.scan(&patient).await, Err(wanted), "{status}");
        }
        told.insert(wanted.code());
    }
    assert_eq!(
        told.len(),
        10,
        "each has its own refusal; what is not supported and what is not valid share one"
    );
    let scanner = test_backend(folder.path(), "number_of_devices 0");
    // This version of the backend runs into a null pointer when it is asked for a device it has not.
    assert_eq!(scanner.scan(&request(Source::Glass)).await, Err(ScanRefusal::Crashed));
}

/// Processes that were given this configuration.
fn backends(folder: &Path) -> Vec<i32> {
    let mark = format!("SANE_CONFIG_DIR={}", folder.display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            let environ = std::fs::read(process.path().join("environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        })
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .collect()
}

/// The backend once it is scanning: it has been asked what it can do, and runs for the second time.
async fn scanning(folder: &Path) -> Vec<i32> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let found = backends(folder);
        let at_work = found.iter().any(|pid| {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&words).contains("--format=jpeg")
        });
        if at_work {
            return found;
        }
        assert!(Instant::now() < end, "no scan began");
        tokio::task::yield_now().await;
    }
}

async fn none_left(folder: &Path) {
    let end = Instant::now() + Duration::from_secs(20);
    while !backends(folder).is_empty() {
        assert!(Instant::now() < end, "a scanimage is left");
        tokio::task::yield_now().await;
    }
}

fn signal(pids: &[i32], signal: rustix::process::Signal) {
    for pid in pids {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(*pid).unwrap(), signal);
    }
}

const SLOW: &str = "read-delay true\nread-delay-duration 200000\nbr_x 210.0\nbr_y 297.0";

#[tokio::test]
async fn a_backend_killed_in_the_middle_of_a_page_is_said_and_leaves_no_page() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = test_backend(folder.path(), SLOW);
    for source in [Source::Glass, Source::Feeder] {
        let asked = ScanRequest { dpi: 600, limit: Duration::from_secs(120), ..request(source) };
        let killed = async {
            let pids = scanning(folder.path()).await;
            signal(&pids, rustix::process::Signal::KILL);
        };
        let (refused, ()) = tokio::join!(scanner.scan(&asked), killed);
        assert_eq!(refused, Err(ScanRefusal::Crashed));
    }
    none_left(folder.path()).await;
}

#[tokio::test]
async fn a_backend_that_stands_still_is_ended_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = test_backend(folder.path(), SLOW);
    let asked = ScanRequest { dpi: 600, limit: Duration::from_secs(3), ..request(Source::Glass) };
    let from = Instant::now();
    let stopped = async {
        let pids = scanning(folder.path()).await;
        signal(&pids, rustix::process::Signal::STOP);
    };
    let (refused, ()) = tokio::join!(scanner.scan(&asked), stopped);
    assert_eq!(refused, Err(ScanRefusal::TimedOut));
    assert!(from.elapsed() < Duration::from_secs(10));
    none_left(folder.path()).await;
}

#[tokio::test]
async fn a_scanner_unplugged_in_the_middle_of_a_page_is_said() {
    provider();
    for through_sane in [true, false] {
        let device = EsclScanner::start(pages(2)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let name = device.write_sane_config(folder.path()).unwrap();
        let scanner = match through_sane {
            true => AnyScanner::open_with(&format!("sane:{name}"), Some(folder.path().into())),
            false => AnyScanner::open(&format!("escl:{}", device.url())),
        }
        .unwrap();
        device.set_fault(Fault::Hang);
        let asked = ScanRequest { limit: Duration::from_secs(120), ..request(Source::Glass) };
        let pulled = async move {
            let end = Instant::now() + Duration::from_secs(20);
            while device.asked() == 0 {
                assert!(Instant::now() < end, "no page was asked for");
                tokio::task::yield_now().await;
            }
            drop(device);
        };
        let (refused, ()) = tokio::join!(scanner.scan(&asked), pulled);
        assert_eq!(refused, Err(ScanRefusal::Unplugged), "through SANE: {through_sane}");
    }
}

#[tokio::test]
async fn a_hanging_backend_is_killed_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = test_backend(folder.path(), SLOW);
    let asked = ScanRequest { dpi: 600, limit: Duration::from_secs(1), ..request(Source::Glass) };
    let from = Instant::now();
    assert_eq!(scanner.scan(&asked).await, Err(ScanRefusal::TimedOut));
    assert!(from.elapsed() < Duration::from_secs(10));
    // Nothing that was given this configuration is left running.
    none_left(folder.path()).await;
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
