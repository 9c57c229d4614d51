//! Who is asking: every request but enrolment is signed by an enrolled device, and acts
//! for that device's own site only.

use crate::{Central, Refusal};
use axum::body::Body;
use axum::http::{Request, request::Parts};
use domain::bytes::{PublicKey, Signature};
use domain::ids::{KioskId, SiteId};
use jiff::Timestamp;
use seal::keys::{self, Context};
use sqlx::Row;
use wire::limits::{CLOCK_SLACK_S, MESSAGE_BYTES};
use wire::request;

/// An enrolled kiosk that signed this request.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub kiosk: KioskId,
    pub site: SiteId,
    pub key: PublicKey,
}

/// A request whose signature held, with its body.
pub(crate) struct SignedRequest {
    pub device: Device,
    pub parts: Parts,
    pub body: Vec<u8>,
}

impl SignedRequest {
    /// Reads the body within its limit and checks the signature over all of it.
    pub async fn check(central: &Central, request: Request<Body>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let kiosk = header(request::KIOSK).and_then(KioskId::parse).ok_or(Refusal::NotEnrolled)?;
        let at = header(request::TIME)
            .and_then(|text| text.parse::<i64>().ok())
            .and_then(|s| Timestamp::from_second(s).ok())
            .ok_or(Refusal::NotEnrolled)?;
        let signature =
            header(request::SIGNATURE).and_then(Signature::from_hex).ok_or(Refusal::NotEnrolled)?;
        let device = Device::find(central, kiosk).await?;
        let body = read_body(body).await?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let message = request::message(kiosk, parts.method.as_str(), target, &keys::sha256(&[&body]), at);
        if !keys::verify(&device.key, Context::Request, &message, &signature) {
            return Err(Refusal::BadSignature);
        }
        // After the signature: a stranger learns nothing from our clock.
        if (central.now().as_second() - at.as_second()).abs() > CLOCK_SLACK_S {
            return Err(Refusal::ClockOff);
        }
        Ok(Self { device, parts, body })
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.body).map_err(|_| Refusal::BadBody)
    }
}

impl Device {
    async fn find(central: &Central, kiosk: KioskId) -> Result<Self, Refusal> {
        let row = sqlx::query("SELECT site, key FROM kiosk WHERE id = $1")
            .bind(kiosk.0.as_slice())
            .fetch_optional(&central.pool)
            .await?
            .ok_or(Refusal::NotEnrolled)?;
        let site = SiteId::parse(row.try_get("site")?).ok_or(Refusal::Stored("site id"))?;
        let key = PublicKey::from_slice(row.try_get("key")?).ok_or(Refusal::Stored("device key"))?;
        Ok(Self { kiosk, site, key })
    }
}

/// The whole body, or a refusal once it passes the limit.
pub(crate) async fn read_body(body: Body) -> Result<Vec<u8>, Refusal> {
    axum::body::to_bytes(body, MESSAGE_BYTES).await.map(|bytes| bytes.to_vec()).map_err(|_| Refusal::TooLarge)
}
