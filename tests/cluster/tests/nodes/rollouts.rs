//! Changes reach the pods without a lost request, and wrong ones never take the place of what works.

use std::time::{Duration, Instant};

use serde_json::json;
use toxicity_cluster_tests::{Scene, kubectl};
use toxicity_crd::v1alpha1::ConditionType::{Degraded, ModelServerAvailable, Ready};

use crate::installed::{Models, load, note, small};

/// Waits until the newest spec is rolled out and no pod of an older one is left.
async fn until_rolled_out(scene: &Scene, seconds: u64) {
    scene.until_observed("comments").await;
    scene.until_ready("comments", seconds).await;
    scene
        .until("no old pod is left", 90, async || {
            let words = [
                "get",
                "pods",
                "-o",
                "json",
                "--selector=app.kubernetes.io/component=model-server",
            ];
            let words = words.into_iter().chain(["--namespace", scene.name()]);
            let pods = kubectl(words, None).json();
            let pods = pods["items"].as_array().unwrap();
            pods.iter()
                .all(|pod| pod["metadata"]["deletionTimestamp"].is_null())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_the_model_and_of_the_pods_lose_no_request() {
    let scene = Scene::installed("rollout").await;
    let _models = Models::new(&scene).await;
    let spec = json!({
        "model": {"source": "pvc://models/a"},
        "server": {"replicas": 2, "resources": small()},
        "webUi": {"enabled": false},
    });
    scene.create_monitor("comments", spec).await;
    scene.until_ready("comments", 120).await;
    let revision = async || {
        scene
            .monitor("comments")
            .await
            .status
            .unwrap_or_default()
            .model_revision
    };
    scene
        .until("the revision is known", 30, async || revision().await.is_some())
        .await;
    let first = revision().await;

    let traffic = load(&scene, "comments").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let since = Instant::now();
    scene
        .change("comments", json!({"model": {"source": "pvc://models/b"}}))
        .await;
    until_rolled_out(&scene, 120).await;
    note("model changed", traffic.end(), since);
    scene
        .until("the revision of the new model is reported", 30, async || {
            let now = revision().await;
            now.is_some() && now != first
        })
        .await;
    scene.delete("Service", "comments-model-server-outside").await;

    let traffic = load(&scene, "comments").await;
    let since = Instant::now();
    let resources = json!({"requests": {"cpu": "110m", "memory": "130Mi"}});
    scene
        .change("comments", json!({"server": {"resources": resources}}))
        .await;
    until_rolled_out(&scene, 120).await;
    note("resources changed", traffic.end(), since);
    scene.delete("Service", "comments-model-server-outside").await;

    let traffic = load(&scene, "comments").await;
    let since = Instant::now();
    let words = [
        "get",
        "pods",
        "-o",
        "jsonpath={.items[0].metadata.name}",
        "--namespace",
        scene.name(),
    ];
    let pod = kubectl(words, None).expect();
    let words = ["delete", "pod", &pod, "--namespace", scene.name()];
    let _ = kubectl(words, None).expect();
    until_rolled_out(&scene, 120).await;
    note("one of two pods deleted", traffic.end(), since);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_source_is_explained_while_the_old_pods_serve_on() {
    let scene = Scene::installed("wrong").await;
    let _models = Models::new(&scene).await;
    let spec = json!({
        "model": {"source": "pvc://models/a"},
        "server": {"resources": small()},
        "webUi": {"enabled": false},
    });
    scene.create_monitor("comments", spec).await;
    scene.until_ready("comments", 120).await;
    let traffic = load(&scene, "comments").await;
    let since = Instant::now();

    scene
        .change("comments", json!({"model": {"source": "pvc://models/missing"}}))
        .await;
    let message = scene
        .until_condition("comments", Degraded, "True", "PodCrashing", 90)
        .await;
    println!("pvc://models/missing: {message}");
    assert!(
        message.contains("/models/missing"),
        "the cause is not named: {message}"
    );
    let message = scene
        .until_condition("comments", Ready, "False", "PodCrashing", 30)
        .await;
    assert!(
        message.contains("of the model server answer, but it is not as the spec asks"),
        "{message}"
    );
    scene
        .until_condition("comments", ModelServerAvailable, "True", "PodsAvailable", 10)
        .await;

    scene
        .change(
            "comments",
            json!({"model": {"source": "hf://unitary/toxic-bert"}}),
        )
        .await;
    // The nodes have no way out: the server tries again for a while before it gives up.
    scene
        .until("what the server says of the source is told", 120, async || {
            let monitor = scene.monitor("comments").await;
            let degraded = toxicity_cluster_tests::condition(&monitor, Degraded).cloned();
            degraded.is_some_and(|degraded| {
                degraded.status == "True" && degraded.message.contains("unitary/toxic-bert")
            })
        })
        .await;
    let message = scene
        .until_condition("comments", Degraded, "True", "PodCrashing", 5)
        .await;
    println!("hf://unitary/toxic-bert: {message}");

    scene
        .change("comments", json!({"model": {"source": "pvc://models/b"}}))
        .await;
    scene.until_observed("comments").await;
    scene.until_ready("comments", 120).await;
    scene
        .until_condition("comments", Degraded, "False", "AsExpected", 30)
        .await;
    note("two wrong models, then a right one", traffic.end(), since);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_pods_from_running_is_said() {
    let scene = Scene::installed("causes").await;
    let server = |server: serde_json::Value| json!({"server": server, "webUi": {"enabled": false}});
    let tiny = json!({"requests": {"cpu": "50m", "memory": "24Mi"}, "limits": {"memory": "24Mi"}});
    let huge = json!({"requests": {"cpu": "64", "memory": "128Mi"}});
    scene
        .create_monitor(
            "unpullable",
            server(json!({"image": "registry.invalid/none:1", "resources": small()})),
        )
        .await;
    scene
        .create_monitor("tiny", server(json!({"resources": tiny})))
        .await;
    scene
        .create_monitor("huge", server(json!({"resources": huge})))
        .await;
    for (monitor, reason, cause) in [
        (
            "unpullable",
            "ImagePullFailed",
            "cannot pull image \"registry.invalid/none:1\"",
        ),
        ("tiny", "OutOfMemory", "raise spec.server.resources.limits.memory"),
        ("huge", "PodUnschedulable", "Insufficient cpu"),
    ] {
        let message = scene.until_condition(monitor, Ready, "False", reason, 60).await;
        println!("{monitor}: {message}");
        assert!(message.contains(cause), "{message:?} lacks {cause:?}");
        scene.until_condition(monitor, Degraded, "True", reason, 30).await;
    }
    scene
        .change("tiny", json!({"server": {"resources": small()}}))
        .await;
    scene.until_observed("tiny").await;
    scene.until_ready("tiny", 120).await;
}
