//! A namespace with an operator of its own and somebody who stands in for the kubelet: what most tests begin with.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use toxicity_crd::v1alpha1::{ConditionType, ToxicityMonitor};

use crate::cluster::{kubectl, operator_namespace, repository};
use crate::kubelet::{Kubelet, answering};
use crate::namespace::Namespace;
use crate::objects::{apply_documents, condition, documents, kinds, resource};
use crate::operator::{Operator, Options};
use crate::wait::until;

/// Field manager of the tests.
const MANAGER: &str = "toxicity-cluster-tests";

/// Tests that change what all see go alone.
static GATE: RwLock<()> = RwLock::const_new(());

/// A place at the cluster.
enum Pass {
    /// Beside others.
    Shared { _guard: RwLockReadGuard<'static, ()> },
    /// Alone.
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

/// A namespace with an operator of its own. The order of the fields is that of taking down.
pub struct Scene {
    /// Says how pods are.
    pub kubelet: Option<Kubelet>,
    /// The operator.
    pub operator: Option<Operator>,
    /// The namespace.
    pub namespace: Namespace,
    _pass: Pass,
}

impl Scene {
    /// A scene beside those of other tests, with an operator that leads and pods that answer.
    pub async fn start(prefix: &str) -> Self {
        let mut scene = Self::bare(prefix).await;
        scene.play().await;
        scene
    }

    /// A scene without operator and kubelet, beside those of other tests.
    pub async fn bare(prefix: &str) -> Self {
        Self::with(
            prefix,
            Pass::Shared {
                _guard: GATE.read().await,
            },
        )
        .await
    }

    /// A scene without operator and kubelet, while no other test runs.
    pub async fn alone(prefix: &str) -> Self {
        Self::with(
            prefix,
            Pass::Alone {
                _guard: GATE.write().await,
            },
        )
        .await
    }

    /// A scene for the operator that is installed in the cluster.
    pub async fn installed(prefix: &str) -> Self {
        Self {
            kubelet: None,
            operator: None,
            namespace: Namespace::new(prefix).await,
            _pass: Pass::Alone {
                _guard: GATE.write().await,
            },
        }
    }

    async fn with(prefix: &str, pass: Pass) -> Self {
        crate::cluster::install().await;
        let namespace = Namespace::new(prefix).await;
        let folder = repository().join("manifests/namespaced/monitored");
        for file in ["role.yaml", "binding.yaml"] {
            apply_documents(&namespace.client, &namespace.name, documents(&folder.join(file))).await;
        }
        Self {
            kubelet: None,
            operator: None,
            namespace,
            _pass: pass,
        }
    }

    /// Starts an operator that leads, and lets pods answer.
    pub async fn play(&mut self) {
        self.pods_answer();
        self.direct(Options::of(&self.namespace.name)).await;
    }

    /// Starts an operator and waits until it leads.
    pub async fn direct(&mut self, options: Options) {
        let operator = Operator::start(options).await;
        operator.until_leading().await;
        self.operator = Some(operator);
    }

    /// Lets pods answer.
    pub fn pods_answer(&mut self) {
        self.pods_are(|_| Some(answering()));
    }

    /// Gives pods a status.
    pub fn pods_are(&mut self, status: impl Fn(&Pod) -> Option<Value> + Send + Sync + 'static) {
        self.kubelet = Some(Kubelet::start(self.client(), self.name(), status));
    }

    /// Name of the namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.namespace.name
    }

    /// A client of the administrator.
    #[must_use]
    pub fn client(&self) -> Client {
        self.namespace.client.clone()
    }

    /// The operator.
    ///
    /// # Panics
    /// When none was started.
    #[must_use]
    pub fn operator(&self) -> &Operator {
        self.operator.as_ref().expect("the scene has an operator")
    }

    /// Objects of a kind in the namespace.
    #[must_use]
    pub fn objects(&self, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client(), self.name(), &resource(kind))
    }

    /// Monitors in the namespace.
    #[must_use]
    pub fn monitors(&self) -> Api<ToxicityMonitor> {
        Api::namespaced(self.client(), self.name())
    }

    /// An object, if it is there.
    ///
    /// # Panics
    /// When the API server cannot be asked.
    pub async fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let found = self.objects(kind).get_opt(name).await;
        found
            .unwrap_or_else(|error| panic!("failed to get {kind} {name}: {error}"))
            .map(|object| serde_json::to_value(object).expect("an object is JSON"))
    }

    /// An object that must be there.
    ///
    /// # Panics
    /// When it is not.
    pub async fn must_get(&self, kind: &str, name: &str) -> Value {
        let found = self.get(kind, name).await;
        found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
    }

    /// Creates an object.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn create(&self, object: Value) -> Value {
        let kind = object["kind"].as_str().expect("an object has a kind").to_owned();
        let object: DynamicObject = serde_json::from_value(object).expect("this is an object");
        let created = self.objects(&kind).create(&PostParams::default(), &object).await;
        let created = created.unwrap_or_else(|error| panic!("failed to create {kind}: {error}"));
        serde_json::to_value(created).expect("an object is JSON")
    }

    /// Creates a monitor.
    pub async fn create_monitor(&self, name: &str, spec: Value) -> Value {
        self.create(crate::objects::monitor(name, &spec)).await
    }

    /// Changes an object by a merge patch.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn patch(&self, kind: &str, name: &str, patch: Value) -> Value {
        let parameters = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patched = self
            .objects(kind)
            .patch(name, &parameters, &Patch::Merge(patch))
            .await;
        let patched = patched.unwrap_or_else(|error| panic!("failed to patch {kind} {name}: {error}"));
        serde_json::to_value(patched).expect("an object is JSON")
    }

    /// Changes the spec of a monitor.
    pub async fn change(&self, monitor: &str, spec: Value) {
        self.patch("ToxicityMonitor", monitor, json!({"spec": spec}))
            .await;
    }

    /// Deletes an object.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn delete(&self, kind: &str, name: &str) {
        let deleted = self.objects(kind).delete(name, &DeleteParams::background()).await;
        deleted.unwrap_or_else(|error| panic!("failed to delete {kind} {name}: {error}"));
    }

    /// Everything of the built-in kinds that has `monitor` for its owner, as `Kind/name`.
    ///
    /// # Panics
    /// When the API server cannot be asked.
    pub async fn children(&self, monitor: &str) -> BTreeMap<String, Value> {
        self.children_of(monitor, &kinds()).await
    }

    /// Everything of some kinds that has `monitor` for its owner, as `Kind/name`. A kind that is not installed has
    /// nothing.
    ///
    /// # Panics
    /// When the API server cannot be asked.
    pub async fn children_of(&self, monitor: &str, kinds: &[&str]) -> BTreeMap<String, Value> {
        let mut children = BTreeMap::new();
        for kind in kinds {
            let list = match self.objects(kind).list(&ListParams::default()).await {
                Ok(list) => list,
                // A kind that is being installed or removed at this moment.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 429) => continue,
                Err(error) => panic!("failed to list {kind}: {error}"),
            };
            for object in list {
                let object = serde_json::to_value(object).expect("an object is JSON");
                let owners = object["metadata"]["ownerReferences"].as_array();
                let owned = owners.is_some_and(|owners| {
                    owners
                        .iter()
                        .any(|owner| owner["kind"] == "ToxicityMonitor" && owner["name"] == monitor)
                });
                if owned {
                    let name = object["metadata"]["name"].as_str().unwrap_or_default();
                    children.insert(format!("{kind}/{name}"), object);
                }
            }
        }
        children
    }

    /// A monitor as the API server knows it.
    ///
    /// # Panics
    /// When there is none.
    pub async fn monitor(&self, name: &str) -> ToxicityMonitor {
        self.monitors()
            .get(name)
            .await
            .unwrap_or_else(|error| panic!("failed to get monitor {name}: {error}"))
    }

    /// Waits until something is so.
    pub async fn until(&self, what: &str, seconds: u64, mut look: impl AsyncFnMut() -> bool) {
        until(what, Duration::from_secs(seconds), async || {
            look().await.then_some(())
        })
        .await;
    }

    /// Waits until a condition has a status and a reason, and gives its message.
    pub async fn until_condition(
        &self,
        monitor: &str,
        kind: ConditionType,
        status: &str,
        reason: &str,
        seconds: u64,
    ) -> String {
        let what = format!("{} of {monitor} is {status} because of {reason}", kind.as_str());
        until(&what, Duration::from_secs(seconds), async || {
            let monitor = self.monitor(monitor).await;
            let condition = condition(&monitor, kind)?;
            (condition.status == status && condition.reason == reason).then(|| condition.message.clone())
        })
        .await
    }

    /// Waits until a monitor is ready and rolled out.
    pub async fn until_ready(&self, monitor: &str, seconds: u64) {
        self.until_condition(monitor, ConditionType::Ready, "True", "Available", seconds)
            .await;
        self.until_condition(monitor, ConditionType::Progressing, "False", "RolledOut", seconds)
            .await;
    }

    /// Waits until the operator has seen the newest spec of a monitor.
    pub async fn until_observed(&self, name: &str) {
        self.until(
            &format!("the newest spec of {name} is observed"),
            20,
            async || {
                let monitor = self.monitor(name).await;
                let observed = monitor
                    .status
                    .as_ref()
                    .and_then(|status| status.observed_generation);
                observed == monitor.metadata.generation
            },
        )
        .await;
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!("\nmonitors of {}:", self.name());
        let words = [
            "get",
            "toxicitymonitors",
            "-o",
            "yaml",
            "--namespace",
            self.name(),
        ];
        eprintln!("{}", kubectl(words, None).stdout);
        let log = if let Some(operator) = &self.operator {
            operator.log_tail()
        } else {
            let words = ["logs", "deployment/toxicity-operator", "--tail=40", "--namespace"];
            kubectl(words.into_iter().chain([operator_namespace()]), None).stdout
        };
        eprintln!(
            "pods:\n{}",
            kubectl(["get", "pods", "-o", "wide", "--namespace", self.name()], None).stdout
        );
        eprintln!("the operator logged last:\n{log}");
    }
}
