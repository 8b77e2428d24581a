//! What runs a forward pass.

mod onnx;
mod provider;
mod weights;

pub use onnx::{LoadOnnxError, OnnxBackend, OnnxModel, OnnxRuntime, SessionOptions};
pub use provider::Provider;

/// One copy of the model that runs one batch at a time, on the thread that owns it.
pub trait Backend: Send {
    /// Logits of each sequence of token ids, special tokens included. Sequences of different lengths are padded.
    ///
    /// # Errors
    /// When the pass fails or its output is unusable.
    fn logits(&mut self, batch: &[&[u32]]) -> Result<Vec<Logits>, BackendError>;

    /// Whether the logits say of each token too how toxic it is.
    fn marks_tokens(&self) -> bool {
        false
    }
}

/// What a pass says of one sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    /// One per label.
    pub labels: Vec<f32>,
    /// One per token, special tokens included, where the model says which tokens are toxic.
    pub tokens: Option<Vec<f32>>,
}

impl From<Vec<f32>> for Logits {
    fn from(labels: Vec<f32>) -> Self {
        Self { labels, tokens: None }
    }
}

/// Why a forward pass gave no logits.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackendError {
    /// The runtime reported an error.
    #[error("failed to run the model: {0}")]
    Run(String),
    /// The output has another shape or type than at load time, or holds NaN or infinity.
    #[error("failed to use the output of the model: {0}")]
    ReadOutput(String),
}
