//! Perspective's refusals, in the shape of all errors of Google's APIs.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::attribute;
use super::score::ScoreType;
use crate::failure::Failure;
use crate::json::InvalidJson;
use crate::scored::Labels;
use crate::text::shortened;

/// What Google's error details name as their origin; clients compare it.
const DOMAIN: &str = "googleapis.com";
const SERVICE: &str = "commentanalyzer.googleapis.com";

/// Why a request is not answered as asked. The messages are Perspective's own.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The comment holds nothing that can be scored.
    #[error("Comment must be non-empty.")]
    CommentEmpty,
    /// The comment is longer than Perspective or the server takes.
    #[error("Comment text too long.")]
    CommentTooLong {
        /// Its length.
        length: usize,
        /// The length it may have.
        limit: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// The comment is HTML.
    #[error("Currently, only 'PLAIN_TEXT' comments are supported")]
    HtmlComment,
    /// The context has both of its forms.
    #[error("Context can have either entries or article_and_parent_comment, but both fields were populated.")]
    AmbiguousContext,
    /// No attribute is asked for.
    #[error("Missing requested_attributes")]
    NoRequestedAttributes,
    /// An attribute that Perspective never had, or that the model has no label for.
    #[error("Unknown requested attribute: {}", shortened(attribute))]
    UnknownAttribute {
        /// The attribute.
        attribute: String,
        /// The attributes that the model scores.
        available: Vec<&'static str>,
    },
    /// A kind of score that no attribute has.
    #[error("Requested score type {} is not supported by attribute {attribute}", score_type.name())]
    ScoreTypeNotSupported {
        /// The kind of score.
        score_type: ScoreType,
        /// The attribute.
        attribute: String,
    },
    /// A language that the model does not judge.
    #[error(
        "Attribute {attribute} does not support request languages: {}",
        shortened(&if requested.is_empty() { detected } else { requested }.join(", "))
    )]
    LanguageNotSupported {
        /// The first attribute asked for; all have the same languages.
        attribute: String,
        /// The languages of the request.
        requested: Vec<String>,
        /// The languages detected, the likeliest first.
        detected: Vec<String>,
        /// The languages that the model judges.
        supported: Vec<String>,
    },
    /// The request names no language, and none was detected.
    #[error("Unable to detect language")]
    LanguageDetectionFailed,
    /// A field that there is not.
    #[error(
        "Invalid JSON payload received. Unknown name \"{name}\"{}: Cannot find field.",
        place(parent)
    )]
    UnknownField {
        /// The field.
        name: String,
        /// Path of the object that holds it; empty for the request itself.
        parent: String,
    },
    /// A field of a wrong type.
    #[error("Invalid value{}: {problem}", place(field))]
    InvalidField {
        /// Path of the field; empty for the request itself.
        field: String,
        /// What is wrong with the value.
        problem: String,
    },
    /// A suggested score that cannot be.
    #[error("Invalid value{}: {problem}", place(field))]
    InvalidSuggestion {
        /// Path of the field.
        field: String,
        /// What is wrong with the value.
        problem: &'static str,
    },
    /// What can happen in every protocol.
    #[error("{}", message(.0))]
    Failure(Failure),
}

/// ` at 'comment.text'`; nothing for the request itself. Google would write the path as `comment.text` too, but name
/// fields in the style of Protocol Buffers and the entries of a map by numbers.
fn place(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" at '{path}'")
    }
}

fn message(failure: &Failure) -> String {
    match failure {
        Failure::MalformedBody(problem) => format!("Invalid JSON payload received. {problem}"),
        Failure::BodyTooLarge { limit } => format!("Request payload size exceeds the limit: {limit} bytes."),
        Failure::MissingKey => {
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or \
             other form of API consumer identity to call this API."
                .to_owned()
        }
        Failure::Unauthenticated(_) => "API key not valid. Please pass a valid API key.".to_owned(),
        Failure::RateLimited { .. } => {
            format!("Quota exceeded for quota metric 'Analysis requests (AnalyzeComment)': {failure}")
        }
        _ => failure.to_string(),
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::EmptyText { .. } => Self::CommentEmpty,
            Failure::TextTooLong { length, limit, .. } => Self::CommentTooLong {
                length,
                limit,
                unit: "characters",
            },
            failure => Self::Failure(failure),
        }
    }
}

impl From<InvalidJson> for Error {
    fn from(invalid: InvalidJson) -> Self {
        match invalid {
            InvalidJson::Malformed(problem) => Self::Failure(Failure::MalformedBody(problem)),
            InvalidJson::UnknownField { path, .. } => {
                let (parent, name) = path.rsplit_once('.').unwrap_or(("", &path));
                Self::UnknownField {
                    name: name.to_owned(),
                    parent: parent.to_owned(),
                }
            }
            InvalidJson::Field { path, problem } => Self::InvalidField { field: path, problem },
        }
    }
}

impl Error {
    pub(super) fn unknown_attribute(attribute: String, labels: &Labels<'_>) -> Self {
        Self::UnknownAttribute {
            attribute,
            available: attribute::available(labels),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Failure(failure) => match failure {
                Failure::SlowBody { .. } => StatusCode::REQUEST_TIMEOUT,
                Failure::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                Failure::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                // Google knows nobody without a key, and takes a wrong key for a wrong argument.
                Failure::MissingKey | Failure::Forbidden(_) => StatusCode::FORBIDDEN,
                Failure::NoPlace { .. } | Failure::RateLimited { .. } | Failure::Overloaded { .. } => {
                    StatusCode::TOO_MANY_REQUESTS
                }
                Failure::DeadlineExceeded { .. } => StatusCode::GATEWAY_TIMEOUT,
                Failure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                Failure::MalformedBody(_)
                | Failure::IncompleteBody
                | Failure::InvalidHeader { .. }
                | Failure::EmptyText { .. }
                | Failure::TextTooLong { .. }
                | Failure::TooManyTexts { .. }
                | Failure::Unauthenticated(_) => StatusCode::BAD_REQUEST,
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
        let status = self.status();
        ErrorBody {
            error: Status {
                code: status.as_u16(),
                message: self.to_string(),
                status: canonical_name(status),
                details: self.details(),
            },
        }
    }

    /// Perspective's detail first, where it has one; then what helps to put the request right or to send it again.
    fn details(&self) -> Vec<Detail> {
        let own = self.error_type().map(|error_type| Detail::CommentAnalyzer {
            error_type,
            language_not_supported_by_attribute_error: self.language_not_supported(),
        });
        let violation = self.violation().map(|violation| Detail::BadRequest {
            field_violations: vec![violation],
        });
        let info = match self {
            Self::Failure(Failure::Unauthenticated(_)) => Some(error_info("API_KEY_INVALID", None)),
            Self::Failure(Failure::RateLimited { limit, .. }) => {
                Some(error_info("RATE_LIMIT_EXCEEDED", Some(*limit)))
            }
            _ => None,
        };
        let retry = self.retry_after_seconds().map(|seconds| Detail::RetryInfo {
            retry_delay: format!("{seconds}s"),
        });
        [own, violation, info, retry].into_iter().flatten().collect()
    }

    fn error_type(&self) -> Option<ErrorType> {
        Some(match self {
            Self::CommentEmpty => ErrorType::CommentEmpty,
            Self::CommentTooLong { .. } => ErrorType::CommentTooLong,
            Self::NoRequestedAttributes => ErrorType::NoRequestedAttributes,
            Self::LanguageNotSupported { .. } => ErrorType::LanguageNotSupportedByAttribute,
            Self::LanguageDetectionFailed => ErrorType::LanguageDetectionFailed,
            Self::HtmlComment
            | Self::AmbiguousContext
            | Self::UnknownAttribute { .. }
            | Self::ScoreTypeNotSupported { .. }
            | Self::InvalidSuggestion { .. } => ErrorType::InvalidRequest,
            // Google refuses these before Perspective sees them.
            Self::UnknownField { .. } | Self::InvalidField { .. } | Self::Failure(_) => return None,
        })
    }

    fn language_not_supported(&self) -> Option<LanguageNotSupported> {
        match self {
            Self::LanguageNotSupported {
                attribute,
                requested,
                detected,
                ..
            } => Some(LanguageNotSupported {
                detected_languages: detected.clone(),
                requested_languages: requested.clone(),
                attribute: attribute.clone(),
            }),
            _ => None,
        }
    }

    /// The field to change, and what Perspective's message leaves unsaid.
    fn violation(&self) -> Option<FieldViolation> {
        let (field, description) = match self {
            Self::CommentTooLong { length, limit, unit } => (
                "comment.text",
                format!("the comment has {length} {unit}; the limit is {limit}"),
            ),
            Self::UnknownAttribute { available, .. } => ("requestedAttributes", said_of(available)),
            Self::LanguageNotSupported { supported, .. } => {
                ("languages", format!("the model judges {}", supported.join(", ")))
            }
            Self::UnknownField { parent, .. } => (parent.as_str(), self.to_string()),
            Self::InvalidField { field, .. } | Self::InvalidSuggestion { field, .. } => {
                (field.as_str(), self.to_string())
            }
            _ => return None,
        };
        Some(FieldViolation {
            field: Some(field.to_owned()).filter(|field| !field.is_empty()),
            description,
        })
    }
}

fn said_of(available: &[&str]) -> String {
    if available.is_empty() {
        "the model scores no attribute of Perspective".to_owned()
    } else {
        format!("the model scores {}", available.join(", "))
    }
}

fn error_info(reason: &'static str, limit: Option<u32>) -> Detail {
    let limit = limit.map(|limit| ("quota_limit_value", limit.to_string()));
    Detail::ErrorInfo {
        reason,
        domain: DOMAIN,
        metadata: limit
            .into_iter()
            .chain([("service", SERVICE.to_owned())])
            .collect(),
    }
}

/// The name that Google gives a status; see `google.rpc.Code`.
fn canonical_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "PERMISSION_DENIED",
        StatusCode::TOO_MANY_REQUESTS => "RESOURCE_EXHAUSTED",
        StatusCode::SERVICE_UNAVAILABLE => "UNAVAILABLE",
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => "DEADLINE_EXCEEDED",
        _ => "INVALID_ARGUMENT",
    }
}

/// Body of every refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PerspectiveErrorBody)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: Status,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PerspectiveStatus)]
pub struct Status {
    /// The HTTP status.
    #[schema(example = 400)]
    pub code: u16,

    /// One sentence that says what is wrong.
    #[schema(example = "Comment must be non-empty.")]
    pub message: String,

    /// Google's name of the status.
    #[schema(example = "INVALID_ARGUMENT")]
    pub status: &'static str,

    /// More of it, for programs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub details: Vec<Detail>,
}

/// More of what went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PerspectiveErrorDetail)]
#[serde(tag = "@type")]
pub enum Detail {
    /// Perspective's own.
    #[serde(rename = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error")]
    CommentAnalyzer {
        /// The kind of error.
        #[serde(rename = "errorType")]
        error_type: ErrorType,
        /// Present where a language is not supported.
        #[serde(
            rename = "languageNotSupportedByAttributeError",
            skip_serializing_if = "Option::is_none"
        )]
        #[schema(nullable = false)]
        language_not_supported_by_attribute_error: Option<LanguageNotSupported>,
    },
    /// Fields to change.
    #[serde(rename = "type.googleapis.com/google.rpc.BadRequest")]
    BadRequest {
        /// One per field.
        #[serde(rename = "fieldViolations")]
        field_violations: Vec<FieldViolation>,
    },
    /// The cause, for programs.
    #[serde(rename = "type.googleapis.com/google.rpc.ErrorInfo")]
    ErrorInfo {
        /// `API_KEY_INVALID` or `RATE_LIMIT_EXCEEDED`.
        reason: &'static str,
        /// Where the reason is defined.
        domain: &'static str,
        /// The limit, where there is one.
        #[schema(value_type = BTreeMap<String, String>)]
        metadata: BTreeMap<&'static str, String>,
    },
    /// When to try again.
    #[serde(rename = "type.googleapis.com/google.rpc.RetryInfo")]
    RetryInfo {
        /// Seconds with the letter `s`.
        #[serde(rename = "retryDelay")]
        #[schema(example = "1s")]
        retry_delay: String,
    },
}

/// Perspective's kinds of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PerspectiveErrorType)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorType {
    /// The comment is longer than the limit.
    CommentTooLong,
    /// The comment holds nothing that can be scored.
    CommentEmpty,
    /// No attribute is asked for.
    NoRequestedAttributes,
    /// The model does not judge the language.
    LanguageNotSupportedByAttribute,
    /// The request names no language, and none was detected.
    LanguageDetectionFailed,
    /// Anything else.
    InvalidRequest,
}

/// Which language is not supported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LanguageNotSupported {
    /// The languages detected, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub detected_languages: Vec<String>,

    /// The languages of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub requested_languages: Vec<String>,

    /// An attribute asked for.
    #[schema(example = "TOXICITY")]
    pub attribute: String,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldViolation {
    /// Path of the field; left out for the request itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "comment.text")]
    pub field: Option<String>,

    /// What is wrong with it.
    pub description: String,
}
