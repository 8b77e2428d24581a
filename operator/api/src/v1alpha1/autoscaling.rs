//! How many pods, by load.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Scales the model server between two numbers of replicas. Without `cpu` and `queue` it scales on CPU at 70 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.minReplicas <= self.maxReplicas")
        .message("autoscaling.minReplicas must not be more than autoscaling.maxReplicas")
        .field_path(".minReplicas"),
)]
pub struct Autoscaling {
    /// Fewest replicas.
    #[serde(default = "super::server::one")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_replicas: i32,

    /// Most replicas.
    #[schemars(range(min = 1, max = 1000))]
    pub max_replicas: i32,

    /// Scales on the CPU use of the pods, for which the cluster needs metrics-server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<CpuTarget>,

    /// Scales on the forward passes that wait for a session (`toxicity_queue_depth`). The cluster needs an adapter that
    /// serves it as a metric of pods (`custom.metrics.k8s.io`), or KEDA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueTarget>,

    /// How fast to scale up and down, as in a HorizontalPodAutoscaler. Default: up at once, down after five
    /// minutes of less load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behaviour: Option<HorizontalPodAutoscalerBehavior>,

    /// Scales by a KEDA ScaledObject instead. Where KEDA is not installed, a HorizontalPodAutoscaler stands in and the
    /// condition Degraded says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keda: Option<Keda>,
}

/// A target for CPU use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CpuTarget {
    /// Use to aim at, in percent of what the pods request.
    #[serde(default = "cpu_target")]
    #[schemars(range(min = 1, max = 1000))]
    pub target_utilization: i32,
}

impl Default for CpuTarget {
    fn default() -> Self {
        Self {
            target_utilization: cpu_target(),
        }
    }
}

/// A target for the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueTarget {
    /// Waiting forward passes per pod to aim at.
    #[serde(default = "queue_target")]
    #[schemars(range(min = 1, max = 100_000))]
    pub target_depth: i32,
}

impl Default for QueueTarget {
    fn default() -> Self {
        Self {
            target_depth: queue_target(),
        }
    }
}

/// How KEDA scales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.prometheusAddress.matches('^https?://[^ ]+$')")
        .message("autoscaling.keda.prometheusAddress must be an http:// or https:// address")
        .field_path(".prometheusAddress"),
)]
pub struct Keda {
    /// Address of the Prometheus that scrapes the model server, from which KEDA reads the queue.
    #[schemars(length(min = 8, max = 512))]
    pub prometheus_address: String,

    /// Seconds between two looks at the load.
    #[serde(default = "polling_interval")]
    #[schemars(range(min = 1, max = 3600))]
    pub polling_interval: i32,

    /// Seconds of no load before scaling to the fewest replicas.
    #[serde(default = "cooldown_period")]
    #[schemars(range(min = 0, max = 86_400))]
    pub cooldown_period: i32,
}

fn cpu_target() -> i32 {
    70
}

fn queue_target() -> i32 {
    8
}

fn polling_interval() -> i32 {
    30
}

fn cooldown_period() -> i32 {
    300
}
