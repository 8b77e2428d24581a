//! The one place where failures become HTTP answers.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use toxicity_api::{ErrorBody, ErrorCode, ErrorDetail};
use toxicity_protocols::failure::Failure;
use toxicity_protocols::open_inference;
use utoipa::IntoResponses;

use super::AppState;
use super::body::read_body;

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
    /// A field or a header is wrong; the message says how.
    #[error("{message}")]
    InvalidField {
        /// Path of the field, or name of the header; empty for the body as a whole.
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
    /// The server keeps no records.
    #[error("records are off; start the server with --records-url to keep verdicts and feedback")]
    RecordsOff,
    /// There is no such record or feedback, or not for this key.
    #[error("there is no such record")]
    NoSuchRecord,
    /// Wrong method.
    #[error("{method} is not supported on {path}; GET /docs lists the routes")]
    MethodNotAllowed {
        /// The method used.
        method: String,
        /// The path.
        path: String,
    },
    /// No key or a wrong one.
    #[error("{0}")]
    Unauthenticated(String),
    /// The key may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// All places are taken, too much work waits, or the rate of the key is used up.
    #[error("{failure}")]
    Overloaded {
        /// Which of them, and when to try again.
        failure: Failure,
        /// The limit, where it is a number.
        limit: Option<usize>,
    },
    /// A model did not load.
    #[error("the model did not load, and the one before goes on: {0}")]
    ReloadFailed(String),
    /// The time limit passed.
    #[error("the request was not finished within the limit of {0} s; send less text per call")]
    DeadlineExceeded(u64),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
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
    /// A field or the header `x-request-timeout` is wrong or over a limit
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
            Self::NotFound(_) | Self::NoSuchRecord => ErrorCode::NotFound,
            Self::RecordsOff => ErrorCode::RecordsOff,
            Self::MethodNotAllowed { .. } => ErrorCode::MethodNotAllowed,
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::Overloaded { .. } => ErrorCode::Overloaded,
            Self::ReloadFailed(_) => ErrorCode::ReloadFailed,
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
            Self::NotFound(_) | Self::NoSuchRecord | Self::RecordsOff => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Overloaded { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::ReloadFailed(_) => StatusCode::CONFLICT,
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
            | Self::TooManyTexts { limit, .. } => Some(*limit),
            Self::Overloaded { limit, .. } => *limit,
            _ => None,
        }
    }

    /// A failure in the words of the native protocol; `field` gives the path of a text by its index.
    pub(super) fn of(failure: Failure, field: impl Fn(usize) -> String) -> Self {
        match failure {
            Failure::MalformedBody(problem) => Self::MalformedJson(problem),
            Failure::IncompleteBody => Self::IncompleteBody,
            Failure::SlowBody { seconds } => Self::SlowBody(seconds),
            Failure::BodyTooLarge { limit } => Self::BodyTooLarge { limit },
            Failure::UnsupportedMediaType { .. } => Self::UnsupportedMediaType,
            Failure::EmptyText { index } => Self::EmptyText { field: field(index) },
            Failure::TextTooLong { index, length, limit } => Self::TextTooLong {
                field: field(index),
                length,
                limit,
            },
            Failure::TooManyTexts { count, limit } => Self::TooManyTexts {
                field: "texts".to_owned(),
                count,
                limit,
            },
            Failure::InvalidHeader { name, .. } => Self::InvalidField {
                field: name.to_owned(),
                message: failure.to_string(),
            },
            Failure::MissingKey => Self::Unauthenticated(failure.to_string()),
            Failure::Unauthenticated(message) => Self::Unauthenticated(message),
            Failure::Forbidden(message) => Self::Forbidden(message),
            Failure::NoPlace { limit, .. } => Self::Overloaded {
                failure,
                limit: Some(limit),
            },
            Failure::RateLimited { .. } | Failure::Overloaded { .. } => {
                Self::Overloaded { failure, limit: None }
            }
            Failure::DeadlineExceeded { seconds } => Self::DeadlineExceeded(seconds),
            Failure::Unavailable(message) => Self::Unavailable(message),
        }
    }

    /// When to try again, in seconds.
    fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Overloaded { failure, .. } => failure.retry_after_seconds(),
            Self::DeadlineExceeded(_) | Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::of(failure, |index| format!("texts[{index}]"))
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
        if let Some(seconds) = self.retry_after_seconds() {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

pub(super) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    let is_open_inference = path == "/v2" || path.starts_with("/v2/");
    let error = ApiError::NotFound(shortened(path));
    drain(&state, request).await;
    if is_open_inference {
        // Its clients expect a text where ours expect an object.
        let body = open_inference::ErrorBody {
            error: error.to_string(),
        };
        return (error.status(), Json(body)).into_response();
    }
    error.into_response()
}

pub(super) async fn method_not_allowed(State(state): State<AppState>, request: Request) -> ApiError {
    let error = ApiError::MethodNotAllowed {
        method: shortened(request.method().as_str()),
        path: shortened(request.uri().path()),
    };
    drain(&state, request).await;
    error
}

/// Reads a body that nobody wants: a server that answers and closes while the client sends makes the client see a broken
/// connection in place of the answer.
async fn drain(state: &AppState, request: Request) {
    // Whatever is wrong with it, the answer is another.
    let _ = read_body(request, state.limits().body_bytes).await;
}

/// What a client sent, short enough to send back.
pub(super) fn shortened(text: &str) -> String {
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
