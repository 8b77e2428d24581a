//! The volumes of a monitor.

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use toxicity_crd::v1alpha1::RecordsMode;

use super::metadata::component_metadata;
use crate::component::{Component, map};
use crate::controller::validate::ValidatedMonitor;

/// Name of the claim that keeps downloads.
pub fn cache_claim_name(monitor: &ValidatedMonitor) -> String {
    format!("{}-model-cache", monitor.key.name)
}

/// Name of the claim that keeps records.
pub fn records_claim_name(monitor: &ValidatedMonitor) -> String {
    format!("{}-records", monitor.key.name)
}

/// The claims that the spec asks for.
pub fn claims(monitor: &ValidatedMonitor) -> Vec<PersistentVolumeClaim> {
    let cache = monitor.spec.model.cache.as_ref().map(|cache| {
        claim(
            monitor,
            cache_claim_name(monitor),
            &cache.size,
            cache.storage_class_name.as_ref(),
            &cache.access_mode,
        )
    });
    let records = (monitor.spec.records.mode == RecordsMode::Sqlite).then(|| {
        let storage = monitor.spec.records.storage.clone().unwrap_or_default();
        claim(
            monitor,
            records_claim_name(monitor),
            &storage.size,
            storage.storage_class_name.as_ref(),
            "ReadWriteOnce",
        )
    });
    cache.into_iter().chain(records).collect()
}

fn claim(
    monitor: &ValidatedMonitor,
    name: String,
    size: &Quantity,
    storage_class: Option<&String>,
    access_mode: &str,
) -> PersistentVolumeClaim {
    let mut metadata = component_metadata(monitor, Component::ModelServer);
    metadata.name = Some(name);
    PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec![access_mode.to_owned()]),
            storage_class_name: storage_class.cloned(),
            resources: Some(VolumeResourceRequirements {
                requests: Some(
                    map([("storage", size.0.clone())])
                        .into_iter()
                        .map(|(name, size)| (name, Quantity(size)))
                        .collect(),
                ),
                limits: None,
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}
