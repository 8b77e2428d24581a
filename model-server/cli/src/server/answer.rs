//! What an answer of the server means for the texts that were sent.

use std::time::Duration;

use reqwest::StatusCode;
use toxicity_api::{ErrorBody, ErrorCode};

/// Longest time that a server's `Retry-After` is believed.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No connection, or one that broke.
    #[error("failed to reach the server")]
    Reach(#[source] reqwest::Error),
    /// A status of 300 or above.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// An answer that is none of a model server.
    #[error("failed to understand the answer; is this the address of a model server?")]
    Understand(#[source] serde_json::Error),
    /// More than is read.
    #[error("the answer has more than {0} bytes")]
    BoundAnswer(usize),
    /// Verdicts that belong to no text.
    #[error("the server gave {verdicts} verdicts for {texts} texts")]
    CountVerdicts {
        /// Verdicts of the answer.
        verdicts: usize,
        /// Texts of the request.
        texts: usize,
    },
}

/// What a server said when it did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server answered {status}{}{}", said(.message), remedy(*.status))]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the server said for people; empty when it said nothing that a model server says.
    pub message: String,
    /// What the server said for programs.
    pub code: Option<ErrorCode>,
    /// The field of the request that is wrong.
    pub field: Option<String>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// One text of the request, by its index.
    Text(usize),
    /// The size of the request.
    Size,
    /// The request as a whole.
    Request,
}

impl Refusal {
    /// Reads a refusal; bodies of proxies and of other servers are not shown, for they are pages and not messages.
    pub(super) fn read(status: StatusCode, retry_after: Option<&str>, body: &[u8]) -> Self {
        let detail = serde_json::from_slice::<ErrorBody>(body)
            .ok()
            .map(|body| body.error);
        let retry_after = retry_after.and_then(|seconds| seconds.trim().parse().ok());
        Self {
            status,
            code: detail.as_ref().map(|detail| detail.code),
            field: detail.as_ref().and_then(|detail| detail.field.clone()),
            message: detail.map(|detail| detail.message).unwrap_or_default(),
            retry_after: retry_after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT)),
        }
    }

    /// Whether the same request may be answered later.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ) && self.blame() == Blame::Request
    }

    pub(super) fn blame(&self) -> Blame {
        if self.status == StatusCode::PAYLOAD_TOO_LARGE
            || matches!(
                self.code,
                Some(ErrorCode::TooManyTexts | ErrorCode::DeadlineExceeded)
            )
        {
            return Blame::Size;
        }
        let field = self.field.as_deref().unwrap_or_default();
        let index = field
            .strip_prefix("texts[")
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|index| index.parse().ok());
        match index {
            Some(index) if self.status == StatusCode::UNPROCESSABLE_ENTITY => Blame::Text(index),
            _ => Blame::Request,
        }
    }

    /// The message for the person whose one text was refused, who does not see the request.
    pub(super) fn of_one_text(&self) -> String {
        if self.message.is_empty() {
            return self.to_string();
        }
        match &self.field {
            Some(field) => self.message.replace(&format!("`{field}`"), "the text"),
            None => self.message.clone(),
        }
    }
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

fn remedy(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "; give a key that it knows with --key-file or TOXICITY_API_KEY"
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "; is this the address of a model server?",
        _ => "",
    }
}

impl AskError {
    /// Whether the same request may be answered later.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Reach(error) => !error.is_builder() && !error.is_redirect(),
            Self::Refused(refusal) => refusal.is_temporary(),
            Self::Understand(_) | Self::BoundAnswer(_) | Self::CountVerdicts { .. } => false,
        }
    }

    /// When the server asks to be asked again.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::Refused(refusal) => refusal.retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::read(StatusCode::from_u16(status).unwrap(), Some("2"), body.as_bytes())
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for temporary in [429, 502, 503, 504] {
            assert!(refusal(temporary, "<html>").is_temporary(), "{temporary}");
        }
        for lasting in [302, 400, 401, 404, 413, 422, 500] {
            assert!(!refusal(lasting, "").is_temporary(), "{lasting}");
        }
        let slow = r#"{"error": {"code": "deadline_exceeded", "message": "too slow"}}"#;
        assert!(
            !refusal(503, slow).is_temporary(),
            "the same call would be too slow again"
        );
        assert_eq!(refusal(503, slow).blame(), Blame::Size);
    }

    #[test]
    fn a_refusal_says_which_text_is_to_blame() {
        let body = r#"{"error": {"code": "text_too_long", "field": "texts[17]",
                       "message": "`texts[17]` has 31,000 characters; the limit is 20,000", "limit": 20000}}"#;
        let refusal = refusal(422, body);
        assert_eq!(refusal.blame(), Blame::Text(17));
        assert_eq!(
            refusal.of_one_text(),
            "the text has 31,000 characters; the limit is 20,000"
        );
        let labels = r#"{"error": {"code": "unknown_label", "field": "labels[0]", "message": "no"}}"#;
        assert_eq!(super::tests::refusal(422, labels).blame(), Blame::Request);
    }

    #[test]
    fn the_wait_is_read_and_bounded() {
        let wait = |value| Refusal::read(StatusCode::TOO_MANY_REQUESTS, value, b"").retry_after;
        assert_eq!(wait(Some(" 7 ")), Some(Duration::from_secs(7)));
        assert_eq!(wait(Some("99999999999")), Some(LONGEST_WAIT));
        assert_eq!(wait(Some("Fri, 31 Dec 1999 23:59:59 GMT")), None);
        assert_eq!(wait(None), None);
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        assert_eq!(
            refusal(
                401,
                r#"{"error": {"code": "unauthenticated", "message": "no key"}}"#
            )
            .to_string(),
            "the server answered 401 Unauthorized: no key; give a key that it knows with --key-file or \
             TOXICITY_API_KEY"
        );
        assert!(
            refusal(404, "<html>")
                .to_string()
                .contains("address of a model server")
        );
    }
}
