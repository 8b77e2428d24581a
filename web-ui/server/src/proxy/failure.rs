//! Calls that end at this server, in the error shape of the model server.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use toxicity_api::{ErrorBody, ErrorCode, ErrorDetail};

/// Why a call was not passed on, or not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    BodyEndedEarly,
    BodyTooLarge { limit: usize },
    NotForBrowsers,
    TimedOut,
    Unreachable,
    UnusablePath,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut bound = None;
        let (status, code, message) = match self {
            Self::BodyEndedEarly => (
                StatusCode::BAD_REQUEST,
                ErrorCode::IncompleteBody,
                "the connection ended before the body was complete; send it again".to_owned(),
            ),
            Self::BodyTooLarge { limit } => {
                bound = Some(limit);
                (
                    StatusCode::PAYLOAD_TOO_LARGE,
                    ErrorCode::BodyTooLarge,
                    format!("the body is larger than {limit} bytes; send fewer or shorter texts"),
                )
            }
            Self::NotForBrowsers => (
                StatusCode::NOT_FOUND,
                ErrorCode::NotFound,
                "metrics are not served here; read them from the model server itself".to_owned(),
            ),
            Self::TimedOut => (
                StatusCode::GATEWAY_TIMEOUT,
                ErrorCode::UpstreamUnavailable,
                "the model server took too long to answer; try again, or send a shorter text".to_owned(),
            ),
            Self::Unreachable => (
                StatusCode::BAD_GATEWAY,
                ErrorCode::UpstreamUnavailable,
                "the model server does not answer; try again in a few seconds, and if that does not help, check \
                 that it runs and that --upstream names it"
                    .to_owned(),
            ),
            Self::UnusablePath => {
                (StatusCode::BAD_REQUEST, ErrorCode::NotFound, "the path cannot be passed on".to_owned())
            }
        };
        let error = ErrorDetail {
            code,
            message,
            field: None,
            limit: bound,
        };
        (status, Json(ErrorBody { error })).into_response()
    }
}
