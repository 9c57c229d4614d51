//! `POST /v1/journal`: records of one chain. Held first, and acknowledged as held even
//! when one of them cannot be applied.

use crate::device::SignedRequest;
use crate::{Central, Refusal, audit, chain, changes, journal, planted, store};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::audit::Act;
use sqlx::Connection as _;
use wire::limits::PUSH_RECORDS;
use wire::messages::{PushAnswer, PushRequest};

pub(super) async fn push(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<PushAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let PushRequest { records } = request.json()?;
    if records.len() > PUSH_RECORDS {
        return Err(Refusal::TooLarge);
    }
    let turn = tokio::time::timeout(store::WAIT, central.pushes.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(sqlx::Error::PoolTimedOut.into()) };
    // One connection for both steps: a crowd waits for one once, not twice.
    let mut db = central.pool.acquire().await?;
    let mut tx = db.begin().await?;
    let epoch = store::epoch(&mut tx).await?;
    let head = chain::store(&mut tx, &central, &request.device, &records).await?;
    let kiosk = request.device.kiosk;
    if !records.is_empty() {
        audit::by_kiosk(&mut tx, kiosk, Act::RecordsPushed, Some(&kiosk), records.len()).await?;
    }
    if planted::on("acknowledged_before_stored") {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    if let Err(refusal) = journal::apply_held(&mut db, &central, &request.device).await {
        // Held all the same; the next push or pull applies it.
        tracing::error!(cause = ?refusal, "applying was put off");
    }
    Ok(Json(PushAnswer {
        received: head.map(|head| changes::acknowledge(&central, &epoch, request.device.kiosk, head)),
        epoch,
        durable: None,
    }))
}
