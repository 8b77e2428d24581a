//! `POST /v1/analyze`.

use axum::Json;
use axum::extract::State;
use futures_util::{StreamExt, TryStreamExt, stream};
use toxicity_api::{AnalyzeRequest, AnalyzeResponse, Limits, TextVerdict};

use super::error::ScoringErrors;
use super::json::JsonBody;
use super::{ApiError, AppState};
use crate::engine::{Engine, Question};
use crate::model::Model;

/// A text and where in the request it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedText {
    pub(super) field: String,
    pub(super) text: String,
}

/// Score one text or many.
///
/// Gives, per text, a score for each label, whether the labels reach their thresholds, and with `spans` the words
/// that carry the verdict. A text longer than the model's window is scored in overlapping windows; `windows` says
/// how many, and each label's score is the maximum over them.
#[utoipa::path(
    post,
    path = "/v1/analyze",
    tag = "analyze",
    request_body = AnalyzeRequest,
    responses(
        (status = 200, description = "One verdict per text, in the order of the request", body = AnalyzeResponse),
        ScoringErrors,
    )
)]
pub(super) async fn analyze(
    State(state): State<AppState>,
    JsonBody(request): JsonBody<AnalyzeRequest>,
) -> Result<Json<AnalyzeResponse>, ApiError> {
    let engine = state.engine()?;
    let question = Question {
        labels: requested_labels(&engine.model, request.labels.as_deref())?,
        spans: request.spans,
    };
    let texts = requested_texts(request.text, request.texts, &state.0.limits)?;
    let results = score(&state, engine, texts, &question).await?;
    Ok(Json(AnalyzeResponse {
        model: engine.model.identity.clone(),
        thresholds: engine.model.threshold_map(),
        results,
    }))
}

/// Admits the request and scores its texts within the time limit, a few at a time and answered in order.
pub(super) async fn score(
    state: &AppState,
    engine: &Engine,
    texts: Vec<NamedText>,
    question: &Question,
) -> Result<Vec<TextVerdict>, ApiError> {
    let _place = state.admit()?;
    state.0.metrics.note_request_time();
    let lane = engine.scheduler().lane();
    let verdicts = stream::iter(texts)
        .map(|NamedText { field, text }| {
            let lane = &lane;
            async move {
                engine
                    .verdict(lane, &text, question)
                    .await
                    .map_err(|error| ApiError::from_score(&error, &field))
            }
        })
        .buffered(lane.width())
        .try_collect();
    let limit = state.0.request_timeout;
    tokio::time::timeout(limit, verdicts)
        .await
        .map_err(|_| ApiError::DeadlineExceeded(limit.as_secs()))?
}

/// The texts of a request, each within the limits.
pub(super) fn requested_texts(
    text: Option<String>,
    texts: Option<Vec<String>>,
    limits: &Limits,
) -> Result<Vec<NamedText>, ApiError> {
    let invalid = |field: &str, message: &str| ApiError::InvalidField {
        field: field.to_owned(),
        message: message.to_owned(),
    };
    let named = match (text, texts) {
        (Some(text), None) => vec![NamedText {
            field: "text".to_owned(),
            text,
        }],
        (None, Some(texts)) if texts.is_empty() => {
            return Err(invalid("texts", "`texts` must hold at least one text"));
        }
        (None, Some(texts)) if texts.len() > limits.texts => {
            return Err(ApiError::TooManyTexts {
                field: "texts".to_owned(),
                count: texts.len(),
                limit: limits.texts,
            });
        }
        (None, Some(texts)) => texts
            .into_iter()
            .enumerate()
            .map(|(index, text)| NamedText {
                field: format!("texts[{index}]"),
                text,
            })
            .collect(),
        (Some(_), Some(_)) => return Err(invalid("texts", "send either `text` or `texts`, not both")),
        (None, None) => return Err(invalid("text", "`text` is missing; send `text` or `texts`")),
    };
    for named in &named {
        check_text(named, limits)?;
    }
    Ok(named)
}

/// Checks one text against the limits.
pub(super) fn check_text(named: &NamedText, limits: &Limits) -> Result<(), ApiError> {
    let field = || named.field.clone();
    if named
        .text
        .chars()
        .all(|character| character.is_whitespace() || character.is_control())
    {
        return Err(ApiError::EmptyText { field: field() });
    }
    // A text of fewer bytes than characters allowed needs no counting.
    if named.text.len() > limits.characters {
        let length = named.text.chars().count();
        if length > limits.characters {
            return Err(ApiError::TextTooLong {
                field: field(),
                length,
                limit: limits.characters,
            });
        }
    }
    Ok(())
}

/// Indices of the labels asked for, in the model's order.
fn requested_labels(model: &Model, names: Option<&[String]>) -> Result<Vec<usize>, ApiError> {
    let Some(names) = names else {
        return Ok(model.all_labels());
    };
    if names.is_empty() {
        return Err(ApiError::InvalidField {
            field: "labels".to_owned(),
            message: "`labels` must name at least one label; leave it out for all".to_owned(),
        });
    }
    let mut labels = Vec::with_capacity(names.len().min(model.labels.len()));
    for (index, name) in names.iter().enumerate() {
        let label = model.label_index(name).ok_or_else(|| ApiError::UnknownLabel {
            field: format!("labels[{index}]"),
            label: name.chars().take(100).collect(),
            known: model.labels.join(", "),
        })?;
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels.sort_unstable();
    Ok(labels)
}
