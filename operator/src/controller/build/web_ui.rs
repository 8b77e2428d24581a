//! The pods that serve the page.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, EnvVar};

use super::autoscaling::Replicas;
use super::deployment::{Workload, deployment as common_deployment};
use crate::component::Component;
use crate::controller::validate::ValidatedMonitor;

/// The Deployment.
pub fn deployment(monitor: &ValidatedMonitor) -> Deployment {
    let web_ui = &monitor.spec.web_ui;
    let upstream = Component::ModelServer;
    let variable = |name: &str, value: String| EnvVar {
        name: name.to_owned(),
        value: Some(value),
        ..EnvVar::default()
    };
    let workload = Workload {
        component: Component::WebUi,
        image: &monitor.web_ui_image,
        pull_policy: web_ui.image_pull_policy,
        replicas: Replicas::Operator(web_ui.replicas),
        one_at_a_time: false,
        resources: &web_ui.resources,
        scheduling: &web_ui.scheduling,
        pod_annotations: BTreeMap::new(),
        pod_labels: &BTreeMap::new(),
        volumes: Vec::new(),
        probes: ["/healthz", "/healthz", "/healthz"],
        container: Container {
            env: Some(vec![
                variable(
                    "TOXICITY_WEB_LISTEN",
                    format!("0.0.0.0:{}", Component::WebUi.container_port()),
                ),
                variable(
                    "TOXICITY_WEB_UPSTREAM",
                    format!(
                        "http://{}:{}",
                        upstream.object_name(&monitor.key.name),
                        upstream.service_port()
                    ),
                ),
                variable("TOXICITY_LOG_FORMAT", "json".to_owned()),
                variable("TOXICITY_WEB_DRAIN_DELAY", "5s".to_owned()),
            ]),
            ..Container::default()
        },
    };
    common_deployment(monitor, workload)
}
