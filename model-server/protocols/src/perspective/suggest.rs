//! `comments:suggestscore`: what a score should have been.

use std::ops::Range;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use toxicity_api::Limits;
use utoipa::ToSchema;

use super::comment::{self, Context, TextEntry};
use super::score::{self, ScoreType};
use super::utf16::ByteIndex;
use super::{Error, attribute, language};
use crate::json::{self, JsonObject};
use crate::scored::Labels;

/// Request of `comments:suggestscore`.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuggestCommentScoreRequest {
    /// The text that was scored.
    #[serde(default)]
    #[schema(required = true, value_type = TextEntry)]
    comment: JsonObject<TextEntry>,

    /// What the comment refers to.
    #[schema(value_type = Option<Context>)]
    context: Option<JsonObject<Context>>,

    /// The scores that the comment should have, by attribute.
    #[serde(default)]
    #[schema(
        required = true,
        value_type = std::collections::BTreeMap<String, SuggestedScores>,
        example = json!({"TOXICITY": {"summaryScore": {"value": 0}}})
    )]
    attribute_scores: IndexMap<String, JsonObject<SuggestedScores>>,

    /// Languages of the comment, as ISO 639-1 or BCP-47 codes.
    #[schema(example = json!(["en"]))]
    languages: Option<Vec<String>>,

    /// The community that the comment was made in.
    community_id: Option<String>,

    /// Comes back in the answer.
    client_token: Option<String>,

    /// Joins the requests of one session.
    session_id: Option<String>,
}

/// The scores that a comment should have for one attribute: of the whole, of parts, or both.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuggestedScores {
    /// Score of the comment as a whole.
    #[schema(value_type = Option<SuggestedScore>)]
    summary_score: Option<JsonObject<SuggestedScore>>,

    /// Scores of parts of the comment.
    #[schema(value_type = Option<Vec<SuggestedSpanScore>>, example = json!(null))]
    span_scores: Option<Vec<JsonObject<SuggestedSpanScore>>>,
}

/// The score that a part of a comment should have, in UTF-16 code units.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestedSpanScore {
    /// First position.
    #[schema(example = 0)]
    begin: usize,

    /// Position after the last one.
    #[schema(example = 31)]
    end: usize,

    /// The score.
    #[schema(value_type = SuggestedScore)]
    score: JsonObject<SuggestedScore>,
}

/// A score that something should have.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestedScore {
    /// The value; 0 when left out, as Protocol Buffers write it.
    #[schema(minimum = 0, maximum = 1, example = 1.0)]
    value: Option<f32>,

    /// The kind of score, which can only be `PROBABILITY`.
    #[serde(rename = "type")]
    #[schema(example = "PROBABILITY")]
    score_type: Option<ScoreType>,
}

/// Answer of `comments:suggestscore`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuggestCommentScoreResponse {
    /// The token of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_token: Option<String>,

    /// The languages detected, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["en"]))]
    pub detected_languages: Vec<String>,

    /// The languages requested.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["en"]))]
    pub requested_languages: Vec<String>,
}

/// A request to note better scores.
#[derive(Debug, Clone, PartialEq)]
pub struct SuggestScoreRequest {
    /// The comment.
    pub text: String,
    /// What it refers to.
    pub context: Option<Context>,
    /// The scores it should have; at least one.
    pub suggestions: Vec<Suggestion>,
    /// The languages that the client gives it.
    pub languages: Vec<String>,
    /// The community that the comment was made in.
    pub community_id: Option<String>,
    /// Comes back in the answer.
    pub client_token: Option<String>,
    /// Joins the requests of one session.
    pub session_id: Option<String>,
}

/// The scores that a comment should have for one attribute; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The attribute, as the request names it.
    pub attribute: String,
    /// Index of the model's label that scores it.
    pub label: usize,
    /// Score of the whole comment, 0 to 1.
    pub whole: Option<f32>,
    /// Scores of parts.
    pub spans: Vec<SpanSuggestion>,
}

/// The score that a part of a comment should have.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanSuggestion {
    /// The part, in bytes of the comment; not empty.
    pub range: Range<usize>,
    /// Its score, 0 to 1.
    pub score: f32,
}

impl SuggestScoreRequest {
    /// Reads the body of a request to a model of these labels.
    ///
    /// Unlike in `analyze`, a language that the model does not judge is no error.
    ///
    /// # Errors
    /// When it is not the JSON of a [`SuggestCommentScoreRequest`], or a field breaks a rule of Perspective or a limit.
    pub fn read(body: &[u8], limits: &Limits, labels: &Labels<'_>) -> Result<Self, Error> {
        let request: SuggestCommentScoreRequest = json::read(body)?;
        let context = request.context.map(|JsonObject(context)| context);
        let text = comment::checked(request.comment.0, context.as_ref(), limits)?;
        if request.attribute_scores.is_empty() {
            return Err(invalid(
                "attributeScores".to_owned(),
                "attribute_scores must not be empty",
            ));
        }
        let index = ByteIndex::new(&text);
        let suggestions =
            request.attribute_scores.into_iter().map(
                |(attribute, JsonObject(scores))| match attribute::label(&attribute, labels) {
                    Some(label) => Suggestion::checked(attribute, label, scores, &index),
                    None => Err(Error::unknown_attribute(attribute, labels)),
                },
            );
        Ok(Self {
            suggestions: suggestions.collect::<Result<_, _>>()?,
            text,
            context,
            languages: language::checked(request.languages)?,
            community_id: request.community_id,
            client_token: request.client_token,
            session_id: request.session_id,
        })
    }

    /// The answer; `detected` are the languages detected in the comment, the likeliest first.
    #[must_use]
    pub fn answer(&self, detected: &[String]) -> SuggestCommentScoreResponse {
        SuggestCommentScoreResponse {
            client_token: self.client_token.clone(),
            detected_languages: detected.to_vec(),
            requested_languages: self.languages.clone(),
        }
    }
}

impl Suggestion {
    fn checked(
        attribute: String,
        label: usize,
        scores: SuggestedScores,
        index: &ByteIndex,
    ) -> Result<Self, Error> {
        let field = format!("attributeScores.{attribute}");
        let spans = scores.span_scores.unwrap_or_default();
        if spans.is_empty() && scores.summary_score.is_none() {
            return Err(invalid(field, "needs a summary_score or span_scores"));
        }
        let value = |JsonObject(score): JsonObject<SuggestedScore>, field: String| {
            score::check_type(score.score_type, &attribute)?;
            let value = score.value.unwrap_or_default();
            if (0.0..=1.0).contains(&value) {
                Ok(value)
            } else {
                Err(invalid(field, "a probability must be from 0 to 1"))
            }
        };
        let whole = scores
            .summary_score
            .map(|score| value(score, format!("{field}.summaryScore.value")));
        let spans = spans.into_iter().enumerate().map(|(number, JsonObject(span))| {
            let field = format!("{field}.spanScores[{number}]");
            let range = index.byte(span.begin).zip(index.byte(span.end));
            let Some((begin, end)) = range.filter(|(begin, end)| begin < end) else {
                return Err(invalid(
                    field,
                    "begin and end must hold a part of the comment, in UTF-16 code units",
                ));
            };
            Ok(SpanSuggestion {
                range: begin..end,
                score: value(span.score, format!("{field}.score.value"))?,
            })
        });
        Ok(Self {
            whole: whole.transpose()?,
            spans: spans.collect::<Result<_, _>>()?,
            label,
            attribute,
        })
    }
}

fn invalid(field: String, problem: &'static str) -> Error {
    Error::InvalidSuggestion { field, problem }
}
