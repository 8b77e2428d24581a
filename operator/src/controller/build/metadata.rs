//! What all children share, and those that are little more than it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Service, ServiceAccount, ServicePort, ServiceSpec};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::ObjectMeta;

use crate::component::{Component, monitor_labels};
use crate::controller::validate::ValidatedMonitor;

/// Port of the model server for metrics alone.
pub const METRICS_PORT: u16 = 9090;

/// Metadata of a child.
pub fn metadata(monitor: &ValidatedMonitor, name: String, labels: BTreeMap<String, String>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(monitor.key.namespace.clone()),
        labels: Some(labels),
        // Never empty: every child carries its digest.
        annotations: Some(BTreeMap::new()),
        owner_references: Some(vec![monitor.owner.clone()]),
        ..ObjectMeta::default()
    }
}

/// Metadata of a child of a component, named like it.
pub fn component_metadata(monitor: &ValidatedMonitor, component: Component) -> ObjectMeta {
    let name = &monitor.key.name;
    metadata(monitor, component.object_name(name), component.labels(name))
}

/// Metadata of a child of the monitor as a whole, named `<monitor>-<suffix>`.
pub fn monitor_metadata(monitor: &ValidatedMonitor, suffix: &str) -> ObjectMeta {
    let name = &monitor.key.name;
    metadata(monitor, format!("{name}-{suffix}"), monitor_labels(name))
}

/// Adds labels of the spec. Those of the operator stay: by them children are found.
pub fn with_labels(mut metadata: ObjectMeta, labels: &BTreeMap<String, String>) -> ObjectMeta {
    let all = metadata.labels.get_or_insert_default();
    for (name, value) in labels {
        all.entry(name.clone()).or_insert_with(|| value.clone());
    }
    metadata
}

/// A selector of a component's pods.
pub fn selector(monitor: &ValidatedMonitor, component: Component) -> LabelSelector {
    LabelSelector {
        match_labels: Some(component.selector(&monitor.key.name)),
        ..LabelSelector::default()
    }
}

/// Name of the service account.
pub fn service_account_name(monitor: &ValidatedMonitor) -> String {
    format!("{}-monitor", monitor.key.name)
}

/// Who the pods are: nobody in particular, without a token.
pub fn service_account(monitor: &ValidatedMonitor) -> ServiceAccount {
    let secrets = &monitor.spec.image_pull_secrets;
    ServiceAccount {
        metadata: monitor_metadata(monitor, "monitor"),
        automount_service_account_token: Some(false),
        image_pull_secrets: (!secrets.is_empty()).then(|| secrets.clone()),
        ..ServiceAccount::default()
    }
}

/// The name of a component within the cluster.
pub fn service(monitor: &ValidatedMonitor, component: Component) -> Service {
    let port = |name: &str, port: u16| ServicePort {
        name: Some(name.to_owned()),
        port: port.into(),
        target_port: Some(IntOrString::String(name.to_owned())),
        protocol: Some("TCP".to_owned()),
        ..ServicePort::default()
    };
    let mut ports = vec![port("http", component.service_port())];
    if component == Component::ModelServer {
        ports.push(port("metrics", METRICS_PORT));
    }
    Service {
        metadata: component_metadata(monitor, component),
        spec: Some(ServiceSpec {
            selector: Some(component.selector(&monitor.key.name)),
            ports: Some(ports),
            type_: Some("ClusterIP".to_owned()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// One pod at a time may be taken away. With one replica that one may be: a budget that forbids it would block
/// every drain of its node.
pub fn disruption_budget(monitor: &ValidatedMonitor, component: Component) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: component_metadata(monitor, component),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(selector(monitor, component)),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    }
}
