//! What happens to a child that somebody changes, and that nothing happens to one that nobody does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toxicity_cluster_tests::{Options, Scene, documents, kubectl, repository};
use toxicity_crd::v1alpha1::ConditionType;

/// How long nothing may be written.
const STILL: Duration = Duration::from_secs(20);

/// Creates every sample, and what they point at.
async fn create_samples(scene: &Scene) -> Vec<String> {
    scene
        .create(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "models"},
            "spec": {"accessModes": ["ReadOnlyMany"], "resources": {"requests": {"storage": "1Gi"}}},
        }))
        .await;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(repository().join("manifests/samples")).unwrap() {
        for document in documents(&entry.unwrap().path()) {
            names.push(document["metadata"]["name"].as_str().unwrap().to_owned());
            scene.create(document).await;
        }
    }
    names
}

/// Resource versions of all children. An autoscaler's moves by itself: its controller writes what it measures.
async fn versions(scene: &Scene, monitors: &[String]) -> BTreeMap<String, Value> {
    let mut versions = BTreeMap::new();
    for monitor in monitors {
        for (name, child) in scene.children(monitor).await {
            let version = if name.starts_with("HorizontalPodAutoscaler/") {
                child["spec"].clone()
            } else {
                child["metadata"]["resourceVersion"].clone()
            };
            versions.insert(name, version);
        }
        let status = serde_json::to_value(scene.monitor(monitor).await.status).unwrap();
        versions.insert(format!("status of {monitor}"), status);
    }
    versions
}

fn assert_same(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<_> = names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| (name, before.get(name), after.get(name)))
        .collect();
    assert!(changed.is_empty(), "these were written: {changed:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_look_writes_nothing_and_neither_does_another_operator() {
    let mut scene = Scene::start("still").await;
    let monitors = create_samples(&scene).await;
    for monitor in &monitors {
        scene.until_ready(monitor, 60).await;
    }
    scene
        .until(
            "the autoscaler has raised a monitor to its fewest replicas",
            40,
            async || {
                let deployment = scene.must_get("Deployment", "production-model-server").await;
                deployment["status"]["availableReplicas"] == 3
            },
        )
        .await;
    tokio::time::sleep(Duration::from_secs(4)).await;

    let before = versions(&scene, &monitors).await;
    assert!(before.len() > 50, "{} objects", before.len());
    let counted = scene.operator().metrics();
    let touches = STILL.as_secs() / 2;
    for touch in 0..touches {
        for monitor in &monitors {
            let patch = json!({"metadata": {"annotations": {"touch": touch.to_string()}}});
            scene.patch("ToxicityMonitor", monitor, patch).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let after = scene.operator().metrics();
    assert!(
        after.reconciles() - counted.reconciles() >= touches - 1,
        "the operator did not look again: {} looks before, {} after",
        counted.reconciles(),
        after.reconciles()
    );
    assert_same(&before, &versions(&scene, &monitors).await);
    assert_eq!(
        after.child_writes(),
        counted.child_writes(),
        "children were written"
    );
    assert_eq!(
        after.status_writes(),
        counted.status_writes(),
        "statuses were written"
    );

    scene.operator = None;
    scene.direct(Options::of(scene.name())).await;
    let operator = scene.operator();
    scene
        .until("the new operator has looked at all", 20, async || {
            let ready = operator
                .metrics()
                .sum("toxicity_operator_monitors", &["ready=\"True\""]);
            ready >= monitors.len() as u64
        })
        .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_same(&before, &versions(&scene, &monitors).await);
    let after = operator.metrics();
    assert_eq!(after.child_writes(), 0, "a new operator wrote children");
    assert_eq!(
        after.status_writes(),
        0,
        "a new operator wrote statuses or events"
    );
    // Watches and lists are for all; a look at a monitor that is as it should be asks only for its claim or Secrets.
    assert!(after.requests() < 100, "{} requests", after.requests());
}

/// A change by hand: what kubectl is told, the object, and where the field lies. `CONFIGURATION` stands for the name of the
/// configuration of the model server.
type Change = (&'static str, &'static str, &'static str);

/// Changes of what is ours, one after the other.
const CHANGES: [Change; 18] = [
    (
        "set image deployment/comments-model-server model-server=intruder:1",
        "deployment/comments-model-server",
        "/spec/template/spec/containers/0/image",
    ),
    (
        "set image deployment/comments-web-ui web-ui=intruder:1",
        "deployment/comments-web-ui",
        "/spec/template/spec/containers/0/image",
    ),
    (
        "scale deployment/comments-model-server --replicas=4",
        "deployment/comments-model-server",
        "/spec/replicas",
    ),
    (
        r#"patch deployment/comments-model-server --type=json --patch=[{"op":"remove","path":"/spec/template/spec/securityContext"}]"#,
        "deployment/comments-model-server",
        "/spec/template/spec/securityContext",
    ),
    (
        r#"patch service/comments-model-server --type=json --patch=[{"op":"replace","path":"/spec/ports/0/targetPort","value":9999}]"#,
        "service/comments-model-server",
        "/spec/ports/0/targetPort",
    ),
    (
        r#"patch service/comments-model-server --type=json --patch=[{"op":"replace","path":"/spec/ports/0/port","value":9999}]"#,
        "service/comments-model-server",
        "/spec/ports/0/port",
    ),
    (
        r#"patch service/comments-web-ui --type=json --patch=[{"op":"replace","path":"/spec/selector","value":{"a":"b"}}]"#,
        "service/comments-web-ui",
        "/spec/selector/app.kubernetes.io~1instance",
    ),
    (
        r#"patch networkpolicy/comments-model-server --type=json --patch=[{"op":"remove","path":"/spec/ingress/1"}]"#,
        "networkpolicy/comments-model-server",
        "/spec/ingress",
    ),
    (
        r#"patch poddisruptionbudget/comments-model-server --type=json --patch=[{"op":"replace","path":"/spec/maxUnavailable","value":5}]"#,
        "poddisruptionbudget/comments-model-server",
        "/spec/maxUnavailable",
    ),
    (
        r#"patch poddisruptionbudget/comments-web-ui --type=json --patch=[{"op":"remove","path":"/metadata/ownerReferences"}]"#,
        "poddisruptionbudget/comments-web-ui",
        "/metadata/ownerReferences/0/uid",
    ),
    (
        r#"patch configmap/comments-dashboard --type=json --patch=[{"op":"replace","path":"/data","value":{}}]"#,
        "configmap/comments-dashboard",
        "/data",
    ),
    (
        r#"patch serviceaccount/comments-monitor --type=json --patch=[{"op":"replace","path":"/automountServiceAccountToken","value":true}]"#,
        "serviceaccount/comments-monitor",
        "/automountServiceAccountToken",
    ),
    (
        "label CONFIGURATION app.kubernetes.io/part-of=intruder --overwrite",
        "CONFIGURATION",
        "/metadata/labels",
    ),
    (
        "label service/comments-web-ui app.kubernetes.io/managed-by-",
        "service/comments-web-ui",
        "/metadata/labels",
    ),
    (
        "label deployment/comments-web-ui app.kubernetes.io/managed-by=intruder --overwrite",
        "deployment/comments-web-ui",
        "/metadata/labels",
    ),
    (
        "label poddisruptionbudget/comments-web-ui app.kubernetes.io/instance-",
        "poddisruptionbudget/comments-web-ui",
        "/metadata/labels",
    ),
    (
        "label networkpolicy/comments-web-ui app.kubernetes.io/instance=intruder --overwrite",
        "networkpolicy/comments-web-ui",
        "/metadata/labels",
    ),
    (
        "annotate service/comments-model-server toxicity.dev/applied-",
        "service/comments-model-server",
        "/metadata/annotations",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_changed_by_hand_comes_back() {
    let scene = Scene::start("changed").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    let children = scene.children("comments").await;
    let configuration = children
        .keys()
        .find(|name| name.starts_with("ConfigMap/comments-model-server-"))
        .unwrap();
    let get = |object: &str| kubectl(["get", object, "-o", "json", "--namespace", scene.name()], None).json();
    let mut lost = Vec::new();
    for (command, object, pointer) in CHANGES {
        let object = object.replace("CONFIGURATION", configuration);
        let right = get(&object).pointer(pointer).cloned();
        assert!(right.is_some(), "{object} has no {pointer}");
        let command = command.replace("CONFIGURATION", configuration);
        let _ = kubectl(command.split(' ').chain(["--namespace", scene.name()]), None).expect();
        let started = Instant::now();
        while get(&object).pointer(pointer) != right.as_ref() {
            if started.elapsed() > Duration::from_secs(10) {
                lost.push(command);
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert!(lost.is_empty(), "changes by hand that stayed: {lost:#?}");
    scene.until_ready("comments", 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_add_stays() {
    let scene = Scene::start("added").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    let run = |words: &str| {
        let words = words.split(' ').chain(["--namespace", scene.name()]);
        let _ = kubectl(words, None).expect();
    };
    run("label deployment/comments-model-server team=trust");
    run("annotate deployment/comments-model-server owner=someone");
    run("set env deployment/comments-model-server ADDED_BY_HAND=yes");
    run("label service/comments-model-server team=trust");
    let before = scene.operator().metrics().child_writes();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        scene.operator().metrics().child_writes(),
        before,
        "the operator wrote because of what is not its own"
    );

    // Also when the operator next writes the same objects.
    scene
        .change(
            "comments",
            json!({"server": {"image": "registry.example/model-server:2", "extraEnv": [{"name": "TOXICITY_LOG", "value": "debug"}]}}),
        )
        .await;
    scene
        .until("the new image is rolled out", 20, async || {
            let deployment = scene.must_get("Deployment", "comments-model-server").await;
            deployment["spec"]["template"]["spec"]["containers"][0]["image"]
                == "registry.example/model-server:2"
        })
        .await;
    scene.until_ready("comments", 30).await;
    let deployment = scene.must_get("Deployment", "comments-model-server").await;
    assert_eq!(deployment["metadata"]["labels"]["team"], "trust");
    assert_eq!(deployment["metadata"]["annotations"]["owner"], "someone");
    let environment = &deployment["spec"]["template"]["spec"]["containers"][0]["env"];
    let names: Vec<&str> = environment
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"ADDED_BY_HAND"), "{names:?}");
    assert!(names.contains(&"TOXICITY_LOG"), "{names:?}");
    let service = scene.must_get("Service", "comments-model-server").await;
    assert_eq!(service["metadata"]["labels"]["team"], "trust");

    // What the spec no longer asks for goes, and what was added stays.
    scene
        .change("comments", json!({"server": {"extraEnv": null}}))
        .await;
    scene
        .until(
            "the variable of the spec is gone, the other stays",
            20,
            async || {
                let deployment = scene.must_get("Deployment", "comments-model-server").await;
                let environment = deployment["spec"]["template"]["spec"]["containers"][0]["env"].to_string();
                !environment.contains("TOXICITY_LOG") && environment.contains("ADDED_BY_HAND")
            },
        )
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_child_comes_back() {
    let scene = Scene::start("deleted").await;
    scene
        .create_monitor(
            "comments",
            json!({"autoscaling": {"maxReplicas": 3}, "ingress": {"host": "toxicity.example.com"}}),
        )
        .await;
    scene.until_ready("comments", 30).await;
    let before = scene.children("comments").await;
    assert_eq!(before.len(), 13, "{:?}", before.keys());
    for child in before.keys() {
        let (kind, name) = child.split_once('/').unwrap();
        scene.delete(kind, name).await;
    }
    scene
        .until("all children are there again, and new", 30, async || {
            let after = scene.children("comments").await;
            after.keys().eq(before.keys())
                && after.iter().all(|(name, child)| {
                    child["metadata"]["deletionTimestamp"].is_null()
                        && child["metadata"]["uid"] != before[name]["metadata"]["uid"]
                })
        })
        .await;
    scene.until_ready("comments", 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fight_over_a_child_is_not_fought_for_ever() {
    let scene = Scene::start("fight").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    let before = scene.operator().metrics().child_writes();
    // Another controller that thinks that the budget is its own.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(15) {
        let theirs = json!({"spec": {"maxUnavailable": 7}});
        scene
            .patch("PodDisruptionBudget", "comments-web-ui", theirs)
            .await;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let written = scene.operator().metrics().child_writes() - before;
    assert!((2..=8).contains(&written), "{written} writes in 15 s");
    let message = scene
        .until_condition("comments", ConditionType::Degraded, "True", "Contested", 10)
        .await;
    assert!(
        message.contains("PodDisruptionBudget \"comments-web-ui\" is changed by somebody else"),
        "{message}"
    );
    // The other has stopped, and what the spec asks for comes back.
    scene
        .until("the budget is put back", 90, async || {
            let budget = scene.must_get("PodDisruptionBudget", "comments-web-ui").await;
            budget["spec"]["maxUnavailable"] == 1
        })
        .await;
    scene
        .until_condition("comments", ConditionType::Degraded, "False", "AsExpected", 30)
        .await;
}
