//! Probes that tell the truth.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use toxicity_api::ErrorBody;
use toxicity_protocols::failure::Failure;
use utoipa::ToSchema;

use super::scoring::unavailable;
use super::{ApiError, AppState};
use crate::engine::Engine;

/// Longest time a model that failed may take to show that it answers again.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(2);

/// Answer of a probe that succeeds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProbeAnswer {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: Json<ProbeAnswer> = Json(ProbeAnswer { status: "ok" });

/// Whether the process should go on living: false when a session has died, which only a restart mends.
#[utoipa::path(get, path = "/livez", tag = "health", responses(
    (status = 200, description = "The process is sound", body = ProbeAnswer),
    (status = 503, description = "A session has died", body = ErrorBody),
))]
pub(super) async fn livez(State(state): State<AppState>) -> Result<Json<ProbeAnswer>, ApiError> {
    if state.is_live() {
        Ok(OK)
    } else {
        Err(unavailable("a session of the model has died; restart the server").into())
    }
}

/// Whether the model is loaded and has scored a first text.
#[utoipa::path(get, path = "/startupz", tag = "health", responses(
    (status = 200, description = "The model has answered", body = ProbeAnswer),
    (status = 503, description = "The model is still loading", body = ErrorBody),
))]
pub(super) async fn startupz(State(state): State<AppState>) -> Result<Json<ProbeAnswer>, ApiError> {
    Ok(state.engine().map(|_| OK)?)
}

/// Whether a request sent now would be scored: the model answers, there is room, and the server is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "Ready", body = ProbeAnswer),
    (status = 503, description = "Loading, stopping, failing or full", body = ErrorBody),
))]
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Json<ProbeAnswer>, ApiError> {
    let result = readiness(&state).await;
    state.0.metrics.ready.set(i64::from(result.is_ok()));
    Ok(result.map(|()| OK)?)
}

/// The same as `/readyz`, under the name that load balancers look for.
#[utoipa::path(get, path = "/health", tag = "health", responses(
    (status = 200, description = "Ready", body = ProbeAnswer),
    (status = 503, description = "Loading, stopping, failing or full", body = ErrorBody),
))]
pub(super) async fn health(state: State<AppState>) -> Result<Json<ProbeAnswer>, ApiError> {
    readyz(state).await
}

/// Why a request sent now would not be scored, if so.
pub(super) async fn readiness(state: &AppState) -> Result<(), Failure> {
    if state.is_stopping() {
        return Err(unavailable("the server is stopping"));
    }
    let engine = state.engine()?;
    if !engine.scheduler().is_alive() {
        return Err(unavailable("a session of the model has died"));
    }
    if state.admission().is_full() {
        return Err(unavailable("all places for requests are taken"));
    }
    if engine.scheduler().last_pass_failed() && !answers_again(&engine).await {
        return Err(unavailable("the model fails to score; the server's log says why"));
    }
    Ok(())
}

/// Without traffic nothing else would find out that a model works again.
async fn answers_again(engine: &Engine) -> bool {
    tokio::time::timeout(RECOVERY_TIMEOUT, engine.probe(RECOVERY_TIMEOUT))
        .await
        .is_ok_and(|result| result.is_ok())
}
