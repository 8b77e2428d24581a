//! The built app is served as a browser and a cache expect it.

mod support;

use http::{Method, StatusCode, header};
use support::Site;

#[tokio::test]
async fn routes_are_answered_with_the_page_and_never_kept() {
    let site = Site::without_upstream();
    for path in ["/", "/index.html", "/some/route"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), "text/html");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.text(), "<!doctype html><title>page</title>");
    }
}

#[tokio::test]
async fn a_page_has_no_validator_that_two_builds_could_share() {
    let site = Site::without_upstream();
    let answer = site
        .send(
            Site::request(Method::GET, "/")
                .header(header::IF_MODIFIED_SINCE, "Fri, 01 Jan 2100 00:00:00 GMT"),
            "",
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer.headers.get(header::ETAG).is_none() && answer.headers.get(header::LAST_MODIFIED).is_none()
    );
}

#[tokio::test]
async fn files_named_by_their_content_are_kept_for_ever() {
    let answer = Site::without_upstream().get("/assets/app-1.wasm").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/wasm");
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
}

#[tokio::test]
async fn compressed_siblings_are_chosen_by_what_the_browser_accepts() {
    let site = Site::without_upstream();
    for (accepted, encoding, body) in [
        ("gzip, br", "br", "BR"),
        ("gzip", "gzip", "GZ"),
        ("identity", "", "WASM"),
    ] {
        let answer = site
            .send(
                Site::request(Method::GET, "/assets/app-1.wasm").header("accept-encoding", accepted),
                "",
            )
            .await;
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(answer.text(), body, "{accepted}");
        assert!(
            answer.header("vary").eq_ignore_ascii_case("accept-encoding"),
            "{accepted}"
        );
        assert_eq!(answer.header("content-type"), "application/wasm", "{accepted}");
    }
}

#[tokio::test]
async fn a_missing_file_is_missing() {
    let site = Site::without_upstream();
    for path in [
        "/assets/old-build.js",
        "/favicon.ico",
        "/assets/",
        "/assets/../../Cargo.toml",
        "/%2e%2e/a.toml",
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
    }
}

#[tokio::test]
async fn pages_are_read_only() {
    let answer = Site::without_upstream()
        .send(Site::request(Method::POST, "/"), "x")
        .await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET, HEAD");
}

#[tokio::test]
async fn health_follows_the_assets() {
    let site = Site::without_upstream();
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
    std::fs::remove_file(site.assets.path().join("index.html")).expect("the page can be removed");
    assert_eq!(site.get("/healthz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn a_folder_without_the_app_stops_the_start_with_a_remedy() {
    let empty = tempfile::tempdir().expect("a folder");
    let error = toxicity_web_server::router(&support::config(empty.path(), "http://127.0.0.1:9"))
        .expect_err("there is no page");
    assert!(error.to_string().contains("--assets"), "{error}");
}
