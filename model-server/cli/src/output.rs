//! How scored rows are written, and where to.

mod csv;
mod destination;
mod excerpt;
mod file;
mod json;
mod json_lines;
mod object;
mod table;

use std::path::Path;

use clap::ValueEnum;
use toxicity_input::Shape;

use crate::row::ScoredRow;

pub use destination::Destination;
pub use file::{OpenedFile, OutputFile, OutputFileError};
pub use table::Look;

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Scores in columns, for people; `*` marks those that are flagged.
    Table,
    /// One JSON list of all rows.
    Json,
    /// A JSON object per row.
    Jsonl,
    /// The columns of the input with the scores after them.
    Csv,
}

impl OutputFormat {
    /// The format that a file's name says.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "txt" => Some(Self::Table),
            _ => None,
        }
    }

    /// How this format writes the rows of a run.
    #[must_use]
    pub fn layout(self, document: Document, look: Look) -> Box<dyn Layout> {
        match self {
            Self::Table => Box::new(table::Table::new(document, look)),
            Self::Json => Box::new(json::Json(document)),
            Self::Jsonl => Box::new(json_lines::JsonLines(document)),
            Self::Csv => Box::new(csv::Csv(document)),
        }
    }
}

/// What all rows of an output have in common.
#[derive(Debug, Clone)]
pub struct Document {
    /// What the rows of the input are made of.
    pub shape: Shape,
    /// Names of the inputs, where there are several.
    pub inputs: Vec<String>,
    /// The labels that verdicts have a score for.
    pub labels: Vec<String>,
    /// Name under which verdicts are added: a key of an object, the beginning of a column's name.
    pub added: String,
    /// Whether the words that carry the verdict were asked for.
    pub spans: bool,
}

impl Document {
    /// The input that a row comes from, where there are several.
    fn input_of(&self, row: &ScoredRow) -> Option<&str> {
        self.inputs.get(row.row.input).map(String::as_str)
    }
}

/// Puts scored rows into bytes. It remembers nothing of what it wrote, so that an output can be gone on with.
pub trait Layout {
    /// What comes before the first row.
    fn begin(&self, output: &mut Vec<u8>);

    /// Some rows; `first` when none was written before them.
    fn rows(&self, rows: &[ScoredRow], first: bool, output: &mut Vec<u8>);

    /// What comes after the last row.
    fn end(&self, output: &mut Vec<u8>);
}
