//! `POST /v1/return`: a kiosk that a restored database does not know shows the certificate
//! central once signed, and is known again. It brings its journal itself.

use crate::device::{Headers, read_body};
use crate::{Central, Refusal, lease_log};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use seal::certificate::DeviceCertificate;
use sqlx::Row;
use wire::messages::{ReturnAnswer, ReturnRequest};

pub(super) async fn come_back(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<ReturnAnswer>, Refusal> {
    let (parts, body) = request.into_parts();
    let headers = Headers::read(&parts)?;
    let body = read_body(body).await?;
    let asked: ReturnRequest = serde_json::from_slice(&body).map_err(|_| Refusal::BadBody)?;
    let certificate = DeviceCertificate::from_bytes(&asked.certificate.0).ok_or(Refusal::BadBody)?;
    if certificate.is_by(&central.keys.ring) != Some(true) || certificate.kiosk != headers.kiosk {
        return Err(Refusal::NotEnrolled);
    }
    headers.check(&central, &parts, &body, &certificate.key)?;
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
        lease_log::distrust(&mut tx, &central).await?;
    }
    tx.commit().await?;
    tracing::warn!(kiosk = %certificate.kiosk, "a kiosk this database did not know has come back");
    Ok(Json(ReturnAnswer { kiosk: certificate.kiosk }))
}
