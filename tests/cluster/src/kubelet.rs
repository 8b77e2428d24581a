//! Stands in for the kubelet where there are no nodes: says of pods that they answer, or what is wrong with them.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Time between two looks at the pods.
const PERIOD: Duration = Duration::from_millis(150);

/// Says how the pods of a namespace are, until it is dropped.
pub struct Kubelet(JoinHandle<()>);

impl Kubelet {
    /// Gives each pod the status that `status` wants for it; `None` leaves it as it is.
    #[must_use]
    pub fn start(
        client: Client,
        namespace: &str,
        status: impl Fn(&Pod) -> Option<Value> + Send + Sync + 'static,
    ) -> Self {
        let pods: Api<Pod> = Api::namespaced(client, namespace);
        let status = Arc::new(status);
        Self(tokio::spawn(async move {
            let mut told: std::collections::HashMap<String, Value> = std::collections::HashMap::new();
            loop {
                // An API server that a test has stopped is back soon.
                for pod in pods.list(&ListParams::default()).await.into_iter().flatten() {
                    let uid = pod.metadata.uid.clone().unwrap_or_default();
                    let ending = pod.metadata.deletion_timestamp.is_some();
                    let Some(wanted) = status(&pod).filter(|_| !ending) else {
                        continue;
                    };
                    if told.get(&uid) == Some(&wanted) {
                        continue;
                    }
                    let name = pod.metadata.name.clone().unwrap_or_default();
                    let patch = Patch::Merge(json!({"status": wanted}));
                    // The pod may be gone meanwhile.
                    if pods
                        .patch_status(&name, &PatchParams::default(), &patch)
                        .await
                        .is_ok()
                    {
                        told.insert(uid, wanted);
                    }
                }
                tokio::time::sleep(PERIOD).await;
            }
        }))
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The status of a pod that answers.
#[must_use]
pub fn answering() -> Value {
    let since = "2026-01-01T00:00:00Z";
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": since});
    json!({
        "phase": "Running",
        "conditions": [condition("PodScheduled"), condition("Ready")],
        "containerStatuses": null,
    })
}
