//! The installed operator may do what it needs and nothing else.

use toxicity_cluster_tests::kubectl;

/// Whether the operator may, in a namespace that is not its own. `pods/exec` is the subresource `exec` of pods.
fn may(verb: &str, resource: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let subresource = format!("--subresource={subresource}");
    let words = [
        "auth",
        "can-i",
        verb,
        resource,
        &subresource,
        "--as=system:serviceaccount:toxicity-system:toxicity-operator",
        "--namespace=default",
    ];
    let answer = kubectl(words, None);
    match answer.stdout.trim() {
        "yes" => true,
        "no" => false,
        _ => panic!("`{}` says {}{}", answer.command, answer.stdout, answer.stderr),
    }
}

#[test]
fn nothing_needs_a_cluster_administrator() {
    let needed = [
        ("list", "toxicitymonitors.toxicity.dev"),
        ("watch", "toxicitymonitors.toxicity.dev"),
        ("patch", "toxicitymonitors.toxicity.dev/status"),
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
