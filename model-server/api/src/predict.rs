//! `POST /predict` and `POST /analyzer`: one text in, its scores out.

use serde::{Deserialize, Serialize};

use crate::Scores;

/// Request of `POST /predict` and `POST /analyzer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PredictRequest {
    /// The text to score.
    #[cfg_attr(feature = "openapi", schema(example = "Thanks for sharing the sources."))]
    pub input: String,
}

/// Answer of `POST /predict` and `POST /analyzer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PredictResponse {
    /// `ok`.
    #[cfg_attr(feature = "openapi", schema(example = "ok"))]
    pub message: String,

    /// Score per label, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, f32>))]
    pub content: Scores,
}
