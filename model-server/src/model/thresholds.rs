//! The score from which a label counts as flagged.

use std::str::FromStr;

use indexmap::IndexMap;

use toxicity_api::label_index;

/// Threshold of a label that neither the folder nor the command line names.
pub const DEFAULT_THRESHOLD: f32 = 0.5;

/// One `label=value` of the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdOverride {
    /// Label, or an alias of it.
    pub label: String,
    /// Threshold, above 0 and at most 1.
    pub value: f32,
}

/// Why thresholds cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThresholdsError {
    /// Not of the form `label=value`.
    #[error("failed to read the threshold \"{0}\": write label=value, for example toxic=0.7")]
    ParseOverride(String),
    /// `thresholds.json` is not a map of numbers.
    #[error("failed to parse \"thresholds.json\": it must map labels to numbers")]
    ParseFile(#[from] serde_json::Error),
    /// A value that no score could be compared with.
    #[error("the threshold {value} of \"{label}\" must be above 0 and at most 1")]
    Bound {
        /// The label.
        label: String,
        /// The value.
        value: f32,
    },
    /// A label the model does not have.
    #[error("the model has no label \"{label}\"; it has {}", .labels.join(", "))]
    UnknownLabel {
        /// The label.
        label: String,
        /// The labels it has.
        labels: Vec<String>,
    },
}

impl FromStr for ThresholdOverride {
    type Err = ThresholdsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ThresholdsError::ParseOverride(text.to_owned());
        let (label, value) = text.split_once('=').ok_or_else(wrong)?;
        let value = value.trim().parse().map_err(|_| wrong())?;
        Ok(Self {
            label: label.trim().to_owned(),
            value,
        })
    }
}

/// Threshold per label, in the order of `labels`; the command line wins over the file.
pub(super) fn resolve(
    labels: &[String],
    file: Option<&str>,
    overrides: &[ThresholdOverride],
) -> Result<Vec<f32>, ThresholdsError> {
    let from_file: IndexMap<String, f32> = file.map_or(Ok(IndexMap::new()), serde_json::from_str)?;
    let from_file = from_file
        .into_iter()
        .map(|(label, value)| ThresholdOverride { label, value });
    let mut thresholds = vec![DEFAULT_THRESHOLD; labels.len()];
    for ThresholdOverride { label, value } in from_file.chain(overrides.iter().cloned()) {
        let Some(index) = label_index(labels, &label) else {
            return Err(ThresholdsError::UnknownLabel {
                label,
                labels: labels.to_vec(),
            });
        };
        if !(value > 0.0 && value <= 1.0) {
            return Err(ThresholdsError::Bound { label, value });
        }
        thresholds[index] = value;
    }
    Ok(thresholds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["toxic", "identity_hate"].map(str::to_owned).to_vec()
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let overrides = ["identity_attack=0.9".parse().unwrap()];
        let file = r#"{"toxic": 0.4, "identity_hate": 0.3}"#;
        assert_eq!(resolve(&labels(), Some(file), &overrides).unwrap(), [0.4, 0.9]);
        assert_eq!(resolve(&labels(), None, &[]).unwrap(), [0.5, 0.5]);
    }

    #[test]
    fn names_what_is_wrong() {
        let error = |file: &str| resolve(&labels(), Some(file), &[]).unwrap_err().to_string();
        assert!(error(r#"{"toxicc": 0.4}"#).contains("\"toxicc\""));
        assert!(error(r#"{"toxic": 0}"#).contains("above 0"));
        assert!(error(r#"{"toxic": "x"}"#).contains("thresholds.json"));
        assert!(
            "toxic"
                .parse::<ThresholdOverride>()
                .unwrap_err()
                .to_string()
                .contains("toxic=0.7")
        );
    }
}
