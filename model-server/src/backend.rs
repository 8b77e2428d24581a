//! What runs a forward pass.

mod onnx;
mod provider;
mod weights;

pub use onnx::{LoadOnnxError, OnnxBackend, OnnxModel, OnnxRuntime, SessionOptions};
pub use provider::Provider;

/// One copy of the model that runs one batch at a time, on the thread that owns it.
pub trait Backend: Send {
    /// Logits, one per label, of each sequence of token ids, special tokens included. Sequences of different lengths
    /// are padded.
    ///
    /// # Errors
    /// When the pass fails or its output is unusable.
    fn logits(&mut self, batch: &[&[u32]]) -> Result<Vec<Vec<f32>>, BackendError>;
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
