//! Who is asking: every request but enrolment is signed by an enrolled device, and acts
//! for that device's own site only.

use crate::{Central, Refusal, audit, lease_log};
use axum::body::Body;
use axum::http::{Request, request::Parts};
use domain::audit::Act;
use domain::bytes::{PublicKey, Signature};
use domain::ids::{KioskId, SiteId};
use jiff::Timestamp;
use seal::certificate::DeviceCertificate;
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
    /// The same kiosk, acting for this site.
    pub fn at(&self, site: &SiteId) -> Self {
        Self { site: site.clone(), ..self.clone() }
    }

    /// The device, and whether it was reported lost.
    pub async fn find(central: &Central, kiosk: KioskId) -> Result<(Self, bool), Refusal> {
        let row = sqlx::query("SELECT site, key, lost_s IS NOT NULL AS lost FROM kiosk WHERE id = $1")
            .bind(kiosk.0.as_slice())
            .fetch_optional(&central.pool)
            .await?
            .ok_or(Refusal::NotEnrolled)?;
        let site = SiteId::parse(row.try_get("site")?).ok_or(Refusal::Stored("site id"))?;
        let key = PublicKey::from_slice(row.try_get("key")?).ok_or(Refusal::Stored("device key"))?;
        Ok((Self { kiosk, site, key }, row.try_get("lost")?))
    }

    /// A kiosk this database does not know is known again, by the certificate central once
    /// signed: whoever shows it has proved that it holds the key, or brings what it signed.
    pub async fn take_back(central: &Central, certificate: &DeviceCertificate) -> Result<(), Refusal> {
        let mut tx = central.pool.begin().await?;
        let site = sqlx::query("SELECT 1 FROM site WHERE id = $1")
            .bind(certificate.site.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        if site.is_none() {
            return Err(Refusal::OtherSite);
        }
        let added = sqlx::query(
            "INSERT INTO kiosk (id, site, key, certificate, enrolled_s) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(certificate.kiosk.0.as_slice())
        .bind(certificate.site.as_str())
        .bind(certificate.key.0.as_slice())
        .bind(certificate.to_bytes())
        .bind(certificate.issued_at.as_second())
        .execute(&mut *tx)
        .await?;
        let row = sqlx::query("SELECT key, lost_s IS NOT NULL FROM kiosk WHERE id = $1")
            .bind(certificate.kiosk.0.as_slice())
            .fetch_optional(&mut *tx)
            .await?
            // The key is another kiosk's already.
            .ok_or(Refusal::Conflict)?;
        if row.try_get::<&[u8], _>(0)? != certificate.key.0 {
            return Err(Refusal::Conflict);
        }
        if row.try_get(1)? {
            return Err(Refusal::KioskLost);
        }
        if added.rows_affected() == 1
            && central.lease_log.as_ref().is_some_and(|log| !log.names(certificate.kiosk))
        {
            // The log does not reach back to when this kiosk was lent its slots, or it never was.
            tracing::error!("the lease log knows nothing of this kiosk: only extra slots are given");
            lease_log::distrust(&mut tx, central).await?;
        }
        if added.rows_affected() == 1 {
            let kiosk = certificate.kiosk;
            audit::by_kiosk(&mut tx, kiosk, Act::KioskReturned, Some(&kiosk), 1).await?;
        }
        tx.commit().await?;
        tracing::warn!(kiosk = %certificate.kiosk, "a kiosk this database did not know has come back");
        Ok(())
    }
}

/// The whole body, or a refusal once it passes the limit.
pub(crate) async fn read_body(body: Body) -> Result<Vec<u8>, Refusal> {
    axum::body::to_bytes(body, MESSAGE_BYTES).await.map(|bytes| bytes.to_vec()).map_err(|_| Refusal::TooLarge)
}
