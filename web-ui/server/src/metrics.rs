//! What Prometheus reads: calls, their time, failures of the model server, the process.
//!
//! Every label comes from a closed set and starts at zero, so that a rate is right from the first call on.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Method, StatusCode};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use toxicity_service::InFlight;

use crate::{assets::Wanted, proxy};

/// From a file out of the page cache to a long text that waits for its turn.
const BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

const METHODS: [&str; 5] = ["GET", "HEAD", "OPTIONS", "POST", "other"];
const STATUS_CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// What answered a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handler {
    Api,
    File,
    Health,
    Metrics,
    Page,
}

impl Handler {
    const ALL: [Self; 5] = [Self::Api, Self::File, Self::Health, Self::Metrics, Self::Page];

    fn of(path: &str) -> Self {
        match path {
            "/healthz" => Self::Health,
            "/metrics" => Self::Metrics,
            path if proxy::is_proxied(path) => Self::Api,
            path => match Wanted::of(path) {
                Wanted::Page => Self::Page,
                Wanted::File => Self::File,
            },
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::File => "file",
            Self::Health => "health",
            Self::Metrics => "metrics",
            Self::Page => "page",
        }
    }
}

/// How the model server failed to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpstreamFailure {
    /// No connection, or it ended before the answer.
    Unreachable,
    /// No answer within the time limit.
    TimedOut,
}

impl UpstreamFailure {
    const ALL: [Self; 2] = [Self::Unreachable, Self::TimedOut];

    fn label(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timeout",
        }
    }
}

/// All metrics of the server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    duration: HistogramVec,
    upstream_errors: IntCounterVec,
    in_flight: IntGauge,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new(
                "toxicity_web_requests_total",
                "Calls answered, by what answered, method and status class.",
            ),
            &["handler", "method", "status"],
        )?;
        let duration = HistogramVec::new(
            HistogramOpts::new(
                "toxicity_web_request_duration_seconds",
                "Time from the head of a call to the head of its answer, by what answered.",
            )
            .buckets(BUCKETS.to_vec()),
            &["handler"],
        )?;
        let upstream_errors = IntCounterVec::new(
            Opts::new(
                "toxicity_web_upstream_errors_total",
                "Calls that the model server did not answer, by how it failed.",
            ),
            &["kind"],
        )?;
        let in_flight = IntGauge::new(
            "toxicity_web_requests_in_flight",
            "Calls being answered at this moment.",
        )?;
        let build_info = IntGaugeVec::new(
            Opts::new(
                "toxicity_web_build_info",
                "Always 1; the label tells the version of the server.",
            ),
            &["version"],
        )?;

        for handler in Handler::ALL {
            duration.with_label_values(&[handler.label()]);
            for method in METHODS {
                for status in STATUS_CLASSES {
                    requests.with_label_values(&[handler.label(), method, status]);
                }
            }
        }
        for failure in UpstreamFailure::ALL {
            upstream_errors.with_label_values(&[failure.label()]);
        }
        build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);

        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(duration.clone()))?;
        registry.register(Box::new(upstream_errors.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(build_info))?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        Ok(Self {
            registry,
            requests,
            duration,
            upstream_errors,
            in_flight,
        })
    }

    pub(crate) fn count_upstream_failure(&self, failure: UpstreamFailure) {
        self.upstream_errors.with_label_values(&[failure.label()]).inc();
    }

    pub(crate) fn render(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// Counts and times every call and writes its line in the log. The line holds no path and no query: either may carry
/// what someone wrote.
pub(crate) async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let handler = Handler::of(request.uri().path()).label();
    let method = method_label(request.method());
    let started = Instant::now();
    let in_flight = InFlight::enter(&metrics.in_flight);
    let response = next.run(request).await;
    drop(in_flight);
    let elapsed = started.elapsed();
    let status = response.status();
    metrics
        .requests
        .with_label_values(&[handler, method, status_class(status)])
        .inc();
    metrics
        .duration
        .with_label_values(&[handler])
        .observe(elapsed.as_secs_f64());
    tracing::debug!(
        handler,
        method,
        status = status.as_u16(),
        seconds = elapsed.as_secs_f64(),
        "answered"
    );
    response
}

fn method_label(method: &Method) -> &'static str {
    METHODS
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_series_exist_before_the_first_call() {
        let text = Metrics::new()
            .expect("metrics are consistent")
            .render()
            .expect("metrics are text");
        for line in [
            "toxicity_web_requests_total{handler=\"api\",method=\"POST\",status=\"5xx\"} 0",
            "toxicity_web_request_duration_seconds_count{handler=\"page\"} 0",
            "toxicity_web_upstream_errors_total{kind=\"timeout\"} 0",
            "toxicity_web_requests_in_flight 0",
            "toxicity_web_build_info{version=\"0.1.0\"} 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
        assert!(text.contains("process_cpu_seconds_total"));
    }

    #[test]
    fn labels_are_closed() {
        assert_eq!(Handler::of("/api/v1/analyze"), Handler::Api);
        assert_eq!(Handler::of("/apiary"), Handler::Page);
        assert_eq!(Handler::of("/assets/a.js"), Handler::File);
        assert_eq!(
            method_label(&Method::from_bytes(b"BREW").expect("a token")),
            "other"
        );
        assert_eq!(status_class(StatusCode::SWITCHING_PROTOCOLS), "2xx");
    }
}
