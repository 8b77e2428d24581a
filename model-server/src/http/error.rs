//! The one place where failures become HTTP answers.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use toxicity_api::{ErrorBody, ErrorCode, ErrorDetail};
use utoipa::IntoResponses;

use crate::engine::ScoreError;
use crate::scheduler::PassError;

/// Seconds after which an overloaded server may be asked again: a full queue of comments drains in about one.
const RETRY_AFTER_SECONDS: u16 = 1;

/// Why a request was not answered as asked. Messages go to the client; causes inside the server go to the log.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The body is not JSON.
    #[error("the body is not valid JSON: {0}")]
    MalformedJson(String),
    /// The body broke off.
    #[error("the body ended before it was complete")]
    IncompleteBody,
    /// The body did not come in time.
    #[error("the body did not arrive within {0} s")]
    SlowBody(u64),
    /// The body is larger than the limit in bytes.
    #[error("the body is larger than {} bytes; send fewer texts per call", grouped(*.limit))]
    BodyTooLarge {
        /// Bytes.
        limit: usize,
    },
    /// The content type is not JSON.
    #[error("the content type must be JSON; send the header \"content-type: application/json\"")]
    UnsupportedMediaType,
    /// A field is wrong; the message says how.
    #[error("{message}")]
    InvalidField {
        /// Path of the field; empty for the body as a whole.
        field: String,
        /// What is wrong with it.
        message: String,
    },
    /// A text without content.
    #[error("`{field}` must not be empty: it holds nothing that can be scored")]
    EmptyText {
        /// Path of the text.
        field: String,
    },
    /// A text that is too long.
    #[error("`{field}` has {} characters; the limit is {}", grouped(*.length), grouped(*.limit))]
    TextTooLong {
        /// Path of the text.
        field: String,
        /// Characters it has.
        length: usize,
        /// Characters it may have.
        limit: usize,
    },
    /// Too many texts.
    #[error("`{field}` holds {} texts; the limit is {} per call", grouped(*.count), grouped(*.limit))]
    TooManyTexts {
        /// Path of the list.
        field: String,
        /// Texts it holds.
        count: usize,
        /// Texts it may hold.
        limit: usize,
    },
    /// A label the model does not have.
    #[error("`{field}` names \"{label}\"; the model's labels are {known}")]
    UnknownLabel {
        /// Path of the label.
        field: String,
        /// The label.
        label: String,
        /// The labels there are.
        known: String,
    },
    /// No such route.
    #[error("there is no route {0}; GET /docs lists them")]
    NotFound(String),
    /// Wrong method.
    #[error("{method} is not supported on {path}; GET /docs lists the routes")]
    MethodNotAllowed {
        /// The method used.
        method: String,
        /// The path.
        path: String,
    },
    /// All places are taken.
    #[error("the server is at its limit of {limit} requests at once; try again shortly")]
    Overloaded {
        /// Requests at once.
        limit: usize,
    },
    /// The time limit passed.
    #[error("the request was not finished within the limit of {0} s; send less text per call")]
    DeadlineExceeded(u64),
    /// Not now.
    #[error("{0}")]
    Unavailable(&'static str),
}

/// What the OpenAPI document says of every route that scores, besides its success.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "it only documents")]
pub(super) enum ScoringErrors {
    /// The body is not JSON, not UTF-8 or incomplete
    #[response(status = 400)]
    Malformed(ErrorBody),
    /// The body did not arrive in time
    #[response(status = 408)]
    Slow(ErrorBody),
    /// The body is too large
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The content type is not JSON
    #[response(status = 415)]
    NotJson(ErrorBody),
    /// A field is wrong or over a limit
    #[response(status = 422)]
    Invalid(ErrorBody),
    /// The server is at its limit; see `Retry-After`
    #[response(status = 429)]
    Overloaded(ErrorBody),
    /// The model is loading, failed or ran out of time
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

impl ApiError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::MalformedJson(_) => ErrorCode::MalformedJson,
            Self::IncompleteBody | Self::SlowBody(_) => ErrorCode::IncompleteBody,
            Self::BodyTooLarge { .. } => ErrorCode::BodyTooLarge,
            Self::UnsupportedMediaType => ErrorCode::UnsupportedMediaType,
            Self::InvalidField { .. } => ErrorCode::InvalidField,
            Self::EmptyText { .. } => ErrorCode::EmptyText,
            Self::TextTooLong { .. } => ErrorCode::TextTooLong,
            Self::TooManyTexts { .. } => ErrorCode::TooManyTexts,
            Self::UnknownLabel { .. } => ErrorCode::UnknownLabel,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::MethodNotAllowed { .. } => ErrorCode::MethodNotAllowed,
            Self::Overloaded { .. } => ErrorCode::Overloaded,
            Self::DeadlineExceeded(_) => ErrorCode::DeadlineExceeded,
            Self::Unavailable(_) => ErrorCode::Unavailable,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::MalformedJson(_) | Self::IncompleteBody => StatusCode::BAD_REQUEST,
            Self::SlowBody(_) => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidField { .. }
            | Self::EmptyText { .. }
            | Self::TextTooLong { .. }
            | Self::TooManyTexts { .. }
            | Self::UnknownLabel { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Overloaded { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::DeadlineExceeded(_) | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::InvalidField { field, .. }
            | Self::EmptyText { field }
            | Self::TextTooLong { field, .. }
            | Self::TooManyTexts { field, .. }
            | Self::UnknownLabel { field, .. } => Some(field.as_str()).filter(|field| !field.is_empty()),
            _ => None,
        }
    }

    fn limit(&self) -> Option<usize> {
        match self {
            Self::BodyTooLarge { limit }
            | Self::TextTooLong { limit, .. }
            | Self::TooManyTexts { limit, .. }
            | Self::Overloaded { limit } => Some(*limit),
            _ => None,
        }
    }

    /// Failure to score the text at `field`.
    pub(super) fn from_score(error: &ScoreError, field: &str) -> Self {
        match error {
            ScoreError::Empty => Self::EmptyText {
                field: field.to_owned(),
            },
            ScoreError::Tokenize(_) | ScoreError::Pass(PassError::Backend(_)) => {
                tracing::error!(%error, "failed to score a text");
                Self::Unavailable("the model failed to score the text; the server's log says why")
            }
            ScoreError::Pass(PassError::QueueFull) => {
                Self::Unavailable("the queue is full; try again shortly")
            }
            ScoreError::Pass(PassError::Stopped) => Self::Unavailable("the server is stopping"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = ErrorDetail {
            code: self.code(),
            message: self.to_string(),
            field: self.field().map(str::to_owned),
            limit: self.limit(),
        };
        let status = self.status();
        let mut response = (status, Json(ErrorBody { error: detail })).into_response();
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

pub(super) async fn not_found(uri: Uri) -> ApiError {
    ApiError::NotFound(shortened(uri.path()))
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    ApiError::MethodNotAllowed {
        method: shortened(method.as_str()),
        path: shortened(uri.path()),
    }
}

/// What a client sent, short enough to send back.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 100;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(std::iter::once('…')).collect()
}

/// `20000` as `20,000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits_by_three() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (20_000, "20,000"),
            (1_048_576, "1,048,576"),
        ];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }
}
