//! Who decides how many pods there are.

use std::time::Duration;

use futures_util::{StreamExt, pin_mut};
use kube::api::{WatchEvent, WatchParams};
use serde_json::{Value, json};
use toxicity_cluster_tests::{Scene, kubectl};

async fn replicas(scene: &Scene) -> Value {
    scene.must_get("Deployment", "comments-model-server").await["spec"]["replicas"].clone()
}

/// Every number of replicas that the Deployment had while `act` went on, as a watch tells it.
async fn numbers_during(scene: &Scene, act: impl Future<Output = ()>) -> Vec<i64> {
    let deployments = scene.objects("Deployment");
    let found = deployments.get("comments-model-server").await.unwrap();
    let parameters = WatchParams::default().fields("metadata.name=comments-model-server");
    let watch = deployments
        .watch(&parameters, &found.metadata.resource_version.unwrap())
        .await
        .unwrap();
    let mut numbers = Vec::new();
    pin_mut!(watch, act);
    loop {
        tokio::select! {
            event = watch.next() => {
                if let WatchEvent::Modified(deployment) = event.expect("the watch goes on").unwrap() {
                    numbers.push(deployment.data["spec"]["replicas"].as_i64().unwrap());
                }
            }
            () = &mut act => return numbers,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_autoscaler_takes_over_the_number_and_gives_it_back() {
    let scene = Scene::start("takeover").await;
    scene
        .create_monitor("comments", json!({"server": {"replicas": 3}}))
        .await;
    scene.until_ready("comments", 30).await;
    assert_eq!(replicas(&scene).await, 3);

    let during = numbers_during(&scene, async {
        scene
            .change(
                "comments",
                json!({"autoscaling": {"minReplicas": 1, "maxReplicas": 9}}),
            )
            .await;
        scene
            .until("there is an autoscaler", 20, async || {
                scene
                    .get("HorizontalPodAutoscaler", "comments-model-server")
                    .await
                    .is_some()
            })
            .await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    assert!(!during.is_empty(), "the Deployment was not written");
    assert!(
        during.iter().all(|number| *number == 3),
        "it had these replicas: {during:?}"
    );

    // As the controller of the autoscaler does it.
    let scale = |count: u32| {
        let count = format!("--replicas={count}");
        let words = [
            "scale",
            "deployment/comments-model-server",
            &count,
            "--namespace",
            scene.name(),
        ];
        let _ = kubectl(words, None).expect();
    };
    scale(6);
    let writes = scene.operator().metrics().child_writes();
    let touch = json!({"metadata": {"annotations": {"look": "again"}}});
    scene.patch("ToxicityMonitor", "comments", touch).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(
        replicas(&scene).await,
        6,
        "the operator undid what the autoscaler did"
    );
    assert_eq!(
        scene.operator().metrics().child_writes(),
        writes,
        "the operator wrote"
    );

    // Also when the operator writes the Deployment for another cause.
    let during = numbers_during(&scene, async {
        scene
            .change(
                "comments",
                json!({"server": {"image": "registry.example/model-server:2"}}),
            )
            .await;
        tokio::time::sleep(Duration::from_secs(4)).await;
    })
    .await;
    assert!(
        during.iter().all(|number| *number == 6),
        "it had these replicas: {during:?}"
    );

    scene.change("comments", json!({"autoscaling": null})).await;
    scene
        .until("the number of the spec counts again", 20, async || {
            replicas(&scene).await == 3
                && scene
                    .get("HorizontalPodAutoscaler", "comments-model-server")
                    .await
                    .is_none()
        })
        .await;
    scene.until_ready("comments", 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_scale_changes_the_spec() {
    let scene = Scene::start("scale").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    let words = [
        "scale",
        "toxmon/comments",
        "--replicas=3",
        "--namespace",
        scene.name(),
    ];
    let _ = kubectl(words, None).expect();
    scene
        .until("three pods answer", 30, async || {
            let status = scene.monitor("comments").await.status.unwrap_or_default();
            status.replicas == 3 && status.ready_replicas == 3
        })
        .await;
    assert_eq!(replicas(&scene).await, 3);

    let words = [
        "get",
        "toxmon",
        "comments",
        "-o",
        "jsonpath={.status.selector}",
        "--namespace",
        scene.name(),
    ];
    let selector = kubectl(words, None).expect();
    let words = [
        "get",
        "pods",
        "-o",
        "name",
        "--selector",
        &selector,
        "--namespace",
        scene.name(),
    ];
    let pods = kubectl(words, None).expect();
    assert_eq!(pods.lines().count(), 3, "{selector} finds {pods}");

    let words = [
        "scale",
        "toxmon/comments",
        "--replicas=0",
        "--namespace",
        scene.name(),
    ];
    let _ = kubectl(words, None).expect();
    scene
        .until_condition(
            "comments",
            toxicity_crd::v1alpha1::ConditionType::Ready,
            "False",
            "ScaledToZero",
            20,
        )
        .await;
}
