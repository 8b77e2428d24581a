//! What the tests against a real Kubernetes share: namespaces that end with the test, the operator as a process or as
//! it is installed, somebody who stands in for the kubelet, faults between operator and API server, and load.
//!
//! Everything here panics with what to do when something is missing: a test that cannot run fails.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "this crate is a part of the tests"
)]

mod cluster;
mod kubelet;
mod metrics;
mod namespace;
mod objects;
mod operator;
mod proxy;
mod scene;
mod traffic;
mod wait;

pub use cluster::{
    Kubectl, admin_config, client, environment, kill_component, kubectl, operator_namespace, repository,
    save, start_cluster,
};
pub use kubelet::{Kubelet, answering};
pub use metrics::Metrics;
pub use namespace::Namespace;
pub use objects::{apply_documents, condition, documents, kinds, monitor, resource};
pub use operator::{Operator, Options};
pub use proxy::{Fault, Passed, Proxy};
pub use scene::Scene;
pub use traffic::{Traffic, TrafficReport};
pub use wait::until;
