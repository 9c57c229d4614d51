//! `GET /v1/changes?cursor=N`: what is new for this kiosk, and the head held for it.

use crate::device::SignedRequest;
use crate::{Central, Refusal, changes, journal, sites};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use wire::messages::ChangesAnswer;

pub(super) async fn pull(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<ChangesAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let cursor = cursor(request.parts.uri.query().unwrap_or_default()).ok_or(Refusal::BadBody)?;
    journal::apply_held(&central, &request.device).await?;
    let mut db = central.pool.acquire().await?;
    let head = changes::head(&mut db, request.device.kiosk).await?;
    let (changes, cursor, more) = changes::after(&mut db, &request.device, cursor).await?;
    Ok(Json(ChangesAnswer {
        epoch: central.epoch.to_string(),
        received: changes::acknowledge(&central, request.device.kiosk, head),
        durable: None,
        cursor,
        more,
        changes,
        roster_version: sites::roster_version(&mut db, &request.device.site).await?,
        now: central.now(),
    }))
}

/// `cursor=N`; nothing asks from the beginning.
fn cursor(query: &str) -> Option<u64> {
    match query {
        "" => Some(0),
        query => query.strip_prefix("cursor=")?.parse().ok(),
    }
}
