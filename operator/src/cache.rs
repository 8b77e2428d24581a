//! What the operator knows of the cluster: every child and every pod of every monitor, kept up to date by watches, so
//! that a look at a monitor that is as it should be asks the API server nothing.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use kube::Resource;
use serde_json::Value;
use tokio::sync::watch;
use toxicity_crd::v1alpha1::ToxicityMonitor;

use crate::child::ChildKind;
use crate::component::LABEL_INSTANCE;

/// A monitor by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MonitorKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Watched {
    /// A kind of child.
    Child(ChildKind),
    /// The pods.
    Pods,
}

impl Watched {
    /// All that is watched.
    pub fn all() -> impl Iterator<Item = Self> {
        ChildKind::ALL.into_iter().map(Self::Child).chain([Self::Pods])
    }

    /// The kind, as Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Child(kind) => kind.as_str(),
            Self::Pods => "Pod",
        }
    }

    /// Whether changes of the status matter. Those of autoscalers, for one, come every few seconds.
    fn status_counts(self) -> bool {
        matches!(self, Self::Pods | Self::Child(ChildKind::Deployment))
    }
}

/// Objects by monitor and name.
#[derive(Debug, Default)]
struct Objects {
    by_monitor: HashMap<MonitorKey, HashMap<String, Kept>>,
    /// Monitor of each object, by namespace and name: somebody may change what says whose it is.
    monitor_of: HashMap<(String, String), MonitorKey>,
}

/// A list that is being read. What is known stays as it is until the list is complete.
#[derive(Debug, Default)]
pub struct List(Objects);

impl Objects {
    /// Gives the monitors that had it before and have it now, as far as something that matters has changed.
    fn put(&mut self, place: Place, kept: Kept) -> Vec<MonitorKey> {
        let Place { id, monitor } = place;
        let fingerprint = kept.fingerprint;
        let mut changed = Vec::new();
        if self.find(&id).is_some_and(|known| known.version > kept.version) {
            // What the API server answered to a write was faster than the watch.
            return changed;
        }
        if self.monitor_of.get(&id).is_some_and(|before| *before != monitor) {
            changed.extend(self.remove(&id));
        }
        let of_monitor = self.by_monitor.entry(monitor.clone()).or_default();
        let before = of_monitor.insert(id.1.clone(), kept);
        self.monitor_of.insert(id, monitor.clone());
        if before.is_none_or(|before| before.fingerprint != fingerprint) {
            changed.push(monitor);
        }
        changed
    }

    fn find(&self, id: &(String, String)) -> Option<&Kept> {
        self.by_monitor.get(self.monitor_of.get(id)?)?.get(&id.1)
    }

    /// Gives the monitor that had it.
    fn remove(&mut self, id: &(String, String)) -> Option<MonitorKey> {
        let monitor = self.monitor_of.remove(id)?;
        if let Some(of_monitor) = self.by_monitor.get_mut(&monitor) {
            of_monitor.remove(&id.1);
            if of_monitor.is_empty() {
                self.by_monitor.remove(&monitor);
            }
        }
        Some(monitor)
    }
}

/// An object as text: a fifth of what its tree would take, for thousands of objects of which few are read at a time.
#[derive(Debug)]
struct Kept {
    text: Box<str>,
    /// Of what matters in it.
    fingerprint: u64,
    /// Its resourceVersion, which grows with every change.
    version: u64,
}

/// Objects of one kind, by monitor and name.
#[derive(Debug)]
pub struct KindCache {
    watched: Watched,
    objects: RwLock<Objects>,
    complete: watch::Sender<bool>,
}

impl KindCache {
    /// An empty cache.
    #[must_use]
    pub fn new(watched: Watched) -> Self {
        Self {
            watched,
            objects: RwLock::default(),
            complete: watch::Sender::new(false),
        }
    }

    /// Everything of a monitor, by name.
    #[must_use]
    pub fn of(&self, monitor: &MonitorKey) -> HashMap<String, Value> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let of_monitor = objects.by_monitor.get(monitor).into_iter().flatten();
        of_monitor
            .map(|(name, kept)| {
                let object = serde_json::from_str(&kept.text).expect("what was written as JSON is JSON");
                (name.clone(), object)
            })
            .collect()
    }

    /// Takes in an object that came or changed. Gives the monitors that should look.
    pub fn put(&self, object: &Value) -> Vec<MonitorKey> {
        let Some(place) = place(object) else {
            return self.remove(object);
        };
        let kept = self.keep(object);
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects.put(place, kept)
    }

    /// Takes in what the API server answered to a write, before the watch tells it. An object that is not known is left to
    /// the watch: it may be gone again by now.
    pub fn put_answer(&self, object: &Value) {
        let Some(place) = place(object) else { return };
        let kept = self.keep(object);
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        if objects.find(&place.id).is_some() {
            objects.put(place, kept);
        }
    }

    /// Forgets an object that is gone. Gives the monitors that should look.
    pub fn remove(&self, object: &Value) -> Vec<MonitorKey> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let removed = id(object).and_then(|id| objects.remove(&id));
        removed.into_iter().collect()
    }

    /// Takes an object of a list that is being read into `list`.
    pub fn put_into(&self, list: &mut List, object: &Value) {
        if let Some(place) = place(object) {
            list.0.put(place, self.keep(object));
        }
    }

    /// Replaces everything by a list that is complete.
    pub fn replace(&self, list: List) {
        *self.objects.write().unwrap_or_else(PoisonError::into_inner) = list.0;
        self.complete.send_replace(true);
    }

    /// Forgets everything: the API is gone.
    pub fn clear(&self) {
        *self.objects.write().unwrap_or_else(PoisonError::into_inner) = Objects::default();
    }

    /// Whether everything has been listed once.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        *self.complete.borrow()
    }

    /// Waits until everything has been listed once.
    pub async fn completed(&self) {
        // The sender lives as long as this.
        let _ = self.complete.subscribe().wait_for(|&complete| complete).await;
    }

    fn keep(&self, object: &Value) -> Kept {
        Kept {
            text: object.to_string().into_boxed_str(),
            fingerprint: self.fingerprint(object),
            version: object["metadata"]["resourceVersion"]
                .as_str()
                .and_then(|version| version.parse().ok())
                .unwrap_or_default(),
        }
    }

    /// What of an object matters: two with the same need no second look.
    fn fingerprint(&self, object: &Value) -> u64 {
        let mut hasher = DefaultHasher::new();
        if let Value::Object(map) = object {
            for (key, value) in map {
                match key.as_str() {
                    "metadata" => {
                        for field in [
                            "uid",
                            "labels",
                            "annotations",
                            "ownerReferences",
                            "deletionTimestamp",
                        ] {
                            value[field].hash(&mut hasher);
                        }
                    }
                    "status" if !self.watched.status_counts() => {}
                    _ => value.hash(&mut hasher),
                }
            }
        }
        hasher.finish()
    }
}

/// Where an object belongs.
struct Place {
    /// Namespace and name.
    id: (String, String),
    monitor: MonitorKey,
}

fn id(object: &Value) -> Option<(String, String)> {
    let text = |field: &str| object["metadata"][field].as_str().map(str::to_owned);
    Some((text("namespace")?, text("name")?))
}

/// Children say by their owner whose they are, pods by their label.
fn place(object: &Value) -> Option<Place> {
    let id = id(object)?;
    let metadata = &object["metadata"];
    let owner = metadata["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|owner| owner["kind"] == ToxicityMonitor::kind(&()).as_ref())
        .map(|owner| &owner["name"]);
    let name = owner.unwrap_or(&metadata["labels"][LABEL_INSTANCE]).as_str()?;
    let monitor = MonitorKey {
        namespace: id.0.clone(),
        name: name.to_owned(),
    };
    Some(Place { id, monitor })
}

/// Everything that is watched.
#[derive(Debug)]
pub struct Cache {
    kinds: HashMap<Watched, KindCache>,
}

impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self {
            kinds: Watched::all()
                .map(|watched| (watched, KindCache::new(watched)))
                .collect(),
        }
    }

    /// Objects of a kind.
    #[must_use]
    pub fn kind(&self, watched: Watched) -> &KindCache {
        self.kinds.get(&watched).expect("every kind has a cache")
    }

    /// Children of a kind of a monitor, by name.
    #[must_use]
    pub fn children(&self, kind: ChildKind, monitor: &MonitorKey) -> HashMap<String, Value> {
        self.kind(Watched::Child(kind)).of(monitor)
    }

    /// Pods of a monitor.
    #[must_use]
    pub fn pods(&self, monitor: &MonitorKey) -> Vec<Value> {
        let mut pods: Vec<_> = self.kind(Watched::Pods).of(monitor).into_iter().collect();
        pods.sort_by(|(left, _), (right, _)| left.cmp(right));
        pods.into_iter().map(|(_, pod)| pod).collect()
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, spec: u32, status: u32) -> Value {
        json!({
            "metadata": {
                "namespace": "moderation", "name": name, "labels": {LABEL_INSTANCE: "comments"},
                "resourceVersion": format!("{}", 10 * spec + status),
            },
            "spec": {"value": spec},
            "status": {"value": status},
        })
    }

    fn key() -> MonitorKey {
        MonitorKey {
            namespace: "moderation".to_owned(),
            name: "comments".to_owned(),
        }
    }

    #[test]
    fn a_status_matters_only_where_it_says_how_the_monitor_is() {
        for (watched, counts) in [
            (Watched::Child(ChildKind::HorizontalPodAutoscaler), false),
            (Watched::Child(ChildKind::Deployment), true),
            (Watched::Pods, true),
        ] {
            let cache = KindCache::new(watched);
            assert_eq!(cache.put(&object("a", 1, 1)), [key()]);
            assert_eq!(cache.put(&object("a", 1, 1)), [], "{watched:?}");
            assert_eq!(!cache.put(&object("a", 1, 2)).is_empty(), counts, "{watched:?}");
            assert_eq!(cache.put(&object("a", 2, 2)), [key()]);
        }
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let cache = KindCache::new(Watched::Child(ChildKind::Service));
        cache.put(&object("a", 1, 1));
        cache.put(&object("b", 1, 1));
        assert_eq!(cache.remove(&object("a", 1, 1)), [key()]);
        assert_eq!(cache.of(&key()).into_keys().collect::<Vec<_>>(), ["b"]);
        assert!(!cache.is_complete());
        let mut list = List::default();
        cache.put_into(&mut list, &object("c", 1, 1));
        cache.replace(list);
        assert!(cache.is_complete());
        assert_eq!(cache.of(&key()).into_keys().collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn an_answer_comes_before_the_watch_but_raises_nothing_from_the_dead() {
        let cache = KindCache::new(Watched::Child(ChildKind::Deployment));
        cache.put_answer(&object("a", 2, 1));
        assert!(cache.of(&key()).is_empty());
        cache.put(&object("a", 1, 1));
        cache.put_answer(&object("a", 2, 1));
        let spec = || cache.of(&key())["a"]["spec"]["value"].clone();
        assert_eq!(spec(), 2);
        assert_eq!(cache.put(&object("a", 1, 2)), [], "older than the answer");
        assert_eq!(spec(), 2);
        assert_eq!(cache.put(&object("a", 2, 1)), [], "the answer once more");
        assert_eq!(cache.put(&object("a", 2, 2)), [key()]);
    }

    #[test]
    fn what_names_no_monitor_is_left_out() {
        let cache = KindCache::new(Watched::Pods);
        assert_eq!(
            cache.put(&json!({"metadata": {"name": "a", "namespace": "b"}})),
            []
        );
    }

    #[test]
    fn an_owner_counts_more_than_a_label_and_both_monitors_hear_of_a_change() {
        let cache = KindCache::new(Watched::Child(ChildKind::Service));
        cache.put(&object("a", 1, 1));
        let mut relabelled = object("a", 1, 1);
        relabelled["metadata"]["labels"][LABEL_INSTANCE] = json!("intruder");
        let other = MonitorKey {
            name: "intruder".to_owned(),
            ..key()
        };
        assert_eq!(cache.put(&relabelled), [key(), other.clone()]);
        assert!(cache.of(&key()).is_empty());
        relabelled["metadata"]["ownerReferences"] = json!([{"kind": "ToxicityMonitor", "name": "comments"}]);
        assert_eq!(cache.put(&relabelled), [other, key()]);
        relabelled["metadata"]["labels"] = json!({});
        assert_eq!(cache.put(&relabelled), [key()]);
        assert_eq!(cache.of(&key()).len(), 1);
    }
}
