//! The web page.

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::server::{PullPolicy, Scheduling, one, quantities};

/// The web page where people try texts. It serves the page and passes `/api/*` on to the model server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebUi {
    /// Whether there is a web UI.
    #[serde(default = "enabled")]
    pub enabled: bool,

    /// Image of the web UI. Default: the one the operator was started with, which fits its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// When nodes pull the image. Default: that of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<PullPolicy>,

    /// Pods that serve the page.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 100))]
    pub replicas: i32,

    /// What each pod asks for and may use.
    #[serde(default = "resources")]
    pub resources: ResourceRequirements,

    /// On which nodes the pods run.
    #[serde(default)]
    pub scheduling: Scheduling,
}

impl Default for WebUi {
    fn default() -> Self {
        Self {
            enabled: enabled(),
            image: None,
            image_pull_policy: None,
            replicas: one(),
            resources: resources(),
            scheduling: Scheduling::default(),
        }
    }
}

fn enabled() -> bool {
    true
}

fn resources() -> ResourceRequirements {
    quantities(&[("cpu", "20m"), ("memory", "32Mi")], &[("memory", "128Mi")])
}
