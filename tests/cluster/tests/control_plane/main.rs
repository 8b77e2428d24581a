//! The operator against a real control plane: etcd, API server, controller manager and scheduler, and no node. Pods
//! exist, are Pending for ever, and get their status from the tests. `cargo xtask test operator` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod children;
mod drift;
mod faults;
mod features;
mod isolation;
mod leading;
mod scaling;
mod schema;
mod status;
mod visible;
mod whole_cluster;
