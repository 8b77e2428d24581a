//! `POST /predict` and `POST /`, as text-embeddings-inference and the Hugging Face clients know them; and the small
//! protocol that shares the first.

use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use toxicity_api::{
    ErrorBody as NativeErrorBody, PredictRequest as NativeRequest, PredictResponse as NativeResponse,
};
use toxicity_protocols::scored::Labels;
use toxicity_protocols::text_embeddings_inference::{
    Error, ErrorBody, PredictProtocol, PredictProtocolError, PredictRequest, PredictRequestBody, Predictions,
    Timings,
};
use toxicity_records::Protocol;
use utoipa::ToSchema;

use super::body::read_json;
use super::context::RequestContext;
use super::json;
use super::refusal::Refusal;
use super::scoring::{Answered, score};
use super::{ApiError, AppState};

/// A request of either protocol.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it only documents")]
pub(super) enum EitherRequest {
    /// This server's own.
    Native(NativeRequest),
    /// That of text-embeddings-inference.
    TextEmbeddingsInference(PredictRequestBody),
}

/// An answer of either protocol.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it only documents")]
pub(super) enum EitherResponse {
    /// This server's own.
    Native(NativeResponse),
    /// That of text-embeddings-inference.
    TextEmbeddingsInference(Predictions),
}

/// An error of either protocol.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it only documents")]
pub(super) enum EitherError {
    /// This server's own.
    Native(NativeErrorBody),
    /// That of text-embeddings-inference.
    TextEmbeddingsInference(ErrorBody),
}

/// Score one text by `input`, or one or many by `inputs` as text-embeddings-inference does.
///
/// With `input` the answer is the scores by label. With `inputs` it is a list of labels sorted by score, or for a batch
/// (`[["a"], ["b"]]`) a list of such lists; the scores are the model's own, a sigmoid per label for a multi-label model,
/// where text-embeddings-inference would take a softmax over all labels.
#[utoipa::path(
    post,
    path = "/predict",
    tag = "text-embeddings-inference",
    request_body = EitherRequest,
    responses(
        (status = 200, description = "The scores", body = EitherResponse),
        (status = 400, description = "The body is not JSON, not UTF-8 or incomplete, or a text is empty", body = EitherError),
        (status = 401, description = "No API key, or one that is not known", body = EitherError),
        (status = 403, description = "The API key may not do this", body = EitherError),
        (status = 408, description = "The body did not arrive in time", body = EitherError),
        (status = 413, description = "The body is too large", body = EitherError),
        (status = 415, description = "The content type is not JSON", body = EitherError),
        (status = 422, description = "A field or the header `x-request-timeout` is wrong or over a limit", body = EitherError),
        (status = 429, description = "The server or the key is at its limit; see `Retry-After`", body = EitherError),
        (status = 503, description = "The model is loading, failed or ran out of time", body = EitherError),
    )
)]
pub(super) async fn predict(State(state): State<AppState>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = match read_json(request, state.limits().body_bytes).await {
        Ok(read) => read,
        Err(failure) => return ApiError::from(failure).into_response(),
    };
    match PredictProtocol::of(&body) {
        Ok(PredictProtocol::Native) => native(&state, &parts, &body).await.into_response(),
        Ok(PredictProtocol::TextEmbeddingsInference) => text_embeddings(&state, &parts, &body, started)
            .await
            .into_response(),
        Err(error) => unclear(&error).into_response(),
    }
}

/// Score one text or many as text-embeddings-inference and the Hugging Face clients do.
#[utoipa::path(
    post,
    path = "/",
    tag = "text-embeddings-inference",
    request_body = PredictRequestBody,
    responses(
        (status = 200, description = "Labels sorted by score, of one text or of each", body = Predictions),
        (status = 400, description = "The body is not JSON, not UTF-8 or incomplete, or a text is empty", body = ErrorBody),
        (status = 401, description = "No API key, or one that is not known", body = ErrorBody),
        (status = 403, description = "The API key may not do this", body = ErrorBody),
        (status = 408, description = "The body did not arrive in time", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The content type is not JSON", body = ErrorBody),
        (status = 422, description = "A field or the header `x-request-timeout` is wrong or over a limit", body = ErrorBody),
        (status = 429, description = "The server or the key is at its limit; see `Retry-After`", body = ErrorBody),
        (status = 503, description = "The model is loading, failed or ran out of time", body = ErrorBody),
    )
)]
pub(super) async fn predict_at_root(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Refusal<Error>> {
    let started = Instant::now();
    let (parts, body) = read_json(request, state.limits().body_bytes).await?;
    text_embeddings(&state, &parts, &body, started).await
}

/// Score one text; the same as `/predict` with `input`.
#[utoipa::path(
    post,
    path = "/analyzer",
    tag = "analyze",
    request_body = NativeRequest,
    responses(
        (status = 200, description = "Score per label", body = NativeResponse),
        super::error::ScoringErrors,
    )
)]
pub(super) async fn analyzer(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<NativeResponse>, ApiError> {
    let (parts, body) = read_json(request, state.limits().body_bytes).await?;
    native(&state, &parts, &body).await
}

async fn native(state: &AppState, parts: &Parts, body: &[u8]) -> Result<Json<NativeResponse>, ApiError> {
    let context = RequestContext::of(state, parts)?;
    let engine = state.engine()?;
    let request: NativeRequest = json::parse(body)?;
    let model = &engine.model;
    let question = context.question(state, model);
    let answered = score(state, &engine, &context, &[request.input], &question).await;
    let answered = answered.map_err(|failure| ApiError::of(failure, |_| "input".to_owned()))?;
    let scores = answered
        .verdicts
        .first()
        .map(|verdict| verdict.judgement.score_map(model))
        .unwrap_or_default();
    Ok(Json(NativeResponse {
        message: "ok".to_owned(),
        content: scores,
    }))
}

async fn text_embeddings(
    state: &AppState,
    parts: &Parts,
    body: &Bytes,
    started: Instant,
) -> Result<Response, Refusal<Error>> {
    let context = RequestContext::of(state, parts)?.by(Protocol::Tei);
    let engine = state.engine()?;
    let user_agent = parts
        .headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let PredictRequest { texts, form } =
        PredictRequest::read(body, user_agent, state.limits()).map_err(Refusal)?;
    let model = &engine.model;
    let question = context.question(state, model);
    let answered = score(state, &engine, &context, &texts, &question).await?;
    let labels = Labels {
        names: &model.labels,
        thresholds: &question.thresholds,
    };
    let predictions = form.answer(&labels, &answered.scored_texts());
    let timings = timings(&answered, &texts, engine.provider(), started.elapsed());
    Ok((timings.headers(), Json(predictions)).into_response())
}

fn timings(answered: &Answered, texts: &[String], compute_type: &'static str, total: Duration) -> Timings {
    let count = u32::try_from(texts.len()).unwrap_or(u32::MAX).max(1);
    let work = answered.timings;
    Timings {
        compute_type,
        characters: texts.iter().map(|text| text.chars().count()).sum(),
        tokens: answered.verdicts.iter().map(|verdict| verdict.tokens).sum(),
        total,
        tokenization: work.tokenization / count,
        queue: work.queue / count,
        inference: work.inference / count,
    }
}

fn unclear(error: &PredictProtocolError) -> ApiError {
    match error {
        PredictProtocolError::Malformed(problem) => ApiError::MalformedJson(problem.clone()),
        PredictProtocolError::NoObject | PredictProtocolError::Neither | PredictProtocolError::Both => {
            ApiError::InvalidField {
                field: match error {
                    PredictProtocolError::Both => "inputs".to_owned(),
                    PredictProtocolError::Neither => "input".to_owned(),
                    _ => String::new(),
                },
                message: error.to_string(),
            }
        }
    }
}
