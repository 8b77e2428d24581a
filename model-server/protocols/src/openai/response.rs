//! The answer of a moderation.

use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Category, ModerationRequest, PerCategory};
use crate::scored::{Labels, ScoredText};

/// Answer of `POST /v1/moderations`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CreateModerationResponse {
    /// `modr-` and 32 hexadecimal digits.
    #[schema(example = "modr-0d9740456c391e43c445bf0f010940c7")]
    pub id: String,

    /// The model that judged, whatever model the request names.
    #[schema(example = "toxic-minilm")]
    pub model: String,

    /// A result for each text, or one for all parts of a message.
    pub results: Vec<ModerationResult>,

    /// The categories that the model says nothing of: they are false and 0 whatever the text.
    pub unsupported_categories: Vec<Category>,
}

/// What the model says of an input.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModerationResult {
    /// Whether a label of the model reaches its threshold, be it part of a category or not.
    pub flagged: bool,

    /// Whether a label of the category reaches its threshold.
    pub categories: PerCategory<bool>,

    /// Score of each category, 0 to 1.
    pub category_scores: PerCategory<f32>,

    /// The kinds of input that each score comes from; none where the model says nothing of the category.
    pub category_applied_input_types: PerCategory<Vec<InputType>>,

    /// The labels of the model that reach their thresholds.
    #[schema(example = json!(["toxic", "obscene"]))]
    pub flagged_labels: Vec<String>,

    /// Score of each label of the model, 0 to 1.
    #[schema(value_type = std::collections::BTreeMap<String, f32>)]
    pub label_scores: IndexMap<String, f32>,
}

/// Kinds of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ModerationInputType)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    /// Text.
    Text,
}

impl ModerationRequest {
    /// The answer of `model`, from the scores of [`Self::texts`] in their order. `id` is a number that no other answer
    /// has.
    #[must_use]
    pub fn answer(
        &self,
        model: &str,
        id: u128,
        labels: &Labels<'_>,
        scored: &[ScoredText],
    ) -> CreateModerationResponse {
        let texts_per_result = if self.is_one_message {
            scored.len().max(1)
        } else {
            1
        };
        let results = scored
            .chunks(texts_per_result)
            .map(|texts| ModerationResult::of(labels, texts));
        let is_unsupported = |category: &Category| category.value(labels, |_| ()).is_none();
        CreateModerationResponse {
            id: format!("modr-{id:032x}"),
            model: model.to_owned(),
            results: results.collect(),
            unsupported_categories: Category::ALL.into_iter().filter(is_unsupported).collect(),
        }
    }
}

impl ModerationResult {
    /// The result of texts that are judged together: the highest score of each label counts, as it does for the
    /// windows of a long text.
    fn of(labels: &Labels<'_>, texts: &[ScoredText]) -> Self {
        let score = |label: usize| {
            texts
                .iter()
                .filter_map(|text| text.scores.get(label))
                .fold(0.0_f32, |a, &b| a.max(b))
        };
        let is_flagged = |label: usize| texts.iter().any(|text| text.flagged.get(label) == Some(&true));
        let names = || labels.names.iter().enumerate();
        Self {
            flagged: names().any(|(label, _)| is_flagged(label)),
            categories: PerCategory::of(|category| category.value(labels, is_flagged).unwrap_or_default()),
            category_scores: PerCategory::of(|category| category.value(labels, score).unwrap_or_default()),
            category_applied_input_types: PerCategory::of(|category| {
                category
                    .value(labels, |_| ())
                    .map(|()| InputType::Text)
                    .into_iter()
                    .collect()
            }),
            flagged_labels: names()
                .filter(|&(label, _)| is_flagged(label))
                .map(|(_, name)| name.clone())
                .collect(),
            label_scores: names()
                .map(|(label, name)| (name.clone(), score(label)))
                .collect(),
        }
    }
}
