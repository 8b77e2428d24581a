//! What goes wrong with pods, nodes, the operator and the API server, and how soon all is well again.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use toxicity_cluster_tests::{
    Scene, TrafficReport, kill_component, kubectl, operator_namespace, start_cluster,
};

use crate::installed::{load, metrics, note, small};

/// Undoes something, also when the test fails.
struct Afterwards<F: FnMut()>(F);

impl<F: FnMut()> Drop for Afterwards<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn pods(scene: &Scene) -> Vec<Value> {
    let words = [
        "get",
        "pods",
        "-o",
        "json",
        "--selector=app.kubernetes.io/component=model-server",
    ];
    let list = kubectl(words.into_iter().chain(["--namespace", scene.name()]), None).json();
    list["items"].as_array().unwrap().clone()
}

/// Processes of the containers of a pod, on this machine, which all nodes share.
fn processes(pod: &Value) -> Vec<i32> {
    let uid = pod["metadata"]["uid"].as_str().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        if read("cgroup").contains(&format!("pod{uid}")) && !read("comm").starts_with("pause") {
            found.push(pid);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashed_pod_a_deleted_child_and_a_drained_node_come_back() {
    let scene = Scene::installed("crash").await;
    let monitor = json!({"server": {"replicas": 2, "resources": small()}, "webUi": {"enabled": false}});
    scene.create_monitor("comments", monitor).await;
    scene.until_ready("comments", 120).await;

    let since = Instant::now();
    let pids = processes(&pods(&scene)[0]);
    assert!(!pids.is_empty(), "the pod has no process on this machine");
    for pid in pids {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }
    scene
        .until("the container is started again", 60, async || {
            pods(&scene)
                .iter()
                .any(|pod| pod["status"]["containerStatuses"][0]["restartCount"].as_i64() > Some(0))
        })
        .await;
    scene
        .until("both pods answer", 60, async || {
            scene
                .monitor("comments")
                .await
                .status
                .unwrap_or_default()
                .ready_replicas
                == 2
        })
        .await;
    scene.until_ready("comments", 60).await;
    // Requests that a killed process had begun are lost, so none are sent.
    note("process killed (no load)", TrafficReport::default(), since);

    let traffic = load(&scene, "comments").await;
    let since = Instant::now();
    scene.delete("Service", "comments-model-server").await;
    scene.delete("ServiceAccount", "comments-monitor").await;
    scene
        .until("both are back", 20, async || {
            scene.get("Service", "comments-model-server").await.is_some()
                && scene.get("ServiceAccount", "comments-monitor").await.is_some()
        })
        .await;
    note("Service and ServiceAccount deleted", traffic.end(), since);
    scene.delete("Service", "comments-model-server-outside").await;

    let traffic = load(&scene, "comments").await;
    let since = Instant::now();
    let _afterwards = Afterwards(|| {
        let _ = kubectl(["uncordon", "node-2"], None);
    });
    let words = [
        "drain",
        "node-2",
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--force",
        "--timeout=150s",
    ];
    let _ = kubectl(words, None).expect();
    scene
        .until("both pods answer on the other node", 120, async || {
            let left = pods(&scene);
            left.len() == 2 && left.iter().all(|pod| pod["spec"]["nodeName"] == "node-1")
        })
        .await;
    scene.until_ready("comments", 120).await;
    note("node drained", traffic.end(), since);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_serve_on_while_the_api_server_is_gone_for_a_minute() {
    let scene = Scene::installed("outage").await;
    scene
        .create_monitor("comments", json!({"server": {"resources": small()}}))
        .await;
    scene.until_ready("comments", 120).await;
    let traffic = load(&scene, "comments").await;
    let _afterwards = Afterwards(start_cluster);
    kill_component("kube-apiserver");
    tokio::time::sleep(Duration::from_mins(1)).await;
    let since = Instant::now();
    start_cluster();
    scene
        .change("comments", json!({"webUi": {"enabled": false}}))
        .await;
    scene.delete("ConfigMap", "comments-dashboard").await;
    scene
        .until("a change is carried out and a deletion undone", 120, async || {
            scene.get("Deployment", "comments-web-ui").await.is_none()
                && scene.get("ConfigMap", "comments-dashboard").await.is_some()
        })
        .await;
    scene.until_ready("comments", 60).await;
    note("API server gone for 60 s", traffic.end(), since);
}

/// Who holds the lease.
fn leader() -> String {
    let words = [
        "get",
        "lease",
        "toxicity-operator",
        "-o",
        "jsonpath={.spec.holderIdentity}",
        "--namespace",
    ];
    kubectl(words.into_iter().chain([operator_namespace()]), None).expect()
}

fn scale_operator(replicas: u32) {
    let replicas = format!("--replicas={replicas}");
    let words = [
        "scale",
        "deployment/toxicity-operator",
        &replicas,
        "--namespace",
        operator_namespace(),
    ];
    let _ = kubectl(words, None).expect();
    let words = [
        "rollout",
        "status",
        "deployment/toxicity-operator",
        "--timeout=90s",
        "--namespace",
    ];
    let _ = kubectl(words.into_iter().chain([operator_namespace()]), None).expect();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_operator_takes_over_from_one_that_is_gone() {
    let scene = Scene::installed("operators").await;
    let afterwards = Afterwards(|| scale_operator(1));
    scale_operator(2);
    scene
        .create_monitor(
            "comments",
            json!({"server": {"resources": small()}, "webUi": {"enabled": false}}),
        )
        .await;
    scene.until_ready("comments", 120).await;
    let until_at_work = async || {
        scene.delete("ConfigMap", "comments-dashboard").await;
        scene
            .until("a deleted child is put back", 60, async || {
                scene.get("ConfigMap", "comments-dashboard").await.is_some()
            })
            .await;
    };

    let old = leader();
    let since = Instant::now();
    let words = [
        "delete",
        "pod",
        &old,
        "--wait=false",
        "--namespace",
        operator_namespace(),
    ];
    let _ = kubectl(words, None).expect();
    scene
        .until("another leads", 20, async || {
            let new = leader();
            !new.is_empty() && new != old
        })
        .await;
    until_at_work().await;
    note("leader's pod deleted", TrafficReport::default(), since);

    scale_operator(2);
    let words = [
        "get",
        "pod",
        &leader(),
        "-o",
        "json",
        "--namespace",
        operator_namespace(),
    ];
    let pids = processes(&kubectl(words, None).json());
    assert!(!pids.is_empty(), "the leader has no process on this machine");
    let since = Instant::now();
    for pid in pids {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }
    // Either the other takes over, or the container is started again under the same name.
    until_at_work().await;
    note("leader's process killed", TrafficReport::default(), since);
    scale_operator(2);
    drop(afterwards);
    scene
        .until("the one that is left leads", 60, async || metrics().leads())
        .await;
}
