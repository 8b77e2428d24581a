//! Errors of the protocol: one sentence that names the tensor or the field, under `error`.

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{OutputProblem, TensorProblem};
use crate::failure::Failure;
use crate::json::InvalidJson;
use crate::text::shortened;

/// Why a request was refused or failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The request means another model.
    #[error("there is no model \"{name}\"; this server serves \"{served}\"")]
    UnknownModel {
        /// The name in the request, shortened.
        name: String,
        /// The model that is served.
        served: String,
    },
    /// The request means another version of the model.
    #[error("the model \"{name}\" has no version \"{version}\"; this server serves \"{served}\"")]
    UnknownVersion {
        /// The model.
        name: String,
        /// The version in the request, shortened.
        version: String,
        /// The version that is served.
        served: String,
    },
    /// The length of the JSON before the binary data is not one.
    #[error(
        "the header Inference-Header-Content-Length must be the length of the JSON, from 0 to the {limit} bytes of the \
         body"
    )]
    HeaderLength {
        /// Bytes of the body.
        limit: usize,
    },
    /// A field is missing, unknown or of a wrong type; the message names it.
    #[error("{0}")]
    Field(String),
    /// The request sends nothing to score.
    #[error("the request holds no input; send `text`, or `input_ids` with an optional `attention_mask`")]
    NoInput,
    /// The request sends more tensors than there are inputs.
    #[error("the request holds {count} inputs; the model takes at most {limit}")]
    TooManyInputs {
        /// Tensors that it sends.
        count: usize,
        /// Inputs that there are.
        limit: usize,
    },
    /// The request asks for more tensors than there are outputs.
    #[error("the request asks for {count} outputs; the model gives at most {limit}")]
    TooManyOutputs {
        /// Tensors that it asks for.
        count: usize,
        /// Outputs that there are.
        limit: usize,
    },
    /// An input tensor is wrong.
    #[error("the tensor `{name}` {problem}")]
    Tensor {
        /// Its name, shortened.
        name: String,
        /// What is wrong with it.
        problem: TensorProblem,
    },
    /// A requested output is wrong.
    #[error("the output `{name}` {problem}")]
    Output {
        /// Its name, shortened.
        name: String,
        /// What is wrong with it.
        problem: OutputProblem,
    },
    /// Bytes follow the data of the last tensor.
    #[error("{count} bytes follow the data of the last tensor; `binary_data_size` must count all of them")]
    BytesLeft {
        /// Bytes.
        count: usize,
    },
    /// Models come and go by other means.
    #[error(
        "models cannot be loaded or unloaded by this protocol; the server serves one, and reloads it by itself"
    )]
    NoModelControl,
    /// The request was fine, or what is wrong with it concerns every protocol.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Body of every answer with a status of 400 or above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceErrorBody)]
pub struct ErrorBody {
    /// What went wrong.
    #[schema(example = "the tensor `text` has the datatype \"FP32\"; it must be BYTES")]
    pub error: String,
}

impl Error {
    pub(super) fn tensor(name: &str, problem: TensorProblem) -> Self {
        Self::Tensor {
            name: shortened(name).into_owned(),
            problem,
        }
    }

    pub(super) fn output(name: &str, problem: OutputProblem) -> Self {
        Self::Output {
            name: shortened(name).into_owned(),
            problem,
        }
    }

    /// Status of the answer. The protocol wants 400 for whatever is wrong with a request.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::UnknownModel { .. } | Self::UnknownVersion { .. } => StatusCode::NOT_FOUND,
            Self::HeaderLength { .. }
            | Self::Field(_)
            | Self::NoInput
            | Self::TooManyInputs { .. }
            | Self::TooManyOutputs { .. }
            | Self::Tensor { .. }
            | Self::Output { .. }
            | Self::BytesLeft { .. }
            | Self::NoModelControl => StatusCode::BAD_REQUEST,
            Self::Failure(failure) => match failure {
                Failure::IncompleteBody
                | Failure::MalformedBody(_)
                | Failure::InvalidHeader { .. }
                | Failure::EmptyText { .. }
                | Failure::TextTooLong { .. }
                | Failure::TooManyTexts { .. } => StatusCode::BAD_REQUEST,
                Failure::SlowBody { .. } => StatusCode::REQUEST_TIMEOUT,
                Failure::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                Failure::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Failure::MissingKey | Failure::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Failure::Forbidden(_) => StatusCode::FORBIDDEN,
                Failure::RateLimited { .. } | Failure::NoPlace { .. } | Failure::Overloaded { .. } => {
                    StatusCode::TOO_MANY_REQUESTS
                }
                Failure::DeadlineExceeded { .. } | Failure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            },
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

    /// Body of the answer.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: self.to_string(),
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
