//! What is read of an input: one row.

use std::fmt;

use serde::Serialize;

/// A row of an input, numbered from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which of the inputs it comes from, from 0.
    pub input: usize,
    /// Its number within that input; a header does not count.
    pub number: u64,
    /// Bytes of all inputs, compressed ones as they lie on the disk, that were read when the row was complete.
    pub position: u64,
    /// The row itself.
    pub content: Content,
}

/// What a format finds in one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The text to score; empty where none was found.
    pub text: String,
    /// What else the row holds, to be written again.
    pub original: Original,
    /// Why the text cannot be scored, where that is known already.
    pub failure: Option<RowFailure>,
}

/// A row as it was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Original {
    /// Nothing but the text.
    Text,
    /// The fields of a CSV or TSV file.
    Record(csv::ByteRecord),
    /// A JSON object on one line, as it was written.
    Object(String),
    /// Nothing that could be written again.
    Unreadable,
}

impl Content {
    /// A row that is nothing but a text.
    #[must_use]
    pub fn text(text: String) -> Self {
        Self {
            text,
            original: Original::Text,
            failure: None,
        }
    }

    /// A row without a text.
    #[must_use]
    pub fn failed(original: Original, failure: RowFailure) -> Self {
        Self {
            text: String::new(),
            original,
            failure: Some(failure),
        }
    }
}

impl Row {
    /// The line of its input, from 1, on which the row begins.
    #[must_use]
    pub fn line(&self) -> u64 {
        match &self.content.original {
            Original::Record(record) => record.position().map_or(self.number, csv::Position::line),
            Original::Text | Original::Object(_) | Original::Unreadable => self.number,
        }
    }

    /// Bytes that the row takes in memory, roughly.
    #[must_use]
    pub fn memory(&self) -> usize {
        const FIXED: usize = 256;
        let original = match &self.content.original {
            Original::Text | Original::Unreadable => 0,
            // Each field's end is kept too.
            Original::Record(record) => record.as_slice().len() + record.len() * size_of::<usize>(),
            Original::Object(line) => line.len(),
        };
        FIXED + self.content.text.len() + original
    }
}

/// Why one row has no verdict while the others go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RowFailure(pub String);

impl fmt::Display for RowFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
