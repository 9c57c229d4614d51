//! A small eSCL scanner on a free port of this machine: it serves the pictures it is given, and the
//! faults real devices have. Ended when its handle is dropped.
//! Debian's sane-airscan drives it too, which keeps it honest. Source: Mopria eSCL 2.9.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};

/// Between the last page and the word that there is none.
const FEEDER_EMPTY: Duration = Duration::from_millis(300);

/// How the scanner misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    #[default]
    None,
    /// Paper stuck in the feeder.
    Jam,
    /// The cover is open.
    CoverOpen,
    /// No paper in the feeder.
    Empty,
    /// 503 to this many new jobs, then it works.
    Busy(u32),
    /// XML that never closes.
    BadXml,
    /// A page that never ends.
    EndlessBody,
    /// A web page with status 200, whatever is asked (a captive portal).
    Html200,
    /// Half of each page, with a matching length.
    TruncatedPage,
    /// The page is asked for and nothing comes.
    Hang,
    /// The job's address is on another host.
    OtherHost,
}

/// A running scanner.
pub struct EsclScanner {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Inner {
    pages: Vec<Bytes>,
    fault: Fault,
    jobs: Vec<Job>,
    /// The glass takes the pages in turn.
    laid: usize,
    deleted: usize,
}

#[derive(Clone, Copy)]
struct Job {
    feeder: bool,
    given: usize,
}

type Shared = Arc<Mutex<Inner>>;

impl EsclScanner {
    /// Starts on a free port of 127.0.0.1 with these JPEG pages: the feeder gives all of them, the
    /// glass one a job, in turn. Runs on a thread of its own, with or without a runtime around it.
    pub fn start(pages: Vec<Vec<u8>>) -> std::io::Result<EsclScanner> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Mutex::new(Inner {
            pages: pages.into_iter().map(Bytes::from).collect(),
            ..Inner::default()
        }));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let router = router(inner.clone());
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
            // Answers that never end are dropped here with their connections.
            runtime.shutdown_background();
        });
        Ok(EsclScanner { address, inner, stop: Some(stop), thread: Some(thread) })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its service: `http://127.0.0.1:PORT/eSCL/`.
    pub fn url(&self) -> String {
        format!("http://{}/eSCL/", self.address)
    }

    /// From now on.
    pub fn set_fault(&self, fault: Fault) {
        lock(&self.inner).fault = fault;
    }

    /// Other pages from now on.
    pub fn set_pages(&self, pages: Vec<Vec<u8>>) {
        lock(&self.inner).pages = pages.into_iter().map(Bytes::from).collect();
    }

    /// Jobs begun so far.
    pub fn jobs(&self) -> usize {
        lock(&self.inner).jobs.len()
    }

    /// Pages asked for so far.
    pub fn asked(&self) -> usize {
        lock(&self.inner).jobs.iter().map(|job| job.given).sum()
    }

    /// Jobs the client ended properly.
    pub fn deleted(&self) -> usize {
        lock(&self.inner).deleted
    }

    /// Writes the configuration with which SANE sees this scanner, and no other, into `folder`;
    /// gives the device's name for `scanimage -d` under `SANE_CONFIG_DIR=folder`.
    pub fn write_sane_config(&self, folder: &std::path::Path) -> std::io::Result<String> {
        std::fs::write(folder.join("dll.conf"), "airscan\n")?;
        let config =
            format!("[devices]\n\"Specimen\" = {}, eSCL\n[options]\ndiscovery = disable\n", self.url());
        std::fs::write(folder.join("airscan.conf"), config)?;
        Ok("airscan:e0:Specimen".into())
    }
}

impl Drop for EsclScanner {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(inner: &Shared) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

fn router(inner: Shared) -> Router {
    Router::new()
        .route("/eSCL/ScannerCapabilities", get(capabilities))
        .route("/eSCL/ScannerStatus", get(status))
        .route("/eSCL/ScanJobs", post(begin))
        .route("/eSCL/ScanJobs/{job}/NextDocument", get(next))
        .route("/eSCL/ScanJobs/{job}", axum::routing::delete(end))
        .with_state(inner)
}

async fn capabilities(State(inner): State<Shared>) -> Response {
    match lock(&inner).fault {
        Fault::Html200 => html(),
        Fault::BadXml => xml("<?xml version=\"1.0\"?><scan:ScannerCapabilities><pwg:Version>2.0".into()),
        _ => xml(CAPABILITIES.replace("{caps}", CAPS)),
    }
}

async fn status(State(inner): State<Shared>) -> Response {
    let feeder = match lock(&inner).fault {
        Fault::Html200 => return html(),
        Fault::Jam => "ScannerAdfJam",
        Fault::CoverOpen => "ScannerAdfHatchOpen",
        Fault::Empty => "ScannerAdfEmpty",
        _ => "ScannerAdfLoaded",
    };
    xml(STATUS.replace("{feeder}", feeder))
}

async fn begin(State(inner): State<Shared>, body: String) -> Response {
    let mut inner = lock(&inner);
    match inner.fault {
        Fault::Html200 => return html(),
        Fault::Busy(0) => inner.fault = Fault::None,
        Fault::Busy(left) => {
            inner.fault = Fault::Busy(left - 1);
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Fault::Jam | Fault::CoverOpen | Fault::Empty => {
            return StatusCode::CONFLICT.into_response();
        }
        _ => {}
    }
    inner.jobs.push(Job { feeder: body.contains(">Feeder<"), given: 0 });
    let number = inner.jobs.len();
    // Relative, as many devices answer.
    let location = match inner.fault {
        Fault::OtherHost => format!("http://192.0.2.1/eSCL/ScanJobs/{number}"),
        _ => format!("/eSCL/ScanJobs/{number}"),
    };
    (StatusCode::CREATED, [(header::LOCATION, location)]).into_response()
}

async fn next(State(inner): State<Shared>, Path(number): Path<usize>) -> Response {
    let found = take(&inner, number);
    let Some((fault, page)) = found else {
        // Real feeders need a moment to notice that they are empty; sane-airscan forgets pages that
        // it has not handed on yet when this comes at once.
        tokio::time::sleep(FEEDER_EMPTY).await;
        return StatusCode::NOT_FOUND.into_response();
    };
    match fault {
        Fault::Html200 => html(),
        Fault::TruncatedPage => jpeg(page.slice(..page.len() / 2)),
        Fault::EndlessBody => {
            let endless = stream::repeat(page).map(Ok::<_, std::io::Error>);
            ([(header::CONTENT_TYPE, "image/jpeg")], Body::from_stream(endless)).into_response()
        }
        Fault::Hang => {
            // Longer than any client's limit; ended with the scanner.
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::GONE.into_response()
        }
        _ => jpeg(page),
    }
}

/// The page a job gets next; `None` at its end.
fn take(inner: &Shared, number: usize) -> Option<(Fault, Bytes)> {
    let mut inner = lock(inner);
    let (fault, count, laid) = (inner.fault, inner.pages.len(), inner.laid);
    let job = inner.jobs.get_mut(number.checked_sub(1)?)?;
    let (given, feeder) = (job.given, job.feeder);
    job.given += 1;
    if count == 0 || (feeder && given >= count) || (!feeder && given >= 1) {
        return None;
    }
    let place = if feeder { given } else { laid % count };
    if !feeder {
        inner.laid += 1;
    }
    Some((fault, inner.pages.get(place).cloned().unwrap_or_default()))
}

async fn end(State(inner): State<Shared>, Path(_): Path<usize>) -> StatusCode {
    lock(&inner).deleted += 1;
    StatusCode::OK
}

fn xml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml")], text).into_response()
}

fn jpeg(bytes: Bytes) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("image/jpeg"));
    (headers, bytes).into_response()
}

fn html() -> Response {
    ([(header::CONTENT_TYPE, "text/html")], "<!doctype html><title>Wi-Fi</title><p>Please accept the terms.")
        .into_response()
}

const STATUS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scan:ScannerStatus xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm">
<pwg:Version>2.6</pwg:Version><pwg:State>Idle</pwg:State><scan:AdfState>{feeder}</scan:AdfState>
</scan:ScannerStatus>"#;

const CAPABILITIES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scan:ScannerCapabilities xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm">
<pwg:Version>2.6</pwg:Version><pwg:MakeAndModel>Specimen test scanner</pwg:MakeAndModel>
<pwg:SerialNumber>0000</pwg:SerialNumber><scan:UUID>00000000-0000-4000-8000-000000000000</scan:UUID>
<scan:Platen><scan:PlatenInputCaps>{caps}</scan:PlatenInputCaps></scan:Platen>
<scan:Adf><scan:AdfSimplexInputCaps>{caps}</scan:AdfSimplexInputCaps><scan:FeederCapacity>50</scan:FeederCapacity></scan:Adf>
</scan:ScannerCapabilities>"#;

const CAPS: &str = r"<scan:MinWidth>16</scan:MinWidth><scan:MaxWidth>2550</scan:MaxWidth><scan:MinHeight>16</scan:MinHeight><scan:MaxHeight>3508</scan:MaxHeight>
<scan:MaxScanRegions>1</scan:MaxScanRegions>
<scan:SettingProfiles><scan:SettingProfile>
<scan:ColorModes><scan:ColorMode>RGB24</scan:ColorMode><scan:ColorMode>Grayscale8</scan:ColorMode></scan:ColorModes>
<scan:DocumentFormats><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat><scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt></scan:DocumentFormats>
<scan:SupportedResolutions><scan:DiscreteResolutions>
<scan:DiscreteResolution><scan:XResolution>75</scan:XResolution><scan:YResolution>75</scan:YResolution></scan:DiscreteResolution>
<scan:DiscreteResolution><scan:XResolution>150</scan:XResolution><scan:YResolution>150</scan:YResolution></scan:DiscreteResolution>
<scan:DiscreteResolution><scan:XResolution>300</scan:XResolution><scan:YResolution>300</scan:YResolution></scan:DiscreteResolution>
</scan:DiscreteResolutions></scan:SupportedResolutions>
</scan:SettingProfile></scan:SettingProfiles>
<scan:SupportedIntents><scan:Intent>Document</scan:Intent><scan:Intent>Photo</scan:Intent></scan:SupportedIntents>
<scan:MaxOpticalXResolution>300</scan:MaxOpticalXResolution><scan:MaxOpticalYResolution>300</scan:MaxOpticalYResolution>";
