//! `POST /v1/moderations`, as `OpenAI` answers it.

use axum::Json;
use axum::extract::{Request, State};
use toxicity_protocols::openai::{
    CreateModerationRequest, CreateModerationResponse, Error, ErrorBody, ModerationRequest,
};
use toxicity_protocols::scored::Labels;
use toxicity_records::Protocol;

use super::AppState;
use super::body::read_json;
use super::context::RequestContext;
use super::refusal::Refusal;
use super::scoring::score;

/// Judge texts as `OpenAI`'s moderation does.
///
/// The categories are filled from the labels of the model; what it has no label for is false and 0, and named in
/// `unsupported_categories`. `flagged` goes by the thresholds of this server.
#[utoipa::path(
    post,
    path = "/v1/moderations",
    tag = "openai",
    request_body = CreateModerationRequest,
    responses(
        (status = 200, description = "A result for each text", body = CreateModerationResponse),
        (status = 400, description = "The request is wrong; `param` names the field", body = ErrorBody),
        (status = 401, description = "No API key, or one that is not known", body = ErrorBody),
        (status = 403, description = "The API key may not do this", body = ErrorBody),
        (status = 408, description = "The body did not arrive in time", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The content type is not JSON", body = ErrorBody),
        (status = 429, description = "The server or the key is at its limit; see `Retry-After`", body = ErrorBody),
        (status = 503, description = "The model is loading, failed or ran out of time", body = ErrorBody),
    )
)]
pub(super) async fn moderations(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<CreateModerationResponse>, Refusal<Error>> {
    let (parts, body) = read_json(request, state.limits().body_bytes).await?;
    let context = RequestContext::of(&state, &parts)?.by(Protocol::Openai);
    let engine = state.engine()?;
    let request = ModerationRequest::read(&body, state.limits()).map_err(Refusal)?;
    let model = &engine.model;
    let question = context.question(&state, model);
    let answered = score(&state, &engine, &context, &request.texts, &question).await?;
    let labels = Labels {
        names: &model.labels,
        thresholds: &question.thresholds,
    };
    let id = uuid::Uuid::new_v4().as_u128();
    Ok(Json(request.answer(
        &model.identity.name,
        id,
        &labels,
        &answered.scored_texts(),
    )))
}
