//! Looks after monitors: one look is dereference → validate → build → apply → update status.

pub mod apply;
pub mod build;
pub mod contention;
pub mod dereference;
pub mod update_status;
pub mod validate;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::runtime::events::Recorder;
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use tokio::sync::watch;
use toxicity_crd::v1alpha1::{ConditionType, ToxicityMonitor, ToxicityMonitorStatus};

use self::apply::{Applied, apply};
use self::build::build;
use self::contention::Contention;
use self::dereference::dereference;
use self::update_status::{Observation, status, transitions};
use self::validate::{Defaults, validate};
use crate::api_error::ApiError;
use crate::cache::{Cache, MonitorKey};
use crate::child::ChildKind;
use crate::component::{Component, FIELD_MANAGER};
use crate::discovery::OptionalKinds;
use crate::metrics::{Metrics, Outcome};
use crate::model_revision::{ModelRevisions, Revision};

/// A monitor as it came: one that cannot be read must not keep the others from being looked after.
pub type GuardedMonitor = DeserializeGuard<ToxicityMonitor>;

/// Time until the next look when something that cannot be watched is missing.
const MISSING: Duration = Duration::from_secs(15);

/// Time until the next look when the model server should give the revision of its model and has not.
const AWAITED: Duration = Duration::from_secs(5);

/// First and longest time until the next try after a failure.
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the spec points at cannot be read.
    #[error(transparent)]
    Dereference(#[from] dereference::Error),
    /// Children could not be made as they should be.
    #[error(transparent)]
    Apply(#[from] apply::Error),
    /// The status cannot be written.
    #[error("failed to write the status")]
    WriteStatus(#[source] ApiError),
    /// The monitor itself cannot be read.
    #[error("failed to read the monitor, which does not fit its schema: {0}")]
    ReadMonitor(String),
}

/// What is remembered of a monitor between two looks.
#[derive(Debug, Default)]
struct Memory {
    uid: String,
    retries: Retries,
    /// When children were written.
    contention: Contention,
    /// The status written last: what comes from the watch may still be the one before.
    status: Option<ToxicityMonitorStatus>,
}

/// What every look needs.
pub struct Context {
    /// Client.
    pub client: Client,
    /// What is known of the cluster.
    pub cache: Arc<Cache>,
    /// Optional kinds that the cluster has.
    pub optional: watch::Receiver<OptionalKinds>,
    /// What the operator was started with.
    pub defaults: Defaults,
    /// What is counted.
    pub metrics: Metrics,
    /// Writes events.
    pub recorder: Recorder,
    /// Time until the next look though nothing seems to have changed.
    pub resync: Duration,
    /// Revisions that model servers give.
    pub revisions: ModelRevisions,
    /// What is remembered between two looks.
    pub memories: Memories,
}

/// What is remembered of each monitor between two looks.
#[derive(Debug, Default)]
pub struct Memories(Mutex<HashMap<MonitorKey, Memory>>);

impl Context {
    /// Counts monitors by whether they are ready.
    pub fn observe_monitors(&self) {
        let memory = self.memories.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ready in ["True", "False", "Unknown"] {
            let count = memory.values().filter(|memory| {
                let condition = memory
                    .status
                    .as_ref()
                    .and_then(|status| status.condition(ConditionType::Ready));
                condition.map_or("Unknown", |condition| condition.status.as_str()) == ready
            });
            let count = i64::try_from(count.count()).unwrap_or(i64::MAX);
            self.metrics.monitors.with_label_values(&[ready]).set(count);
        }
    }

    /// Forgets a monitor that is gone.
    pub fn forget(&self, key: &MonitorKey) {
        self.revisions.forget(key);
        self.memories
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }

    fn remember<T>(&self, key: &MonitorKey, uid: &str, change: impl FnOnce(&mut Memory) -> T) -> T {
        let mut all = self.memories.0.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = all.entry(key.clone()).or_default();
        if memory.uid != uid {
            // Deleted and made anew under the same name.
            *memory = Memory {
                uid: uid.to_owned(),
                ..Memory::default()
            };
        }
        change(memory)
    }
}

/// Looks at a monitor.
///
/// # Errors
/// When the API server refuses or cannot be asked; the status says so where it can be written.
pub async fn reconcile(guarded: Arc<GuardedMonitor>, context: Arc<Context>) -> Result<Action, Error> {
    let started = Instant::now();
    let result = match &guarded.0 {
        Ok(monitor) => look(monitor, &context).await,
        Err(invalid) => Err(Error::ReadMonitor(invalid.error.clone())),
    };
    let outcome = match &result {
        Ok((_, outcome)) => *outcome,
        Err(_) => Outcome::Failed,
    };
    context.metrics.reconciled(outcome, started.elapsed());
    result.map(|(action, _)| action)
}

/// When to look again after a failure: later each time.
pub fn error_policy(guarded: &Arc<GuardedMonitor>, error: &Error, context: &Context) -> Action {
    let key = key_of(guarded.meta());
    let uid = guarded.meta().uid.clone().unwrap_or_default();
    let now = Instant::now();
    let (failures, wait) = context.remember(&key, &uid, |memory| {
        let wait = memory.retries.fail(now);
        (memory.retries.failures, wait)
    });
    tracing::warn!(
        monitor = %key.name, namespace = %key.namespace, failures, retry_in_seconds = wait.as_secs(),
        error = %toxicity_service::error_chain(error), "failed to look after a monitor"
    );
    match error {
        // Only a change can mend it.
        Error::ReadMonitor(_) => Action::await_change(),
        _ => Action::requeue(wait),
    }
}

/// Tries after failures, each later than the one before.
#[derive(Debug, Default)]
struct Retries {
    /// Failures in a row.
    failures: u32,
    /// When the next try is due.
    due: Option<Instant>,
}

impl Retries {
    /// Time until the next try. A look before its time, for a watch told something new, changes nothing about it: making a
    /// monitor tells a dozen things, and their failures together are one.
    fn fail(&mut self, now: Instant) -> Duration {
        if let Some(due) = self.due.filter(|&due| due > now) {
            return due - now;
        }
        self.failures = self.failures.saturating_add(1);
        let doublings = (self.failures - 1).min(16);
        let wait = (RETRY * 2_u32.pow(doublings)).min(LONGEST_RETRY);
        self.due = Some(now + wait);
        wait
    }
}

/// Namespace and name of an object.
#[must_use]
pub fn key_of(metadata: &kube::api::ObjectMeta) -> MonitorKey {
    MonitorKey {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
    }
}

async fn look(monitor: &ToxicityMonitor, context: &Context) -> Result<(Action, Outcome), Error> {
    if monitor.meta().deletion_timestamp.is_some() {
        // The garbage collector deletes the children by their owner references.
        return Ok((Action::await_change(), Outcome::Applied));
    }
    let key = key_of(monitor.meta());
    let uid = monitor.uid().unwrap_or_default();
    let optional = context.optional.borrow().clone();

    let dereferenced = match dereference(&context.client, &key.namespace, &monitor.spec).await {
        Ok(dereferenced) => dereferenced,
        Err(error) => {
            let message = toxicity_service::error_chain(&error);
            let seen = Seen {
                error: Some(message),
                ..Seen::default()
            };
            report(monitor, &key, &uid, context, &optional, seen).await?;
            return Err(error.into());
        }
    };
    let validated = validate(monitor, &dereferenced, optional.clone(), &context.defaults);
    let mut seen = Seen::default();
    match &validated {
        Ok(validated) if !monitor.spec.paused => {
            let children = build(validated);
            // A monitor is looked at once at a time, so nobody else needs it meanwhile.
            let mut contention =
                context.remember(&key, &uid, |memory| std::mem::take(&mut memory.contention));
            seen.applied = apply(
                &context.client,
                &context.cache,
                &context.metrics,
                validated,
                &children,
                &mut contention,
            )
            .await;
            context.remember(&key, &uid, |memory| memory.contention = contention);
        }
        Ok(_) => {}
        Err(invalid) => seen.invalid = Some(invalid.clone()),
    }
    let reported = report(monitor, &key, &uid, context, &optional, seen).await?;
    if let Some(failure) = reported.failures.into_iter().next() {
        return Err(failure.error.into());
    }
    context.remember(&key, &uid, |memory| memory.retries = Retries::default());
    Ok(match validated {
        Ok(_) if reported.revision_awaited => (Action::requeue(AWAITED), Outcome::Applied),
        Ok(_) => (Action::requeue(context.resync), Outcome::Applied),
        Err(_) => (Action::requeue(MISSING), Outcome::Invalid),
    })
}

/// What came of the steps before the status.
#[derive(Default)]
struct Seen {
    applied: Applied,
    invalid: Option<validate::Error>,
    error: Option<String>,
}

/// What reporting leaves to do.
struct Reported {
    /// Children that could not be made as they should be.
    failures: Vec<apply::Failure>,
    /// Whether the revision of the model is to be asked for again soon.
    revision_awaited: bool,
}

/// Writes the status when it differs, and events for what has changed.
async fn report(
    monitor: &ToxicityMonitor,
    key: &MonitorKey,
    uid: &str,
    context: &Context,
    optional: &OptionalKinds,
    seen: Seen,
) -> Result<Reported, Error> {
    let deployment = |component: Component| {
        let name = component.object_name(&key.name);
        context.cache.children(ChildKind::Deployment, key).remove(&name)
    };
    let pods = context.cache.pods(key);
    let model_server = deployment(Component::ModelServer);
    let revision = context.revisions.of(key, model_server.as_ref(), &pods).await;
    let remembered = context.remember(key, uid, |memory| memory.status.clone());
    let reported = monitor.status.as_ref();
    let previous = remembered.as_ref().or(reported);
    let observation = Observation {
        key,
        generation: monitor.metadata.generation,
        spec: &monitor.spec,
        invalid: seen.invalid.as_ref(),
        failures: &seen.applied.failures,
        error: seen.error,
        model_server,
        web_ui: deployment(Component::WebUi),
        pods: &pods,
        optional,
        model_revision: match &revision {
            Revision::Known(revision) => Some(revision.clone()),
            Revision::Awaited | Revision::Unknown => None,
        },
    };
    let now = Timestamp::from_second(Timestamp::now().as_second()).expect("now is a time");
    let fresh = status(&observation, previous, now);
    if reported != Some(&fresh) {
        write_status(monitor, key, context, &fresh).await?;
    }
    let events = transitions(previous, &fresh);
    context.remember(key, uid, |memory| memory.status = Some(fresh));
    for event in events {
        context.metrics.wrote_event();
        if let Err(error) = context.recorder.publish(&event, &monitor.object_ref(&())).await {
            tracing::warn!(error = %ApiError::from(error), "failed to write an event");
        }
    }
    Ok(Reported {
        failures: seen.applied.failures,
        revision_awaited: revision == Revision::Awaited,
    })
}

async fn write_status(
    monitor: &ToxicityMonitor,
    key: &MonitorKey,
    context: &Context,
    status: &ToxicityMonitorStatus,
) -> Result<(), Error> {
    let monitors: Api<ToxicityMonitor> = Api::namespaced(context.client.clone(), &key.namespace);
    // The id keeps the status of one that is gone from being written to its successor.
    let patch = json!({
        "apiVersion": ToxicityMonitor::api_version(&()),
        "kind": ToxicityMonitor::kind(&()),
        "metadata": {"name": key.name, "uid": monitor.metadata.uid},
        "status": status,
    });
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    context.metrics.wrote_status();
    match monitors
        .patch_status(&key.name, &parameters, &Patch::Apply(patch))
        .await
    {
        Ok(_) => Ok(()),
        // Deleted meanwhile. A conflict is tried again: that it is another monitor of the same name, the next look sees.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(Error::WriteStatus(source.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_later_each_time_up_to_a_limit() {
        let mut retries = Retries::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = retries.fail(now);
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn failures_before_the_next_try_are_one() {
        let mut retries = Retries::default();
        let start = Instant::now();
        retries.fail(start);
        assert_eq!(retries.fail(start + RETRY), RETRY * 2);
        let early = start + RETRY + Duration::from_millis(500);
        assert_eq!(retries.fail(early), Duration::from_millis(1500));
        assert_eq!(retries.failures, 2);
    }
}
