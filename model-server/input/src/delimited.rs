//! CSV and TSV.

use std::io::{self, BufRead, Read};

use csv::{ByteRecord, ReaderBuilder};

use super::text::decoded;
use super::{
    InputError, InputFormat, MAX_ROW_BYTES, Opened, ReadOptions, ReadRowError, Shape, Source, column,
};
use crate::row::{Content, Original, RowFailure};

pub(super) fn open(
    reader: Box<dyn BufRead + Send>,
    format: InputFormat,
    source: &Source,
    options: &ReadOptions,
) -> Result<Opened, InputError> {
    let delimiter = if format == InputFormat::Tsv { b'\t' } else { b',' };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(RowLimit { reader, bytes: 0 });
    let mut first = ByteRecord::new();
    let mut line_end_waits = false;
    let found = read(&mut reader, &mut first, &mut line_end_waits).map_err(|error| InputError::Open {
        input: source.clone(),
        source: error.into(),
    })?;
    let columns = names(&first, options.no_header);
    if let Some(column) = clash(&columns, options.added.as_deref()) {
        return Err(InputError::AddVerdicts {
            input: source.clone(),
            column: column.to_owned(),
        });
    }
    // A file without a single row has nothing to choose from.
    let column = if found {
        column::choose(&columns, !options.no_header, options.column.as_deref()).map_err(|error| {
            InputError::ChooseColumn {
                input: source.clone(),
                source: error,
            }
        })?
    } else {
        0
    };
    let records = Records {
        reader,
        line_end_waits,
        first: Some(first).filter(|_| found && options.no_header),
        columns: columns.len(),
        column,
    };
    Ok(Opened {
        shape: Shape::Records(columns),
        contents: Box::new(records),
    })
}

fn names(first: &ByteRecord, no_header: bool) -> Vec<String> {
    if no_header {
        return (1..=first.len())
            .map(|number| format!("column{number}"))
            .collect();
    }
    first
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect()
}

/// The first column that has the name of the verdicts, or would belong to them.
fn clash<'a>(columns: &'a [String], added: Option<&str>) -> Option<&'a str> {
    let added = added?;
    let belongs = |column: &&String| {
        column
            .strip_prefix(added)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    columns.iter().find(belongs).map(String::as_str)
}

type Reader = csv::Reader<RowLimit<Box<dyn BufRead + Send>>>;

/// Reads a row, which then knows the line on which it begins. The library counts a line when it reads "\n", which of
/// "\r\n" it does only with the row that follows.
fn read(reader: &mut Reader, record: &mut ByteRecord, line_end_waits: &mut bool) -> csv::Result<bool> {
    if !reader.read_byte_record(record)? {
        return Ok(false);
    }
    if let Some(mut position) = record.position().cloned() {
        let line = position.line() + u64::from(*line_end_waits);
        let within = record.as_slice().split(|&byte| byte == b'\n').count() as u64 - 1;
        *line_end_waits = reader.position().line() == line + within;
        position.set_line(line);
        record.set_position(Some(position));
    }
    Ok(true)
}

/// The rows of data.
struct Records {
    reader: Reader,
    /// Whether half of a line's end, "\r\n", is still to be read.
    line_end_waits: bool,
    /// The first row, where it is no header.
    first: Option<ByteRecord>,
    columns: usize,
    column: usize,
}

impl Iterator for Records {
    type Item = Result<Content, ReadRowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(record) = self.first.take() {
            return Some(Ok(self.content(record)));
        }
        self.reader.get_mut().bytes = 0;
        let mut record = ByteRecord::new();
        match read(&mut self.reader, &mut record, &mut self.line_end_waits) {
            Ok(true) => Some(Ok(self.content(record))),
            Ok(false) => None,
            Err(error) => Some(Err(ReadRowError::Read(error.into()))),
        }
    }
}

impl Records {
    fn content(&self, record: ByteRecord) -> Content {
        if record.len() != self.columns {
            let failure = format!(
                "the row has {} fields and the file {} columns; is a quote missing?",
                record.len(),
                self.columns
            );
            return Content::failed(Original::Record(record), RowFailure(failure));
        }
        let text = record.get(self.column).unwrap_or_default().to_vec();
        decoded(text, Original::Record(record))
    }
}

/// Ends the input in the middle of a row that does not end.
struct RowLimit<R> {
    reader: R,
    /// Bytes read since the row began.
    bytes: usize,
}

impl<R: Read> Read for RowLimit<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes > MAX_ROW_BYTES {
            let limit = MAX_ROW_BYTES / (1024 * 1024);
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the next row is longer than {limit} MiB; is a quote left open in it?"),
            ));
        }
        let count = self.reader.read(buffer)?;
        self.bytes += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Row;

    /// The line and the text of each row.
    fn rows(file: &str) -> Vec<(u64, String)> {
        let reader = Box::new(std::io::Cursor::new(file.to_owned()));
        let options = ReadOptions::default();
        let opened = open(reader, InputFormat::Csv, &Source::StandardInput, &options).unwrap();
        let rows = opened.contents.zip(1..).map(|(content, number)| {
            let row = Row {
                input: 0,
                number,
                position: 0,
                content: content.unwrap(),
            };
            (row.line(), row.content.text)
        });
        rows.collect()
    }

    #[test]
    fn a_row_knows_the_line_on_which_it_begins() {
        for end in ["\n", "\r\n"] {
            let file = ["id,text", "1,one", "2,\"two\nthree\"", "3,four", ""].join(end);
            let expected = [(2, "one"), (3, "two\nthree"), (5, "four")];
            assert_eq!(
                rows(&file),
                expected.map(|(line, text)| (line, text.to_owned())),
                "{end:?}"
            );
        }
    }
}
