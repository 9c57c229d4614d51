//! tus 1.0 (creation, checksum) under `/v1/pieces`: locked pages, sent in parts that
//! may break off anywhere. Central checks every part and the whole, and opens nothing.

use crate::device::{Device, SignedRequest};
use crate::{Central, Refusal};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::bytes::Hash;
use domain::ids::{PageId, RegistrationId};
use seal::keys::sha256;
use sqlx::{PgConnection, Row};
use wire::limits::{CHUNK_BYTES, PAGE_BYTES};
use wire::messages::PieceMetadata;

const TUS: &str = "1.0.0";

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
    let length: u64 = number(headers, "upload-length")?;
    if length == 0 || length > PAGE_BYTES {
        return Err(Refusal::TooLarge);
    }
    let metadata = metadata(headers).ok_or(Refusal::BadBody)?;
    let length = i64::try_from(length).map_err(|_| Refusal::TooLarge)?;
    let inserted = sqlx::query(
        "INSERT INTO upload (page, kiosk, registration, sha256, length) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (page) DO NOTHING",
    )
    .bind(metadata.page.0.as_slice())
    .bind(request.device.kiosk.0.as_slice())
    .bind(metadata.registration.0.as_slice())
    .bind(metadata.sha256.0.as_slice())
    .bind(length)
    .execute(&central.pool)
    .await?;
    if inserted.rows_affected() == 0 {
        let mut db = central.pool.acquire().await?;
        let upload = Upload::find(&mut db, &request.device, metadata.page, false).await?;
        if upload.sha256 != metadata.sha256 || upload.length != length {
            return Err(Refusal::Conflict);
        }
    }
    let location = format!("/v1/pieces/{}", metadata.page);
    let location = HeaderValue::from_str(&location).map_err(|_| Refusal::BadBody)?;
    Ok((StatusCode::CREATED, [("location", location), ("tus-resumable", HeaderValue::from_static(TUS))])
        .into_response())
}

/// `HEAD`: where the upload stands.
pub(super) async fn offset(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let mut db = central.pool.acquire().await?;
    let upload = Upload::find(&mut db, &request.device, page(&request)?, false).await?;
    Ok((StatusCode::OK, upload.headers()).into_response())
}

/// `GET`: the locked page as it was sent, once complete. Its own kiosk may compare.
pub(super) async fn read(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let mut db = central.pool.acquire().await?;
    let upload = Upload::find(&mut db, &request.device, page(&request)?, false).await?;
    if !upload.complete {
        return Err(Refusal::NoUpload);
    }
    let bytes = whole(&mut db, upload.page).await?;
    Ok((StatusCode::OK, [("content-type", "application/octet-stream")], bytes).into_response())
}

/// `PATCH`: one part at the offset where the upload stands.
pub(super) async fn append(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let headers = &request.parts.headers;
    let offset: i64 = number(headers, "upload-offset")?;
    if request.body.len() > CHUNK_BYTES || request.body.is_empty() {
        return Err(Refusal::TooLarge);
    }
    let checksum = header(headers, "upload-checksum")
        .and_then(|text| text.strip_prefix("sha256 "))
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|bytes| Hash::from_slice(&bytes))
        .ok_or(Refusal::BadBody)?;
    if sha256(&[&request.body]) != checksum {
        return Err(Refusal::Checksum);
    }
    let mut tx = central.pool.begin().await?;
    let mut upload = Upload::find(&mut tx, &request.device, page(&request)?, true).await?;
    if upload.complete || offset != upload.received {
        return Err(Refusal::BadOffset);
    }
    let part = i64::try_from(request.body.len()).map_err(|_| Refusal::TooLarge)?;
    if upload.received + part > upload.length {
        return Err(Refusal::TooLarge);
    }
    sqlx::query("INSERT INTO upload_part (page, start, bytes) VALUES ($1, $2, $3)")
        .bind(upload.page.0.as_slice())
        .bind(offset)
        .bind(&request.body)
        .execute(&mut *tx)
        .await?;
    upload.received += part;
    upload.complete = upload.received == upload.length;
    if upload.complete && sha256(&[&whole(&mut tx, upload.page).await?]) != upload.sha256 {
        // Begin again: what came is not what was announced.
        sqlx::query("DELETE FROM upload_part WHERE page = $1")
            .bind(upload.page.0.as_slice())
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE upload SET received = 0 WHERE page = $1")
            .bind(upload.page.0.as_slice())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        return Err(Refusal::Checksum);
    }
    sqlx::query("UPDATE upload SET received = $2, complete = $3 WHERE page = $1")
        .bind(upload.page.0.as_slice())
        .bind(upload.received)
        .bind(upload.complete)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok((StatusCode::NO_CONTENT, upload.headers()).into_response())
}

struct Upload {
    page: PageId,
    sha256: Hash,
    length: i64,
    received: i64,
    complete: bool,
}

impl Upload {
    /// Another kiosk's upload does not exist for this one.
    async fn find(db: &mut PgConnection, device: &Device, page: PageId, lock: bool) -> Result<Self, Refusal> {
        const FIND: &str =
            "SELECT sha256, length, received, complete FROM upload WHERE page = $1 AND kiosk = $2";
        const FIND_AND_LOCK: &str =
            "SELECT sha256, length, received, complete FROM upload WHERE page = $1 AND kiosk = $2 FOR UPDATE";
        let row = sqlx::query(if lock { FIND_AND_LOCK } else { FIND })
            .bind(page.0.as_slice())
            .bind(device.kiosk.0.as_slice())
            .fetch_optional(db)
            .await?
            .ok_or(Refusal::NoUpload)?;
        Ok(Self {
            page,
            sha256: Hash::from_slice(row.try_get(0)?).ok_or(Refusal::Stored("page hash"))?,
            length: row.try_get(1)?,
            received: row.try_get(2)?,
            complete: row.try_get(3)?,
        })
    }

    fn headers(&self) -> [(&'static str, String); 4] {
        [
            ("tus-resumable", TUS.to_owned()),
            ("upload-offset", self.received.to_string()),
            ("upload-length", self.length.to_string()),
            ("cache-control", "no-store".to_owned()),
        ]
    }
}

async fn whole(db: &mut PgConnection, page: PageId) -> Result<Vec<u8>, Refusal> {
    let rows = sqlx::query("SELECT bytes FROM upload_part WHERE page = $1 ORDER BY start")
        .bind(page.0.as_slice())
        .fetch_all(db)
        .await?;
    let mut bytes = Vec::new();
    for row in &rows {
        bytes.extend_from_slice(row.try_get(0)?);
    }
    Ok(bytes)
}

fn page(request: &SignedRequest) -> Result<PageId, Refusal> {
    request.parts.uri.path().rsplit('/').next().and_then(PageId::parse).ok_or(Refusal::NoUpload)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Result<T, Refusal> {
    header(headers, name).and_then(|text| text.parse().ok()).ok_or(Refusal::BadBody)
}

/// `registration BASE64, page BASE64, sha256 BASE64`, each of its text form.
fn metadata(headers: &HeaderMap) -> Option<PieceMetadata> {
    let text = header(headers, "upload-metadata")?;
    if text.len() > 1024 {
        return None;
    }
    let value = |name: &str| {
        text.split(',').find_map(|pair| {
            let (key, value) = pair.trim().split_once(' ')?;
            let bytes = (key == name).then(|| STANDARD.decode(value).ok()).flatten()?;
            String::from_utf8(bytes).ok()
        })
    };
    Some(PieceMetadata {
        registration: RegistrationId::parse(&value("registration")?)?,
        page: PageId::parse(&value("page")?)?,
        sha256: Hash::from_hex(&value("sha256")?)?,
    })
}
