//! API keys from a Secret, and records in a file on a volume.

use serde_json::{Value, json};
use toxicity_access::GeneratedKey;
use toxicity_cluster_tests::{Scene, kubectl};

use crate::installed::{HandMadeVolume, node_port, small};

/// A class that nobody provisions.
const CLASS: &str = "by-hand";

/// Sends JSON with a key, and gives the status and the answer.
fn post(url: &str, key: &str, body: &Value) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent.post(url).header("x-api-key", key).send_json(body).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_asked_for_and_feedback_outlives_its_pod() {
    let scene = Scene::installed("guarded").await;
    let _volume = HandMadeVolume::new(&scene, CLASS, "comments-records", "ReadWriteOnce");
    let key = GeneratedKey::new("forum", []).unwrap();
    scene
        .create(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
            "stringData": {"keys.txt": key.entry.to_string()},
        }))
        .await;
    let spec = json!({
        "server": {"resources": small()},
        "webUi": {"enabled": false},
        "auth": {"apiKeysSecretRef": {"name": "keys", "key": "keys.txt"}},
        "records": {"mode": "SQLite", "retention": "30d", "storage": {"storageClassName": CLASS}},
    });
    scene.create_monitor("comments", spec).await;
    scene.until_ready("comments", 120).await;
    let server = node_port(&scene, "comments", "model-server").await;
    let reachable = async || ureq::get(format!("{server}/readyz")).call().is_ok();
    scene
        .until("the server answers from outside", 20, reachable)
        .await;

    let analyze = format!("{server}/v1/analyze");
    let text = json!({"text": "You are a stupid idiot."});
    assert_eq!(post(&analyze, "tox_wrong", &text).0, 401);
    let (status, verdict) = post(&analyze, key.secret(), &text);
    assert_eq!((status, &verdict["results"][0]["flagged"]), (200, &json!(true)));
    let feedback = json!({"text": "You are a stupid idiot.", "suggested": {"insult": 1.0}});
    let (status, stored) = post(&format!("{server}/v1/feedback"), key.secret(), &feedback);
    assert_eq!(status, 201, "{stored}");

    let pods = [
        "delete",
        "pods",
        "--selector=app.kubernetes.io/component=model-server",
        "--namespace",
        scene.name(),
    ];
    let _ = kubectl(pods, None).expect();
    scene.until_ready("comments", 120).await;
    scene.until("the server answers again", 30, reachable).await;
    let mut list = ureq::get(format!("{server}/v1/feedback"))
        .header("x-api-key", key.secret())
        .call()
        .unwrap();
    let list: Value = list.body_mut().read_json().unwrap();
    assert_eq!(list["items"][0]["id"], stored["id"], "{list}");
    assert_eq!(list["items"][0]["tenant"], "forum", "{list}");
}
