//! What the headers of an answer say of the work behind it.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The work behind an answer. Of a batch, the stages are means over its texts, as in text-embeddings-inference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// What scored, for example `cpu`.
    pub compute_type: &'static str,
    /// Characters of all texts.
    pub characters: usize,
    /// Tokens of all texts.
    pub tokens: usize,
    /// From the request to the answer.
    pub total: Duration,
    /// Making tokens of a text.
    pub tokenization: Duration,
    /// Waiting for a session.
    pub queue: Duration,
    /// Forward passes.
    pub inference: Duration,
}

impl Timings {
    /// The headers; durations in whole milliseconds.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let total = milliseconds(self.total);
        let numbers = [
            ("x-compute-time", total),
            ("x-compute-characters", self.characters as u64),
            ("x-compute-tokens", self.tokens as u64),
            ("x-total-time", total),
            ("x-tokenization-time", milliseconds(self.tokenization)),
            ("x-queue-time", milliseconds(self.queue)),
            ("x-inference-time", milliseconds(self.inference)),
        ];
        let numbers = numbers.map(|(name, number)| (name, HeaderValue::from(number)));
        std::iter::once(("x-compute-type", HeaderValue::from_static(self.compute_type)))
            .chain(numbers)
            .map(|(name, value)| (HeaderName::from_static(name), value))
            .collect()
    }
}
