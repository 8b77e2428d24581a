//! Words that a model marks, beside the characters that people marked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::scored::{Place, ScoredRow};
use crate::bench_server::load::as_number;
use crate::error::Error;

/// What has been compared so far.
#[derive(Debug)]
pub struct Marked {
    path: PathBuf,
    /// The texts, in the order of the file.
    pub texts: Vec<String>,
    /// How many of them are flagged. In others nothing is marked.
    pub flagged: usize,
    f1: f64,
    f1_of_flagged: f64,
}

/// Mean character F1, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub struct MeanF1 {
    /// Over all texts.
    pub of_all: f64,
    /// Over those that are flagged; nothing when none is.
    pub of_flagged: Option<f64>,
}

impl Marked {
    /// Nothing yet of the file at `path`.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            texts: Vec::new(),
            flagged: 0,
            f1: 0.0,
            f1_of_flagged: 0.0,
        }
    }

    /// Takes a row with the columns `text` and `spans`, a list of offsets of characters.
    ///
    /// # Errors
    /// When a column is missing or holds something else.
    pub fn take(&mut self, row: &ScoredRow) -> Result<(), Error> {
        let wrong = |message: String| Error::ReadLabels {
            path: self.path.clone(),
            message,
        };
        let text = row.columns.get("text").and_then(|text| text.as_str());
        let text = text.ok_or_else(|| wrong("there is no column \"text\"".to_owned()))?;
        let spans = row.columns.get("spans").and_then(|spans| spans.as_str());
        let spans = spans.ok_or_else(|| wrong("there is no column \"spans\"".to_owned()))?;
        let people: BTreeSet<usize> = serde_json::from_str(spans).map_err(|_| {
            wrong(format!(
                "row {} has \"{spans}\" in the column \"spans\", expected a list of offsets such as [4, 5, 6]",
                row.number
            ))
        })?;
        let f1 = character_f1(&characters(text, &row.spans), &people);
        self.f1 += f1;
        if !row.flags.is_empty() {
            self.flagged += 1;
            self.f1_of_flagged += f1;
        }
        self.texts.push(text.to_owned());
        Ok(())
    }

    /// The means over the texts.
    ///
    /// # Errors
    /// When there are none.
    pub fn mean_f1(&self) -> Result<MeanF1, Error> {
        if self.texts.is_empty() {
            return Err(Error::ReadLabels {
                path: self.path.clone(),
                message: "it has no rows".to_owned(),
            });
        }
        Ok(MeanF1 {
            of_all: self.f1 / as_number(self.texts.len() as u64),
            of_flagged: (self.flagged > 0).then(|| self.f1_of_flagged / as_number(self.flagged as u64)),
        })
    }
}

/// Characters of the marked words, by their number in the text. The blanks between two of them count as well: people mark
/// a phrase in one stroke.
fn characters(text: &str, words: &[Place]) -> BTreeSet<usize> {
    let mut bytes: Vec<bool> = vec![false; text.len()];
    let mut before: Option<usize> = None;
    for &Place { begin, end } in words {
        let joined = before.filter(|&before| {
            text.get(before..begin)
                .is_some_and(|between| between.trim().is_empty())
        });
        let begin = joined.unwrap_or(begin);
        bytes[begin..end.min(text.len())].fill(true);
        before = Some(end);
    }
    let places = text.char_indices().zip(0..);
    places
        .filter(|((byte, _), _)| bytes[*byte])
        .map(|(_, character)| character)
        .collect()
}

/// F1 of one text as SemEval-2021 task 5 counts it: 1 when nothing is to be marked and nothing is, 0 when only one of
/// the two marks something.
fn character_f1(marked: &BTreeSet<usize>, people: &BTreeSet<usize>) -> f64 {
    if marked.is_empty() || people.is_empty() {
        return f64::from(u8::from(marked.is_empty() && people.is_empty()));
    }
    2.0 * as_number(marked.intersection(people).count() as u64)
        / as_number((marked.len() + people.len()) as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(columns: &serde_json::Value, spans: Vec<Place>) -> ScoredRow {
        ScoredRow {
            number: 1,
            columns: columns.as_object().cloned().unwrap_or_default(),
            scores: serde_json::Map::new(),
            flags: spans.iter().map(|_| "toxic".to_owned()).collect(),
            spans,
        }
    }

    fn place(begin: usize, end: usize) -> Place {
        Place { begin, end }
    }

    #[test]
    fn neighbours_are_one_stroke_and_characters_are_not_bytes() {
        // "é" takes two bytes.
        let found = characters(
            "né stupid  idiot, fool",
            &[place(4, 10), place(12, 17), place(19, 23)],
        );
        assert_eq!(found, (3..16).chain(18..22).collect());
    }

    #[test]
    fn the_mean_is_over_texts() {
        let mut marked = Marked::new(Path::new("spans.csv"));
        let rows = [
            row(
                &json!({"text": "you idiot", "spans": "[4, 5, 6, 7, 8]"}),
                vec![place(4, 9)],
            ),
            row(
                &json!({"text": "you idiot", "spans": "[0, 1, 2]"}),
                vec![place(4, 9)],
            ),
            row(&json!({"text": "fine", "spans": "[]"}), vec![]),
            row(
                &json!({"text": "ab cd", "spans": "[0, 1]"}),
                vec![place(0, 2), place(3, 5)],
            ),
        ];
        for row in &rows {
            marked.take(row).unwrap();
        }
        // 1, 0, 1 and 2 · 2 / (5 + 2).
        let expected = (1.0 + 0.0 + 1.0 + 4.0 / 7.0) / 4.0;
        let found = marked.mean_f1().unwrap();
        assert!((found.of_all - expected).abs() < 1e-12);
        // Without the one in which nothing is marked.
        let expected = (1.0 + 0.0 + 4.0 / 7.0) / 3.0;
        assert_eq!(marked.flagged, 3);
        assert!((found.of_flagged.unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn a_file_of_something_else_is_told_apart() {
        let error = |columns| {
            let row = row(&columns, vec![]);
            Marked::new(Path::new("x.csv"))
                .take(&row)
                .unwrap_err()
                .to_string()
        };
        assert!(error(json!({"text": "a"})).contains("no column \"spans\""));
        assert!(error(json!({"spans": "[]"})).contains("no column \"text\""));
        let told = error(json!({"text": "a", "spans": "4-6"}));
        assert!(told.contains("row 1 has \"4-6\""), "{told}");
        assert!(Marked::new(Path::new("x.csv")).mean_f1().is_err());
    }
}
