//! `comments:analyze` and `comments:suggestscore`, as Google's Perspective API answers them.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use toxicity_protocols::perspective::{
    AnalyzeCommentRequest, AnalyzeCommentResponse, AnalyzeRequest, Error, ErrorBody, Languages,
    SuggestCommentScoreRequest, SuggestCommentScoreResponse, SuggestScoreRequest, Suggestion,
    discovery_document,
};
use toxicity_protocols::scored::Labels;
use toxicity_records::{Feedback, Protocol, Source};
use toxicity_text::language::detect;

use super::AppState;
use super::body::read_json;
use super::context::RequestContext;
use super::records::store;
use super::refusal::Refusal;
use super::scoring::{score, unavailable};

/// Score a comment as the Perspective API does.
///
/// Attributes are filled from the labels of the model; one that it has no label for is refused.
#[utoipa::path(
    post,
    path = "/v1alpha1/comments:analyze",
    tag = "perspective",
    params(("key" = Option<String>, Query, description = "API key, where the server wants one")),
    request_body = AnalyzeCommentRequest,
    responses(
        (status = 200, description = "The scores of each attribute", body = AnalyzeCommentResponse),
        (status = 400, description = "The request is wrong; `errorType` says how", body = ErrorBody),
        (status = 403, description = "No API key, or one that may not do this", body = ErrorBody),
        (status = 408, description = "The body did not arrive in time", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The content type is not JSON", body = ErrorBody),
        (status = 429, description = "The server or the key is at its limit; see `Retry-After`", body = ErrorBody),
        (status = 503, description = "The model is loading or failed", body = ErrorBody),
        (status = 504, description = "The time limit passed", body = ErrorBody),
    )
)]
pub(super) async fn analyze_comment(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<AnalyzeCommentResponse>, Refusal<Error>> {
    let (parts, body) = read_json(request, state.limits().body_bytes).await?;
    let mut context = RequestContext::of(&state, &parts)?.by(Protocol::Perspective);
    let engine = state.engine()?;
    let model = &engine.model;
    let question = context.question(&state, model);
    let labels = Labels {
        names: &model.labels,
        thresholds: &question.thresholds,
    };
    let request = AnalyzeRequest::read(&body, state.limits(), &labels).map_err(Refusal)?;
    let detected = detected_languages(&request, &model.languages);
    let languages = Languages {
        supported: &model.languages,
        detected: &detected,
    };
    context.may_store = !request.do_not_store;
    context.language = request.languages.first().or(detected.first()).cloned();
    let analysis = request.plan(&languages).map_err(Refusal)?;
    let texts: Vec<String> = analysis.texts().into_iter().map(str::to_owned).collect();
    let scored = if texts.is_empty() {
        Vec::new()
    } else {
        score(&state, &engine, &context, &texts, &question)
            .await?
            .scored_texts()
    };
    Ok(Json(analysis.answer(&scored)))
}

/// Note what the scores of a comment should have been.
///
/// It is stored as feedback before the answer comes. A server that keeps no records answers too, since clients send these
/// whether or not anybody learns from them.
#[utoipa::path(
    post,
    path = "/v1alpha1/comments:suggestscore",
    tag = "perspective",
    params(("key" = Option<String>, Query, description = "API key, where the server wants one")),
    request_body = SuggestCommentScoreRequest,
    responses(
        (status = 200, description = "It is noted", body = SuggestCommentScoreResponse),
        (status = 400, description = "The request is wrong; `errorType` says how", body = ErrorBody),
        (status = 403, description = "No API key, or one that may not do this", body = ErrorBody),
        (status = 408, description = "The body did not arrive in time", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The content type is not JSON", body = ErrorBody),
        (status = 429, description = "The key is at its limit; see `Retry-After`", body = ErrorBody),
        (status = 503, description = "The model is loading, or the database does not answer", body = ErrorBody),
    )
)]
pub(super) async fn suggest_score(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<SuggestCommentScoreResponse>, Refusal<Error>> {
    let (parts, body) = read_json(request, state.limits().body_bytes).await?;
    let context = RequestContext::of(&state, &parts)?.by(Protocol::Perspective);
    let engine = state.engine()?;
    let model = &engine.model;
    let labels = Labels {
        names: &model.labels,
        thresholds: &model.thresholds,
    };
    let request = SuggestScoreRequest::read(&body, state.limits(), &labels).map_err(Refusal)?;
    let answer = request.answer(&[]);
    if let Some(records) = state.records() {
        // A part that has a label makes the whole have it.
        let highest = |suggestion: &Suggestion| {
            let parts = suggestion.spans.iter().map(|span| span.score);
            suggestion.whole.or_else(|| parts.reduce(f32::max))
        };
        let suggested = request
            .suggestions
            .iter()
            .filter_map(|suggestion| Some((model.labels[suggestion.label].clone(), highest(suggestion)?)));
        let feedback = Feedback {
            tenant: context.tenant(),
            source: Source::Suggestscore,
            record_id: None,
            language: request.languages.first().cloned(),
            suggested: suggested.collect(),
            decision: None,
            comment: request
                .context
                .as_ref()
                .and_then(|context| serde_json::to_string(context).ok()),
            client_token: request.client_token,
            community_id: request.community_id,
            session_id: request.session_id,
            model: state.model_verdict(&context, &request.text),
            text: Some(request.text),
        };
        store(&state, records, feedback)
            .await
            .map_err(|error| unavailable(&error.to_string()))?;
    }
    Ok(Json(answer))
}

/// The discovery document of the Perspective API, from which Google's client libraries build their methods.
///
/// It names the address that it was asked under.
#[utoipa::path(get, path = "/$discovery/rest", tag = "perspective",
    params(("version" = Option<String>, Query, description = "`v1alpha1`, the only one")),
    responses((status = 200, description = "Google's format of API discovery", body = serde_json::Value))
)]
pub(super) async fn discovery(parts: Parts) -> Json<serde_json::Value> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = header("x-forwarded-proto").filter(|scheme| matches!(*scheme, "http" | "https"));
    let host = header("host").or_else(|| parts.uri.host()).unwrap_or("localhost");
    Json(discovery_document(&format!(
        "{}://{host}/",
        scheme.unwrap_or("http")
    )))
}

/// The language of a comment whose client does not name it. A text that is short or could be several languages is taken
/// to be in one that the model judges.
fn detected_languages(request: &AnalyzeRequest, supported: &[String]) -> Vec<String> {
    if !request.languages.is_empty() {
        return Vec::new();
    }
    let detected = detect(&request.text).filter(|detection| detection.is_reliable);
    let assumed = || supported.iter().find(|language| *language != "*").cloned();
    detected
        .map(|detection| detection.code.to_owned())
        .or_else(assumed)
        .into_iter()
        .collect()
}
