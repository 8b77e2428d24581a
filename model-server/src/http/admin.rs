//! `POST /v1/admin/reload`.

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use toxicity_api::{ErrorBody, ReloadResponse};

use super::context::RequestContext;
use super::scoring::unavailable;
use super::{ApiError, AppState};
use crate::reload::Reloaded;

/// Load the model anew.
///
/// Fetches what its source names now, loads it and warms it up beside the model in place, and puts it in its place without
/// losing a request. Nothing changes when it is the same, or when it does not load. It takes a key with the attribute
/// `admin`; without keys it works from the server's own machine only.
#[utoipa::path(post, path = "/v1/admin/reload", tag = "operations", responses(
    (status = 200, description = "The model in place now", body = ReloadResponse),
    (status = 401, description = "No API key, or one that is not known", body = ErrorBody),
    (status = 403, description = "The API key may not do this", body = ErrorBody),
    (status = 409, description = "The model did not load; the one before goes on", body = ErrorBody),
    (status = 422, description = "The header `x-request-timeout` is wrong", body = ErrorBody),
    (status = 429, description = "The API key is at its limit; see `Retry-After`", body = ErrorBody),
    (status = 503, description = "The server is still loading its first model", body = ErrorBody),
))]
pub(super) async fn reload(
    State(state): State<AppState>,
    parts: Parts,
) -> Result<Json<ReloadResponse>, ApiError> {
    RequestContext::of(&state, &parts)?.check_admin(&parts)?;
    // One that is still loading its first model would only load it twice.
    state.engine()?;
    let loader = state
        .loader()
        .ok_or_else(|| unavailable("this server cannot load a model"))?;
    let reloaded = loader
        .reload(&state)
        .await
        .map_err(|error| ApiError::ReloadFailed(toxicity_service::error_chain(&error)))?;
    Ok(Json(match reloaded {
        Reloaded::Swapped { from, to } => ReloadResponse {
            swapped: true,
            model: to,
            before: from,
        },
        Reloaded::Unchanged(model) => ReloadResponse {
            swapped: false,
            model,
            before: None,
        },
    }))
}
