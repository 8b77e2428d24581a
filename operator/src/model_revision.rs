//! Asks model servers which revision of the model answers. Only from within the cluster: from outside their Services
//! cannot be reached.

use std::collections::HashMap;
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

/// Longest time for an answer. A look at a monitor waits for it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest answer.
const ANSWER_BYTES: usize = 256 * 1024;

/// What is known of the revision of a monitor's model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The model server gave it.
    Known(String),
    /// The model server should give it and has not: its name may not lead to it yet.
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
    pub async fn of(&self, key: &MonitorKey, deployment: Option<&Value>) -> Revision {
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
        let error = match tokio::time::timeout(TIMEOUT, ask(client, key)).await {
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

async fn ask(
    client: &Client<HttpConnector, Empty<Bytes>>,
    key: &MonitorKey,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let service = Component::ModelServer.object_name(&key.name);
    let port = Component::ModelServer.service_port();
    let address = format!("http://{service}.{}.svc:{port}/info", key.namespace);
    let answer = client.get(address.parse()?).await?;
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
