//! Of several operators one works at a time.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use toxicity_cluster_tests::{Operator, Options, Scene, until};

/// Options for one of two operators with one lease.
fn options(scene: &Scene, identity: &str) -> Options {
    Options {
        identity: identity.to_owned(),
        lease_duration: "3s",
        ..Options::of(scene.name())
    }
}

/// Starts two operators of which the first leads.
async fn two(scene: &Scene) -> (Operator, Operator) {
    let first = Operator::start(options(scene, "first")).await;
    first.until_leading().await;
    let second = Operator::start(options(scene, "second")).await;
    for _ in 0..20 {
        assert!(first.leads() && !second.leads(), "not exactly the first leads");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    (first, second)
}

async fn time_until_leading(operator: &Operator) -> Duration {
    let started = Instant::now();
    until("the other operator leads", Duration::from_secs(30), async || {
        operator.leads().then_some(())
    })
    .await;
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_leader_is_killed_the_other_takes_over() {
    let mut scene = Scene::bare("killed").await;
    scene.pods_answer();
    let (first, second) = two(&scene).await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    assert!(
        first.metrics().child_writes() >= 11,
        "the leader made the children"
    );
    assert_eq!(second.metrics().child_writes(), 0, "one that stands by wrote");
    assert_eq!(second.metrics().reconciles(), 0, "one that stands by looked");

    first.signal(Signal::SIGKILL);
    let time = time_until_leading(&second).await;
    println!("taken over {time:?} after the kill, with a lease of 3 s");
    assert!(time < Duration::from_secs(6), "that took {time:?}");
    scene.delete("ConfigMap", "comments-dashboard").await;
    scene
        .until("the new leader puts a child back", 20, async || {
            scene.get("ConfigMap", "comments-dashboard").await.is_some()
        })
        .await;
    assert!(
        second.metrics().child_writes() <= 3,
        "the new leader wrote what was right already"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_ends_in_good_order_hands_over_at_once() {
    let scene = Scene::bare("handed").await;
    // With a lease that would last long.
    let long = |identity: &str| Options {
        lease_duration: "30s",
        ..options(&scene, identity)
    };
    let first = Operator::start(long("first")).await;
    first.until_leading().await;
    let second = Operator::start(long("second")).await;
    first.signal(Signal::SIGTERM);
    let time = time_until_leading(&second).await;
    println!("taken over {time:?} after SIGTERM, with a lease of 30 s");
    // One that stands by asks every sixth of the lease.
    assert!(time < Duration::from_secs(8), "that took {time:?}");
    let status = until("the first ends", Duration::from_secs(15), async || first.ended()).await;
    assert!(status.success(), "{status}: {}", first.log_tail());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_slept_past_its_lease_ends_without_a_write() {
    let mut scene = Scene::bare("slept").await;
    scene.pods_answer();
    // What it writes can be told from what the other does.
    let first = Operator::start(Options {
        arguments: vec!["--model-server-image=registry.example/of-the-first:1".to_owned()],
        ..options(&scene, "first")
    })
    .await;
    first.until_leading().await;
    scene.create_monitor("comments", json!({})).await;
    scene.until_ready("comments", 30).await;
    let second = Operator::start(options(&scene, "second")).await;
    first.signal(Signal::SIGSTOP);
    time_until_leading(&second).await;
    let image = async || {
        let deployment = scene.must_get("Deployment", "comments-model-server").await;
        deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    scene
        .until("the second leader's image is rolled out", 20, async || {
            image().await == "toxicity-model-server:0.1.0"
        })
        .await;
    scene.until_ready("comments", 30).await;
    // What it missed is there to be seen when it wakes up.
    scene
        .change("comments", json!({"webUi": {"enabled": false}}))
        .await;
    scene
        .until("the web UI is gone", 20, async || {
            scene.get("Deployment", "comments-web-ui").await.is_none()
        })
        .await;
    scene.until_ready("comments", 30).await;
    let generation = async || {
        scene.must_get("Deployment", "comments-model-server").await["metadata"]["generation"].clone()
    };
    let before = generation().await;

    first.signal(Signal::SIGCONT);
    let status = until("the first ends", Duration::from_secs(10), async || first.ended()).await;
    assert!(
        !status.success(),
        "an operator that lost its lease ended as if all was well"
    );
    assert!(
        first.log().contains("another operator may lead by now"),
        "{}",
        first.log_tail()
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        generation().await,
        before,
        "a leader that had lost its lease wrote"
    );
    assert!(second.leads(), "the second no longer leads");
}
