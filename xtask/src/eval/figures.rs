//! How good scores are, by what people said: pure figures.

/// A comment of which one label is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The model's score.
    pub score: f64,
    /// Whether the label holds.
    pub positive: bool,
    /// Whether the score reaches the threshold in force.
    pub flagged: bool,
}

/// Figures of one label. Each is absent where there is nothing to tell it from.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Area under the ROC curve: how often a comment with the label scores higher than one without.
    pub auc: Option<f64>,
    /// Average precision: the area under the curve of precision over recall, in steps.
    pub average_precision: Option<f64>,
    /// Brier score: the mean square of what scores are off.
    pub brier: Option<f64>,
    /// Share of the flagged comments that have the label.
    pub precision: Option<f64>,
    /// Share of the comments with the label that are flagged.
    pub recall: Option<f64>,
    /// Share of all comments that are flagged.
    pub flagged: Option<f64>,
}

/// Samples from the highest score to the lowest.
#[derive(Debug)]
pub struct Ranked(Vec<Sample>);

impl Ranked {
    /// Sorts the samples.
    pub fn new(mut samples: Vec<Sample>) -> Self {
        samples.sort_by(|a, b| b.score.total_cmp(&a.score));
        Self(samples)
    }

    /// The samples.
    pub fn samples(&self) -> &[Sample] {
        &self.0
    }

    /// The figures, each sample counted as often as `weights` says.
    pub fn figures(&self, weights: &[u32]) -> Figures {
        let (mut positives, mut negatives) = (0.0, 0.0);
        let (mut flagged, mut rightly_flagged, mut squares) = (0.0, 0.0, 0.0);
        // Pairs of a positive and a negative that are in the right order; ties are half so.
        let (mut ordered, mut precision_steps) = (0.0, 0.0);
        let mut first = 0;
        for equal in self.0.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
            let (mut positives_here, mut negatives_here) = (0.0, 0.0);
            for (sample, &weight) in equal.iter().zip(&weights[first..]) {
                let weight = f64::from(weight);
                let truth = f64::from(sample.positive);
                positives_here += weight * truth;
                negatives_here += weight * (1.0 - truth);
                squares += weight * (sample.score - truth).powi(2);
                if sample.flagged {
                    flagged += weight;
                    rightly_flagged += weight * truth;
                }
            }
            // A negative has all positives above it, and half of those beside it.
            ordered += negatives_here * (positives + positives_here / 2.0);
            positives += positives_here;
            negatives += negatives_here;
            if positives_here > 0.0 {
                precision_steps += positives_here * positives / (positives + negatives);
            }
            first += equal.len();
        }
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        Figures {
            auc: share(ordered, positives * negatives),
            average_precision: share(precision_steps, positives),
            brier: share(squares, positives + negatives),
            precision: share(rightly_flagged, flagged),
            recall: share(rightly_flagged, positives),
            flagged: share(flagged, positives + negatives),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples that are flagged from 0.5 on.
    fn ranked(samples: &[(f64, bool)]) -> Ranked {
        let samples = samples.iter().map(|&(score, positive)| Sample {
            score,
            positive,
            flagged: score >= 0.5,
        });
        Ranked::new(samples.collect())
    }

    fn figures(samples: &[(f64, bool)]) -> Figures {
        ranked(samples).figures(&vec![1; samples.len()])
    }

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-12)
    }

    #[test]
    fn figures_are_those_reckoned_by_hand() {
        let figures = figures(&[(0.9, true), (0.4, false), (0.8, false), (0.7, true), (0.1, false)]);
        // Of six pairs all but 0.7 and 0.8 are in order.
        assert!(near(figures.auc, 5.0 / 6.0), "{figures:?}");
        // Half of the recall at a precision of 1, half at 2 of 3.
        assert!(
            near(figures.average_precision, f64::midpoint(1.0, 2.0 / 3.0)),
            "{figures:?}"
        );
        assert!(
            near(figures.brier, (0.01 + 0.16 + 0.64 + 0.09 + 0.01) / 5.0),
            "{figures:?}"
        );
        assert!(near(figures.precision, 2.0 / 3.0), "{figures:?}");
        assert!(near(figures.recall, 1.0), "{figures:?}");
        assert!(near(figures.flagged, 0.6), "{figures:?}");
    }

    #[test]
    fn equal_scores_are_half_in_order_and_one_step() {
        let all_equal = figures(&[(0.5, true), (0.5, false), (0.5, false), (0.5, true)]);
        assert!(near(all_equal.auc, 0.5), "{all_equal:?}");
        assert!(near(all_equal.average_precision, 0.5), "{all_equal:?}");
        // Pairs: 0.8 above 0.3 and 0.3; 0.3 beside both. Three of four, counting two halves.
        let tied = figures(&[(0.3, false), (0.8, true), (0.3, true), (0.3, false)]);
        assert!(near(tied.auc, 0.75), "{tied:?}");
        assert!(near(tied.average_precision, f64::midpoint(1.0, 0.5)), "{tied:?}");
    }

    #[test]
    fn order_is_all_or_nothing_at_the_ends() {
        assert!(near(figures(&[(0.9, true), (0.1, false)]).auc, 1.0));
        assert!(near(figures(&[(0.1, true), (0.9, false)]).auc, 0.0));
    }

    #[test]
    fn what_cannot_be_told_is_absent() {
        let only_negatives = figures(&[(0.1, false), (0.2, false)]);
        assert_eq!(
            (only_negatives.auc, only_negatives.average_precision),
            (None, None)
        );
        assert_eq!((only_negatives.precision, only_negatives.recall), (None, None));
        assert!(near(only_negatives.brier, 0.025));
        assert_eq!(figures(&[(0.1, true)]).auc, None);
        assert_eq!(figures(&[]), Figures::default());
    }

    #[test]
    fn a_weight_is_as_good_as_copies() {
        let samples = [(0.9, true), (0.4, false), (0.8, false), (0.4, true)];
        let ranked = ranked(&samples);
        let weights: Vec<u32> = ranked
            .samples()
            .iter()
            .map(|sample| if sample.positive { 3 } else { 1 })
            .collect();
        let repeated = [samples.to_vec(), vec![samples[0]; 2], vec![samples[3]; 2]].concat();
        let (weighted, expected) = (ranked.figures(&weights), figures(&repeated));
        assert!(near(weighted.auc, expected.auc.unwrap()));
        assert!(near(
            weighted.average_precision,
            expected.average_precision.unwrap()
        ));
        assert!(near(weighted.brier, expected.brier.unwrap()));
        assert!(near(weighted.recall, expected.recall.unwrap()));
    }
}
