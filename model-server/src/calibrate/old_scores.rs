//! All old scores of a file.

use std::path::Path;

use toxicity_input::Rows;

use super::columns::{Cell, Columns, field_names, find_scores};
use super::error::CalibrateError;
use crate::model::Model;

/// The old scores of a file, in the order of its rows.
#[derive(Debug)]
pub(super) struct OldScores {
    /// Rows of the file.
    pub rows: usize,
    /// Per label of the model; nothing where no row has a place for it.
    labels: Vec<Option<Vec<Option<f64>>>>,
}

impl OldScores {
    /// Reads all rows, and keeps the scores alone.
    pub(super) fn read(
        rows: Rows,
        columns: &Columns,
        model: &Model,
        path: &Path,
    ) -> Result<Self, CalibrateError> {
        let mut labels: Vec<Option<Vec<Option<f64>>>> = vec![None; model.labels.len()];
        let (mut count, mut first_failure, mut found) = (0, None, None);
        for row in rows {
            let row = row?;
            count += 1;
            if let Some(failure) = &row.content.failure {
                first_failure.get_or_insert((row.line(), failure.to_string()));
            } else {
                found.get_or_insert_with(|| field_names(&row.content.original));
                for cell in columns.cells(&row.content.original, model)? {
                    let score = parse(&cell.value).ok_or_else(|| not_a_score(&cell, row.line(), path))?;
                    let scores = labels[cell.label].get_or_insert_default();
                    scores.resize(count - 1, None);
                    scores.push(score);
                }
            }
        }
        for scores in labels.iter_mut().flatten() {
            scores.resize(count, None);
        }
        if count == 0 {
            return Err(CalibrateError::FindRows(path.to_owned()));
        }
        let Some(found) = found else {
            let (line, failure) = first_failure.unwrap_or_default();
            return Err(CalibrateError::ReadRows {
                path: path.to_owned(),
                line,
                failure,
            });
        };
        for (label, field) in columns.chosen_fields() {
            if labels[*label].is_none() {
                return Err(CalibrateError::FindColumn {
                    column: field.clone(),
                    path: path.to_owned(),
                    found,
                });
            }
        }
        if labels.iter().all(Option::is_none) {
            return Err(find_scores(model, path, found));
        }
        Ok(Self { rows: count, labels })
    }

    /// The old score of each row, where it has one; nothing where the file has no place for this label.
    pub(super) fn of(&self, label: usize) -> Option<&[Option<f64>]> {
        self.labels[label].as_deref()
    }
}

/// A score, or that there is none; nothing where it is neither.
#[allow(
    clippy::option_option,
    reason = "an absent score and a wrong one are two things"
)]
fn parse(value: &str) -> Option<Option<f64>> {
    let value = value.trim();
    if value.is_empty() {
        return Some(None);
    }
    let score = value.parse().ok().filter(|score| (0.0..=1.0).contains(score))?;
    Some(Some(score))
}

fn not_a_score(cell: &Cell, line: u64, path: &Path) -> CalibrateError {
    CalibrateError::ReadScore {
        path: path.to_owned(),
        line,
        column: cell.column.to_string(),
        value: cell.value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use toxicity_input::{ReadOptions, Shape, Source};

    use super::*;
    use crate::calibrate::columns::ScoreColumn;
    use crate::calibrate::label::fixture::model;

    fn read(name: &str, content: &str, chosen: &[ScoreColumn]) -> Result<OldScores, CalibrateError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let rows = Rows::open(vec![Source::File(path)], ReadOptions::default())?;
        let (model, path) = (model(), Path::new(name));
        let columns = match &rows.shape {
            Shape::Records(names) => Columns::of_table(&model, names, chosen, path)?,
            Shape::Objects | Shape::Texts => Columns::of_objects(&model, chosen)?,
        };
        OldScores::read(rows, &columns, &model, path)
    }

    fn error(name: &str, content: &str) -> String {
        read(name, content, &[]).unwrap_err().to_string()
    }

    #[test]
    fn every_row_has_its_score_or_none() {
        let old = read("a.csv", "text,toxic\na,0.5\nb,\nc,0.1,too much\nd, 1\n", &[]).unwrap();
        assert_eq!(old.of(0).unwrap(), [Some(0.5), None, None, Some(1.0)]);
        assert_eq!((old.rows, old.of(1)), (4, None));
        let lines = "{\"text\": \"a\"}\n{\"text\": \"b\", \"INSULT\": 0.2, \"PROFANITY\": 2e-1}\n\n{\"text\": \"c\"}\n";
        let old = read("a.jsonl", lines, &[]).unwrap();
        assert_eq!(old.of(1).unwrap(), [None, Some(0.2), None, None]);
        assert_eq!(old.of(0), None);
    }

    #[test]
    fn a_wrong_score_is_named_with_its_place() {
        let told = error("a.csv", "text,TOXICITY\n\"a\nb\",0.5\nc,0.5\nd,1.2\n");
        assert!(
            told.contains("\"1.2\" in column \"TOXICITY\" at line 5 of \"a.csv\""),
            "{told}"
        );
        for wrong in ["high", "-0.1", "NaN", "inf", "0,5"] {
            let told = error("a.tsv", &format!("text\ttoxic\na\t{wrong}\n"));
            assert!(told.contains(wrong) && told.contains("line 2"), "{told}");
        }
        let told = error(
            "a.jsonl",
            "{\"text\": \"a\", \"toxic\": 0}\n{\"text\": \"b\", \"toxic\": [1]}\n",
        );
        assert!(told.contains("\"[1]\"") && told.contains("line 2"), "{told}");
    }

    #[test]
    fn a_file_without_what_is_needed_is_told_apart() {
        assert!(error("a.csv", "").contains("failed to find a row"));
        assert!(error("a.csv", "text,toxic\n").contains("failed to find a row"));
        assert!(error("a.jsonl", "").contains("failed to find a row"));
        let told = error("a.csv", "id,toxic\n1,0.5\n");
        assert!(told.contains("failed to choose the column"), "{told}");
        let told = error("a.jsonl", "{\"text\": \"a\", \"score\": 1}\n");
        assert!(told.contains("it has \"text\", \"score\""), "{told}");
        let told = error("a.jsonl", "{\"id\": 1, \"toxic\": 1}\n");
        assert!(told.contains("line 1: the row has no field \"text\""), "{told}");
        let chosen = ["toxic=old.score".parse().unwrap()];
        let told = read("a.jsonl", "{\"text\": \"a\", \"old\": 1}\n", &chosen).unwrap_err();
        assert!(told.to_string().contains("\"old.score\""), "{told}");
    }
}
