//! Counts, times and logs every request; texts and paths of unknown routes stay out of both.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use toxicity_service::InFlight;

use super::AppState;
use crate::metrics::{OTHER, ROUTES};

pub(super) async fn observe(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let metrics = &state.0.metrics;
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = ROUTES
        .iter()
        .copied()
        .find(|&route| Some(route) == matched)
        .unwrap_or(OTHER);
    let method = request.method().clone();
    let request_id = request.headers().get("x-request-id").cloned();
    let _in_flight = InFlight::enter(&metrics.requests_in_flight);
    let response = next.run(request).await;
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    metrics.observe_request(route, status, elapsed);
    let request_id = request_id
        .as_ref()
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
    let milliseconds = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
    // A probe that says no does its work; a request that was not scored is a failure.
    if response.status().is_server_error() && route != OTHER {
        tracing::warn!(%method, route, status, milliseconds, request_id, "request failed");
    } else {
        tracing::debug!(%method, route, status, milliseconds, request_id, "request answered");
    }
    response
}
