//! Secrets, and who may ask.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A Secret in the namespace of the monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct SecretReference {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// One key of a Secret in the namespace of the monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct SecretKeyReference {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Key in the Secret that holds the value.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// Who may ask the model server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// The Secret and key that hold the file of API keys, one hashed key a line, as
    /// `toxicity-model-server keys create NAME` prints it. Pods are rolled when it changes.
    pub api_keys_secret_ref: SecretKeyReference,
}
