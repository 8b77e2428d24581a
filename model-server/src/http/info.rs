//! `GET /info` and `GET /metrics`.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use toxicity_api::{ErrorBody, Info, ModelInfo, RuntimeInfo};

use super::scoring::unavailable;
use super::{ApiError, AppState};

/// What is loaded, on what it runs and what one call may ask for.
#[utoipa::path(get, path = "/info", tag = "operations", responses(
    (status = 200, description = "The loaded model and the limits", body = Info),
    (status = 503, description = "The model is still loading", body = ErrorBody),
))]
pub(super) async fn info(State(state): State<AppState>) -> Result<Json<Info>, ApiError> {
    let engine = state.engine()?;
    let model = &engine.model;
    Ok(Json(Info {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: ModelInfo {
            identity: model.identity.clone(),
            labels: model.labels.clone(),
            thresholds: model.threshold_map(),
            languages: model.languages.clone(),
            activation: model.activation.name().to_owned(),
            window_tokens: model.window_tokens,
            spans: Some(engine.span_method().name().to_owned()),
        },
        runtime: RuntimeInfo {
            onnxruntime: engine.runtime.clone(),
            sessions: engine.scheduler().sessions(),
            queue_depth: engine.scheduler().queue_depth(),
            cached_texts: engine.cached().0,
        },
        limits: *state.limits(),
    }))
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "Metrics", body = String, content_type = "text/plain; version=0.0.4"),
))]
pub(super) async fn metrics(State(state): State<AppState>) -> Result<Response, ApiError> {
    let metrics = &state.0.metrics;
    if let Some(engine) = state.loaded() {
        let gauge = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        metrics.set_drift(&engine.model.labels, &engine.drift());
        let (entries, bytes) = engine.cached();
        metrics.queue_depth.set(gauge(engine.scheduler().queue_depth()));
        metrics
            .queued_tokens
            .set(gauge(engine.scheduler().queued_tokens()));
        metrics.cache_entries.set(gauge(entries));
        metrics.cache_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
    if let Some(keys) = state.keys() {
        metrics.keys_stale.set(i64::from(keys.last_reload_failed()));
    }
    if let Some(recording) = state.recording() {
        metrics.set_records_queued(recording.queued());
    }
    let text = metrics.render().map_err(|error| {
        tracing::error!(%error, "failed to render the metrics");
        unavailable("the metrics cannot be rendered; the server's log says why")
    })?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
