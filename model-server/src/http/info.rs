//! `GET /info` and `GET /metrics`.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use toxicity_api::{ErrorBody, Info, ModelInfo, RuntimeInfo};

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
            activation: model.activation.name().to_owned(),
            window_tokens: model.window_tokens,
        },
        runtime: RuntimeInfo {
            onnxruntime: engine.runtime.clone(),
            sessions: engine.scheduler().sessions(),
            queue_depth: engine.scheduler().queue_depth(),
        },
        limits: state.0.limits,
    }))
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "Metrics", body = String, content_type = "text/plain; version=0.0.4"),
))]
pub(super) async fn metrics(State(state): State<AppState>) -> Result<Response, ApiError> {
    let metrics = &state.0.metrics;
    let depth = state
        .0
        .engine
        .get()
        .map_or(0, |engine| engine.scheduler().queue_depth());
    metrics.queue_depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
    let text = metrics.render().map_err(|error| {
        tracing::error!(%error, "failed to render the metrics");
        ApiError::Unavailable("the metrics cannot be rendered; the server's log says why")
    })?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
