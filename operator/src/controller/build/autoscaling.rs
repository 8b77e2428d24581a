//! How many pods, and who decides.

use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricIdentifier,
    MetricSpec, MetricTarget, PodsMetricSource, ResourceMetricSource,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::{Value, json};
use toxicity_crd::v1alpha1::{Autoscaling, CpuTarget};

use super::metadata::component_metadata;
use crate::child::ChildKind;
use crate::component::Component;
use crate::controller::validate::ValidatedMonitor;

/// Metric of the queue.
const QUEUE_METRIC: &str = "toxicity_queue_depth";

/// Who scales the model server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autoscaler {
    /// Nobody: the spec says how many replicas there are.
    None,
    /// A HorizontalPodAutoscaler.
    Horizontal,
    /// A KEDA ScaledObject.
    Keda,
}

impl Autoscaler {
    /// Who scales the model server of a monitor. A HorizontalPodAutoscaler stands in for KEDA where that is not installed.
    #[must_use]
    pub fn of(monitor: &ValidatedMonitor) -> Self {
        match &monitor.spec.autoscaling {
            None => Self::None,
            Some(autoscaling) if autoscaling.keda.is_some() && monitor.has(ChildKind::ScaledObject) => {
                Self::Keda
            }
            Some(_) => Self::Horizontal,
        }
    }
}

/// Who decides how many pods there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replicas {
    /// The spec, through the operator.
    Operator(i32),
    /// An autoscaler: the operator leaves the number alone.
    Autoscaler,
}

impl Replicas {
    /// Who decides for the model server of a monitor.
    #[must_use]
    pub fn of(monitor: &ValidatedMonitor) -> Self {
        match Autoscaler::of(monitor) {
            Autoscaler::None => Self::Operator(monitor.spec.server.replicas),
            Autoscaler::Horizontal | Autoscaler::Keda => Self::Autoscaler,
        }
    }
}

/// The target for CPU use: the one of the spec, or the default when there is no target at all.
fn cpu_target(autoscaling: &Autoscaling) -> Option<CpuTarget> {
    let default = || autoscaling.queue.is_none().then(CpuTarget::default);
    autoscaling.cpu.clone().or_else(default)
}

/// The HorizontalPodAutoscaler.
pub fn horizontal(monitor: &ValidatedMonitor) -> HorizontalPodAutoscaler {
    let autoscaling = settings(monitor);
    let cpu = cpu_target(autoscaling).map(|cpu| MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource {
            name: "cpu".to_owned(),
            target: MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(cpu.target_utilization),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    });
    let queue = autoscaling.queue.as_ref().map(|queue| MetricSpec {
        type_: "Pods".to_owned(),
        pods: Some(PodsMetricSource {
            metric: MetricIdentifier {
                name: QUEUE_METRIC.to_owned(),
                selector: None,
            },
            target: MetricTarget {
                type_: "AverageValue".to_owned(),
                average_value: Some(Quantity(queue.target_depth.to_string())),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    });
    HorizontalPodAutoscaler {
        metadata: component_metadata(monitor, Component::ModelServer),
        spec: HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: Component::ModelServer.object_name(&monitor.key.name),
            },
            min_replicas: Some(autoscaling.min_replicas),
            max_replicas: autoscaling.max_replicas,
            metrics: Some(cpu.into_iter().chain(queue).collect()),
            behavior: autoscaling.behaviour.clone(),
        },
        ..HorizontalPodAutoscaler::default()
    }
}

/// The KEDA ScaledObject (`keda.sh/v1alpha1`).
pub fn scaled_object(monitor: &ValidatedMonitor) -> Value {
    let autoscaling = settings(monitor);
    let keda = autoscaling
        .keda
        .as_ref()
        .expect("KEDA scales only where the spec asks for it");
    let name = Component::ModelServer.object_name(&monitor.key.name);
    let mut triggers = Vec::new();
    if let Some(cpu) = cpu_target(autoscaling) {
        triggers.push(json!({
            "type": "cpu",
            "metricType": "Utilization",
            "metadata": {"value": cpu.target_utilization.to_string()},
        }));
    }
    if let Some(queue) = &autoscaling.queue {
        triggers.push(json!({
            "type": "prometheus",
            "metricType": "AverageValue",
            "metadata": {
                "serverAddress": keda.prometheus_address,
                "query": format!(
                    "sum({QUEUE_METRIC}{{namespace=\"{}\",service=\"{name}\"}})",
                    monitor.key.namespace
                ),
                "threshold": queue.target_depth.to_string(),
            },
        }));
    }
    let mut spec = json!({
        "scaleTargetRef": {"name": name},
        "minReplicaCount": autoscaling.min_replicas,
        "maxReplicaCount": autoscaling.max_replicas,
        "pollingInterval": keda.polling_interval,
        "cooldownPeriod": keda.cooldown_period,
        "triggers": triggers,
    });
    if let Some(behaviour) = &autoscaling.behaviour {
        spec["advanced"] = json!({"horizontalPodAutoscalerConfig": {"behavior": behaviour}});
    }
    json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": component_metadata(monitor, Component::ModelServer),
        "spec": spec,
    })
}

fn settings(monitor: &ValidatedMonitor) -> &Autoscaling {
    monitor
        .spec
        .autoscaling
        .as_ref()
        .expect("an autoscaler is built only where the spec asks for it")
}
