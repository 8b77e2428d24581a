//! What the operator may do: exactly what it does, made from the same table it works by.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use kube::api::ObjectMeta;
use toxicity_crd::GROUP;

use crate::child::ChildKind;
use crate::component::{FIELD_MANAGER, LABEL_NAME, LABEL_PART_OF, map};

/// Verbs on children. Applying creates or patches; reading one tells whether its name is taken.
const CHILD_VERBS: [&str; 6] = ["create", "delete", "get", "list", "patch", "watch"];

/// The role for monitors of all namespaces.
#[must_use]
pub fn cluster_role() -> ClusterRole {
    ClusterRole {
        metadata: metadata("toxicity-operator"),
        rules: Some(rules()),
        ..ClusterRole::default()
    }
}

/// The role for monitors of one namespace.
#[must_use]
pub fn namespaced_role() -> Role {
    Role {
        metadata: metadata("toxicity-operator"),
        rules: Some(rules()),
    }
}

/// The role for the Lease, in the operator's own namespace.
#[must_use]
pub fn leader_election_role() -> Role {
    Role {
        metadata: metadata("toxicity-operator-leader-election"),
        rules: Some(vec![rule(
            "coordination.k8s.io",
            &["leases"],
            &["create", "get", "update"],
        )]),
    }
}

fn rules() -> Vec<PolicyRule> {
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in ChildKind::ALL {
        let (group, _, _, plural) = kind.names();
        children.entry(group).or_default().push(plural);
    }
    let mut rules = vec![
        rule(GROUP, &["toxicitymonitors"], &["get", "list", "watch"]),
        rule(GROUP, &["toxicitymonitors/status"], &["patch"]),
        // Where OwnerReferencesPermissionEnforcement is on, an owner that blocks its deletion asks for it.
        rule(GROUP, &["toxicitymonitors/finalizers"], &["update"]),
    ];
    for (group, mut resources) in children {
        resources.sort_unstable();
        rules.push(rule(group, &resources, &CHILD_VERBS));
    }
    rules.extend([
        rule("", &["pods"], &["list", "watch"]),
        // Only those that a monitor names are read, one by one.
        rule("", &["secrets"], &["get"]),
        rule("events.k8s.io", &["events"], &["create", "patch"]),
    ]);
    rules
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> PolicyRule {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(owned(&[group])),
        resources: Some(owned(resources)),
        verbs: owned(verbs),
        ..PolicyRule::default()
    }
}

fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(map([
            (LABEL_NAME, FIELD_MANAGER.to_owned()),
            (LABEL_PART_OF, "toxicity-monitor".to_owned()),
        ])),
        ..ObjectMeta::default()
    }
}
