//! From the logits of a text's windows to what is said of the text.

use toxicity_api::Scores;

use crate::model::Model;

/// Scores and flags of one text over the labels asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Indices into the model's labels, in the model's order.
    pub labels: Vec<usize>,
    /// Score of each of `labels`: the maximum over the windows.
    pub scores: Vec<f32>,
    /// The labels among them that reach their threshold, highest score first.
    pub flagged: Vec<usize>,
}

impl Judgement {
    /// Judges a text by the logits of its windows.
    #[must_use]
    pub fn of(model: &Model, labels: &[usize], windows: &[Vec<f32>]) -> Self {
        let mut best = vec![0.0_f32; model.labels.len()];
        for logits in windows {
            for (best, score) in best.iter_mut().zip(model.activation.scores(logits)) {
                *best = best.max(score);
            }
        }
        let mut flagged: Vec<usize> = labels
            .iter()
            .copied()
            .filter(|&label| best[label] >= model.thresholds[label])
            .collect();
        flagged.sort_by(|&a, &b| best[b].total_cmp(&best[a]));
        Self {
            labels: labels.to_vec(),
            scores: labels.iter().map(|&label| best[label]).collect(),
            flagged,
        }
    }

    /// Scores by label name.
    #[must_use]
    pub fn score_map(&self, model: &Model) -> Scores {
        let names = self.labels.iter().map(|&label| model.labels[label].clone());
        names.zip(self.scores.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use toxicity_api::ModelIdentity;

    use super::*;
    use crate::model::Activation;

    fn model() -> Model {
        Model {
            identity: ModelIdentity {
                name: "test".to_owned(),
                revision: "0".to_owned(),
            },
            labels: ["toxic", "threat", "insult"].map(str::to_owned).to_vec(),
            thresholds: vec![0.5, 0.2, 0.9],
            activation: Activation::Sigmoid,
            window_tokens: 16,
            overlap_tokens: 4,
        }
    }

    #[test]
    fn takes_the_maximum_over_windows_per_label() {
        let judgement = Judgement::of(
            &model(),
            &[0, 1, 2],
            &[vec![2.0, -3.0, 0.0], vec![-2.0, -1.0, 1.0]],
        );
        assert!((judgement.scores[0] - 0.880_797).abs() < 1e-5);
        assert!((judgement.scores[1] - 0.268_941).abs() < 1e-5);
        assert!((judgement.scores[2] - 0.731_058).abs() < 1e-5);
        assert_eq!(judgement.flagged, [0, 1]);
    }

    #[test]
    fn only_the_labels_asked_for_count() {
        let judgement = Judgement::of(&model(), &[2], &[vec![9.0, 9.0, 0.0]]);
        assert!(judgement.flagged.is_empty());
        let scores = judgement.score_map(&model());
        assert_eq!(scores.keys().collect::<Vec<_>>(), ["insult"]);
    }

    #[test]
    fn a_score_at_its_threshold_is_flagged() {
        let judgement = Judgement::of(&model(), &[0], &[vec![0.0, 0.0, 0.0]]);
        assert_eq!(judgement.flagged, [0]);
    }
}
