//! Step three: what objects a monitor wants. A pure function of the validated monitor.

mod autoscaling;
mod dashboard;
mod deployment;
mod exposure;
mod metadata;
mod model_server;
mod monitoring;
mod network_policy;
mod storage;
mod web_ui;

use serde::Serialize;
use serde_json::Value;

pub use autoscaling::{Autoscaler, Replicas};
pub use deployment::{CONFIGURATION_ANNOTATION, REPLICAS_ANNOTATION};

use super::validate::ValidatedMonitor;
use crate::child::{Child, ChildKind};
use crate::component::Component;
use crate::drift;

/// Builds every child, in the order of applying, each stamped with its digest.
#[must_use]
pub fn build(monitor: &ValidatedMonitor) -> Vec<Child> {
    let configuration = model_server::configuration(monitor);
    let components = Component::ALL
        .into_iter()
        .filter(|component| *component != Component::WebUi || monitor.spec.web_ui.enabled);
    let mut children = vec![
        child(ChildKind::ServiceAccount, &metadata::service_account(monitor)),
        child(ChildKind::ConfigMap, &configuration),
    ];
    children.extend(dashboard::config_map(monitor).map(|map| child(ChildKind::ConfigMap, &map)));
    children.extend(
        storage::claims(monitor)
            .iter()
            .map(|claim| child(ChildKind::PersistentVolumeClaim, claim)),
    );
    for component in components {
        let deployment = match component {
            Component::ModelServer => model_server::deployment(monitor, &configuration),
            Component::WebUi => web_ui::deployment(monitor),
        };
        children.push(child(ChildKind::Deployment, &deployment));
        children.push(child(ChildKind::Service, &metadata::service(monitor, component)));
        children.push(child(
            ChildKind::PodDisruptionBudget,
            &metadata::disruption_budget(monitor, component),
        ));
        if monitor.spec.network_policy.enabled {
            let policy = network_policy::network_policy(monitor, component);
            children.push(child(ChildKind::NetworkPolicy, &policy));
        }
        if monitor.spec.monitoring.service_monitor.enabled && monitor.has(ChildKind::ServiceMonitor) {
            let object = monitoring::service_monitor(monitor, component);
            children.push(child(ChildKind::ServiceMonitor, &object));
        }
    }
    children.extend(match Autoscaler::of(monitor) {
        Autoscaler::None => None,
        Autoscaler::Horizontal => Some(child(
            ChildKind::HorizontalPodAutoscaler,
            &autoscaling::horizontal(monitor),
        )),
        Autoscaler::Keda => Some(child(
            ChildKind::ScaledObject,
            &autoscaling::scaled_object(monitor),
        )),
    });
    children.extend(exposure::ingress(monitor).map(|ingress| child(ChildKind::Ingress, &ingress)));
    if monitor.has(ChildKind::HttpRoute) {
        children.extend(exposure::http_route(monitor).map(|route| child(ChildKind::HttpRoute, &route)));
    }
    if monitor.spec.monitoring.prometheus_rule.enabled && monitor.has(ChildKind::PrometheusRule) {
        children.push(child(
            ChildKind::PrometheusRule,
            &monitoring::prometheus_rule(monitor),
        ));
    }
    children.sort_by_key(|child| child.kind);
    children
}

fn child<T: Serialize>(kind: ChildKind, object: &T) -> Child {
    let mut object: Value = serde_json::to_value(object).expect("an object of Kubernetes is JSON");
    drift::stamp(&mut object);
    Child { kind, object }
}

#[cfg(test)]
mod tests;
