//! `POST /v1/analyze`.

use axum::Json;
use axum::extract::{Request, State};
use toxicity_api::{AnalyzeRequest, AnalyzeResponse, TextVerdict};
use uuid::Uuid;

use super::body::read_json;
use super::context::RequestContext;
use super::error::ScoringErrors;
use super::json;
use super::scoring::score;
use super::{ApiError, AppState};
use crate::engine::Question;
use crate::model::Model;

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
    request: Request,
) -> Result<Json<AnalyzeResponse>, ApiError> {
    let (parts, body) = read_json(request, state.limits().body_bytes).await?;
    let mut context = RequestContext::of(&state, &parts)?;
    let engine = state.engine()?;
    let request: AnalyzeRequest = json::parse(&body)?;
    let model = &engine.model;
    let question = Question {
        labels: requested_labels(model, request.labels.as_deref())?,
        spans: request.spans,
        normalize: request.normalize || state.normalizes(),
        ..context.question(&state, model)
    };
    context.may_store = request.store;
    let is_one = request.text.is_some();
    let texts = requested_texts(request.text, request.texts)?;
    let answered = score(&state, &engine, &context, &texts, &question).await;
    let answered = answered.map_err(|failure| {
        ApiError::of(failure, |index| {
            if is_one {
                "text".to_owned()
            } else {
                format!("texts[{index}]")
            }
        })
    })?;
    let mut records = answered.records.iter().map(Uuid::to_string);
    Ok(Json(AnalyzeResponse {
        model: model.identity.clone(),
        thresholds: model.by_label(&question.thresholds),
        results: answered
            .verdicts
            .into_iter()
            .map(|verdict| TextVerdict {
                record_id: records.next(),
                ..verdict.into_text_verdict(model)
            })
            .collect(),
    }))
}

/// The texts of a request.
fn requested_texts(text: Option<String>, texts: Option<Vec<String>>) -> Result<Vec<String>, ApiError> {
    let invalid = |field: &str, message: &str| ApiError::InvalidField {
        field: field.to_owned(),
        message: message.to_owned(),
    };
    match (text, texts) {
        (Some(text), None) => Ok(vec![text]),
        (None, Some(texts)) if texts.is_empty() => {
            Err(invalid("texts", "`texts` must hold at least one text"))
        }
        (None, Some(texts)) => Ok(texts),
        (Some(_), Some(_)) => Err(invalid("texts", "send either `text` or `texts`, not both")),
        (None, None) => Err(invalid("text", "`text` is missing; send `text` or `texts`")),
    }
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
