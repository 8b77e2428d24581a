//! Ways in from outside the cluster.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// An Ingress that leads to the web UI and to the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.host.matches('^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')")
        .message("ingress.host must be a lower-case DNS name such as toxicity.example.com")
        .field_path(".host"),
)]
pub struct Ingress {
    /// Name by which clients reach it.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,

    /// Ingress class. Default: that of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,

    /// Secret with the certificate for `host`; without it there is no TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub tls_secret_name: Option<String>,

    /// Also leads the paths of the API (`/v1`, `/v1alpha1`, `/v2`, `/predict`) straight to the model server, so that
    /// a client needs nothing but the host. The web UI has them under `/api` in any case.
    #[serde(default = "api")]
    pub api: bool,

    /// Annotations for the Ingress, which many controllers are configured by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub annotations: BTreeMap<String, String>,
}

/// An HTTPRoute that leads to the web UI and to the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// Gateways that take the route.
    #[schemars(length(min = 1, max = 32))]
    pub parent_refs: Vec<GatewayParent>,

    /// Names by which clients reach it. Default: those of the gateway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub hostnames: Vec<String>,

    /// Also leads the paths of the API straight to the model server.
    #[serde(default = "api")]
    pub api: bool,
}

/// A Gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayParent {
    /// Name of the Gateway.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Namespace of the Gateway. Default: that of the monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,

    /// Listener of the Gateway. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub section_name: Option<String>,
}

fn api() -> bool {
    true
}
