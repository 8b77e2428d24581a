//! `GET /api/info` and `GET /api/readyz`.

use gloo_net::http::{Request, RequestBuilder};
use toxicity_api::Info;

use super::http::{fetch, send};
use crate::error::ClientError;

/// Asks what is loaded and within which limits.
///
/// # Errors
///
/// When no answer comes, or one of failure.
pub async fn info() -> Result<Info, ClientError> {
    fetch(build(Request::get("/api/info"))?).await
}

/// Asks whether the server takes texts.
pub async fn is_ready() -> bool {
    match build(Request::get("/api/readyz")) {
        Ok(request) => send(request).await.is_ok_and(|response| response.ok()),
        Err(_) => false,
    }
}

fn build(request: RequestBuilder) -> Result<Request, ClientError> {
    request.build().map_err(|error| ClientError::ReachServer {
        reason: error.to_string(),
    })
}
