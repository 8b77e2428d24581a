//! The cache: without a network, with others at the same time, and with damage.

use std::path::Path;

use toxicity_model_source::{DifferenceKind, FetchError, verify};

use crate::fixture::{Fault, Fetcher, Server, assert_is_model, message};
use crate::hub::Hub;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const SOURCE: &str = "hf://unitary/toxic-bert";

#[tokio::test]
async fn a_branch_that_was_fetched_is_found_offline() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let mut fetcher = hub.fetcher();
    let online = fetcher.fetch(SOURCE).await.unwrap();
    hub.0.asked();
    fetcher.options.offline = true;
    let offline = fetcher.fetch(SOURCE).await.unwrap();
    assert_eq!((&offline.folder, offline.fetched), (&online.folder, false));
    assert_eq!(offline.revision.as_deref(), Some(COMMIT));
    let commit = fetcher.fetch(&format!("{SOURCE}@{COMMIT}")).await.unwrap();
    assert_eq!(commit.folder, online.folder);
    assert_eq!(hub.0.asked(), []);
}

#[tokio::test]
async fn what_is_missing_offline_is_said() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let mut fetcher = hub.fetcher();
    fetcher.options.offline = true;
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(text.contains("\"main\" of it was never fetched"), "{text}");
    fetcher.options.offline = false;
    let model = fetcher.fetch(SOURCE).await.unwrap();
    fetcher.options.offline = true;
    let text = message(&fetcher.fetch("hf://unitary/toxic-bert@v2").await.unwrap_err());
    assert!(text.contains("\"v2\" of it was never fetched"), "{text}");
    std::fs::remove_file(model.folder.join("tokenizer.json")).unwrap();
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(text.contains("tokenizer.json\" is missing or damaged"), "{text}");
    assert_eq!(hub.0.asked().len(), 5, "only the fetch that was online asked");
}

#[tokio::test]
async fn without_a_network_the_last_model_is_used_and_that_is_said() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let mut fetcher = hub.fetcher();
    let first = fetcher.fetch(SOURCE).await.unwrap();
    fetcher.set(&[("HF_ENDPOINT", "http://127.0.0.1:1")]);
    let second = fetcher.fetch(SOURCE).await.unwrap();
    assert_eq!((&second.folder, second.fetched), (&first.folder, false));
    let warnings = fetcher.heard.warnings();
    assert!(
        warnings
            .last()
            .unwrap()
            .contains(&format!("using revision {COMMIT}")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn when_the_new_revision_cannot_be_downloaded_the_last_model_is_used() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let fetcher = hub.fetcher();
    let first = fetcher.fetch(SOURCE).await.unwrap();
    let later = "89abcdef0123456789abcdef0123456789abcdef";
    hub.commit("main", later, 2);
    for _ in 0..4 {
        hub.0.fault(
            &format!("/unitary/toxic-bert/resolve/{later}/onnx/model.onnx"),
            Fault::Answer(503, None),
        );
    }
    assert_eq!(fetcher.fetch(SOURCE).await.unwrap().folder, first.folder);
    let warnings = fetcher.heard.warnings();
    assert!(
        warnings
            .last()
            .unwrap()
            .contains(&format!("using revision {COMMIT}")),
        "{warnings:?}"
    );
    assert_eq!(
        fetcher.fetch(SOURCE).await.unwrap().revision.as_deref(),
        Some(later)
    );
}

#[tokio::test]
async fn a_server_that_says_no_is_believed() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let fetcher = hub.fetcher();
    fetcher.fetch(SOURCE).await.unwrap();
    hub.0
        .change_all(|page| page.authorization = Some("Bearer other".to_owned()));
    let error = fetcher.fetch(SOURCE).await.unwrap_err();
    assert!(
        matches!(error, FetchError::Refused { status: 401, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn several_that_fetch_the_same_download_it_once() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let fetcher = hub.fetcher();
    let (first, second, third) = tokio::join!(
        fetcher.fetch(SOURCE),
        fetcher.fetch(SOURCE),
        fetcher.fetch(SOURCE)
    );
    let models = [first.unwrap(), second.unwrap(), third.unwrap()];
    assert_eq!(models.iter().filter(|model| model.fetched).count(), 1);
    for model in &models {
        assert_is_model(&model.folder, 1);
    }
    assert_eq!(hub.0.ranges(&Hub::file("onnx/model.onnx")), [None]);
}

#[tokio::test]
async fn a_fetch_can_be_handed_to_another_thread() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let fetcher = hub.fetcher();
    let outcome = tokio::spawn(async move { fetcher.fetch(SOURCE).await.map(|model| (fetcher, model)) });
    let (_fetcher, model) = outcome.await.unwrap().unwrap();
    assert_is_model(&model.folder, 1);
}

#[tokio::test]
async fn a_damaged_model_is_fetched_anew() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let fetcher = hub.fetcher();
    let model = fetcher.fetch(SOURCE).await.unwrap();
    std::fs::write(model.folder.join("onnx/model.onnx"), "short").unwrap();
    assert!(fetcher.fetch(SOURCE).await.unwrap().fetched);
    assert_is_model(&model.folder, 1);
    std::fs::write(model.folder.join("toxicity-source.json"), "{").unwrap();
    assert!(fetcher.fetch(SOURCE).await.unwrap().fetched);
    assert_is_model(&model.folder, 1);
}

#[tokio::test]
async fn verification_names_what_differs() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let model = hub.fetcher();
    let folder = model.fetch(SOURCE).await.unwrap().folder;
    let all_well = verify(&folder).unwrap();
    assert_eq!(all_well.differences, []);
    assert_eq!((all_well.files, all_well.revision.as_str()), (4, COMMIT));
    assert_eq!(all_well.source, SOURCE);

    // The same size, so that only the sum can tell.
    std::fs::write(folder.join("config.json"), "{\"seed\": 9}").unwrap();
    std::fs::remove_file(folder.join("tokenizer.json")).unwrap();
    std::fs::write(folder.join("onnx/model.onnx_data"), "weights").unwrap();
    let differences = verify(&folder).unwrap().differences;
    let found: Vec<_> = differences
        .iter()
        .map(|difference| (difference.path.as_str(), difference.kind))
        .collect();
    assert_eq!(
        found,
        [
            ("config.json", DifferenceKind::Content),
            ("tokenizer.json", DifferenceKind::Missing),
            ("onnx/model.onnx_data", DifferenceKind::Added),
        ]
    );
}

#[tokio::test]
async fn two_sources_never_share_a_folder() {
    let server = Server::start().await;
    for (name, seed) in [("/a/toxic/", 1), ("/b/toxic/", 2)] {
        for (path, content) in crate::fixture::model(seed) {
            server.put(&format!("{name}{path}"), content);
        }
    }
    let fetcher = Fetcher::new();
    let first = fetcher.fetch(&server.url("/a/toxic/")).await.unwrap();
    let second = fetcher.fetch(&server.url("/b/toxic/")).await.unwrap();
    assert_is_model(&first.folder, 1);
    assert_is_model(&second.folder, 2);
    let leftovers = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    for entry in std::fs::read_dir(fetcher.cache.path()).unwrap() {
        assert_eq!(leftovers(&entry.unwrap().path().join("staging")), 0);
    }
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_named() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let mut fetcher = hub.fetcher();
    let file = fetcher.cache.path().join("file");
    std::fs::write(&file, "").unwrap();
    fetcher.options.cache = file.clone();
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(text.contains(file.to_str().unwrap()), "{text}");
}
