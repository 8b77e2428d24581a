//! Step four: makes the cluster hold what was built, and no more. Writes only what differs.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use kube::Client;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use serde_json::{Value, json};

use super::build::{CONFIGURATION_ANNOTATION, REPLICAS_ANNOTATION};
use super::contention::Contention;
use super::validate::ValidatedMonitor;
use crate::api_error::ApiError;
use crate::cache::{Cache, Watched};
use crate::child::{Child, ChildKind};
use crate::component::{Component, FIELD_MANAGER, LABEL_INSTANCE, LABEL_MANAGED_BY, MANAGED_BY};
use crate::drift::{self, APPLIED_ANNOTATION};
use crate::metrics::{Metrics, Write};
use crate::watching::lean;

/// Field manager that holds the number of replicas from the moment an autoscaler shall own it until it first writes.
const HANDOVER_MANAGER: &str = "toxicity-operator-handover";

/// Field manager that replaces lists as a whole, for a moment.
const TAKE_BACK_MANAGER: &str = "toxicity-operator-take-back";

/// What became of the children.
#[derive(Debug, Default)]
pub struct Applied {
    /// Children that could not be made so.
    pub failures: Vec<Failure>,
}

/// A child that could not be made so. The others were.
#[derive(Debug)]
pub struct Failure {
    /// Its kind.
    pub kind: ChildKind,
    /// Why.
    pub error: Error,
}

/// Why a child could not be made so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refuses it, or cannot be asked.
    #[error("failed to apply {kind} \"{name}\"")]
    Apply {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Why.
        source: ApiError,
    },
    /// An orphan cannot be deleted.
    #[error("failed to delete {kind} \"{name}\", which is no longer asked for")]
    Delete {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Why.
        source: ApiError,
    },
    /// Somebody else changes a child again and again.
    #[error(
        "{kind} \"{name}\" is changed by somebody else again and again: it is put back a few times a minute until that \
         stops; `kubectl get {kind} {name} --output=yaml --show-managed-fields` says who it is"
    )]
    Contest {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Somebody else has an object of that name.
    #[error(
        "{kind} \"{name}\" exists already and does not belong to this monitor: delete or rename it, or rename the monitor"
    )]
    TakeName {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
    },
}

impl Error {
    /// Reason of the condition.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TakeName { .. } => "NameTaken",
            Self::Contest { .. } => "Contested",
            Self::Apply { source, .. } | Self::Delete { source, .. } => match source.code() {
                Some(403) => "Forbidden",
                Some(400 | 422) => "Refused",
                _ => "ApplyFailed",
            },
        }
    }
}

/// Makes the cluster hold the children, and deletes those that are no longer asked for.
pub async fn apply(
    client: &Client,
    cache: &Cache,
    metrics: &Metrics,
    monitor: &ValidatedMonitor,
    children: &[Child],
    contention: &mut Contention,
) -> Applied {
    let known = ChildKind::ALL
        .into_iter()
        .map(|kind| (kind, cache.children(kind, &monitor.key)));
    let cluster = Cluster {
        client,
        cache,
        known: known.collect(),
        metrics,
        monitor,
    };
    let mut applied = Applied::default();
    for child in children {
        match cluster.ensure(child, contention).await {
            Ok(()) => {}
            // The monitor goes too; putting its children back would only be refused.
            Err(Error::Apply { source, .. }) if source.is_namespace_ending() => return Applied::default(),
            Err(error) => applied.failures.push(Failure {
                kind: child.kind,
                error,
            }),
        }
    }
    for (kind, name, live) in cluster.orphans(children) {
        if let Err(error) = cluster.delete(kind, name, live).await {
            applied.failures.push(Failure { kind, error });
        }
    }
    applied
}

/// The cluster as one monitor sees it.
struct Cluster<'a> {
    client: &'a Client,
    cache: &'a Cache,
    /// Children that there were at the beginning, by kind and name.
    known: HashMap<ChildKind, HashMap<String, Value>>,
    metrics: &'a Metrics,
    monitor: &'a ValidatedMonitor,
}

impl Cluster<'_> {
    fn known(&self, kind: ChildKind, name: &str) -> Option<&Value> {
        self.known.get(&kind)?.get(name)
    }

    async fn ensure(&self, child: &Child, contention: &mut Contention) -> Result<(), Error> {
        let name = child.name();
        let known = self.known(child.kind, name);
        match known {
            Some(live) if !self.may_take(&live["metadata"]) => return Err(taken(child)),
            Some(live) if drift::is_applied(&child.object, live) => return Ok(()),
            Some(live) => self.hand_over_replicas(child, live).await?,
            // What the cache does not know may be somebody else's, or lack our label.
            None => self.check_free(child).await?,
        }
        if contention.is_contested(child, Instant::now()) {
            return Err(Error::Contest {
                kind: child.kind.as_str(),
                name: name.to_owned(),
            });
        }
        tracing::info!(
            monitor = %self.monitor.key.name, namespace = %self.monitor.key.namespace, kind = child.kind.as_str(), %name,
            new = known.is_none(), "applying"
        );
        match self.patch(child, &child.object, FIELD_MANAGER).await {
            Err(error) if known.is_some() && error.reason() == "Refused" => {
                self.take_back(child, error).await?;
            }
            result => result?,
        }
        contention.wrote(child, Instant::now());
        Ok(())
    }

    async fn patch(&self, child: &Child, object: &Value, manager: &str) -> Result<(), Error> {
        let parameters = PatchParams::apply(manager).force();
        let answer = self.send(child, &parameters, &Patch::Apply(object)).await?;
        // The status that follows must not speak of what was there before.
        let watched = Watched::Child(child.kind);
        self.cache.kind(watched).put_answer(&lean(watched, answer));
        Ok(())
    }

    async fn send(
        &self,
        child: &Child,
        parameters: &PatchParams,
        patch: &Patch<&Value>,
    ) -> Result<DynamicObject, Error> {
        let api = child.kind.api(self.client.clone(), &self.monitor.key.namespace);
        let answer = api.patch(child.name(), parameters, patch).await;
        let answer = answer.map_err(|source| Error::Apply {
            kind: child.kind.as_str(),
            name: child.name().to_owned(),
            source: source.into(),
        })?;
        self.metrics.wrote(child.kind, Write::Apply);
        Ok(answer)
    }

    /// Lists are merged by a key, such as the number of a port: an entry whose key somebody changed stays beside ours, and
    /// the two may exclude each other. So the lists are replaced as a whole, by a field manager that owns nothing
    /// afterwards. Gives the first error when the object is refused even so: then it is what we ask for that is wrong.
    async fn take_back(&self, child: &Child, refused: Error) -> Result<(), Error> {
        let parameters = PatchParams {
            field_manager: Some(TAKE_BACK_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let Ok(object) = self.send(child, &parameters, &Patch::Merge(&child.object)).await else {
            return Err(refused);
        };
        let mut managers = object.metadata.managed_fields.unwrap_or_default();
        managers.retain(|entry| entry.manager.as_deref() != Some(TAKE_BACK_MANAGER));
        let disown = json!({"metadata": {
            "managedFields": managers,
            "resourceVersion": object.metadata.resource_version,
        }});
        self.send(child, &parameters, &Patch::Merge(&disown)).await?;
        self.patch(child, &child.object, FIELD_MANAGER).await
    }

    /// A field that its only owner no longer applies goes back to its default: the Deployment would shrink to one pod
    /// when an autoscaler takes over. So the number is held by another field manager until the autoscaler first writes it.
    async fn hand_over_replicas(&self, child: &Child, live: &Value) -> Result<(), Error> {
        let owner = |object: &Value| object["metadata"]["annotations"][REPLICAS_ANNOTATION].clone();
        if child.kind != ChildKind::Deployment
            || owner(&child.object) != "autoscaler"
            || owner(live) != "operator"
        {
            return Ok(());
        }
        let held = json!({
            "apiVersion": child.object["apiVersion"],
            "kind": child.object["kind"],
            "metadata": {"name": child.name()},
            "spec": {"replicas": live["spec"]["replicas"]},
        });
        self.patch(child, &held, HANDOVER_MANAGER).await
    }

    async fn check_free(&self, child: &Child) -> Result<(), Error> {
        let api = child.kind.api(self.client.clone(), &self.monitor.key.namespace);
        let found = api
            .get_metadata_opt(child.name())
            .await
            .map_err(|source| Error::Apply {
                kind: child.kind.as_str(),
                name: child.name().to_owned(),
                source: source.into(),
            })?;
        match found {
            Some(found) if !self.may_take(&json!(found.metadata)) => Err(taken(child)),
            _ => Ok(()),
        }
    }

    fn owns(&self, metadata: &Value) -> bool {
        is_owned(metadata, &self.monitor.owner.uid)
    }

    fn may_take(&self, metadata: &Value) -> bool {
        self.owns(metadata) || is_left_behind(metadata, &self.monitor.key.name)
    }

    /// Children of the monitor that were not built.
    fn orphans(&self, children: &[Child]) -> Vec<(ChildKind, &str, &Value)> {
        let wanted: HashSet<(ChildKind, &str)> =
            children.iter().map(|child| (child.kind, child.name())).collect();
        let mut orphans = Vec::new();
        for kind in ChildKind::ALL.into_iter().rev() {
            for (name, live) in self.known.get(&kind).into_iter().flatten() {
                let name = name.as_str();
                let orphan = !wanted.contains(&(kind, name))
                    && self.owns(&live["metadata"])
                    && live["metadata"]["deletionTimestamp"].is_null()
                    && !self.may_still_be_used(kind, name, children);
                if orphan {
                    orphans.push((kind, name, live));
                }
            }
        }
        orphans
    }

    /// Old pods need their configuration until the new ones have taken over.
    fn may_still_be_used(&self, kind: ChildKind, name: &str, children: &[Child]) -> bool {
        let deployment = Component::ModelServer.object_name(&self.monitor.key.name);
        if kind != ChildKind::ConfigMap || !name.starts_with(&format!("{deployment}-")) {
            return false;
        }
        let wanted = children
            .iter()
            .find(|child| child.kind == ChildKind::Deployment && child.name() == deployment);
        let live = self.known(ChildKind::Deployment, &deployment);
        match (wanted, live) {
            (Some(wanted), Some(live)) => {
                let configuration = |object: &Value| {
                    object["spec"]["template"]["metadata"]["annotations"][CONFIGURATION_ANNOTATION].clone()
                };
                configuration(&wanted.object) != configuration(live) || !is_rolled_out(live)
            }
            _ => true,
        }
    }

    async fn delete(&self, kind: ChildKind, name: &str, live: &Value) -> Result<(), Error> {
        tracing::info!(
            monitor = %self.monitor.key.name, namespace = %self.monitor.key.namespace, kind = kind.as_str(), %name,
            "deleting what is no longer asked for"
        );
        let api = kind.api(self.client.clone(), &self.monitor.key.namespace);
        let parameters = DeleteParams::background().preconditions(Preconditions {
            uid: live["metadata"]["uid"].as_str().map(str::to_owned),
            resource_version: None,
        });
        match api.delete(name, &parameters).await {
            Ok(_) => {
                self.metrics.wrote(kind, Write::Delete);
                Ok(())
            }
            // Gone already, or another one by now: the next look sees which.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            Err(source) => Err(Error::Delete {
                kind: kind.as_str(),
                name: name.to_owned(),
                source: source.into(),
            }),
        }
    }
}

fn owners(metadata: &Value) -> &[Value] {
    metadata["ownerReferences"].as_array().map_or(&[], Vec::as_slice)
}

/// Whether an object is this monitor's. Only such a one is ever deleted.
fn is_owned(metadata: &Value, uid: &str) -> bool {
    owners(metadata).iter().any(|owner| owner["uid"] == uid)
}

/// Whether an object was applied for a monitor of this name and nobody owns it, as after somebody removed the owner, or
/// deleted the monitor with `--cascade=orphan` and made it anew. Labels alone are no proof: a chart may set the same.
fn is_left_behind(metadata: &Value, monitor: &str) -> bool {
    let labels = &metadata["labels"];
    owners(metadata).iter().all(|owner| owner["controller"] != true)
        && labels[LABEL_MANAGED_BY] == MANAGED_BY
        && labels[LABEL_INSTANCE] == monitor
        && metadata["annotations"][APPLIED_ANNOTATION].is_string()
}

fn taken(child: &Child) -> Error {
    Error::TakeName {
        kind: child.kind.as_str(),
        name: child.name().to_owned(),
    }
}

/// Whether all pods of a Deployment are of its newest template and answer.
#[must_use]
pub fn is_rolled_out(deployment: &Value) -> bool {
    let status = &deployment["status"];
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    let wanted = number(&deployment["spec"]["replicas"]);
    number(&status["observedGeneration"]) >= number(&deployment["metadata"]["generation"])
        && number(&status["updatedReplicas"]) >= wanted
        && number(&status["replicas"]) <= number(&status["updatedReplicas"])
        && number(&status["availableReplicas"]) >= wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_owns_is_taken_back_when_it_was_applied_for_the_monitor() {
        let left = json!({
            "labels": {LABEL_MANAGED_BY: MANAGED_BY, LABEL_INSTANCE: "comments"},
            "annotations": {APPLIED_ANNOTATION: "c0ffee"},
        });
        let with = |field: &str, value: Value| {
            let mut metadata = left.clone();
            metadata[field] = value;
            is_left_behind(&metadata, "comments")
        };
        assert!(is_left_behind(&left, "comments"));
        assert!(!is_left_behind(&left, "forum"));
        assert!(!with("labels", json!({LABEL_INSTANCE: "comments"})));
        assert!(!with("annotations", json!({})));
        assert!(!with(
            "ownerReferences",
            json!([{"uid": "beef", "controller": true}])
        ));
        assert!(!is_owned(&left, "c0ffee"));
        assert!(is_owned(
            &json!({"ownerReferences": [{"uid": "c0ffee"}]}),
            "c0ffee"
        ));
    }
}
