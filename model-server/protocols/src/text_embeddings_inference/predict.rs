//! `POST /predict` and `POST /`: texts to score, and the answer sorted by score.

use serde::{Deserialize, Serialize};
use toxicity_api::Limits;
use utoipa::ToSchema;

use super::Error;
use super::inputs::Texts;
use crate::json::{self, JsonObject};
use crate::scored::{Labels, ScoredText};
use crate::text;

/// How the user agent of Hugging Face's client for JavaScript begins.
const JAVASCRIPT_CLIENT: &str = "@huggingface/inference/";

/// A request, read.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictRequest {
    /// The texts to score, within the limits; at least one.
    pub texts: Vec<String>,
    /// How to answer.
    pub form: AnswerForm,
}

/// How a request wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerForm {
    /// Whether the answer is a list of lists.
    nested: bool,
    /// Labels per text.
    top_k: usize,
    /// Absent, the scores are the model's own.
    function: Option<FunctionToApply>,
}

impl PredictRequest {
    /// Reads a request. The Hugging Face clients expect a list in a list even for one text, where clients of
    /// text-embeddings-inference expect a list; they are known by the `parameters` that the one for Python always
    /// sends, and by the `user_agent` of the one for JavaScript.
    ///
    /// # Errors
    /// When the body is not what it should be, or a limit is passed; the message names the field and the limit.
    pub fn read(body: &[u8], user_agent: Option<&str>, limits: &Limits) -> Result<Self, Error> {
        let request: PredictRequestBody = json::read(body)?;
        let is_hugging_face = request.parameters.is_some()
            || user_agent.is_some_and(|agent| agent.starts_with(JAVASCRIPT_CLIENT));
        let parameters = request
            .parameters
            .map_or_else(PredictParameters::default, |object| object.0);
        if parameters.top_k == Some(0) {
            return Err(Error::Field("`parameters.top_k`: must be at least 1".to_owned()));
        }
        text::check_all(&request.inputs.texts, limits)?;
        let raw_scores = request.raw_scores.unwrap_or(false);
        Ok(Self {
            texts: request.inputs.texts,
            form: AnswerForm {
                nested: request.inputs.batch || is_hugging_face,
                top_k: parameters.top_k.unwrap_or(usize::MAX),
                function: parameters
                    .function_to_apply
                    .or(raw_scores.then_some(FunctionToApply::None)),
            },
        })
    }
}

impl AnswerForm {
    /// The answer by the scores of the texts.
    #[must_use]
    pub fn answer(self, labels: &Labels<'_>, scored: &[ScoredText]) -> Predictions {
        let mut lists = scored.iter().map(|text| self.predictions(labels, text));
        match (self.nested, scored) {
            (false, [_]) => Predictions::Single(lists.next().unwrap_or_default()),
            _ => Predictions::Batch(lists.collect()),
        }
    }

    fn predictions(self, labels: &Labels<'_>, text: &ScoredText) -> Vec<Prediction> {
        let scores = match self.function {
            None => text.scores.clone(),
            Some(function) => function.apply(&text.logits),
        };
        let predictions = scores.into_iter().zip(labels.names);
        let mut predictions: Vec<_> = predictions
            .map(|(score, label)| Prediction {
                score,
                label: label.clone(),
            })
            .collect();
        predictions.sort_by(|a, b| b.score.total_cmp(&a.score));
        predictions.truncate(self.top_k);
        predictions
    }
}

/// Request of `POST /predict` and `POST /`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = TextEmbeddingsPredictRequest)]
pub struct PredictRequestBody {
    /// The texts to score.
    inputs: Texts,
    /// Taken, but without effect: a text that is too long for one pass is scored in several, and nothing is cut.
    #[allow(dead_code, reason = "only its type is checked")]
    truncate: Option<bool>,
    /// Taken, but without effect, because nothing is cut.
    #[allow(dead_code, reason = "only its type is checked")]
    truncation_direction: Option<TruncationDirection>,
    /// Whether to give the logits in place of scores.
    #[schema(default = false)]
    raw_scores: Option<bool>,
    /// What the Hugging Face inference clients send beside the text.
    #[schema(value_type = Option<PredictParameters>)]
    parameters: Option<JsonObject<PredictParameters>>,
}

/// Where a text would be cut.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = TextEmbeddingsTruncationDirection)]
enum TruncationDirection {
    #[serde(rename = "right")]
    Right,
    #[serde(rename = "left")]
    Left,
    #[serde(rename = "Right")]
    CapitalRight,
    #[serde(rename = "Left")]
    CapitalLeft,
}

/// Parameters of the Hugging Face inference clients.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = HuggingFacePredictParameters)]
pub struct PredictParameters {
    /// How many labels to answer with, those of the highest scores; absent means all.
    #[schema(minimum = 1)]
    top_k: Option<usize>,
    /// How logits become scores; absent means as the model is made. Goes before `raw_scores`.
    function_to_apply: Option<FunctionToApply>,
}

/// How logits become scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = HuggingFaceFunctionToApply)]
pub enum FunctionToApply {
    /// Each label on its own.
    Sigmoid,
    /// The labels share one unit.
    Softmax,
    /// They stay logits.
    None,
}

impl FunctionToApply {
    /// Scores of finite `logits`.
    fn apply(self, logits: &[f32]) -> Vec<f32> {
        match self {
            Self::Sigmoid => logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
            Self::Softmax => {
                let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let powers: Vec<f32> = logits.iter().map(|logit| (logit - highest).exp()).collect();
                let sum: f32 = powers.iter().sum();
                powers.into_iter().map(|power| power / sum).collect()
            }
            Self::None => logits.to_vec(),
        }
    }
}

/// Answer of `POST /predict` and `POST /`, highest score first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TextEmbeddingsPredictions)]
pub enum Predictions {
    /// Of one text.
    Single(Vec<Prediction>),
    /// Per text, in the order of the request.
    Batch(Vec<Vec<Prediction>>),
}

/// The score of a label.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = TextEmbeddingsPrediction)]
pub struct Prediction {
    /// 0 to 1, or the logit where that was asked for.
    #[schema(example = 0.97)]
    pub score: f32,
    /// The label.
    #[schema(example = "toxic")]
    pub label: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_softmax_of_large_logits_is_finite() {
        let scores = FunctionToApply::Softmax.apply(&[1000.0, 999.0]);
        assert!((scores[0] - 0.731_058_6).abs() < 1e-5, "{scores:?}");
        assert!((scores[1] - 0.268_941_4).abs() < 1e-5, "{scores:?}");
    }
}
