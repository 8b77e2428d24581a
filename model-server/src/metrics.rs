//! The server's metrics: prefix `toxicity_`, base units, closed label sets, all series there from the start.
//! Never text, user or request ids.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use toxicity_protocols::open_inference::statistics::{CountedDuration, Counts, InferenceDurations};

use toxicity_records::{Agreement, LossReason, Source};

use crate::drift::Drift;
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
const STATUSES: [&str; 13] = [
    "200", "400", "401", "403", "404", "405", "408", "413", "415", "422", "424", "429", "503",
];

/// Differences of scores between two models.
const DIFFERENCES: [f64; 8] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5];

/// Value of the label of agreement on texts as a whole.
const OVERALL: &str = "overall";

/// What can come of a text for the shadow model.
const SHADOW_OUTCOMES: [&str; 3] = ["compared", "failed", "dropped"];

/// What can come of loading a model.
const LOAD_OUTCOMES: [&str; 3] = ["swapped", "unchanged", "failed"];

/// Name in the `route` label of everything that is not a route of [`ROUTES`]: probes, documents, unknown paths.
pub(crate) const OTHER: &str = "other";

/// Routes by their name in the `route` label.
pub(crate) const ROUTES: [&str; 13] = [
    "/v1/analyze",
    "/predict",
    "/",
    "/analyzer",
    "/v1alpha1/comments:analyze",
    "/v1alpha1/comments:suggestscore",
    "/v1/moderations",
    "/v2/models/{model}/infer",
    "/v2/models/{model}/versions/{version}/infer",
    "/inference.GRPCInferenceService/{method}",
    "/v1/models/{model}",
    "/info",
    OTHER,
];

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

/// The series of each label of a model.
pub struct LabelSeries(Vec<(Histogram, IntCounter)>);

/// Every metric of the model server, in a registry of its own.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    last_request: Gauge,
    stage_duration: HistogramVec,
    scores: HistogramVec,
    flags: IntCounterVec,
    reloads: IntCounterVec,
    records_lost: IntCounterVec,
    feedback: IntCounterVec,
    agreement: GaugeVec,
    judgements: IntGauge,
    /// Records written.
    pub records_written: IntCounter,
    /// Attempts to write records that failed.
    pub record_write_failures: IntCounter,
    records_queued: IntGauge,
    record_bytes_queued: IntGauge,
    stability: GaugeVec,
    reference_texts: IntGauge,
    learning: IntGauge,
    shadow_texts: IntCounterVec,
    shadow_differences: HistogramVec,
    shadow_disagreements: IntCounterVec,
    model_info: IntGaugeVec,
    build_info: IntGaugeVec,
    /// Requests being answered.
    pub requests_in_flight: IntGauge,
    /// Requests refused because all places were taken.
    pub rejected_requests: IntCounter,
    /// Requests refused for want of a known API key.
    pub unauthenticated_requests: IntCounter,
    /// Requests refused because the rate limit of their key was used up.
    pub rate_limited_requests: IntCounter,
    /// 1 when the file of keys cannot be used and older keys are in force.
    pub keys_stale: IntGauge,
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
    pass_tokens: IntCounter,
    batches: IntCounter,
    padding_tokens: IntCounter,
    /// Passes taken back before they began because the client left.
    pub cancelled_passes: IntCounter,
    /// Passes not run because the time of their request was over.
    pub expired_passes: IntCounter,
    /// Passes that wait.
    pub queue_depth: IntGauge,
    /// Tokens of the passes that wait.
    pub queued_tokens: IntGauge,
    /// Texts answered from the cache.
    pub cache_hits: IntCounter,
    /// Texts that were not in the cache.
    pub cache_misses: IntCounter,
    /// Texts in the cache.
    pub cache_entries: IntGauge,
    /// Bytes of the cache.
    pub cache_bytes: IntGauge,
    /// Seconds from the start of the process until the model answered.
    pub startup_duration: Gauge,
    /// 1 when the readiness probe would succeed.
    pub ready: IntGauge,
}

impl Metrics {
    /// A registry with every series at zero, but for those of the model's labels: see [`Self::label_series`].
    #[must_use]
    #[allow(clippy::too_many_lines, reason = "it is one list")]
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
            unauthenticated_requests: counter(
                "toxicity_unauthenticated_requests_total",
                "Requests refused for want of a known API key.",
            ),
            rate_limited_requests: counter(
                "toxicity_rate_limited_requests_total",
                "Requests refused with 429 because the rate limit of their API key was used up.",
            ),
            keys_stale: gauge(
                "toxicity_api_keys_stale",
                "1 while the file of API keys cannot be used and the keys in force are older than it.",
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
            queued_tokens: gauge(
                "toxicity_queue_tokens",
                "Tokens of the forward passes that wait for a session.",
            ),
            expired_passes: counter(
                "toxicity_expired_passes_total",
                "Forward passes not run because the time limit of their request had passed.",
            ),
            batches: counter("toxicity_batches_total", "Batches of forward passes run."),
            padding_tokens: counter(
                "toxicity_padding_tokens_total",
                "Tokens by which shorter sequences of a batch were filled up.",
            ),
            cache_hits: counter("toxicity_cache_hits_total", "Texts answered from the cache."),
            cache_misses: counter(
                "toxicity_cache_misses_total",
                "Texts that were not in the cache; of identical ones in flight only the first is scored.",
            ),
            cache_entries: gauge("toxicity_cache_entries", "Texts in the cache."),
            cache_bytes: gauge("toxicity_cache_bytes", "Memory that the cache takes, about."),
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
            ready: gauge("toxicity_ready", "1 while the readiness probe succeeds."),
            startup_duration: seconds(
                "toxicity_startup_duration_seconds",
                "Time from the start of the server until the model had answered; 0 before.",
            ),
            records_written: counter("toxicity_records_written_total", "Records of verdicts written."),
            record_write_failures: counter(
                "toxicity_record_write_failures_total",
                "Attempts to write records that failed; they are repeated.",
            ),
            records_queued: gauge("toxicity_records_queued", "Records that wait to be written."),
            record_bytes_queued: gauge(
                "toxicity_records_queued_bytes",
                "Memory of the records that wait to be written.",
            ),
            records_lost: counters(
                "toxicity_records_dropped_total",
                "Records of verdicts that were lost, by reason.",
                &["reason"],
            ),
            feedback: counters(
                "toxicity_feedback_total",
                "Feedback stored, by the way it came.",
                &["source"],
            ),
            agreement: register(
                &registry,
                GaugeVec::new(
                    Opts::new(
                        "toxicity_feedback_agreement_ratio",
                        "Share of judgements of the last 30 days in which people and the model agree whether a text is \
                         toxic, and on each label; 0 before the first.",
                    ),
                    &["label"],
                ),
            ),
            judgements: gauge(
                "toxicity_feedback_judgements",
                "Judgements of the last 30 days that the agreement rests on.",
            ),
            stability: register(
                &registry,
                GaugeVec::new(
                    Opts::new(
                        "toxicity_score_stability_index",
                        "Population stability index of the scores of a label against the reference; 0 while too few \
                         texts are known.",
                    ),
                    &["label"],
                ),
            ),
            reference_texts: gauge(
                "toxicity_score_reference_texts",
                "Texts that the reference of the stability index rests on.",
            ),
            learning: gauge(
                "toxicity_score_reference_learning",
                "1 while the reference of the stability index is being learned.",
            ),
            shadow_texts: counters(
                "toxicity_shadow_texts_total",
                "Texts for the shadow model, by outcome.",
                &["outcome"],
            ),
            shadow_differences: histograms(
                "toxicity_shadow_score_difference",
                "Absolute difference between the scores of the model and its shadow, by label.",
                &DIFFERENCES,
                &["label"],
            ),
            shadow_disagreements: counters(
                "toxicity_shadow_disagreements_total",
                "Texts that only one of the model and its shadow flags, by label.",
                &["label"],
            ),
            reloads: counters(
                "toxicity_model_loads_total",
                "Times that a model was loaded, at the start and on request, by outcome.",
                &["outcome"],
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
        for reason in LossReason::ALL {
            self.records_lost.with_label_values(&[reason.name()]);
        }
        for source in [Source::Suggestscore, Source::Review, Source::Api] {
            let _ = self.feedback(source);
        }
        self.agreement.with_label_values(&[OVERALL]);
        for outcome in SHADOW_OUTCOMES {
            self.shadow_texts.with_label_values(&[outcome]);
        }
        for outcome in LOAD_OUTCOMES {
            self.reloads.with_label_values(&[outcome]);
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

    /// Counter of records lost for a reason.
    #[must_use]
    pub fn records_lost(&self, reason: LossReason) -> IntCounter {
        self.records_lost.with_label_values(&[reason.name()])
    }

    /// Counter of feedback that came one way.
    #[must_use]
    pub fn feedback(&self, source: Source) -> IntCounter {
        let name = match source {
            Source::Suggestscore => "suggestscore",
            Source::Review => "review",
            Source::Api => "api",
        };
        self.feedback.with_label_values(&[name])
    }

    /// Sets how many records wait to be written, and the memory they take.
    pub fn set_records_queued(&self, (records, bytes): (usize, usize)) {
        let gauge = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.records_queued.set(gauge(records));
        self.record_bytes_queued.set(gauge(bytes));
    }

    /// Sets how far people and the model agree.
    pub fn set_agreement(&self, agreement: &Agreement) {
        let judgements = agreement.overall.judgements();
        self.judgements.set(i64::try_from(judgements).unwrap_or(i64::MAX));
        self.agreement.reset();
        let labels = agreement
            .labels
            .iter()
            .map(|(label, confusion)| (label.as_str(), confusion));
        for (label, confusion) in labels.chain([(OVERALL, &agreement.overall)]) {
            let ratio = confusion.agreement().unwrap_or_default();
            self.agreement.with_label_values(&[label]).set(ratio);
        }
    }

    /// Counter of texts for the shadow model with one of the outcomes `compared`, `failed` and `dropped`.
    #[must_use]
    pub fn shadow_texts(&self, outcome: &'static str) -> IntCounter {
        debug_assert!(SHADOW_OUTCOMES.contains(&outcome));
        self.shadow_texts.with_label_values(&[outcome])
    }

    /// Takes in how far the shadow model is from the model on one label. `label` must be one of the shadow model's.
    pub fn observe_shadow(&self, label: &str, difference: f32, agree: bool) {
        self.shadow_differences
            .with_label_values(&[label])
            .observe(f64::from(difference));
        let disagreements = self.shadow_disagreements.with_label_values(&[label]);
        disagreements.inc_by(u64::from(!agree));
    }

    /// Sets what is known of the drift of a model's scores.
    pub fn set_drift(&self, labels: &[String], drift: &Drift) {
        self.reference_texts
            .set(i64::try_from(drift.reference_texts).unwrap_or(i64::MAX));
        self.learning.set(i64::from(drift.learning));
        for (index, label) in labels.iter().enumerate() {
            let stability = drift.stability.as_ref().map_or(0.0, |stability| stability[index]);
            self.stability.with_label_values(&[label]).set(stability);
        }
    }

    /// Counter of loads with one of the outcomes `swapped`, `unchanged` and `failed`.
    #[must_use]
    pub fn reloads(&self, outcome: &'static str) -> IntCounter {
        debug_assert!(LOAD_OUTCOMES.contains(&outcome));
        self.reloads.with_label_values(&[outcome])
    }

    /// What the Open Inference Protocol's statistics tell.
    #[must_use]
    pub fn open_inference_counts(&self) -> Counts {
        let stage = |stage: Stage| {
            let histogram = self.stage_duration.with_label_values(&[stage.name()]);
            counted(histogram.get_sample_count(), histogram.get_sample_sum())
        };
        let (mut success, mut fail, mut seconds) = (0, 0, 0.0);
        for route in ROUTES
            .into_iter()
            .filter(|route| !matches!(*route, "/info" | OTHER))
        {
            seconds += self.request_duration.with_label_values(&[route]).get_sample_sum();
            for status in STATUSES {
                let count = self.requests.with_label_values(&[route, status]).get();
                *(if status == "200" { &mut success } else { &mut fail }) += count;
            }
        }
        let inference = stage(Stage::Inference);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "milliseconds since 1970 fit"
        )]
        let last_inference = (self.last_request.get() * 1e3) as u64;
        Counts {
            last_inference,
            inference_count: self.cache_misses.get(),
            execution_count: self.batches.get(),
            inference_stats: InferenceDurations {
                // Failures take hardly any time.
                success: counted(success, seconds),
                fail: counted(fail, 0.0),
                queue: stage(Stage::Queue),
                compute_input: stage(Stage::Tokenize),
                compute_infer: inference,
                compute_output: CountedDuration::default(),
                cache_hit: counted(self.cache_hits.get(), 0.0),
                cache_miss: counted(self.cache_misses.get(), 0.0),
            },
        }
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

    /// Counts a batch that a session ran.
    pub fn observe_batch(&self, sequences: usize, tokens: usize, padding: usize) {
        debug_assert!(sequences > 0, "an empty batch is not run");
        self.batches.inc();
        self.pass_tokens.inc_by(tokens as u64);
        self.padding_tokens.inc_by(padding as u64);
    }

    /// Names the loaded model, in place of the one before, and starts the series of its labels.
    pub fn set_model(&self, model: &Model) {
        let identity = &model.identity;
        self.model_info.reset();
        self.model_info
            .with_label_values(&[&identity.name, &identity.revision])
            .set(1);
    }

    /// The series of a model's labels, in its order.
    #[must_use]
    pub fn label_series(&self, labels: &[String]) -> LabelSeries {
        let series = |label: &String| {
            (
                self.scores.with_label_values(&[label]),
                self.flags.with_label_values(&[label]),
            )
        };
        LabelSeries(labels.iter().map(series).collect())
    }

    /// Counts what was said of one text.
    pub fn observe_judgement(
        &self,
        series: &LabelSeries,
        judgement: &Judgement,
        tokens: usize,
        windows: usize,
    ) {
        self.texts.inc();
        self.text_tokens.inc_by(tokens as u64);
        self.windows.inc_by(windows as u64);
        if !judgement.flagged.is_empty() {
            self.flagged_texts.inc();
        }
        for &label in &judgement.labels {
            let (scores, flags) = &series.0[label];
            scores.observe(f64::from(judgement.scores[label]));
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

fn counted(count: u64, seconds: f64) -> CountedDuration {
    CountedDuration::new(count, Duration::try_from_secs_f64(seconds).unwrap_or_default())
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
