//! Ways in from outside the cluster.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};
use serde_json::{Value, json};

use super::metadata::monitor_metadata;
use crate::component::Component;
use crate::controller::validate::ValidatedMonitor;

/// Paths of the API that lead straight to the model server.
const API_PATHS: [&str; 4] = ["/v1", "/v1alpha1", "/v2", "/predict"];

/// Paths and where they lead, longest first.
fn routes(monitor: &ValidatedMonitor, api: bool) -> Vec<(&'static str, Component)> {
    let mut routes = Vec::new();
    let web_ui = monitor.spec.web_ui.enabled;
    if api && web_ui {
        routes.extend(API_PATHS.map(|path| (path, Component::ModelServer)));
    }
    if web_ui {
        routes.push(("/", Component::WebUi));
    } else if api {
        routes.push(("/", Component::ModelServer));
    }
    routes
}

/// The Ingress, when the spec asks for one.
pub fn ingress(monitor: &ValidatedMonitor) -> Option<Ingress> {
    let options = monitor.spec.ingress.as_ref()?;
    let path = |(path, component): (&str, Component)| HTTPIngressPath {
        path: Some(path.to_owned()),
        path_type: "Prefix".to_owned(),
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: component.object_name(&monitor.key.name),
                port: Some(ServiceBackendPort {
                    name: Some("http".to_owned()),
                    number: None,
                }),
            }),
            resource: None,
        },
    };
    let mut metadata = monitor_metadata(monitor, "monitor");
    metadata
        .annotations
        .get_or_insert_default()
        .extend(options.annotations.clone());
    Some(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: options.class_name.clone(),
            rules: Some(vec![IngressRule {
                host: Some(options.host.clone()),
                http: Some(HTTPIngressRuleValue {
                    paths: routes(monitor, options.api).into_iter().map(path).collect(),
                }),
            }]),
            tls: options.tls_secret_name.clone().map(|secret| {
                vec![IngressTLS {
                    hosts: Some(vec![options.host.clone()]),
                    secret_name: Some(secret),
                }]
            }),
            ..IngressSpec::default()
        }),
        ..Ingress::default()
    })
}

/// The HTTPRoute (`gateway.networking.k8s.io/v1`), when the spec asks for one.
pub fn http_route(monitor: &ValidatedMonitor) -> Option<Value> {
    let options = monitor.spec.gateway.as_ref()?;
    let parents: Vec<Value> = options
        .parent_refs
        .iter()
        .map(|parent| {
            let mut reference = json!({
                "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": parent.name,
            });
            if let Some(namespace) = &parent.namespace {
                reference["namespace"] = json!(namespace);
            }
            if let Some(section) = &parent.section_name {
                reference["sectionName"] = json!(section);
            }
            reference
        })
        .collect();
    let rules: Vec<Value> = routes(monitor, options.api)
        .into_iter()
        .map(|(path, component)| {
            json!({
                "matches": [{"path": {"type": "PathPrefix", "value": path}}],
                "backendRefs": [{
                    "group": "", "kind": "Service", "weight": 1,
                    "name": component.object_name(&monitor.key.name),
                    "port": component.service_port(),
                }],
            })
        })
        .collect();
    let mut spec = json!({"parentRefs": parents, "rules": rules});
    if !options.hostnames.is_empty() {
        spec["hostnames"] = json!(options.hostnames);
    }
    Some(json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": monitor_metadata(monitor, "monitor"),
        "spec": spec,
    }))
}
