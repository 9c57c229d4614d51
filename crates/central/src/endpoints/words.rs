//! `POST /v1/words`: what a person says of their appointment, at a kiosk that did not make their paper.
//! Who they are is said as for a follow-up, with the same waits after a wrong try; what frees a slot is
//! taken only of somebody whose document the mediator has seen.

use super::follow_up;
use crate::device::SignedRequest;
use crate::{Central, Refusal, words};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use wire::body::Said;
use wire::messages::{FollowUpRequest, WordAnswer, WordRequest};

pub(super) async fn say(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<WordAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let WordRequest { word, code, year, month, day, says, appointment, mediator, document_seen } =
        request.json()?;
    if says.needs_a_document() && !document_seen {
        return Err(Refusal::BadBody);
    }
    let asked = FollowUpRequest { code, year, month, day };
    let Some((registration, _)) = follow_up::find(&central, &request.device, &asked).await? else {
        return Ok(Json(WordAnswer { state: None, registration: None, at: None, until: None }));
    };
    let said = Said {
        id: word,
        registration,
        code,
        says,
        appointment,
        kiosk: request.device.kiosk,
        mediator,
        at: central.now(),
    };
    Ok(Json(words::answer(&central, &said, appointment).await?))
}
