//! A verdict as one sentence and as rows of a table.

use toxicity_api::{Scores, TextVerdict};

use super::score;

/// A score of this part of its threshold is near it.
const NEAR: f32 = 0.75;

/// How a score stands to its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It reaches it.
    Over,
    /// It does not, but nearly.
    Near,
    /// It is far below.
    Fine,
}

/// One label of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name of the label on the wire.
    pub label: String,
    /// Score, 0 to 1.
    pub score: f32,
    /// Threshold, 0 to 1, where the server named one.
    pub threshold: Option<f32>,
    /// How both stand to each other.
    pub level: Level,
}

/// A label as people read it.
#[must_use]
pub fn label_name(label: &str) -> String {
    label.replace('_', " ")
}

/// All labels, the highest score first; equal ones in the order of the model.
#[must_use]
pub fn rows(verdict: &TextVerdict, thresholds: &Scores) -> Vec<Row> {
    let mut rows: Vec<Row> = verdict
        .scores
        .iter()
        .map(|(label, &score)| {
            let threshold = thresholds.get(label).copied();
            // Only the server decides what is flagged; a score is never compared again here.
            let level = if verdict.flags.contains(label) {
                Level::Over
            } else if threshold.is_some_and(|threshold| score >= threshold * NEAR) {
                Level::Near
            } else {
                Level::Fine
            };
            Row {
                label: label.clone(),
                score,
                threshold,
                level,
            }
        })
        .collect();
    rows.sort_by(|left, right| right.score.total_cmp(&left.score));
    rows
}

/// Why the verdict is what it is.
#[must_use]
pub fn sentence(verdict: &TextVerdict) -> String {
    let named = |label: &str| {
        let value = verdict.scores.get(label).copied().unwrap_or_default();
        format!("{} {}", label_name(label), score(value))
    };
    match verdict.flags.as_slice() {
        [] => match verdict
            .scores
            .iter()
            .max_by(|left, right| left.1.total_cmp(right.1))
        {
            Some((label, _)) => format!("No label reaches its threshold; the highest is {}.", named(label)),
            None => "No label reaches its threshold.".to_owned(),
        },
        [only] => format!("{} is over its threshold.", named(only)),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|label| named(label)).collect();
            format!(
                "{} and {} are over their thresholds.",
                first.join(", "),
                named(last)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(scores: &[(&str, f32)], flags: &[&str]) -> TextVerdict {
        TextVerdict {
            flagged: !flags.is_empty(),
            flags: flags.iter().map(|&label| label.to_owned()).collect(),
            scores: scores
                .iter()
                .map(|&(label, score)| (label.to_owned(), score))
                .collect(),
            tokens: 1,
            windows: 1,
            spans: None,
            spans_complete: None,
            normalized: None,
            record_id: None,
        }
    }

    #[test]
    fn the_sentence_names_every_label_over_its_threshold() {
        let scores = [
            ("toxic", 0.98),
            ("insult", 0.96),
            ("identity_hate", 0.7),
            ("threat", 0.02),
        ];
        let of = |flags: &[&str]| sentence(&verdict(&scores, flags));
        assert_eq!(of(&["toxic"]), "toxic 0.98 is over its threshold.");
        assert_eq!(
            of(&["toxic", "insult"]),
            "toxic 0.98 and insult 0.96 are over their thresholds."
        );
        assert_eq!(
            of(&["toxic", "insult", "identity_hate"]),
            "toxic 0.98, insult 0.96 and identity hate 0.70 are over their thresholds."
        );
    }

    #[test]
    fn the_sentence_names_the_highest_label_when_none_is_over() {
        let clean = verdict(&[("toxic", 0.001), ("insult", 0.12)], &[]);
        assert_eq!(
            sentence(&clean),
            "No label reaches its threshold; the highest is insult 0.12."
        );
        assert_eq!(sentence(&verdict(&[], &[])), "No label reaches its threshold.");
    }

    #[test]
    fn rows_are_sorted_and_know_their_level() {
        let thresholds = Scores::from([
            ("a".to_owned(), 0.5),
            ("b".to_owned(), 0.5),
            ("c".to_owned(), 0.5),
        ]);
        let found: Vec<(String, Level)> = rows(
            &verdict(&[("a", 0.1), ("b", 0.9), ("c", 0.41), ("d", 0.3)], &["b"]),
            &thresholds,
        )
        .into_iter()
        .map(|row| (row.label, row.level))
        .collect();
        let expected = [
            ("b", Level::Over),
            ("c", Level::Near),
            ("d", Level::Fine),
            ("a", Level::Fine),
        ];
        assert_eq!(found, expected.map(|(label, level)| (label.to_owned(), level)));
    }
}
