//! A monitor that cannot be helped keeps no other from being looked after.

use std::time::Duration;

use serde_json::json;
use toxicity_cluster_tests::{Options, Proxy, Scene};
use toxicity_crd::v1alpha1::ConditionType::{Degraded, Ready};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_child_is_explained_and_tried_again_later_each_time() {
    let mut scene = Scene::bare("refused-child").await;
    scene.pods_answer();
    let proxy = Proxy::start(|_| None).await;
    scene
        .direct(Options {
            server: Some(proxy.address.clone()),
            ..Options::of(scene.name())
        })
        .await;
    scene
        .create_monitor("bad", json!({"server": {"podAnnotations": {"not a key": "x"}}}))
        .await;
    scene
        .create_monitor(
            "worse",
            json!({"server": {"extraEnv": [{"name": "A B=C", "value": "x"}]}}),
        )
        .await;
    let others = ["one", "two", "three", "four", "five"];
    for other in others {
        scene.create_monitor(other, json!({})).await;
    }
    for other in others {
        scene.until_ready(other, 30).await;
    }
    let message = scene.until_condition("bad", Ready, "False", "Refused", 15).await;
    assert!(
        message.starts_with("failed to apply Deployment \"bad-model-server\": "),
        "{message}"
    );
    assert!(message.contains("Invalid value: \"not a key\""), "{message}");
    assert!(
        !message.contains("StatusDetails"),
        "the message is not for people: {message}"
    );
    scene.until_condition("bad", Degraded, "True", "Refused", 5).await;
    scene
        .until_condition("worse", Ready, "False", "Refused", 15)
        .await;
    // The rest of it is there.
    let children = scene.children("bad").await;
    assert!(
        children.contains_key("Deployment/bad-web-ui"),
        "{:?}",
        children.keys()
    );

    let tries = || {
        let passed = proxy.passed();
        passed
            .iter()
            .filter(|request| {
                request.path.ends_with("/deployments/bad-model-server") && request.writes_child()
            })
            .count()
    };
    let first = tries();
    tokio::time::sleep(Duration::from_secs(15)).await;
    let second = tries();
    tokio::time::sleep(Duration::from_secs(15)).await;
    let third = tries();
    println!(
        "{first} tries by now, {} in 15 s, {} in the next 15 s",
        second - first,
        third - second
    );
    assert!(third > first, "it is not tried again");
    assert!(third - first <= 6, "{} tries in 30 s", third - first);
    assert!(third - second <= 2, "{} tries in 15 s", third - second);

    scene
        .change("bad", json!({"server": {"podAnnotations": null}}))
        .await;
    scene.until_ready("bad", 20).await;
}
