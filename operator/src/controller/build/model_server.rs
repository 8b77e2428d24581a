//! The pods that score: their configuration and their Deployment.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapEnvSource, Container, EmptyDirVolumeSource, EnvFromSource, EnvVar, EnvVarSource,
    KeyToPath, PersistentVolumeClaimVolumeSource, ResourceFieldSelector, SecretEnvSource, SecretVolumeSource,
    Volume, VolumeMount,
};
use serde_json::json;
use toxicity_crd::v1alpha1::{RecordsMode, SecretKeyReference, SourceScheme};

use super::autoscaling::Replicas;
use super::deployment::{CONFIGURATION_ANNOTATION, Workload, deployment as common_deployment, port};
use super::metadata::{METRICS_PORT, component_metadata};
use super::storage::{cache_claim_name, records_claim_name};
use crate::component::Component;
use crate::controller::validate::ValidatedMonitor;
use crate::drift::digest;

/// Where a claim with a model is mounted.
const MODELS: &str = "/models";
/// Where downloads are kept.
const CACHE: &str = "/var/cache/toxicity";
/// Where records are kept.
const RECORDS: &str = "/var/lib/toxicity";
/// Where the API keys are mounted.
const API_KEYS: &str = "/etc/toxicity/api-keys";
/// Where the address of the database is mounted.
const DATABASE: &str = "/etc/toxicity/database";

/// The configuration: one environment variable of the model server a line.
///
/// Its name carries the digest of its content, and it is never changed. So the pods of an old configuration can be started
/// again with what they had, while a new one turns out to be wrong.
pub fn configuration(monitor: &ValidatedMonitor) -> ConfigMap {
    let data = variables(monitor);
    let mut metadata = component_metadata(monitor, Component::ModelServer);
    let digest = digest(&json!(data));
    let name = Component::ModelServer.object_name(&monitor.key.name);
    metadata.name = Some(format!("{name}-{}", &digest[..10]));
    ConfigMap {
        metadata,
        data: Some(data),
        immutable: Some(true),
        ..ConfigMap::default()
    }
}

fn variables(monitor: &ValidatedMonitor) -> BTreeMap<String, String> {
    let spec = &monitor.spec;
    let limits = &spec.server.limits;
    let model = match spec.model.claim() {
        Some((_, folder)) => format!("file://{MODELS}/{folder}")
            .trim_end_matches('/')
            .to_owned(),
        None => spec.model.source.clone(),
    };
    let thresholds = (!spec.thresholds.is_empty()).then(|| {
        let pairs = spec
            .thresholds
            .iter()
            .map(|(label, value)| format!("{label}={value}"));
        pairs.collect::<Vec<_>>().join(",")
    });
    let cache = (spec.model.scheme() == SourceScheme::Download).then(|| CACHE.to_owned());
    let listen = |port: u16| Some(format!("0.0.0.0:{port}"));
    let values = [
        ("TOXICITY_LISTEN", listen(Component::ModelServer.container_port())),
        ("TOXICITY_METRICS_LISTEN", listen(METRICS_PORT)),
        ("TOXICITY_LOG_FORMAT", Some("json".to_owned())),
        ("TOXICITY_SHUTDOWN_DELAY", Some("5s".to_owned())),
        ("TOXICITY_MODEL", Some(model)),
        ("TOXICITY_MODEL_NAME", spec.model.name.clone()),
        ("TOXICITY_MODEL_CACHE", cache),
        ("TOXICITY_THRESHOLDS", thresholds),
        (
            "TOXICITY_MAX_BODY_BYTES",
            limits.max_body_bytes.map(|value| value.to_string()),
        ),
        (
            "TOXICITY_MAX_TEXTS",
            limits.max_texts.map(|value| value.to_string()),
        ),
        (
            "TOXICITY_MAX_CHARACTERS",
            limits.max_characters.map(|value| value.to_string()),
        ),
        (
            "TOXICITY_MAX_CONCURRENT_REQUESTS",
            limits.max_concurrent_requests.map(|value| value.to_string()),
        ),
        ("TOXICITY_REQUEST_TIMEOUT", limits.request_timeout.clone()),
    ];
    values
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// The Deployment.
pub fn deployment(monitor: &ValidatedMonitor, configuration: &ConfigMap) -> Deployment {
    let server = &monitor.spec.server;
    let (volumes, mounts) = storage(monitor);
    let configuration = configuration.metadata.name.clone().unwrap_or_default();
    let mut annotations = server.pod_annotations.clone();
    let content = match &monitor.secrets_digest {
        Some(secrets) => format!("{configuration}/{secrets}"),
        None => configuration.clone(),
    };
    annotations.insert(CONFIGURATION_ANNOTATION.to_owned(), content);
    let mut sources = vec![EnvFromSource {
        config_map_ref: Some(ConfigMapEnvSource {
            name: configuration,
            optional: None,
        }),
        ..EnvFromSource::default()
    }];
    sources.extend(
        monitor
            .spec
            .model
            .credentials_secret_ref
            .as_ref()
            .map(|secret| EnvFromSource {
                secret_ref: Some(SecretEnvSource {
                    name: secret.name.clone(),
                    optional: None,
                }),
                ..EnvFromSource::default()
            }),
    );
    let mut variables = sessions(monitor);
    for variable in &server.extra_env {
        variables.retain(|other| other.name != variable.name);
        variables.push(variable.clone());
    }
    let workload = Workload {
        component: Component::ModelServer,
        image: &monitor.model_server_image,
        pull_policy: server.image_pull_policy,
        replicas: Replicas::of(monitor),
        one_at_a_time: monitor.spec.records.mode == RecordsMode::Sqlite,
        resources: &server.resources,
        scheduling: &server.scheduling,
        pod_annotations: annotations,
        pod_labels: &server.pod_labels,
        volumes,
        probes: ["/startupz", "/livez", "/readyz"],
        container: Container {
            args: Some(arguments(monitor)),
            env_from: Some(sources),
            env: (!variables.is_empty()).then_some(variables),
            volume_mounts: (!mounts.is_empty()).then_some(mounts),
            ports: Some(vec![port("metrics", METRICS_PORT)]),
            ..Container::default()
        },
    };
    common_deployment(monitor, workload)
}

/// What a model server must not overlook stands on its command line: one that does not know a flag refuses to start,
/// where it would pass over a variable and serve without keys.
fn arguments(monitor: &ValidatedMonitor) -> Vec<String> {
    let spec = &monitor.spec;
    let mut arguments = vec!["serve".to_owned()];
    let mut add = |flag: &str, value: &str| arguments.push(format!("--{flag}={value}"));
    if let Some(revision) = &spec.model.revision {
        add("model-revision", revision);
    }
    if let Some(sha256) = &spec.model.sha256 {
        add("model-sha256", sha256);
    }
    if let Some(auth) = &spec.auth {
        add(
            "api-keys-file",
            &format!("{API_KEYS}/{}", auth.api_keys_secret_ref.key),
        );
    }
    match (spec.records.mode, &spec.records.database_secret_ref) {
        (RecordsMode::Sqlite, _) => add("records-url", &format!("sqlite://{RECORDS}/records.db")),
        (RecordsMode::Postgresql, Some(secret)) => {
            add("records-url-file", &format!("{DATABASE}/{}", secret.key));
        }
        _ => {}
    }
    if let Some(retention) = &spec.records.retention {
        add("records-retention", retention);
    }
    arguments
}

/// A session for each CPU. Kubernetes knows the number, rounded up; where no CPU is named the model server asks the
/// kernel.
fn sessions(monitor: &ValidatedMonitor) -> Vec<EnvVar> {
    let server = &monitor.spec.server;
    let names_cpu = |quantities: &Option<BTreeMap<String, _>>| {
        quantities
            .as_ref()
            .is_some_and(|quantities| quantities.contains_key("cpu"))
    };
    let from_field = |resource: &str| EnvVar {
        value_from: Some(EnvVarSource {
            resource_field_ref: Some(ResourceFieldSelector {
                resource: resource.to_owned(),
                ..ResourceFieldSelector::default()
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    };
    let value = if let Some(sessions) = server.sessions {
        EnvVar {
            value: Some(sessions.to_string()),
            ..EnvVar::default()
        }
    } else if names_cpu(&server.resources.limits) {
        from_field("limits.cpu")
    } else if names_cpu(&server.resources.requests) {
        from_field("requests.cpu")
    } else {
        return Vec::new();
    };
    vec![EnvVar {
        name: "TOXICITY_SESSIONS".to_owned(),
        ..value
    }]
}

fn storage(monitor: &ValidatedMonitor) -> (Vec<Volume>, Vec<VolumeMount>) {
    let spec = &monitor.spec;
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    let mut add = |name: &str, path: &str, read_only: bool, volume: Volume| {
        volumes.push(Volume {
            name: name.to_owned(),
            ..volume
        });
        mounts.push(VolumeMount {
            name: name.to_owned(),
            mount_path: path.to_owned(),
            read_only: read_only.then_some(true),
            ..VolumeMount::default()
        });
    };
    match spec.model.scheme() {
        SourceScheme::Claim => {
            let (name, _) = spec.model.claim().unwrap_or_default();
            add("model", MODELS, true, claim(name.to_owned(), true));
        }
        SourceScheme::Download => {
            let volume = match spec.model.cache {
                Some(_) => claim(cache_claim_name(monitor), false),
                None => Volume {
                    empty_dir: Some(EmptyDirVolumeSource::default()),
                    ..Volume::default()
                },
            };
            add("model-cache", CACHE, false, volume);
        }
        SourceScheme::Bundled | SourceScheme::File => {}
    }
    if spec.records.mode == RecordsMode::Sqlite {
        add(
            "records",
            RECORDS,
            false,
            claim(records_claim_name(monitor), false),
        );
    }
    if let Some(auth) = &spec.auth {
        add("api-keys", API_KEYS, true, secret(&auth.api_keys_secret_ref));
    }
    if let Some(database) = &spec.records.database_secret_ref {
        add("database", DATABASE, true, secret(database));
    }
    (volumes, mounts)
}

fn claim(name: String, read_only: bool) -> Volume {
    Volume {
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: name,
            read_only: read_only.then_some(true),
        }),
        ..Volume::default()
    }
}

fn secret(reference: &SecretKeyReference) -> Volume {
    Volume {
        secret: Some(SecretVolumeSource {
            secret_name: Some(reference.name.clone()),
            default_mode: Some(0o440),
            items: Some(vec![KeyToPath {
                key: reference.key.clone(),
                path: reference.key.clone(),
                mode: None,
            }]),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}
