//! `GET /healthz`: does the database answer?

use crate::{Central, Refusal};
use axum::extract::State;

pub(super) async fn health(State(central): State<Central>) -> Result<&'static str, Refusal> {
    sqlx::query("SELECT 1").execute(&central.pool).await?;
    Ok("ok\n")
}
