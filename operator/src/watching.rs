//! Watches that keep the cache up to date and tell which monitor should look.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::api_error::ApiError;
use crate::cache::{Cache, List, MonitorKey, Watched};
use crate::component::{LABEL_MANAGED_BY, MANAGED_BY};
use crate::discovery::OptionalKinds;
use crate::metrics::Metrics;

/// Objects in one answer of a list: more take memory for a moment, fewer take more requests.
const PAGE_SIZE: u32 = 100;

/// Who should look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// One monitor.
    Monitor(MonitorKey),
    /// All: a list was read anew, and what was missed is not known.
    All,
}

/// What a watch needs.
#[derive(Clone)]
pub struct Watching {
    /// Client to watch with.
    pub client: Client,
    /// Namespace to watch; none means all.
    pub namespace: Option<String>,
    /// Cache to keep up to date.
    pub cache: Arc<Cache>,
    /// Where watches that break are counted.
    pub metrics: Metrics,
    /// Who should look.
    pub triggers: mpsc::UnboundedSender<Trigger>,
}

impl Watching {
    /// Watches one kind for ever; an optional one while the cluster has it.
    pub async fn watch(self, watched: Watched, mut optional: watch::Receiver<OptionalKinds>) {
        let kind = match watched {
            Watched::Child(kind) if kind.is_optional() => kind,
            _ => return self.watch_installed(watched).await,
        };
        loop {
            if optional.wait_for(|kinds| kinds.contains(&kind)).await.is_err() {
                return;
            }
            tokio::select! {
                () = self.watch_installed(watched) => return,
                gone = optional.wait_for(|kinds| !kinds.contains(&kind)) => {
                    if gone.is_err() {
                        return;
                    }
                }
            }
            self.cache.kind(watched).clear();
        }
    }

    async fn watch_installed(&self, watched: Watched) {
        let resource = match watched {
            Watched::Child(kind) => kind.api_resource(),
            Watched::Pods => ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&()),
        };
        let api: Api<DynamicObject> = match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        let config = watcher::Config::default()
            .labels(&format!("{LABEL_MANAGED_BY}={MANAGED_BY}"))
            .page_size(PAGE_SIZE);
        let cache = self.cache.kind(watched);
        let mut events = pin!(watcher(api, config).default_backoff());
        let mut list = List::default();
        while let Some(event) = events.next().await {
            let changed = match event {
                Ok(watcher::Event::Apply(object)) => cache.put(&lean(watched, object)),
                Ok(watcher::Event::Delete(object)) => cache.remove(&lean(watched, object)),
                Ok(watcher::Event::Init) => {
                    list = List::default();
                    Vec::new()
                }
                Ok(watcher::Event::InitApply(object)) => {
                    cache.put_into(&mut list, &lean(watched, object));
                    Vec::new()
                }
                Ok(watcher::Event::InitDone) => {
                    cache.replace(std::mem::take(&mut list));
                    self.trigger(Trigger::All);
                    Vec::new()
                }
                Err(error) => {
                    self.metrics.lost_watch(watched.as_str());
                    let error = ApiError::from(error);
                    tracing::warn!(kind = watched.as_str(), %error, "a watch broke; it is begun again");
                    Vec::new()
                }
            };
            for monitor in changed {
                self.trigger(Trigger::Monitor(monitor));
            }
        }
    }

    fn trigger(&self, trigger: Trigger) {
        // Nobody listens any more when the operator stops.
        let _ = self.triggers.send(trigger);
    }
}

/// The object as it is kept: without what nobody here reads: who manages which field, and what pods are made of.
#[must_use]
pub fn lean(watched: Watched, mut object: DynamicObject) -> Value {
    object.metadata.managed_fields = None;
    let mut object = serde_json::to_value(object).expect("what came as JSON goes as JSON");
    if let (Watched::Pods, Value::Object(pod)) = (watched, &mut object) {
        pod.remove("spec");
    }
    object
}
