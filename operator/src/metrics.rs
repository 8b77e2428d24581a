//! What the operator counts, for Prometheus.

use std::time::Duration;

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::child::ChildKind;

/// Reconciles take from a millisecond (nothing to do) to minutes (an API server under load).
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];

/// How a reconcile ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Children are as the spec asks.
    Applied,
    /// Something the spec needs is missing, or the spec cannot be met.
    Invalid,
    /// Asking the API server failed.
    Failed,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Applied, Self::Invalid, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
        }
    }
}

/// What was written to the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// A child was applied.
    Apply,
    /// A child was deleted.
    Delete,
}

impl Write {
    const ALL: [Self; 2] = [Self::Apply, Self::Delete];

    fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Delete => "delete",
        }
    }
}

/// What the operator counts.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    reconciles: IntCounterVec,
    duration: HistogramVec,
    writes: IntCounterVec,
    status_writes: IntCounterVec,
    requests: IntCounterVec,
    watch_errors: IntCounterVec,
    optional_apis: IntGaugeVec,
    /// Monitors, by whether they are ready.
    pub monitors: IntGaugeVec,
    /// 1 while this operator leads.
    pub leader: IntGauge,
}

impl Metrics {
    /// Registers everything, at zero.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels).expect("the name is valid");
            register(&registry, &counter);
            counter
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), labels).expect("the name is valid");
            register(&registry, &gauge);
            gauge
        };
        let duration = HistogramVec::new(
            HistogramOpts::new(
                "toxicity_operator_reconcile_duration_seconds",
                "Time of one look at a monitor, by how it ended.",
            )
            .buckets(SECONDS.to_vec()),
            &["outcome"],
        )
        .expect("the name is valid");
        register(&registry, &duration);
        let leader = IntGauge::new("toxicity_operator_leader", "1 while this operator leads.")
            .expect("the name is valid");
        register(&registry, &leader);
        let metrics = Self {
            reconciles: counter(
                "toxicity_operator_reconciles_total",
                "Looks at a monitor, by how they ended.",
                &["outcome"],
            ),
            writes: counter(
                "toxicity_operator_child_writes_total",
                "Children applied and deleted, by kind. It stands still when nothing changes.",
                &["kind", "operation"],
            ),
            status_writes: counter(
                "toxicity_operator_status_writes_total",
                "Statuses and events written.",
                &["kind"],
            ),
            requests: counter(
                "toxicity_operator_api_requests_total",
                "Requests to the API server, by method.",
                &["method"],
            ),
            watch_errors: counter(
                "toxicity_operator_watch_errors_total",
                "Watches that broke and were begun again, by kind.",
                &["kind"],
            ),
            optional_apis: gauges(
                "toxicity_operator_optional_api_installed",
                "1 when the cluster has the optional API.",
                &["kind"],
            ),
            monitors: gauges(
                "toxicity_operator_monitors",
                "Monitors, by the status of their condition Ready.",
                &["ready"],
            ),
            duration,
            leader,
            registry,
        };
        metrics.initialise();
        metrics
    }

    fn initialise(&self) {
        for outcome in Outcome::ALL {
            self.reconciles.with_label_values(&[outcome.as_str()]);
            self.duration.with_label_values(&[outcome.as_str()]);
        }
        for kind in ChildKind::ALL {
            for write in Write::ALL {
                self.writes.with_label_values(&[kind.as_str(), write.as_str()]);
            }
            self.watch_errors.with_label_values(&[kind.as_str()]);
            if kind.is_optional() {
                self.optional_apis.with_label_values(&[kind.as_str()]);
            }
        }
        for kind in ["ToxicityMonitor", "Event"] {
            self.status_writes.with_label_values(&[kind]);
        }
        for kind in ["Pod", "ToxicityMonitor"] {
            self.watch_errors.with_label_values(&[kind]);
        }
        for ready in ["True", "False", "Unknown"] {
            self.monitors.with_label_values(&[ready]);
        }
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            self.requests.with_label_values(&[method]);
        }
        let build = IntGaugeVec::new(
            Opts::new("toxicity_operator_build_info", "1 for the running build."),
            &["version"],
        )
        .expect("the name is valid");
        register(&self.registry, &build);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        #[cfg(target_os = "linux")]
        self.registry
            .register(Box::new(
                prometheus::process_collector::ProcessCollector::for_self(),
            ))
            .expect("each name is registered once");
    }

    /// Counts a look at a monitor.
    pub fn reconciled(&self, outcome: Outcome, elapsed: Duration) {
        self.reconciles.with_label_values(&[outcome.as_str()]).inc();
        self.duration
            .with_label_values(&[outcome.as_str()])
            .observe(elapsed.as_secs_f64());
    }

    /// Counts a write to a child.
    pub fn wrote(&self, kind: ChildKind, write: Write) {
        self.writes
            .with_label_values(&[kind.as_str(), write.as_str()])
            .inc();
    }

    /// Counts a written status.
    pub fn wrote_status(&self) {
        self.status_writes.with_label_values(&["ToxicityMonitor"]).inc();
    }

    /// Counts a written event.
    pub fn wrote_event(&self) {
        self.status_writes.with_label_values(&["Event"]).inc();
    }

    /// Counts a request to the API server.
    pub fn requested(&self, method: &http::Method) {
        let method = match method.as_str() {
            known @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE") => known,
            _ => "GET",
        };
        self.requests.with_label_values(&[method]).inc();
    }

    /// Counts a watch that broke.
    pub fn lost_watch(&self, kind: &str) {
        self.watch_errors.with_label_values(&[kind]).inc();
    }

    /// Says whether the cluster has an optional API.
    pub fn set_optional_api(&self, kind: ChildKind, installed: bool) {
        self.optional_apis
            .with_label_values(&[kind.as_str()])
            .set(i64::from(installed));
    }

    /// Everything, in the text format of Prometheus.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .expect("metrics are written to memory");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn register<C: prometheus::core::Collector + Clone + 'static>(registry: &Registry, collector: &C) {
    registry
        .register(Box::new(collector.clone()))
        .expect("each name is registered once");
}
