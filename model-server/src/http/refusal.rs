//! Failures in the shapes of the protocols.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use toxicity_protocols::failure::Failure;
use toxicity_protocols::{open_inference, openai, perspective, text_embeddings_inference};

/// An error of a protocol, as an answer.
pub(super) trait ProtocolError {
    /// Its status.
    fn status(&self) -> StatusCode;
    /// When to try again, in seconds.
    fn retry_after_seconds(&self) -> Option<u64>;
    /// Its body.
    fn body(&self) -> impl Serialize;
}

/// A refusal in the shape of a protocol.
#[derive(Debug)]
pub(super) struct Refusal<E>(pub(super) E);

impl<E: From<Failure>> From<Failure> for Refusal<E> {
    fn from(failure: Failure) -> Self {
        Self(E::from(failure))
    }
}

impl<E: ProtocolError> IntoResponse for Refusal<E> {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let mut response = (error.status(), Json(error.body())).into_response();
        if let Some(seconds) = error.retry_after_seconds() {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The protocols' own errors know all of it.
macro_rules! protocol_errors {
    ($($error:path),+ $(,)?) => {$(
        impl ProtocolError for $error {
            fn status(&self) -> StatusCode {
                self.status()
            }

            fn retry_after_seconds(&self) -> Option<u64> {
                self.retry_after_seconds()
            }

            fn body(&self) -> impl Serialize {
                self.body()
            }
        }
    )+};
}

protocol_errors!(
    open_inference::Error,
    openai::Error,
    perspective::Error,
    text_embeddings_inference::Error,
);
