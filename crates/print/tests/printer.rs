//! Jobs on a real IPP printer with its faults, and printers that are none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use print::{AnyPrinter, AttemptId, IppPrinter, JobId, JobState, PrintRefusal, Printer};
use sim::ipp_printer::{Fault, IppPrinter as TestPrinter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const LIMIT: Duration = Duration::from_secs(20);

fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn attempt(id: &str) -> AttemptId {
    AttemptId::parse(id).unwrap()
}

/// Small, and not only text: every byte must arrive.
fn pdf() -> Vec<u8> {
    let mut pdf = b"%PDF-1.7\n".to_vec();
    pdf.extend((0..=255u8).cycle().take(50_000));
    pdf.extend(b"\n%%EOF\n");
    pdf
}

#[tokio::test]
async fn a_document_lands_unchanged_and_its_job_is_followed_to_the_end() {
    provider();
    let device = TestPrinter::start().unwrap();
    let printer = AnyPrinter::open(&device.uri()).unwrap();
    assert_eq!(printer.find(&attempt("A-1")).await.unwrap(), None);
    let job = printer.submit(&pdf(), &attempt("A-1")).await.unwrap();
    let mut seen = Vec::new();
    let state = printer.follow(job, &attempt("A-1"), LIMIT, |state| seen.push(state.clone())).await.unwrap();
    assert_eq!(state, JobState::Completed, "{seen:?}");
    assert_eq!(seen.last(), Some(&state));
    let received = device.received().unwrap();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(std::fs::read(&received[0]).unwrap(), pdf());
    assert!(received[0].file_name().unwrap().to_str().unwrap().contains("a-1"));
    let found = printer.find(&attempt("A-1")).await.unwrap().unwrap();
    assert_eq!((found.job, found.state), (job, JobState::Completed));
    assert_eq!(printer.find(&attempt("A-2")).await.unwrap(), None);
    assert_eq!(printer.state(JobId(4_711), &attempt("A-1")).await.unwrap(), JobState::Unknown);
}

/// Waits until the job stands still for want of paper.
async fn until_stopped(printer: &AnyPrinter, job: JobId, name: &str) -> JobState {
    let stopped = JobState::Stopped { reasons: vec!["media-empty".into()] };
    let end = Instant::now() + LIMIT;
    while printer.state(job, &attempt(name)).await.unwrap() != stopped {
        assert!(Instant::now() < end, "{:?}", printer.state(job, &attempt(name)).await);
    }
    stopped
}

#[tokio::test]
async fn without_paper_the_job_waits_and_goes_on() {
    provider();
    let device = TestPrinter::start().unwrap();
    let printer = AnyPrinter::open(&device.uri()).unwrap();
    device.set_fault(Fault::NoPaper).unwrap();
    let job = printer.submit(&pdf(), &attempt("no-paper")).await.unwrap();
    let stopped = until_stopped(&printer, job, "no-paper").await;
    // At the limit the job is told as it stands, not as failed.
    let at_limit = printer.follow(job, &attempt("no-paper"), Duration::from_secs(1), |_| {}).await.unwrap();
    assert_eq!(at_limit, stopped);
    assert_eq!(printer.find(&attempt("no-paper")).await.unwrap().unwrap().job, job);
    device.set_fault(Fault::None).unwrap();
    assert_eq!(printer.follow(job, &attempt("no-paper"), LIMIT, |_| {}).await.unwrap(), JobState::Completed);
}

#[tokio::test]
async fn a_jam_and_an_abort_end_the_job_and_the_next_one_is_not_blamed() {
    provider();
    let device = TestPrinter::start().unwrap();
    let printer = AnyPrinter::open(&device.uri()).unwrap();
    for (fault, id) in [(Fault::Jam, "jam"), (Fault::Abort, "abort")] {
        device.set_fault(fault).unwrap();
        let job = printer.submit(&pdf(), &attempt(id)).await.unwrap();
        let state = printer.follow(job, &attempt(id), LIMIT, |_| {}).await.unwrap();
        let JobState::Aborted { reasons } = state else { panic!("{id}: {state:?}") };
        assert_eq!(reasons.iter().any(|reason| reason == "media-jam"), id == "jam", "{id}: {reasons:?}");
    }
    device.set_fault(Fault::None).unwrap();
    let job = printer.submit(&pdf(), &attempt("good")).await.unwrap();
    assert_eq!(printer.follow(job, &attempt("good"), LIMIT, |_| {}).await.unwrap(), JobState::Completed);
}

#[tokio::test]
async fn a_waiting_job_can_be_cancelled() {
    provider();
    let device = TestPrinter::start().unwrap();
    let printer = AnyPrinter::open(&device.uri()).unwrap();
    device.set_fault(Fault::NoPaper).unwrap();
    let job = printer.submit(&pdf(), &attempt("cancelled")).await.unwrap();
    // A job cancelled before the printer has begun it may be begun all the same.
    until_stopped(&printer, job, "cancelled").await;
    printer.cancel(job, &attempt("cancelled")).await.unwrap();
    device.set_fault(Fault::None).unwrap();
    let state = printer.follow(job, &attempt("cancelled"), LIMIT, |_| {}).await.unwrap();
    assert_eq!(state, JobState::Cancelled);
}

/// A listener that answers every connection with `answer`, again and again if `endless`.
async fn listener(answer: Vec<u8>, endless: bool) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ipp://127.0.0.1:{}/ipp/print", listener.local_addr().unwrap().port());
    let task = tokio::spawn(async move {
        let held = Arc::new(Mutex::new(Vec::new()));
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, held) = (answer.clone(), held.clone());
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(&answer).await;
                while endless && stream.write_all(&[b'x'; 8192]).await.is_ok() {}
                if answer.is_empty() {
                    // A black hole: open and silent.
                    held.lock().unwrap().push(stream);
                }
            });
        }
    });
    (uri, task)
}

#[tokio::test]
async fn what_is_no_printer_is_refused_in_time() {
    provider();
    let html =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n<html>Please pay.<br>"
            .to_vec();
    let endless = b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\n\r\n".to_vec();
    let error = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec();
    let moved = b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n".to_vec();
    let garbage = b"SSH-2.0-OpenSSH\r\n".to_vec();
    for (answer, more, wanted) in [
        (html, false, PrintRefusal::NotIpp),
        (endless, true, PrintRefusal::NotIpp),
        (error, false, PrintRefusal::NotIpp),
        (moved, false, PrintRefusal::NotIpp),
        (garbage, false, PrintRefusal::NotIpp),
        (Vec::new(), false, PrintRefusal::Silent),
    ] {
        let shown = String::from_utf8_lossy(&answer).into_owned();
        let (uri, task) = listener(answer, more).await;
        let printer = IppPrinter::open(&uri, None).unwrap().with_exchange_limit(Duration::from_secs(2));
        let from = Instant::now();
        assert_eq!(printer.submit(&pdf(), &attempt("x")).await, Err(wanted), "{shown}");
        assert!(printer.find(&attempt("x")).await.is_err());
        assert!(from.elapsed() < LIMIT);
        task.abort();
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let printer = AnyPrinter::open(&format!("ipp://127.0.0.1:{closed}/ipp/print")).unwrap();
    assert_eq!(printer.submit(&pdf(), &attempt("x")).await, Err(PrintRefusal::NoPrinter));
    assert_eq!(
        printer.submit(&vec![0; print::DOCUMENT_BYTES + 1], &attempt("x")).await,
        Err(PrintRefusal::TooLarge)
    );
}

#[tokio::test]
async fn a_restarted_printer_gives_old_numbers_anew_and_no_old_job_is_mistaken() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let device = TestPrinter::start_in(folder.path()).unwrap();
    let printer = AnyPrinter::open(&device.uri()).unwrap();
    device.set_fault(Fault::NoPaper).unwrap();
    let ours = printer.submit(&pdf(), &attempt("ours")).await.unwrap();
    until_stopped(&printer, ours, "ours").await;
    drop(device);
    let device = TestPrinter::start_in(folder.path()).unwrap();
    let printer = AnyPrinter::open(&device.uri()).unwrap();
    let other = printer.submit(&pdf(), &attempt("other")).await.unwrap();
    assert_eq!(other, ours, "it counts from the beginning");
    assert_eq!(printer.follow(other, &attempt("other"), LIMIT, |_| {}).await.unwrap(), JobState::Completed);
    assert_eq!(printer.state(ours, &attempt("ours")).await.unwrap(), JobState::Unknown);
    assert_eq!(printer.follow(ours, &attempt("ours"), LIMIT, |_| {}).await.unwrap(), JobState::Unknown);
    assert_eq!(printer.find(&attempt("ours")).await.unwrap(), None);
    // Nor is another's job cancelled for ours.
    device.set_fault(Fault::NoPaper).unwrap();
    let waiting = printer.submit(&pdf(), &attempt("waiting")).await.unwrap();
    until_stopped(&printer, waiting, "waiting").await;
    assert_eq!(printer.cancel(waiting, &attempt("ours")).await, Err(PrintRefusal::UnknownJob));
    device.set_fault(Fault::None).unwrap();
    assert_eq!(
        printer.follow(waiting, &attempt("waiting"), LIMIT, |_| {}).await.unwrap(),
        JobState::Completed
    );
}

#[tokio::test]
async fn a_printer_killed_half_way_is_said_and_leaves_nothing() {
    provider();
    let device = TestPrinter::start().unwrap();
    let printer = AnyPrinter::open(&device.uri()).unwrap();
    device.set_fault(Fault::NoPaper).unwrap();
    let job = printer.submit(&pdf(), &attempt("gone")).await.unwrap();
    let pid = device.pid();
    drop(device);
    // Nobody answers there; or, its port being free again, another printer that knows no such job.
    let end = printer.follow(job, &attempt("gone"), LIMIT, |_| {}).await;
    assert!(matches!(end, Err(PrintRefusal::NoPrinter) | Ok(JobState::Unknown)), "{end:?}");
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}
