//! The one error shape of the native protocol.

use serde::{Deserialize, Serialize};

/// Body of every answer with a status of 400 or above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, for programs (`code`, `field`, `limit`) and for people (`message`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    /// Stable name of the kind of error.
    pub code: ErrorCode,

    /// One sentence that says what is wrong and, where it helps, what to do.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "`texts[3]` has 31,000 characters; the limit is 20,000")
    )]
    pub message: String,

    /// Path of the offending field in the request, for example `texts[3]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "texts[3]"))]
    pub field: Option<String>,

    /// The limit that was passed, in the unit the message names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 20_000))]
    pub limit: Option<usize>,
}

/// Kinds of error. The set only grows; clients treat an unknown one by its HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The body is not JSON or not UTF-8 (400).
    MalformedJson,
    /// The connection ended or the body stalled before it was complete (400 or 408).
    IncompleteBody,
    /// The body is larger than the server reads (413).
    BodyTooLarge,
    /// The content type is not JSON (415).
    UnsupportedMediaType,
    /// A field is missing, unknown, of a wrong type or contradicts another (422).
    InvalidField,
    /// A text holds nothing that can be scored (422).
    EmptyText,
    /// A text has too many characters (422).
    TextTooLong,
    /// A call holds too many texts (422).
    TooManyTexts,
    /// The model has no such label (422).
    UnknownLabel,
    /// No such route (404).
    NotFound,
    /// The server keeps no records (404).
    RecordsOff,
    /// The route exists, but not for this method (405).
    MethodNotAllowed,
    /// The request carries no API key, or one that is not known (401).
    Unauthenticated,
    /// The API key may not do this (403).
    Forbidden,
    /// The server or the API key is at its limit; try again after the seconds in `Retry-After` (429).
    Overloaded,
    /// The answer did not come within the server's time limit (503).
    DeadlineExceeded,
    /// A model did not load when it was asked for anew; the one before goes on (409).
    ReloadFailed,
    /// The server is starting, stopping or its model does not answer (503).
    Unavailable,
    /// The web server got no answer from the model server (502 or 504).
    UpstreamUnavailable,
    /// A kind that this version of the client does not know.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_a_newer_server_is_read_as_unknown() {
        let read = |code: &str| {
            let body = format!(r#"{{"error": {{"code": "{code}", "message": "no"}}}}"#);
            serde_json::from_str::<ErrorBody>(&body).map(|body| body.error.code)
        };
        assert_eq!(read("text_too_long").unwrap(), ErrorCode::TextTooLong);
        assert_eq!(read("invented_later").unwrap(), ErrorCode::Unknown);
    }
}
