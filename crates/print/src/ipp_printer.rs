//! An IPP printer (RFC 8010, 8011; PWG 5100.12). Messages are made and read by the `ipp` crate; they
//! travel over a client of our own, so that bodies and waits are bounded and nothing is followed,
//! proxied or kept.

use std::io::Cursor;
use std::time::Duration;

use http::Uri;
use ipp::operation::{GetJobs, IppOperation};
use ipp::parser::{IppParseError, IppParser};
use ipp::prelude::*;
use ipp::reader::IppReader;
use reqwest::{Certificate, Client, StatusCode as Http, Url};
use tokio::time::Instant;

use crate::job::{AttemptId, Found, JobId, JobState};
use crate::{DOCUMENT_BYTES, PrintRefusal, Printer};

/// One question and its answer: a printer that dozes on Wi-Fi needs some seconds.
const QUESTION: Duration = Duration::from_secs(8);
/// A Print-Job with a document of some MB, over slow Wi-Fi too, and its answer.
const SENDING: Duration = Duration::from_secs(20);
/// One connection attempt.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of an answer: all attributes of a large printer are below 100 kB.
const ANSWER_BYTES: usize = 1024 * 1024;
/// Between two looks at a job.
const LOOK: Duration = Duration::from_millis(250);
/// Looks that may fail in a row while following: Wi-Fi printers doze off.
const MISSED: usize = 4;
/// Who prints, for the printer: never a person.
const USER: &str = "jalon";

/// What keeps a job from going on, as the stem of a printer-state-reason. A reason that ends in
/// `-report` tells what was, and is no fault.
const FAULTS: &[&str] = &[
    "media-empty",
    "media-needed",
    "media-jam",
    "cover-open",
    "door-open",
    "interlock-open",
    "input-tray-missing",
    "output-area-full",
    "output-tray-missing",
    "marker-supply-empty",
    "toner-empty",
    "developer-empty",
    "fuser-over-temp",
    "fuser-under-temp",
    "paused",
    "shutdown",
    "stopped-partly",
    "spool-area-full",
    "other",
];

/// A printer by its `ipp:` or `ipps:` address.
#[derive(Clone, Debug)]
pub struct IppPrinter {
    uri: Uri,
    url: Url,
    client: Client,
    question: Duration,
    sending: Duration,
}

impl IppPrinter {
    /// Nothing is asked of the printer yet. With `ca` (PEM), no other authority is believed.
    pub fn open(address: &str, ca: Option<&[u8]>) -> Result<IppPrinter, PrintRefusal> {
        let uri: Uri = address.parse().map_err(|_| PrintRefusal::BadAddress)?;
        let (scheme, port) = match uri.scheme_str() {
            Some("ipp") => ("http", 631),
            Some("ipps") => ("https", 631),
            _ => return Err(PrintRefusal::BadAddress),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(PrintRefusal::BadAddress)?;
        let port = uri.port_u16().unwrap_or(port);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let url =
            Url::parse(&format!("{scheme}://{host}:{port}{path}")).map_err(|_| PrintRefusal::BadAddress)?;
        let mut builder =
            Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().connect_timeout(CONNECT);
        if let Some(ca) = ca {
            let authorities = Certificate::from_pem_bundle(ca).map_err(|_| PrintRefusal::BadAddress)?;
            builder = builder.tls_certs_only(authorities);
        }
        let client = builder.build().map_err(|_| PrintRefusal::BadAddress)?;
        Ok(IppPrinter { uri, url, client, question: QUESTION, sending: SENDING })
    }

    /// Another limit for one question and its answer.
    pub fn with_exchange_limit(mut self, limit: Duration) -> IppPrinter {
        (self.question, self.sending) = (limit, limit);
        self
    }

    async fn ask(
        &self,
        request: impl IppOperation,
        document: &[u8],
    ) -> Result<IppRequestResponse, PrintRefusal> {
        let mut bytes = request.into_ipp_request().to_bytes().to_vec();
        bytes.extend_from_slice(document);
        let limit = if document.is_empty() { self.question } else { self.sending };
        match tokio::time::timeout(limit, self.exchange(bytes)).await {
            Ok(answer) => answer,
            Err(_) => Err(PrintRefusal::TimedOut),
        }
    }

    async fn exchange(&self, bytes: Vec<u8>) -> Result<IppRequestResponse, PrintRefusal> {
        let post = self.client.post(self.url.clone()).header("Content-Type", "application/ipp").body(bytes);
        let mut answer = post.send().await.map_err(refusal)?;
        match answer.status() {
            Http::OK => {}
            Http::UNAUTHORIZED | Http::FORBIDDEN => return Err(PrintRefusal::Denied),
            Http::SERVICE_UNAVAILABLE => return Err(PrintRefusal::Busy),
            Http::NOT_FOUND => return Err(PrintRefusal::NoPrinter),
            _ => return Err(PrintRefusal::BadAnswer),
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(refusal)? {
            if body.len() + part.len() > ANSWER_BYTES {
                return Err(PrintRefusal::BadAnswer);
            }
            body.extend_from_slice(&part);
        }
        let parsed =
            IppParser::new(IppReader::new(Cursor::new(body))).parse().map_err(|_| PrintRefusal::BadAnswer)?;
        match u16::from_be_bytes(parsed.header().operation_or_status.to_be_bytes()) {
            0x0000..=0x00ff => Ok(parsed),
            0x0401..=0x0403 => Err(PrintRefusal::Denied),
            0x0406 | 0x0407 => Err(PrintRefusal::UnknownJob),
            0x0408 => Err(PrintRefusal::TooLarge),
            0x040a => Err(PrintRefusal::NoPdf),
            0x0506 => Err(PrintRefusal::NotAccepting),
            0x0503 | 0x0507 => Err(PrintRefusal::Busy),
            0x0400..=0x05ff => Err(PrintRefusal::Refused),
            _ => Err(PrintRefusal::BadAnswer),
        }
    }

    /// What stands in the way before a byte of the document is sent.
    async fn takes_pdf(&self) -> Result<(), PrintRefusal> {
        let wanted = ["document-format-supported", "printer-is-accepting-jobs"];
        let ask = IppOperationBuilder::get_printer_attributes(self.uri.clone()).attributes(wanted).build();
        let answer = self.ask(ask.map_err(|_| PrintRefusal::BadAddress)?, &[]).await?;
        let group =
            answer.attributes().first_of(DelimiterTag::PrinterAttributes).ok_or(PrintRefusal::BadAnswer)?;
        if !texts(group, "document-format-supported").iter().any(|format| format == "application/pdf") {
            return Err(PrintRefusal::NoPdf);
        }
        if texts(group, "printer-is-accepting-jobs").iter().any(|accepting| accepting == "false") {
            return Err(PrintRefusal::NotAccepting);
        }
        Ok(())
    }

    async fn printer_reasons(&self) -> Result<Vec<String>, PrintRefusal> {
        let ask = IppOperationBuilder::get_printer_attributes(self.uri.clone())
            .attribute("printer-state-reasons")
            .build();
        let answer = self.ask(ask.map_err(|_| PrintRefusal::BadAddress)?, &[]).await?;
        let group =
            answer.attributes().first_of(DelimiterTag::PrinterAttributes).ok_or(PrintRefusal::BadAnswer)?;
        Ok(faults(&texts(group, "printer-state-reasons")))
    }

    /// The job's own state read together with the printer's: many printers keep a job *processing*
    /// while they wait for paper.
    async fn read(&self, group: &IppAttributeGroup) -> Result<JobState, PrintRefusal> {
        let state = number(group, "job-state").ok_or(PrintRefusal::BadAnswer)?;
        let own = || {
            let reasons = texts(group, "job-state-reasons");
            reasons.into_iter().filter(|reason| reason != "none").collect::<Vec<_>>()
        };
        Ok(match state {
            3 => JobState::Pending,
            4 => JobState::Held,
            5 => match self.printer_reasons().await? {
                reasons if reasons.is_empty() => JobState::Processing,
                reasons => JobState::Stopped { reasons },
            },
            6 => {
                let mut reasons = self.printer_reasons().await?;
                reasons.extend(own());
                JobState::Stopped { reasons }
            }
            7 => JobState::Cancelled,
            8 => {
                let mut reasons = own();
                // Told after the end: the printer may have mended itself, or be gone.
                reasons.extend(self.printer_reasons().await.unwrap_or_default());
                JobState::Aborted { reasons }
            }
            9 => JobState::Completed,
            _ => JobState::Unknown,
        })
    }

    async fn jobs(&self, which: &str) -> Result<IppRequestResponse, PrintRefusal> {
        let bad = |_| PrintRefusal::BadAddress;
        let mut request = GetJobs::new(self.uri.clone(), Some(USER)).map_err(bad)?.into_ipp_request();
        let wanted =
            ["job-id", "job-name", "job-state", "job-state-reasons"].map(|name| keyword(name).map_err(bad));
        let wanted = wanted.into_iter().collect::<Result<Vec<_>, _>>()?;
        for (name, value) in
            [("which-jobs", keyword(which).map_err(bad)?), ("requested-attributes", IppValue::Array(wanted))]
        {
            let attribute = IppAttribute::with_name(name, value).map_err(bad)?;
            request.attributes_mut().add(DelimiterTag::OperationAttributes, attribute);
        }
        self.ask(Ready(request), &[]).await
    }
}

impl Printer for IppPrinter {
    fn describe(&self) -> String {
        self.uri.to_string()
    }

    async fn submit(&self, pdf: &[u8], attempt: &AttemptId) -> Result<JobId, PrintRefusal> {
        if pdf.len() > DOCUMENT_BYTES {
            return Err(PrintRefusal::TooLarge);
        }
        // Whatever goes wrong with this question, no byte of the document has gone out.
        self.takes_pdf().await.map_err(|refusal| match refusal {
            PrintRefusal::TimedOut => PrintRefusal::Silent,
            PrintRefusal::BadAnswer => PrintRefusal::NotIpp,
            other => other,
        })?;
        let bad = |_| PrintRefusal::BadAttempt;
        let request = IppOperationBuilder::print_job(self.uri.clone(), IppPayload::empty())
            .user_name(USER)
            .job_title(attempt.as_str())
            .document_format("application/pdf")
            .attribute(
                IppAttribute::with_name("media", keyword("iso_a4_210x297mm").map_err(bad)?).map_err(bad)?,
            )
            .attribute(IppAttribute::with_name("print-scaling", keyword("none").map_err(bad)?).map_err(bad)?)
            .build()
            .map_err(bad)?;
        let answer = self.ask(request, pdf).await?;
        let group =
            answer.attributes().first_of(DelimiterTag::JobAttributes).ok_or(PrintRefusal::BadAnswer)?;
        number(group, "job-id").map(JobId).ok_or(PrintRefusal::BadAnswer)
    }

    async fn state(&self, job: JobId, attempt: &AttemptId) -> Result<JobState, PrintRefusal> {
        let request =
            IppOperationBuilder::get_job_attributes(self.uri.clone(), job.0).user_name(USER).build();
        match self.ask(request.map_err(|_| PrintRefusal::BadAddress)?, &[]).await {
            Ok(answer) => {
                let group = answer
                    .attributes()
                    .first_of(DelimiterTag::JobAttributes)
                    .ok_or(PrintRefusal::BadAnswer)?;
                // Some printers tell no name: theirs is believed.
                match texts(group, "job-name").as_slice() {
                    [name, ..] if name != attempt.as_str() => Ok(JobState::Unknown),
                    _ => self.read(group).await,
                }
            }
            Err(PrintRefusal::UnknownJob) => Ok(JobState::Unknown),
            Err(refusal) => Err(refusal),
        }
    }

    async fn follow(
        &self,
        job: JobId,
        attempt: &AttemptId,
        limit: Duration,
        mut changed: impl FnMut(&JobState) + Send,
    ) -> Result<JobState, PrintRefusal> {
        let end = Instant::now() + limit;
        let mut last = None;
        let mut stood = false;
        let mut missed = 0;
        loop {
            match tokio::time::timeout_at(end.max(Instant::now() + LOOK), self.state(job, attempt)).await {
                Ok(Ok(state)) => {
                    missed = 0;
                    // What stopped the job is often told only until it is given up. Seen once, it may
                    // be left over from the job before.
                    let state = match (state, &last) {
                        (JobState::Aborted { reasons }, Some(JobState::Stopped { reasons: why }))
                            if stood && faults(&reasons).is_empty() =>
                        {
                            JobState::Aborted { reasons: [reasons, why.clone()].concat() }
                        }
                        (state, _) => state,
                    };
                    stood = matches!(state, JobState::Stopped { .. }) && last.as_ref() == Some(&state);
                    if last.as_ref() != Some(&state) {
                        changed(&state);
                    }
                    if state.is_final() {
                        return Ok(state);
                    }
                    last = Some(state);
                }
                Ok(Err(refusal)) if missed >= MISSED => return Err(refusal),
                Ok(Err(_)) => missed += 1,
                Err(_) => return last.ok_or(PrintRefusal::TimedOut),
            }
            if Instant::now() + LOOK >= end {
                return last.ok_or(PrintRefusal::TimedOut);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn cancel(&self, job: JobId, attempt: &AttemptId) -> Result<(), PrintRefusal> {
        if self.state(job, attempt).await? == JobState::Unknown {
            return Err(PrintRefusal::UnknownJob);
        }
        let request = IppOperationBuilder::cancel_job(self.uri.clone(), job.0).user_name(USER).build();
        self.ask(request.map_err(|_| PrintRefusal::BadAddress)?, &[]).await.map(|_| ())
    }

    async fn find(&self, attempt: &AttemptId) -> Result<Option<Found>, PrintRefusal> {
        let answers = match self.jobs("all").await {
            Ok(answer) => vec![answer],
            // Printers need not know `all` (RFC 8011 §4.2.6.1).
            Err(PrintRefusal::Refused) => {
                vec![self.jobs("completed").await?, self.jobs("not-completed").await?]
            }
            Err(refusal) => return Err(refusal),
        };
        let groups =
            answers.iter().flat_map(|answer| answer.attributes().groups_of(DelimiterTag::JobAttributes));
        let named =
            groups.filter(|group| texts(group, "job-name").iter().any(|name| name == attempt.as_str()));
        let newest =
            named.filter_map(|group| Some((number(group, "job-id")?, group))).max_by_key(|(id, _)| *id);
        match newest {
            Some((id, group)) => Ok(Some(Found { job: JobId(id), state: self.read(group).await? })),
            None => Ok(None),
        }
    }
}

/// A request made by hand, where the builder lacks an attribute.
struct Ready(IppRequestResponse);

impl IppOperation for Ready {
    fn into_ipp_request(self) -> IppRequestResponse {
        self.0
    }
}

fn keyword(word: &str) -> Result<IppValue, IppParseError> {
    Ok(IppValue::Keyword(word.try_into()?))
}

/// Stems of the reasons that need a person: severity cut off, reports left out, each once.
fn faults(reasons: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for reason in reasons.iter().filter(|reason| !reason.ends_with("-report")) {
        let stem = reason.trim_end_matches("-error").trim_end_matches("-warning");
        if FAULTS.contains(&stem) && !found.iter().any(|known| known == stem) {
            found.push(stem.to_owned());
        }
    }
    found
}

fn texts(group: &IppAttributeGroup, name: &str) -> Vec<String> {
    match group.get(name).map(IppAttribute::value) {
        Some(IppValue::Array(values)) => values.iter().map(ToString::to_string).collect(),
        Some(value) => vec![value.to_string()],
        None => Vec::new(),
    }
}

fn number(group: &IppAttributeGroup, name: &str) -> Option<i32> {
    match group.get(name)?.value() {
        IppValue::Integer(number) | IppValue::Enum(number) => Some(*number),
        _ => None,
    }
}

fn refusal(error: reqwest::Error) -> PrintRefusal {
    if error.is_connect() {
        PrintRefusal::NoPrinter
    } else if error.is_timeout() {
        PrintRefusal::TimedOut
    } else {
        PrintRefusal::BadAnswer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_by_their_stem_and_reports_are_no_faults() {
        let reasons =
            ["media-empty-warning", "media-empty-error", "media-jam-report", "toner-low-warning", "none"];
        assert_eq!(faults(&reasons.map(String::from)), ["media-empty"]);
    }

    #[test]
    fn addresses_and_attempts_are_checked() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for bad in ["", "http://x/", "ipp:///x", "ipp://", "file:/x", "ipp://a b/"] {
            assert_eq!(IppPrinter::open(bad, None).unwrap_err(), PrintRefusal::BadAddress, "{bad}");
        }
        assert!(IppPrinter::open("ipps://printer.example/ipp/print", None).is_ok());
        assert_eq!(AttemptId::parse("Fatima Zahra").unwrap_err(), PrintRefusal::BadAttempt);
        assert!(AttemptId::parse("").is_err() && AttemptId::parse(&"a".repeat(65)).is_err());
        assert!(AttemptId::parse("01J9-x_4").is_ok());
        let codes: std::collections::BTreeSet<_> =
            PrintRefusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), PrintRefusal::ALL.len());
    }
}
