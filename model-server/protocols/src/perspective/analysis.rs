//! The texts that an analysis scores, and the answer from their scores.

use std::ops::Range;

use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::score::{AttributeScores, Score, ScoreType, SpanScore};
use super::{AnalyzeRequest, utf16};
use crate::scored::ScoredText;

/// A request that the model can answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis<'a> {
    pub(super) request: &'a AnalyzeRequest,
    /// None when the language is not supported and the client would rather have no score.
    pub(super) attributes: &'a [ScoredAttribute],
    /// Byte ranges of the parts of the comment that the answer scores, in order; at least one.
    pub(super) parts: Vec<Range<usize>>,
    pub(super) languages: Vec<String>,
    pub(super) detected_languages: Vec<String>,
}

/// An attribute of a request, and where its score comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScoredAttribute {
    pub(super) name: String,
    pub(super) label: usize,
    pub(super) threshold: Option<f32>,
}

/// Answer of `comments:analyze`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalyzeCommentResponse {
    /// The scores of each attribute, by the name under which it was requested.
    #[schema(value_type = std::collections::BTreeMap<String, AttributeScores>)]
    pub attribute_scores: IndexMap<String, AttributeScores>,

    /// The languages requested; the one detected where none was.
    #[schema(example = json!(["en"]))]
    pub languages: Vec<String>,

    /// The languages detected, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["en"]))]
    pub detected_languages: Vec<String>,

    /// The token of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_token: Option<String>,
}

impl<'a> Analysis<'a> {
    /// The texts to score: the comment, then its sentences where several were asked for. None when all attributes
    /// were dropped.
    #[must_use]
    pub fn texts(&self) -> Vec<&'a str> {
        if self.attributes.is_empty() {
            return Vec::new();
        }
        let comment = self.request.text.as_str();
        let mut texts = vec![comment];
        if self.parts.len() > 1 {
            texts.extend(self.parts.iter().map(|part| &comment[part.clone()]));
        }
        texts
    }

    /// The answer, from the scores of [`Self::texts`] in their order.
    ///
    /// Every attribute that was asked for has its key. A score below the threshold asked for is left out, be it of
    /// the whole or of a part. Without `spanAnnotations` the whole comment is the one part, as Perspective answers
    /// it: there are clients that read only the first part.
    #[must_use]
    pub fn answer(&self, scored: &[ScoredText]) -> AnalyzeCommentResponse {
        let positions = utf16::positions(&self.request.text, &self.parts);
        let attribute_scores = self.attributes.iter().filter_map(|attribute| {
            let (whole, sentences) = scored.split_first()?;
            let parts = if sentences.is_empty() { scored } else { sentences };
            let spans = positions.iter().zip(parts).filter_map(|(position, part)| {
                Some(SpanScore {
                    begin: position.start,
                    end: position.end,
                    score: attribute.score(part)?,
                })
            });
            let span_scores = spans.collect();
            let summary_score = attribute.score(whole);
            Some((
                attribute.name.clone(),
                AttributeScores {
                    span_scores,
                    summary_score,
                },
            ))
        });
        AnalyzeCommentResponse {
            attribute_scores: attribute_scores.collect(),
            languages: self.languages.clone(),
            detected_languages: self.detected_languages.clone(),
            client_token: self.request.client_token.clone(),
        }
    }
}

impl ScoredAttribute {
    /// The score, unless it is below the threshold.
    fn score(&self, text: &ScoredText) -> Option<Score> {
        let value = *text.scores.get(self.label)?;
        let is_wanted = self.threshold.is_none_or(|threshold| value >= threshold);
        is_wanted.then_some(Score {
            value,
            score_type: ScoreType::Probability,
        })
    }
}
