//! A network scanner over eSCL (Mopria's driverless scanning), with a client of our own. The device
//! is hostile until proven otherwise: bounded bodies, no redirects, no proxy, no other host.
//! Source: Mopria eSCL specification 2.9.

use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode, Url};

use crate::{Colour, ScanRefusal, ScanRequest, ScannedPage, Scanner, Source, escl_xml, page};

/// Bytes of an XML answer: real ones have 5 to 20 kB.
const XML_BYTES: usize = 256 * 1024;
/// Busy answers (503) taken before giving up, and the wait between: about 15 s.
const TRIES: usize = 30;
const PAUSE: Duration = Duration::from_millis(500);
/// All these waits together end before the scan's own limit: a busy scanner is then said to be busy.
fn pause(request: &ScanRequest) -> Duration {
    PAUSE.min(request.limit / 40)
}
/// One connection attempt.
const CONNECT: Duration = Duration::from_secs(5);
/// A4 in three-hundredths of an inch, the unit of eSCL regions.
const A4: (u32, u32) = (2480, 3508);

/// An eSCL scanner by the URL of its service, usually `http://host/eSCL/`.
#[derive(Clone, Debug)]
pub struct Escl {
    base: Url,
    client: Client,
}

impl Escl {
    /// Nothing is asked of the device yet.
    pub fn open(url: &str) -> Result<Escl, ScanRefusal> {
        let slashed = if url.ends_with('/') { url.to_owned() } else { format!("{url}/") };
        let base = Url::parse(&slashed).map_err(|_| ScanRefusal::BadAddress)?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() || base.query().is_some() {
            return Err(ScanRefusal::BadAddress);
        }
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .build()
            .map_err(|_| ScanRefusal::Io)?;
        Ok(Escl { base, client })
    }

    async fn pages(&self, request: &ScanRequest) -> Result<Vec<ScannedPage>, ScanRefusal> {
        let capabilities = self.xml("ScannerCapabilities").await?;
        let source = if request.source == Source::Feeder { "Feeder" } else { "Platen" };
        let has = |name: &str| capabilities.iter().any(|(element, _)| element == name);
        if (request.source == Source::Feeder && !has("Adf"))
            || (request.source == Source::Glass && !has("Platen"))
        {
            return Err(ScanRefusal::NoDocument);
        }
        self.ready(request.source).await?;
        let job = self.start(request, source).await?;
        let pages = self.collect(&job, request).await;
        // Whatever came of it, the device is told that we are done; it may have ended the job itself.
        let _ = self.client.delete(job).send().await;
        pages
    }

    /// Does it say how it is? Busy is there.
    pub(crate) async fn is_there(&self) -> Result<(), ScanRefusal> {
        match self.ready(Source::Glass).await {
            Ok(()) | Err(ScanRefusal::Busy) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// What stands in the way, said by the device before anything moves.
    async fn ready(&self, source: Source) -> Result<(), ScanRefusal> {
        let status = self.xml("ScannerStatus").await?;
        let text =
            |name: &str| status.iter().find(|(element, _)| element == name).map(|(_, text)| text.as_str());
        match (text("State"), text("AdfState"), source) {
            (Some("Processing" | "Testing"), _, _) => Err(ScanRefusal::Busy),
            (_, Some("ScannerAdfJam" | "ScannerAdfMispick"), Source::Feeder) => Err(ScanRefusal::Jammed),
            (_, Some("ScannerAdfHatchOpen"), _) => Err(ScanRefusal::CoverOpen),
            (_, Some("ScannerAdfEmpty"), Source::Feeder) => Err(ScanRefusal::NoDocument),
            (Some("Stopped" | "Down"), _, _) => Err(ScanRefusal::Io),
            (None, _, _) => Err(ScanRefusal::BadAnswer),
            _ => Ok(()),
        }
    }

    async fn start(&self, request: &ScanRequest, source: &str) -> Result<Url, ScanRefusal> {
        let settings = settings(request, source);
        let url = self.at("ScanJobs")?;
        for _ in 0..TRIES {
            let post =
                self.client.post(url.clone()).header("Content-Type", "text/xml").body(settings.clone());
            let answer = post.send().await.map_err(refusal)?;
            match answer.status() {
                StatusCode::CREATED => return self.job(&answer),
                StatusCode::SERVICE_UNAVAILABLE => tokio::time::sleep(pause(request)).await,
                StatusCode::CONFLICT => return Err(self.blocked(request.source).await),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    return Err(ScanRefusal::Denied);
                }
                StatusCode::NOT_FOUND => return Err(ScanRefusal::NoScanner),
                _ => return Err(ScanRefusal::BadAnswer),
            }
        }
        Err(ScanRefusal::Busy)
    }

    /// The job's address: often relative, never on another host.
    fn job(&self, answer: &Response) -> Result<Url, ScanRefusal> {
        let location = answer.headers().get("Location").and_then(|value| value.to_str().ok());
        let job = location.and_then(|text| self.base.join(text).ok()).ok_or(ScanRefusal::BadAnswer)?;
        let same = job.host_str() == self.base.host_str()
            && job.port_or_known_default() == self.base.port_or_known_default()
            && job.scheme() == self.base.scheme();
        if same { Ok(job) } else { Err(ScanRefusal::BadAnswer) }
    }

    async fn collect(&self, job: &Url, request: &ScanRequest) -> Result<Vec<ScannedPage>, ScanRefusal> {
        let next = Url::parse(&format!("{}/NextDocument", job.as_str().trim_end_matches('/')))
            .map_err(|_| ScanRefusal::BadAnswer)?;
        let mut pages = Vec::new();
        let mut tries = 0;
        loop {
            let answer = self.client.request(Method::GET, next.clone()).send().await.map_err(refusal)?;
            match answer.status() {
                StatusCode::OK => {
                    let bytes = body(answer, request.page_bytes()).await?;
                    pages.push(page::normalise(bytes, request.dpi)?);
                    tries = 0;
                    if pages.len() == request.pages() || request.source == Source::Glass {
                        return Ok(pages);
                    }
                }
                // The end of the feeder; on the first page, nothing was there.
                StatusCode::NOT_FOUND | StatusCode::GONE if !pages.is_empty() => return Ok(pages),
                StatusCode::NOT_FOUND => return Err(ScanRefusal::NoDocument),
                StatusCode::SERVICE_UNAVAILABLE if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(pause(request)).await;
                }
                StatusCode::SERVICE_UNAVAILABLE => return Err(ScanRefusal::Busy),
                _ => return Err(self.blocked(request.source).await),
            }
        }
    }

    /// A job refused half way: the status says why, or nobody does.
    async fn blocked(&self, source: Source) -> ScanRefusal {
        self.ready(source).await.err().unwrap_or(ScanRefusal::Io)
    }

    /// The elements of an answer as (name without prefix, text), in order; its root must be `name`.
    async fn xml(&self, name: &str) -> Result<Vec<(String, String)>, ScanRefusal> {
        let answer = self.client.get(self.at(name)?).send().await.map_err(refusal)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::SERVICE_UNAVAILABLE => return Err(ScanRefusal::Busy),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(ScanRefusal::Denied),
            StatusCode::NOT_FOUND => return Err(ScanRefusal::NoScanner),
            _ => return Err(ScanRefusal::BadAnswer),
        }
        let bytes = body(answer, XML_BYTES).await?;
        let elements = escl_xml::elements(&bytes).ok_or(ScanRefusal::BadAnswer)?;
        if elements.first().is_some_and(|(root, _)| root == name) {
            Ok(elements)
        } else {
            Err(ScanRefusal::BadAnswer)
        }
    }

    fn at(&self, name: &str) -> Result<Url, ScanRefusal> {
        self.base.join(name).map_err(|_| ScanRefusal::BadAddress)
    }
}

impl Scanner for Escl {
    fn describe(&self) -> String {
        format!("escl:{}", self.base)
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Vec<ScannedPage>, ScanRefusal> {
        tokio::time::timeout(request.limit, self.pages(request)).await.unwrap_or(Err(ScanRefusal::TimedOut))
    }
}

fn settings(request: &ScanRequest, source: &str) -> String {
    let colour = if request.colour == Colour::Colour { "RGB24" } else { "Grayscale8" };
    let (dpi, (width, height)) = (request.dpi, A4);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <scan:ScanSettings xmlns:scan=\"http://schemas.hp.com/imaging/escl/2011/05/03\" \
         xmlns:pwg=\"http://www.pwg.org/schemas/2010/12/sm\">\
         <pwg:Version>2.0</pwg:Version><scan:Intent>Document</scan:Intent>\
         <pwg:ScanRegions><pwg:ScanRegion>\
         <pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches</pwg:ContentRegionUnits>\
         <pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset>\
         <pwg:Width>{width}</pwg:Width><pwg:Height>{height}</pwg:Height>\
         </pwg:ScanRegion></pwg:ScanRegions>\
         <pwg:InputSource>{source}</pwg:InputSource>\
         <scan:ColorMode>{colour}</scan:ColorMode>\
         <scan:XResolution>{dpi}</scan:XResolution><scan:YResolution>{dpi}</scan:YResolution>\
         <pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat>\
         <scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt>\
         </scan:ScanSettings>"
    )
}

async fn body(mut answer: Response, most: usize) -> Result<Vec<u8>, ScanRefusal> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(refusal)? {
        if bytes.len() + part.len() > most {
            return Err(ScanRefusal::TooLarge);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn refusal(error: reqwest::Error) -> ScanRefusal {
    if error.is_connect() {
        ScanRefusal::NoScanner
    } else if error.is_timeout() {
        ScanRefusal::TimedOut
    } else if error.is_body() || error.is_decode() {
        ScanRefusal::BadAnswer
    } else {
        ScanRefusal::Unplugged
    }
}
