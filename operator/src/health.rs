//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

use crate::metrics::Metrics;

/// What the operator is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It cannot look after monitors yet; the text says what it waits for.
    Waiting(String),
    /// Another operator leads; this one takes over when that one is gone.
    StandingBy,
    /// It looks after monitors.
    Leading,
}

/// What the routes need.
#[derive(Clone)]
pub struct Health {
    phase: watch::Receiver<Phase>,
    metrics: Metrics,
    before_scrape: Arc<dyn Fn() + Send + Sync>,
}

impl Health {
    /// `before_scrape` brings gauges up to date.
    pub fn new(
        phase: watch::Receiver<Phase>,
        metrics: Metrics,
        before_scrape: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            phase,
            metrics,
            before_scrape: Arc::new(before_scrape),
        }
    }
}

/// The routes.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    match &*health.phase.borrow() {
        Phase::Waiting(what) => (StatusCode::SERVICE_UNAVAILABLE, format!("waiting: {what}\n")),
        Phase::StandingBy => (StatusCode::OK, "standing by\n".to_owned()),
        Phase::Leading => (StatusCode::OK, "leading\n".to_owned()),
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    (health.before_scrape)();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, health.metrics.encode()).into_response()
}
