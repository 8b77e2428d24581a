//! The Hugging Face Hub.

use axum::http::Method;
use serde_json::json;
use toxicity_model_source::FetchError;

use crate::fixture::{Fetcher, Page, Server, assert_is_model, message, model, onnx, sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const LATER_COMMIT: &str = "89abcdef0123456789abcdef0123456789abcdef";
const SOURCE: &str = "hf://unitary/toxic-bert";

/// A Hub with one repository.
pub struct Hub(pub Server);

impl Hub {
    pub async fn start() -> Self {
        Self(Server::start().await)
    }

    pub fn fetcher(&self) -> Fetcher {
        let mut fetcher = Fetcher::new();
        fetcher.set(&[("HF_ENDPOINT", &self.0.url(""))]);
        fetcher
    }

    /// Makes `revision` mean this commit of the model, with files beside it that no model needs.
    pub fn commit(&self, revision: &str, commit: &str, seed: u8) {
        let mut siblings = vec![
            json!({"rfilename": "pytorch_model.bin", "size": 400_000_000}),
            json!({"rfilename": "model.safetensors", "size": 400_000_000}),
            json!({"rfilename": "onnx/model_quantized.onnx", "size": 100_000_000}),
            json!({"rfilename": "../../escape.json", "size": 1}),
        ];
        for (path, content) in model(seed) {
            let mut sibling = json!({"rfilename": path, "size": content.len()});
            if content == onnx(seed) {
                sibling["lfs"] = json!({"sha256": sha256(&content), "size": content.len()});
            }
            siblings.push(sibling);
            self.0
                .put(&format!("/unitary/toxic-bert/resolve/{commit}/{path}"), content);
        }
        let answer = Page::json(&json!({"sha": commit, "siblings": siblings}));
        self.0.put(
            &format!("/api/models/unitary/toxic-bert/revision/{revision}"),
            answer,
        );
    }

    pub fn file(path: &str) -> String {
        format!("/unitary/toxic-bert/resolve/{COMMIT}/{path}")
    }
}

#[tokio::test]
async fn only_what_the_model_needs_is_fetched() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let fetcher = hub.fetcher();
    let outcome = fetcher.fetch(SOURCE).await.unwrap();
    assert_eq!(outcome.revision.as_deref(), Some(COMMIT));
    assert!(outcome.fetched);
    assert_eq!(outcome.folder.file_name().unwrap(), "toxic-bert");
    assert_is_model(&outcome.folder, 1);
    assert_eq!(
        fetcher.heard.finished(),
        [
            "config.json",
            "onnx/model.onnx",
            "thresholds.json",
            "tokenizer.json"
        ]
    );
    let first = &hub.0.asked()[0];
    assert_eq!(first.query, "blobs=true");
    assert_eq!(first.authorization, None);
}

#[tokio::test]
async fn a_branch_is_asked_for_its_commit_and_fetched_only_when_it_moved() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let fetcher = hub.fetcher();
    let first = fetcher.fetch(SOURCE).await.unwrap();
    hub.0.asked();

    let again = fetcher.fetch(SOURCE).await.unwrap();
    assert_eq!((again.fetched, &again.folder), (false, &first.folder));
    assert_eq!(hub.0.asked().len(), 1, "one question, and no file");

    hub.commit("main", LATER_COMMIT, 2);
    let moved = fetcher.fetch(SOURCE).await.unwrap();
    assert_eq!(moved.revision.as_deref(), Some(LATER_COMMIT));
    assert_is_model(&moved.folder, 2);
    assert_is_model(&first.folder, 1);
}

#[tokio::test]
async fn revisions_that_nobody_names_any_more_are_removed() {
    let hub = Hub::start().await;
    let fetcher = hub.fetcher();
    let mut folders = Vec::new();
    for (seed, digit) in [(1, "1"), (2, "2"), (3, "3")] {
        hub.commit("main", &digit.repeat(40), seed);
        folders.push(fetcher.fetch(SOURCE).await.unwrap().folder);
        if seed == 1 {
            hub.commit("v1", &digit.repeat(40), seed);
            fetcher.fetch("hf://unitary/toxic-bert@v1").await.unwrap();
        }
    }
    let there: Vec<bool> = folders.iter().map(|folder| folder.exists()).collect();
    assert_eq!(
        there,
        [true, true, true],
        "v1 names the first, and the second was just replaced"
    );
    hub.commit("main", &"4".repeat(40), 4);
    folders.push(fetcher.fetch(SOURCE).await.unwrap().folder);
    let there: Vec<bool> = folders.iter().map(|folder| folder.exists()).collect();
    assert_eq!(there, [true, false, true, true]);
}

#[tokio::test]
async fn a_commit_is_never_asked_for_twice() {
    let hub = Hub::start().await;
    hub.commit(COMMIT, COMMIT, 1);
    let mut fetcher = hub.fetcher();
    fetcher.options.revision = Some(COMMIT.to_owned());
    fetcher.fetch(SOURCE).await.unwrap();
    hub.0.asked();
    assert!(!fetcher.fetch(SOURCE).await.unwrap().fetched);
    assert_eq!(hub.0.asked(), []);
}

#[tokio::test]
async fn a_revision_may_hold_a_slash_and_comes_from_source_or_options_but_not_both() {
    let hub = Hub::start().await;
    hub.commit("refs%2Fpr%2F1", COMMIT, 1);
    let mut fetcher = hub.fetcher();
    let source = "hf://unitary/toxic-bert@refs/pr/1";
    fetcher.fetch(source).await.unwrap();
    fetcher.options.revision = Some("refs/pr/1".to_owned());
    assert!(!fetcher.fetch(SOURCE).await.unwrap().fetched);
    fetcher.options.revision = Some("v2".to_owned());
    let error = fetcher.fetch(source).await.unwrap_err();
    assert!(matches!(error, FetchError::UseRevision { .. }), "{error}");
}

#[tokio::test]
async fn the_token_is_sent_to_the_hub_and_to_nobody_else() {
    let hub = Hub::start().await;
    let elsewhere = Server::start().await;
    hub.commit("main", COMMIT, 1);
    hub.0
        .change_all(|page| page.authorization = Some("Bearer hf_hunter2".to_owned()));
    elsewhere.put("/blob", onnx(1));
    let target = elsewhere.url("/blob?Signature=signed");
    hub.0
        .change(&Hub::file("onnx/model.onnx"), |page| page.redirect = Some(target));
    let mut fetcher = hub.fetcher();

    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    let text = message(&error);
    assert!(text.contains("401") && text.contains("HF_TOKEN"), "{text}");

    fetcher.set(&[("HF_ENDPOINT", &hub.0.url("")), ("HF_TOKEN", "hf_hunter2")]);
    let outcome = fetcher.fetch(SOURCE).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    let asked = elsewhere.asked();
    assert_eq!((asked.len(), asked[0].query.as_str()), (1, "Signature=signed"));
    assert_eq!(asked[0].authorization, None);
}

#[tokio::test]
async fn no_error_and_no_warning_shows_a_secret() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    // The Hub leads to an address that is signed, and where nobody is.
    let nowhere = "http://127.0.0.1:1/blob?Signature=hunter2".to_owned();
    hub.0.change(&Hub::file("onnx/model.onnx"), |page| {
        page.redirect = Some(nowhere);
    });
    let mut fetcher = hub.fetcher();
    fetcher.set(&[("HF_ENDPOINT", &hub.0.url("")), ("HF_TOKEN", "hunter2")]);
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    let mut said = fetcher.heard.warnings();
    said.push(message(&error));
    said.push(format!("{error:?} {:?}", fetcher.options));
    assert!(said.len() >= 4, "it was tried again: {said:?}");
    for text in said {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn plain_http_is_refused_also_behind_a_redirect() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let plain = "http://models.example.org/blob".to_owned();
    hub.0
        .change(&Hub::file("onnx/model.onnx"), |page| page.redirect = Some(plain));
    let mut fetcher = hub.fetcher();
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(text.contains("plain HTTP"), "{text}");
    fetcher.set(&[("HF_ENDPOINT", "http://hub.example.org")]);
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    assert!(matches!(error, FetchError::UsePlainHttp { .. }), "{error}");
}

#[tokio::test]
async fn another_sum_than_the_one_asked_for_is_refused_before_anything_is_downloaded() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let mut fetcher = hub.fetcher();
    fetcher.options.sha256 = Some(sha256(&onnx(2)).parse().unwrap());
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    assert!(matches!(error, FetchError::CompareChecksum { .. }), "{error}");
    assert_eq!(hub.0.asked().len(), 1);

    fetcher.options.sha256 = Some(sha256(&onnx(1)).parse().unwrap());
    fetcher.fetch(SOURCE).await.unwrap();
    fetcher.options.sha256 = Some(sha256(&onnx(2)).parse().unwrap());
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    assert!(
        matches!(error, FetchError::CompareChecksum { .. }),
        "from the cache: {error}"
    );
}

#[tokio::test]
async fn a_file_that_is_not_what_the_hub_promised_is_refused() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    hub.0.put(&Hub::file("onnx/model.onnx"), onnx(2));
    let fetcher = hub.fetcher();
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    assert!(matches!(error, FetchError::CompareChecksum { .. }), "{error}");
    let gets = hub.0.ranges(&Hub::file("onnx/model.onnx"));
    assert_eq!(gets, [None], "a whole file is not tried again");
}

#[tokio::test]
async fn another_onnx_file_can_be_chosen() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let small = Page::new("a small model");
    let answer = json!({"sha": COMMIT, "siblings": [
        {"rfilename": "config.json", "size": 11},
        {"rfilename": "tokenizer.json", "size": 13},
        {"rfilename": "onnx/model.onnx"},
        {"rfilename": "onnx/model_quantized.onnx", "size": 13},
    ]});
    hub.0.put(
        "/api/models/unitary/toxic-bert/revision/main",
        Page::json(&answer),
    );
    hub.0.put(&Hub::file("onnx/model_quantized.onnx"), small);
    let mut fetcher = hub.fetcher();
    fetcher.options.onnx_file = Some("model_quantized.onnx".to_owned());
    let outcome = fetcher.fetch(SOURCE).await.unwrap();
    assert!(outcome.folder.join("onnx/model_quantized.onnx").is_file());
    assert!(!outcome.folder.join("onnx/model.onnx").exists());
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let hub = Hub::start().await;
    let fetcher = hub.fetcher();
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(text.contains("404") && text.contains("check the name"), "{text}");

    let answer = json!({"sha": COMMIT, "siblings": [{"rfilename": "pytorch_model.bin"}]});
    hub.0.put(
        "/api/models/unitary/toxic-bert/revision/main",
        Page::json(&answer),
    );
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(text.contains("config.json"), "{text}");

    for nonsense in ["<html>", r#"{"sha": "main"}"#, "[]"] {
        hub.0
            .put("/api/models/unitary/toxic-bert/revision/main", nonsense);
        let error = fetcher.fetch(SOURCE).await.unwrap_err();
        assert!(
            matches!(error, FetchError::UnderstandAnswer { .. }),
            "{nonsense}: {error}"
        );
    }
}

#[tokio::test]
async fn limits_are_checked_before_anything_is_downloaded() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let gets = |hub: &Hub| {
        let asked = hub.0.asked().into_iter();
        asked
            .filter(|asked| asked.method == Method::GET && asked.path.contains("onnx"))
            .count()
    };
    let mut fetcher = hub.fetcher();
    fetcher.options.limits.total_bytes = 1_000_000;
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    assert!(matches!(error, FetchError::ExceedLimit { .. }), "{error}");
    assert_eq!(gets(&hub), 0);

    let mut fetcher = hub.fetcher();
    fetcher.options.limits.files = 3;
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    assert!(matches!(error, FetchError::ExceedLimit { .. }), "{error}");

    let mut fetcher = hub.fetcher();
    fetcher.options.limits.file_bytes = 1_000_000;
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    assert!(matches!(error, FetchError::ExceedLimit { .. }), "{error}");
}
