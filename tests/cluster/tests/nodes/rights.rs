//! The installed operator may do what it needs and nothing else.

use serde_json::json;
use toxicity_cluster_tests::kubectl;

/// Whether the operator may, in a namespace that is not its own. A resource is `plural[/subresource][.group]`.
fn may(verb: &str, resource: &str) -> bool {
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    // kubectl auth can-i knows no resource that is not installed.
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": "system:serviceaccount:toxicity-system:toxicity-operator",
            "groups": ["system:serviceaccounts", "system:serviceaccounts:toxicity-system", "system:authenticated"],
            "resourceAttributes": {
                "verb": verb, "group": group, "resource": resource, "subresource": subresource, "namespace": "default",
            },
        },
    })
    .to_string();
    let review = kubectl(["create", "-o", "json", "-f", "-"], Some(&review)).json();
    let allowed = &review["status"]["allowed"];
    allowed
        .as_bool()
        .unwrap_or_else(|| panic!("the review says {review}"))
}

#[test]
fn nothing_needs_a_cluster_administrator() {
    let needed = [
        ("list", "toxicitymonitors.toxicity.dev"),
        ("watch", "toxicitymonitors.toxicity.dev"),
        ("patch", "toxicitymonitors/status.toxicity.dev"),
        ("patch", "deployments.apps"),
        ("create", "services"),
        ("delete", "configmaps"),
        ("list", "pods"),
        ("get", "secrets"),
        ("create", "events.events.k8s.io"),
        ("patch", "horizontalpodautoscalers.autoscaling"),
        ("create", "servicemonitors.monitoring.coreos.com"),
    ];
    for (verb, resource) in needed {
        assert!(may(verb, resource), "the operator may not {verb} {resource}");
    }
    let needless = [
        ("*", "*"),
        ("*", "*.*"),
        ("list", "secrets"),
        ("watch", "secrets"),
        ("create", "secrets"),
        ("delete", "secrets"),
        ("create", "pods"),
        ("delete", "pods"),
        ("create", "pods/exec"),
        ("get", "nodes"),
        ("delete", "nodes"),
        ("create", "namespaces"),
        ("delete", "namespaces"),
        ("create", "roles.rbac.authorization.k8s.io"),
        ("create", "rolebindings.rbac.authorization.k8s.io"),
        ("create", "clusterroles.rbac.authorization.k8s.io"),
        ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
        ("escalate", "clusterroles.rbac.authorization.k8s.io"),
        ("impersonate", "serviceaccounts"),
        ("create", "serviceaccounts/token"),
        ("patch", "toxicitymonitors.toxicity.dev"),
        ("delete", "toxicitymonitors.toxicity.dev"),
        ("patch", "customresourcedefinitions.apiextensions.k8s.io"),
        ("create", "daemonsets.apps"),
        ("update", "leases.coordination.k8s.io"),
    ];
    for (verb, resource) in needless {
        assert!(
            !may(verb, resource),
            "the operator may {verb} {resource} and needs not"
        );
    }
}
