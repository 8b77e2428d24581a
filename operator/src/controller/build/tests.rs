//! What is built, from YAML as a person writes it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use toxicity_crd::v1alpha1::ToxicityMonitor;

use super::build;
use crate::child::{Child, ChildKind};
use crate::controller::dereference::{Dereferenced, SecretContent};
use crate::controller::validate::{Defaults, Error, ValidatedMonitor, validate};
use crate::discovery::OptionalKinds;

/// A monitor whose name differs from every word of the product, so that a swapped label is seen.
fn monitor(spec: &str) -> ToxicityMonitor {
    let spec: Value = serde_yaml::from_str(spec).unwrap();
    serde_json::from_value(json!({
        "apiVersion": "toxicity.dev/v1alpha1",
        "kind": "ToxicityMonitor",
        "metadata": {"name": "comments", "namespace": "moderation", "uid": "c0ffee", "generation": 1},
        "spec": spec,
    }))
    .unwrap()
}

fn defaults() -> Defaults {
    Defaults {
        model_server_image: "model-server:1".to_owned(),
        web_ui_image: "web-ui:1".to_owned(),
        operator_namespace: Some("toxicity-system".to_owned()),
    }
}

fn dereferenced() -> Dereferenced {
    let content = |keys: &[&str]| {
        Some(SecretContent {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            digest: vec![1],
        })
    };
    Dereferenced {
        secrets: BTreeMap::from([
            ("credentials".to_owned(), content(&["HF_TOKEN"])),
            ("keys".to_owned(), content(&["keys.txt"])),
            ("absent".to_owned(), None),
        ]),
        claims: BTreeMap::from([("models".to_owned(), true), ("absent".to_owned(), false)]),
    }
}

fn validated(spec: &str, optional: &[ChildKind]) -> ValidatedMonitor {
    let optional: OptionalKinds = optional.iter().copied().collect();
    validate(&monitor(spec), &dereferenced(), optional, &defaults()).unwrap()
}

fn built(spec: &str, optional: &[ChildKind]) -> Vec<Child> {
    build(&validated(spec, optional))
}

fn names(children: &[Child]) -> Vec<String> {
    children
        .iter()
        .map(|child| {
            let name = child.name();
            // The digest of the configuration is tested apart.
            let name = match name.rsplit_once('-') {
                Some((rest, digest)) if digest.len() == 10 && child.kind == ChildKind::ConfigMap => rest,
                _ => name,
            };
            format!("{}/{name}", child.kind.as_str())
        })
        .collect()
}

fn find<'a>(children: &'a [Child], kind: ChildKind, name: &str) -> &'a Value {
    let found = children
        .iter()
        .find(|child| child.kind == kind && child.name().starts_with(name));
    &found
        .unwrap_or_else(|| panic!("no {} {name}", kind.as_str()))
        .object
}

fn container(children: &[Child], name: &str) -> Value {
    find(children, ChildKind::Deployment, name)["spec"]["template"]["spec"]["containers"][0].clone()
}

#[test]
fn the_smallest_monitor_wants_all_a_monitor_needs() {
    assert_eq!(
        names(&built("{}", &[])),
        [
            "ServiceAccount/comments-monitor",
            "ConfigMap/comments-model-server",
            "ConfigMap/comments-dashboard",
            "NetworkPolicy/comments-model-server",
            "NetworkPolicy/comments-web-ui",
            "Service/comments-model-server",
            "Service/comments-web-ui",
            "Deployment/comments-model-server",
            "Deployment/comments-web-ui",
            "PodDisruptionBudget/comments-model-server",
            "PodDisruptionBudget/comments-web-ui",
        ]
    );
}

#[test]
fn each_feature_adds_its_children_and_no_other() {
    let plain = names(&built("{}", &[]));
    let optional = [
        ChildKind::ServiceMonitor,
        ChildKind::PrometheusRule,
        ChildKind::HttpRoute,
        ChildKind::ScaledObject,
    ];
    let added = |spec: &str, optional: &[ChildKind]| {
        let mut all = names(&built(spec, optional));
        all.retain(|name| !plain.contains(name));
        all
    };
    let autoscaling = "{autoscaling: {maxReplicas: 3, keda: {prometheusAddress: 'http://prometheus:9090'}}}";
    assert_eq!(
        added("{}", &optional),
        [
            "ServiceMonitor/comments-model-server",
            "ServiceMonitor/comments-web-ui",
            "PrometheusRule/comments-monitor",
        ]
    );
    assert_eq!(
        added(autoscaling, &[]),
        ["HorizontalPodAutoscaler/comments-model-server"]
    );
    assert_eq!(
        added(autoscaling, &[ChildKind::ScaledObject]),
        ["ScaledObject/comments-model-server"]
    );
    assert_eq!(
        added("{ingress: {host: a.example}}", &[]),
        ["Ingress/comments-monitor"]
    );
    let gateway = "{gateway: {parentRefs: [{name: public}]}}";
    assert_eq!(added(gateway, &[]), Vec::<String>::new());
    assert_eq!(
        added(gateway, &[ChildKind::HttpRoute]),
        ["HTTPRoute/comments-monitor"]
    );
    assert_eq!(
        added(
            "{model: {source: 'hf://a/b', cache: {}}, records: {mode: SQLite}}",
            &[]
        ),
        [
            "PersistentVolumeClaim/comments-model-cache",
            "PersistentVolumeClaim/comments-records"
        ]
    );
    assert_eq!(
        names(&built(
            "{webUi: {enabled: false}, networkPolicy: {enabled: false}, monitoring: {dashboard: {enabled: false}}}",
            &[]
        )),
        [
            "ServiceAccount/comments-monitor",
            "ConfigMap/comments-model-server",
            "Service/comments-model-server",
            "Deployment/comments-model-server",
            "PodDisruptionBudget/comments-model-server",
        ]
    );
}

#[test]
fn every_child_belongs_to_the_monitor_and_can_be_found() {
    let spec = "{autoscaling: {maxReplicas: 3}, ingress: {host: a.example}, gateway: {parentRefs: [{name: public}]}, \
                model: {source: 'hf://a/b', cache: {accessMode: ReadWriteMany}}, \
                monitoring: {labels: {release: prometheus, app.kubernetes.io/managed-by: somebody}}}";
    for child in built(spec, &ChildKind::ALL) {
        let metadata = &child.object["metadata"];
        let name = child.name();
        assert_eq!(metadata["namespace"], "moderation", "{name}");
        assert_eq!(
            metadata["labels"]["app.kubernetes.io/instance"], "comments",
            "{name}"
        );
        assert_eq!(
            metadata["labels"]["app.kubernetes.io/managed-by"], "toxicity-operator",
            "{name}"
        );
        assert_eq!(
            metadata["ownerReferences"],
            json!([{
                "apiVersion": "toxicity.dev/v1alpha1", "kind": "ToxicityMonitor", "name": "comments", "uid": "c0ffee",
                "controller": true, "blockOwnerDeletion": true,
            }])
        );
        assert!(
            metadata["annotations"]["toxicity.dev/applied"].is_string(),
            "{name}"
        );
        let resource = child.kind.api_resource();
        assert_eq!(
            child.object["apiVersion"],
            resource.api_version.as_str(),
            "{name}"
        );
        assert_eq!(child.object["kind"], resource.kind.as_str(), "{name}");
    }
}

#[test]
fn pods_meet_the_restricted_standard() {
    let children = built("{}", &[]);
    for name in ["comments-model-server", "comments-web-ui"] {
        let pod = &find(&children, ChildKind::Deployment, name)["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let security = &pod["containers"][0]["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], false);
        assert_eq!(security["readOnlyRootFilesystem"], true);
        assert_eq!(security["capabilities"], json!({"drop": ["ALL"]}));
    }
}

#[test]
fn a_change_of_configuration_gets_a_map_of_its_own_and_rolls_the_pods() {
    let rollout = |spec: &str| {
        let children = built(spec, &[]);
        let map = find(&children, ChildKind::ConfigMap, "comments-model-server").clone();
        let template =
            find(&children, ChildKind::Deployment, "comments-model-server")["spec"]["template"].clone();
        let name = map["metadata"]["name"].clone();
        assert_eq!(map["immutable"], true);
        assert_eq!(
            template["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"],
            name
        );
        (name, template)
    };
    let plain = rollout("{}");
    assert_eq!(plain, rollout("{}"));
    assert_eq!(
        plain,
        rollout("{ingress: {host: a.example}, server: {replicas: 3}, webUi: {enabled: false}}")
    );
    for spec in [
        "{thresholds: {toxic: 0.7}}",
        "{server: {limits: {maxTexts: 7}}}",
        "{model: {name: ours}}",
    ] {
        let (name, template) = rollout(spec);
        assert_ne!(name, plain.0, "{spec}");
        assert_ne!(template, plain.1, "{spec}");
    }
    let (name, template) = rollout("{server: {image: 'model-server:2'}}");
    assert_eq!(name, plain.0);
    assert_ne!(template, plain.1);
}

#[test]
fn a_changed_secret_rolls_the_pods() {
    let template = |digest: u8| {
        let mut dereferenced = dereferenced();
        dereferenced.secrets = BTreeMap::from([(
            "credentials".to_owned(),
            Some(SecretContent {
                digest: vec![digest],
                ..SecretContent::default()
            }),
        )]);
        let monitor = monitor("{model: {source: 'hf://a/b', credentialsSecretRef: {name: credentials}}}");
        let validated = validate(&monitor, &dereferenced, OptionalKinds::new(), &defaults()).unwrap();
        find(&build(&validated), ChildKind::Deployment, "comments-model-server")["spec"]["template"].clone()
    };
    assert_eq!(template(1), template(1));
    assert_ne!(template(1), template(2));
}

#[test]
fn the_configuration_is_what_the_model_server_reads() {
    let spec = "{model: {source: 'pvc://models/toxic-bert/', name: bert}, thresholds: {toxic: 0.8, threat: 0.25}, \
                server: {limits: {maxCharacters: 100, requestTimeout: 10s}}}";
    let data = find(&built(spec, &[]), ChildKind::ConfigMap, "comments-model-server")["data"].clone();
    assert_eq!(
        data,
        json!({
            "TOXICITY_LISTEN": "0.0.0.0:8000",
            "TOXICITY_METRICS_LISTEN": "0.0.0.0:9090",
            "TOXICITY_LOG_FORMAT": "json",
            "TOXICITY_SHUTDOWN_DELAY": "5s",
            "TOXICITY_MODEL": "file:///models/toxic-bert",
            "TOXICITY_MODEL_NAME": "bert",
            "TOXICITY_THRESHOLDS": "threat=0.25,toxic=0.8",
            "TOXICITY_MAX_CHARACTERS": "100",
            "TOXICITY_REQUEST_TIMEOUT": "10s",
        })
    );
}

#[test]
fn a_claim_is_mounted_read_only_and_a_download_has_a_place_to_go() {
    let mounts = |spec: &str| {
        let children = built(spec, &[]);
        let pod =
            &find(&children, ChildKind::Deployment, "comments-model-server")["spec"]["template"]["spec"];
        (
            pod["volumes"].clone(),
            pod["containers"][0]["volumeMounts"].clone(),
        )
    };
    assert_eq!(mounts("{}"), (Value::Null, Value::Null));
    assert_eq!(
        mounts("{model: {source: pvc://models}}"),
        (
            json!([{"name": "model", "persistentVolumeClaim": {"claimName": "models", "readOnly": true}}]),
            json!([{"name": "model", "mountPath": "/models", "readOnly": true}]),
        )
    );
    assert_eq!(
        mounts("{model: {source: 'hf://a/b'}}"),
        (
            json!([{"name": "model-cache", "emptyDir": {}}]),
            json!([{"name": "model-cache", "mountPath": "/var/cache/toxicity"}]),
        )
    );
}

#[test]
fn what_must_not_be_overlooked_stands_on_the_command_line() {
    let arguments = |spec: &str| container(&built(spec, &[]), "comments-model-server")["args"].clone();
    assert_eq!(arguments("{}"), json!(["serve"]));
    assert_eq!(
        arguments("{auth: {apiKeysSecretRef: {name: keys, key: keys.txt}}}"),
        json!(["serve", "--api-keys-file=/etc/toxicity/api-keys/keys.txt"])
    );
}

#[test]
fn sessions_follow_the_cpus() {
    let sessions = |spec: &str| container(&built(spec, &[]), "comments-model-server")["env"].clone();
    let field = |resource: &str| json!([{"name": "TOXICITY_SESSIONS", "valueFrom": {"resourceFieldRef": {"resource": resource}}}]);
    assert_eq!(sessions("{}"), field("requests.cpu"));
    assert_eq!(
        sessions("{server: {resources: {limits: {cpu: 2}}}}"),
        field("limits.cpu")
    );
    assert_eq!(sessions("{server: {resources: {}}}"), Value::Null);
    assert_eq!(
        sessions("{server: {sessions: 3}}"),
        json!([{"name": "TOXICITY_SESSIONS", "value": "3"}])
    );
    assert_eq!(
        sessions("{server: {extraEnv: [{name: TOXICITY_SESSIONS, value: '4'}]}}"),
        json!([{"name": "TOXICITY_SESSIONS", "value": "4"}])
    );
}

#[test]
fn an_autoscaler_owns_the_number_of_replicas() {
    let deployment = |spec: &str| {
        let children = built(spec, &[]);
        let deployment = find(&children, ChildKind::Deployment, "comments-model-server");
        (
            deployment["spec"]["replicas"].clone(),
            deployment["metadata"]["annotations"]["toxicity.dev/replicas-owner"].clone(),
        )
    };
    assert_eq!(
        deployment("{server: {replicas: 3}}"),
        (json!(3), json!("operator"))
    );
    assert_eq!(
        deployment("{server: {replicas: 3}, autoscaling: {maxReplicas: 5}}"),
        (Value::Null, json!("autoscaler"))
    );
}

#[test]
fn autoscaling_aims_at_what_the_spec_names_and_at_cpu_otherwise() {
    let metrics = |spec: &str| {
        let children = built(spec, &[]);
        find(&children, ChildKind::HorizontalPodAutoscaler, "comments")["spec"]["metrics"].clone()
    };
    let cpu = |target: u32| {
        json!({"type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}})
    };
    let queue = json!({"type": "Pods",
        "pods": {"metric": {"name": "toxicity_queue_depth"}, "target": {"type": "AverageValue", "averageValue": "4"}}});
    assert_eq!(metrics("{autoscaling: {maxReplicas: 5}}"), json!([cpu(70)]));
    assert_eq!(
        metrics("{autoscaling: {maxReplicas: 5, queue: {targetDepth: 4}}}"),
        json!([queue])
    );
    assert_eq!(
        metrics("{autoscaling: {maxReplicas: 5, queue: {targetDepth: 4}, cpu: {targetUtilization: 50}}}"),
        json!([cpu(50), queue])
    );
}

#[test]
fn an_ingress_leads_the_api_to_the_model_server_and_the_rest_to_the_web_ui() {
    let routes = |spec: &str| {
        let children = built(spec, &[]);
        let rule = find(&children, ChildKind::Ingress, "comments")["spec"]["rules"][0].clone();
        let paths = rule["http"]["paths"].as_array().unwrap().clone();
        paths
            .iter()
            .map(|path| (path["path"].clone(), path["backend"]["service"]["name"].clone()))
            .collect::<Vec<_>>()
    };
    let api =
        ["/v1", "/v1alpha1", "/v2", "/predict"].map(|path| (json!(path), json!("comments-model-server")));
    let mut both = api.to_vec();
    both.push((json!("/"), json!("comments-web-ui")));
    assert_eq!(routes("{ingress: {host: a.example}}"), both);
    assert_eq!(routes("{ingress: {host: a.example, api: false}}"), both[4..]);
    assert_eq!(
        routes("{ingress: {host: a.example}, webUi: {enabled: false}}"),
        [(json!("/"), json!("comments-model-server"))]
    );
}

#[test]
fn network_policies_open_only_what_is_asked_for() {
    let policy = |spec: &str| {
        let children = built(spec, &[]);
        find(&children, ChildKind::NetworkPolicy, "comments-model-server")["spec"].clone()
    };
    let plain = policy("{}");
    assert_eq!(plain["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(plain["egress"], Value::Null);
    assert_eq!(plain["ingress"][0]["from"][0], json!({"podSelector": {}}));
    assert_eq!(
        policy("{ingress: {host: a.example}}")["ingress"][0]["from"],
        Value::Null
    );
    assert!(policy("{model: {source: 'hf://a/b'}}")["egress"].is_array());
    let client = policy("{networkPolicy: {allowedClients: [{ipBlock: {cidr: 10.0.0.0/8}}]}}");
    assert!(
        client["ingress"][0]["from"]
            .as_array()
            .unwrap()
            .contains(&json!({"ipBlock": {"cidr": "10.0.0.0/8"}}))
    );
}

#[test]
fn alerts_and_dashboard_have_every_word_filled_in() {
    let spec =
        "{monitoring: {alerting: {errorPercent: 3, latencyMilliseconds: 250, labels: {team: safety}}}}";
    let children = built(spec, &ChildKind::ALL);
    let rule = find(&children, ChildKind::PrometheusRule, "comments");
    let text = rule.to_string();
    assert!(!text.contains("${"), "{text}");
    assert!(text.contains("> 3 / 100") && text.contains("> 0.25"), "{text}");
    for alert in rule["spec"]["groups"][0]["rules"].as_array().unwrap() {
        assert_eq!(alert["labels"]["team"], "safety");
        assert_eq!(alert["labels"]["monitor"], "comments");
        assert!(alert["annotations"]["summary"].is_string());
    }
    let map = find(&children, ChildKind::ConfigMap, "comments-dashboard");
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    let dashboard: Value =
        serde_json::from_str(map["data"]["toxicity-moderation-comments.json"].as_str().unwrap()).unwrap();
    assert!(dashboard["uid"].as_str().unwrap().len() <= 40);
    let constants = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!(constants[1]["query"], "moderation");
    assert_eq!(constants[2]["query"], "comments");
}

#[test]
fn what_is_missing_is_named_with_the_remedy() {
    let error = |spec: &str| {
        validate(&monitor(spec), &dereferenced(), OptionalKinds::new(), &defaults()).unwrap_err()
    };
    let secret = error("{model: {source: 's3://a/b', credentialsSecretRef: {name: absent}}}");
    assert_eq!(secret.reason(), "SecretNotFound");
    assert_eq!(
        secret.to_string(),
        "Secret \"absent\" not found in namespace \"moderation\": create it, or change spec.model.credentialsSecretRef"
    );
    let key = error("{auth: {apiKeysSecretRef: {name: keys, key: other}}}");
    assert!(matches!(key, Error::FindSecretKey { .. }), "{key}");
    assert_eq!(
        error("{model: {source: pvc://absent/a}}").reason(),
        "PersistentVolumeClaimNotFound"
    );
    assert_eq!(
        error("{model: {source: pvc://models/../a}}").reason(),
        "InvalidModelSource"
    );
}
