//! `POST /predict` and `POST /analyzer`: one text in, its scores out.

use axum::Json;
use axum::extract::State;
use toxicity_api::{PredictRequest, PredictResponse};

use super::analyze::{NamedText, check_text, score};
use super::error::ScoringErrors;
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
        ScoringErrors,
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
        labels: engine.model.all_labels(),
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
        ScoringErrors,
    )
)]
pub(super) async fn analyzer(
    state: State<AppState>,
    body: JsonBody<PredictRequest>,
) -> Result<Json<PredictResponse>, ApiError> {
    predict(state, body).await
}
