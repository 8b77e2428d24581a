//! What the API server accepts, refuses and fills in by the schema alone.

use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};
use toxicity_cluster_tests::{Scene, documents, kubectl, monitor, repository};

/// Nothing is stored.
fn dry_run() -> PostParams {
    PostParams {
        dry_run: true,
        ..PostParams::default()
    }
}

#[tokio::test]
async fn each_rule_refuses_what_it_should_and_says_why() {
    let scene = Scene::bare("refused").await;
    let monitors = scene.objects("ToxicityMonitor");
    let cases = documents(&repository().join("operator/api/tests/refused.yaml")).remove(0);
    let cases = cases.as_array().expect("the file is a list");
    assert!(cases.len() > 20, "there are only {} cases", cases.len());
    for case in cases {
        let name = case["name"].as_str().unwrap_or("comments").to_owned();
        let message = case["message"].as_str().expect("a case has a message");
        let object =
            |spec: &Value| -> DynamicObject { serde_json::from_value(monitor(&name, spec)).unwrap() };
        let refused = match &case["update_from"] {
            Value::Null => monitors.create(&dry_run(), &object(&case["spec"])).await,
            before => {
                let stored = monitors
                    .create(&PostParams::default(), &object(before))
                    .await
                    .unwrap();
                let mut changed = object(&case["spec"]);
                changed.metadata.resource_version = stored.metadata.resource_version;
                let refused = monitors.replace(&name, &dry_run(), &changed).await;
                scene.delete("ToxicityMonitor", &name).await;
                refused
            }
        };
        let error = refused.expect_err(message).to_string();
        assert!(error.contains(message), "{error:?} lacks {message:?}");
    }
}

#[tokio::test]
async fn kubectl_shows_why_a_spec_is_refused() {
    let scene = Scene::bare("refused-kubectl").await;
    let cases = documents(&repository().join("operator/api/tests/refused.yaml")).remove(0);
    let simple = |case: &&Value| case["update_from"].is_null() && case["name"].is_null();
    for case in cases.as_array().unwrap().iter().filter(simple).step_by(6) {
        let object = monitor("comments", &case["spec"]).to_string();
        let words = [
            "apply",
            "--dry-run=server",
            "--namespace",
            scene.name(),
            "-f",
            "-",
        ];
        let refused = kubectl(words, Some(&object));
        assert!(!refused.success, "kubectl took {object}");
        let message = case["message"].as_str().unwrap();
        assert!(
            refused.stderr.contains(message),
            "{:?} lacks {message:?}",
            refused.stderr
        );
    }
}

#[tokio::test]
async fn every_sample_is_accepted_without_a_warning() {
    let scene = Scene::bare("samples").await;
    let mut count = 0;
    for entry in std::fs::read_dir(repository().join("manifests/samples")).unwrap() {
        let path = entry.unwrap().path();
        let path = path.to_str().unwrap();
        let words = [
            "apply",
            "--dry-run=server",
            "--validate=strict",
            "--namespace",
            scene.name(),
            "-f",
            path,
        ];
        let accepted = kubectl(words, None);
        assert_eq!(accepted.stderr, "", "{path}");
        assert!(accepted.expect().contains("created (server dry run)"), "{path}");
        count += 1;
    }
    assert!(count >= 5, "there are only {count} samples");
}

#[tokio::test]
async fn an_unknown_field_is_pointed_out() {
    let scene = Scene::bare("unknown").await;
    let object = monitor("comments", &json!({"modle": {"source": "bundled"}})).to_string();
    let apply = |validate: &str| {
        let words = [
            "apply",
            "--dry-run=server",
            validate,
            "--namespace",
            scene.name(),
            "-f",
            "-",
        ];
        kubectl(words, Some(&object))
    };
    let warned = apply("--validate=warn");
    assert!(warned.success, "{}", warned.stderr);
    assert!(
        warned.stderr.contains("unknown field \"spec.modle\""),
        "{}",
        warned.stderr
    );
    let refused = apply("--validate=strict");
    assert!(!refused.success, "a slip of the pen was taken");
    assert!(
        refused.stderr.contains("unknown field \"spec.modle\""),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn the_stored_object_of_an_empty_spec_shows_every_default() {
    let scene = Scene::bare("defaults").await;
    let stored = scene.create_monitor("comments", json!({})).await;
    let expected = json!({
        "model": {"source": "bundled"},
        "server": {
            "replicas": 1,
            "resources": {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
            "limits": {},
            "scheduling": {},
        },
        "webUi": {
            "enabled": true,
            "replicas": 1,
            "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
            "scheduling": {},
        },
        "monitoring": {
            "serviceMonitor": {"enabled": true, "interval": "30s"},
            "prometheusRule": {"enabled": true},
            "dashboard": {"enabled": true, "labels": {"grafana_dashboard": "1"}},
            "alerting": {"errorPercent": 5, "latencyMilliseconds": 1000},
        },
        "records": {"mode": "Disabled"},
        "networkPolicy": {"enabled": true},
        "paused": false,
    });
    assert_eq!(stored["spec"], expected);
}
