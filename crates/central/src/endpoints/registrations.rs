//! `POST /v1/registrations`: a date at once. Repeating the request gives the same date.

use crate::device::SignedRequest;
use crate::{Central, Refusal, audit, busy, nearby, registered, transfer};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::audit::Act;
use wire::messages::{DateAnswer, DateRequest};

pub(super) async fn register(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<DateAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let DateRequest { registration } = request.json()?;
    if registration.site != request.device.site {
        return Err(Refusal::OtherSite);
    }
    let key = request.parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    if key.is_some_and(|key| key != registration.id.to_string()) {
        return Err(Refusal::Conflict);
    }
    let mut tx = central.pool.begin().await?;
    let new = registered::remember(&mut tx, &central, &request.device, &[&registration]).await?;
    // Asked before, it has its date: nothing of it is taken back.
    if new.contains(&registration.id) && busy::may_wait(&registration) {
        let busy = busy::of(&mut tx, &request.device, &registration).await?;
        if busy.is_some() {
            return Err(Refusal::BusyHour);
        }
    }
    let given = nearby::give(&mut tx, &central, &request.device, &registration).await?;
    let transfer = transfer::follow(&mut tx, &central, &request.device, &registration).await?;
    let about = registration.id;
    audit::by_kiosk(&mut tx, request.device.kiosk, Act::RegistrationWritten, Some(&about), 1).await?;
    tx.commit().await?;
    Ok(Json(DateAnswer {
        registration: registration.id,
        extra: given.as_ref().is_some_and(|given| given.extra),
        after_limit: given.as_ref().is_some_and(|given| given.after_limit),
        token: given.map(|given| given.token.to_bytes().into()),
        transfer,
    }))
}
