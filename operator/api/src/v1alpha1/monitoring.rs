//! What Prometheus and Grafana get to know.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Scraping, alerts and dashboard. Where the APIs of prometheus-operator are not installed, what needs them is left
/// out, the condition MonitoringConfigured says so, and it is made up for as soon as they appear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Monitoring {
    /// Scraping of the model server and of the web UI.
    #[serde(default)]
    pub service_monitor: ServiceMonitorOptions,

    /// Alerts on this monitor.
    #[serde(default)]
    pub prometheus_rule: PrometheusRuleOptions,

    /// A Grafana dashboard of this monitor.
    #[serde(default)]
    pub dashboard: Dashboard,

    /// Labels for the ServiceMonitors and the PrometheusRule, by which Prometheus selects them, such as
    /// `{release: prometheus}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub labels: BTreeMap<String, String>,

    /// When alerts fire, and what they carry.
    #[serde(default)]
    pub alerting: Alerting,
}

/// Scraping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.interval.matches('^([0-9]+(ms|s|m|h))+$')")
        .message("monitoring.serviceMonitor.interval must be a duration such as 30s or 1m")
        .field_path(".interval"),
)]
pub struct ServiceMonitorOptions {
    /// Whether Prometheus is told to scrape.
    #[serde(default = "enabled")]
    pub enabled: bool,

    /// Time between two scrapes.
    #[serde(default = "interval")]
    #[schemars(length(min = 2, max = 32))]
    pub interval: String,
}

impl Default for ServiceMonitorOptions {
    fn default() -> Self {
        Self {
            enabled: enabled(),
            interval: interval(),
        }
    }
}

/// Alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusRuleOptions {
    /// Whether there are alerts.
    #[serde(default = "enabled")]
    pub enabled: bool,
}

impl Default for PrometheusRuleOptions {
    fn default() -> Self {
        Self { enabled: enabled() }
    }
}

/// A dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Whether there is a ConfigMap with the dashboard.
    #[serde(default = "enabled")]
    pub enabled: bool,

    /// Labels by which the sidecar of Grafana finds the ConfigMap.
    #[serde(default = "dashboard_labels")]
    #[schemars(extend("maxProperties" = 64))]
    pub labels: BTreeMap<String, String>,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            enabled: enabled(),
            labels: dashboard_labels(),
        }
    }
}

/// When alerts fire, and what they carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alerting {
    /// Share of answers with a server error, in percent, over which the alert on errors fires.
    #[serde(default = "error_percent")]
    #[schemars(range(min = 1, max = 100))]
    pub error_percent: i32,

    /// 95th percentile of the time of a request, in milliseconds, over which the alert on latency fires.
    #[serde(default = "latency_milliseconds")]
    #[schemars(range(min = 1, max = 600_000))]
    pub latency_milliseconds: i32,

    /// Labels for every alert, by which Alertmanager routes it, such as `{team: trust-and-safety}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub labels: BTreeMap<String, String>,
}

impl Default for Alerting {
    fn default() -> Self {
        Self {
            error_percent: error_percent(),
            latency_milliseconds: latency_milliseconds(),
            labels: BTreeMap::new(),
        }
    }
}

fn enabled() -> bool {
    true
}

fn interval() -> String {
    "30s".to_owned()
}

fn dashboard_labels() -> BTreeMap<String, String> {
    BTreeMap::from([("grafana_dashboard".to_owned(), "1".to_owned())])
}

fn error_percent() -> i32 {
    5
}

fn latency_milliseconds() -> i32 {
    1000
}
