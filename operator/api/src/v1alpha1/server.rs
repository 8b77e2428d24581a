//! The pods that score.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, EnvVar, ResourceRequirements, Toleration, TopologySpreadConstraint,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// The pods that score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.extraEnv) || !self.extraEnv.exists(variable, variable.name in ['TOXICITY_LISTEN', 'TOXICITY_METRICS_LISTEN'])")
        .message("server.extraEnv cannot set TOXICITY_LISTEN or TOXICITY_METRICS_LISTEN: the probes and Services need the operator's own")
        .field_path(".extraEnv"),
)]
pub struct Server {
    /// Image of the model server. Default: the one the operator was started with, which fits its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// When nodes pull the image. Default: that of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<PullPolicy>,

    /// Pods that score, as long as `autoscaling` is not set. `kubectl scale` changes this field.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,

    /// What each pod asks for and may use. Each whole CPU runs one session of the model, so requests of 2 CPUs score
    /// two texts at a time; the bundled model needs about 150 MiB of memory.
    #[serde(default = "resources")]
    pub resources: ResourceRequirements,

    /// Texts that each pod scores at the same time, each on a thread of its own. Default: the CPUs it has, rounded up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub sessions: Option<i32>,

    /// What one call may ask for. A call over a limit gets a clear error.
    #[serde(default)]
    pub limits: Limits,

    /// On which nodes the pods run.
    #[serde(default)]
    pub scheduling: Scheduling,

    /// Environment variables for the model server, over those that the operator sets; every flag of the model server
    /// is one, such as `TOXICITY_LOG`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::named_list::<EnvVar>")]
    pub extra_env: Vec<EnvVar>,

    /// Annotations for the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub pod_annotations: BTreeMap<String, String>,

    /// Labels for the pods, beside those by which they are found.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub pod_labels: BTreeMap<String, String>,
}

/// When nodes pull an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// At each start of a pod.
    Always,
    /// When the node does not have it.
    IfNotPresent,
    /// Not at all: the node has it already.
    Never,
}

impl PullPolicy {
    /// As Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// What one call may ask for. What is not set keeps the default of the model server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.requestTimeout) || self.requestTimeout.matches('^([0-9]+(ms|s|m|h))+$')")
        .message("server.limits.requestTimeout must be a duration such as 500ms, 30s or 1m30s")
        .field_path(".requestTimeout"),
)]
pub struct Limits {
    /// Largest request body in bytes; more is answered with 413. Default: 1048576.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub max_body_bytes: Option<i64>,

    /// Most texts in one call; more is answered with 422. Default: 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_texts: Option<i32>,

    /// Most characters in one text; more is answered with 422. Default: 20000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000_000))]
    pub max_characters: Option<i32>,

    /// Calls that are scored or wait at the same time in one pod; one more is answered with 429. Default: 256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub max_concurrent_requests: Option<i32>,

    /// Longest time for one call, such as `30s`; after it the answer is 503. Default: 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 32))]
    pub request_timeout: Option<String>,
}

/// On which nodes pods run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scheduling {
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub node_selector: BTreeMap<String, String>,

    /// Taints of nodes that do not keep the pods away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub tolerations: Vec<Toleration>,

    /// Nodes and neighbours that the pods want or avoid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,

    /// How the pods are spread. Default: over the nodes and zones, as far as that is possible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,

    /// Priority class of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub priority_class_name: Option<String>,

    /// Runtime class of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub runtime_class_name: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            image: None,
            image_pull_policy: None,
            replicas: one(),
            resources: resources(),
            sessions: None,
            limits: Limits::default(),
            scheduling: Scheduling::default(),
            extra_env: Vec::new(),
            pod_annotations: BTreeMap::new(),
            pod_labels: BTreeMap::new(),
        }
    }
}

pub(super) fn one() -> i32 {
    1
}

fn resources() -> ResourceRequirements {
    quantities(&[("cpu", "500m"), ("memory", "256Mi")], &[("memory", "1Gi")])
}

/// Requests and limits by resource.
pub(super) fn quantities(requests: &[(&str, &str)], limits: &[(&str, &str)]) -> ResourceRequirements {
    let map = |pairs: &[(&str, &str)]| {
        let quantity = |(name, value): &(&str, &str)| ((*name).to_owned(), Quantity((*value).to_owned()));
        Some(pairs.iter().map(quantity).collect::<BTreeMap<_, _>>())
    };
    ResourceRequirements {
        requests: map(requests),
        limits: map(limits),
        ..ResourceRequirements::default()
    }
}
