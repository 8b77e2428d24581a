//! Kubernetes objects, as JSON where no type is needed.

use std::path::Path;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde::Deserialize;
use serde_json::{Value, json};
use toxicity_crd::v1alpha1::{ConditionType, ToxicityMonitor};

/// Kinds that the tests speak about, with their group and version.
const KINDS: [(&str, &str, &str); 20] = [
    ("ServiceAccount", "", "v1"),
    ("ConfigMap", "", "v1"),
    ("PersistentVolumeClaim", "", "v1"),
    ("Service", "", "v1"),
    ("Deployment", "apps", "v1"),
    ("NetworkPolicy", "networking.k8s.io", "v1"),
    ("PodDisruptionBudget", "policy", "v1"),
    ("HorizontalPodAutoscaler", "autoscaling", "v2"),
    ("Ingress", "networking.k8s.io", "v1"),
    ("Pod", "", "v1"),
    ("Secret", "", "v1"),
    ("Event", "events.k8s.io", "v1"),
    ("Role", "rbac.authorization.k8s.io", "v1"),
    ("RoleBinding", "rbac.authorization.k8s.io", "v1"),
    ("ToxicityMonitor", "toxicity.dev", "v1alpha1"),
    ("Lease", "coordination.k8s.io", "v1"),
    ("ScaledObject", "keda.sh", "v1alpha1"),
    ("HTTPRoute", "gateway.networking.k8s.io", "v1"),
    ("ServiceMonitor", "monitoring.coreos.com", "v1"),
    ("PrometheusRule", "monitoring.coreos.com", "v1"),
];

/// Kinds of children that every cluster knows.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().take(9).map(|(kind, ..)| *kind).collect()
}

/// What a client needs to speak about a kind.
///
/// # Panics
/// When the tests do not know it.
#[must_use]
pub fn resource(kind: &str) -> ApiResource {
    let (kind, group, version) = KINDS
        .iter()
        .find(|(known, ..)| *known == kind)
        .unwrap_or_else(|| panic!("no test knows the kind {kind}"));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// A monitor with a spec.
#[must_use]
pub fn monitor(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "toxicity.dev/v1alpha1",
        "kind": "ToxicityMonitor",
        "metadata": {"name": name},
        "spec": spec,
    })
}

/// A condition of a monitor, once the operator has set it.
#[must_use]
pub fn condition(monitor: &ToxicityMonitor, kind: ConditionType) -> Option<&Condition> {
    monitor.status.as_ref()?.condition(kind)
}

/// The documents of a YAML file of the repository.
///
/// # Panics
/// When there is none or it is no YAML.
#[must_use]
pub fn documents(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).expect("the file is YAML"))
        .filter(|document| !document.is_null())
        .collect()
}

/// Applies objects in a namespace, as administrator.
///
/// # Panics
/// When the API server refuses one.
pub async fn apply_documents(client: &Client, namespace: &str, documents: Vec<Value>) {
    for mut document in documents {
        let kind = document["kind"]
            .as_str()
            .expect("an object has a kind")
            .to_owned();
        let name = document["metadata"]["name"]
            .as_str()
            .expect("an object has a name")
            .to_owned();
        document["metadata"]["namespace"] = json!(namespace);
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource(&kind));
        let parameters = PatchParams::apply("toxicity-cluster-tests").force();
        api.patch(&name, &parameters, &Patch::Apply(&document))
            .await
            .unwrap_or_else(|error| panic!("failed to apply {kind} {name}: {error}"));
    }
}
