//! What was found out about each label.

use indexmap::IndexMap;
use toxicity_api::ModelIdentity;

use super::new_scores::LeftOut;
use super::old_threshold::Resolved;
use super::rank::spearman;
use super::threshold::{Choice, choose};
use super::verdicts::Verdicts;
use crate::model::DEFAULT_THRESHOLD;

/// A threshold that fewer flagged rows decide is a matter of luck.
const FEW: usize = 20;

/// What was found out about all labels that have old scores.
#[derive(Debug)]
pub(super) struct Report {
    /// The model whose thresholds these are.
    pub model: ModelIdentity,
    /// Rows of the file.
    pub rows: usize,
    /// Rows that have no new scores.
    pub left_out: LeftOut,
    /// What was found out about each label, in the order of the model.
    pub labels: Vec<LabelReport>,
}

/// What was found out about one label.
#[derive(Debug)]
pub(super) struct LabelReport {
    /// The label.
    pub label: String,
    /// Rows with an old and a new score.
    pub rows: usize,
    /// Rows without an old score.
    pub without_old_score: usize,
    /// Its old threshold.
    pub old_threshold: Option<f64>,
    /// Its new threshold, or why it has none.
    pub outcome: Result<Calibration, Reason>,
}

/// A threshold that was chosen, and what it does.
#[derive(Debug)]
pub(super) struct Calibration {
    /// From this score on the label is flagged.
    pub threshold: f32,
    /// What both say of the rows.
    pub verdicts: Verdicts,
    /// Rank correlation of the old scores and the new ones.
    pub spearman: Option<f64>,
}

/// Why a label has no new threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nobody said from which score on it was flagged.
    NoOldThreshold,
    /// No row has both scores.
    NoScores,
    /// The old scores flag nothing.
    NoneFlagged,
    /// The old scores flag everything.
    AllFlagged,
    /// Too many rows have the same new score.
    Tied,
}

impl Reason {
    /// The reason as a sentence about a label.
    pub(super) fn of(self, label: &str) -> String {
        let why = match self {
            Self::NoOldThreshold => "it has no old threshold; give one by --old-threshold",
            Self::NoScores => "no row has an old score and a text",
            Self::NoneFlagged => {
                "its old threshold flags none of the rows, so nothing tells where the new one lies"
            }
            Self::AllFlagged => "its old threshold flags all rows, so nothing tells where the new one lies",
            Self::Tied => "so many rows have the same new score that none or all of them would be flagged",
        };
        format!("{label} is left out: {why}")
    }
}

impl LabelReport {
    /// Compares the old scores with the new ones, row by row, where both are there.
    pub(super) fn new(
        label: &str,
        old: &[Option<f64>],
        new: &[Option<f32>],
        old_threshold: Resolved,
    ) -> Self {
        let pairs: Vec<(f64, f32)> = old
            .iter()
            .zip(new)
            .filter_map(|(old, new)| Some(((*old)?, (*new)?)))
            .collect();
        Self {
            label: label.to_owned(),
            rows: pairs.len(),
            without_old_score: old.iter().filter(|score| score.is_none()).count(),
            old_threshold: old_threshold.value,
            outcome: calibrate(&pairs, old_threshold),
        }
    }
}

fn calibrate(pairs: &[(f64, f32)], old_threshold: Resolved) -> Result<Calibration, Reason> {
    let (old_threshold, wanted) = flagged_by_old(pairs.iter().map(|pair| pair.0), old_threshold)?;
    let new: Vec<f32> = pairs.iter().map(|pair| pair.1).collect();
    let Choice { threshold, .. } = choose(&new, wanted).ok_or(Reason::Tied)?;
    let verdicts = pairs
        .iter()
        .map(|&(old, new)| (old >= old_threshold, new >= threshold));
    let ranked: Vec<(f64, f64)> = pairs.iter().map(|&(old, new)| (old, new.into())).collect();
    Ok(Calibration {
        threshold,
        verdicts: verdicts.collect(),
        spearman: spearman(&ranked),
    })
}

/// The old threshold and how many scores reach it, unless that tells nothing of the new one.
pub(super) fn flagged_by_old(
    scores: impl Iterator<Item = f64>,
    threshold: Resolved,
) -> Result<(f64, usize), Reason> {
    let threshold = threshold.value.ok_or(Reason::NoOldThreshold)?;
    let (mut rows, mut flagged) = (0, 0);
    for score in scores {
        rows += 1;
        flagged += usize::from(score >= threshold);
    }
    match flagged {
        _ if rows == 0 => Err(Reason::NoScores),
        0 => Err(Reason::NoneFlagged),
        _ if flagged == rows => Err(Reason::AllFlagged),
        _ => Ok((threshold, flagged)),
    }
}

impl Report {
    /// The thresholds that were chosen, as `thresholds.json` holds them.
    pub(super) fn thresholds(&self) -> IndexMap<&str, f32> {
        let chosen = self.labels.iter().filter_map(|report| {
            let calibration = report.outcome.as_ref().ok()?;
            Some((report.label.as_str(), calibration.threshold))
        });
        chosen.collect()
    }

    /// What the figures alone do not say.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some((line, reason)) = &self.left_out.first {
            let rows = self.left_out.rows;
            remarks.push(format!(
                "{rows} rows cannot be scored; the first, at line {line}: {reason}"
            ));
        }
        for report in &self.labels {
            match &report.outcome {
                Ok(Calibration { verdicts, .. }) => {
                    let (old, new) = (verdicts.flagged_by_old(), verdicts.flagged_by_new());
                    if old != new {
                        remarks.push(format!(
                            "{}: {new} rows are flagged in place of {old}, because rows with the same new score are \
                             flagged together",
                            report.label
                        ));
                    }
                    if old < FEW {
                        remarks.push(format!(
                            "{}: its threshold rests on no more than {old} flagged rows; with more of them it would be \
                             surer",
                            report.label
                        ));
                    }
                }
                Err(reason) => remarks.push(reason.of(&report.label)),
            }
        }
        if self.labels.iter().any(|report| report.outcome.is_err()) {
            remarks.push(format!(
                "a label that \"thresholds.json\" leaves out is flagged from {DEFAULT_THRESHOLD} on"
            ));
        }
        remarks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(old: &[Option<f64>], new: &[Option<f32>], threshold: Option<f64>) -> LabelReport {
        let threshold = Resolved {
            value: threshold,
            is_its_own: false,
        };
        LabelReport::new("toxic", old, new, threshold)
    }

    const OLD: [Option<f64>; 6] = [Some(0.9), Some(0.85), None, Some(0.4), Some(0.2), Some(0.1)];

    #[test]
    fn the_same_share_is_flagged_and_only_rows_with_both_scores_count() {
        let new = [Some(0.7), Some(0.3), Some(0.99), Some(0.5), None, Some(0.01)];
        let report = report(&OLD, &new, Some(0.85));
        assert_eq!((report.rows, report.without_old_score), (4, 1));
        let calibration = report.outcome.unwrap();
        assert!((calibration.threshold - 0.4).abs() < 1e-6);
        let expected = Verdicts {
            both: 1,
            old_only: 1,
            new_only: 1,
            neither: 1,
        };
        assert_eq!(calibration.verdicts, expected);
        // Ranks 4 3 2 1 beside 4 2 3 1: 1 - 6 * 2 / (4 * 15).
        assert!((calibration.spearman.unwrap() - 0.8).abs() < 1e-12);
    }

    #[test]
    fn a_label_without_a_choice_says_why() {
        let new = [Some(0.7), Some(0.3), Some(0.99), Some(0.5), Some(0.2), Some(0.01)];
        let reason = |new: &[Option<f32>], threshold| report(&OLD, new, threshold).outcome.err();
        assert_eq!(reason(&new, None), Some(Reason::NoOldThreshold));
        assert_eq!(reason(&new, Some(0.95)), Some(Reason::NoneFlagged));
        assert_eq!(reason(&new, Some(0.1)), Some(Reason::AllFlagged));
        assert_eq!(reason(&[Some(0.5); 6], Some(0.8)), Some(Reason::Tied));
        assert_eq!(reason(&[None; 6], Some(0.8)), Some(Reason::NoScores));
    }

    #[test]
    fn ties_and_rows_without_a_text_are_told() {
        let new = [Some(0.7), Some(0.5), Some(0.9), Some(0.5), Some(0.2), None];
        let report = Report {
            model: ModelIdentity {
                name: "test".to_owned(),
                revision: "0".to_owned(),
            },
            rows: 6,
            left_out: LeftOut {
                rows: 1,
                first: Some((7, "the text is empty".to_owned())),
            },
            labels: vec![report(&OLD, &new, Some(0.85))],
        };
        let remarks = report.remarks();
        assert!(remarks[0].contains("line 7: the text is empty"), "{remarks:?}");
        assert!(
            remarks[1].contains("1 rows are flagged in place of 2"),
            "{remarks:?}"
        );
        assert!(remarks[2].contains("no more than 2 flagged rows"), "{remarks:?}");
        assert_eq!(remarks.len(), 3);
    }
}
