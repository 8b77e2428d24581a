//! Why no thresholds are chosen.

use std::path::PathBuf;

use toxicity_input::InputError;

use crate::engine::{LoadEngineError, ScoreError};

/// Why no thresholds are chosen.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The file cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The file has texts only.
    #[error(
        "failed to find old scores in \"{}\", which is read as plain text: a CSV, TSV or JSONL file is needed; see \
         --input-format",
        .0.display()
    )]
    ReadPlainText(PathBuf),
    /// The file has no rows.
    #[error(
        "failed to find a row in \"{}\": it must have a column of texts, a column of old scores per label, and a row \
         per comment",
        .0.display()
    )]
    FindRows(PathBuf),
    /// No row of the file can be read.
    #[error("failed to read any row of \"{}\"; the first, at line {line}: {failure}", path.display())]
    ReadRows {
        /// The file.
        path: PathBuf,
        /// Line of the first row.
        line: u64,
        /// What is wrong with it.
        failure: String,
    },
    /// No column has old scores.
    #[error(
        "failed to find old scores in \"{}\": it has {}; expected is at least one of {}, or one that is named by \
         --column-score LABEL=NAME",
        path.display(), quoted(found), expected.join(", ")
    )]
    FindScores {
        /// The file.
        path: PathBuf,
        /// The columns it has.
        found: Vec<String>,
        /// Names that are understood.
        expected: Vec<String>,
    },
    /// A column that was named is not there.
    #[error("failed to find the column \"{column}\" in \"{}\": it has {}", path.display(), quoted(found))]
    FindColumn {
        /// The column.
        column: String,
        /// The file.
        path: PathBuf,
        /// The columns it has.
        found: Vec<String>,
    },
    /// A threshold for a label that has no old scores.
    #[error(
        "failed to find the old scores of \"{label}\" in \"{}\", for which --old-threshold has a value; name their \
         column by --column-score {label}=NAME",
        path.display()
    )]
    FindScoresOfLabel {
        /// The label.
        label: String,
        /// The file.
        path: PathBuf,
    },
    /// A label that the model does not have.
    #[error("{option}: the model has no label \"{label}\"; it has {}", labels.join(", "))]
    FindLabel {
        /// The option of the command line.
        option: &'static str,
        /// The label.
        label: String,
        /// The labels it has.
        labels: Vec<String>,
    },
    /// Two columns for one label.
    #[error(
        "the columns \"{first}\" and \"{second}\" both hold old scores of \"{label}\"; choose one by --column-score \
         {label}={first}"
    )]
    ShareLabel {
        /// The label.
        label: String,
        /// A column.
        first: String,
        /// Another.
        second: String,
    },
    /// A cell is no score.
    #[error(
        "failed to read the score \"{value}\" in column \"{column}\" at line {line} of \"{}\": it must be a number from \
         0 to 1, or empty",
        path.display()
    )]
    ReadScore {
        /// The file.
        path: PathBuf,
        /// Line on which the row begins.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
    },
    /// The file is another one by now.
    #[error("failed to read \"{}\" a second time: it has another number of rows than before", .0.display())]
    ReadAgain(PathBuf),
    /// The model does not load.
    #[error(transparent)]
    LoadModel(#[from] LoadEngineError),
    /// No runtime.
    #[error("failed to start the asynchronous runtime")]
    StartRuntime(#[source] std::io::Error),
    /// The model gave up.
    #[error("failed to score the texts")]
    Score(#[source] ScoreError),
    /// No label gets a threshold.
    #[error("failed to choose a threshold for any label: {}", .0.join("; "))]
    Choose(Vec<String>),
    /// The result cannot be printed.
    #[error("failed to print the result")]
    Print(#[from] serde_json::Error),
    /// The thresholds cannot be written.
    #[error("failed to write \"{}\"", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn quoted(names: &[String]) -> String {
    let quoted = names.iter().map(|name| format!("\"{name}\""));
    quoted.collect::<Vec<_>>().join(", ")
}
