//! Reads a JSON body within the limits, with errors that name the field.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::{ApiError, AppState};

/// Longest pause between two pieces of a body.
const BODY_PAUSE: Duration = Duration::from_secs(10);

/// Bytes over the limit that are still read and thrown away. A server that answers and closes while the client
/// sends makes the client see a broken connection in place of the answer.
const DISCARDED_BYTES: usize = 8 * 1024 * 1024;

/// A request body of JSON.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Self::Rejection> {
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let bytes = read_body(request, state.0.limits.body_bytes).await?;
        parse(&bytes).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

async fn read_body(request: Request, limit: usize) -> Result<Bytes, ApiError> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced: Option<usize> = announced
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok());
    let waits_for_consent = request.headers().contains_key(header::EXPECT);
    let too_large = ApiError::BodyTooLarge { limit };
    if announced.is_some_and(|length| {
        length > limit.saturating_add(DISCARDED_BYTES) || (length > limit && waits_for_consent)
    }) {
        return Err(too_large);
    }
    let mut body: Body = request.into_body();
    let mut read = 0;
    let mut content = Vec::with_capacity(announced.unwrap_or(1024).min(limit));
    loop {
        let frame = tokio::time::timeout(BODY_PAUSE, body.frame())
            .await
            .map_err(|_| ApiError::SlowBody(BODY_PAUSE.as_secs()))?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| ApiError::IncompleteBody)?.into_data() else {
            continue;
        };
        read += data.len();
        if read <= limit {
            content.extend_from_slice(&data);
        } else if read > limit.saturating_add(DISCARDED_BYTES) {
            return Err(too_large);
        }
    }
    if read > limit {
        Err(too_large)
    } else {
        Ok(content.into())
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // Checked first because serde would say it of the place in the middle of a string where it noticed.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ApiError::MalformedJson(format!("byte {} is not UTF-8", error.valid_up_to())))?;
    let first = text.trim_start_matches([' ', '\t', '\r', '\n']).chars().next();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    if matches!(first, Some('[' | '"' | 't' | 'f' | 'n' | '-' | '0'..='9'))
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    {
        // serde's derive would take an array for the fields in their order.
        return Err(ApiError::InvalidField {
            field: String::new(),
            message: "the body must be a JSON object".to_owned(),
        });
    }
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() {
            invalid_field(&path, &cause)
        } else {
            malformed(&cause)
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(parsed)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let problem = error.to_string();
    // serde's name for a `\u` escape of one half of a character whose other half does not follow.
    if problem.contains("hex escape") || problem.contains("surrogate") {
        let place = problem.split_once(" at ").map_or("", |(_, place)| place);
        return ApiError::MalformedJson(format!("a \\u escape is no whole character, at {place}"));
    }
    ApiError::MalformedJson(problem)
}

fn invalid_field(path: &str, error: &serde_json::Error) -> ApiError {
    let full = error.to_string();
    let problem = full
        .rsplit_once(" at line ")
        .map_or(full.as_str(), |(problem, _)| problem);
    let field = if path == "." { "" } else { path };
    let message = if field.is_empty() || problem.starts_with("unknown field") {
        problem.to_owned()
    } else {
        format!("`{field}`: {problem}")
    };
    ApiError::InvalidField {
        field: field.to_owned(),
        message,
    }
}
