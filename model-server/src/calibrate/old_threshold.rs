//! The scores from which comments were flagged before.

use std::str::FromStr;

use super::error::CalibrateError;
use super::label;
use crate::model::Model;

/// One value of `--old-threshold`.
#[derive(Debug, Clone, PartialEq)]
pub enum OldThreshold {
    /// For every label that has none of its own.
    All(f64),
    /// For one label.
    Label {
        /// Label, an alias of it, or an attribute of Perspective.
        label: String,
        /// From this score on it was flagged.
        value: f64,
    },
}

/// Why an old threshold cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ParseOldThresholdError {
    /// Neither a value nor `label=value`.
    #[error(
        "failed to read the old threshold \"{0}\": write a value such as 0.8, or label=value such as toxic=0.7"
    )]
    Form(String),
    /// No score can be compared with it.
    #[error("the old threshold {0} must be above 0 and at most 1")]
    Bound(f64),
}

impl FromStr for OldThreshold {
    type Err = ParseOldThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (label, value) = match text.split_once('=') {
            Some((label, value)) => (Some(label.trim()), value),
            None => (None, text),
        };
        let value = value
            .trim()
            .parse()
            .map_err(|_| ParseOldThresholdError::Form(text.to_owned()))?;
        if !(value > 0.0 && value <= 1.0) {
            return Err(ParseOldThresholdError::Bound(value));
        }
        Ok(label.map_or(Self::All(value), |label| Self::Label {
            label: label.to_owned(),
            value,
        }))
    }
}

/// What is known of a label's old threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Resolved {
    /// From this score on the label was flagged; absent where nobody said.
    pub value: Option<f64>,
    /// Whether it was given for this very label.
    pub is_its_own: bool,
}

/// The old threshold of each label of the model. One of the label's own wins; of several the last.
pub(super) fn resolve(model: &Model, given: &[OldThreshold]) -> Result<Vec<Resolved>, CalibrateError> {
    let for_all = given.iter().rev().find_map(|threshold| match threshold {
        OldThreshold::All(value) => Some(*value),
        OldThreshold::Label { .. } => None,
    });
    let mut resolved = vec![
        Resolved {
            value: for_all,
            is_its_own: false
        };
        model.labels.len()
    ];
    for threshold in given {
        if let OldThreshold::Label { label, value } = threshold {
            let index = label::find(model, label).ok_or_else(|| CalibrateError::FindLabel {
                option: "--old-threshold",
                label: label.clone(),
                labels: model.labels.clone(),
            })?;
            resolved[index] = Resolved {
                value: Some(*value),
                is_its_own: true,
            };
        }
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::label::fixture::model;

    fn values(given: &[&str]) -> Result<Vec<Option<f64>>, CalibrateError> {
        let given: Vec<OldThreshold> = given.iter().map(|text| text.parse().unwrap()).collect();
        let resolved = resolve(&model(), &given)?;
        Ok(resolved.into_iter().map(|threshold| threshold.value).collect())
    }

    #[test]
    fn a_value_of_a_label_wins_over_the_one_for_all() {
        assert_eq!(values(&["0.8"]).unwrap(), [Some(0.8), Some(0.8), Some(0.8)]);
        assert_eq!(
            values(&["PROFANITY=0.9", "0.8", "toxicity = 0.7"]).unwrap(),
            [Some(0.7), Some(0.9), Some(0.8)]
        );
        assert_eq!(values(&["toxic=1"]).unwrap(), [Some(1.0), None, None]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| text.parse::<OldThreshold>().unwrap_err().to_string();
        assert!(error("toxic").contains("toxic=0.7"));
        assert!(error("toxic=high").contains("\"toxic=high\""));
        assert!(error("1.5").contains("above 0 and at most 1"));
        assert!(error("toxic=0").contains("above 0 and at most 1"));
        assert!(error("NaN").contains("above 0 and at most 1"));
        let unknown = values(&["spam=0.5"]).unwrap_err().to_string();
        assert!(
            unknown.contains("--old-threshold") && unknown.contains("\"spam\""),
            "{unknown}"
        );
    }
}
