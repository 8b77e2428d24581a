//! The Open Inference Protocol over gRPC, on the same port as everything else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Extensions;
use axum::middleware::{self, Next};
use axum::response::Response;
use tonic::server::NamedService;
use toxicity_api::Limits;
use toxicity_protocols::failure::Failure;
use toxicity_protocols::open_inference::grpc::{self, Inference};
use toxicity_protocols::open_inference::statistics::Counts;
use toxicity_protocols::open_inference::{Inputs, ModelView};
use toxicity_protocols::scored::ScoredText;
use toxicity_records::Protocol;

use super::AppState;
use super::context::RequestContext;
use super::health::readiness;
use super::open_inference::{counts, score_inputs, view};
use super::scoring::unavailable;
use crate::engine::Engine;

/// Who sent a request, or why it may not ask.
type Caller = Result<RequestContext, Failure>;

/// The services.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let core = Arc::new(state.clone());
    let inference = grpc::service(Arc::clone(&core));
    let health = grpc::health(core);
    Router::new()
        .route_service(&path(&inference), inference)
        .route_service(&path(&health), health)
        .layer(middleware::from_fn_with_state(state.clone(), identify))
}

/// All methods of a service.
fn path<S: NamedService>(_: &S) -> String {
    format!("/{}/{{method}}", S::NAME)
}

/// Finds out who sends a request, for [`Inference::score`].
async fn identify(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let scores = parts.uri.path().ends_with("/ModelInfer");
    if scores {
        let caller: Caller = RequestContext::of(&state, &parts);
        parts.extensions.insert(caller);
    }
    next.run(Request::from_parts(parts, body)).await
}

impl Inference for AppState {
    type Model = Arc<Engine>;

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn limits(&self) -> Limits {
        *AppState::limits(self)
    }

    fn model(&self) -> Result<Arc<Engine>, Failure> {
        self.engine()
    }

    fn view<'a>(&self, model: &'a Arc<Engine>) -> ModelView<'a> {
        view(model, &model.model.thresholds)
    }

    async fn score(
        &self,
        model: &Arc<Engine>,
        inputs: Inputs,
        timeout: Option<Duration>,
        caller: &Extensions,
    ) -> Result<Vec<ScoredText>, Failure> {
        let caller = caller.get::<Caller>().cloned();
        let context = caller.unwrap_or_else(|| Err(unavailable("the sender is not known")))?;
        let context = context.by(Protocol::OpenInference).within(timeout);
        let question = context.question(self, &model.model);
        score_inputs(self, model, &context, &inputs, &question).await
    }

    fn counts(&self) -> Counts {
        counts(self)
    }

    fn is_live(&self) -> bool {
        AppState::is_live(self)
    }

    async fn is_ready(&self) -> bool {
        readiness(self).await.is_ok()
    }
}
