//! What changes the cluster for all who use it. These tests run alone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toxicity_cluster_tests::{
    Namespace, Operator, Options, Scene, kill_component, kubectl, repository, start_cluster,
};
use toxicity_crd::v1alpha1::ConditionType::{Degraded, MonitoringConfigured, Ready};

const DEFINITION: &str = "toxicitymonitors.toxicity.dev";

/// Undoes something, also when the test fails.
struct Afterwards<F: FnMut()>(F);

impl<F: FnMut()> Drop for Afterwards<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A definition that takes everything: the operator's business is that the kind exists.
fn definition(group: &str, version: &str, kind: &str, plural: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{group}"),
            // Groups below k8s.io ask for it.
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    })
}

const OPTIONAL: [(&str, &str, &str, &str); 4] = [
    ("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
    ("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"),
    ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
    ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
];

fn remove_optional() {
    for (group, _, _, plural) in OPTIONAL {
        let name = format!("{plural}.{group}");
        let words = [
            "delete",
            "customresourcedefinition",
            &name,
            "--ignore-not-found",
            "--timeout=30s",
        ];
        let _ = kubectl(words, None).expect();
    }
}

fn install(kinds: &[(&str, &str, &str, &str)]) {
    for (group, version, kind, plural) in kinds {
        let object = definition(group, version, kind, plural).to_string();
        let _ = kubectl(["create", "-f", "-"], Some(&object)).expect();
    }
}

/// Waits until the monitor makes do without any optional API, and says so.
async fn until_it_makes_do(scene: &Scene) {
    let reason = "PrometheusOperatorNotInstalled";
    scene
        .until_condition("comments", MonitoringConfigured, "False", reason, 30)
        .await;
    let message = scene
        .until_condition("comments", Degraded, "True", "KedaNotInstalled", 20)
        .await;
    assert!(
        message.contains("a HorizontalPodAutoscaler stands in"),
        "{message}"
    );
    scene
        .until("a HorizontalPodAutoscaler stands in", 20, async || {
            let found = scene
                .get("HorizontalPodAutoscaler", "comments-model-server")
                .await;
            found.is_some()
        })
        .await;
    scene
        .until_condition("comments", Ready, "True", "Available", 20)
        .await;
}

/// Installs one API after the other, and looks at what comes of each.
async fn install_and_look(scene: &Scene) {
    install(&OPTIONAL[..2]);
    scene
        .until_condition("comments", MonitoringConfigured, "True", "Configured", 20)
        .await;
    let children = scene
        .children_of("comments", &["ServiceMonitor", "PrometheusRule"])
        .await;
    assert_eq!(
        children.keys().collect::<Vec<_>>(),
        [
            "PrometheusRule/comments-monitor",
            "ServiceMonitor/comments-model-server",
            "ServiceMonitor/comments-web-ui"
        ]
    );
    for (name, child) in &children {
        let metadata = &child["metadata"];
        assert_eq!(metadata["labels"]["release"], "prometheus", "{name}");
        assert_eq!(
            metadata["ownerReferences"][0]["kind"], "ToxicityMonitor",
            "{name}"
        );
    }

    install(&OPTIONAL[2..3]);
    scene
        .until(
            "a ScaledObject has replaced the HorizontalPodAutoscaler",
            20,
            async || {
                let found = scene
                    .get("HorizontalPodAutoscaler", "comments-model-server")
                    .await;
                found.is_none() && scene.children_of("comments", &["ScaledObject"]).await.len() == 1
            },
        )
        .await;
    scene
        .until_condition("comments", Degraded, "True", "GatewayApiNotInstalled", 20)
        .await;
    install(&OPTIONAL[3..]);
    scene
        .until("there is a route", 20, async || {
            scene.children_of("comments", &["HTTPRoute"]).await.len() == 1
        })
        .await;
    scene
        .until_condition("comments", Degraded, "False", "AsExpected", 20)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn optional_apis_may_come_and_go_while_the_operator_runs() {
    let mut scene = Scene::alone("optional").await;
    remove_optional();
    let _afterwards = Afterwards(remove_optional);
    scene.play().await;
    let spec = json!({
        "autoscaling": {"maxReplicas": 3, "queue": {}, "keda": {"prometheusAddress": "http://prometheus:9090"}},
        "gateway": {"parentRefs": [{"name": "public"}], "hostnames": ["toxicity.example.com"]},
        "monitoring": {"labels": {"release": "prometheus"}},
    });
    scene.create_monitor("comments", spec).await;
    until_it_makes_do(&scene).await;
    install_and_look(&scene).await;

    // Their drift is seen like any other.
    let nothing = json!({"spec": {"groups": []}});
    scene.patch("PrometheusRule", "comments-monitor", nothing).await;
    scene.delete("ServiceMonitor", "comments-web-ui").await;
    scene
        .until("both are back", 20, async || {
            let rule = scene.must_get("PrometheusRule", "comments-monitor").await;
            rule["spec"]["groups"]
                .as_array()
                .is_some_and(|groups| !groups.is_empty())
                && scene.get("ServiceMonitor", "comments-web-ui").await.is_some()
        })
        .await;

    remove_optional();
    until_it_makes_do(&scene).await;
    // A watch may find out before the operator asks which kinds there are; after that it is quiet.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let lines = scene.operator().log().lines().count();
    let counted = scene.operator().metrics();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let more = scene.operator().log().lines().count() - lines;
    assert!(
        more <= 2,
        "{more} lines of log in 10 s:\n{}",
        scene.operator().log_tail()
    );
    let after = scene.operator().metrics();
    assert_eq!(after.child_writes(), counted.child_writes());
    assert_eq!(after.status_writes(), counted.status_writes());
}

/// Puts the definition of the repository in place, whatever was done to it.
fn restore_definition() {
    let path = repository().join("manifests/crd/toxicitymonitors.yaml");
    let words = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        path.to_str().unwrap(),
    ];
    let _ = kubectl(words, None).expect();
    let name = format!("customresourcedefinition/{DEFINITION}");
    let _ = kubectl(
        ["wait", "--for=condition=Established", &name, "--timeout=30s"],
        None,
    )
    .expect();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monitor_that_cannot_be_read_stalls_no_other() {
    let mut scene = Scene::alone("unreadable").await;
    let _afterwards = Afterwards(restore_definition);
    scene.play().await;
    scene.create_monitor("before", json!({})).await;
    scene.until_ready("before", 30).await;

    // As a later version of the schema, since rolled back, would have stored it.
    let lax = json!([{
        "op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema",
        "value": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }])
    .to_string();
    let words = [
        "patch",
        "customresourcedefinition",
        DEFINITION,
        "--type=json",
        "--patch",
        &lax,
    ];
    let _ = kubectl(words, None).expect();
    let bad = toxicity_cluster_tests::monitor("bad", &json!({"model": "bundled"})).to_string();
    scene
        .until("the lax schema is in force", 20, async || {
            let words = [
                "create",
                "--validate=false",
                "--namespace",
                scene.name(),
                "-f",
                "-",
            ];
            kubectl(words, Some(&bad)).success
        })
        .await;
    restore_definition();

    let others = ["one", "two", "three", "four", "five"];
    for other in others {
        scene.create_monitor(other, json!({})).await;
    }
    for other in others {
        scene.until_ready(other, 30).await;
    }
    scene.change("before", json!({"webUi": {"enabled": false}})).await;
    scene
        .until("a change of another is carried out", 20, async || {
            scene.get("Deployment", "before-web-ui").await.is_none()
        })
        .await;
    assert!(
        scene.operator().log().contains("failed to read the monitor"),
        "{}",
        scene.operator().log_tail()
    );
    assert!(scene.children("bad").await.is_empty());

    // Also for an operator that begins with it.
    scene.operator = None;
    scene.direct(Options::of(scene.name())).await;
    scene.delete("Service", "two-web-ui").await;
    scene
        .until("a deleted child is back", 20, async || {
            scene.get("Service", "two-web-ui").await.is_some()
        })
        .await;
    let complaints = || {
        scene
            .operator()
            .log()
            .matches("failed to read the monitor")
            .count()
    };
    let before = complaints();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(
        complaints() - before <= 1,
        "the log is flooded:\n{}",
        scene.operator().log_tail()
    );

    scene.change("bad", json!({"model": {"source": "bundled"}})).await;
    scene.until_ready("bad", 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_that_is_there_before_its_resource_waits_for_it() {
    let scene = Scene::alone("early").await;
    let _afterwards = Afterwards(restore_definition);
    let words = ["delete", "customresourcedefinition", DEFINITION, "--timeout=60s"];
    let _ = kubectl(words, None).expect();
    let operator = Operator::start(Options::of(scene.name())).await;
    scene
        .until("it says what it waits for", 20, async || {
            operator
                .log()
                .contains("waiting for the CustomResourceDefinition of ToxicityMonitor")
        })
        .await;
    assert_eq!(operator.ended(), None, "it gave up");
    restore_definition();
    operator.until_leading().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_for_all_namespaces_needs_no_more_than_its_cluster_role() {
    let mut scene = Scene::alone("everywhere").await;
    let folder = repository().join("manifests/rbac");
    let files = ["cluster_role.yaml", "bindings.yaml"].map(|file| folder.join(file));
    let run = |verb: &str, flag: &str| {
        for file in &files {
            let _ = kubectl([verb, flag, "-f", file.to_str().unwrap()], None).expect();
        }
    };
    let _afterwards = Afterwards(|| run("delete", "--ignore-not-found"));
    run("apply", "--server-side");
    let other = Namespace::new("everywhere-else").await;
    scene.pods_answer();
    let mut options = Options::of(scene.name());
    options.namespace = None;
    scene.direct(options).await;
    scene.create_monitor("comments", json!({})).await;
    let words = ["create", "--namespace", &other.name, "-f", "-"];
    let object = toxicity_cluster_tests::monitor("comments", &json!({})).to_string();
    let _ = kubectl(words, Some(&object)).expect();
    scene.until_ready("comments", 30).await;
    scene
        .until(
            "the monitor of the other namespace has its children too",
            20,
            async || {
                let words = [
                    "get",
                    "deployments,services,configmaps",
                    "-o",
                    "name",
                    "--namespace",
                    &other.name,
                ];
                let names = kubectl(words, None).expect();
                names.lines().filter(|name| name.contains("/comments-")).count() == 6
            },
        )
        .await;
    assert!(
        !scene.operator().log().contains("Forbidden"),
        "{}",
        scene.operator().log_tail()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_outlives_an_api_server_that_is_gone_for_a_while() {
    let mut scene = Scene::alone("outage").await;
    scene.pods_answer();
    scene
        .direct(Options {
            supervised: true,
            ..Options::of(scene.name())
        })
        .await;
    for monitor in ["comments", "forum"] {
        scene.create_monitor(monitor, json!({})).await;
        scene.until_ready(monitor, 30).await;
    }
    let _afterwards = Afterwards(start_cluster);
    kill_component("kube-apiserver");
    tokio::time::sleep(Duration::from_secs(10)).await;
    start_cluster();
    let started = Instant::now();
    scene
        .change("comments", json!({"webUi": {"enabled": false}}))
        .await;
    scene.delete("Service", "forum-web-ui").await;
    scene
        .until("a change is carried out and a deletion undone", 60, async || {
            scene.get("Deployment", "comments-web-ui").await.is_none()
                && scene.get("Service", "forum-web-ui").await.is_some()
        })
        .await;
    println!(
        "API server gone for 10 s: the operator works {:?} after it is back, started {} times",
        started.elapsed(),
        scene.operator().starts()
    );
    for monitor in ["comments", "forum"] {
        scene.until_ready(monitor, 60).await;
    }
    scene.operator().until_leading().await;
    assert!(
        scene.operator().starts() <= 3,
        "it was started {} times",
        scene.operator().starts()
    );
    // A new start finds all as it should be, but for the change and the deletion.
    let writes = scene.operator().metrics().child_writes();
    assert!(writes <= 40, "{writes} writes");
}
