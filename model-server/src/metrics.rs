//! The server's metrics: prefix `toxicity_`, base units, closed label sets, all series there from the start.
//! Never text, user or request ids.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};

use crate::model::Model;
use crate::verdict::Judgement;

/// From the fastest answer of a small model on one core to the default time limit.
const REQUEST_SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Stages are shorter than requests: tokenizing a comment takes some 50 microseconds.
const STAGE_SECONDS: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

/// Scores crowd at both ends, so the edges are finer there.
const SCORES: [f64; 13] = [
    0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
];

/// Statuses that a route answers with; the series of each are there from the start.
const STATUSES: [&str; 10] = [
    "200", "400", "404", "405", "408", "413", "415", "422", "429", "503",
];

/// Name in the `route` label of everything that is not a route of [`ROUTES`]: probes, documents, unknown paths.
pub(crate) const OTHER: &str = "other";

/// Routes by their name in the `route` label.
pub(crate) const ROUTES: [&str; 5] = ["/v1/analyze", "/predict", "/analyzer", "/info", OTHER];

/// A part of the way of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Text to tokens.
    Tokenize,
    /// Waiting for a session.
    Queue,
    /// The forward pass.
    Inference,
    /// Finding the words that carry the verdict.
    Spans,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Tokenize, Self::Queue, Self::Inference, Self::Spans];

    fn name(self) -> &'static str {
        match self {
            Self::Tokenize => "tokenize",
            Self::Queue => "queue",
            Self::Inference => "inference",
            Self::Spans => "spans",
        }
    }
}

/// Every metric of the model server, in a registry of its own.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    last_request: Gauge,
    stage_duration: HistogramVec,
    scores: HistogramVec,
    flags: IntCounterVec,
    label_series: OnceLock<Vec<(Histogram, IntCounter)>>,
    model_info: IntGaugeVec,
    build_info: IntGaugeVec,
    /// Requests being answered.
    pub requests_in_flight: IntGauge,
    /// Requests refused because all places were taken.
    pub rejected_requests: IntCounter,
    /// Failures inside the server: the model, a session, the tokenizer.
    pub exceptions: IntCounter,
    /// Texts scored.
    pub texts: IntCounter,
    /// Texts flagged.
    pub flagged_texts: IntCounter,
    /// Windows scored; more than the texts where texts are long.
    pub windows: IntCounter,
    /// Tokens of the texts, without special tokens and without overlaps.
    pub text_tokens: IntCounter,
    /// Tokens of all forward passes, special tokens, overlaps and span search included.
    pub pass_tokens: IntCounter,
    /// Passes taken back before they began because the client left.
    pub cancelled_passes: IntCounter,
    /// Passes that wait.
    pub queue_depth: IntGauge,
    /// Seconds from the start of the process until the model answered.
    pub startup_duration: Gauge,
    /// 1 when the readiness probe would succeed.
    pub ready: IntGauge,
}

impl Metrics {
    /// A registry with every series at zero, but for those of the model's labels: see [`Self::set_model`].
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counter = |name, help| register(&registry, IntCounter::with_opts(Opts::new(name, help)));
        let gauge = |name, help| register(&registry, IntGauge::with_opts(Opts::new(name, help)));
        let seconds = |name, help| register(&registry, Gauge::with_opts(Opts::new(name, help)));
        let counters = |name, help, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let info = |name, help, labels: &[&str]| {
            register(&registry, IntGaugeVec::new(Opts::new(name, help), labels))
        };
        let histograms = |name, help, buckets: &[f64], labels: &[&str]| {
            let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            register(&registry, HistogramVec::new(options, labels))
        };
        let metrics = Self {
            requests: counters(
                "toxicity_requests_total",
                "Requests by route and HTTP status.",
                &["route", "status"],
            ),
            request_duration: histograms(
                "toxicity_request_duration_seconds",
                "Time from the head of a request to the head of its answer, by route.",
                &REQUEST_SECONDS,
                &["route"],
            ),
            requests_in_flight: gauge("toxicity_requests_in_flight", "Requests being answered."),
            rejected_requests: counter(
                "toxicity_rejected_requests_total",
                "Requests refused with 429 because all places were taken.",
            ),
            last_request: seconds(
                "toxicity_last_request_timestamp_seconds",
                "When the last scoring request came, in seconds since 1970; 0 before the first.",
            ),
            exceptions: counter(
                "toxicity_exceptions_total",
                "Failures inside the server: of the model, a session or the tokenizer.",
            ),
            stage_duration: histograms(
                "toxicity_stage_duration_seconds",
                "Time in each stage: tokenize and spans per text, queue and inference per forward pass.",
                &STAGE_SECONDS,
                &["stage"],
            ),
            queue_depth: gauge("toxicity_queue_depth", "Forward passes that wait for a session."),
            cancelled_passes: counter(
                "toxicity_cancelled_passes_total",
                "Forward passes dropped before they began because the client had left.",
            ),
            pass_tokens: counter(
                "toxicity_pass_tokens_total",
                "Tokens of all forward passes, with special tokens, overlaps and the search for spans.",
            ),
            texts: counter("toxicity_texts_total", "Texts scored."),
            text_tokens: counter(
                "toxicity_text_tokens_total",
                "Tokens of the texts scored, without special tokens and overlaps.",
            ),
            windows: counter(
                "toxicity_windows_total",
                "Windows scored; more than the texts where texts are long.",
            ),
            flagged_texts: counter(
                "toxicity_flagged_texts_total",
                "Texts that reached at least one threshold.",
            ),
            scores: histograms("toxicity_score", "Scores given, by label.", &SCORES, &["label"]),
            flags: counters(
                "toxicity_flags_total",
                "Texts that reached the threshold of a label.",
                &["label"],
            ),
            label_series: OnceLock::new(),
            ready: gauge("toxicity_ready", "1 while the readiness probe succeeds."),
            startup_duration: seconds(
                "toxicity_startup_duration_seconds",
                "Time from the start of the server until the model had answered; 0 before.",
            ),
            model_info: info(
                "toxicity_model_info",
                "1 for the loaded model.",
                &["name", "revision"],
            ),
            build_info: info("toxicity_build_info", "1 for the running build.", &["version"]),
            registry: registry.clone(),
        };
        #[cfg(target_os = "linux")]
        registry
            .register(Box::new(ProcessCollector::for_self()))
            .expect("names are unique");
        metrics.initialise_series();
        metrics
    }

    fn initialise_series(&self) {
        for route in ROUTES {
            self.request_duration.with_label_values(&[route]);
            for status in STATUSES {
                self.requests.with_label_values(&[route, status]);
            }
        }
        for stage in Stage::ALL {
            self.stage_duration.with_label_values(&[stage.name()]);
        }
        self.build_info
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
    }

    /// Counts an answered request. `route` must be one of the closed set of route names.
    pub fn observe_request(&self, route: &'static str, status: u16, duration: Duration) {
        self.requests
            .with_label_values(&[route, status.to_string().as_str()])
            .inc();
        self.request_duration
            .with_label_values(&[route])
            .observe(duration.as_secs_f64());
    }

    /// Notes that a scoring request has come.
    pub fn note_request_time(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_request.set(now.as_secs_f64());
    }

    /// Adds the time a text or pass spent in a stage.
    pub fn observe_stage(&self, stage: Stage, duration: Duration) {
        self.stage_duration
            .with_label_values(&[stage.name()])
            .observe(duration.as_secs_f64());
    }

    /// Names the loaded model and starts the series of its labels. Later calls change nothing.
    pub fn set_model(&self, model: &Model) {
        let identity = &model.identity;
        self.model_info
            .with_label_values(&[&identity.name, &identity.revision])
            .set(1);
        self.label_series.get_or_init(|| {
            let series = |label: &String| {
                (
                    self.scores.with_label_values(&[label]),
                    self.flags.with_label_values(&[label]),
                )
            };
            model.labels.iter().map(series).collect()
        });
    }

    /// Counts what was said of one text.
    pub fn observe_judgement(&self, judgement: &Judgement, tokens: usize, windows: usize) {
        self.texts.inc();
        self.text_tokens.inc_by(tokens as u64);
        self.windows.inc_by(windows as u64);
        if !judgement.flagged.is_empty() {
            self.flagged_texts.inc();
        }
        let Some(series) = self.label_series.get() else {
            return;
        };
        for (&label, &score) in judgement.labels.iter().zip(&judgement.scores) {
            let (scores, flags) = &series[label];
            scores.observe(f64::from(score));
            if judgement.flagged.contains(&label) {
                flags.inc();
            }
        }
    }

    /// All metrics in the Prometheus text format.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn render(&self) -> prometheus::Result<String> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Adds a collector to the registry. Names, labels and buckets are constants of this file, so a refusal is a
/// mistake in it that every test finds.
fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: prometheus::Result<C>) -> C {
    let collector = collector.expect("names, labels and buckets are valid");
    registry
        .register(Box::new(collector.clone()))
        .expect("names are unique");
    collector
}
