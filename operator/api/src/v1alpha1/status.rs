//! What the operator reports.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// What the operator saw last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToxicityMonitorStatus {
    /// Generation of the spec that the rest of the status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// How it goes:
    ///
    /// - `Ready`: texts are scored as the spec asks; the one to wait for;
    /// - `ModelServerAvailable`, `WebUiAvailable`: at least one pod of each answers;
    /// - `MonitoringConfigured`: scraping, alerts and dashboard are there as asked;
    /// - `Progressing`: a change is being rolled out;
    /// - `Degraded`: something is wrong that will not mend by itself; the message says what and the remedy.
    #[serde(default)]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,

    /// Model server pods.
    #[serde(default)]
    pub replicas: i32,

    /// Model server pods that answer.
    #[serde(default)]
    pub ready_replicas: i32,

    /// Labels by which the model server pods are found, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// Revision of the model that answers, as the model server gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_revision: Option<String>,

    /// Where to reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Urls>,
}

/// Where to reach the monitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Urls {
    /// The web UI: from outside when there is an ingress or a gateway with a hostname, else within the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_ui: Option<String>,

    /// The API: from outside when there is an ingress or a gateway with a hostname, else within the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,

    /// The model server within the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_cluster: Option<String>,
}

/// The conditions there are, in the order of the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionType {
    /// Texts are scored as the spec asks.
    Ready,
    /// At least one model server pod answers.
    ModelServerAvailable,
    /// At least one web UI pod answers.
    WebUiAvailable,
    /// Scraping, alerts and dashboard are there as asked.
    MonitoringConfigured,
    /// A change is being rolled out.
    Progressing,
    /// Something is wrong that will not mend by itself.
    Degraded,
}

impl ConditionType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ready,
        Self::ModelServerAvailable,
        Self::WebUiAvailable,
        Self::MonitoringConfigured,
        Self::Progressing,
        Self::Degraded,
    ];

    /// The `type` in the status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::ModelServerAvailable => "ModelServerAvailable",
            Self::WebUiAvailable => "WebUiAvailable",
            Self::MonitoringConfigured => "MonitoringConfigured",
            Self::Progressing => "Progressing",
            Self::Degraded => "Degraded",
        }
    }
}

impl ToxicityMonitorStatus {
    /// The condition of a type.
    #[must_use]
    pub fn condition(&self, condition: ConditionType) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|other| other.type_ == condition.as_str())
    }
}
