//! Why a call brought no answer, sorted by what helps against it.

use toxicity_api::ErrorDetail;

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The browser has no network.
    #[error("failed to send: the browser is offline")]
    SendOffline,

    /// The web server itself does not answer.
    #[error("failed to reach the server: {reason}")]
    ReachServer {
        /// What the browser said.
        reason: String,
    },

    /// The model server is down, starting or too slow.
    #[error("failed to reach the model server: status {status}")]
    ReachModelServer {
        /// Status of the answer: 502, 503 or 504.
        status: u16,
        /// Seconds after which the server wants to be asked again.
        retry_after: Option<u32>,
    },

    /// All places are taken.
    #[error("failed to get a place: the server is busy")]
    GetPlace {
        /// Seconds after which the server wants to be asked again.
        retry_after: Option<u32>,
    },

    /// The server understood the call and refuses it; sending it again would not help.
    #[error("failed to get a verdict: {}", detail.message)]
    PassCheck {
        /// What the server said.
        detail: ErrorDetail,
    },

    /// The server failed, or refused without saying why.
    #[error("failed to get a verdict: status {status}")]
    GetVerdict {
        /// Status of the answer.
        status: u16,
    },

    /// The answer is not what this version of the app expects.
    #[error("failed to read the answer: {reason}")]
    ReadAnswer {
        /// What does not fit.
        reason: String,
    },
}

impl ClientError {
    /// The error that an answer of failure stands for.
    #[must_use]
    pub fn from_answer(status: u16, retry_after: Option<u32>, detail: Option<ErrorDetail>) -> Self {
        match (status, detail) {
            (502..=504, _) => Self::ReachModelServer { status, retry_after },
            (429, _) => Self::GetPlace { retry_after },
            (400..=499, Some(detail)) => Self::PassCheck { detail },
            _ => Self::GetVerdict { status },
        }
    }
}

#[cfg(test)]
mod tests {
    use toxicity_api::ErrorCode;

    use super::*;

    #[test]
    fn answers_are_sorted_by_what_helps() {
        let detail = ErrorDetail {
            code: ErrorCode::EmptyText,
            message: "the text is empty".to_owned(),
            field: None,
            limit: None,
        };
        let of =
            |status, detail: Option<&ErrorDetail>| ClientError::from_answer(status, Some(7), detail.cloned());
        assert_eq!(
            of(503, Some(&detail)),
            ClientError::ReachModelServer {
                status: 503,
                retry_after: Some(7)
            }
        );
        assert_eq!(
            of(429, Some(&detail)),
            ClientError::GetPlace { retry_after: Some(7) }
        );
        assert_eq!(
            of(422, Some(&detail)),
            ClientError::PassCheck {
                detail: detail.clone()
            }
        );
        assert_eq!(of(404, None), ClientError::GetVerdict { status: 404 });
        assert_eq!(of(500, Some(&detail)), ClientError::GetVerdict { status: 500 });
    }
}
