//! The figures that a model was published with.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bootstrap::LabelFigures;

/// How far an area may be off: 0.1 points of a hundred.
const TOLERANCE: f64 = 0.001;

/// What `evaluation.json` says.
#[derive(Debug, Deserialize)]
pub struct Card {
    /// Revision of the model that was measured.
    pub model_revision: String,
    /// Figures by the SHA-256 of the file that they were measured by.
    files: BTreeMap<String, CardFile>,
}

/// Figures by one file.
#[derive(Debug, Deserialize)]
struct CardFile {
    labels: BTreeMap<String, CardLabel>,
}

/// Figures of one label.
#[derive(Debug, Deserialize)]
struct CardLabel {
    auc: Option<f64>,
    positives: usize,
    known: usize,
}

/// What came of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The card has no figures by this file.
    UnknownFile,
    /// All is as the card says.
    Same,
    /// What is not.
    Different(Vec<String>),
}

impl Card {
    /// Compares the figures by the file of this digest.
    pub fn compare(&self, sha256: &str, measured: &[LabelFigures]) -> Comparison {
        let Some(file) = self.files.get(sha256) else {
            return Comparison::UnknownFile;
        };
        let differences: Vec<String> = file
            .labels
            .iter()
            .filter_map(|(label, card)| {
                let measured = measured.iter().find(|measured| measured.label == *label);
                difference(card, measured).map(|difference| format!("{label} {difference}"))
            })
            .collect();
        if differences.is_empty() {
            Comparison::Same
        } else {
            Comparison::Different(differences)
        }
    }
}

/// What differs of one label. A label of which the file knows nothing has no figures.
fn difference(card: &CardLabel, measured: Option<&LabelFigures>) -> Option<String> {
    let (known, positives) = measured.map_or((0, 0), |measured| (measured.known, measured.positives));
    if (card.known, card.positives) != (known, positives) {
        return Some(format!(
            "is known of {known} rows and holds of {positives}, not {} and {}",
            card.known, card.positives
        ));
    }
    let measured = measured.and_then(|measured| measured.figures.auc);
    match (card.auc, measured) {
        // The figures of a card are rounded.
        (Some(card), Some(measured)) if (card - measured).abs() <= TOLERANCE + 1e-9 => None,
        (None, None) => None,
        (card, measured) => {
            let shown = |auc: Option<f64>| auc.map_or("none".to_owned(), |auc| format!("{:.2}", 100.0 * auc));
            Some(format!("has an AUC of {}, not {}", shown(measured), shown(card)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::bootstrap::Intervals;
    use crate::eval::figures::Figures;

    fn card() -> Card {
        serde_json::from_value(serde_json::json!({
            "model_revision": "4c1e9a03d2b7",
            "files": {"abc": {"name": "validation.csv.gz", "rows": 4000, "labels": {
                "toxic": {"auc": 0.98, "average_precision": 0.9, "positives": 390, "known": 4000},
                "threat": {"auc": null, "average_precision": null, "positives": 0, "known": 4000},
            }}},
        }))
        .unwrap()
    }

    fn measured(label: &str, auc: Option<f64>, positives: usize) -> LabelFigures {
        LabelFigures {
            label: label.to_owned(),
            known: 4000,
            positives,
            figures: Figures {
                auc,
                ..Figures::default()
            },
            intervals: Intervals::default(),
        }
    }

    fn compare(auc: f64) -> Comparison {
        let labels = [measured("toxic", Some(auc), 390), measured("threat", None, 0)];
        card().compare("abc", &labels)
    }

    #[test]
    fn a_tenth_of_a_point_is_the_same() {
        assert_eq!(compare(0.9804), Comparison::Same);
        assert_eq!(compare(0.979), Comparison::Same);
    }

    #[test]
    fn what_is_further_off_is_named() {
        let Comparison::Different(differences) = compare(0.9785) else {
            panic!("it differs");
        };
        assert_eq!(differences, ["toxic has an AUC of 97.85, not 98.00"]);
        let labels = [measured("toxic", Some(0.98), 391)];
        let Comparison::Different(differences) = card().compare("abc", &labels) else {
            panic!("it differs");
        };
        assert_eq!(
            differences,
            [
                "threat is known of 0 rows and holds of 0, not 4000 and 0",
                "toxic is known of 4000 rows and holds of 391, not 4000 and 390"
            ]
        );
    }

    #[test]
    fn another_file_says_nothing() {
        assert_eq!(card().compare("def", &[]), Comparison::UnknownFile);
    }
}
