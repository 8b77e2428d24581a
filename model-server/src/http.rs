//! The HTTP surface: routes, and the state they share.

mod analyze;
mod docs;
mod error;
mod health;
mod info;
mod json;
mod observe;
mod predict;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderName;
use axum::middleware;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceBuilder;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use toxicity_api::Limits;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::engine::Engine;
use crate::metrics::Metrics;

pub use error::ApiError;

/// What the routes share.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    engine: OnceLock<Engine>,
    stopping: AtomicBool,
    limits: Limits,
    request_timeout: Duration,
    places: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl AppState {
    /// State of a server whose model is still loading.
    #[must_use]
    pub fn new(limits: Limits, request_timeout: Duration, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(Shared {
            engine: OnceLock::new(),
            stopping: AtomicBool::new(false),
            limits,
            request_timeout,
            places: Arc::new(Semaphore::new(limits.concurrent_requests)),
            metrics,
        }))
    }

    /// Puts the loaded model in place, which took `startup`. A second model is ignored: a server serves one for its
    /// whole life.
    pub fn set_engine(&self, engine: Engine, startup: Duration) {
        if self.0.engine.set(engine).is_ok() {
            self.0.metrics.startup_duration.set(startup.as_secs_f64());
            self.0.metrics.ready.set(1);
        }
    }

    /// From now on readiness says no, while running requests go on.
    pub fn begin_stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
        self.0.metrics.ready.set(0);
    }

    /// The metrics that the routes count in.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    fn engine(&self) -> Result<&Engine, ApiError> {
        self.0
            .engine
            .get()
            .ok_or(ApiError::Unavailable("the model is still loading"))
    }

    /// A place for one request, or the refusal of an overloaded server.
    fn admit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.0.places).try_acquire_owned().map_err(|_| {
            self.0.metrics.rejected_requests.inc();
            ApiError::Overloaded {
                limit: self.0.limits.concurrent_requests,
            }
        })
    }
}

/// All routes of the server.
pub fn router(state: AppState) -> Router {
    let request_id = HeaderName::from_static("x-request-id");
    let (routes, document) = documented_routes().split_for_parts();
    routes
        .merge(docs::router(document))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), observe::observe))
        .layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
                .layer(PropagateRequestIdLayer::new(request_id)),
        )
        .with_state(state)
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
        .routes(routes!(predict::predict))
        .routes(routes!(predict::analyzer))
        .routes(routes!(info::info))
        .routes(routes!(info::metrics))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::startupz))
        .routes(routes!(health::health))
}
