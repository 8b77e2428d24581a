//! The Open Inference Protocol over HTTP, and version 1 of `KServe`.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use toxicity_protocols::failure::Failure;
use toxicity_protocols::open_inference::metadata::{
    Live, ModelConfiguration, ModelList, ModelMetadata, ModelReady, Ready, ServerMetadata,
};
use toxicity_protocols::open_inference::repository::{IndexEntry, IndexRequest};
use toxicity_protocols::open_inference::rest::{HEADER_LENGTH, InferRequestBody, InferResponseBody};
use toxicity_protocols::open_inference::statistics::{Counts, Statistics};
use toxicity_protocols::open_inference::{Error, ErrorBody, InferRequest, Inputs, ModelView, v1};
use toxicity_protocols::scored::{Labels, ScoredText};
use toxicity_records::Protocol;
use utoipa::IntoResponses;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use super::body::read_body;
use super::context::RequestContext;
use super::health::readiness;
use super::refusal::Refusal;
use super::scoring::{score, score_tokens};
use crate::engine::{Engine, Question};

type Answer<T> = Result<T, Refusal<Error>>;

/// What every route that scores can answer besides its success, and besides that there is no such model.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "it only documents")]
enum InferErrors {
    /// The request is wrong; the message names the tensor, the field or the header
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// No API key, or one that is not known
    #[response(status = 401)]
    Unauthenticated(ErrorBody),
    /// The API key may not do this
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// The body did not arrive in time
    #[response(status = 408)]
    Slow(ErrorBody),
    /// The body is too large
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The server or the key is at its limit; see `Retry-After`
    #[response(status = 429)]
    Overloaded(ErrorBody),
    /// The model is loading, failed or ran out of time
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// All routes of the protocol.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(server_metadata))
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(models))
        .routes(routes!(model_metadata))
        .routes(routes!(version_metadata))
        .routes(routes!(model_ready))
        .routes(routes!(version_ready))
        .routes(routes!(model_configuration))
        .routes(routes!(version_configuration))
        .routes(routes!(model_statistics))
        .routes(routes!(version_statistics))
        .routes(routes!(index))
        .routes(routes!(infer))
        .routes(routes!(version_infer))
        .routes(routes!(kserve_model, kserve_predict))
}

/// What the protocol is told of a loaded model.
pub(super) fn view<'a>(engine: &'a Engine, thresholds: &'a [f32]) -> ModelView<'a> {
    let model = &engine.model;
    ModelView {
        name: &model.identity.name,
        version: &model.identity.revision,
        labels: Labels {
            names: &model.labels,
            thresholds,
        },
        window_tokens: model.window_tokens,
        vocabulary_size: engine.vocabulary_size(),
    }
}

/// Scores what a request sends.
pub(super) async fn score_inputs(
    state: &AppState,
    engine: &Engine,
    context: &RequestContext,
    inputs: &Inputs,
    question: &Question,
) -> Result<Vec<ScoredText>, Failure> {
    let answered = match inputs {
        Inputs::Texts(texts) => score(state, engine, context, texts, question).await?,
        Inputs::Tokens(rows) => score_tokens(state, engine, context, rows, question).await?,
    };
    Ok(answered.scored_texts())
}

/// What the server has done, as the protocol's statistics count it.
pub(super) fn counts(state: &AppState) -> Counts {
    state.metrics().open_inference_counts()
}

/// The server and its extensions.
#[utoipa::path(get, path = "/v2", tag = "open-inference", responses(
    (status = 200, description = "Name, version, extensions", body = ServerMetadata),
))]
async fn server_metadata() -> Json<ServerMetadata> {
    Json(ServerMetadata::new(env!("CARGO_PKG_VERSION")))
}

/// Whether the process should go on living.
#[utoipa::path(get, path = "/v2/health/live", tag = "open-inference", responses(
    (status = 200, description = "The process is sound", body = Live),
    (status = 503, description = "A session has died", body = Live),
))]
async fn live(State(state): State<AppState>) -> (StatusCode, Json<Live>) {
    let live = state.is_live();
    (probe_status(live), Json(Live { live }))
}

/// Whether a request sent now would be scored.
#[utoipa::path(get, path = "/v2/health/ready", tag = "open-inference", responses(
    (status = 200, description = "Ready", body = Ready),
    (status = 503, description = "Loading, stopping, failing or full", body = Ready),
))]
async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Ready>) {
    let ready = readiness(&state).await.is_ok();
    (probe_status(ready), Json(Ready { ready }))
}

fn probe_status(good: bool) -> StatusCode {
    if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// The models; one, or none while it loads.
#[utoipa::path(get, path = "/v2/models", tag = "open-inference", responses(
    (status = 200, description = "Names", body = ModelList),
))]
async fn models(State(state): State<AppState>) -> Json<ModelList> {
    let names = state.loaded().map(|engine| engine.model.identity.name.clone());
    Json(ModelList {
        models: names.into_iter().collect(),
    })
}

/// Answers a question about a model that the path names.
fn about<T>(
    state: &AppState,
    name: &str,
    version: Option<&str>,
    answer: impl FnOnce(&ModelView<'_>) -> T,
) -> Answer<Json<T>> {
    let engine = state.engine()?;
    let view = view(&engine, &engine.model.thresholds);
    view.check(name, version).map_err(Refusal)?;
    Ok(Json(answer(&view)))
}

/// Inputs and outputs of the model.
#[utoipa::path(get, path = "/v2/models/{model}", tag = "open-inference", params(("model" = String, Path)), responses(
    (status = 200, description = "Inputs and outputs", body = ModelMetadata),
    (status = 404, description = "No such model", body = ErrorBody),
    (status = 503, description = "The model is still loading", body = ErrorBody),
))]
async fn model_metadata(
    State(state): State<AppState>,
    Path(model): Path<String>,
) -> Answer<Json<ModelMetadata>> {
    about(&state, &model, None, ModelMetadata::of)
}

/// Inputs and outputs of a version of the model.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}", tag = "open-inference",
    params(("model" = String, Path), ("version" = String, Path)), responses(
    (status = 200, description = "Inputs and outputs", body = ModelMetadata),
    (status = 404, description = "No such model or version", body = ErrorBody),
    (status = 503, description = "The model is still loading", body = ErrorBody),
))]
async fn version_metadata(
    State(state): State<AppState>,
    Path((model, version)): Path<(String, String)>,
) -> Answer<Json<ModelMetadata>> {
    about(&state, &model, Some(&version), ModelMetadata::of)
}

/// Whether the model would score a request sent now.
#[utoipa::path(get, path = "/v2/models/{model}/ready", tag = "open-inference", params(("model" = String, Path)), responses(
    (status = 200, description = "Ready", body = ModelReady),
    (status = 404, description = "No such model", body = ErrorBody),
    (status = 503, description = "Loading, stopping, failing or full", body = ModelReady),
))]
async fn model_ready(State(state): State<AppState>, Path(model): Path<String>) -> Answer<Response> {
    readiness_of(&state, model, None).await
}

/// Whether a version of the model would score a request sent now.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}/ready", tag = "open-inference",
    params(("model" = String, Path), ("version" = String, Path)), responses(
    (status = 200, description = "Ready", body = ModelReady),
    (status = 404, description = "No such model or version", body = ErrorBody),
    (status = 503, description = "Loading, stopping, failing or full", body = ModelReady),
))]
async fn version_ready(
    State(state): State<AppState>,
    Path((model, version)): Path<(String, String)>,
) -> Answer<Response> {
    readiness_of(&state, model, Some(&version)).await
}

async fn readiness_of(state: &AppState, name: String, version: Option<&str>) -> Answer<Response> {
    if let Some(engine) = state.loaded() {
        let view = view(&engine, &engine.model.thresholds);
        view.check(&name, version).map_err(Refusal)?;
    }
    let ready = readiness(state).await.is_ok();
    Ok((probe_status(ready), Json(ModelReady { name, ready })).into_response())
}

/// Configuration of the model, as Triton tells it.
#[utoipa::path(get, path = "/v2/models/{model}/config", tag = "open-inference", params(("model" = String, Path)), responses(
    (status = 200, description = "Configuration", body = ModelConfiguration),
    (status = 404, description = "No such model", body = ErrorBody),
    (status = 503, description = "The model is still loading", body = ErrorBody),
))]
async fn model_configuration(
    State(state): State<AppState>,
    Path(model): Path<String>,
) -> Answer<Json<ModelConfiguration>> {
    about(&state, &model, None, ModelConfiguration::of)
}

/// Configuration of a version of the model, as Triton tells it.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}/config", tag = "open-inference",
    params(("model" = String, Path), ("version" = String, Path)), responses(
    (status = 200, description = "Configuration", body = ModelConfiguration),
    (status = 404, description = "No such model or version", body = ErrorBody),
    (status = 503, description = "The model is still loading", body = ErrorBody),
))]
async fn version_configuration(
    State(state): State<AppState>,
    Path((model, version)): Path<(String, String)>,
) -> Answer<Json<ModelConfiguration>> {
    about(&state, &model, Some(&version), |view| {
        ModelConfiguration::of(view)
    })
}

/// What the model has done, as Triton counts it.
#[utoipa::path(get, path = "/v2/models/{model}/stats", tag = "open-inference", params(("model" = String, Path)), responses(
    (status = 200, description = "Counts and durations", body = Statistics),
    (status = 404, description = "No such model", body = ErrorBody),
    (status = 503, description = "The model is still loading", body = ErrorBody),
))]
async fn model_statistics(
    State(state): State<AppState>,
    Path(model): Path<String>,
) -> Answer<Json<Statistics>> {
    about(&state, &model, None, |view| {
        Statistics::of(Some(view), counts(&state))
    })
}

/// What a version of the model has done, as Triton counts it.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}/stats", tag = "open-inference",
    params(("model" = String, Path), ("version" = String, Path)), responses(
    (status = 200, description = "Counts and durations", body = Statistics),
    (status = 404, description = "No such model or version", body = ErrorBody),
    (status = 503, description = "The model is still loading", body = ErrorBody),
))]
async fn version_statistics(
    State(state): State<AppState>,
    Path((model, version)): Path<(String, String)>,
) -> Answer<Json<Statistics>> {
    about(&state, &model, Some(&version), |view| {
        Statistics::of(Some(view), counts(&state))
    })
}

/// The models and their states, as Triton lists them.
#[utoipa::path(post, path = "/v2/repository/index", tag = "open-inference", request_body = Option<IndexRequest>, responses(
    (status = 200, description = "Models", body = Vec<IndexEntry>),
    (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 408, description = "The body did not arrive in time", body = ErrorBody),
    (status = 413, description = "The body is too large", body = ErrorBody),
))]
async fn index(State(state): State<AppState>, request: Request) -> Answer<Json<Vec<IndexEntry>>> {
    let (_, body) = read_body(request, state.limits().body_bytes).await?;
    let request = IndexRequest::read(&body).map_err(Refusal)?;
    let engine = state.loaded();
    let ready = readiness(&state).await.is_ok();
    let view = engine
        .as_deref()
        .map(|engine| view(engine, &engine.model.thresholds));
    Ok(Json(request.answer(view.as_ref(), ready)))
}

/// Score texts or token ids.
///
/// In JSON, or with binary tensors behind it as Triton's clients send them.
#[utoipa::path(post, path = "/v2/models/{model}/infer", tag = "open-inference", params(("model" = String, Path)),
    request_body = InferRequestBody, responses(
    (status = 200, description = "Output tensors", body = InferResponseBody),
    (status = 404, description = "No such model", body = ErrorBody),
    InferErrors,
))]
async fn infer(
    State(state): State<AppState>,
    Path(model): Path<String>,
    request: Request,
) -> Answer<Response> {
    infer_by(&state, &model, None, request).await
}

/// Score texts or token ids by a version of the model.
#[utoipa::path(post, path = "/v2/models/{model}/versions/{version}/infer", tag = "open-inference",
    params(("model" = String, Path), ("version" = String, Path)), request_body = InferRequestBody, responses(
    (status = 200, description = "Output tensors", body = InferResponseBody),
    (status = 404, description = "No such model or version", body = ErrorBody),
    InferErrors,
))]
async fn version_infer(
    State(state): State<AppState>,
    Path((model, version)): Path<(String, String)>,
    request: Request,
) -> Answer<Response> {
    infer_by(&state, &model, Some(&version), request).await
}

async fn infer_by(state: &AppState, name: &str, version: Option<&str>, request: Request) -> Answer<Response> {
    let (parts, body) = read_body(request, state.limits().body_bytes).await?;
    let context = RequestContext::of(state, &parts)?.by(Protocol::OpenInference);
    let engine = state.engine()?;
    let question = context.question(state, &engine.model);
    let view = view(&engine, &question.thresholds);
    view.check(name, version).map_err(Refusal)?;
    let header_length = parts.headers.get(HEADER_LENGTH).map(HeaderValue::as_bytes);
    let request = InferRequest::from_http(header_length, &body, &view, state.limits()).map_err(Refusal)?;
    let context = context.within(request.timeout);
    let scored = score_inputs(state, &engine, &context, &request.inputs, &question).await?;
    let answer = request.form.into_http(&view, &scored);
    Ok((answer.headers, answer.body).into_response())
}

/// Whether the model is ready, as version 1 of `KServe` tells it.
#[utoipa::path(get, path = "/v1/models/{model}", tag = "open-inference", params(("model" = String, Path)), responses(
    (status = 200, description = "Ready", body = ModelReady),
    (status = 404, description = "No such model", body = ErrorBody),
    (status = 503, description = "Loading, stopping, failing or full", body = ModelReady),
))]
async fn kserve_model(State(state): State<AppState>, Path(model): Path<String>) -> Answer<Response> {
    readiness_of(&state, model, None).await
}

/// Score texts as version 1 of `KServe` does: the path is `/v1/models/{model}:predict`.
#[utoipa::path(post, path = "/v1/models/{model}", tag = "open-inference",
    params(("model" = String, Path, description = "Name of the model and `:predict`")),
    request_body = v1::PredictRequest, responses(
    (status = 200, description = "Scores of each text", body = v1::PredictResponse),
    (status = 404, description = "No such model, or another verb than `:predict`", body = ErrorBody),
    InferErrors,
))]
async fn kserve_predict(
    State(state): State<AppState>,
    Path(model): Path<String>,
    request: Request,
) -> Answer<Json<v1::PredictResponse>> {
    let (parts, body) = read_body(request, state.limits().body_bytes).await?;
    let context = RequestContext::of(&state, &parts)?.by(Protocol::OpenInference);
    let engine = state.engine()?;
    let question = context.question(&state, &engine.model);
    let view = view(&engine, &question.thresholds);
    let name = model.strip_suffix(":predict").unwrap_or(&model);
    view.check(name, None).map_err(Refusal)?;
    let inputs = v1::PredictRequest::read(&body, state.limits()).map_err(Refusal)?;
    let scored = score_inputs(&state, &engine, &context, &inputs, &question).await?;
    Ok(Json(v1::PredictResponse::of(&view, &scored)))
}
