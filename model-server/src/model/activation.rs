//! How logits become scores.

/// The function over the logits of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Each label on its own: several, or none, may hold (multi-label).
    Sigmoid,
    /// The labels share one unit of probability: exactly one holds (single-label).
    Softmax,
}

impl Activation {
    /// Scores, 0 to 1, of finite `logits`.
    #[must_use]
    pub fn scores(self, logits: &[f32]) -> Vec<f32> {
        match self {
            Self::Sigmoid => logits.iter().map(|&logit| sigmoid(logit)).collect(),
            Self::Softmax => {
                let maximum = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let powers: Vec<f32> = logits.iter().map(|&logit| (logit - maximum).exp()).collect();
                let sum: f32 = powers.iter().sum();
                powers.into_iter().map(|power| power / sum).collect()
            }
        }
    }

    /// Log-odds of the scores: what the scores hide near 0 and 1.
    #[must_use]
    pub fn log_odds(self, logits: &[f32]) -> Vec<f32> {
        match self {
            Self::Sigmoid => logits.to_vec(),
            Self::Softmax => self.scores(logits).into_iter().map(logit).collect(),
        }
    }

    /// Name as answered by `/info`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
        }
    }
}

/// The probability of a logit.
#[must_use]
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// Inverse of the sigmoid, with the score kept away from 0 and 1 so that the answer stays finite.
#[must_use]
pub fn logit(score: f32) -> f32 {
    let score = score.clamp(1e-6, 1.0 - 1e-6);
    (score / (1.0 - score)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_scores_labels_on_their_own() {
        let scores = Activation::Sigmoid.scores(&[0.0, 20.0, -20.0, 90.0, -90.0]);
        assert!((scores[0] - 0.5).abs() < 1e-6);
        assert!(scores[1] > 0.999 && scores[2] < 0.001);
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    }

    #[test]
    fn softmax_sums_to_one_even_for_large_logits() {
        let scores = Activation::Softmax.scores(&[1000.0, 999.0]);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((scores[0] - 0.731_058_6).abs() < 1e-5);
    }

    #[test]
    fn logit_inverts_the_sigmoid() {
        for value in [-4.0_f32, -0.3, 0.0, 2.5] {
            assert!((logit(sigmoid(value)) - value).abs() < 1e-3);
        }
        assert!(logit(0.0).is_finite() && logit(1.0).is_finite());
    }
}
