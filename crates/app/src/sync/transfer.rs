//! How messages travel. Requests are signed here; an answer is bounded, must be what
//! the endpoint answers, and proves nothing by itself (see [`super::trust`]).

use crate::contract::Problem;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::bytes::{Hash, Signature};
use domain::ids::KioskId;
use jiff::Timestamp;
use reqwest::{Certificate, Client, Method};
use seal::keys::{Context, Signer, sha256};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use vault::LockedPage;
use wire::limits::{CHUNK_BYTES, MESSAGE_BYTES};
use wire::messages::{
    ChangesAnswer, DateAnswer, DateRequest, EnrolAnswer, EnrolRequest, FollowUpAnswer, FollowUpRequest,
    LeaseAnswer, LeaseRequest, OfferAnswer, OfferRequest, PushAnswer, PushRequest, ReturnAnswer,
    ReturnRequest, WordAnswer, WordRequest,
};
use wire::request;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// The first part of a page: at 64 kbit/s it takes 8 s of the 30 a request may take.
pub(super) const FIRST_PART: usize = 64 * 1024;
/// A part that took less is followed by one twice as long.
const QUICK: Duration = Duration::from_secs(3);
/// A part that took longer is followed by a shorter one.
const SLOW: Duration = Duration::from_secs(12);
/// Parts sent again after a checksum or offset refusal, for one page.
pub(super) const PAGE_TRIES: u32 = 3;

/// Why a message did not get its answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteFailure {
    #[error("central is out of reach")]
    Unreachable,
    #[error("the other end is not the central this kiosk trusts")]
    Untrusted,
    #[error("the answer is not central's")]
    BadAnswer,
    #[error("central refuses: {code}")]
    Refused { code: String, status: u16, now: Option<i64>, args: BTreeMap<String, String> },
}

impl RemoteFailure {
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Unreachable => "central_unreachable",
            Self::Untrusted => "central_untrusted",
            Self::BadAnswer => "central_bad_answer",
            Self::Refused { code, .. } => code,
        }
    }
}

impl From<RemoteFailure> for Problem {
    fn from(failure: RemoteFailure) -> Self {
        match failure {
            RemoteFailure::Refused { code, status, args, .. } => match code.as_str() {
                "clock_off" => Self::new("clock_off"),
                "kiosk_lost" => Self::new("kiosk_lost"),
                "try_wait" => Self { code, args },
                // Central's database is away: nothing is wrong with this kiosk.
                _ if status == 503 => Self::new("central_unreachable"),
                _ => Self::new("central_refused").with("reason", code),
            },
            other => Self::new(other.code()),
        }
    }
}

/// One HTTP request, whole.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: &'static str,
    /// Path with query.
    pub target: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// One HTTP answer, whole and within [`MESSAGE_BYTES`].
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Answer, RemoteFailure>> + Send + 'a>>;

/// Carries a call to central and brings its answer: HTTPS in service, the router itself
/// in the simulation.
pub trait Transport: Send + Sync {
    fn send(&self, call: Call) -> Sending<'_>;
}

/// What a pull names: the last change and roster known, and the newest record of ours
/// central was heard to hold.
#[derive(Clone)]
pub(crate) struct Asked {
    pub cursor: u64,
    /// 16 hexadecimal digits, or none before the first change.
    pub mark: String,
    pub roster: u64,
    pub head: Option<Hash>,
    pub lists: ListVersions,
    /// How many certificates the key ring has.
    pub ring: usize,
    /// The head of the last checkpoint of the audit journal, and our signature while it is owed.
    pub witness: (Hash, Option<Signature>),
}

/// The versions of the lists this kiosk has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ListVersions {
    pub configuration: u64,
    pub issuers: u64,
    pub papers: u64,
}

/// Who signs a request, and when.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub kiosk: KioskId,
    pub device: &'a Signer,
    pub now: Timestamp,
}

/// Central as this kiosk speaks to it.
#[derive(Clone)]
pub struct HttpRemote {
    transport: Arc<dyn Transport>,
}

const PEM_BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";

impl HttpRemote {
    /// Over HTTPS, trusting `ca` (PEM) and nothing else: no system roots, no proxy.
    ///
    /// # Errors
    /// The authority cannot be read.
    pub fn open(central: &str, ca: &Path) -> Result<Self, Problem> {
        let missing = || Problem::new("authority_missing").with("file", ca.display());
        let pem = std::fs::read(ca).map_err(|_| missing())?;
        // An empty file would be an authority that has signed nothing.
        if !pem.windows(PEM_BEGINS.len()).any(|part| part == PEM_BEGINS) {
            return Err(missing());
        }
        let ca = Certificate::from_pem(&pem).map_err(|_| missing())?;
        let client = Client::builder()
            .tls_certs_only([ca])
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .timeout(ANSWER_LIMIT)
            .build()
            .map_err(|_| Problem::new("central_untrusted"))?;
        let https = Https { client, base: central.trim_end_matches('/').to_owned() };
        Ok(Self { transport: Arc::new(https) })
    }

    /// Reaches nobody, and says so: the authority to trust is not there.
    #[must_use]
    pub fn believing_nobody() -> Self {
        Self { transport: Arc::new(Nobody) }
    }

    /// Over any transport.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Is it a central service, under this authority?
    pub(crate) async fn is_central(&self) -> Result<(), Problem> {
        let call = Call { method: "GET", target: "/healthz".into(), headers: Vec::new(), body: Vec::new() };
        match self.transport.send(call).await?.header(request::NOW) {
            Some(_) => Ok(()),
            None => Err(RemoteFailure::BadAnswer.into()),
        }
    }

    pub(crate) async fn enrol(&self, request: &EnrolRequest) -> Result<EnrolAnswer, Problem> {
        let call =
            Call { method: "POST", target: "/v1/enrol".into(), headers: Vec::new(), body: json(request)? };
        let answer = self.transport.send(call).await?;
        Ok(read(&accept(answer)?)?)
    }

    pub(crate) async fn date(
        &self,
        caller: Caller<'_>,
        request: &DateRequest,
    ) -> Result<DateAnswer, RemoteFailure> {
        let key = ("idempotency-key", request.registration.id.to_string());
        read(&self.signed(caller, "POST", "/v1/registrations", vec![key], json(request)?).await?)
    }

    pub(crate) async fn push(
        &self,
        caller: Caller<'_>,
        request: &PushRequest,
    ) -> Result<PushAnswer, RemoteFailure> {
        read(&self.signed(caller, "POST", "/v1/journal", Vec::new(), json(request)?).await?)
    }

    /// A central that does not know this kiosk is shown its certificate.
    pub(crate) async fn come_back(
        &self,
        caller: Caller<'_>,
        request: &ReturnRequest,
    ) -> Result<ReturnAnswer, RemoteFailure> {
        read(&self.signed(caller, "POST", "/v1/return", Vec::new(), json(request)?).await?)
    }

    pub(crate) async fn follow_up(
        &self,
        caller: Caller<'_>,
        request: &FollowUpRequest,
    ) -> Result<FollowUpAnswer, RemoteFailure> {
        read(&self.signed(caller, "POST", "/v1/follow-up", Vec::new(), json(request)?).await?)
    }

    pub(crate) async fn answer_offer(
        &self,
        caller: Caller<'_>,
        request: &OfferRequest,
    ) -> Result<OfferAnswer, RemoteFailure> {
        read(&self.signed(caller, "POST", "/v1/offers", Vec::new(), json(request)?).await?)
    }

    pub(crate) async fn say(
        &self,
        caller: Caller<'_>,
        request: &WordRequest,
    ) -> Result<WordAnswer, RemoteFailure> {
        read(&self.signed(caller, "POST", "/v1/words", Vec::new(), json(request)?).await?)
    }

    pub(crate) async fn changes(
        &self,
        caller: Caller<'_>,
        asked: Asked,
    ) -> Result<ChangesAnswer, RemoteFailure> {
        let Asked { cursor, mark, roster, head, lists, ring, witness: (checkpoint, cosigned) } = asked;
        let ListVersions { configuration, issuers, papers } = lists;
        let mut target = format!(
            "/v1/changes?cursor={cursor}&mark={mark}&roster={roster}&configuration={configuration}\
             &issuers={issuers}&papers={papers}&ring={ring}&checkpoint={checkpoint}"
        );
        if let Some(signature) = cosigned {
            target.push_str(&format!("&cosigned={signature}"));
        }
        if let Some(head) = head {
            target.push_str("&head=");
            target.push_str(&head.to_string());
        }
        read(&self.signed(caller, "GET", &target, Vec::new(), Vec::new()).await?)
    }

    pub(crate) async fn lease(
        &self,
        caller: Caller<'_>,
        request: &LeaseRequest,
    ) -> Result<LeaseAnswer, RemoteFailure> {
        // A query, not a field: a central that does not know it passes it over.
        read(&self.signed(caller, "POST", "/v1/lease?procedures=1&back=1", Vec::new(), json(request)?).await?)
    }

    /// A signed question whose right answer is that there is nothing: only who asks is judged.
    pub(crate) async fn ask_for_nothing(&self, caller: Caller<'_>) -> Result<(), RemoteFailure> {
        let target = format!("/v1/deliveries/{}", Hash([0; Hash::LEN]));
        match self.signed(caller, "GET", &target, Vec::new(), Vec::new()).await {
            Err(RemoteFailure::Refused { code, .. }) if code == "no_upload" => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Sends a locked page by tus, from wherever an earlier try broke off.
    pub(crate) async fn send_page(&self, caller: Caller<'_>, page: &LockedPage) -> Result<(), RemoteFailure> {
        let metadata = format!(
            "registration {},page {},sha256 {}",
            STANDARD.encode(page.registration.to_string()),
            STANDARD.encode(page.id.to_string()),
            STANDARD.encode(page.sha256.to_string()),
        );
        let headers = vec![
            ("tus-resumable", "1.0.0".to_owned()),
            ("upload-length", page.locked.len().to_string()),
            ("upload-metadata", metadata),
        ];
        self.signed(caller, "POST", "/v1/pieces", headers, Vec::new()).await?;
        let target = format!("/v1/pieces/{}", page.id);
        let (mut tries, mut size) = (0, FIRST_PART);
        let mut offset = self.offset(caller, &target).await?;
        while let Some(part) = page.locked.get(offset..).filter(|rest| !rest.is_empty()) {
            let part = part.get(..part.len().min(size)).unwrap_or(part);
            let from = Instant::now();
            let headers = vec![
                ("tus-resumable", "1.0.0".to_owned()),
                ("upload-offset", offset.to_string()),
                ("upload-checksum", format!("sha256 {}", STANDARD.encode(sha256(&[part]).0))),
            ];
            match self.signed(caller, "PATCH", &target, headers, part.to_vec()).await {
                Ok(_) => {
                    offset += part.len();
                    size = next_size(size, from.elapsed());
                }
                Err(RemoteFailure::Refused { code, .. })
                    if tries < PAGE_TRIES && matches!(code.as_str(), "bad_offset" | "checksum") =>
                {
                    tries += 1;
                    offset = self.offset(caller, &target).await?;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    pub(super) async fn offset(&self, caller: Caller<'_>, target: &str) -> Result<usize, RemoteFailure> {
        let answer = self.signed(caller, "HEAD", target, Vec::new(), Vec::new()).await?;
        answer.header("upload-offset").and_then(|text| text.parse().ok()).ok_or(RemoteFailure::BadAnswer)
    }

    /// Signs and sends; asks once more with central's time when the clock was off.
    pub(super) async fn signed(
        &self,
        caller: Caller<'_>,
        method: &'static str,
        target: &str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Result<Answer, RemoteFailure> {
        let at = |at: Timestamp| {
            let message = request::message(caller.kiosk, method, target, &sha256(&[&body]), at);
            let signature = caller.device.sign(Context::Request, &message);
            let mut headers = headers.clone();
            headers.push((request::KIOSK, caller.kiosk.to_string()));
            headers.push((request::TIME, at.as_second().to_string()));
            headers.push((request::SIGNATURE, signature.to_string()));
            Call { method, target: target.to_owned(), headers, body: body.clone() }
        };
        match accept(self.transport.send(at(caller.now)).await?) {
            Err(RemoteFailure::Refused { code, now: Some(now), .. }) if code == "clock_off" => {
                let now = Timestamp::from_second(now).map_err(|_| RemoteFailure::BadAnswer)?;
                accept(self.transport.send(at(now)).await?)
            }
            other => other,
        }
    }
}

/// How long the next part of a page is, after one of `size` bytes took `took`: a thin line
/// must carry each within the limit of a request, and a good one few.
pub(super) fn next_size(size: usize, took: Duration) -> usize {
    let next = match took {
        quick if quick < QUICK => size * 2,
        slow if slow > SLOW => size / 2,
        _ => size,
    };
    next.clamp(FIRST_PART / 4, CHUNK_BYTES)
}

/// An answer that is a success, or the refusal it carries.
fn accept(answer: Answer) -> Result<Answer, RemoteFailure> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let now = answer.header(request::NOW).and_then(|text| text.parse().ok());
    let problem = answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/problem+json"))
        .then(|| serde_json::from_slice::<wire::problem::Problem>(&answer.body).ok())
        .flatten();
    match problem {
        Some(problem) => {
            Err(RemoteFailure::Refused { code: problem.code, status: answer.status, now, args: problem.args })
        }
        // Central was too slow, or something in between says it is away.
        None if answer.status == 503 => Err(refused("try_again", &answer, now)),
        // HEAD has no body. Of what makes a 401, only a clock that is off can be helped.
        None if answer.body.is_empty() && now.is_some() => {
            let code = if answer.status == 401 { "clock_off" } else { "not_found" };
            Err(refused(code, &answer, now))
        }
        None => Err(RemoteFailure::BadAnswer),
    }
}

/// A refusal that came without a problem of central's.
fn refused(code: &str, answer: &Answer, now: Option<i64>) -> RemoteFailure {
    RemoteFailure::Refused { code: code.to_owned(), status: answer.status, now, args: BTreeMap::new() }
}

pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, RemoteFailure> {
    serde_json::from_slice(&answer.body).map_err(|_| RemoteFailure::BadAnswer)
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, RemoteFailure> {
    serde_json::to_vec(value).map_err(|_| RemoteFailure::BadAnswer)
}

struct Https {
    client: Client,
    base: String,
}

struct Nobody;

impl Transport for Nobody {
    fn send(&self, _: Call) -> Sending<'_> {
        Box::pin(async { Err(RemoteFailure::Untrusted) })
    }
}

impl Transport for Https {
    fn send(&self, call: Call) -> Sending<'_> {
        Box::pin(async move {
            let method = Method::from_bytes(call.method.as_bytes()).map_err(|_| RemoteFailure::BadAnswer)?;
            let mut request = self.client.request(method, format!("{}{}", self.base, call.target));
            for (name, value) in call.headers {
                request = request.header(name, value);
            }
            let mut response = request.body(call.body).send().await.map_err(|error| failure(&error))?;
            let headers = response
                .headers()
                .iter()
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect();
            let status = response.status().as_u16();
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
                if body.len() + chunk.len() > MESSAGE_BYTES {
                    return Err(RemoteFailure::BadAnswer);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Answer { status, headers, body })
        })
    }
}

pub(crate) fn failure(error: &reqwest::Error) -> RemoteFailure {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        // rustls says so when the certificate is not by the authority this kiosk trusts.
        if inner.to_string().contains("invalid peer certificate") {
            return RemoteFailure::Untrusted;
        }
        cause = inner.source();
    }
    RemoteFailure::Unreachable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thin_line_never_gets_a_part_it_cannot_carry() {
        for bits_per_s in [32_000, 64_000, 256_000, 10_000_000] {
            let mut size = FIRST_PART;
            for _ in 0..40 {
                let took = Duration::from_secs_f64(1.2 + size as f64 * 8.0 / f64::from(bits_per_s));
                assert!(took < ANSWER_LIMIT, "{size} bytes at {bits_per_s} bit/s");
                size = next_size(size, took);
            }
            assert_eq!(size == CHUNK_BYTES, bits_per_s == 10_000_000, "{bits_per_s}: {size}");
        }
    }
}
