//! Version 1 of `KServe`: `POST /v1/models/{model}:predict`.
//!
//! `KServe`'s own runtime for text answers with the index of the best label, or with a softmax under numbers for
//! names. Here a prediction is the scores under the names of the labels.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use toxicity_api::Limits;
use utoipa::ToSchema;

use super::{Error, Inputs, ModelView};
use crate::json;
use crate::scored::ScoredText;

/// Request of the predict route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = KServePredictRequest)]
pub struct PredictRequest {
    /// The texts to score.
    #[schema(example = json!(["Thanks for sharing the sources."]), min_items = 1)]
    instances: Vec<String>,
}

/// Answer of the predict route.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = KServePredictResponse)]
pub struct PredictResponse {
    /// Per text, the score of each label, 0 to 1.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, f32>>)]
    pub predictions: Vec<IndexMap<String, f32>>,
}

impl PredictRequest {
    /// Reads what to score.
    ///
    /// # Errors
    /// When the body is not what it should be, or a limit is passed.
    pub fn read(body: &[u8], limits: &Limits) -> Result<Inputs, Error> {
        let request: Self = json::read(body)?;
        if request.instances.is_empty() {
            return Err(Error::Field("`instances` must hold at least one text".to_owned()));
        }
        Inputs::of_texts(request.instances, limits)
    }
}

impl PredictResponse {
    /// The answer of `model`.
    #[must_use]
    pub fn of(model: &ModelView<'_>, scored: &[ScoredText]) -> Self {
        let predictions = scored.iter().map(|text| {
            let names = model.labels.names.iter().cloned();
            names.zip(text.scores.iter().copied()).collect()
        });
        Self {
            predictions: predictions.collect(),
        }
    }
}
