//! The HTTP surface: routes, and the state they share.

mod admin;
mod analyze;
mod body;
mod context;
mod docs;
mod error;
mod feedback;
mod grpc;
mod health;
mod info;
mod json;
mod observe;
mod open_inference;
mod openai;
mod perspective;
mod records;
mod refusal;
mod scoring;
mod text_embeddings_inference;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware;
use tower::ServiceBuilder;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use toxicity_access::WatchedKeyRing;
use toxicity_api::Limits;
use toxicity_protocols::failure::Failure;
use toxicity_protocols::open_inference::rest::HEADER_LENGTH;
use toxicity_records::Records;
use toxicity_service::Traces;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::admission::Admission;
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::recording::Recording;
use crate::reload::ModelLoader;
use crate::shadow::Shadow;

pub use error::ApiError;

/// What the routes share.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// How a server answers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What one call may ask for.
    pub limits: Limits,
    /// Longest time for one request.
    pub request_timeout: Duration,
    /// Whether every text is also scored with what hides its words undone.
    pub normalize: bool,
    /// Web pages that may ask from a browser.
    pub cors_origins: Vec<HeaderValue>,
}

struct Shared {
    engine: ArcSwapOption<Engine>,
    shadow: ArcSwapOption<Shadow>,
    stopping: AtomicBool,
    settings: Settings,
    admission: Mutex<Admission>,
    services: Services,
    metrics: Arc<Metrics>,
}

/// What a server may have besides its model.
#[derive(Default)]
pub struct Services {
    /// Loads the model, at first and again.
    pub loader: Option<ModelLoader>,
    /// Keeps records.
    pub recording: Option<Recording>,
    /// Knows who may ask; without it everybody may.
    pub keys: Option<Arc<WatchedKeyRing>>,
    /// Traces requests.
    pub traces: Option<Traces>,
}

impl AppState {
    /// State of a server whose model is not loaded yet.
    #[must_use]
    pub fn new(settings: Settings, services: Services, metrics: Arc<Metrics>) -> Self {
        let places = settings.limits.concurrent_requests;
        Self(Arc::new(Shared {
            engine: ArcSwapOption::empty(),
            shadow: ArcSwapOption::empty(),
            stopping: AtomicBool::new(false),
            settings,
            admission: Mutex::new(Admission::new(places)),
            services,
            metrics,
        }))
    }

    /// Puts a loaded model in place of the one before, which is given back: requests that have begun finish on it.
    pub fn set_engine(&self, engine: Engine) -> Option<Arc<Engine>> {
        self.0.metrics.set_model(&engine.model);
        let before = self.0.engine.swap(Some(Arc::new(engine)));
        if !self.is_stopping() {
            self.0.metrics.ready.set(1);
        }
        before
    }

    /// From now on readiness says no, while running requests go on.
    pub fn begin_stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
        self.0.metrics.ready.set(0);
    }

    /// What loads the model.
    #[must_use]
    pub fn loader(&self) -> Option<&ModelLoader> {
        self.0.services.loader.as_ref()
    }

    /// What keeps records.
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        self.0.services.recording.as_ref()
    }

    /// Who may ask, where not everybody may.
    #[must_use]
    pub fn keys(&self) -> Option<&Arc<WatchedKeyRing>> {
        self.0.services.keys.as_ref()
    }

    /// What traces requests.
    fn traces(&self) -> Option<&Traces> {
        self.0.services.traces.as_ref()
    }

    /// The database of records.
    fn records(&self) -> Option<&Records> {
        self.recording().map(|recording| &recording.records)
    }

    /// The metrics that the routes count in.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    fn engine(&self) -> Result<Arc<Engine>, Failure> {
        self.loaded()
            .ok_or_else(|| scoring::unavailable("the model is still loading"))
    }

    /// The model in place, if one is.
    #[must_use]
    pub fn loaded(&self) -> Option<Arc<Engine>> {
        self.0.engine.load_full()
    }

    /// Whether the process is sound: no session of the model has died.
    fn is_live(&self) -> bool {
        self.loaded().is_none_or(|engine| engine.scheduler().is_alive())
    }

    /// The second model that texts are compared with, if there is one.
    fn shadow(&self) -> Option<Arc<Shadow>> {
        self.0.shadow.load_full()
    }

    /// Puts a second model in place, with which texts are compared from now on.
    pub fn set_shadow(&self, shadow: Shadow) {
        self.0.shadow.store(Some(Arc::new(shadow)));
    }

    fn normalizes(&self) -> bool {
        self.0.settings.normalize
    }

    fn request_timeout(&self) -> Duration {
        self.0.settings.request_timeout
    }

    fn limits(&self) -> &Limits {
        &self.0.settings.limits
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.0.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All routes of the server.
pub fn router(state: AppState) -> Router {
    let cors = cors(&state.0.settings.cors_origins);
    let request_id = HeaderName::from_static("x-request-id");
    let (routes, document) = documented_routes().split_for_parts();
    routes
        .merge(docs::router(document))
        .merge(grpc::routes(&state))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(RequestDecompressionLayer::new())
        .layer(middleware::from_fn_with_state(state.clone(), observe::observe))
        .layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
                .layer(PropagateRequestIdLayer::new(request_id))
                .option_layer(cors),
        )
        .with_state(state)
}

/// What browsers are told of other pages; nothing where none may ask.
fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let allowed = match origins {
        [] => return None,
        origins if origins.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        origins => AllowOrigin::list(origins.iter().cloned()),
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        // Not `*`, which browsers do not take for `authorization`.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("x-request-id"),
            HEADER_LENGTH,
        ]);
    Some(layer)
}

/// Only `/metrics`, for the listener that nothing but Prometheus reaches.
pub fn metrics_router(state: AppState) -> Router {
    Router::new()
        .route("/metrics", axum::routing::get(info::metrics))
        .fallback(error::not_found)
        .with_state(state)
}

fn documented_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(docs::description())
        .routes(routes!(analyze::analyze))
        .routes(routes!(text_embeddings_inference::predict))
        .routes(routes!(text_embeddings_inference::predict_at_root))
        .routes(routes!(text_embeddings_inference::analyzer))
        .routes(routes!(perspective::analyze_comment))
        .routes(routes!(openai::moderations))
        .routes(routes!(perspective::suggest_score))
        .routes(routes!(perspective::discovery))
        .merge(open_inference::routes())
        .merge(records::routes())
        .routes(routes!(admin::reload))
        .routes(routes!(info::info))
        .routes(routes!(info::metrics))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::startupz))
        .routes(routes!(health::health))
}
