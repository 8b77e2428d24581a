//! Connections that break, servers that refuse for a moment, and fetches that are given up.

use std::time::Duration;

use toxicity_model_source::FetchError;

use crate::fixture::{Fault, ONNX_BYTES, Page, Server, assert_is_model, message, model, onnx};

use crate::fixture::Fetcher;
use crate::hub::Hub;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const HUB_SOURCE: &str = "hf://unitary/toxic-bert";
const ONNX: &str = "/toxic/onnx/model.onnx";

/// A web server with a model under `/toxic/`, and the source that names it.
async fn web(seed: u8) -> (Server, String) {
    let server = Server::start().await;
    put_model(&server, seed);
    let source = server.url("/toxic/");
    (server, source)
}

fn put_model(server: &Server, seed: u8) {
    for (path, content) in model(seed) {
        server.put(&format!("/toxic/{path}"), content);
    }
}

#[tokio::test]
async fn a_download_goes_on_where_the_connection_broke() {
    let (server, source) = web(1).await;
    server.fault(ONNX, Fault::Break(1_000_000));
    server.fault(ONNX, Fault::Break(500_000));
    let fetcher = Fetcher::new();
    let outcome = fetcher.fetch(&source).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    let ranges = server.ranges(ONNX);
    assert_eq!(
        ranges,
        [
            None,
            Some("bytes=1000000-".to_owned()),
            Some("bytes=1500000-".to_owned())
        ]
    );
    let warnings = fetcher.heard.warnings();
    assert!(
        warnings.len() == 2 && warnings[0].contains("trying again"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_later_fetch_goes_on_where_one_was_given_up() {
    let (server, source) = web(1).await;
    server.fault(ONNX, Fault::Stall(2_000_000));
    let fetcher = Fetcher::new();
    fetcher.fetch_until(&source, "onnx/model.onnx", 2_000_000).await;
    server.asked();

    let outcome = fetcher.fetch(&source).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    let asked = server.asked();
    let onnx = asked
        .iter()
        .find(|asked| asked.path == ONNX && asked.method == "GET")
        .unwrap();
    assert_eq!(onnx.range.as_deref(), Some("bytes=2000000-"));
    assert!(onnx.if_range.is_some(), "a changed file must come whole");
}

#[tokio::test]
async fn nothing_is_seen_of_a_fetch_that_was_given_up() {
    let (server, source) = web(1).await;
    server.fault(ONNX, Fault::Stall(2_000_000));
    let mut fetcher = Fetcher::new();
    fetcher.fetch_until(&source, "onnx/model.onnx", 2_000_000).await;
    fetcher.options.offline = true;
    let error = fetcher.fetch(&source).await.unwrap_err();
    assert!(matches!(error, FetchError::FindInCache { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_ignores_ranges_gives_the_file_anew() {
    let (server, source) = web(1).await;
    server.change(ONNX, |page| page.ignores_ranges = true);
    server.fault(ONNX, Fault::Break(1_000_000));
    let fetcher = Fetcher::new();
    let outcome = fetcher.fetch(&source).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    assert_eq!(server.ranges(ONNX), [None, Some("bytes=1000000-".to_owned())]);
}

#[tokio::test]
async fn a_file_that_changes_between_two_parts_is_never_mixed() {
    let (server, source) = web(1).await;
    server.fault(ONNX, Fault::Stall(2_000_000));
    let fetcher = Fetcher::new();
    fetcher.fetch_until(&source, "onnx/model.onnx", 2_000_000).await;
    put_model(&server, 2);
    let outcome = fetcher.fetch(&source).await.unwrap();
    assert_is_model(&outcome.folder, 2);
}

#[tokio::test]
async fn a_model_that_changes_while_it_is_fetched_is_asked_for_again() {
    let (server, source) = web(1).await;
    let fetcher = Fetcher::new();
    server.fault(ONNX, Fault::Break(1_000_000));
    let mut position = fetcher.heard.watch("onnx/model.onnx");
    let change = async {
        position
            .wait_for(|&position| position >= 1_000_000)
            .await
            .unwrap();
        put_model(&server, 2);
    };
    let (outcome, ()) = tokio::join!(fetcher.fetch(&source), change);
    assert_is_model(&outcome.unwrap().folder, 2);
    let warnings = fetcher.heard.warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("changed meanwhile")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_file_without_a_version_begins_anew() {
    let (server, source) = web(1).await;
    server.change(ONNX, |page| page.etag = None);
    server.fault(ONNX, Fault::Break(1_000_000));
    let fetcher = Fetcher::new();
    assert_is_model(&fetcher.fetch(&source).await.unwrap().folder, 1);
    assert_eq!(server.ranges(ONNX), [None, None]);
    let warnings = fetcher.heard.warnings();
    assert!(
        warnings.iter().any(|warning| warning.contains("neither ETag")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_known_sum_needs_no_version_and_wrong_bytes_from_before_are_replaced() {
    let hub = Hub::start().await;
    hub.commit("main", COMMIT, 1);
    let path = Hub::file("onnx/model.onnx");
    // The first part comes from another file, as from a broken proxy.
    hub.0.change(&path, |page| page.body = onnx(2));
    hub.0.fault(&path, Fault::Stall(2_000_000));
    let fetcher = hub.fetcher();
    fetcher
        .fetch_until(HUB_SOURCE, "onnx/model.onnx", 2_000_000)
        .await;
    hub.0.change(&path, |page| *page = Page::new(onnx(1)));
    hub.0.asked();

    assert_is_model(&fetcher.fetch(HUB_SOURCE).await.unwrap().folder, 1);
    assert_eq!(hub.0.ranges(&path), [Some("bytes=2000000-".to_owned()), None]);
}

#[tokio::test]
async fn a_part_that_is_longer_than_the_file_begins_anew() {
    let (server, source) = web(1).await;
    server.fault(ONNX, Fault::Stall(2_000_000));
    let fetcher = Fetcher::new();
    fetcher.fetch_until(&source, "onnx/model.onnx", 2_000_000).await;
    let part = find(fetcher.cache.path(), "model.onnx.part").expect("a part was left");
    std::fs::OpenOptions::new()
        .write(true)
        .open(part)
        .unwrap()
        .set_len(ONNX_BYTES as u64 + 1)
        .unwrap();
    assert_is_model(&fetcher.fetch(&source).await.unwrap().folder, 1);
}

fn find(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, name)
        } else {
            path.ends_with(name).then_some(path)
        }
    })
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_when_it_says() {
    let (server, source) = web(1).await;
    server.fault(ONNX, Fault::Answer(429, Some(1)));
    server.fault(ONNX, Fault::Answer(503, None));
    let fetcher = Fetcher::new();
    let began = std::time::Instant::now();
    assert_is_model(&fetcher.fetch(&source).await.unwrap().folder, 1);
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "Retry-After was not heard"
    );
    let warnings = fetcher.heard.warnings();
    assert!(
        warnings[0].contains("429") && warnings[0].contains("1.0 s"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn tries_end_and_what_was_downloaded_is_kept() {
    let (server, source) = web(1).await;
    for _ in 0..4 {
        server.fault(ONNX, Fault::Break(100_000));
    }
    let fetcher = Fetcher::new();
    let error = fetcher.fetch(&source).await.unwrap_err();
    assert!(matches!(error, FetchError::Reach { .. }), "{error}");
    assert_eq!(server.ranges(ONNX).len(), 4, "one try and three more");
    fetcher.fetch(&source).await.unwrap();
    assert_eq!(server.ranges(ONNX), [Some("bytes=400000-".to_owned())]);
}

#[tokio::test]
async fn tries_that_bring_much_are_not_counted() {
    let (server, source) = web(1).await;
    let mut fetcher = Fetcher::new();
    fetcher.options.retries.count = 1;
    server.fault(ONNX, Fault::Break(1_200_000));
    server.fault(ONNX, Fault::Break(1_200_000));
    assert_is_model(&fetcher.fetch(&source).await.unwrap().folder, 1);
    assert_eq!(server.ranges(ONNX).len(), 3);
}

#[tokio::test]
async fn a_pause_that_is_too_long_is_not_waited_for() {
    let (server, source) = web(1).await;
    server.fault(ONNX, Fault::Answer(429, Some(3600)));
    let error = Fetcher::new().fetch(&source).await.unwrap_err();
    assert!(
        matches!(error, FetchError::Refused { status: 429, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_stall_is_a_broken_connection() {
    let (server, source) = web(1).await;
    server.fault(ONNX, Fault::Stall(1_000_000));
    let mut fetcher = Fetcher::new();
    fetcher.options.timeouts.stall = Duration::from_millis(300);
    assert_is_model(&fetcher.fetch(&source).await.unwrap().folder, 1);
    let warnings = fetcher.heard.warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("nothing came for 0.3 s")),
        "{warnings:?}"
    );
    assert_eq!(
        server.ranges(ONNX).last().unwrap().as_deref(),
        Some("bytes=1000000-")
    );
}

#[tokio::test]
async fn a_server_that_is_gone_is_named() {
    let mut fetcher = Fetcher::new();
    fetcher.options.retries.count = 1;
    let error = fetcher.fetch("http://127.0.0.1:1/toxic/").await.unwrap_err();
    let text = message(&error);
    assert!(text.contains("127.0.0.1:1/toxic/config.json"), "{text}");
    assert!(text.contains("onnection refused"), "{text}");
}
