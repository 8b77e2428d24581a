//! How sure figures are: the same reckoned of samples drawn anew.

use fastrand::Rng;

use super::figures::{Figures, Ranked};
use super::labelled::LabelSamples;

/// Drawings.
const RESAMPLES: usize = 500;

/// The same file gives the same intervals.
const SEED: u64 = 7;

/// Ends of the interval that holds 95 of 100 drawings.
const ENDS: [f64; 2] = [0.025, 0.975];

/// The figures of one label.
#[derive(Debug)]
pub struct LabelFigures {
    /// The label.
    pub label: String,
    /// Comments of which it is known.
    pub known: usize,
    /// Comments that have it.
    pub positives: usize,
    /// Their figures.
    pub figures: Figures,
    /// 95 % intervals.
    pub intervals: Intervals,
}

/// Lower and upper ends, where a figure has any.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Intervals {
    /// Of the area under the ROC curve.
    pub auc: Option<[f64; 2]>,
    /// Of the average precision.
    pub average_precision: Option<[f64; 2]>,
    /// Of the Brier score.
    pub brier: Option<[f64; 2]>,
    /// Of the precision at the threshold.
    pub precision: Option<[f64; 2]>,
    /// Of the recall at the threshold.
    pub recall: Option<[f64; 2]>,
}

/// Figures and intervals of a label. As many with and without the label are drawn as there are.
pub fn measure(LabelSamples { label, samples }: LabelSamples) -> LabelFigures {
    let ranked = Ranked::new(samples);
    let indices = |positive: bool| {
        let samples = ranked.samples().iter().enumerate();
        let chosen = samples.filter(move |(_, sample)| sample.positive == positive);
        chosen.map(|(index, _)| index).collect::<Vec<_>>()
    };
    let classes = [indices(true), indices(false)];
    let known = ranked.samples().len();
    let mut random = Rng::with_seed(SEED);
    let drawn: Vec<Figures> = (0..RESAMPLES)
        .map(|_| {
            let mut weights = vec![0; known];
            for class in &classes {
                for _ in class {
                    weights[class[random.usize(..class.len())]] += 1;
                }
            }
            ranked.figures(&weights)
        })
        .collect();
    let interval = |figure: fn(&Figures) -> Option<f64>| interval(drawn.iter().filter_map(figure).collect());
    LabelFigures {
        label,
        known,
        positives: classes[0].len(),
        figures: ranked.figures(&vec![1; known]),
        intervals: Intervals {
            auc: interval(|figures| figures.auc),
            average_precision: interval(|figures| figures.average_precision),
            brier: interval(|figures| figures.brier),
            precision: interval(|figures| figures.precision),
            recall: interval(|figures| figures.recall),
        },
    }
}

fn interval(mut values: Vec<f64>) -> Option<[f64; 2]> {
    values.sort_by(f64::total_cmp);
    let [low, high] = ENDS.map(|share| quantile(&values, share));
    Some([low?, high?])
}

/// The value below which `share` of the sorted values lie, between two neighbours in proportion.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "some hundred values"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::figures::Sample;

    fn measured(samples: Vec<Sample>) -> LabelFigures {
        measure(LabelSamples {
            label: "toxic".to_owned(),
            samples,
        })
    }

    fn samples(count: u32) -> Vec<Sample> {
        // A wave beside a slope: some of the higher scores are wrong.
        let sample = |index: u32| Sample {
            score: f64::from(index) / f64::from(count),
            positive: index * 7 % 10 < index * 10 / count,
            flagged: index * 2 >= count,
        };
        (0..count).map(sample).collect()
    }

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        let sorted = [0.0, 10.0, 20.0, 30.0, 40.0];
        assert_eq!(quantile(&sorted, 0.5), Some(20.0));
        assert_eq!(quantile(&sorted, 0.025), Some(1.0));
        assert_eq!(quantile(&sorted, 0.975), Some(39.0));
        assert_eq!(quantile(&[3.0], 0.975), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn intervals_hold_the_figure_and_narrow_with_more_samples() {
        let width = |count: u32| {
            let measured = measured(samples(count));
            let auc = measured.figures.auc.unwrap();
            let [low, high] = measured.intervals.auc.unwrap();
            assert!(low < auc && auc < high, "{measured:?}");
            high - low
        };
        let (few, many) = (width(100), width(2_000));
        assert!(few > 2.0 * many, "{few} and {many}");
    }

    #[test]
    fn the_same_samples_give_the_same_intervals() {
        let measured = || measured(samples(200));
        assert_eq!(measured().intervals, measured().intervals);
        assert_eq!(
            (measured().known, measured().positives),
            (200, samples(200).iter().filter(|sample| sample.positive).count())
        );
    }

    #[test]
    fn one_class_alone_has_no_interval_of_its_order() {
        let negatives = samples(50).into_iter().map(|sample| Sample {
            positive: false,
            ..sample
        });
        let measured = measured(negatives.collect());
        assert_eq!((measured.intervals.auc, measured.intervals.recall), (None, None));
        assert!(measured.intervals.brier.is_some());
    }
}
