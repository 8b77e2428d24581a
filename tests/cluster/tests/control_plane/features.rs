//! Each part of the spec that can be switched on and off adds its children and takes them away.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use toxicity_cluster_tests::{Scene, answering};
use toxicity_crd::v1alpha1::ConditionType;

/// Names of all children, without the digests in the names of configurations.
async fn names(scene: &Scene) -> BTreeSet<String> {
    let shorten = |name: String| match name.strip_prefix("ConfigMap/comments-model-server-") {
        Some(_) => "ConfigMap/comments-model-server".to_owned(),
        None => name,
    };
    scene
        .children("comments")
        .await
        .into_keys()
        .map(shorten)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_feature_adds_its_children_and_takes_them_away() {
    let scene = Scene::start("features").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    let smallest = names(&scene).await;
    assert_eq!(smallest.len(), 11, "{smallest:?}");

    // What the spec says to switch it on and off, what it adds and what it takes away.
    let features: [(Value, Value, &[&str], &[&str]); 7] = [
        (
            json!({"webUi": {"enabled": false}}),
            json!({"webUi": {"enabled": true}}),
            &[],
            &[
                "Deployment/comments-web-ui",
                "NetworkPolicy/comments-web-ui",
                "PodDisruptionBudget/comments-web-ui",
                "Service/comments-web-ui",
            ],
        ),
        (
            json!({"ingress": {"host": "toxicity.example.com"}}),
            json!({"ingress": null}),
            &["Ingress/comments-monitor"],
            &[],
        ),
        (
            json!({"autoscaling": {"maxReplicas": 3}}),
            json!({"autoscaling": null}),
            &["HorizontalPodAutoscaler/comments-model-server"],
            &[],
        ),
        (
            json!({"networkPolicy": {"enabled": false}}),
            json!({"networkPolicy": null}),
            &[],
            &[
                "NetworkPolicy/comments-model-server",
                "NetworkPolicy/comments-web-ui",
            ],
        ),
        (
            json!({"monitoring": {"dashboard": {"enabled": false}}}),
            json!({"monitoring": null}),
            &[],
            &["ConfigMap/comments-dashboard"],
        ),
        (
            json!({"model": {"source": "https://models.example/toxic", "cache": {"size": "3Gi"}}}),
            json!({"model": null}),
            &["PersistentVolumeClaim/comments-model-cache"],
            &[],
        ),
        (
            json!({"records": {"mode": "SQLite"}}),
            json!({"records": null}),
            &["PersistentVolumeClaim/comments-records"],
            &[],
        ),
    ];
    for (on, off, adds, takes) in features {
        let mut expected = smallest.clone();
        expected.extend(adds.iter().map(|name| (*name).to_owned()));
        expected.retain(|name| !takes.contains(&name.as_str()));
        scene.change("comments", on.clone()).await;
        scene
            .until(
                &format!("{on} adds {adds:?} and takes {takes:?}"),
                20,
                async || names(&scene).await == expected,
            )
            .await;
        scene.change("comments", off).await;
        scene
            .until(&format!("without {on} all is as before"), 40, async || {
                names(&scene).await == smallest
            })
            .await;
    }
    scene.until_ready("comments", 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_spec_says_reaches_the_children() {
    let scene = Scene::start("contents").await;
    for (name, keys) in [
        ("keys", json!({"api-keys": "c2hh"})),
        ("database", json!({"url": "cG9zdGdyZXM="})),
    ] {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": keys});
        scene.create(secret).await;
    }
    scene
        .create_monitor(
            "comments",
            json!({
                "thresholds": {"toxic": 0.8},
                "server": {
                    "replicas": 2,
                    "limits": {"maxTexts": 7},
                    "podLabels": {"team": "trust"},
                    "podAnnotations": {"note": "hello"},
                    "scheduling": {"nodeSelector": {"disk": "fast"}},
                },
                "ingress": {"host": "toxicity.example.com", "tlsSecretName": "certificate", "className": "nginx"},
                "auth": {"apiKeysSecretRef": {"name": "keys", "key": "api-keys"}},
                "records": {"mode": "PostgreSQL", "databaseSecretRef": {"name": "database", "key": "url"}, "retention": "30d"},
                "imagePullSecrets": [{"name": "registry"}],
            }),
        )
        .await;
    scene.until_ready("comments", 30).await;
    let deployment = scene.must_get("Deployment", "comments-model-server").await;
    assert_eq!(deployment["spec"]["replicas"], 2);
    let template = &deployment["spec"]["template"];
    assert_eq!(template["metadata"]["labels"]["team"], "trust");
    assert_eq!(template["metadata"]["annotations"]["note"], "hello");
    assert_eq!(template["spec"]["nodeSelector"], json!({"disk": "fast"}));
    let arguments = template["spec"]["containers"][0]["args"].to_string();
    for argument in [
        "--api-keys-file=",
        "--records-url-file=",
        "--records-retention=30d",
    ] {
        assert!(arguments.contains(argument), "{arguments} lacks {argument}");
    }
    let configuration = template["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]
        .as_str()
        .unwrap();
    let configuration = scene.must_get("ConfigMap", configuration).await;
    assert_eq!(configuration["data"]["TOXICITY_THRESHOLDS"], "toxic=0.8");
    assert_eq!(configuration["data"]["TOXICITY_MAX_TEXTS"], "7");
    let ingress = scene.must_get("Ingress", "comments-monitor").await;
    assert_eq!(ingress["spec"]["rules"][0]["host"], "toxicity.example.com");
    assert_eq!(ingress["spec"]["tls"][0]["secretName"], "certificate");
    let account = scene.must_get("ServiceAccount", "comments-monitor").await;
    assert_eq!(account["imagePullSecrets"], json!([{"name": "registry"}]));

    // The pods are rolled when what is in a Secret changes.
    let before = template["metadata"]["annotations"]["toxicity.dev/configuration"].clone();
    scene
        .patch("Secret", "keys", json!({"data": {"api-keys": "bmV3"}}))
        .await;
    scene
        .patch(
            "ToxicityMonitor",
            "comments",
            json!({"metadata": {"annotations": {"look": "again"}}}),
        )
        .await;
    scene
        .until("a changed Secret rolls the pods", 20, async || {
            let deployment = scene.must_get("Deployment", "comments-model-server").await;
            deployment["spec"]["template"]["metadata"]["annotations"]["toxicity.dev/configuration"] != before
        })
        .await;
    scene.until_ready("comments", 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_configuration_is_kept_until_the_new_pods_have_taken_over() {
    let mut scene = Scene::start("configuration").await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    let configurations = async || -> BTreeSet<String> {
        let children = scene.children("comments").await.into_keys();
        children
            .filter(|name| name.starts_with("ConfigMap/comments-model-server-"))
            .collect()
    };
    let old = configurations().await;
    assert_eq!(old.len(), 1);
    let old_name = old.first().unwrap().trim_start_matches("ConfigMap/").to_owned();

    // New pods do not answer yet.
    let holding = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&holding);
    let client = scene.client();
    scene.kubelet = Some(toxicity_cluster_tests::Kubelet::start(
        client,
        scene.name(),
        move |pod| {
            let spec = serde_json::to_string(&pod.spec).unwrap();
            let new = spec.contains("comments-model-server-") && !spec.contains(&old_name);
            (!new || !still.load(Ordering::SeqCst)).then(answering)
        },
    ));
    let configurations = async || -> BTreeSet<String> {
        let children = scene.children("comments").await.into_keys();
        children
            .filter(|name| name.starts_with("ConfigMap/comments-model-server-"))
            .collect()
    };
    scene
        .change("comments", json!({"thresholds": {"toxic": 0.9}}))
        .await;
    scene
        .until("there is a second configuration", 20, async || {
            configurations().await.len() == 2
        })
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let both = configurations().await;
    assert!(both.is_superset(&old) && both.len() == 2, "{both:?}");
    let message = scene
        .until_condition(
            "comments",
            ConditionType::ModelServerAvailable,
            "True",
            "PodsAvailable",
            5,
        )
        .await;
    assert!(message.contains("of the model server answer"), "{message}");

    holding.store(false, Ordering::SeqCst);
    scene
        .until("the old configuration is gone", 30, async || {
            let left = configurations().await;
            left.len() == 1 && left.is_disjoint(&old)
        })
        .await;
    scene.until_ready("comments", 30).await;
}
