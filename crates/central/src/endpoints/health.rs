//! `GET /healthz`: can dates be given here? The database answers, and no key of this central is
//! retired.

use crate::{Central, Refusal};
use axum::extract::State;

pub(super) async fn health(State(central): State<Central>) -> Result<&'static str, Refusal> {
    match central.retired_keys().await?.as_slice() {
        [] => Ok("ok\n"),
        _ => Err(Refusal::KeyRetired),
    }
}
