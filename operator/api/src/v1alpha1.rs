//! Version `v1alpha1` of the resource.

mod access;
mod autoscaling;
mod exposure;
mod model;
mod monitoring;
mod network;
mod records;
mod schema;
mod server;
mod status;
mod web_ui;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::LocalObjectReference;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

pub use access::{Auth, SecretKeyReference, SecretReference};
pub use autoscaling::{Autoscaling, CpuTarget, Keda, QueueTarget};
pub use exposure::{Gateway, GatewayParent, Ingress};
pub use model::{Model, ModelCache, SourceScheme};
pub use monitoring::{Alerting, Dashboard, Monitoring, PrometheusRuleOptions, ServiceMonitorOptions};
pub use network::NetworkPolicyOptions;
pub use records::{RecordStorage, Records, RecordsMode};
pub use server::{Limits, PullPolicy, Scheduling, Server};
pub use status::{ConditionType, ToxicityMonitorStatus, Urls};
pub use web_ui::WebUi;

/// A model server that scores text for toxicity, with its web UI, scaling, scraping, alerts and dashboard.
/// `spec: {}` is a complete monitor: the bundled model on one replica, with the web UI.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "toxicity.dev",
    version = "v1alpha1",
    kind = "ToxicityMonitor",
    plural = "toxicitymonitors",
    singular = "toxicitymonitor",
    shortname = "toxmon",
    category = "all",
    namespaced,
    status = "ToxicityMonitorStatus",
    derive = "PartialEq",
    doc = "A model server that scores text for toxicity, with its web UI, scaling, scraping, alerts and dashboard. `spec: {}` is a complete monitor.",
    scale(
        spec_replicas_path = ".spec.server.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status",
        description = "Whether texts are scored as the spec asks."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason",
        description = "Why it is ready or not; `kubectl describe` says more."
    ),
    printcolumn(
        name = "Model",
        type_ = "string",
        json_path = ".spec.model.source",
        description = "Where the model comes from."
    ),
    printcolumn(
        name = "Replicas",
        type_ = "integer",
        json_path = ".status.replicas",
        description = "Model server pods."
    ),
    printcolumn(
        name = "Available",
        type_ = "integer",
        json_path = ".status.readyReplicas",
        description = "Model server pods that answer."
    ),
    printcolumn(
        name = "URL",
        type_ = "string",
        json_path = ".status.urls.webUi",
        description = "Address of the web UI."
    ),
    printcolumn(
        name = "Revision",
        type_ = "string",
        json_path = ".status.modelRevision",
        description = "Revision of the model that answers.",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since it was created."
    ),
    validation = Rule::new("size(self.metadata.name) <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("metadata.name must be at most 40 characters: a lower-case letter, then letters, digits or dashes, no dash at the end; the names of Services are made from it")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.autoscaling) || has(self.autoscaling.queue) && !has(self.autoscaling.cpu) || has(self.server.resources.requests) && 'cpu' in self.server.resources.requests || has(self.server.resources.limits) && 'cpu' in self.server.resources.limits")
        .message("autoscaling on CPU measures use against what is requested: set server.resources.requests.cpu, or scale on autoscaling.queue alone"),
    validation = Rule::new("self.records.mode != 'SQLite' || self.server.replicas <= 1 && !has(self.autoscaling)")
        .message("records.mode SQLite keeps its file in one pod: use PostgreSQL for more than one replica or for autoscaling"),
    validation = Rule::new("!has(self.model.cache) || self.model.cache.accessMode == 'ReadWriteMany' || self.server.replicas <= 1 && !has(self.autoscaling)")
        .message("model.cache with accessMode ReadWriteOnce serves the pods of one node: set model.cache.accessMode to ReadWriteMany for more than one replica or for autoscaling"),
    validation = Rule::new("self.webUi.enabled || !has(self.ingress) || self.ingress.api")
        .message("with webUi.enabled false and ingress.api false the ingress would lead nowhere: enable one of them")
)]
pub struct ToxicityMonitorSpec {
    /// Which model scores the texts, and where it comes from.
    #[serde(default)]
    pub model: Model,

    /// Score from which a label is flagged, by label, between 0 and 1: `{toxic: 0.8, threat: 0.3}`. A label that is
    /// not named keeps the threshold the model brings along, else 0.5.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::thresholds")]
    pub thresholds: BTreeMap<String, f64>,

    /// The pods that score.
    #[serde(default)]
    pub server: Server,

    /// Scales the model server by its load. Then a HorizontalPodAutoscaler (or a KEDA ScaledObject) owns the number of
    /// replicas, and `server.replicas` counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,

    /// The web page where people try texts.
    #[serde(default)]
    pub web_ui: WebUi,

    /// Makes the monitor reachable from outside by an Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,

    /// Makes the monitor reachable from outside by an HTTPRoute of the Gateway API, where that API is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,

    /// What Prometheus and Grafana get to know.
    #[serde(default)]
    pub monitoring: Monitoring,

    /// Asks clients for an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,

    /// Keeps verdicts and feedback in a database. Off by default: then no text is ever stored.
    #[serde(default)]
    pub records: Records,

    /// Which connections the pods accept and open, where the cluster's network enforces NetworkPolicies.
    #[serde(default)]
    pub network_policy: NetworkPolicyOptions,

    /// Secrets with which nodes pull the images, in this namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub image_pull_secrets: Vec<LocalObjectReference>,

    /// Leaves every child as it is while true, also when somebody changes one; the status is still kept up to date.
    #[serde(default)]
    pub paused: bool,
}
