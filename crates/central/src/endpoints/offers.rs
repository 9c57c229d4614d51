//! `POST /v1/offers`: a person answers the offer of an earlier date, at any kiosk. Who they are is
//! said as for a follow-up, with the same waits after a wrong try.

use super::follow_up;
use crate::device::SignedRequest;
use crate::{Central, Refusal, offers};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use wire::messages::{FollowUpRequest, OfferAnswer, OfferRequest};

pub(super) async fn answer(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<OfferAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let OfferRequest { code, year, month, day, offer, accept } = request.json()?;
    let asked = FollowUpRequest { code, year, month, day };
    let nobody = OfferAnswer { state: None, at: None };
    let Some((registration, _)) = follow_up::find(&central, &request.device, &asked).await? else {
        return Ok(Json(nobody));
    };
    let answered = offers::answer(&central, request.device.kiosk, (registration, offer), accept).await?;
    Ok(Json(answered.unwrap_or(nobody)))
}
