//! What Prometheus scrapes and alerts on: objects of `monitoring.coreos.com/v1`.

use serde_json::{Value, json};

use super::metadata::{component_metadata, monitor_metadata, selector, with_labels};
use crate::component::Component;
use crate::controller::validate::ValidatedMonitor;

/// The alerts, with words to fill in.
const ALERTS: &str = include_str!("../../../../alerts/monitor.yaml");

/// Tells Prometheus to scrape a component.
pub fn service_monitor(monitor: &ValidatedMonitor, component: Component) -> Value {
    let port = match component {
        Component::ModelServer => "metrics",
        Component::WebUi => "http",
    };
    let metadata = with_labels(
        component_metadata(monitor, component),
        &monitor.spec.monitoring.labels,
    );
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata,
        "spec": {
            "selector": selector(monitor, component),
            "endpoints": [{
                "port": port,
                "path": "/metrics",
                "interval": monitor.spec.monitoring.service_monitor.interval,
            }],
        },
    })
}

/// The alerts on a monitor.
pub fn prometheus_rule(monitor: &ValidatedMonitor) -> Value {
    let monitoring = &monitor.spec.monitoring;
    let alerting = &monitoring.alerting;
    let seconds = f64::from(alerting.latency_milliseconds) / 1000.0;
    let text = ALERTS
        .replace("${NAMESPACE}", &monitor.key.namespace)
        .replace("${MONITOR}", &monitor.key.name)
        .replace("${ERROR_PERCENT}", &alerting.error_percent.to_string())
        .replace("${LATENCY_SECONDS}", &seconds.to_string());
    let mut spec: Value = serde_yaml::from_str(&text).expect("the alerts are YAML");
    for group in spec["groups"].as_array_mut().into_iter().flatten() {
        for rule in group["rules"].as_array_mut().into_iter().flatten() {
            for (name, value) in &alerting.labels {
                rule["labels"][name] = json!(value);
            }
            rule["labels"]["monitor"] = json!(monitor.key.name);
            rule["labels"]["namespace"] = json!(monitor.key.namespace);
        }
    }
    let metadata = with_labels(monitor_metadata(monitor, "monitor"), &monitoring.labels);
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": spec,
    })
}
