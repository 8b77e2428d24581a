//! Errors of the protocol.

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::PredictProtocolError;
use crate::failure::Failure;
use crate::json::InvalidJson;

/// Why a request was refused or failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A field is missing or of a wrong type; the message names it.
    #[error("{0}")]
    Field(String),
    /// The request was fine, or what is wrong with it concerns every protocol.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Body of every answer with a status of 400 or above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TextEmbeddingsErrorBody)]
pub struct ErrorBody {
    /// What went wrong.
    #[schema(example = "the text at index 0 has 31000 characters; the limit is 20000")]
    pub error: String,
    /// The kind of error.
    pub error_type: ErrorType,
}

/// Kinds of error, spelled as text-embeddings-inference sends them; its own documentation has them in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TextEmbeddingsErrorType)]
pub enum ErrorType {
    /// The server does not answer now.
    Unhealthy,
    /// The model failed.
    Backend,
    /// There is no room now.
    Overloaded,
    /// The request is wrong.
    Validation,
    /// A text cannot be tokenized.
    Tokenizer,
    /// A text is empty.
    Empty,
}

impl Error {
    /// Status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let Self::Failure(failure) = self else {
            return StatusCode::UNPROCESSABLE_ENTITY;
        };
        match failure {
            Failure::IncompleteBody | Failure::MalformedBody(_) | Failure::EmptyText { .. } => {
                StatusCode::BAD_REQUEST
            }
            Failure::SlowBody { .. } => StatusCode::REQUEST_TIMEOUT,
            Failure::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Failure::InvalidHeader { .. } | Failure::TextTooLong { .. } | Failure::TooManyTexts { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Failure::MissingKey | Failure::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Failure::Forbidden(_) => StatusCode::FORBIDDEN,
            Failure::RateLimited { .. } | Failure::NoPlace { .. } | Failure::Overloaded { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Failure::DeadlineExceeded { .. } | Failure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// When to try again, in seconds, for the header `Retry-After`.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Failure(failure) => failure.retry_after_seconds(),
            Self::Field(_) => None,
        }
    }

    /// Body of the answer.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: self.to_string(),
            error_type: self.error_type(),
        }
    }

    fn error_type(&self) -> ErrorType {
        let Self::Failure(failure) = self else {
            return ErrorType::Validation;
        };
        match failure {
            Failure::IncompleteBody
            | Failure::MalformedBody(_)
            | Failure::SlowBody { .. }
            | Failure::BodyTooLarge { .. }
            | Failure::UnsupportedMediaType { .. }
            | Failure::InvalidHeader { .. }
            | Failure::TextTooLong { .. }
            | Failure::TooManyTexts { .. }
            | Failure::MissingKey
            | Failure::Unauthenticated(_)
            | Failure::Forbidden(_) => ErrorType::Validation,
            Failure::EmptyText { .. } => ErrorType::Empty,
            Failure::RateLimited { .. } | Failure::NoPlace { .. } | Failure::Overloaded { .. } => {
                ErrorType::Overloaded
            }
            Failure::DeadlineExceeded { .. } | Failure::Unavailable(_) => ErrorType::Unhealthy,
        }
    }
}

impl From<InvalidJson> for Error {
    fn from(error: InvalidJson) -> Self {
        match error {
            InvalidJson::Malformed(problem) => Self::Failure(Failure::MalformedBody(problem)),
            field => Self::Field(field.to_string()),
        }
    }
}

impl From<PredictProtocolError> for Error {
    fn from(error: PredictProtocolError) -> Self {
        match error {
            PredictProtocolError::Malformed(problem) => Self::Failure(Failure::MalformedBody(problem)),
            PredictProtocolError::NoObject | PredictProtocolError::Neither | PredictProtocolError::Both => {
                Self::Field(error.to_string())
            }
        }
    }
}
