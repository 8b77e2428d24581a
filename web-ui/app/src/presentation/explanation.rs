//! A failed call in words: what happened and what helps.

use crate::{error::ClientError, state::Retry};

/// What happened, as a sentence.
#[must_use]
pub fn explain(error: &ClientError) -> String {
    match error {
        ClientError::SendOffline => "You are offline.".to_owned(),
        ClientError::ReachServer { .. } => "The server does not answer.".to_owned(),
        ClientError::ReachModelServer { status: 504, .. } => {
            "The model server takes too long to answer.".to_owned()
        }
        ClientError::ReachModelServer { .. } => "The model server does not answer.".to_owned(),
        ClientError::GetPlace { .. } => "The model server is busy.".to_owned(),
        ClientError::PassCheck { detail } => as_sentence(&detail.message),
        ClientError::GetVerdict { status } => {
            format!("The model server failed with status {status}. Try again; if it stays so, its log says why.")
        }
        ClientError::ReadAnswer { .. } => {
            "The answer is not one that this page understands. Reload the page; it may be older than the server."
                .to_owned()
        }
    }
}

/// What happens next by itself.
#[must_use]
pub fn retry_note(retry: Retry) -> Option<String> {
    match retry {
        Retry::Never => None,
        Retry::In(seconds) => Some(format!("Retrying in {seconds} s.")),
        Retry::WhenOnline => Some("The text is sent as soon as the connection is back.".to_owned()),
    }
}

/// Messages of servers begin in lower case and end without a stop.
fn as_sentence(message: &str) -> String {
    let message = message.trim();
    let mut characters = message.chars();
    let mut sentence: String = characters
        .next()
        .map(char::to_uppercase)
        .into_iter()
        .flatten()
        .chain(characters)
        .collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use toxicity_api::{ErrorCode, ErrorDetail};

    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_server() {
        let detail = ErrorDetail {
            code: ErrorCode::TextTooLong,
            message: "the text has 31,000 characters; the limit is 20,000".to_owned(),
            field: None,
            limit: Some(20_000),
        };
        assert_eq!(
            explain(&ClientError::PassCheck { detail }),
            "The text has 31,000 characters; the limit is 20,000."
        );
    }

    #[test]
    fn a_wait_is_told() {
        let error = ClientError::ReachModelServer {
            status: 502,
            retry_after: None,
        };
        assert_eq!(explain(&error), "The model server does not answer.");
        assert_eq!(retry_note(Retry::In(3)).as_deref(), Some("Retrying in 3 s."));
        assert_eq!(retry_note(Retry::Never), None);
    }
}
