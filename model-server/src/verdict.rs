//! From the logits of a text's windows to what is said of the text.

use toxicity_api::Scores;

use crate::model::Model;

/// Scores and flags of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Score of every label of the model: the maximum over the windows.
    pub scores: Vec<f32>,
    /// Logit of every label, of the window with the highest score of that label.
    pub logits: Vec<f32>,
    /// Indices of the labels that were asked for, in the model's order.
    pub labels: Vec<usize>,
    /// The labels among them that reach their threshold, highest score first.
    pub flagged: Vec<usize>,
}

impl Judgement {
    /// Judges a text by the logits of its windows and the threshold of each label of the model.
    #[must_use]
    pub fn of(model: &Model, thresholds: &[f32], labels: &[usize], windows: &[Vec<f32>]) -> Self {
        let count = model.labels.len();
        let (mut scores, mut best) = (vec![0.0_f32; count], vec![f32::NEG_INFINITY; count]);
        for logits in windows {
            let of_window = model.activation.scores(logits);
            for label in 0..count {
                if of_window[label] >= scores[label] {
                    (scores[label], best[label]) = (of_window[label], logits[label]);
                }
            }
        }
        let mut flagged: Vec<usize> = labels
            .iter()
            .copied()
            .filter(|&label| scores[label] >= thresholds[label])
            .collect();
        flagged.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        Self {
            scores,
            logits: best,
            labels: labels.to_vec(),
            flagged,
        }
    }

    /// Highest score of a label that reaches its threshold; 0 when none does.
    #[must_use]
    pub fn highest_flagged(&self) -> f32 {
        self.flagged.first().map_or(0.0, |&label| self.scores[label])
    }

    /// Scores by label name.
    #[must_use]
    pub fn score_map(&self, model: &Model) -> Scores {
        let of = |&label: &usize| (model.labels[label].clone(), self.scores[label]);
        self.labels.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use toxicity_api::ModelIdentity;

    use super::*;
    use crate::model::Activation;

    const THRESHOLDS: [f32; 3] = [0.5, 0.2, 0.9];

    fn model() -> Model {
        Model {
            identity: ModelIdentity {
                name: "test".to_owned(),
                revision: "0".to_owned(),
            },
            labels: ["toxic", "threat", "insult"].map(str::to_owned).to_vec(),
            thresholds: THRESHOLDS.to_vec(),
            activation: Activation::Sigmoid,
            languages: vec!["en".to_owned()],
            window_tokens: 16,
            overlap_tokens: 4,
        }
    }

    #[test]
    fn takes_the_maximum_over_windows_per_label() {
        let judgement = Judgement::of(
            &model(),
            &THRESHOLDS,
            &[0, 1, 2],
            &[vec![2.0, -3.0, 0.0], vec![-2.0, -1.0, 1.0]],
        );
        assert!((judgement.scores[0] - 0.880_797).abs() < 1e-5);
        assert!((judgement.scores[1] - 0.268_941).abs() < 1e-5);
        assert!((judgement.scores[2] - 0.731_058).abs() < 1e-5);
        assert_eq!(judgement.logits, [2.0, -1.0, 1.0]);
        assert_eq!(judgement.flagged, [0, 1]);
    }

    #[test]
    fn only_the_labels_asked_for_count() {
        let judgement = Judgement::of(&model(), &THRESHOLDS, &[2], &[vec![9.0, 9.0, 0.0]]);
        assert!(judgement.flagged.is_empty());
        let scores = judgement.score_map(&model());
        assert_eq!(scores.keys().collect::<Vec<_>>(), ["insult"]);
    }

    #[test]
    fn a_score_at_its_threshold_is_flagged() {
        let judgement = Judgement::of(&model(), &THRESHOLDS, &[0], &[vec![0.0, 0.0, 0.0]]);
        assert_eq!(judgement.flagged, [0]);
    }
}
