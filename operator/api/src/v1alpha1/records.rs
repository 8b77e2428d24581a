//! The record of verdicts and feedback.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretKeyReference;

/// The record of verdicts and of what people say about them, which `/v1/records` and `/v1/feedback` serve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.mode == 'PostgreSQL') == has(self.databaseSecretRef)")
        .message("records.databaseSecretRef goes with records.mode PostgreSQL, and only with it")
        .field_path(".databaseSecretRef"),
    validation = Rule::new("!has(self.storage) || self.mode == 'SQLite'")
        .message("records.storage goes with records.mode SQLite")
        .field_path(".storage"),
    validation = Rule::new("!has(self.retention) || self.mode != 'Disabled' && self.retention.matches('^[1-9][0-9]*(m|h|d)$')")
        .message("records.retention must be a duration such as 12h or 30d, and goes with records.mode SQLite or PostgreSQL")
        .field_path(".retention"),
)]
pub struct Records {
    /// `Disabled`, `SQLite` (a file on a volume; one replica) or `PostgreSQL` (a database that replicas share).
    #[serde(default)]
    pub mode: RecordsMode,

    /// How long records are kept, such as `30d`. Default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16))]
    pub retention: Option<String>,

    /// Secret and key that hold the address of the PostgreSQL database, `postgres://user:password@host/name`. Pods are
    /// rolled when it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_secret_ref: Option<SecretKeyReference>,

    /// The volume of the SQLite file. It is deleted with the monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<RecordStorage>,
}

/// Where records are kept. None of the words is a boolean to YAML 1.1, as `Off` would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RecordsMode {
    /// Nowhere.
    #[default]
    Disabled,
    /// In a file.
    #[serde(rename = "SQLite")]
    Sqlite,
    /// In a database.
    #[serde(rename = "PostgreSQL")]
    Postgresql,
}

/// A volume for records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordStorage {
    /// Size of the volume, such as `5Gi`.
    #[serde(default = "storage_size")]
    pub size: Quantity,

    /// Storage class. Default: that of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,
}

impl Default for RecordStorage {
    fn default() -> Self {
        Self {
            size: storage_size(),
            storage_class_name: None,
        }
    }
}

fn storage_size() -> Quantity {
    Quantity("1Gi".to_owned())
}
