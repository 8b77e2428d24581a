//! A HorizontalPodAutoscaler scales by the real use of CPU, and the operator leaves it alone.

use std::time::{Duration, Instant};

use serde_json::json;
use toxicity_cluster_tests::{Scene, Traffic};

use crate::installed::{NODE, load, metrics, note};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_raises_the_number_of_pods_and_the_operator_lets_it() {
    let scene = Scene::installed("autoscaling").await;
    let spec = json!({
        "server": {"resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}},
        "autoscaling": {"maxReplicas": 3, "cpu": {"targetUtilization": 50}},
        "webUi": {"enabled": false},
    });
    scene.create_monitor("comments", spec).await;
    scene.until_ready("comments", 120).await;
    assert_eq!(scene.monitor("comments").await.status.unwrap().replicas, 1);
    let steady = load(&scene, "comments").await;
    let since = Instant::now();
    let service = scene.must_get("Service", "comments-model-server-outside").await;
    let port = &service["spec"]["ports"][0]["nodePort"];
    let address = format!("http://{NODE}:{port}/v1/analyze");
    let more = Traffic::start(&address, 4, Duration::from_millis(5));
    scene
        .until("there are at least two pods that answer", 180, async || {
            scene
                .monitor("comments")
                .await
                .status
                .unwrap_or_default()
                .ready_replicas
                >= 2
        })
        .await;
    let writes = metrics().child_writes();
    let touch = json!({"metadata": {"annotations": {"look": "again"}}});
    scene.patch("ToxicityMonitor", "comments", touch).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let deployment = scene.must_get("Deployment", "comments-model-server").await;
    assert!(
        deployment["spec"]["replicas"].as_i64() >= Some(2),
        "the operator undid what the autoscaler did"
    );
    assert_eq!(metrics().child_writes(), writes, "the operator wrote");
    let more = more.end();
    assert_eq!(more.lost, 0, "{more}");
    note("scaled up under load", steady.end(), since);
}
