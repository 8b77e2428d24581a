//! Passes `/api/…` to the model server as `/…`, streaming both ways.

mod failure;
mod headers;
mod location;
mod upstream;

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Uri, Version, header::CONTENT_LENGTH};
use http_body_util::{LengthLimitError, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use percent_encoding::percent_decode_str;
use tower_http::timeout::TimeoutBody;
use toxicity_service::error_chain;

use crate::metrics::{Metrics, UpstreamFailure};
use failure::Failure;
pub use upstream::Upstream;

/// Where the API begins on this server.
const PREFIX: &str = "/api";

/// A model server in the same cluster accepts at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Shorter than servers keep idle connections, so that none is used which the other side is about to close.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Whether a path belongs to the model server.
pub(crate) fn is_proxied(path: &str) -> bool {
    path.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The way to the model server.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    client: Client<HttpConnector, Body>,
    upstream: Upstream,
    timeout: Duration,
    body_limit: usize,
    metrics: Arc<Metrics>,
}

impl Proxy {
    pub(crate) fn new(
        upstream: Upstream,
        timeout: Duration,
        body_limit: usize,
        metrics: Arc<Metrics>,
    ) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT.min(timeout)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Self {
            client,
            upstream,
            timeout,
            body_limit,
            metrics,
        }
    }

    async fn send(&self, peer: Option<SocketAddr>, request: Request) -> Result<Response, Failure> {
        let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
        if is_private(path) {
            return Err(Failure::NotForBrowsers);
        }
        let target = self
            .upstream
            .target(path, request.uri().query())
            .map_err(|_| Failure::UnusablePath)?;
        if announced_length(&request).is_some_and(|length| length > self.body_limit) {
            return Err(Failure::BodyTooLarge {
                limit: self.body_limit,
            });
        }

        let answer = tokio::time::timeout(
            self.timeout,
            self.client.request(self.prepare(peer, target, request)),
        );
        let answer = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if has_cause::<LengthLimitError>(&error) => {
                return Err(Failure::BodyTooLarge {
                    limit: self.body_limit,
                });
            }
            // What the browser sent ended early; the model server is not to blame.
            Ok(Err(error)) if has_cause::<axum::Error>(&error) => return Err(Failure::BodyEndedEarly),
            Ok(Err(error)) => {
                self.metrics.count_upstream_failure(UpstreamFailure::Unreachable);
                tracing::warn!(upstream = %self.upstream, error = %error_chain(&error), "no answer from upstream");
                return Err(Failure::Unreachable);
            }
            Err(_elapsed) => {
                self.metrics.count_upstream_failure(UpstreamFailure::TimedOut);
                tracing::warn!(upstream = %self.upstream, limit = ?self.timeout, "upstream took too long");
                return Err(Failure::TimedOut);
            }
        };

        let (mut head, body) = answer.into_parts();
        head.version = Version::default();
        headers::remove_hop_by_hop(&mut head.headers);
        location::rewrite(&mut head.headers, &self.upstream, PREFIX);
        Ok(Response::from_parts(
            head,
            Body::new(TimeoutBody::new(self.timeout, body)),
        ))
    }

    fn prepare(&self, peer: Option<SocketAddr>, target: Uri, request: Request) -> Request {
        let (mut head, body) = request.into_parts();
        headers::remove_hop_by_hop(&mut head.headers);
        headers::add_forwarded(&mut head.headers, peer);
        head.uri = target;
        head.version = Version::HTTP_11;
        Request::from_parts(head, Body::new(Limited::new(body, self.body_limit)))
    }
}

/// Passes one call on.
pub(crate) async fn forward(State(proxy): State<Proxy>, mut request: Request) -> Response {
    // Absent only where the router is called without a connection, as tests do.
    let peer = request
        .extensions_mut()
        .remove::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address);
    match proxy.send(peer, request).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

/// Metrics are for Prometheus, which reads them from the pod. Judged on the decoded path, so that no spelling of it
/// gets through.
fn is_private(path: &str) -> bool {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let first = path
        .split(['/', '\\'])
        .find(|segment| !matches!(*segment, "" | "." | ".."));
    first.is_some_and(|segment| segment.eq_ignore_ascii_case("metrics"))
}

fn announced_length(request: &Request) -> Option<usize> {
    request
        .headers()
        .get(CONTENT_LENGTH)
        .map(HeaderValue::to_str)?
        .ok()?
        .parse()
        .ok()
}

fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_as_a_whole_segment_is_proxied() {
        for (path, proxied) in [
            ("/api", true),
            ("/api/", true),
            ("/api/info", true),
            ("/apis", false),
            ("/", false),
        ] {
            assert_eq!(is_proxied(path), proxied, "{path}");
        }
    }

    #[test]
    fn metrics_are_private_in_every_spelling() {
        for path in [
            "/metrics",
            "//metrics",
            "/metrics/",
            "/%6detrics",
            "/%2Fmetrics",
            "/./Metrics",
            "/..%5cmetrics",
        ] {
            assert!(is_private(path), "{path}");
        }
        for path in ["/v2/metrics", "/info", "", "/metricsx"] {
            assert!(!is_private(path), "{path}");
        }
    }
}
