//! `GET /v1/changes?cursor=N&roster=V`: what is new for this kiosk, and the head held for it.

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
    let (cursor, known) = asked(request.parts.uri.query().unwrap_or_default()).ok_or(Refusal::BadBody)?;
    journal::apply_held(&central, &request.device).await?;
    let mut db = central.pool.acquire().await?;
    let head = changes::head(&mut db, request.device.kiosk).await?;
    let (changes, cursor, more) = changes::after(&mut db, &request.device, cursor).await?;
    let site = &request.device.site;
    let roster = match sites::roster_version(&mut db, site).await? > known {
        true => Some(sites::roster(&mut db, &central.keys, site).await?),
        false => None,
    };
    Ok(Json(ChangesAnswer {
        epoch: central.epoch.to_string(),
        received: changes::acknowledge(&central, request.device.kiosk, head),
        durable: None,
        cursor,
        more,
        changes,
        roster,
        now: central.now(),
    }))
}

/// `cursor=N&roster=V`, in this order; what is not named counts from the beginning.
fn asked(query: &str) -> Option<(u64, u64)> {
    let (cursor, roster) = query.split_once('&').unwrap_or((query, "roster=0"));
    let cursor = if cursor.is_empty() { "cursor=0" } else { cursor };
    Some((cursor.strip_prefix("cursor=")?.parse().ok()?, roster.strip_prefix("roster=")?.parse().ok()?))
}
