//! Web servers: folders and archives.

use toxicity_model_source::FetchError;

use crate::fixture::{Fetcher, Page, Server, assert_is_model, gzip, message, model, sha256, tar_of_model};

#[tokio::test]
async fn a_folder_is_asked_for_each_name_a_model_may_hold() {
    let server = Server::start().await;
    for (path, content) in model(1) {
        server.put(&format!("/models/toxic/{path}"), content);
    }
    server.put("/models/toxic/onnx/model.onnx_data", "weights");
    server.put("/models/toxic/onnx/model.onnx_data_1", "more weights");
    server.put("/models/toxic/onnx/model_fp16.onnx", "not this one");
    let fetcher = Fetcher::new();
    let source = server.url("/models/toxic/");
    let outcome = fetcher.fetch(&source).await.unwrap();
    assert_eq!(outcome.folder.file_name().unwrap(), "toxic");
    assert!(outcome.revision.as_deref().unwrap().starts_with("etag-"));
    assert!(outcome.folder.join("onnx/model.onnx_data_1").is_file());
    assert!(!outcome.folder.join("onnx/model_fp16.onnx").exists());

    server.asked();
    assert!(!fetcher.fetch(&source).await.unwrap().fetched);
    assert!(
        server.asked().iter().all(|asked| asked.method == "HEAD"),
        "no file is downloaded"
    );
    server.put("/models/toxic/thresholds.json", "{\"toxic\": 0.7}");
    assert!(fetcher.fetch(&source).await.unwrap().fetched);
}

#[tokio::test]
async fn an_archive_is_fetched_when_its_etag_changes() {
    let server = Server::start().await;
    server.put("/toxic.tar.gz", gzip(&tar_of_model(1, "toxic-v1/")));
    let fetcher = Fetcher::new();
    let source = server.url("/toxic.tar.gz");
    let first = fetcher.fetch(&source).await.unwrap();
    assert_is_model(&first.folder, 1);
    assert_eq!(first.folder.file_name().unwrap(), "toxic");
    assert!(!fetcher.fetch(&source).await.unwrap().fetched);
    server.put("/toxic.tar.gz", gzip(&tar_of_model(2, "toxic-v2/")));
    let second = fetcher.fetch(&source).await.unwrap();
    assert_is_model(&second.folder, 2);
    assert_ne!(first.revision, second.revision);
}

#[tokio::test]
async fn an_archive_of_a_known_sum_is_asked_for_once() {
    let server = Server::start().await;
    let archive = tar_of_model(1, "");
    let sum = sha256(&archive);
    server.put("/toxic.tar", archive);
    let source = server.url("/toxic.tar");
    let mut fetcher = Fetcher::new();
    fetcher.options.sha256 = Some(sum.parse().unwrap());
    let outcome = fetcher.fetch(&source).await.unwrap();
    assert_eq!(outcome.revision, Some(format!("sha256:{sum}")));
    server.asked();
    assert!(!fetcher.fetch(&source).await.unwrap().fetched);
    assert_eq!(server.asked(), []);

    fetcher.options.sha256 = Some(sha256(b"another").parse().unwrap());
    let error = fetcher.fetch(&source).await.unwrap_err();
    assert!(matches!(error, FetchError::CompareChecksum { .. }), "{error}");
}

#[tokio::test]
async fn the_sum_of_a_folder_is_that_of_its_onnx_file() {
    let server = Server::start().await;
    for (path, content) in model(1) {
        server.put(&format!("/toxic/{path}"), content);
    }
    let mut fetcher = Fetcher::new();
    fetcher.options.sha256 = Some(sha256(b"another").parse().unwrap());
    let error = fetcher.fetch(&server.url("/toxic/")).await.unwrap_err();
    assert!(matches!(error, FetchError::CompareChecksum { .. }), "{error}");
    fetcher.options.sha256 = Some(sha256(&model(1)[3].1).parse().unwrap());
    fetcher.fetch(&server.url("/toxic/")).await.unwrap();
}

#[tokio::test]
async fn the_token_is_sent_where_the_source_is_and_nowhere_else() {
    let server = Server::start().await;
    let elsewhere = Server::start().await;
    elsewhere.put("/blob", tar_of_model(1, ""));
    server.put(
        "/toxic.tar",
        Page {
            authorization: Some("Bearer hunter2".to_owned()),
            redirect: Some(elsewhere.url("/blob")),
            ..Page::new("")
        },
    );
    let mut fetcher = Fetcher::new();
    let source = server.url("/toxic.tar?signature=hunter2");
    let text = message(&fetcher.fetch(&source).await.unwrap_err());
    assert!(
        text.contains("TOXICITY_MODEL_TOKEN") && !text.contains("hunter2"),
        "{text}"
    );

    fetcher.set(&[("TOXICITY_MODEL_TOKEN", "hunter2")]);
    let outcome = fetcher.fetch(&source).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    assert!(
        elsewhere
            .asked()
            .iter()
            .all(|asked| asked.authorization.is_none())
    );
    let note = std::fs::read_to_string(outcome.folder.join("toxicity-source.json")).unwrap();
    assert!(!note.contains("hunter2"), "{note}");
}

#[tokio::test]
async fn plain_http_is_for_this_machine_alone() {
    let mut fetcher = Fetcher::new();
    fetcher.options.retries.count = 0;
    let error = fetcher
        .fetch("http://models.example.org/toxic.zip")
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::UsePlainHttp { .. }), "{error}");
}

#[tokio::test]
async fn a_folder_without_a_model_is_named() {
    let server = Server::start().await;
    server.put("/toxic/config.json", "{}");
    server.put("/toxic/tokenizer.json", "{}");
    let text = message(&Fetcher::new().fetch(&server.url("/toxic/")).await.unwrap_err());
    assert!(text.contains("ONNX") && text.contains("/toxic/"), "{text}");
    let text = message(&Fetcher::new().fetch(&server.url("/gone.zip")).await.unwrap_err());
    assert!(text.contains("404") && text.contains("/gone.zip"), "{text}");
}

#[tokio::test]
async fn a_file_of_unknown_size_is_fetched_and_cut_off_at_the_limit() {
    let server = Server::start().await;
    let page = Page {
        hides_size: true,
        ..Page::new(tar_of_model(1, ""))
    };
    server.put("/toxic.tar", page);
    let source = server.url("/toxic.tar");
    let mut fetcher = Fetcher::new();
    assert_is_model(&fetcher.fetch(&source).await.unwrap().folder, 1);

    fetcher = Fetcher::new();
    fetcher.options.limits.file_bytes = 1_000_000;
    let error = fetcher.fetch(&source).await.unwrap_err();
    assert!(error.to_string().contains("more than 1000000 bytes"), "{error}");
    fetcher.options.limits.file_bytes = 10_000_000;
    fetcher.options.limits.total_bytes = 1_000_000;
    let error = fetcher.fetch(&source).await.unwrap_err();
    assert!(error.to_string().contains("more than 1000000 bytes"), "{error}");
}
