//! A model without weights.

use std::sync::LazyLock;

use toxicity_api::Limits;
use toxicity_protocols::open_inference::{Inputs, ModelView};
use toxicity_protocols::scored::{Labels, ScoredText};

/// Small limits, so that passing them is in reach.
pub const LIMITS: Limits = Limits {
    body_bytes: 64 * 1024,
    texts: 8,
    characters: 2_000,
    concurrent_requests: 1,
};

/// Labels, thresholds and scores.
#[derive(Debug, Clone)]
pub struct Model {
    /// Names of the labels.
    pub names: Vec<String>,
    /// Threshold of each label.
    pub thresholds: Vec<f32>,
    /// Languages that it judges.
    pub languages: Vec<String>,
}

impl Model {
    /// A model with the labels of the Jigsaw family.
    #[must_use]
    pub fn jigsaw() -> &'static Self {
        static MODEL: LazyLock<Model> = LazyLock::new(|| {
            let names = [
                "toxic",
                "severe_toxic",
                "obscene",
                "threat",
                "insult",
                "identity_hate",
            ];
            Model {
                thresholds: vec![0.5; names.len()],
                names: names.map(str::to_owned).to_vec(),
                languages: vec!["en".to_owned()],
            }
        });
        &MODEL
    }

    /// The labels, as the protocols take them.
    #[must_use]
    pub fn labels(&self) -> Labels<'_> {
        Labels {
            names: &self.names,
            thresholds: &self.thresholds,
        }
    }

    /// The model, as the Open Inference Protocol takes it.
    #[must_use]
    pub fn view(&self) -> ModelView<'_> {
        ModelView {
            name: "model",
            version: "1",
            labels: self.labels(),
            window_tokens: 64,
            vocabulary_size: 1_000,
        }
    }

    /// Scores of so many texts: each another value, so that a mix-up shows.
    #[must_use]
    pub fn scored(&self, texts: usize) -> Vec<ScoredText> {
        let labels = self.names.len();
        let count = u16::try_from(texts * labels).expect("the limits keep the texts few");
        let scored = (0..texts).map(|text| {
            let scores: Vec<f32> = (text * labels..(text + 1) * labels)
                .map(|place| {
                    f32::from(u16::try_from(place).expect("it is below the count")) / f32::from(count)
                })
                .collect();
            ScoredText {
                logits: scores.iter().map(|score| score - 0.5).collect(),
                flagged: scores.iter().map(|&score| score >= 0.5).collect(),
                scores,
                tokens: 3,
                windows: 1,
            }
        });
        scored.collect()
    }
}

/// Texts or rows of tokens of a request.
///
/// # Panics
/// When they are more, or longer, than a model of this view takes.
#[must_use]
pub fn checked_count(inputs: &Inputs, view: &ModelView) -> usize {
    let count = match inputs {
        Inputs::Texts(texts) => texts.len(),
        Inputs::Tokens(rows) => {
            assert!(
                rows.iter()
                    .all(|row| (1..=view.window_tokens).contains(&row.len()))
            );
            rows.len()
        }
    };
    assert!((1..=LIMITS.texts).contains(&count));
    count
}
