#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Devices that fail under a real kiosk: each fault is said with what to do, no paper is doubled, no
//! half page is kept, and the counter goes on meanwhile.

use app::contract::{BirthFields, BirthForm, DraftFields, PrintState, PrintView};
use journeys::counter::Counter;
use print::{AttemptId, Printer as _};
use rustix::process::{Pid, Signal, kill_process};
use sim::escl_scanner::{EsclScanner, Fault as ScanFault};
use sim::ipp_printer::{Fault, IppPrinter};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Longest wait for a device on this machine.
const WAIT: Duration = Duration::from_secs(20);
/// Longest a command of the counter may take while a device is ill.
const AT_ONCE: Duration = Duration::from_secs(5);
/// Requests before a document are below this; a paper is above.
const BEFORE_A_DOCUMENT: usize = 2_000;

fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn fields() -> DraftFields {
    DraftFields {
        lang: "fr".into(),
        family_names: "DIALLO".into(),
        birth: BirthFields { form: BirthForm::Year, year: "1990".into(), ..BirthFields::default() },
        nationality: "MLI".into(),
        procedure: "renewal".into(),
        ..DraftFields::default()
    }
}

async fn register(counter: &Counter) -> String {
    let visit = counter.kiosk.start_visit("fr").await.unwrap().visit;
    counter.kiosk.save_draft(&visit, fields()).await.unwrap();
    counter.kiosk.confirm(&visit).await.unwrap();
    visit
}

/// Whatever a device does, the counter answers.
async fn goes_on(counter: &Counter) -> String {
    let from = Instant::now();
    counter.kiosk.home().await.unwrap();
    let visit = register(counter).await;
    counter.kiosk.outbox().await.unwrap();
    assert!(from.elapsed() < AT_ONCE, "the counter was held: {:?}", from.elapsed());
    visit
}

#[track_caller]
fn has_its_sentence(code: &str) {
    let problem = app::contract::Problem::new(code);
    for lang in ["fr", "en", "ar"] {
        let unknown = l10n::text(&l10n::Lang::parse(lang).unwrap(), "error-unknown", &[("code", code)]);
        assert_ne!(app::contract::sentence(&problem, lang), unknown, "{code} has no sentence");
    }
}

async fn until(counter: &Counter, visit: &str, state: PrintState) -> PrintView {
    let from = Instant::now();
    loop {
        let view = counter.kiosk.print_status(visit).await.unwrap();
        if view.state == state {
            if let Some(problem) = &view.problem {
                has_its_sentence(&problem.code);
            }
            return view;
        }
        assert!(from.elapsed() < 2 * WAIT, "not {state:?} but {view:?}");
        tokio::task::yield_now().await;
    }
}

fn code(view: &PrintView) -> &str {
    view.problem.as_ref().map_or("", |problem| &problem.code)
}

/// A line to a printer that keeps its address when the printer behind it is another, and can break
/// in the middle of what a kiosk sends.
struct Line {
    uri: String,
    upstream: Arc<AtomicU16>,
    /// Bytes a connection carries to the printer before it is cut.
    most: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Line {
    async fn open(to: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("ipp://localhost:{}/ipp/print", listener.local_addr().unwrap().port());
        let (upstream, most) = (Arc::new(AtomicU16::new(to)), Arc::new(AtomicUsize::new(usize::MAX)));
        let (leads, cut) = (Arc::clone(&upstream), Arc::clone(&most));
        let task = tokio::spawn(async move {
            while let Ok((kiosk, _)) = listener.accept().await {
                let (leads, cut) = (Arc::clone(&leads), Arc::clone(&cut));
                tokio::spawn(async move {
                    let port = leads.load(Ordering::SeqCst);
                    let Ok(printer) = tokio::net::TcpStream::connect(("localhost", port)).await else {
                        return;
                    };
                    let ((mut from, mut back), (mut answers, mut to)) =
                        (kiosk.into_split(), printer.into_split());
                    let there = async {
                        let (mut carried, mut part) = (0, [0; 512]);
                        while let Ok(read @ 1..) = from.read(&mut part).await {
                            carried += read;
                            if carried > cut.load(Ordering::SeqCst)
                                || to.write_all(&part[..read]).await.is_err()
                            {
                                return;
                            }
                        }
                    };
                    tokio::select! {
                        () = there => {}
                        _ = tokio::io::copy(&mut answers, &mut back) => {}
                    }
                });
            }
        });
        Self { uri, upstream, most, task }
    }

    fn leads_to(&self, printer: &IppPrinter) {
        self.upstream.store(printer.port(), Ordering::SeqCst);
    }

    fn breaks_after(&self, bytes: usize) {
        self.most.store(bytes, Ordering::SeqCst);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn signal(printer: &IppPrinter, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(printer.pid()).unwrap()).unwrap(), signal).unwrap();
}

/// Documents that arrived whole under this attempt.
fn papers(folder: &Path, attempt: &str, bytes: u32) -> usize {
    let spool = std::fs::read_dir(folder.join("spool")).unwrap();
    spool
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains(attempt))
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "pdf"))
        .filter(|entry| entry.metadata().unwrap().len() == u64::from(bytes))
        .count()
}

#[tokio::test]
async fn every_fault_of_a_printer_is_said_and_no_paper_is_doubled() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let mut printer = IppPrinter::start_in(folder.path()).unwrap();
    let line = Line::open(printer.port()).await;
    let counter = Counter::start(None, Some(line.uri.clone())).await.unwrap();
    let kiosk = &counter.kiosk;

    // No paper: waited for; the next person's paper waits behind it, and the counter goes on.
    printer.set_fault(Fault::NoPaper).unwrap();
    let visit = register(&counter).await;
    kiosk.print(&visit).await.unwrap();
    let waiting = until(&counter, &visit, PrintState::Waiting).await;
    assert_eq!(code(&waiting), "printer_no_paper");
    let next = goes_on(&counter).await;
    kiosk.print(&next).await.unwrap();
    // This printer takes one job at a time: the second is not said to be sent before it is.
    assert_eq!(code(&until(&counter, &next, PrintState::Waiting).await), "printer_busy");
    let same = kiosk.print(&visit).await.unwrap();
    assert_eq!((same.state, &same.attempt), (PrintState::Waiting, &waiting.attempt), "never sent twice");
    printer.set_fault(Fault::None).unwrap();
    for visit in [&visit, &next] {
        let out = until(&counter, visit, PrintState::Printed).await;
        assert_eq!(papers(folder.path(), &out.attempt, out.bytes), 1);
        assert_eq!(kiosk.print(visit).await.unwrap().attempt, out.attempt, "out already");
    }

    // Jam and abort end the job; printing again is another attempt of the same paper.
    for (fault, said) in [(Fault::Jam, "printer_jammed"), (Fault::Abort, "printer_aborted")] {
        printer.set_fault(fault).unwrap();
        let visit = register(&counter).await;
        kiosk.print(&visit).await.unwrap();
        let failed = until(&counter, &visit, PrintState::Failed).await;
        assert_eq!(code(&failed), said);
        printer.set_fault(Fault::None).unwrap();
        kiosk.print(&visit).await.unwrap();
        let out = until(&counter, &visit, PrintState::Printed).await;
        assert_ne!(out.attempt, failed.attempt);
        assert_eq!(out.sha256, failed.sha256, "the same paper");
    }

    // It says complete, and nothing came: the mediator says so once for each attempt.
    let visit = register(&counter).await;
    kiosk.print(&visit).await.unwrap();
    let lied = until(&counter, &visit, PrintState::Printed).await;
    assert_eq!(kiosk.answer_print(&visit, false).await.unwrap().state, PrintState::Failed);
    kiosk.print(&visit).await.unwrap();
    let out = until(&counter, &visit, PrintState::Printed).await;
    assert_ne!(out.attempt, lied.attempt);

    // The line breaks in the middle of the document: nobody can tell, the mediator is asked, and
    // what the printer may hold is gone before another is sent.
    line.breaks_after(BEFORE_A_DOCUMENT);
    let visit = register(&counter).await;
    kiosk.print(&visit).await.unwrap();
    let from = Instant::now();
    let half = loop {
        let view = kiosk.print_status(&visit).await.unwrap();
        if matches!(view.state, PrintState::Ask | PrintState::Failed) {
            break view;
        }
        assert_ne!(view.state, PrintState::Printed, "half a paper is no paper");
        assert!(from.elapsed() < 2 * WAIT, "{view:?}");
        tokio::task::yield_now().await;
    };
    goes_on(&counter).await;
    line.breaks_after(usize::MAX);
    if half.state == PrintState::Ask {
        let said = kiosk.answer_print(&visit, false).await.unwrap();
        assert_eq!((said.state, said.said), (PrintState::Failed, true));
    }
    kiosk.print(&visit).await.unwrap();
    let out = until(&counter, &visit, PrintState::Printed).await;
    assert_eq!(papers(folder.path(), &half.attempt, half.bytes), 0);
    assert_eq!(papers(folder.path(), &out.attempt, out.bytes), 1);

    // Frozen: it takes connections and answers nothing. No byte of the paper went out, nobody is asked.
    let visit = register(&counter).await;
    signal(&printer, Signal::STOP);
    kiosk.print(&visit).await.unwrap();
    assert_eq!(kiosk.print_status(&visit).await.unwrap().state, PrintState::NotSent, "not a byte has left");
    goes_on(&counter).await;
    let failed = until(&counter, &visit, PrintState::Failed).await;
    assert_eq!(code(&failed), "printer_timed_out");
    signal(&printer, Signal::CONT);
    kiosk.print(&visit).await.unwrap();
    until(&counter, &visit, PrintState::Printed).await;

    // Gone while the paper waits in it: the mediator is asked. While it does not answer, nothing
    // more is sent: it might still hold the first.
    printer.set_fault(Fault::NoPaper).unwrap();
    let visit = register(&counter).await;
    kiosk.print(&visit).await.unwrap();
    until(&counter, &visit, PrintState::Waiting).await;
    drop(printer);
    until(&counter, &visit, PrintState::Ask).await;
    let said = kiosk.answer_print(&visit, false).await.unwrap();
    assert_eq!((said.state, said.said), (PrintState::Failed, true));
    assert_eq!(kiosk.answer_print(&visit, true).await.unwrap().state, PrintState::Failed, "asked once");
    let refusal = kiosk.print(&visit).await.unwrap_err();
    assert!(["printer_unreachable", "printer_bad_answer"].contains(&refusal.code.as_str()), "{refusal}");
    assert_eq!(kiosk.print_status(&visit).await.unwrap().attempt, said.attempt, "no attempt was begun");
    // Back, with its numbers from the beginning.
    printer = IppPrinter::start_in(folder.path()).unwrap();
    line.leads_to(&printer);
    kiosk.print(&visit).await.unwrap();
    let out = until(&counter, &visit, PrintState::Printed).await;
    assert_eq!(out.job_id, Some(1));
    assert_ne!(out.attempt, said.attempt);
    assert_eq!(papers(folder.path(), &out.attempt, out.bytes), 1);
    kiosk.check_vault().await.unwrap();
}

#[tokio::test]
async fn a_job_nobody_waits_for_any_more_is_cancelled_before_another_is_sent() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let printer = IppPrinter::start_in(folder.path()).unwrap();
    let line = Line::open(printer.port()).await;
    let counter = Counter::start(None, Some(line.uri.clone())).await.unwrap();
    let kiosk = &counter.kiosk;
    printer.set_fault(Fault::NoPaper).unwrap();
    let visit = register(&counter).await;
    kiosk.print(&visit).await.unwrap();
    until(&counter, &visit, PrintState::Waiting).await;
    // Out of reach for a while, the job still in it; the mediator says that nothing came.
    line.breaks_after(0);
    until(&counter, &visit, PrintState::Ask).await;
    let old = kiosk.answer_print(&visit, false).await.unwrap().attempt;
    line.breaks_after(usize::MAX);
    kiosk.print(&visit).await.unwrap();
    printer.set_fault(Fault::None).unwrap();
    let out = until(&counter, &visit, PrintState::Printed).await;
    assert_ne!(out.attempt, old);
    let direct = print::AnyPrinter::open(&printer.uri()).unwrap();
    let found = direct.find(&AttemptId::parse(&old).unwrap()).await.unwrap().unwrap();
    assert_eq!(found.state, print::JobState::Cancelled, "the paper that was brought made one sheet, not two");
}

#[tokio::test]
async fn a_hung_scanner_never_holds_the_counter_and_leaves_no_half_page() {
    provider();
    let device = EsclScanner::start(journeys::stand::specimens().unwrap()).unwrap();
    let counter = Counter::start(Some(format!("escl:{}", device.url())), None).await.unwrap();
    let kiosk = counter.kiosk.clone();
    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    device.set_fault(ScanFault::Hang);
    let (scanned, of) = (kiosk.clone(), visit.clone());
    let scan = tokio::spawn(async move { scanned.scan_page(&of).await });
    let from = Instant::now();
    while device.asked() == 0 {
        assert!(from.elapsed() < WAIT, "no page was asked for");
        tokio::task::yield_now().await;
    }
    goes_on(&counter).await;
    // The same visit goes on too: its fields, its read-back.
    let view = kiosk.save_draft(&visit, fields()).await.unwrap();
    assert!(view.saved && view.problems.is_empty());
    kiosk.read_back(&visit).await.unwrap();
    assert!(!scan.is_finished());
    drop(device);
    let refusal = scan.await.unwrap().unwrap_err();
    assert_eq!(refusal.code, "scanner_unplugged");
    let view = kiosk.open_visit(&visit).await.unwrap();
    assert_eq!((view.pages.len(), view.fields), (0, fields()));
    let code = kiosk.confirm(&visit).await.unwrap().code;
    assert!(!code.is_empty());
    kiosk.check_vault().await.unwrap();
}

#[test]
fn every_refusal_of_a_device_has_its_sentence() {
    for refusal in scan::ScanRefusal::ALL {
        has_its_sentence(&app::contract::Problem::from(refusal).code);
    }
    for refusal in print::PrintRefusal::ALL {
        has_its_sentence(&app::contract::Problem::from(refusal).code);
    }
}
