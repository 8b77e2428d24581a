//! Why an input cannot be read.

use std::io;

use super::{ChooseColumnError, InputFormat, Source};

/// Why a row cannot be read, and with it all that follow.
#[derive(Debug, thiserror::Error)]
pub enum ReadRowError {
    /// The input breaks off, is damaged or has a row that does not end.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The row has a field where the verdict should go.
    #[error("the next row has a field \"{0}\" already; name another for the verdicts with --into")]
    AddVerdict(String),
}

/// Why an input cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be opened.
    #[error("failed to open {input}")]
    Open {
        /// The input.
        input: Source,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read on.
    #[error("failed to read {input} after row {row}")]
    ReadRow {
        /// The input.
        input: Source,
        /// The last row that was read.
        row: u64,
        /// Why.
        source: ReadRowError,
    },
    /// The name says nothing of the format.
    #[error(
        "failed to tell the format of {0} from its name; name it with --input-format csv, tsv, jsonl or text"
    )]
    GuessFormat(Source),
    /// The text column is not known.
    #[error("failed to choose the column of {input}")]
    ChooseColumn {
        /// The input.
        input: Source,
        /// Why.
        source: ChooseColumnError,
    },
    /// An option that this format has no use for.
    #[error("{option} is for {formats}, but {input} is read as {format}; see --input-format")]
    UnusedOption {
        /// The option.
        option: &'static str,
        /// What it is for.
        formats: &'static str,
        /// The input.
        input: Source,
        /// What the input is.
        format: InputFormat,
    },
    /// A column where the verdicts should go.
    #[error("{input} has a column \"{column}\" already; name another for the verdicts with --into")]
    AddVerdicts {
        /// The input.
        input: Source,
        /// The column.
        column: String,
    },
    /// Two inputs that do not go into one output.
    #[error("{second} has other columns than {first}; score it in a run of its own")]
    CombineInputs {
        /// The first input.
        first: Source,
        /// The one that differs.
        second: Source,
    },
    /// UTF-16, as spreadsheets save "Unicode text".
    #[error("{0} is UTF-16; save it as UTF-8, or convert it: iconv -f utf-16 -t utf-8")]
    Utf16(Source),
}

impl InputError {
    /// Whether the command line is wrong, and not the world.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Open { .. } | Self::ReadRow { .. } | Self::Utf16(_))
    }
}
