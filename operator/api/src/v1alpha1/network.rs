//! Which connections the pods accept and open.

use k8s_openapi::api::networking::v1::NetworkPolicyPeer;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Which connections the pods accept and open. Everything else is refused, where the cluster's network enforces
/// NetworkPolicies.
///
/// The model server and the web UI accept connections from pods of this namespace and from `allowedClients`; with
/// `ingress` or `gateway` from everywhere, because the operator cannot know where the controller runs. Metrics can be
/// read from every namespace: the model server has a port for them alone, the web UI serves them on its only port, which
/// is therefore open to the cluster. The model server opens connections only when its model is downloaded or its
/// records are in PostgreSQL; the web UI only to the model server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicyOptions {
    /// Whether there are NetworkPolicies.
    #[serde(default = "enabled")]
    pub enabled: bool,

    /// Clients outside this namespace, such as
    /// `[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: forum}}}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub allowed_clients: Vec<NetworkPolicyPeer>,
}

impl Default for NetworkPolicyOptions {
    fn default() -> Self {
        Self {
            enabled: enabled(),
            allowed_clients: Vec::new(),
        }
    }
}

fn enabled() -> bool {
    true
}
