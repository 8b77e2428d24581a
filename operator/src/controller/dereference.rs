//! Step one: fetches what the spec points at. Finding nothing is an answer here, not an error.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
use kube::{Api, Client};
use sha2::{Digest, Sha256};
use toxicity_crd::v1alpha1::ToxicityMonitorSpec;

use crate::api_error::ApiError;

/// What the spec points at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dereferenced {
    /// Secrets by name; `None` where there is none.
    pub secrets: BTreeMap<String, Option<SecretContent>>,
    /// Claims by name, and whether they exist.
    pub claims: BTreeMap<String, bool>,
}

/// What is kept of a Secret: never its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretContent {
    /// Keys it has.
    pub keys: BTreeSet<String>,
    /// SHA-256 over keys and values, which tells that it has changed.
    pub digest: Vec<u8>,
}

/// Why fetching failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Secret cannot be read.
    #[error("failed to read Secret \"{name}\" in namespace \"{namespace}\"")]
    ReadSecret {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// Why.
        source: ApiError,
    },
    /// A claim cannot be read.
    #[error("failed to read PersistentVolumeClaim \"{name}\" in namespace \"{namespace}\"")]
    ReadClaim {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// Why.
        source: ApiError,
    },
}

/// Names of the Secrets that the spec points at and that the pods need.
#[must_use]
pub fn secret_names(spec: &ToxicityMonitorSpec) -> BTreeSet<&str> {
    let credentials = spec
        .model
        .credentials_secret_ref
        .as_ref()
        .map(|secret| secret.name.as_str());
    let keys = spec
        .auth
        .as_ref()
        .map(|auth| auth.api_keys_secret_ref.name.as_str());
    let database = spec
        .records
        .database_secret_ref
        .as_ref()
        .map(|secret| secret.name.as_str());
    [credentials, keys, database].into_iter().flatten().collect()
}

/// Fetches what the spec points at.
///
/// # Errors
/// When the API server cannot be asked, or refuses.
pub async fn dereference(
    client: &Client,
    namespace: &str,
    spec: &ToxicityMonitorSpec,
) -> Result<Dereferenced, Error> {
    let mut found = Dereferenced::default();
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    for name in secret_names(spec) {
        let secret = secrets.get_opt(name).await.map_err(|source| Error::ReadSecret {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            source: source.into(),
        })?;
        found
            .secrets
            .insert(name.to_owned(), secret.as_ref().map(content));
    }
    if let Some((claim, _)) = spec.model.claim() {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
        let metadata = claims
            .get_metadata_opt(claim)
            .await
            .map_err(|source| Error::ReadClaim {
                name: claim.to_owned(),
                namespace: namespace.to_owned(),
                source: source.into(),
            })?;
        found.claims.insert(claim.to_owned(), metadata.is_some());
    }
    Ok(found)
}

fn content(secret: &Secret) -> SecretContent {
    let mut hasher = Sha256::new();
    let mut keys = BTreeSet::new();
    for (key, value) in secret.data.iter().flatten() {
        for part in [key.as_bytes(), &value.0] {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        keys.insert(key.clone());
    }
    SecretContent {
        keys,
        digest: hasher.finalize().to_vec(),
    }
}
