//! `GET /info`: what is loaded and within which limits.

use serde::{Deserialize, Serialize};

use crate::{ModelIdentity, Scores};

/// Answer of `GET /info`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Info {
    /// Version of the server.
    #[cfg_attr(feature = "openapi", schema(example = "0.1.0"))]
    pub version: String,

    /// The loaded model.
    pub model: ModelInfo,

    /// What runs it.
    pub runtime: RuntimeInfo,

    /// What one call may ask for.
    pub limits: Limits,
}

/// The loaded model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelInfo {
    /// Name and revision.
    #[serde(flatten)]
    pub identity: ModelIdentity,

    /// Labels in the order of the model's outputs.
    #[cfg_attr(feature = "openapi", schema(example = json!(["toxic", "threat", "insult"])))]
    pub labels: Vec<String>,

    /// Threshold per label.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, f32>))]
    pub thresholds: Scores,

    /// Languages that the model judges, as ISO 639-1 codes; `*` stands for any.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = json!(["en"])))]
    pub languages: Vec<String>,

    /// `sigmoid` (labels are independent) or `softmax` (exactly one label holds).
    #[cfg_attr(feature = "openapi", schema(example = "sigmoid"))]
    pub activation: String,

    /// Tokens that one forward pass sees, special tokens included.
    #[cfg_attr(feature = "openapi", schema(example = 192))]
    pub window_tokens: usize,

    /// How the words that carry a verdict are found: `token-logits` (the model says of each token how toxic it is, in
    /// the pass that scores the text) or `leave-one-out` (a search, in passes of its own). Absent where the weights are
    /// not loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "leave-one-out"))]
    pub spans: Option<String>,
}

/// What runs the model, and how busy it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuntimeInfo {
    /// Build information of the ONNX Runtime library.
    pub onnxruntime: String,

    /// Sessions that score at the same time, each on a thread of its own.
    #[cfg_attr(feature = "openapi", schema(example = 2))]
    pub sessions: usize,

    /// Forward passes that wait at this moment.
    #[cfg_attr(feature = "openapi", schema(example = 0))]
    pub queue_depth: usize,

    /// Texts whose scores are kept for when they come again.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = 0))]
    pub cached_texts: usize,
}

/// What one call may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Bytes of a request body.
    #[cfg_attr(feature = "openapi", schema(example = 1_048_576))]
    pub body_bytes: usize,

    /// Texts in one call.
    #[cfg_attr(feature = "openapi", schema(example = 1_000))]
    pub texts: usize,

    /// Characters (Unicode scalar values) in one text.
    #[cfg_attr(feature = "openapi", schema(example = 20_000))]
    pub characters: usize,

    /// Calls that are scored or wait at the same time.
    #[cfg_attr(feature = "openapi", schema(example = 256))]
    pub concurrent_requests: usize,
}
