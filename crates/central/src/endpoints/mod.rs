//! One file per endpoint. Each checks who asks, runs one transaction, answers.

mod changes;
mod come_back;
mod deliveries;
mod enrol;
mod follow_up;
mod health;
mod journal;
mod lease;
mod offers;
mod pieces;
mod registrations;
mod tasks;
mod words;

use crate::{Central, Refusal};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::time::Duration;
use tower_http::timeout::TimeoutLayer;

/// Longest a request may take before it is answered with 503.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// Every path, for the OpenAPI document and the test that compares the two.
pub const ROUTES: [(&str, &[&str]); 17] = [
    ("/healthz", &["get"]),
    ("/v1/openapi.json", &["get"]),
    ("/v1/enrol", &["post"]),
    ("/v1/return", &["post"]),
    ("/v1/registrations", &["post"]),
    ("/v1/journal", &["post"]),
    ("/v1/changes", &["get"]),
    ("/v1/lease", &["post"]),
    ("/v1/follow-up", &["post"]),
    ("/v1/offers", &["post"]),
    ("/v1/words", &["post"]),
    ("/v1/tasks", &["get", "post"]),
    ("/v1/tasks/{task}", &["post"]),
    ("/v1/pieces", &["post", "options"]),
    ("/v1/pieces/{page}", &["get", "head", "patch"]),
    ("/v1/deliveries", &["post"]),
    ("/v1/deliveries/{sha256}", &["get", "head", "patch"]),
];

/// The whole service as a function from request to answer; the caller listens.
pub fn router(central: Central) -> Router {
    Router::new()
        .route("/healthz", get(health::health))
        .route("/v1/openapi.json", get(|| async { Json(crate::openapi::document()) }))
        .route("/v1/enrol", post(enrol::enrol))
        .route("/v1/return", post(come_back::come_back))
        .route("/v1/registrations", post(registrations::register))
        .route("/v1/journal", post(journal::push))
        .route("/v1/changes", get(changes::pull))
        .route("/v1/lease", post(lease::fill))
        .route("/v1/follow-up", post(follow_up::follow_up))
        .route("/v1/offers", post(offers::answer))
        .route("/v1/words", post(words::say))
        .route("/v1/tasks", get(tasks::list).post(tasks::ask))
        .route("/v1/tasks/{task}", post(tasks::answer))
        .route("/v1/pieces", post(pieces::create).options(pieces::options))
        .route("/v1/pieces/{page}", get(pieces::read).head(pieces::offset).patch(pieces::append))
        .route("/v1/deliveries", post(deliveries::create))
        .route(
            "/v1/deliveries/{sha256}",
            get(deliveries::outcome).head(deliveries::offset).patch(deliveries::append),
        )
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::NotFound })
        .layer(middleware::from_fn_with_state(central.clone(), tell_time))
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::SERVICE_UNAVAILABLE, REQUEST_LIMIT))
        .with_state(central)
}

/// Central's time on every answer, refusals too: a kiosk whose clock is off learns it.
async fn tell_time(State(central): State<Central>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let now = HeaderValue::from(central.now().as_second());
    response.headers_mut().insert(wire::request::NOW, now);
    response
}
