//! What all calls share: sending, and sorting failures.

use gloo_net::http::{Request, Response};
use serde::de::DeserializeOwned;
use toxicity_api::ErrorBody;

use crate::error::ClientError;

/// Sends a request and reads the JSON it is answered with.
pub(super) async fn fetch<T: DeserializeOwned>(request: Request) -> Result<T, ClientError> {
    let response = send(request).await?;
    if !response.ok() {
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok());
        // Whoever answers in place of the server, a proxy for example, need not answer in its shape.
        let detail = response.json::<ErrorBody>().await.ok().map(|body| body.error);
        return Err(ClientError::from_answer(response.status(), retry_after, detail));
    }
    response
        .json::<T>()
        .await
        .map_err(|error| ClientError::ReadAnswer {
            reason: error.to_string(),
        })
}

/// Sends a request; any answer is a success here.
pub(super) async fn send(request: Request) -> Result<Response, ClientError> {
    request.send().await.map_err(|error| {
        if is_offline() {
            ClientError::SendOffline
        } else {
            ClientError::ReachServer {
                reason: error.to_string(),
            }
        }
    })
}

fn is_offline() -> bool {
    web_sys::window().is_some_and(|window| !window.navigator().on_line())
}
