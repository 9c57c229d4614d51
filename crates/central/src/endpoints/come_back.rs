//! `POST /v1/return`: a kiosk that a restored database does not know shows the certificate
//! central once signed, and is known again. It brings its journal itself.

use crate::device::{Device, Headers, read_body};
use crate::{Central, Refusal};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use seal::certificate::DeviceCertificate;
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
    Device::take_back(&central, &certificate).await?;
    Ok(Json(ReturnAnswer { kiosk: certificate.kiosk }))
}
