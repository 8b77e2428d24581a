//! What objects a monitor gets, and that they go with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use toxicity_cluster_tests::{Scene, kubectl};

/// All objects of the namespace of whatever kind that belong to the monitor, as `Kind/name`.
fn owned_by(scene: &Scene, monitor: &Value) -> BTreeSet<String> {
    let words = ["api-resources", "--verbs=list", "--namespaced", "-o", "name"];
    let resources = kubectl(words, None).expect();
    let resources: Vec<&str> = resources.lines().collect();
    assert!(resources.len() > 25, "{resources:?}");
    let words = [
        "get",
        &resources.join(","),
        "-o",
        "json",
        "--namespace",
        scene.name(),
    ];
    let list = kubectl(words, None).json();
    let belongs = |object: &&Value| {
        let owners = object["metadata"]["ownerReferences"].as_array();
        owners.is_some_and(|owners| {
            owners
                .iter()
                .any(|owner| owner["uid"] == monitor["metadata"]["uid"])
        })
    };
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(belongs)
        .map(|object| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_smallest_monitor_gets_exactly_these_children_and_they_go_with_it() {
    let scene = Scene::start("children").await;
    let monitor = scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;

    let children = scene.children("comments").await;
    let configuration = children
        .keys()
        .find(|name| name.starts_with("ConfigMap/comments-model-server-"))
        .expect("there is a configuration")
        .clone();
    let expected = BTreeSet::from([
        "ServiceAccount/comments-monitor".to_owned(),
        configuration,
        "ConfigMap/comments-dashboard".to_owned(),
        "NetworkPolicy/comments-model-server".to_owned(),
        "NetworkPolicy/comments-web-ui".to_owned(),
        "Service/comments-model-server".to_owned(),
        "Service/comments-web-ui".to_owned(),
        "Deployment/comments-model-server".to_owned(),
        "Deployment/comments-web-ui".to_owned(),
        "PodDisruptionBudget/comments-model-server".to_owned(),
        "PodDisruptionBudget/comments-web-ui".to_owned(),
    ]);
    assert_eq!(owned_by(&scene, &monitor), expected);

    for (name, child) in &children {
        let owners = child["metadata"]["ownerReferences"].as_array().unwrap();
        assert_eq!(
            *owners,
            [json!({
                "apiVersion": "toxicity.dev/v1alpha1", "kind": "ToxicityMonitor", "name": "comments",
                "uid": monitor["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            })],
            "{name}"
        );
        let labels = &child["metadata"]["labels"];
        let component = match name.rsplit_once("-web-ui") {
            Some(_) => "web-ui",
            None if name.contains("-model-server") => "model-server",
            None => "monitor",
        };
        assert_eq!(
            labels["app.kubernetes.io/name"],
            format!("toxicity-{component}"),
            "{name}"
        );
        assert_eq!(labels["app.kubernetes.io/component"], component, "{name}");
        assert_eq!(labels["app.kubernetes.io/instance"], "comments", "{name}");
        assert_eq!(
            labels["app.kubernetes.io/managed-by"], "toxicity-operator",
            "{name}"
        );
        assert_eq!(labels["app.kubernetes.io/part-of"], "toxicity-monitor", "{name}");
    }

    // That they exist at all says that they are restricted: the namespace lets no others in.
    let namespace = kubectl(["get", "namespace", scene.name(), "-o", "json"], None).json();
    assert_eq!(
        namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
        "restricted"
    );
    let words = ["get", "pods", "-o", "json", "--namespace", scene.name()];
    let pods = kubectl(words, None).json();
    assert_eq!(pods["items"].as_array().unwrap().len(), 2);
    for pod in pods["items"].as_array().unwrap() {
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
        assert_eq!(pod["spec"]["serviceAccountName"], "comments-monitor");
    }

    scene.delete("ToxicityMonitor", "comments").await;
    scene
        .until("every child and every pod is gone", 30, async || {
            let words = ["get", "pods", "-o", "name", "--namespace", scene.name()];
            scene.children("comments").await.is_empty() && kubectl(words, None).expect().is_empty()
        })
        .await;
    assert_eq!(owned_by(&scene, &monitor), BTreeSet::new());
    assert_eq!(scene.operator().ended(), None, "the operator ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monitor_made_anew_under_the_same_name_gets_children_of_its_own() {
    let scene = Scene::start("anew").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    scene.delete("ToxicityMonitor", "comments").await;
    // At once, while the garbage collector still deletes what belonged to the old one.
    let monitor = scene.create_monitor("comments", json!({})).await;
    scene
        .until("all children belong to the new monitor", 60, async || {
            let children = scene.children("comments").await;
            children.len() == 11
                && children.values().all(|child| {
                    child["metadata"]["ownerReferences"][0]["uid"] == monitor["metadata"]["uid"]
                        && child["metadata"]["deletionTimestamp"].is_null()
                })
        })
        .await;
    scene.until_ready("comments", 60).await;
}
