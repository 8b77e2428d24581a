//! What feedback says, in the terms of the loaded model.

use toxicity_api::Scores;
use toxicity_records::ModelVerdict;

use super::context::RequestContext;
use super::{ApiError, AppState};

impl AppState {
    /// Scores under the model's own names of their labels.
    pub(super) fn own_labels(&self, suggested: Scores) -> Result<Scores, ApiError> {
        let engine = self.engine()?;
        let model = &engine.model;
        let own = suggested.into_iter().map(|(name, score)| {
            let label = model.label_index(&name).ok_or_else(|| ApiError::UnknownLabel {
                field: format!("suggested.{}", name.chars().take(100).collect::<String>()),
                label: name.chars().take(100).collect(),
                known: model.labels.join(", "),
            })?;
            Ok((model.labels[label].clone(), score))
        });
        own.collect()
    }

    /// What the loaded model said of a text, as far as that is still known.
    pub(super) fn model_verdict(&self, context: &RequestContext, text: &str) -> Option<ModelVerdict> {
        let engine = self.loaded()?;
        let model = &engine.model;
        let scores = engine.known(text)?;
        let verdict = engine.judge_unobserved(&scores, &context.question(self, model));
        Some(ModelVerdict {
            identity: model.identity.clone(),
            flags: verdict.flags(model),
            scores: model.by_label(&verdict.judgement.scores),
        })
    }
}
