//! Which optional APIs the cluster has: prometheus-operator, KEDA and the Gateway API can be installed later.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;

use crate::api_error::ApiError;
use crate::child::ChildKind;
use crate::metrics::Metrics;

/// Optional kinds that the cluster has.
pub type OptionalKinds = BTreeSet<ChildKind>;

/// Asks which optional kinds the cluster has.
///
/// # Errors
/// When the API server cannot be asked.
pub async fn discover(client: &Client) -> Result<OptionalKinds, kube::Error> {
    let groups = client.list_api_groups().await?;
    let mut found = OptionalKinds::new();
    let mut versions: Vec<(String, Vec<String>)> = Vec::new();
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
        let resource = kind.api_resource();
        let served = groups
            .groups
            .iter()
            .filter(|group| group.name == resource.group)
            .flat_map(|group| &group.versions)
            .any(|version| version.group_version == resource.api_version);
        if !served {
            continue;
        }
        if !versions
            .iter()
            .any(|(version, _)| *version == resource.api_version)
        {
            let list = client.list_api_group_resources(&resource.api_version).await?;
            let names = list.resources.into_iter().map(|resource| resource.name).collect();
            versions.push((resource.api_version.clone(), names));
        }
        let installed = versions
            .iter()
            .any(|(version, names)| *version == resource.api_version && names.contains(&resource.plural));
        if installed {
            found.insert(kind);
        }
    }
    Ok(found)
}

/// Looks again and again, and tells when something has changed. Ends when nobody listens.
pub async fn keep_discovering(
    client: Client,
    interval: Duration,
    metrics: Metrics,
    found: watch::Sender<OptionalKinds>,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = found.closed() => return,
        }
        match discover(&client).await {
            Ok(kinds) => {
                report(&metrics, &kinds);
                found.send_if_modified(|before| {
                    for kind in kinds.symmetric_difference(before) {
                        let installed = kinds.contains(kind);
                        tracing::info!(
                            kind = kind.as_str(),
                            installed,
                            "an optional API has come or gone"
                        );
                    }
                    let changed = *before != kinds;
                    *before = kinds;
                    changed
                });
            }
            // What was known stays true until the API server says otherwise.
            Err(error) => {
                tracing::warn!(error = %ApiError::from(error), "failed to ask for optional APIs");
            }
        }
    }
}

/// Tells the metrics which optional kinds there are.
pub fn report(metrics: &Metrics, kinds: &OptionalKinds) {
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
        metrics.set_optional_api(kind, kinds.contains(&kind));
    }
}
