//! Calls of the app reach the model server, and its answers come back as they are.

mod support;

use std::{convert::Infallible, fmt::Write, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Redirect},
    routing::{any, get, post},
};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use support::{Site, start};
use toxicity_api::ErrorCode;

/// Answers with what it was asked, one line per part.
async fn echo(request: Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    let mut lines = format!("{} {}\n", head.method, head.uri);
    for (name, value) in &head.headers {
        let value = value.to_str().expect("a header of text");
        writeln!(lines, "{name}: {value}").expect("strings take everything");
    }
    lines.push_str(std::str::from_utf8(&body).expect("a body of text"));
    (
        [
            ("x-request-id", "from-upstream"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
        ],
        lines,
    )
}

async fn site(flags: &[&str]) -> Site {
    let upstream = Router::new()
        .route("/v1/analyze", any(echo))
        .route("/metrics", get(|| async { "secret" }))
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route(
            "/away",
            get(|| async { Redirect::temporary("https://example.org/docs/") }),
        )
        .route(
            "/docs/",
            get(|| async { ([("content-security-policy", "script-src 'self'")], "docs") }),
        )
        .route(
            "/slow",
            get(|| async { tokio::time::sleep(Duration::from_secs(30)).await }),
        )
        .route("/swallow", post(|_: Bytes| async {}))
        .route(
            "/refusal",
            get(|| async { (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")], "later") }),
        );
    let address = start(upstream).await;
    Site::over(&format!("http://{address}"), flags)
}

#[tokio::test]
async fn a_call_is_passed_on_without_the_prefix() {
    let request = Site::request(Method::POST, "/api/v1/analyze?key=a%20b")
        .header(header::HOST, "ui.example")
        .header("x-request-id", "42")
        .header("x-forwarded-for", "192.0.2.1")
        .header("connection", "keep-alive, x-private")
        .header("x-private", "1");
    let answer = site(&[]).await.send(request, "{\"text\":\"hi\"}").await;
    assert_eq!(answer.status, StatusCode::OK);
    let text = answer.text();
    assert!(text.starts_with("POST /v1/analyze?key=a%20b\n"), "{text}");
    assert!(text.ends_with("{\"text\":\"hi\"}"), "{text}");
    for line in [
        "x-request-id: 42",
        "x-forwarded-host: ui.example",
        "x-forwarded-proto: http",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is missing in {text}"
        );
    }
    assert!(
        text.contains("host: 127.0.0.1:") && !text.contains("x-private"),
        "{text}"
    );
    assert_eq!(answer.header("x-request-id"), "from-upstream");
    assert!(answer.headers.get("x-hop").is_none() && answer.headers.get("connection").is_none());
}

#[tokio::test]
async fn an_answer_of_failure_stays_as_it_is() {
    let answer = site(&[]).await.get("/api/refusal").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "7");
    assert_eq!(answer.text(), "later");
}

#[tokio::test]
async fn redirects_stay_under_the_prefix() {
    let site = site(&[]).await;
    assert_eq!(site.get("/api/docs").await.header("location"), "/api/docs/");
    assert_eq!(
        site.get("/api/away").await.header("location"),
        "https://example.org/docs/"
    );
}

#[tokio::test]
async fn metrics_of_the_model_server_are_not_for_browsers() {
    let site = site(&[]).await;
    for path in ["/api/metrics", "/api/metrics/", "/api//metrics", "/api/%6Detrics"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.error().code, ErrorCode::NotFound, "{path}");
    }
}

#[tokio::test]
async fn a_dead_model_server_is_a_502_that_says_what_to_do() {
    let site = Site::without_upstream();
    let answer = site.get("/api/info").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    let error = answer.error();
    assert_eq!(error.code, ErrorCode::UpstreamUnavailable);
    assert!(error.message.contains("--upstream"), "{}", error.message);
    let metrics = site.get("/metrics").await;
    assert!(
        metrics
            .text()
            .contains("toxicity_web_upstream_errors_total{kind=\"unreachable\"} 1")
    );
}

#[tokio::test]
async fn a_model_server_that_is_too_slow_is_a_504() {
    let site = site(&["--upstream-timeout", "50ms"]).await;
    let answer = site.get("/api/slow").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.error().code, ErrorCode::UpstreamUnavailable);
    assert!(
        site.get("/metrics")
            .await
            .text()
            .contains("toxicity_web_upstream_errors_total{kind=\"timeout\"} 1")
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not() {
    let site = site(&["--body-limit", "10"]).await;
    let announced = Site::request(Method::POST, "/api/swallow").header(header::CONTENT_LENGTH, "11");
    let chunks = (0..11).map(|_| Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(b"x"))));
    let streamed = Body::new(StreamBody::new(futures_util::stream::iter(chunks)));
    for answer in [
        site.send(announced, "12345678901").await,
        site.send(Site::request(Method::POST, "/api/swallow"), streamed)
            .await,
    ] {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.error().limit, Some(10));
    }
    let fits = site
        .send(Site::request(Method::POST, "/api/swallow"), "1234567890")
        .await;
    assert_eq!(fits.status, StatusCode::OK);
}

#[tokio::test]
async fn answers_are_passed_on_while_they_arrive() {
    let upstream = Router::new().route(
        "/stream",
        get(|| async {
            let head = futures_util::stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"first"))]);
            Body::from_stream(futures_util::StreamExt::chain(
                head,
                futures_util::stream::pending(),
            ))
        }),
    );
    let address = start(upstream).await;
    let assets = tempfile::tempdir().expect("a folder");
    std::fs::write(assets.path().join("index.html"), "").expect("the folder can be written");
    let config = support::config(assets.path(), &format!("http://{address}"));
    let router = toxicity_web_server::router(&config).expect("the app is there");
    let request = Request::builder()
        .uri("/api/stream")
        .body(Body::empty())
        .expect("a good request");
    let mut body = tower::ServiceExt::oneshot(router, request)
        .await
        .expect("routers do not fail")
        .into_body();
    let frame = body.frame().await.expect("a first part").expect("a good part");
    assert_eq!(frame.into_data().expect("data"), "first");
}

#[tokio::test]
async fn the_documentation_keeps_its_own_policy_and_data_gets_the_strictest() {
    let site = site(&[]).await;
    assert_eq!(
        site.get("/api/docs/").await.header("content-security-policy"),
        "script-src 'self'"
    );
    let data = site
        .send(Site::request(Method::POST, "/api/v1/analyze"), "")
        .await;
    assert_eq!(
        data.header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
    assert_eq!(data.header("x-content-type-options"), "nosniff");
}
