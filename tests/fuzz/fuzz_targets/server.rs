//! The whole HTTP surface: a request as it stands on the wire, with its body to the end of the input.
#![no_main]

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// Most headers of a request.
const MOST_HEADERS: usize = 8;

static SERVER: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the system has a timer");
    let router = runtime.block_on(async { toxicity_fuzz::server::router() });
    (runtime, router)
});

fuzz_target!(|wire: &[u8]| {
    let Some(request) = read(wire) else { return };
    let (runtime, router) = &*SERVER;
    runtime.block_on(async {
        let Ok(response) = router.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .expect("the server ends its answer")
            .to_bytes();
        // Not now is an answer; not knowing what went wrong is none.
        assert!(
            !head.status.is_server_error() || head.status == StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            head.status
        );
        if head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value == "application/json")
        {
            serde_json::from_slice::<serde_json::Value>(&body).expect("the answer is JSON");
        }
    });
});

fn read(wire: &[u8]) -> Option<Request<Body>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(wire).ok()? else {
        return None;
    };
    let mut request = Request::builder().method(head.method?).uri(head.path?);
    for header in head.headers.iter() {
        request = request.header(header.name, header.value);
    }
    request.body(Body::from(wire[length..].to_vec())).ok()
}
