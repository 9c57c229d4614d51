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

/// What the headers of a signed request say.
pub(crate) struct Headers {
    pub kiosk: KioskId,
    at: Timestamp,
    signature: Signature,
}

impl Headers {
    pub fn read(parts: &Parts) -> Result<Self, Refusal> {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Self {
            kiosk: header(request::KIOSK).and_then(KioskId::parse).ok_or(Refusal::NotEnrolled)?,
            at: header(request::TIME)
                .and_then(|text| text.parse::<i64>().ok())
                .and_then(|s| Timestamp::from_second(s).ok())
                .ok_or(Refusal::NotEnrolled)?,
            signature: header(request::SIGNATURE)
                .and_then(Signature::from_hex)
                .ok_or(Refusal::NotEnrolled)?,
        })
    }

    /// Did this key sign the whole request, and now?
    pub fn check(
        &self,
        central: &Central,
        parts: &Parts,
        body: &[u8],
        key: &PublicKey,
    ) -> Result<(), Refusal> {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let hash = keys::sha256(&[body]);
        let message = request::message(self.kiosk, parts.method.as_str(), target, &hash, self.at);
        if !keys::verify(key, Context::Request, &message, &self.signature) {
            return Err(Refusal::BadSignature);
        }
        // After the signature: a stranger learns nothing from our clock.
        if (central.now().as_second() - self.at.as_second()).abs() > CLOCK_SLACK_S {
            return Err(Refusal::ClockOff);
        }
        Ok(())
    }
}

impl SignedRequest {
    /// Reads the body within its limit and checks the signature over all of it.
    pub async fn check(central: &Central, request: Request<Body>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let headers = Headers::read(&parts)?;
        let (device, lost) = Device::find(central, headers.kiosk).await?;
        let body = read_body(body).await?;
        headers.check(central, &parts, &body, &device.key)?;
        if lost {
            return Err(Refusal::KioskLost);
        }
        Ok(Self { device, parts, body })
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.body).map_err(|_| Refusal::BadBody)
    }
}

impl Device {
    /// The device, and whether it was reported lost.
    async fn find(central: &Central, kiosk: KioskId) -> Result<(Self, bool), Refusal> {
        let row = sqlx::query("SELECT site, key, lost_s IS NOT NULL AS lost FROM kiosk WHERE id = $1")
            .bind(kiosk.0.as_slice())
            .fetch_optional(&central.pool)
            .await?
            .ok_or(Refusal::NotEnrolled)?;
        let site = SiteId::parse(row.try_get("site")?).ok_or(Refusal::Stored("site id"))?;
        let key = PublicKey::from_slice(row.try_get("key")?).ok_or(Refusal::Stored("device key"))?;
        Ok((Self { kiosk, site, key }, row.try_get("lost")?))
    }
}

/// The whole body, or a refusal once it passes the limit.
pub(crate) async fn read_body(body: Body) -> Result<Vec<u8>, Refusal> {
    axum::body::to_bytes(body, MESSAGE_BYTES).await.map(|bytes| bytes.to_vec()).map_err(|_| Refusal::TooLarge)
}
