//! Where texts come from: rows of files and streams, one after the other, however large.
//!
//! A crate of its own because two programs read such files: the command line `toxicity`, which is built on the model
//! server, and the model server itself, which calibrates thresholds by them and so cannot be built on the command line.

mod column;
mod compression;
mod delimited;
mod error;
mod format;
mod json_lines;
mod line;
mod plain;
mod row;
mod rows;
mod source;
mod text;

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use column::ChooseColumnError;
pub use error::{InputError, ReadRowError};
pub use format::InputFormat;
pub use json_lines::Fields;
pub use row::{Content, Original, Row, RowFailure};
pub use rows::Rows;
pub use source::{Source, SourceIdentity};

/// Longest row, in bytes. It bounds the memory that an unclosed quote or a file without line ends can take.
pub const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;

/// How to find the texts.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The format; absent means by the name of each file.
    pub format: Option<InputFormat>,
    /// Column of a CSV file or path of a JSON field.
    pub column: Option<String>,
    /// Whether a CSV file begins with a row of data.
    pub no_header: bool,
    /// Name under which verdicts will be added to what a row holds; a row must not have it already.
    pub added: Option<String>,
}

/// What the rows of an input are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Texts.
    Texts,
    /// Records with these columns.
    Records(Vec<String>),
    /// JSON objects.
    Objects,
}

type Contents = Box<dyn Iterator<Item = Result<Content, ReadRowError>> + Send>;

/// An input whose rows can be taken one by one.
struct Opened {
    shape: Shape,
    contents: Contents,
}

/// Opens `source`, unpacks it, finds its format and reads its header.
fn open(source: &Source, options: &ReadOptions, position: &Arc<AtomicU64>) -> Result<Opened, InputError> {
    let cannot_open = |error| InputError::Open {
        input: source.clone(),
        source: error,
    };
    let raw = source.read(Arc::clone(position)).map_err(cannot_open)?;
    let (mut reader, mark) = compression::unpack(raw)
        .and_then(line::without_byte_order_mark)
        .map_err(cannot_open)?;
    if mark == line::ByteOrderMark::Utf16 {
        return Err(InputError::Utf16(source.clone()));
    }
    let format = match options.format {
        Some(format) => format,
        None => guess_format(source, &mut reader)?,
    };
    if !format.is_delimited() && options.no_header {
        return Err(unused("--no-header", "CSV and TSV", source, format));
    }
    match format {
        InputFormat::Csv | InputFormat::Tsv => delimited::open(reader, format, source, options),
        InputFormat::Jsonl => Ok(json_lines::open(reader, options)),
        InputFormat::Text if options.column.is_some() => {
            Err(unused("--column", "CSV, TSV and JSONL", source, format))
        }
        InputFormat::Text => Ok(plain::open(reader)),
    }
}

/// By the name of a file. A stream has none: JSON objects are told by their first character.
fn guess_format(source: &Source, reader: &mut dyn BufRead) -> Result<InputFormat, InputError> {
    if let Source::File(path) = source {
        return InputFormat::of_name(path).ok_or_else(|| InputError::GuessFormat(source.clone()));
    }
    let start = reader.fill_buf().map_err(|error| InputError::Open {
        input: source.clone(),
        source: error,
    })?;
    Ok(if start.starts_with(b"{") {
        InputFormat::Jsonl
    } else {
        InputFormat::Text
    })
}

fn unused(option: &'static str, formats: &'static str, source: &Source, format: InputFormat) -> InputError {
    InputError::UnusedOption {
        option,
        formats,
        input: source.clone(),
        format,
    }
}
