//! What runs a forward pass.

mod onnx;
mod weights;

pub use onnx::{LoadOnnxError, OnnxBackend, OnnxModel, OnnxRuntime};

/// One copy of the model that scores one sequence at a time, on the thread that owns it.
pub trait Backend: Send {
    /// Logits, one per label, of one sequence of token ids, special tokens included.
    ///
    /// # Errors
    /// When the pass fails or its output is unusable.
    fn logits(&mut self, ids: &[u32]) -> Result<Vec<f32>, BackendError>;
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
