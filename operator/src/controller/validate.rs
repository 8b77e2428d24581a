//! Step two: checks what the API server cannot, and gives all that building needs. Asks nobody.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;
use serde_json::json;
use toxicity_crd::v1alpha1::{SecretKeyReference, ToxicityMonitor, ToxicityMonitorSpec};

use super::dereference::Dereferenced;
use crate::cache::MonitorKey;
use crate::child::ChildKind;
use crate::discovery::OptionalKinds;
use crate::drift::digest;

/// What the operator was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// Image of the model server.
    pub model_server_image: String,
    /// Image of the web UI.
    pub web_ui_image: String,
    /// Namespace the operator runs in, from which it asks model servers for their revision.
    pub operator_namespace: Option<String>,
}

/// A monitor of which everything is known that building needs.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedMonitor {
    /// Namespace and name.
    pub key: MonitorKey,
    /// Owner of every child.
    pub owner: OwnerReference,
    /// What is asked for.
    pub spec: ToxicityMonitorSpec,
    /// Image of the model server.
    pub model_server_image: String,
    /// Image of the web UI.
    pub web_ui_image: String,
    /// Namespace the operator runs in.
    pub operator_namespace: Option<String>,
    /// Digest over the Secrets that pods use, which rolls the pods when one changes.
    pub secrets_digest: Option<String>,
    /// Optional kinds that the cluster has.
    pub optional: OptionalKinds,
}

/// Why a spec cannot be met now. Every message names the remedy or the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A Secret is missing.
    #[error("Secret \"{name}\" not found in namespace \"{namespace}\": create it, or change {field}")]
    FindSecret {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// Where the spec names it.
        field: &'static str,
    },
    /// A Secret lacks a key.
    #[error("Secret \"{name}\" in namespace \"{namespace}\" has no key \"{key}\": add it, or change {field}")]
    FindSecretKey {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// The key.
        key: String,
        /// Where the spec names it.
        field: &'static str,
    },
    /// A claim is missing.
    #[error(
        "PersistentVolumeClaim \"{name}\" not found in namespace \"{namespace}\": create it, or change spec.model.source"
    )]
    FindClaim {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// A folder leads out of its volume.
    #[error("spec.model.source \"{0}\" leads out of its volume: write the folder without \"..\"")]
    LeaveVolume(String),
}

impl Error {
    /// Reason of the condition.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::FindSecret { .. } => "SecretNotFound",
            Self::FindSecretKey { .. } => "SecretKeyNotFound",
            Self::FindClaim { .. } => "PersistentVolumeClaimNotFound",
            Self::LeaveVolume(_) => "InvalidModelSource",
        }
    }
}

/// Checks a monitor.
///
/// # Errors
/// When something that the spec points at is missing, or the spec cannot be met.
pub fn validate(
    monitor: &ToxicityMonitor,
    dereferenced: &Dereferenced,
    optional: OptionalKinds,
    defaults: &Defaults,
) -> Result<ValidatedMonitor, Error> {
    let key = super::key_of(&monitor.metadata);
    let spec = &monitor.spec;
    check_secrets(spec, dereferenced, &key.namespace)?;
    if let Some((claim, folder)) = spec.model.claim() {
        if folder.split('/').any(|part| part == "..") {
            return Err(Error::LeaveVolume(spec.model.source.clone()));
        }
        if !dereferenced.claims.get(claim).is_some_and(|&exists| exists) {
            return Err(Error::FindClaim {
                name: claim.to_owned(),
                namespace: key.namespace,
            });
        }
    }
    let image = |image: &Option<String>, default: &String| image.clone().unwrap_or_else(|| default.clone());
    Ok(ValidatedMonitor {
        owner: OwnerReference {
            // So that `kubectl delete --cascade=foreground` returns when the children are gone.
            block_owner_deletion: Some(true),
            ..monitor
                .controller_owner_ref(&())
                .expect("an object from the API server has a name and an id")
        },
        model_server_image: image(&spec.server.image, &defaults.model_server_image),
        web_ui_image: image(&spec.web_ui.image, &defaults.web_ui_image),
        operator_namespace: defaults.operator_namespace.clone(),
        secrets_digest: secrets_digest(dereferenced),
        spec: spec.clone(),
        key,
        optional,
    })
}

fn check_secrets(
    spec: &ToxicityMonitorSpec,
    dereferenced: &Dereferenced,
    namespace: &str,
) -> Result<(), Error> {
    let content = |name: &str, field: &'static str| {
        let content = dereferenced.secrets.get(name).and_then(Option::as_ref);
        content.ok_or_else(|| Error::FindSecret {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            field,
        })
    };
    let check_key = |reference: &SecretKeyReference, field: &'static str| {
        if content(&reference.name, field)?.keys.contains(&reference.key) {
            return Ok(());
        }
        Err(Error::FindSecretKey {
            name: reference.name.clone(),
            namespace: namespace.to_owned(),
            key: reference.key.clone(),
            field,
        })
    };
    if let Some(secret) = &spec.model.credentials_secret_ref {
        content(&secret.name, "spec.model.credentialsSecretRef")?;
    }
    if let Some(auth) = &spec.auth {
        check_key(&auth.api_keys_secret_ref, "spec.auth.apiKeysSecretRef")?;
    }
    if let Some(secret) = &spec.records.database_secret_ref {
        check_key(secret, "spec.records.databaseSecretRef")?;
    }
    Ok(())
}

fn secrets_digest(dereferenced: &Dereferenced) -> Option<String> {
    let secrets: Option<Vec<_>> = dereferenced
        .secrets
        .iter()
        .map(|(name, content)| Some(json!([name, content.as_ref()?.digest])))
        .collect();
    secrets
        .filter(|secrets| !secrets.is_empty())
        .map(|secrets| digest(&json!(secrets)))
}

impl ValidatedMonitor {
    /// Whether the cluster has an optional kind.
    #[must_use]
    pub fn has(&self, kind: ChildKind) -> bool {
        self.optional.contains(&kind)
    }
}
