//! Scores as an answer holds them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Error;

/// Kinds of score. Perspective gave no other than `PROBABILITY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ScoreType {
    /// The same as `PROBABILITY`.
    ScoreTypeUnspecified,
    /// From 0 to 1: how sure the model is that the attribute holds.
    Probability,
    /// In standard deviations.
    StdDevScore,
    /// From 0 to 1: the share of a set of texts that score lower.
    Percentile,
    /// As the model gives it.
    Raw,
}

impl ScoreType {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ScoreTypeUnspecified => "SCORE_TYPE_UNSPECIFIED",
            Self::Probability => "PROBABILITY",
            Self::StdDevScore => "STD_DEV_SCORE",
            Self::Percentile => "PERCENTILE",
            Self::Raw => "RAW",
        }
    }
}

/// Refuses kinds of score that no attribute has.
pub(super) fn check_type(score_type: Option<ScoreType>, attribute: &str) -> Result<(), Error> {
    match score_type {
        None | Some(ScoreType::ScoreTypeUnspecified | ScoreType::Probability) => Ok(()),
        Some(score_type) => Err(Error::ScoreTypeNotSupported {
            score_type,
            attribute: attribute.to_owned(),
        }),
    }
}

/// Scores of one attribute, without those below the threshold asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttributeScores {
    /// Scores of parts of the comment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub span_scores: Vec<SpanScore>,

    /// Score of the comment as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub summary_score: Option<Score>,
}

/// Score of a part of the comment, in UTF-16 code units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct SpanScore {
    /// First position.
    #[schema(example = 0)]
    pub begin: usize,

    /// Position after the last one.
    #[schema(example = 31)]
    pub end: usize,

    /// The score.
    pub score: Score,
}

/// A score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Score {
    /// The value.
    #[schema(minimum = 0, maximum = 1, example = 0.862_796_1)]
    pub value: f32,

    /// The kind of score.
    #[serde(rename = "type")]
    #[schema(example = "PROBABILITY")]
    pub score_type: ScoreType,
}
