//! Asks model servers which revision of the model answers. Only from within the cluster: from outside their pods cannot be
//! reached.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::cache::MonitorKey;
use crate::component::Component;
use crate::controller::apply::is_rolled_out;
use crate::controller::build::CONFIGURATION_ANNOTATION;
use crate::diagnosis::{is_ready, staying};

/// Longest time for an answer. A look at a monitor waits for it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest answer.
const ANSWER_BYTES: usize = 256 * 1024;

/// What is known of the revision of a monitor's model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The model server gave it.
    Known(String),
    /// The model server should give it and has not.
    Awaited,
    /// There is nobody to ask.
    Unknown,
}

/// Revisions by monitor, asked for once for each rollout.
pub struct ModelRevisions {
    client: Option<Client<HttpConnector, Empty<Bytes>>>,
    known: Mutex<HashMap<MonitorKey, (String, String)>>,
}

impl ModelRevisions {
    /// Asks only where `in_cluster`.
    #[must_use]
    pub fn new(in_cluster: bool) -> Self {
        let client = || {
            Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build_http()
        };
        Self {
            client: in_cluster.then(client),
            known: Mutex::default(),
        }
    }

    /// The revision of a monitor's model, when its Deployment is rolled out and answers.
    ///
    /// A pod is asked, not the Service: for a moment after a rollout that may still lead to a pod that is leaving.
    pub async fn of(&self, key: &MonitorKey, deployment: Option<&Value>, pods: &[Value]) -> Revision {
        let answering = |deployment: &&Value| {
            let available = deployment["status"]["availableReplicas"].as_i64();
            is_rolled_out(deployment) && available.unwrap_or_default() > 0
        };
        let (Some(client), Some(deployment)) = (&self.client, deployment.filter(answering)) else {
            return Revision::Unknown;
        };
        let template = &deployment["spec"]["template"];
        let rollout = format!(
            "{}/{}",
            deployment["metadata"]["uid"],
            crate::drift::digest(template)
        );
        if let Some(revision) = self.recall(key, &rollout) {
            return Revision::Known(revision);
        }
        let Some(pod) = newest_pod(template, pods) else {
            return Revision::Awaited;
        };
        let error = match tokio::time::timeout(TIMEOUT, ask(client, pod)).await {
            Ok(Ok(revision)) => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(key.clone(), (rollout, revision.clone()));
                return Revision::Known(revision);
            }
            Ok(Err(error)) => error,
            Err(late) => late.into(),
        };
        tracing::debug!(monitor = %key.name, %error, "failed to ask for the revision of the model");
        Revision::Awaited
    }

    /// Forgets a monitor that is gone.
    pub fn forget(&self, key: &MonitorKey) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }

    fn recall(&self, key: &MonitorKey, rollout: &str) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, revision) = known.get(key)?;
        (of == rollout).then(|| revision.clone())
    }
}

/// Where the newest pod of a template listens that answers and is not leaving.
fn newest_pod(template: &Value, pods: &[Value]) -> Option<SocketAddr> {
    let configuration = |object: &Value| object["metadata"]["annotations"][CONFIGURATION_ANNOTATION].clone();
    let pod = staying(Component::ModelServer, pods)
        .filter(|pod| is_ready(pod) && configuration(pod) == configuration(template))
        .max_by_key(|pod| pod["metadata"]["creationTimestamp"].as_str())?;
    let address: IpAddr = pod["status"]["podIP"].as_str()?.parse().ok()?;
    Some(SocketAddr::new(address, Component::ModelServer.container_port()))
}

async fn ask(
    client: &Client<HttpConnector, Empty<Bytes>>,
    pod: SocketAddr,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let answer = client.get(format!("http://{pod}/info").parse()?).await?;
    let body = Limited::new(answer.into_body(), ANSWER_BYTES)
        .collect()
        .await?
        .to_bytes();
    let info: Value = serde_json::from_slice(&body)?;
    let revision = info["model"]["revision"]
        .as_str()
        .ok_or("the answer names no revision")?;
    Ok(revision.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(configuration: &str, created: &str, address: &str) -> Value {
        json!({
            "metadata": {
                "creationTimestamp": created,
                "annotations": {CONFIGURATION_ANNOTATION: configuration},
                "labels": Component::ModelServer.selector("comments"),
            },
            "status": {"podIP": address, "conditions": [{"type": "Ready", "status": "True"}]},
        })
    }

    #[test]
    fn only_a_pod_of_the_new_configuration_that_answers_and_stays_is_asked() {
        let template = json!({"metadata": {"annotations": {CONFIGURATION_ANNOTATION: "new"}}});
        let mut leaving = pod("new", "2026-11-21T10:00:09Z", "10.0.0.1");
        leaving["metadata"]["deletionTimestamp"] = json!("2026-11-21T10:00:10Z");
        let mut starting = pod("new", "2026-11-21T10:00:08Z", "10.0.0.2");
        starting["status"]["conditions"][0]["status"] = json!("False");
        let mut web_ui = pod("new", "2026-11-21T10:00:07Z", "10.0.0.3");
        web_ui["metadata"]["labels"] = json!(Component::WebUi.selector("comments"));
        let old = pod("old", "2026-11-21T10:00:06Z", "10.0.0.4");
        let mut pods = vec![leaving, starting, web_ui, old];
        assert_eq!(newest_pod(&template, &pods), None);
        pods.push(pod("new", "2026-11-21T10:00:05Z", "fd00::5"));
        pods.push(pod("new", "2026-11-21T10:00:04Z", "10.0.0.6"));
        let asked = newest_pod(&template, &pods).map(|address| address.to_string());
        assert_eq!(asked.as_deref(), Some("[fd00::5]:8000"));
    }
}
