//! Reads bodies within the limits.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use toxicity_protocols::failure::Failure;

/// Longest pause between two pieces of a body.
const BODY_PAUSE: Duration = Duration::from_secs(10);

/// Bytes over the limit that are still read and thrown away.
const DISCARDED_BYTES: usize = 8 * 1024 * 1024;

/// The head and the body of a request that says it is JSON.
pub(super) async fn read_json(request: Request, limit: usize) -> Result<(Parts, Bytes), Failure> {
    let (parts, body) = read_body(request, limit).await?;
    if is_json(&parts.headers) {
        Ok((parts, body))
    } else {
        Err(Failure::UnsupportedMediaType {
            expected: "application/json",
        })
    }
}

/// The head and the body of a request, if it comes within the limit and without long pauses. It is read before anything
/// is refused: a server that answers and closes while the client sends makes the client see a broken connection.
pub(super) async fn read_body(request: Request, limit: usize) -> Result<(Parts, Bytes), Failure> {
    let (parts, mut body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH);
    let announced: Option<usize> = announced
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok());
    let waits_for_consent = parts.headers.contains_key(header::EXPECT);
    let too_large = Failure::BodyTooLarge { limit };
    if announced.is_some_and(|length| {
        length > limit.saturating_add(DISCARDED_BYTES) || (length > limit && waits_for_consent)
    }) {
        return Err(too_large);
    }
    let mut read = 0;
    let mut content = Vec::with_capacity(announced.unwrap_or(1024).min(limit));
    loop {
        let frame = tokio::time::timeout(BODY_PAUSE, body.frame())
            .await
            .map_err(|_| Failure::SlowBody {
                seconds: BODY_PAUSE.as_secs(),
            })?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| Failure::IncompleteBody)?.into_data() else {
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
        Ok((parts, content.into()))
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
