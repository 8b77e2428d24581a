//! Refusals in `OpenAI`'s shape.

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::json::InvalidJson;
use crate::text::shortened;

/// Why a request is not answered as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A field that must be there is not.
    #[error("Missing required parameter: '{0}'.")]
    MissingParameter(String),
    /// A field that there is not.
    #[error("Unknown parameter: '{0}'.")]
    UnknownParameter(String),
    /// A field of a wrong type.
    #[error("Invalid type{}: {problem}.", place(param))]
    InvalidType {
        /// Path of the field; empty for the body as a whole.
        param: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A list without an item.
    #[error(
        "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead."
    )]
    EmptyInput,
    /// A list of texts and of parts.
    #[error("Invalid type for 'input[{index}]': an array must hold strings or text parts, not both.")]
    MixedInput {
        /// The first item that differs.
        index: usize,
    },
    /// A part that is not text.
    #[error(
        "Invalid value: '{}'. Supported values are: 'text'. This model judges text only; nothing was judged.",
        shortened(kind)
    )]
    UnsupportedPart {
        /// Which part.
        index: usize,
        /// Its type.
        kind: String,
    },
    /// What can happen in every protocol.
    #[error("{}", message(.0))]
    Failure(#[from] Failure),
}

fn place(param: &str) -> String {
    if param.is_empty() {
        String::new()
    } else {
        format!(" for '{param}'")
    }
}

fn message(failure: &Failure) -> String {
    match failure {
        Failure::MalformedBody(problem) => {
            format!("We could not parse the JSON body of your request: {problem}.")
        }
        Failure::EmptyText { index } => {
            format!("Invalid 'input': the text at index {index} holds nothing to judge.")
        }
        Failure::TextTooLong { index, length, limit } => format!(
            "Invalid 'input': string too long at index {index}. Expected a string with maximum length {limit}, but \
             got a string with length {length} instead."
        ),
        Failure::TooManyTexts { count, limit } => format!(
            "Invalid 'input': array too long. Expected an array with maximum length {limit}, but got an array with \
             length {count} instead."
        ),
        Failure::MissingKey => {
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer \
             auth (i.e. Authorization: Bearer YOUR_KEY)."
                .to_owned()
        }
        Failure::RateLimited { .. } => format!("Rate limit reached: {failure}."),
        _ => failure.to_string(),
    }
}

impl From<InvalidJson> for Error {
    fn from(invalid: InvalidJson) -> Self {
        match invalid {
            InvalidJson::Malformed(problem) => Self::Failure(Failure::MalformedBody(problem)),
            InvalidJson::UnknownField { path, .. } => Self::UnknownParameter(path),
            InvalidJson::Field { path, problem } => Self::InvalidType { param: path, problem },
        }
    }
}

impl Error {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Failure(failure) => match failure {
                Failure::SlowBody { .. } => StatusCode::REQUEST_TIMEOUT,
                Failure::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                Failure::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Failure::MissingKey | Failure::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Failure::Forbidden(_) => StatusCode::FORBIDDEN,
                Failure::NoPlace { .. } | Failure::RateLimited { .. } | Failure::Overloaded { .. } => {
                    StatusCode::TOO_MANY_REQUESTS
                }
                Failure::DeadlineExceeded { .. } | Failure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::BAD_REQUEST,
            },
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// When to try again, in seconds, for the header `Retry-After`.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Failure(failure) => failure.retry_after_seconds(),
            _ => None,
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: ErrorDetail {
                message: self.to_string(),
                error_type: self.error_type(),
                param: self.param(),
                code: self.code(),
            },
        }
    }

    fn error_type(&self) -> &'static str {
        match self {
            Self::Failure(Failure::RateLimited { .. }) => "requests",
            _ if self.status() == StatusCode::TOO_MANY_REQUESTS || self.status().is_server_error() => {
                "server_error"
            }
            _ => "invalid_request_error",
        }
    }

    fn param(&self) -> Option<String> {
        match self {
            Self::MissingParameter(param) | Self::UnknownParameter(param) => Some(param.clone()),
            Self::InvalidType { param, .. } => Some(param.clone()).filter(|param| !param.is_empty()),
            Self::UnsupportedPart { index, .. } => Some(format!("input[{index}].type")),
            Self::MixedInput { index } => Some(format!("input[{index}]")),
            Self::EmptyInput
            | Self::Failure(
                Failure::EmptyText { .. } | Failure::TextTooLong { .. } | Failure::TooManyTexts { .. },
            ) => Some("input".to_owned()),
            Self::Failure(_) => None,
        }
    }

    fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::MissingParameter(_) => "missing_required_parameter",
            Self::UnknownParameter(_) => "unknown_parameter",
            Self::InvalidType { .. } | Self::MixedInput { .. } => "invalid_type",
            Self::EmptyInput => "empty_array",
            Self::UnsupportedPart { .. } => "invalid_value",
            Self::Failure(failure) => match failure {
                Failure::EmptyText { .. } => "empty_string",
                Failure::TextTooLong { .. } => "string_above_max_length",
                Failure::TooManyTexts { .. } => "array_above_max_length",
                Failure::UnsupportedMediaType { .. } => "unsupported_content_type",
                Failure::InvalidHeader { .. } => "invalid_value",
                Failure::MissingKey | Failure::Unauthenticated(_) => "invalid_api_key",
                Failure::Forbidden(_) => "insufficient_permissions",
                Failure::RateLimited { .. } => "rate_limit_exceeded",
                Failure::NoPlace { .. } | Failure::Overloaded { .. } => "overloaded",
                _ => return None,
            },
        })
    }
}

/// Body of every refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenAiErrorBody)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenAiErrorDetail)]
pub struct ErrorDetail {
    /// What is wrong, for people.
    #[schema(example = "Missing required parameter: 'input'.")]
    pub message: String,

    /// `invalid_request_error`, `requests` or `server_error`.
    #[serde(rename = "type")]
    #[schema(example = "invalid_request_error")]
    pub error_type: &'static str,

    /// Path of the field to change.
    #[schema(required = true, example = "input")]
    pub param: Option<String>,

    /// Kind of error, for programs.
    #[schema(required = true, example = "missing_required_parameter")]
    pub code: Option<&'static str>,
}
