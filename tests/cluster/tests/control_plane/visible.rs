//! What people see with kubectl. The outputs are kept to be looked at.

use serde_json::json;
use toxicity_cluster_tests::{Scene, kubectl, save};
use toxicity_crd::v1alpha1::ConditionType::Ready;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_describe_and_explain_tell_what_matters() {
    let scene = Scene::start("visible").await;
    scene
        .create_monitor("comments", json!({"ingress": {"host": "toxicity.example.com"}}))
        .await;
    scene
        .create_monitor(
            "broken",
            json!({"auth": {"apiKeysSecretRef": {"name": "keys", "key": "api-keys"}}}),
        )
        .await;
    scene.until_ready("comments", 30).await;
    scene
        .until_condition("broken", Ready, "False", "SecretNotFound", 15)
        .await;
    let see = |file: &str, words: &str| {
        let words = words.split(' ').chain(["--namespace", scene.name()]);
        let output = kubectl(words, None).expect();
        save(file, &output);
        output
    };

    let get = see("kubectl-get.txt", "get toxmon");
    let columns = [
        "NAME",
        "READY",
        "REASON",
        "MODEL",
        "REPLICAS",
        "AVAILABLE",
        "URL",
        "AGE",
    ];
    let head: Vec<&str> = get.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, columns);
    let row = |name: &str| -> Vec<&str> {
        let line = get.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().collect()
    };
    assert_eq!(
        row("comments")[..7],
        [
            "comments",
            "True",
            "Available",
            "bundled",
            "1",
            "1",
            "http://toxicity.example.com"
        ]
    );
    assert_eq!(row("broken")[..3], ["broken", "False", "SecretNotFound"]);
    let wide = see("kubectl-get-wide.txt", "get toxmon -o wide");
    assert!(wide.contains("REVISION"), "{wide}");
    assert!(see("kubectl-get-all.txt", "get all").contains("toxicitymonitor.toxicity.dev/comments"));

    let describe = see("kubectl-describe.txt", "describe toxmon broken");
    assert!(
        describe.contains("create it, or change spec.auth.apiKeysSecretRef"),
        "{describe}"
    );
    let events = describe.split("Events:").nth(1).unwrap_or_default();
    assert!(
        events.contains("Warning") && events.contains("SecretNotFound"),
        "{describe}"
    );

    let explain = see("kubectl-explain.txt", "explain toxmon.spec.autoscaling");
    for field in [
        "minReplicas",
        "maxReplicas",
        "-required-",
        "Scales the model server by its load",
    ] {
        assert!(explain.contains(field), "{explain} lacks {field}");
    }
    let explain = see("kubectl-explain-spec.txt", "explain toxmon.spec");
    for field in ["model", "thresholds", "autoscaling", "webUi", "records", "paused"] {
        assert!(
            explain.contains(&format!("  {field}\t<")),
            "{explain} lacks {field}"
        );
    }

    // The label by which Ready is waited for in scripts.
    let words = [
        "wait",
        "--for=condition=Ready",
        "toxmon/comments",
        "--timeout=5s",
        "--namespace",
        scene.name(),
    ];
    let _ = kubectl(words, None).expect();
}
