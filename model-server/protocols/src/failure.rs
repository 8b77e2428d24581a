//! Why a request was not answered, before a protocol gives it its own shape.

/// A refusal or a failure that any protocol must be able to tell its client. What is wrong with a field of a protocol's
/// own is an error of that protocol.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The body broke off.
    #[error("the body ended before it was complete")]
    IncompleteBody,
    /// The body is not JSON or not UTF-8.
    #[error("the body is not valid JSON: {0}")]
    MalformedBody(String),
    /// The body did not come in time.
    #[error("the body did not arrive within {seconds} s")]
    SlowBody {
        /// Longest pause, in seconds.
        seconds: u64,
    },
    /// The body is too large.
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge {
        /// Bytes.
        limit: usize,
    },
    /// The content type is not the protocol's.
    #[error("the content type must be {expected}")]
    UnsupportedMediaType {
        /// What it must be.
        expected: &'static str,
    },
    /// A header that every protocol shares is wrong.
    #[error("the header `{name}` {problem}")]
    InvalidHeader {
        /// The header.
        name: &'static str,
        /// What is wrong with it, and what it may be.
        problem: String,
    },
    /// A text holds nothing that can be scored. `index` counts the texts of the request.
    #[error("the text at index {index} holds nothing that can be scored")]
    EmptyText {
        /// Which text.
        index: usize,
    },
    /// A text has too many characters.
    #[error("the text at index {index} has {length} characters; the limit is {limit}")]
    TextTooLong {
        /// Which text.
        index: usize,
        /// Characters it has.
        length: usize,
        /// Characters it may have.
        limit: usize,
    },
    /// Too many texts.
    #[error("the request holds {count} texts; the limit is {limit} per call")]
    TooManyTexts {
        /// Texts it holds.
        count: usize,
        /// Texts it may hold.
        limit: usize,
    },
    /// No key where one is needed.
    #[error("this server wants an API key; send it in the header \"authorization: Bearer KEY\"")]
    MissingKey,
    /// A key that is not known.
    #[error("{0}")]
    Unauthenticated(String),
    /// The key may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The key's rate limit is used up.
    #[error(
        "the rate limit of this key is {limit} requests per second; try again in {retry_after_seconds} s"
    )]
    RateLimited {
        /// Requests per second.
        limit: u32,
        /// When to try again.
        retry_after_seconds: u64,
    },
    /// The server has no room.
    #[error("the server is at its limit of {limit} requests at once; try again in {retry_after_seconds} s")]
    NoPlace {
        /// Requests at once.
        limit: usize,
        /// When there will be room.
        retry_after_seconds: u64,
    },
    /// The work that waits takes longer than the request has.
    #[error("the server has more work than it can do in time; try again in {retry_after_seconds} s")]
    Overloaded {
        /// When there will be room.
        retry_after_seconds: u64,
    },
    /// The time limit passed.
    #[error("the request was not finished within the limit of {seconds} s")]
    DeadlineExceeded {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// Not now: loading, stopping, or the model fails.
    #[error("{0}")]
    Unavailable(String),
}

impl Failure {
    /// When to try again, in seconds; nothing where trying again would change nothing.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::RateLimited {
                retry_after_seconds, ..
            }
            | Self::NoPlace {
                retry_after_seconds, ..
            }
            | Self::Overloaded { retry_after_seconds } => Some((*retry_after_seconds).max(1)),
            Self::DeadlineExceeded { .. } | Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }
}
