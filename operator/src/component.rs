//! The two components that have pods, and how everything of a monitor is named and labelled.

use std::collections::BTreeMap;

/// Value of `app.kubernetes.io/managed-by` on every child; children are watched by it.
pub const MANAGED_BY: &str = "toxicity-operator";

/// Field manager of everything that is applied.
pub const FIELD_MANAGER: &str = "toxicity-operator";

/// Labels.
pub const LABEL_NAME: &str = "app.kubernetes.io/name";
/// The monitor.
pub const LABEL_INSTANCE: &str = "app.kubernetes.io/instance";
/// The part of the monitor.
pub const LABEL_COMPONENT: &str = "app.kubernetes.io/component";
/// The operator.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The product.
pub const LABEL_PART_OF: &str = "app.kubernetes.io/part-of";
/// Version of the operator that built it.
pub const LABEL_VERSION: &str = "app.kubernetes.io/version";

/// What has pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// Scores texts.
    ModelServer,
    /// Serves the page.
    WebUi,
}

impl Component {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ModelServer, Self::WebUi];

    /// Its name in names and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelServer => "model-server",
            Self::WebUi => "web-ui",
        }
    }

    /// Its name in messages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ModelServer => "model server",
            Self::WebUi => "web UI",
        }
    }

    /// Its field in the spec.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::ModelServer => "spec.server",
            Self::WebUi => "spec.webUi",
        }
    }

    /// Port that the container serves HTTP on.
    #[must_use]
    pub fn container_port(self) -> u16 {
        match self {
            Self::ModelServer => 8000,
            Self::WebUi => 8080,
        }
    }

    /// Port of the Service.
    #[must_use]
    pub fn service_port(self) -> u16 {
        match self {
            Self::ModelServer => 8000,
            Self::WebUi => 80,
        }
    }

    /// Name of its Deployment and Service.
    #[must_use]
    pub fn object_name(self, monitor: &str) -> String {
        format!("{monitor}-{}", self.as_str())
    }

    /// Labels by which its pods are found. They can never change: a Deployment's selector is immutable.
    #[must_use]
    pub fn selector(self, monitor: &str) -> BTreeMap<String, String> {
        map([
            (LABEL_NAME, format!("toxicity-{}", self.as_str())),
            (LABEL_INSTANCE, monitor.to_owned()),
            (LABEL_COMPONENT, self.as_str().to_owned()),
        ])
    }

    /// Labels of its pods.
    #[must_use]
    pub fn pod_labels(self, monitor: &str) -> BTreeMap<String, String> {
        let mut labels = self.selector(monitor);
        labels.insert(LABEL_MANAGED_BY.to_owned(), MANAGED_BY.to_owned());
        labels.insert(LABEL_PART_OF.to_owned(), "toxicity-monitor".to_owned());
        labels
    }

    /// Labels of its objects. The version stays off the pods: a new operator must not roll them for a label.
    #[must_use]
    pub fn labels(self, monitor: &str) -> BTreeMap<String, String> {
        let mut labels = self.pod_labels(monitor);
        labels.insert(LABEL_VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        labels
    }
}

/// Labels of objects that belong to the monitor as a whole.
#[must_use]
pub fn monitor_labels(monitor: &str) -> BTreeMap<String, String> {
    map([
        (LABEL_NAME, "toxicity-monitor".to_owned()),
        (LABEL_INSTANCE, monitor.to_owned()),
        (LABEL_COMPONENT, "monitor".to_owned()),
        (LABEL_MANAGED_BY, MANAGED_BY.to_owned()),
        (LABEL_PART_OF, "toxicity-monitor".to_owned()),
        (LABEL_VERSION, env!("CARGO_PKG_VERSION").to_owned()),
    ])
}

/// A map of what is known at compile time.
#[must_use]
pub fn map<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
