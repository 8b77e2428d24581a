//! Who scores: a server or the model in this process.

use std::fmt;
use std::future::Future;

use toxicity_api::ModelIdentity;

use crate::row::Outcome;

/// Scores texts, few at a time.
pub trait Scorer: Send + Sync + 'static {
    /// Why no text can be scored any more.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The model that scores.
    fn model(&self) -> &ModelIdentity;

    /// The labels that verdicts have a score for, in their order.
    fn labels(&self) -> &[String];

    /// How much goes into one call, and how many calls keep it busy.
    fn capacity(&self) -> Capacity;

    /// One outcome per text, in their order.
    fn score(&self, texts: &[&str]) -> impl Future<Output = Result<Vec<Outcome>, Self::Error>> + Send;

    /// What a person should know of the verdicts so far.
    fn remark(&self) -> Option<String> {
        None
    }
}

/// What to find out about every text.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The labels that count; none means all.
    pub labels: Vec<String>,
    /// Thresholds by label in place of the model's.
    pub thresholds: Vec<(String, f32)>,
    /// Whether to say which words carry the verdict.
    pub spans: bool,
    /// Whether to undo what hides words.
    pub normalize: bool,
}

/// How much a scorer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Texts of one call.
    pub texts: usize,
    /// Bytes of all texts of one call as JSON, unless one text alone has more.
    pub bytes: usize,
    /// Bytes of one text as JSON.
    pub text_bytes: usize,
    /// Characters (Unicode scalar values) of one text.
    pub text_characters: usize,
    /// Calls at the same time.
    pub calls: usize,
}

/// A model, as people name it.
pub(crate) struct Named<'a>(pub(crate) &'a ModelIdentity);

impl fmt::Display for Named<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.0.name, self.0.revision)
    }
}
