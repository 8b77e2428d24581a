//! `POST /predict` and `POST /analyzer`: one text in, its scores out.

use axum::Json;
use axum::extract::State;
use toxicity_api::{ErrorBody, PredictRequest, PredictResponse};

use super::analyze::{NamedText, check_text, score};
use super::json::JsonBody;
use super::{ApiError, AppState};
use crate::engine::Question;

/// Score one text.
#[utoipa::path(
    post,
    path = "/predict",
    tag = "analyze",
    request_body = PredictRequest,
    responses(
        (status = 200, description = "Score per label", body = PredictResponse),
        (status = 400, description = "The body is not JSON or not UTF-8", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The content type is not JSON", body = ErrorBody),
        (status = 422, description = "A field is wrong or over a limit", body = ErrorBody),
        (status = 429, description = "The server is at its limit; see `Retry-After`", body = ErrorBody),
        (status = 503, description = "The model is loading, failed or ran out of time", body = ErrorBody),
    )
)]
pub(super) async fn predict(
    State(state): State<AppState>,
    JsonBody(request): JsonBody<PredictRequest>,
) -> Result<Json<PredictResponse>, ApiError> {
    let engine = state.engine()?;
    let named = NamedText {
        field: "input".to_owned(),
        text: request.input,
    };
    check_text(&named, &state.0.limits)?;
    let question = Question {
        labels: (0..engine.model.labels.len()).collect(),
        spans: false,
    };
    let verdicts = score(&state, engine, vec![named], &question).await?;
    let content = verdicts
        .into_iter()
        .next()
        .map(|verdict| verdict.scores)
        .unwrap_or_default();
    Ok(Json(PredictResponse {
        message: "ok".to_owned(),
        content,
    }))
}

/// Score one text; the same as `/predict`.
#[utoipa::path(
    post,
    path = "/analyzer",
    tag = "analyze",
    request_body = PredictRequest,
    responses(
        (status = 200, description = "Score per label", body = PredictResponse),
        (status = 400, description = "The body is not JSON or not UTF-8", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The content type is not JSON", body = ErrorBody),
        (status = 422, description = "A field is wrong or over a limit", body = ErrorBody),
        (status = 429, description = "The server is at its limit; see `Retry-After`", body = ErrorBody),
        (status = 503, description = "The model is loading, failed or ran out of time", body = ErrorBody),
    )
)]
pub(super) async fn analyzer(
    state: State<AppState>,
    body: JsonBody<PredictRequest>,
) -> Result<Json<PredictResponse>, ApiError> {
    predict(state, body).await
}
