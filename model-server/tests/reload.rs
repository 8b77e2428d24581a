//! Another model comes in the place of the old one while the server answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it cannot go on"
)]

mod fixture;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use fixture::{Server, bundled_model, onnxruntime};
use serde_json::json;
use toxicity_model_server::engine::EngineOptions;
use toxicity_model_server::shadow::{self, Shadow};
use toxicity_model_source::{FetchOptions, ModelSource};

/// A folder with the bundled model, whose files may be replaced.
fn copy_of_the_bundled_model() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(bundled_model()).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
}

fn server_of(folder: &Path) -> Server {
    let options = EngineOptions {
        onnxruntime: Some(onnxruntime()),
        sessions: 2,
        max_requests: 16,
        ..EngineOptions::default()
    };
    Server::with_loader(ModelSource::Folder(folder.to_owned()), options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_model_takes_over_without_a_failed_request_and_a_broken_one_never_does() {
    let folder = copy_of_the_bundled_model();
    let server = server_of(folder.path());
    let early = server.post("/v1/admin/reload", "").await;
    assert_eq!(
        early.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "nothing is loaded yet"
    );
    server.load_from_source().await;
    let unchanged = server.post("/v1/admin/reload", "").await;
    assert_eq!(
        (unchanged.status, &unchanged.json()["swapped"]),
        (StatusCode::OK, &json!(false))
    );

    let server = Arc::new(server);
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (server, done) = (Arc::clone(&server), Arc::clone(&done));
            tokio::spawn(async move {
                let mut seen = Vec::new();
                for number in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    let text = format!("You are an idiot, {client} {number}");
                    let answer = server.analyze(&json!({"text": text})).await;
                    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                    seen.push(answer.json()["thresholds"]["toxic"].as_f64().unwrap());
                }
                seen
            })
        })
        .collect();

    // Thresholds are a part of the model, though not of its revision.
    fs::write(folder.path().join("thresholds.json"), r#"{"toxic": 0.99}"#).unwrap();
    let swapped = server.post("/v1/admin/reload", "").await;
    assert_eq!(
        (swapped.status, &swapped.json()["swapped"]),
        (StatusCode::OK, &json!(true))
    );

    let config = folder.path().join("config.json");
    let before = fs::read(&config).unwrap();
    fs::write(&config, "{}").unwrap();
    let refused = server.post("/v1/admin/reload", "").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let error = refused.json()["error"].clone();
    assert_eq!(error["code"], "reload_failed");
    assert!(
        error["message"].as_str().unwrap().contains("config.json"),
        "{error}"
    );
    fs::write(&config, before).unwrap();

    fs::write(folder.path().join("thresholds.json"), r#"{"toxic": 0.01}"#).unwrap();
    assert_eq!(server.post("/v1/admin/reload", "").await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(100)).await;
    done.store(true, Ordering::Relaxed);
    for client in clients {
        let seen = client.await.unwrap();
        for threshold in [0.99, 0.01] {
            assert!(
                seen.iter().any(|&of| (of - threshold).abs() < 1e-6),
                "{threshold}: {seen:?}"
            );
        }
    }
    let metrics = server.get("/metrics").await.text();
    for (outcome, count) in [("swapped", 3), ("unchanged", 1), ("failed", 1)] {
        let line = format!("toxicity_model_loads_total{{outcome=\"{outcome}\"}} {count}");
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_model_is_compared_with_and_never_heard() {
    let folder = copy_of_the_bundled_model();
    fs::write(folder.path().join("thresholds.json"), r#"{"toxic": 0.0001}"#).unwrap();
    let server = server_of(&bundled_model());
    server.load_from_source().await;
    let source = ModelSource::Folder(folder.path().to_owned());
    let options = EngineOptions {
        onnxruntime: Some(onnxruntime()),
        ..EngineOptions::default()
    };
    let fetching = FetchOptions::new(std::env::temp_dir());
    let engine = shadow::load(&source, &fetching, options, server.state.metrics())
        .await
        .unwrap();
    server
        .state
        .set_shadow(Shadow::start(engine, 50, server.state.metrics()));

    let texts: Vec<String> = (0..40)
        .map(|number| format!("Thank you, number {number}."))
        .collect();
    let answer = server.analyze(&json!({"texts": texts})).await.json();
    assert!(
        answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|verdict| verdict["flagged"] == false)
    );
    for _ in 0..100 {
        let metrics = server.get("/metrics").await.text();
        if metrics.contains("toxicity_shadow_texts_total{outcome=\"compared\"} 20") {
            assert!(
                metrics.contains("toxicity_shadow_disagreements_total{label=\"toxic\"} 20"),
                "{metrics}"
            );
            assert!(
                metrics.contains("toxicity_shadow_disagreements_total{label=\"threat\"} 0"),
                "{metrics}"
            );
            assert!(
                metrics.contains("toxicity_texts_total 40"),
                "what the second scores is not counted as answered"
            );
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("half of the texts were not compared");
}
