//! tus 1.0 (creation, checksum) under `/v1/pieces`: locked pages, sent in parts that
//! may break off anywhere. Central checks every part and the whole, and opens nothing.

use crate::device::SignedRequest;
use crate::tus::{self, TUS};
use crate::upload::{self, Upload};
use crate::{Central, Refusal, audit};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::audit::Act;
use domain::bytes::Hash;
use domain::ids::{PageId, RegistrationId};
use wire::messages::PieceMetadata;

pub(super) async fn options() -> Response {
    let headers = [
        ("tus-resumable", TUS),
        ("tus-version", TUS),
        ("tus-extension", "creation,checksum"),
        ("tus-checksum-algorithm", "sha256"),
        ("tus-max-size", "25165824"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Creates the upload of one page, or finds the one already begun.
pub(super) async fn create(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let headers = &request.parts.headers;
    let length: u64 = tus::number(headers, "upload-length")?;
    if length == 0 || length > wire::limits::PAGE_BYTES {
        return Err(Refusal::TooLarge);
    }
    let metadata = metadata(headers).ok_or(Refusal::BadBody)?;
    let mut tx = central.pool.begin().await?;
    let (kiosk, about) = (request.device.kiosk, metadata.registration);
    Upload::begin(&mut tx, kiosk, &metadata, length).await?;
    audit::by_kiosk(&mut tx, kiosk, Act::PieceBegun, Some(&about), 1).await?;
    tx.commit().await?;
    tus::created(&format!("/v1/pieces/{}", metadata.page))
}

/// `HEAD`: where the upload stands.
pub(super) async fn offset(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let mut db = central.pool.acquire().await?;
    let upload = Upload::find(&mut db, request.device.kiosk, page(&request)?, false).await?;
    Ok((StatusCode::OK, tus::stands(upload.received, upload.length)).into_response())
}

/// `GET`: the locked page as it was sent, once complete. Its own kiosk may compare.
pub(super) async fn read(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let mut db = central.pool.acquire().await?;
    let upload = Upload::find(&mut db, request.device.kiosk, page(&request)?, false).await?;
    if !upload.complete {
        return Err(Refusal::NoUpload);
    }
    let (kiosk, about) = (request.device.kiosk, upload.registration);
    audit::by_kiosk(&mut db, kiosk, Act::PieceRead, Some(&about), 1).await?;
    let bytes = upload::whole(&mut db, upload.page).await?;
    Ok((StatusCode::OK, [("content-type", "application/octet-stream")], bytes).into_response())
}

/// `PATCH`: one part at the offset where the upload stands.
pub(super) async fn append(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let offset = tus::part(&request.parts.headers, &request.body)?;
    let upload =
        Upload::append(&central.pool, request.device.kiosk, page(&request)?, offset, &request.body).await?;
    Ok((StatusCode::NO_CONTENT, tus::stands(upload.received, upload.length)).into_response())
}

fn page(request: &SignedRequest) -> Result<PageId, Refusal> {
    request.parts.uri.path().rsplit('/').next().and_then(PageId::parse).ok_or(Refusal::NoUpload)
}

/// `registration BASE64, page BASE64, sha256 BASE64`, each of its text form.
fn metadata(headers: &HeaderMap) -> Option<PieceMetadata> {
    Some(PieceMetadata {
        registration: RegistrationId::parse(&tus::metadata(headers, "registration")?)?,
        page: PageId::parse(&tus::metadata(headers, "page")?)?,
        sha256: Hash::from_hex(&tus::metadata(headers, "sha256")?)?,
    })
}
