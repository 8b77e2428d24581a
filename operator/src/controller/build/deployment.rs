//! A Deployment, in what both components share: how it rolls, how pods are kept safe, where they run.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, HTTPGetAction, PodSecurityContext, PodSpec, PodTemplateSpec,
    Probe, ResourceRequirements, SeccompProfile, SecurityContext, TopologySpreadConstraint, Volume,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::ObjectMeta;
use toxicity_crd::v1alpha1::{PullPolicy, Scheduling};

use super::autoscaling::Replicas;
use super::metadata::{component_metadata, selector, service_account_name};
use crate::component::Component;
use crate::controller::validate::ValidatedMonitor;

/// Annotation of the pods with a digest of their configuration and Secrets: when one changes, the pods are rolled.
pub const CONFIGURATION_ANNOTATION: &str = "toxicity.dev/configuration";

/// Annotation of a Deployment that says who owns its number of replicas: `operator` or `autoscaler`.
pub const REPLICAS_ANNOTATION: &str = "toxicity.dev/replicas-owner";

/// User and group of the images.
const USER: i64 = 65_532;

/// Time from the end of a pod to its kill: the servers answer for some seconds more while clients learn that it is gone,
/// and then finish what they have begun.
const TERMINATION_SECONDS: i64 = 45;

/// What differs between the two components.
pub struct Workload<'a> {
    /// Which.
    pub component: Component,
    /// Image.
    pub image: &'a str,
    /// When to pull it.
    pub pull_policy: Option<PullPolicy>,
    /// Who decides how many pods there are.
    pub replicas: Replicas,
    /// Whether old pods must be gone before new ones start.
    pub one_at_a_time: bool,
    /// What each pod asks for and may use.
    pub resources: &'a ResourceRequirements,
    /// Where pods run.
    pub scheduling: &'a Scheduling,
    /// Annotations of the pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// Labels of the pods from the spec.
    pub pod_labels: &'a BTreeMap<String, String>,
    /// Volumes of the pods.
    pub volumes: Vec<Volume>,
    /// Probe paths: started, alive, ready.
    pub probes: [&'static str; 3],
    /// The container, without what is the same for both.
    pub container: Container,
}

/// The Deployment of a component.
pub fn deployment(monitor: &ValidatedMonitor, workload: Workload<'_>) -> Deployment {
    let mut metadata = component_metadata(monitor, workload.component);
    let owner = match workload.replicas {
        Replicas::Operator(_) => "operator",
        Replicas::Autoscaler => "autoscaler",
    };
    metadata
        .annotations
        .get_or_insert_default()
        .insert(REPLICAS_ANNOTATION.to_owned(), owner.to_owned());
    let strategy = if workload.one_at_a_time {
        DeploymentStrategy {
            type_: Some("Recreate".to_owned()),
            rolling_update: None,
        }
    } else {
        DeploymentStrategy {
            type_: Some("RollingUpdate".to_owned()),
            rolling_update: Some(RollingUpdateDeployment {
                max_surge: Some(IntOrString::String("25%".to_owned())),
                max_unavailable: Some(IntOrString::Int(0)),
            }),
        }
    };
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: match workload.replicas {
                Replicas::Operator(replicas) => Some(replicas),
                Replicas::Autoscaler => None,
            },
            revision_history_limit: Some(3),
            progress_deadline_seconds: Some(300),
            selector: selector(monitor, workload.component),
            strategy: Some(strategy),
            template: pod_template(monitor, workload),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn pod_template(monitor: &ValidatedMonitor, workload: Workload<'_>) -> PodTemplateSpec {
    let scheduling = workload.scheduling;
    // The operator's labels win: by them the pods are found.
    let mut labels = workload.pod_labels.clone();
    labels.extend(workload.component.pod_labels(&monitor.key.name));
    let spread = if scheduling.topology_spread_constraints.is_empty() {
        default_spread(monitor, workload.component)
    } else {
        scheduling.topology_spread_constraints.clone()
    };
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: (!workload.pod_annotations.is_empty()).then(|| workload.pod_annotations.clone()),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            service_account_name: Some(service_account_name(monitor)),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            termination_grace_period_seconds: Some(TERMINATION_SECONDS),
            security_context: Some(PodSecurityContext {
                run_as_non_root: Some(true),
                run_as_user: Some(USER),
                run_as_group: Some(USER),
                fs_group: Some(USER),
                fs_group_change_policy: Some("OnRootMismatch".to_owned()),
                seccomp_profile: Some(SeccompProfile {
                    type_: "RuntimeDefault".to_owned(),
                    localhost_profile: None,
                }),
                ..PodSecurityContext::default()
            }),
            node_selector: (!scheduling.node_selector.is_empty()).then(|| scheduling.node_selector.clone()),
            tolerations: (!scheduling.tolerations.is_empty()).then(|| scheduling.tolerations.clone()),
            affinity: scheduling.affinity.clone(),
            topology_spread_constraints: Some(spread),
            priority_class_name: scheduling.priority_class_name.clone(),
            runtime_class_name: scheduling.runtime_class_name.clone(),
            volumes: (!workload.volumes.is_empty()).then(|| workload.volumes.clone()),
            containers: vec![container(workload)],
            ..PodSpec::default()
        }),
    }
}

fn container(workload: Workload<'_>) -> Container {
    let [started, alive, ready] = workload.probes;
    let mut ports = vec![port("http", workload.component.container_port())];
    ports.extend(workload.container.ports.unwrap_or_default());
    Container {
        name: workload.component.as_str().to_owned(),
        image: Some(workload.image.to_owned()),
        image_pull_policy: workload.pull_policy.map(|policy| policy.as_str().to_owned()),
        ports: Some(ports),
        resources: Some(workload.resources.clone()),
        // A model of a gigabyte may take minutes to download.
        startup_probe: Some(probe(started, 2, 300)),
        liveness_probe: Some(probe(alive, 10, 3)),
        readiness_probe: Some(probe(ready, 2, 2)),
        // The last lines of the log become the cause in the status.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".to_owned()]),
                add: None,
            }),
            ..SecurityContext::default()
        }),
        ..workload.container
    }
}

/// A named port of a container.
pub fn port(name: &str, port: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: port.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

fn probe(path: &str, period_seconds: i32, failure_threshold: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("http".to_owned()),
            scheme: Some("HTTP".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_seconds),
        failure_threshold: Some(failure_threshold),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

/// Over nodes and zones, as far as that is possible.
fn default_spread(monitor: &ValidatedMonitor, component: Component) -> Vec<TopologySpreadConstraint> {
    ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        .map(|key| TopologySpreadConstraint {
            max_skew: 1,
            topology_key: key.to_owned(),
            when_unsatisfiable: "ScheduleAnyway".to_owned(),
            label_selector: Some(selector(monitor, component)),
            ..TopologySpreadConstraint::default()
        })
        .into()
}
