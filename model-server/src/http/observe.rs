//! Counts, times, traces and logs every request; texts and paths of unknown routes stay out of all of it.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use toxicity_service::{InFlight, ServerSpan};
use tracing::Instrument;

use super::AppState;
use crate::metrics::{OTHER, ROUTES};

/// Routes of those who watch the server, which would fill the traces with nothing.
const UNTRACED: [&str; 10] = [
    "/livez",
    "/readyz",
    "/startupz",
    "/health",
    "/metrics",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/{model}/ready",
    "/v2/models/{model}/versions/{version}/ready",
    "/grpc.health.v1.Health/{method}",
];

/// Route of the service by gRPC, some of whose methods are probes too.
const GRPC_INFERENCE: &str = "/inference.GRPCInferenceService/{method}";

pub(super) async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let metrics = &state.0.metrics;
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = ROUTES
        .iter()
        .copied()
        .find(|&route| Some(route) == matched)
        .unwrap_or(OTHER);
    let span = begin_span(&state, &request, matched);
    let method = request.method().clone();
    let request_id = request.headers().get("x-request-id").cloned();
    let _in_flight = InFlight::enter(&metrics.requests_in_flight);
    let response = match &span {
        None => next.run(request).await,
        Some(span) => {
            if let Some(handle) = span.handle() {
                request.extensions_mut().insert(handle);
            }
            // Lines that are logged meanwhile carry it.
            let lines = tracing::info_span!("request", trace_id = %span.trace_id());
            next.run(request).instrument(lines).await
        }
    };
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    metrics.observe_request(route, status, elapsed);
    let request_id = request_id
        .as_ref()
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
    let trace_id = span.as_ref().map(|span| tracing::field::display(span.trace_id()));
    let milliseconds = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
    // A probe that says no does its work; a request that was not scored is a failure.
    if response.status().is_server_error() && route != OTHER {
        tracing::warn!(%method, route, status, milliseconds, request_id, trace_id, "request failed");
    } else {
        tracing::debug!(%method, route, status, milliseconds, request_id, trace_id, "request answered");
    }
    if let Some(span) = span {
        span.finish(&response);
    }
    response
}

/// Begins the span of a request, where requests are traced.
fn begin_span(state: &AppState, request: &Request, route: Option<&str>) -> Option<ServerSpan> {
    let traces = state.traces()?;
    if route.is_some_and(|route| is_probe(route, request.uri().path())) {
        return None;
    }
    Some(traces.begin(request, route))
}

fn is_probe(route: &str, path: &str) -> bool {
    UNTRACED.contains(&route)
        || route == GRPC_INFERENCE && (path.ends_with("Live") || path.ends_with("Ready"))
}
