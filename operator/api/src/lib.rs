//! The `ToxicityMonitor` resource, group `toxicity.dev`: everything a person may write into it and everything the
//! operator reports back. Knows the types of Kubernetes, but neither a client nor the operator.

mod definition;
pub mod v1alpha1;

pub use definition::custom_resource_definition;

/// API group of the resource.
pub const GROUP: &str = "toxicity.dev";
