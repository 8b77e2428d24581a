//! Which connections the pods accept and open.

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use toxicity_crd::v1alpha1::{RecordsMode, SourceScheme};

use super::metadata::{METRICS_PORT, component_metadata, selector};
use crate::component::{Component, LABEL_NAME, MANAGED_BY, map};
use crate::controller::validate::ValidatedMonitor;

/// The NetworkPolicy of a component: everything it does not name is refused.
pub fn network_policy(monitor: &ValidatedMonitor, component: Component) -> NetworkPolicy {
    let egress = egress(monitor, component);
    NetworkPolicy {
        metadata: component_metadata(monitor, component),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(monitor, component)),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: Some(ingress(monitor, component)),
            egress: (!egress.is_empty()).then_some(egress),
        }),
    }
}

fn ingress(monitor: &ValidatedMonitor, component: Component) -> Vec<NetworkPolicyIngressRule> {
    let spec = &monitor.spec;
    // Where the controller of an ingress or gateway runs is not known.
    let open = spec.ingress.is_some() || spec.gateway.is_some();
    let mut clients = vec![pods(LabelSelector::default())];
    clients.extend(spec.network_policy.allowed_clients.iter().cloned());
    clients.extend(operator(monitor).filter(|_| component == Component::ModelServer));
    let mut rules = vec![NetworkPolicyIngressRule {
        from: (!open).then_some(clients),
        ports: Some(vec![tcp(component.container_port())]),
    }];
    let metrics_port = match component {
        Component::ModelServer => METRICS_PORT,
        Component::WebUi => component.container_port(),
    };
    rules.push(NetworkPolicyIngressRule {
        from: Some(vec![NetworkPolicyPeer {
            namespace_selector: Some(LabelSelector::default()),
            ..NetworkPolicyPeer::default()
        }]),
        ports: Some(vec![tcp(metrics_port)]),
    });
    rules
}

/// The operator, which asks for the revision of the model.
fn operator(monitor: &ValidatedMonitor) -> Option<NetworkPolicyPeer> {
    let namespace = monitor.operator_namespace.clone()?;
    let labels = |labels| LabelSelector {
        match_labels: Some(labels),
        ..LabelSelector::default()
    };
    Some(NetworkPolicyPeer {
        namespace_selector: Some(labels(map([("kubernetes.io/metadata.name", namespace)]))),
        pod_selector: Some(labels(map([(LABEL_NAME, MANAGED_BY.to_owned())]))),
        ip_block: None,
    })
}

fn egress(monitor: &ValidatedMonitor, component: Component) -> Vec<NetworkPolicyEgressRule> {
    let names = NetworkPolicyEgressRule {
        to: None,
        ports: Some(vec![
            NetworkPolicyPort {
                protocol: Some("UDP".to_owned()),
                ..tcp(53)
            },
            tcp(53),
        ]),
    };
    match component {
        Component::WebUi => vec![
            names,
            NetworkPolicyEgressRule {
                to: Some(vec![pods(selector(monitor, Component::ModelServer))]),
                ports: Some(vec![tcp(Component::ModelServer.container_port())]),
            },
        ],
        Component::ModelServer => {
            let goes_out = monitor.spec.model.scheme() == SourceScheme::Download
                || monitor.spec.records.mode == RecordsMode::Postgresql;
            let anywhere = NetworkPolicyEgressRule {
                to: None,
                ports: Some(vec![NetworkPolicyPort {
                    protocol: Some("TCP".to_owned()),
                    ..NetworkPolicyPort::default()
                }]),
            };
            if goes_out {
                vec![names, anywhere]
            } else {
                Vec::new()
            }
        }
    }
}

fn pods(selector: LabelSelector) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        pod_selector: Some(selector),
        ..NetworkPolicyPeer::default()
    }
}

fn tcp(port: u16) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some("TCP".to_owned()),
        port: Some(IntOrString::Int(port.into())),
        end_port: None,
    }
}
