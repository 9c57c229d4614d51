//! What of tus 1.0 (creation, checksum) is spoken here: reading its headers, answering them.

use crate::Refusal;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::bytes::Hash;
use seal::keys::sha256;
use wire::limits::CHUNK_BYTES;

pub(crate) const TUS: &str = "1.0.0";
/// Most bytes of an `Upload-Metadata`.
const METADATA_BYTES: usize = 1024;

/// A part whose checksum holds, and where it begins.
pub(crate) fn part(headers: &HeaderMap, body: &[u8]) -> Result<i64, Refusal> {
    let offset: i64 = number(headers, "upload-offset")?;
    if body.len() > CHUNK_BYTES || body.is_empty() {
        return Err(Refusal::TooLarge);
    }
    let checksum = header(headers, "upload-checksum")
        .and_then(|text| text.strip_prefix("sha256 "))
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|bytes| Hash::from_slice(&bytes))
        .ok_or(Refusal::BadBody)?;
    if sha256(&[body]) == checksum { Ok(offset) } else { Err(Refusal::Checksum) }
}

/// 201: the upload is at `location`.
pub(crate) fn created(location: &str) -> Result<Response, Refusal> {
    let location = HeaderValue::from_str(location).map_err(|_| Refusal::BadBody)?;
    let headers = [("location", location), ("tus-resumable", HeaderValue::from_static(TUS))];
    Ok((StatusCode::CREATED, headers).into_response())
}

/// Where an upload stands, as every answer says.
pub(crate) fn stands(received: i64, length: i64) -> [(&'static str, String); 4] {
    [
        ("tus-resumable", TUS.to_owned()),
        ("upload-offset", received.to_string()),
        ("upload-length", length.to_string()),
        ("cache-control", "no-store".to_owned()),
    ]
}

/// One value of `Upload-Metadata`, in its text form.
pub(crate) fn metadata(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = header(headers, "upload-metadata")?;
    if text.len() > METADATA_BYTES {
        return None;
    }
    text.split(',').find_map(|pair| {
        let (key, value) = pair.trim().split_once(' ')?;
        let bytes = (key == name).then(|| STANDARD.decode(value).ok()).flatten()?;
        String::from_utf8(bytes).ok()
    })
}

pub(crate) fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Result<T, Refusal> {
    header(headers, name).and_then(|text| text.parse().ok()).ok_or(Refusal::BadBody)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
