//! The Grafana dashboard of a monitor, in a ConfigMap that Grafana's sidecar finds.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::metadata::{monitor_metadata, with_labels};
use crate::controller::validate::ValidatedMonitor;
use crate::drift::digest;

/// The dashboard for every monitor.
const DASHBOARD: &str = include_str!("../../../../grafana/toxicity-monitor.json");

/// The ConfigMap, when the spec asks for it.
pub fn config_map(monitor: &ValidatedMonitor) -> Option<ConfigMap> {
    let options = &monitor.spec.monitoring.dashboard;
    if !options.enabled {
        return None;
    }
    let metadata = with_labels(monitor_metadata(monitor, "dashboard"), &options.labels);
    let content = serde_json::to_string(&dashboard(monitor)).expect("a dashboard is JSON");
    // Grafana's sidecar puts all files into one folder, so the name must be the monitor's alone.
    let file = format!("toxicity-{}-{}.json", monitor.key.namespace, monitor.key.name);
    Some(ConfigMap {
        metadata,
        data: Some(BTreeMap::from([(file, content)])),
        ..ConfigMap::default()
    })
}

/// The dashboard with the monitor filled in, where the one for all lets the reader choose.
fn dashboard(monitor: &ValidatedMonitor) -> Value {
    let key = &monitor.key;
    let mut dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    // Grafana allows 40 characters.
    dashboard["uid"] = json!(format!("toxicity-{}", digest(&json!([key.namespace, key.name]))));
    dashboard["title"] = json!(format!("Toxicity Monitor {}/{}", key.namespace, key.name));
    for variable in dashboard["templating"]["list"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        let value = match variable["name"].as_str() {
            Some("namespace") => &key.namespace,
            Some("monitor") => &key.name,
            _ => continue,
        };
        *variable = json!({
            "name": variable["name"], "label": variable["label"], "type": "constant", "query": value,
            "current": {"text": value, "value": value}, "hide": 2,
        });
    }
    dashboard
}
