//! `POST /api/v1/analyze`.

use gloo_net::http::Request;
use toxicity_api::{AnalyzeRequest, AnalyzeResponse};
use web_sys::AbortSignal;

use super::http::fetch;
use crate::error::ClientError;

/// The request that the page sends for a text: with the words that carry the verdict.
#[must_use]
pub fn request_for(text: &str) -> AnalyzeRequest {
    AnalyzeRequest {
        text: Some(text.to_owned()),
        spans: true,
        ..AnalyzeRequest::default()
    }
}

/// Asks for the verdict on a text. Returns it with the milliseconds it took.
///
/// # Errors
///
/// When no answer comes, or one of failure.
pub async fn analyze(text: &str, abort: &AbortSignal) -> Result<(AnalyzeResponse, f64), ClientError> {
    let request = Request::post("/api/v1/analyze")
        .abort_signal(Some(abort))
        .json(&request_for(text))
        .map_err(|error| ClientError::ReachServer {
            reason: error.to_string(),
        })?;
    let started = now();
    let response = fetch(request).await?;
    Ok((response, now() - started))
}

fn now() -> f64 {
    web_sys::window()
        .and_then(|window| window.performance())
        .map_or(0.0, |performance| performance.now())
}
