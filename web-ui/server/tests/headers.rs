//! What every answer tells the browser, and what Prometheus reads.

mod support;

use http::Method;
use support::Site;

#[tokio::test]
async fn pages_run_nothing_but_their_own_scripts() {
    let answer = Site::without_upstream().get("/").await;
    let policy = answer.header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(
            policy.split("; ").any(|found| found == rule),
            "{rule} is missing in {policy}"
        );
    }
    assert!(!policy.contains("unsafe-inline"));
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let site = Site::without_upstream();
    for path in [
        "/",
        "/assets/app-1.wasm",
        "/missing.js",
        "/api/info",
        "/healthz",
        "/metrics",
    ] {
        let answer = site.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {path}");
        }
        assert!(!answer.header("content-security-policy").is_empty(), "{path}");
        assert!(!answer.header("permissions-policy").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn calls_are_counted_by_what_answered() {
    let site = Site::without_upstream();
    site.get("/").await;
    site.get("/missing.js").await;
    site.send(Site::request(Method::POST, "/api/v1/analyze"), "{}")
        .await;
    let metrics = site.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    for line in [
        "toxicity_web_requests_total{handler=\"page\",method=\"GET\",status=\"2xx\"} 1",
        "toxicity_web_requests_total{handler=\"file\",method=\"GET\",status=\"4xx\"} 1",
        "toxicity_web_requests_total{handler=\"api\",method=\"POST\",status=\"5xx\"} 1",
        "toxicity_web_request_duration_seconds_count{handler=\"api\"} 1",
        "toxicity_web_requests_in_flight 1",
    ] {
        assert!(
            metrics.text().lines().any(|found| found == line),
            "{line} is missing in\n{}",
            metrics.text()
        );
    }
}
