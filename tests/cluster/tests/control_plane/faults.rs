//! What goes wrong between operator and API server delays the operator and misleads it to nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;
use http::request::Parts;
use serde_json::json;
use toxicity_cluster_tests::{Fault, Options, Passed, Proxy, Scene};

/// Monitors of each test.
const MONITORS: [&str; 3] = ["comments", "forum", "chat"];
/// Children of the smallest monitor.
const CHILDREN: usize = 11;

fn is_watch(parts: &Parts) -> bool {
    parts
        .uri
        .query()
        .is_some_and(|query| query.contains("watch=true"))
}

/// Whether this is one of so many. Strict turns would fall in with those of the operator, so that the same request fails
/// each time: multiples of the golden ratio are spread as evenly and have no period.
fn one_of(count: &AtomicU64, many: u64) -> bool {
    let number = count.fetch_add(1, Ordering::SeqCst);
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % many == many - 1
}

fn writes(passed: &[Passed]) -> usize {
    passed.iter().filter(|request| request.writes_child()).count()
}

/// Creates monitors while things go wrong, waits until all is as it should be, and looks at what that took.
async fn converges(
    prefix: &str,
    faults_at_least: usize,
    decide: impl Fn(&Parts) -> Option<Fault> + Send + Sync + 'static,
) {
    let mut scene = Scene::bare(prefix).await;
    scene.pods_answer();
    let proxy = Proxy::start(decide).await;
    scene
        .direct(Options {
            server: Some(proxy.address.clone()),
            supervised: true,
            ..Options::of(scene.name())
        })
        .await;
    for monitor in MONITORS {
        scene.create_monitor(monitor, json!({})).await;
    }
    for monitor in MONITORS {
        scene.until_ready(monitor, 120).await;
        assert_eq!(scene.children(monitor).await.len(), CHILDREN, "{monitor}");
    }
    scene
        .change(
            "forum",
            json!({"webUi": {"enabled": false}, "thresholds": {"toxic": 0.9}}),
        )
        .await;
    scene.delete("Service", "chat-model-server").await;
    scene
        .until("a change is carried out and a deletion undone", 90, async || {
            scene.get("Deployment", "forum-web-ui").await.is_none()
                && scene.get("Service", "chat-model-server").await.is_some()
                && scene.children("forum").await.len() == CHILDREN - 4
        })
        .await;
    let passed = proxy.passed();
    let faults = passed.iter().filter(|request| request.fault.is_some()).count();
    println!(
        "{} requests, {faults} with a fault, {} writes of children",
        passed.len(),
        writes(&passed)
    );
    assert!(
        faults >= faults_at_least,
        "only {faults} of {} requests went wrong",
        passed.len()
    );
    // Needed are 33 to create, 2 to change, 5 to delete, 1 to put back.
    assert!(
        writes(&passed) <= 4 * 41,
        "{} writes of children",
        writes(&passed)
    );

    proxy.heal();
    for monitor in MONITORS {
        scene.until_ready(monitor, 60).await;
    }
    // What waits for a retry comes before it is still.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = writes(&proxy.passed());
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(writes(&proxy.passed()), before, "it writes on when all is well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_second_write_conflicts() {
    let count = AtomicU64::new(0);
    converges("conflicts", 15, move |parts| {
        (parts.method == Method::PATCH && one_of(&count, 2)).then_some(Fault::Refuse(409))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_second_watch_has_expired() {
    let count = AtomicU64::new(0);
    let cut = AtomicU64::new(0);
    converges("expired", 15, move |parts| {
        if !is_watch(parts) {
            return None;
        }
        // Those that live do so for a moment, so that there is always a new one to expire.
        if one_of(&count, 2) {
            Some(Fault::Expire)
        } else {
            one_of(&cut, 2).then_some(Fault::Cut(Duration::from_secs(2)))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_third_request_is_an_internal_error() {
    let count = AtomicU64::new(0);
    converges("errors", 30, move |_| {
        one_of(&count, 3).then_some(Fault::Refuse(500))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_third_request_is_refused_for_the_load() {
    let count = AtomicU64::new(0);
    converges("load", 30, move |_| {
        let code = if count.load(Ordering::SeqCst).is_multiple_of(2) {
            429
        } else {
            503
        };
        one_of(&count, 3).then_some(Fault::Refuse(code))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_late() {
    converges("late", 50, |_| Some(Fault::Delay(Duration::from_millis(400)))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_cut_and_answers_to_writes_are_lost() {
    let count = AtomicU64::new(0);
    converges("cut", 30, move |parts| {
        if is_watch(parts) {
            return Some(Fault::Cut(Duration::from_secs(3)));
        }
        one_of(&count, 3).then_some(Fault::Cut(Duration::ZERO))
    })
    .await;
}
