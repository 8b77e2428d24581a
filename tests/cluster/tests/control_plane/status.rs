//! What the status and the events say, and when.

use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, WatchEvent, WatchParams};
use serde_json::{Value, json};
use toxicity_cluster_tests::{Scene, answering, kubectl};
use toxicity_crd::v1alpha1::ConditionType::{
    Degraded, ModelServerAvailable, MonitoringConfigured, Progressing, Ready,
};

/// Events of a monitor: type, reason, what they are about, note, and how often each was seen.
async fn events(scene: &Scene, monitor: &str) -> Vec<(String, String, String, i64)> {
    let list = scene.objects("Event").list(&ListParams::default()).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut events: Vec<_> = list
        .into_iter()
        .filter(|event| event.data["regarding"]["name"] == monitor)
        .map(|event| {
            let count = event.data["series"]["count"].as_i64().unwrap_or(1);
            let created = event.metadata.creation_timestamp.map(|time| time.0);
            (
                created,
                text(&event.data["type"]),
                text(&event.data["reason"]),
                text(&event.data["note"]),
                count,
            )
        })
        .collect();
    events.sort();
    events
        .into_iter()
        .map(|(_, kind, reason, note, count)| (kind, reason, note, count))
        .collect()
}

async fn count_events(scene: &Scene, reason: &str) -> i64 {
    let events = events(scene, "comments").await;
    events
        .iter()
        .filter(|(_, of, _, _)| of == reason)
        .map(|(.., count)| count)
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_is_named_and_its_coming_is_noticed() {
    let scene = Scene::start("secret").await;
    let spec = json!({"auth": {"apiKeysSecretRef": {"name": "keys", "key": "api-keys"}}});
    scene.create_monitor("comments", spec).await;
    let expected = format!(
        "Secret \"keys\" not found in namespace \"{}\": create it, or change spec.auth.apiKeysSecretRef",
        scene.name()
    );
    assert_eq!(
        scene
            .until_condition("comments", Ready, "False", "SecretNotFound", 15)
            .await,
        expected
    );
    assert_eq!(
        scene
            .until_condition("comments", Degraded, "True", "SecretNotFound", 5)
            .await,
        expected
    );
    assert!(
        scene.children("comments").await.is_empty(),
        "children were made of half a spec"
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        count_events(&scene, "SecretNotFound").await,
        1,
        "{:?}",
        events(&scene, "comments").await
    );
    let event = events(&scene, "comments")
        .await
        .into_iter()
        .find(|event| event.1 == "SecretNotFound")
        .unwrap();
    assert_eq!((event.0.as_str(), event.2), ("Warning", expected));

    let secret = |key: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {key: "x"}});
    scene.create(secret("other")).await;
    let message = scene
        .until_condition("comments", Ready, "False", "SecretKeyNotFound", 20)
        .await;
    assert_eq!(
        message,
        format!(
            "Secret \"keys\" in namespace \"{}\" has no key \"api-keys\": add it, or change spec.auth.apiKeysSecretRef",
            scene.name()
        )
    );
    scene
        .patch("Secret", "keys", json!({"stringData": {"api-keys": "x"}}))
        .await;
    scene
        .until_condition("comments", Ready, "True", "Available", 25)
        .await;
    scene
        .until_condition("comments", Degraded, "False", "AsExpected", 5)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_claim_is_named_and_its_coming_is_noticed() {
    let scene = Scene::start("claim").await;
    scene
        .create_monitor("comments", json!({"model": {"source": "pvc://models/toxic"}}))
        .await;
    let message = scene
        .until_condition("comments", Ready, "False", "PersistentVolumeClaimNotFound", 15)
        .await;
    assert_eq!(
        message,
        format!(
            "PersistentVolumeClaim \"models\" not found in namespace \"{}\": create it, or change spec.model.source",
            scene.name()
        )
    );
    scene
        .create(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "models"},
            "spec": {"accessModes": ["ReadOnlyMany"], "resources": {"requests": {"storage": "1Gi"}}},
        }))
        .await;
    scene.until_ready("comments", 25).await;

    scene
        .change(
            "comments",
            json!({"model": {"source": "pvc://models/../secrets"}}),
        )
        .await;
    let message = scene
        .until_condition("comments", Degraded, "True", "InvalidModelSource", 15)
        .await;
    assert!(message.contains("leads out of its volume"), "{message}");
    scene
        .until_condition("comments", ModelServerAvailable, "True", "PodsAvailable", 5)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_stays_with_its_owner() {
    let scene = Scene::start("taken").await;
    let foreign = [
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "comments-model-server"},
            "spec": {"selector": {"app": "theirs"}, "ports": [{"port": 1234}]},
        }),
        // One that looks like ours.
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "comments-web-ui", "labels": {
                "app.kubernetes.io/managed-by": "toxicity-operator", "app.kubernetes.io/instance": "comments",
            }},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": "theirs"}},
                "template": {
                    "metadata": {"labels": {"app": "theirs"}},
                    "spec": {"containers": [{"name": "theirs", "image": "theirs"}]},
                },
            },
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "comments-theirs", "labels": {
                "app.kubernetes.io/managed-by": "toxicity-operator", "app.kubernetes.io/instance": "comments",
            }},
        }),
    ];
    for object in &foreign {
        scene.create(object.clone()).await;
    }
    let snapshot = async || {
        let mut specs = Vec::new();
        for object in &foreign {
            let kind = object["kind"].as_str().unwrap();
            let name = object["metadata"]["name"].as_str().unwrap();
            let found = scene.must_get(kind, name).await;
            specs.push((
                found["metadata"]["uid"].clone(),
                found["spec"].clone(),
                found["metadata"]["labels"].clone(),
            ));
            assert!(
                found["metadata"]["ownerReferences"].is_null(),
                "{name} was adopted"
            );
        }
        specs
    };
    let before = snapshot().await;
    scene.create_monitor("comments", json!({})).await;
    let message = scene
        .until_condition("comments", Ready, "False", "NameTaken", 15)
        .await;
    assert_eq!(
        message,
        "Service \"comments-model-server\" exists already and does not belong to this monitor: delete or rename it, or \
         rename the monitor"
    );
    scene
        .until_condition("comments", Degraded, "True", "NameTaken", 5)
        .await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        snapshot().await,
        before,
        "what belongs to somebody else was touched"
    );
    // The rest is there all the same.
    let children = scene.children("comments").await;
    assert!(
        children.contains_key("Deployment/comments-model-server"),
        "{:?}",
        children.keys()
    );

    scene.delete("Service", "comments-model-server").await;
    let message = scene
        .until_condition("comments", Ready, "False", "NameTaken", 40)
        .await;
    scene
        .until(
            &format!("the Deployment is named, where it was: {message}"),
            60,
            async || {
                let message = scene
                    .until_condition("comments", Ready, "False", "NameTaken", 5)
                    .await;
                message.starts_with("Deployment \"comments-web-ui\"")
            },
        )
        .await;
    scene.delete("Deployment", "comments-web-ui").await;
    scene.until_ready("comments", 60).await;
    scene.must_get("ConfigMap", "comments-theirs").await;
}

/// A status of the pod's only container.
fn container(pod: &Pod, state: &Value, last: &Value) -> Value {
    let container = &pod.spec.as_ref().unwrap().containers[0];
    json!({
        "phase": "Running",
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        ],
        "containerStatuses": [{
            "name": container.name, "image": container.image, "imageID": "", "ready": false, "restartCount": 2,
            "state": state, "lastState": last,
        }],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_pods_is_said_with_its_cause() {
    let mut scene = Scene::start("pods").await;
    scene
        .create_monitor("comments", json!({"webUi": {"enabled": false}}))
        .await;
    scene.until_ready("comments", 30).await;

    let time = "2026-01-01T00:00:00Z";
    let ended = |code: i32, reason: &str, message: &str| json!({"terminated": {"exitCode": code, "reason": reason, "message": message, "startedAt": time, "finishedAt": time}});
    let waiting = |reason: &str, message: &str| json!({"waiting": {"reason": reason, "message": message}});
    let cases = [
        (
            waiting("ImagePullBackOff", "Back-off pulling image"),
            json!({}),
            "ImagePullFailed",
            "cannot pull image \"toxicity-model-server:0.1.0\": check spec.server.image",
        ),
        (
            waiting("CrashLoopBackOff", "back-off 40s restarting failed container"),
            ended(
                1,
                "Error",
                "starting\nerror: failed to read \"/models/config.json\": not found",
            ),
            "PodCrashing",
            "exits with code 1: failed to read \"/models/config.json\": not found",
        ),
        (
            waiting("CrashLoopBackOff", "back-off 40s restarting failed container"),
            ended(137, "OOMKilled", ""),
            "OutOfMemory",
            "raise spec.server.resources.limits.memory",
        ),
        (
            waiting("CreateContainerConfigError", "secret \"hf\" not found"),
            json!({}),
            "ContainerNotCreated",
            "cannot be created: secret \"hf\" not found",
        ),
    ];
    for (state, last, reason, cause) in cases {
        scene.pods_are(move |pod| Some(container(pod, &state, &last)));
        for (kind, status) in [
            (Ready, "False"),
            (Degraded, "True"),
            (ModelServerAvailable, "False"),
        ] {
            let message = scene.until_condition("comments", kind, status, reason, 15).await;
            assert!(message.contains(cause), "{message:?} lacks {cause:?}");
        }
        scene.pods_answer();
        scene
            .until_condition("comments", Ready, "True", "Available", 15)
            .await;
        scene
            .until_condition("comments", Degraded, "False", "AsExpected", 15)
            .await;
        assert_eq!(
            count_events(&scene, reason).await,
            1,
            "{:?}",
            events(&scene, "comments").await
        );
    }
    // Events follow their conditions by a moment: the last ones are let in before the silence is timed.
    scene
        .until("no event follows for three seconds", 20, async || {
            let so_far = events(&scene, "comments").await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            events(&scene, "comments").await == so_far
        })
        .await;
    let before = events(&scene, "comments").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(events(&scene, "comments").await, before, "events were repeated");
    // Four times down and up again, and once up at the beginning.
    assert!(
        (4..=5).contains(&count_events(&scene, "Available").await),
        "{before:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_no_node_takes_are_said_to_be_so() {
    let mut scene = Scene::start("unschedulable").await;
    scene.kubelet = None;
    scene.create_monitor("comments", json!({})).await;
    let message = scene
        .until_condition("comments", Ready, "False", "PodUnschedulable", 20)
        .await;
    assert!(
        message.contains("no nodes available to schedule pods"),
        "{message}"
    );
    assert!(message.contains("spec.server.resources"), "{message}");
    scene
        .until_condition(
            "comments",
            MonitoringConfigured,
            "False",
            "PrometheusOperatorNotInstalled",
            5,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_a_quota_forbids_are_said_to_be_so() {
    let scene = Scene::start("quota").await;
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}},
    })
    .to_string();
    let _ = kubectl(["create", "--namespace", scene.name(), "-f", "-"], Some(&quota)).expect();
    scene
        .until("the quota is in force", 20, async || {
            let words = [
                "get",
                "resourcequota",
                "none",
                "-o",
                "jsonpath={.status.hard.pods}",
                "--namespace",
                scene.name(),
            ];
            kubectl(words, None).expect() == "0"
        })
        .await;
    scene.create_monitor("comments", json!({})).await;
    let message = scene
        .until_condition("comments", Ready, "False", "PodsNotCreated", 20)
        .await;
    assert!(message.contains("exceeded quota"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_monitor_is_left_alone() {
    let scene = Scene::start("paused").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    scene.change("comments", json!({"paused": true})).await;
    let message = scene
        .until_condition("comments", Progressing, "False", "Paused", 15)
        .await;
    assert_eq!(message, "spec.paused is true: children are left as they are");
    let writes = scene.operator().metrics().child_writes();
    scene
        .patch(
            "Deployment",
            "comments-model-server",
            json!({"spec": {"replicas": 2}}),
        )
        .await;
    scene.delete("ConfigMap", "comments-dashboard").await;
    scene
        .change("comments", json!({"thresholds": {"toxic": 0.9}}))
        .await;
    // The status still tells the truth.
    scene
        .until("two pods are reported", 20, async || {
            scene
                .monitor("comments")
                .await
                .status
                .unwrap_or_default()
                .ready_replicas
                == 2
        })
        .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        scene.operator().metrics().child_writes(),
        writes,
        "a paused monitor's children were written"
    );
    assert_eq!(
        scene.must_get("Deployment", "comments-model-server").await["spec"]["replicas"],
        2
    );
    assert!(scene.get("ConfigMap", "comments-dashboard").await.is_none());

    scene.change("comments", json!({"paused": false})).await;
    scene
        .until("all is as the spec asks again", 30, async || {
            scene.must_get("Deployment", "comments-model-server").await["spec"]["replicas"] == 1
                && scene.get("ConfigMap", "comments-dashboard").await.is_some()
        })
        .await;
    scene.until_ready("comments", 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_not_said_to_be_rolled_out_before_it_is() {
    let mut scene = Scene::start("honest").await;
    scene
        .create_monitor("comments", json!({"webUi": {"enabled": false}}))
        .await;
    scene.until_ready("comments", 30).await;
    // Pods of the new image never answer.
    scene.pods_are(|pod| {
        let image = pod.spec.as_ref().unwrap().containers[0].image.clone();
        (image.as_deref() != Some("registry.example/model-server:2")).then(answering)
    });
    let monitors = scene.monitors();
    let found = monitors.get("comments").await.unwrap();
    let generation = found.metadata.generation.unwrap();
    let parameters = WatchParams::default().fields("metadata.name=comments");
    let watch = monitors
        .watch(&parameters, &found.metadata.resource_version.unwrap())
        .await
        .unwrap();
    scene
        .change(
            "comments",
            json!({"server": {"image": "registry.example/model-server:2"}}),
        )
        .await;
    let seen = watch
        .take_until(tokio::time::sleep(Duration::from_secs(6)))
        .collect::<Vec<_>>()
        .await;
    let mut of_new = 0;
    for event in seen {
        let WatchEvent::Modified(monitor) = event.unwrap() else {
            continue;
        };
        let status = monitor.status.unwrap_or_default();
        if status.observed_generation <= Some(generation) {
            continue;
        }
        of_new += 1;
        let progressing = status.condition(Progressing).unwrap();
        assert_ne!(
            progressing.reason, "RolledOut",
            "the pods are still the old ones: {status:#?}"
        );
    }
    assert!(of_new > 0, "the status says nothing of the new spec");
    // The old pod serves on, and the status says so.
    scene
        .until_condition("comments", ModelServerAvailable, "True", "PodsAvailable", 5)
        .await;
}
