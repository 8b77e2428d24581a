//! Which model.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::SecretReference;

/// Which model scores the texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.source == 'bundled' || self.source.matches('^(hf://[^/@ ]+/[^/@ ]+(@[^ ]+)?|(https|s3|gs|az|oci)://[^/ ]+/[^ ]+|file:///[^ ]+|pvc://[a-z0-9]([-.a-z0-9]*[a-z0-9])?(/[^ ]*)?)$')")
        .message("model.source must be \"bundled\", hf://owner/name[@revision], https://…, s3://bucket/path, gs://bucket/path, az://container/path, oci://registry/name:tag, file:///folder or pvc://claim[/folder]")
        .field_path(".source"),
    validation = Rule::new("!has(self.revision) || self.source.startsWith('hf://') && !self.source.contains('@')")
        .message("model.revision goes with a source hf://owner/name that names no @revision itself")
        .field_path(".revision"),
    validation = Rule::new("!has(self.sha256) || self.sha256.matches('^[0-9a-f]{64}$')")
        .message("model.sha256 must be 64 lower-case hexadecimal digits")
        .field_path(".sha256"),
    validation = Rule::new("!(self.source == 'bundled' || self.source.startsWith('file://') || self.source.startsWith('pvc://')) || !has(self.sha256) && !has(self.credentialsSecretRef) && !has(self.cache)")
        .message("model.sha256, model.credentialsSecretRef and model.cache go with a source that is downloaded: hf, https, s3, gs, az or oci"),
)]
pub struct Model {
    /// Where the model comes from:
    ///
    /// - `bundled`: the small model inside the image; needs no network;
    /// - `hf://owner/name[@revision]`: a Hugging Face repository;
    /// - `https://…`: an archive, or a folder where it ends in `/`;
    /// - `s3://bucket/path`, `gs://bucket/path`, `az://container/path`: a folder in object storage;
    /// - `oci://registry/name:tag`: an artifact in a registry;
    /// - `pvc://claim[/folder]`: a folder of a PersistentVolumeClaim in this namespace, mounted read-only;
    /// - `file:///folder`: a folder inside the image.
    ///
    /// A model is a folder with `config.json`, `tokenizer.json` and `model.onnx` (or `onnx/model*.onnx`), and may
    /// hold `thresholds.json` and `reference.json`. When it cannot be had or loaded, the condition Degraded says so, and
    /// the pods of before go on serving.
    #[serde(default = "bundled")]
    #[schemars(length(min = 1, max = 1024))]
    pub source: String,

    /// Name of the model in answers and metrics. Default: the name of its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub name: Option<String>,

    /// Branch, tag or commit of a source `hf://owner/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub revision: Option<String>,

    /// SHA-256 that the ONNX file (or the archive, where the source is one) must have, in hexadecimal; another one is
    /// refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub sha256: Option<String>,

    /// Secret whose keys become environment variables of the model server, with which it downloads: `HF_TOKEN` for
    /// hf, `TOXICITY_MODEL_TOKEN` for https, `AWS_*`, `GOOGLE_*` and `AZURE_*` for s3, gs and az, and
    /// `TOXICITY_OCI_USERNAME` with `TOXICITY_OCI_PASSWORD` for oci. Pods are rolled when it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretReference>,

    /// Keeps downloads in a PersistentVolumeClaim, so that a new pod need not download again. Without it each pod has
    /// a folder of its own that goes with the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<ModelCache>,
}

/// Where downloads are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.accessMode in ['ReadWriteOnce', 'ReadWriteMany']")
        .message("model.cache.accessMode must be ReadWriteOnce or ReadWriteMany")
        .field_path(".accessMode"),
    validation = Rule::new("has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName) && self.accessMode == oldSelf.accessMode")
        .message("model.cache.storageClassName and model.cache.accessMode cannot be changed: remove model.cache first, which deletes the downloads, and add it again"),
    validation = Rule::new("quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0")
        .message("model.cache.size can grow but not shrink: remove model.cache first, which deletes the downloads, and add it again")
        .field_path(".size"),
)]
pub struct ModelCache {
    /// Size of the volume, such as `2Gi`. It can grow later where the storage class allows it.
    #[serde(default = "cache_size")]
    pub size: Quantity,

    /// Storage class. Default: that of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,

    /// `ReadWriteOnce` for one replica, `ReadWriteMany` for more.
    #[serde(default = "read_write_once")]
    #[schemars(length(max = 32))]
    pub access_mode: String,
}

/// The kind of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceScheme {
    /// Inside the image, known by the model server.
    Bundled,
    /// A folder inside the image.
    File,
    /// A folder of a claim.
    Claim,
    /// Downloaded by the model server.
    Download,
}

impl Model {
    /// The kind of the source.
    #[must_use]
    pub fn scheme(&self) -> SourceScheme {
        match self.source.split_once("://") {
            Some(("file", _)) => SourceScheme::File,
            Some(("pvc", _)) => SourceScheme::Claim,
            Some(_) => SourceScheme::Download,
            None => SourceScheme::Bundled,
        }
    }

    /// Name of the claim and folder within it of a source `pvc://claim/folder`.
    #[must_use]
    pub fn claim(&self) -> Option<(&str, &str)> {
        let rest = self.source.strip_prefix("pvc://")?;
        Some(rest.split_once('/').unwrap_or((rest, "")))
    }
}

impl Default for Model {
    fn default() -> Self {
        Self {
            source: bundled(),
            name: None,
            revision: None,
            sha256: None,
            credentials_secret_ref: None,
            cache: None,
        }
    }
}

fn bundled() -> String {
    "bundled".to_owned()
}

fn cache_size() -> Quantity {
    Quantity("2Gi".to_owned())
}

fn read_write_once() -> String {
    "ReadWriteOnce".to_owned()
}
