//! Which web pages may ask from a browser.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod fixture;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use fixture::{Answer, Server};

const FORUM: &str = "https://forum.example";
const OTHER: &str = "https://other.example";

/// What a browser asks before it sends a page's request with these headers.
async fn preflight(server: &Server, origin: &str, path: &str, method: &str, headers: &str) -> Answer {
    let request = Request::options(path)
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers);
    server.send(request.body(Body::empty()).unwrap()).await
}

/// A page's request.
async fn analyze(server: &Server, origin: &str, body: &'static str) -> Answer {
    let request = Request::post("/v1/analyze")
        .header("origin", origin)
        .header("content-type", "application/json");
    server.send(request.body(Body::from(body)).unwrap()).await
}

/// The items of a header that is a list, in lower case.
fn items(headers: &HeaderMap, name: &str) -> Vec<String> {
    let value = headers.get(name).map_or("", |value| value.to_str().unwrap());
    let items = value.split(',').map(|item| item.trim().to_lowercase());
    items.filter(|item| !item.is_empty()).collect()
}

#[tokio::test]
async fn no_page_may_ask_by_default() {
    let server = Server::ready();
    let refused = preflight(&server, FORUM, "/v1/analyze", "POST", "content-type").await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    let answered = analyze(&server, FORUM, r#"{"text": "hi"}"#).await;
    assert_eq!(
        answered.status,
        StatusCode::OK,
        "without a browser nobody is kept out"
    );
    for headers in [&refused.headers, &answered.headers] {
        let told = headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control-"));
        assert!(!told, "{headers:?}");
    }
}

#[tokio::test]
async fn a_listed_page_may_ask() {
    let server = Server::with_cors(&["https://first.example", FORUM]).load(8);
    // What the clients of the protocols send; a browser takes `*` for all of them but `authorization`.
    let wanted = [
        "authorization",
        "content-type",
        "x-api-key",
        "x-goog-api-key",
        "x-request-id",
        "x-request-timeout",
        "inference-header-content-length",
        "x-stainless-lang",
    ];
    for (path, method) in [
        ("/v1/analyze", "POST"),
        ("/v1/records", "GET"),
        ("/v1/feedback/1", "DELETE"),
    ] {
        let allowed = preflight(&server, FORUM, path, method, &wanted.join(",")).await;
        assert_eq!(allowed.status, StatusCode::OK, "{path}: {allowed:?}");
        assert_eq!(allowed.headers["access-control-allow-origin"], FORUM, "{path}");
        let methods = items(&allowed.headers, "access-control-allow-methods");
        assert!(methods.contains(&method.to_lowercase()), "{path}: {methods:?}");
        let headers = items(&allowed.headers, "access-control-allow-headers");
        for header in wanted {
            assert!(
                headers.iter().any(|allowed| allowed == header),
                "{path}: {headers:?}"
            );
        }
    }
    for (body, status) in [
        (r#"{"text": "hi"}"#, StatusCode::OK),
        ("{}", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = analyze(&server, FORUM, body).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["access-control-allow-origin"], FORUM);
        let readable = items(&answer.headers, "access-control-expose-headers");
        for header in ["x-request-id", "retry-after", "inference-header-content-length"] {
            assert!(readable.iter().any(|readable| readable == header), "{readable:?}");
        }
        assert!(answer.headers.contains_key("x-request-id"));
        assert!(
            items(&answer.headers, "vary").contains(&"origin".to_owned()),
            "caches must not mix pages up"
        );
    }
}

#[tokio::test]
async fn another_page_may_not_ask() {
    let server = Server::with_cors(&[FORUM]).load(8);
    for origin in [
        OTHER,
        "http://forum.example",
        "https://forum.example.evil.example",
        "null",
    ] {
        let refused = preflight(&server, origin, "/v1/analyze", "POST", "content-type").await;
        let answered = analyze(&server, origin, r#"{"text": "hi"}"#).await;
        for headers in [&refused.headers, &answered.headers] {
            assert!(
                !headers.contains_key("access-control-allow-origin"),
                "{origin}: {headers:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_star_lets_every_page_ask() {
    let server = Server::with_cors(&["*"]).load(8);
    let allowed = preflight(&server, OTHER, "/v1/analyze", "POST", "authorization").await;
    assert_eq!(allowed.headers["access-control-allow-origin"], "*");
    assert_eq!(
        items(&allowed.headers, "access-control-allow-headers"),
        ["authorization"]
    );
    assert!(
        !allowed.headers.contains_key("access-control-allow-credentials"),
        "no page sends cookies"
    );
}
