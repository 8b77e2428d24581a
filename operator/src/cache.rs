//! What the operator knows of the cluster: every child and every pod of every monitor, kept up to date by watches, so
//! that a look at a monitor that is as it should be asks the API server nothing.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use serde_json::Value;
use tokio::sync::watch;

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

type Objects = HashMap<MonitorKey, HashMap<String, Kept>>;

/// An object as text: a fifth of what its tree would take, for thousands of objects of which few are read at a time.
#[derive(Debug)]
struct Kept {
    text: Box<str>,
    /// Of what matters in it.
    fingerprint: u64,
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
        let of_monitor = objects.get(monitor).into_iter().flatten();
        of_monitor
            .map(|(name, kept)| {
                let object = serde_json::from_str(&kept.text).expect("what was written as JSON is JSON");
                (name.clone(), object)
            })
            .collect()
    }

    /// Takes in an object that came or changed. Gives its monitor when that should look.
    pub fn put(&self, object: &Value) -> Option<MonitorKey> {
        let (key, name) = place(object)?;
        let kept = self.keep(object);
        let fingerprint = kept.fingerprint;
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let before = objects.entry(key.clone()).or_default().insert(name, kept);
        let changed = before.is_none_or(|before| before.fingerprint != fingerprint);
        changed.then_some(key)
    }

    /// Forgets an object that is gone. Gives its monitor, which should look.
    pub fn remove(&self, object: &Value) -> Option<MonitorKey> {
        let (key, name) = place(object)?;
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_monitor) = objects.get_mut(&key) {
            of_monitor.remove(&name);
            if of_monitor.is_empty() {
                objects.remove(&key);
            }
        }
        Some(key)
    }

    /// Replaces everything by a complete list.
    pub fn replace(&self, list: &[Value]) {
        let mut fresh = Objects::new();
        for object in list {
            if let Some((key, name)) = place(object) {
                fresh.entry(key).or_default().insert(name, self.keep(object));
            }
        }
        *self.objects.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.complete.send_replace(true);
    }

    /// Forgets everything: the API is gone.
    pub fn clear(&self) {
        *self.objects.write().unwrap_or_else(PoisonError::into_inner) = Objects::new();
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

/// Monitor and name of an object.
fn place(object: &Value) -> Option<(MonitorKey, String)> {
    let metadata = &object["metadata"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let key = MonitorKey {
        namespace: text(&metadata["namespace"])?,
        name: text(&metadata["labels"][LABEL_INSTANCE])?,
    };
    Some((key, text(&metadata["name"])?))
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
                "resourceVersion": format!("{spec}{status}"),
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
            assert_eq!(cache.put(&object("a", 1, 1)), Some(key()));
            assert_eq!(cache.put(&object("a", 1, 1)), None, "{watched:?}");
            assert_eq!(cache.put(&object("a", 1, 2)).is_some(), counts, "{watched:?}");
            assert_eq!(cache.put(&object("a", 2, 2)), Some(key()));
        }
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let cache = KindCache::new(Watched::Child(ChildKind::Service));
        cache.put(&object("a", 1, 1));
        cache.put(&object("b", 1, 1));
        assert_eq!(cache.remove(&object("a", 1, 1)), Some(key()));
        assert_eq!(cache.of(&key()).into_keys().collect::<Vec<_>>(), ["b"]);
        assert!(!cache.is_complete());
        cache.replace(&[object("c", 1, 1)]);
        assert!(cache.is_complete());
        assert_eq!(cache.of(&key()).into_keys().collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn what_names_no_monitor_is_left_out() {
        let cache = KindCache::new(Watched::Pods);
        assert_eq!(
            cache.put(&json!({"metadata": {"name": "a", "namespace": "b"}})),
            None
        );
    }
}
