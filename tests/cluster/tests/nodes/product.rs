//! The smallest monitor works from end to end, stays as it is, and goes without a trace.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toxicity_cluster_tests::{Scene, documents, environment, kubectl, repository, save};

use crate::installed::{metrics, node_port};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_smallest_sample_serves_texts_and_the_page_and_goes_without_a_trace() {
    let scene = Scene::installed("sample").await;
    let sample = documents(&repository().join("manifests/samples/minimal.yaml")).remove(0);
    let started = Instant::now();
    scene.create(sample).await;
    scene.until_ready("comments", 120).await;
    println!("ready after {:?}", started.elapsed());
    let deployment = scene.must_get("Deployment", "comments-model-server").await;
    assert_eq!(
        deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str(),
        environment("TOXICITY_MODEL_SERVER_IMAGE").to_str(),
        "the pods are of another image than was installed"
    );

    let server = node_port(&scene, "comments", "model-server").await;
    let web_ui = node_port(&scene, "comments", "web-ui").await;
    scene
        .until("both answer from outside", 20, async || {
            ureq::get(format!("{server}/readyz")).call().is_ok() && ureq::get(&web_ui).call().is_ok()
        })
        .await;
    let score = |address: String, text: &str| -> Value {
        let mut answer = ureq::post(&address).send_json(json!({"text": text})).unwrap();
        answer.body_mut().read_json().unwrap()
    };
    for address in [format!("{server}/v1/analyze"), format!("{web_ui}/api/v1/analyze")] {
        assert_eq!(
            score(address.clone(), "You are a stupid idiot.")["results"][0]["flagged"],
            true,
            "{address}"
        );
        assert_eq!(
            score(address.clone(), "Have a nice day.")["results"][0]["flagged"],
            false,
            "{address}"
        );
    }
    let page = ureq::get(&web_ui)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    assert!(page.contains("<html") && page.contains(".wasm"), "{page}");

    scene
        .until(
            "the status names the revision of the model that answers",
            30,
            async || {
                scene
                    .monitor("comments")
                    .await
                    .status
                    .unwrap_or_default()
                    .model_revision
                    .is_some()
            },
        )
        .await;
    let info: Value = ureq::get(format!("{server}/info"))
        .call()
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    let revision = scene.monitor("comments").await.status.unwrap().model_revision;
    assert_eq!(revision.as_deref(), info["model"]["revision"].as_str());
    let words = ["describe", "toxmon", "comments", "--namespace", scene.name()];
    let describe = kubectl(words, None).expect();
    save("kubectl-describe-nodes.txt", &describe);
    assert!(describe.contains("texts are scored"), "{describe}");

    scene.delete("ToxicityMonitor", "comments").await;
    scene
        .until("every child and every pod is gone", 90, async || {
            let words = ["get", "pods", "-o", "name", "--namespace", scene.name()];
            scene.children("comments").await.is_empty() && kubectl(words, None).expect().is_empty()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_look_writes_nothing_for_a_minute() {
    let scene = Scene::installed("still").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 120).await;
    scene
        .until("the revision is known", 30, async || {
            scene
                .monitor("comments")
                .await
                .status
                .unwrap_or_default()
                .model_revision
                .is_some()
        })
        .await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let versions = async || {
        let children = scene.children("comments").await;
        let mut versions: Vec<(String, Value)> = children
            .into_iter()
            .map(|(name, child)| (name, child["metadata"]["resourceVersion"].clone()))
            .collect();
        let status = serde_json::to_value(scene.monitor("comments").await.status).unwrap();
        versions.push(("status".to_owned(), status));
        versions
    };
    let before = versions().await;
    let counted = metrics();
    for touch in 0..12 {
        let touch = json!({"metadata": {"annotations": {"touch": touch.to_string()}}});
        scene.patch("ToxicityMonitor", "comments", touch).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let after = metrics();
    assert_eq!(versions().await, before);
    assert!(
        after.reconciles() - counted.reconciles() >= 11,
        "the operator did not look again"
    );
    assert_eq!(after.child_writes(), counted.child_writes());
    assert_eq!(after.status_writes(), counted.status_writes());
}
