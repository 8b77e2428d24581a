//! What people said of each comment, beside what the model says.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::figures::Sample;
use super::scored::ScoredRow;
use crate::error::Error;

/// From this share of those who were asked on, a label holds.
const HOLDS: f64 = 0.5;

/// The comments of which a label is known.
#[derive(Debug)]
pub struct LabelSamples {
    /// The label.
    pub label: String,
    /// What people and the model say of it.
    pub samples: Vec<Sample>,
}

/// Labelled comments, label by label.
#[derive(Debug)]
pub struct Labelled {
    path: PathBuf,
    rows: usize,
    /// Labels of the model; those that no row has stay without samples.
    labels: Vec<LabelSamples>,
    /// Columns of the first row.
    columns: Vec<String>,
}

impl Labelled {
    /// Nothing yet of the file at `path`.
    pub fn new(path: &Path, labels: &[String]) -> Self {
        Self {
            path: path.to_owned(),
            rows: 0,
            labels: labels
                .iter()
                .map(|label| LabelSamples {
                    label: label.clone(),
                    samples: Vec::new(),
                })
                .collect(),
            columns: Vec::new(),
        }
    }

    /// Takes what is known of a row.
    ///
    /// # Errors
    /// When no column is a label, or a cell is none.
    pub fn take(&mut self, row: &ScoredRow) -> Result<(), Error> {
        if self.rows == 0 {
            self.columns = row.columns.keys().cloned().collect();
            if !self
                .labels
                .iter()
                .any(|known| row.columns.contains_key(&known.label))
            {
                return Err(self.without_labels());
            }
        }
        self.rows += 1;
        for LabelSamples { label, samples } in &mut self.labels {
            let Some(cell) = row.columns.get(label) else {
                continue;
            };
            let known = known(cell).ok_or_else(|| Error::ReadLabels {
                path: self.path.clone(),
                message: format!(
                    "row {} has {cell} in the column \"{label}\", which is no number from 0 to 1",
                    row.number
                ),
            })?;
            let score = row.scores.get(label).and_then(Value::as_f64);
            if let (Some(share), Some(score)) = (known, score) {
                samples.push(Sample {
                    score,
                    positive: share >= HOLDS,
                    flagged: row.flags.contains(label),
                });
            }
        }
        Ok(())
    }

    /// The number of rows, and the labels of which something is known.
    ///
    /// # Errors
    /// When nothing is.
    pub fn finish(mut self) -> Result<(usize, Vec<LabelSamples>), Error> {
        self.labels.retain(|label| !label.samples.is_empty());
        if self.labels.is_empty() {
            return Err(if self.rows == 0 {
                self.wrong("it has no rows".to_owned())
            } else {
                self.wrong("every cell of its labels is empty".to_owned())
            });
        }
        Ok((self.rows, self.labels))
    }

    fn without_labels(&self) -> Error {
        let labels: Vec<&str> = self.labels.iter().map(|label| label.label.as_str()).collect();
        self.wrong(format!(
            "it has the columns {}, and none of the labels {}",
            self.columns.join(", "),
            labels.join(", ")
        ))
    }

    fn wrong(&self, message: String) -> Error {
        Error::ReadLabels {
            path: self.path.clone(),
            message,
        }
    }
}

/// What people said, or that nobody knows; nothing where the cell is neither.
#[allow(
    clippy::option_option,
    reason = "an unknown label and a wrong one are two things"
)]
fn known(cell: &Value) -> Option<Option<f64>> {
    let share = match cell {
        Value::Null => return Some(None),
        Value::Bool(holds) => f64::from(*holds),
        Value::Number(number) => number.as_f64()?,
        Value::String(text) if text.trim().is_empty() => return Some(None),
        Value::String(text) => text.trim().parse().ok()?,
        Value::Array(_) | Value::Object(_) => return None,
    };
    (0.0..=1.0).contains(&share).then_some(Some(share))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labelled(rows: &[Value]) -> Result<(usize, Vec<LabelSamples>), Error> {
        let labels = ["toxic", "threat"].map(str::to_owned);
        let mut labelled = Labelled::new(Path::new("data.csv"), &labels);
        for (columns, number) in rows.iter().zip(1..) {
            let object = |value: Value| value.as_object().cloned().unwrap_or_default();
            labelled.take(&ScoredRow {
                number,
                columns: object(columns.clone()),
                scores: object(json!({"toxic": 0.75, "threat": 0.25})),
                flags: vec!["toxic".to_owned()],
                spans: Vec::new(),
            })?;
        }
        labelled.finish()
    }

    #[test]
    fn only_known_labels_count() {
        let rows = [
            json!({"text": "a", "toxic": "1", "threat": ""}),
            json!({"text": "b", "toxic": " 0.5 ", "threat": " "}),
            json!({"text": "c", "toxic": 0.4, "threat": null}),
        ];
        let (count, labels) = labelled(&rows).unwrap();
        assert_eq!((count, labels.len()), (3, 1));
        let LabelSamples { label, samples } = &labels[0];
        let sample = |positive| Sample {
            score: 0.75,
            positive,
            flagged: true,
        };
        assert_eq!(
            (label.as_str(), &samples[..]),
            ("toxic", &[true, true, false].map(sample)[..])
        );
    }

    #[test]
    fn a_file_that_says_nothing_is_told_apart() {
        let error = |rows: &[Value]| labelled(rows).unwrap_err().to_string();
        assert!(error(&[]).contains("no rows"));
        assert!(error(&[json!({"text": "a", "toxic": ""})]).contains("every cell"));
        let told = error(&[json!({"text": "a", "label": "1"})]);
        assert!(
            told.contains("text, label") || told.contains("label, text"),
            "{told}"
        );
        assert!(told.contains("toxic, threat"), "{told}");
        let told = error(&[json!({"text": "a", "toxic": "yes"})]);
        assert!(
            told.contains("row 1 has \"yes\" in the column \"toxic\""),
            "{told}"
        );
        assert!(error(&[json!({"text": "a", "toxic": "2"})]).contains("\"2\""));
    }
}
