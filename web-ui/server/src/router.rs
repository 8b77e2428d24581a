//! Which path is answered by what.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use http::{StatusCode, header::CONTENT_TYPE};

use crate::{
    Config, Error,
    assets::{self, Assets},
    metrics::{self, Metrics},
    proxy::{self, Proxy},
    security_headers,
};

/// The whole application: app, API, health and metrics.
///
/// # Errors
///
/// When the assets are not there or the metrics cannot be registered.
pub fn router(config: &Config) -> Result<Router, Error> {
    let assets = Assets::open(&config.assets)?;
    let metrics = Arc::new(Metrics::new()?);
    let proxy = Proxy::new(
        config.upstream.clone(),
        config.upstream_timeout.into(),
        config.body_limit,
        Arc::clone(&metrics),
    );
    let api = Router::new()
        .route("/api", any(proxy::forward))
        .route("/api/", any(proxy::forward))
        .route("/api/{*path}", any(proxy::forward))
        .with_state(proxy);
    Ok(Router::new()
        .route("/healthz", get(healthz).with_state(assets.clone()))
        .route("/metrics", get(render_metrics).with_state(Arc::clone(&metrics)))
        .merge(api)
        .fallback_service(any(assets::serve).with_state(assets))
        .layer(middleware::from_fn(security_headers::add))
        .layer(middleware::from_fn_with_state(metrics, metrics::observe)))
}

/// Whether the server can do its work; the model server has probes of its own.
async fn healthz(State(assets): State<Assets>) -> Response {
    if assets.are_readable().await {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the web app is not readable\n").into_response()
    }
}

/// All metrics in the text format of Prometheus.
async fn render_metrics(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.render() {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "failed to write the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
