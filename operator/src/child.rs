//! The kinds of objects a monitor owns.

use kube::api::{ApiResource, DynamicObject};
use kube::{Api, Client};
use serde_json::Value;

/// A kind of object that a monitor owns. The order is that of applying: what pods need comes before the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// Who the pods are.
    ServiceAccount,
    /// Configuration of the model server, and the dashboard.
    ConfigMap,
    /// The cache of downloads and the file of records.
    PersistentVolumeClaim,
    /// Which connections the pods accept and open.
    NetworkPolicy,
    /// Names within the cluster.
    Service,
    /// The pods.
    Deployment,
    /// How many pods may be gone at a time.
    PodDisruptionBudget,
    /// Scales by load.
    HorizontalPodAutoscaler,
    /// Scales by load, by KEDA.
    ScaledObject,
    /// Way in from outside.
    Ingress,
    /// Way in from outside, of the Gateway API.
    HttpRoute,
    /// What Prometheus scrapes.
    ServiceMonitor,
    /// What Prometheus alerts on.
    PrometheusRule,
}

impl ChildKind {
    /// All kinds, in the order of applying.
    pub const ALL: [Self; 13] = [
        Self::ServiceAccount,
        Self::ConfigMap,
        Self::PersistentVolumeClaim,
        Self::NetworkPolicy,
        Self::Service,
        Self::Deployment,
        Self::PodDisruptionBudget,
        Self::HorizontalPodAutoscaler,
        Self::ScaledObject,
        Self::Ingress,
        Self::HttpRoute,
        Self::ServiceMonitor,
        Self::PrometheusRule,
    ];

    /// Group, version, kind and plural.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::ServiceAccount => ("", "v1", "ServiceAccount", "serviceaccounts"),
            Self::ConfigMap => ("", "v1", "ConfigMap", "configmaps"),
            Self::PersistentVolumeClaim => ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
            Self::NetworkPolicy => ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
            Self::Service => ("", "v1", "Service", "services"),
            Self::Deployment => ("apps", "v1", "Deployment", "deployments"),
            Self::PodDisruptionBudget => ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
            Self::HorizontalPodAutoscaler => (
                "autoscaling",
                "v2",
                "HorizontalPodAutoscaler",
                "horizontalpodautoscalers",
            ),
            Self::ScaledObject => ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
            Self::Ingress => ("networking.k8s.io", "v1", "Ingress", "ingresses"),
            Self::HttpRoute => ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
            Self::ServiceMonitor => ("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
            Self::PrometheusRule => ("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"),
        }
    }

    /// The kind, as Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.names().2
    }

    /// Whether a cluster may lack the API.
    #[must_use]
    pub fn is_optional(self) -> bool {
        matches!(
            self,
            Self::ScaledObject | Self::HttpRoute | Self::ServiceMonitor | Self::PrometheusRule
        )
    }

    /// What a client needs to speak about it.
    #[must_use]
    pub fn api_resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.names();
        let api_version = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version,
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        }
    }

    /// A client for the kind in a namespace.
    #[must_use]
    pub fn api(self, client: Client, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(client, namespace, &self.api_resource())
    }
}

/// An object that a monitor wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its kind.
    pub kind: ChildKind,
    /// The whole of it, with `apiVersion`, `kind` and `metadata`.
    pub object: Value,
}

impl Child {
    /// Name of the object.
    #[must_use]
    pub fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_in_the_order_of_applying() {
        let mut sorted = ChildKind::ALL.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted, ChildKind::ALL);
    }
}
