//! The columns of the input with the scores after them.

use csv::{ByteRecord, Writer};
use toxicity_input::{Original, Shape};

use super::{Document, Layout};
use crate::row::ScoredRow;

pub(super) struct Csv(pub(super) Document);

impl Csv {
    fn original_columns(&self) -> &[String] {
        match &self.0.shape {
            Shape::Records(columns) => columns,
            Shape::Texts | Shape::Objects => &[],
        }
    }

    fn header(&self) -> ByteRecord {
        let document = &self.0;
        let mut header = ByteRecord::new();
        match &document.shape {
            Shape::Records(columns) => header.extend(columns),
            Shape::Texts | Shape::Objects => header.push_field(b"text"),
        }
        let labels = document.labels.iter().map(String::as_str);
        let added = std::iter::empty()
            .chain((!document.inputs.is_empty()).then_some("file"))
            .chain(["row", "flagged", "flags"])
            .chain(labels)
            .chain(document.spans.then_some("words"))
            .chain(["error"]);
        for name in added {
            header.push_field(format!("{}.{name}", document.added).as_bytes());
        }
        header
    }

    fn record(&self, row: &ScoredRow) -> ByteRecord {
        let document = &self.0;
        let content = &row.row.content;
        let mut record = ByteRecord::new();
        match &content.original {
            // A row of a wrong number of fields must not move the columns after it.
            Original::Record(fields) => {
                let columns = self.original_columns().len();
                record.extend((0..columns).map(|index| fields.get(index).unwrap_or_default()));
            }
            Original::Text | Original::Object(_) | Original::Unreadable => {
                record.push_field(content.text.as_bytes());
            }
        }
        if let Some(input) = document.input_of(row) {
            record.push_field(input.as_bytes());
        }
        record.push_field(row.row.number.to_string().as_bytes());
        match &row.outcome {
            Ok(verdict) => {
                record.push_field(verdict.flagged.to_string().as_bytes());
                record.push_field(verdict.flags.join("; ").as_bytes());
                for label in &document.labels {
                    let score = verdict.scores.get(label).map(f32::to_string);
                    record.push_field(score.unwrap_or_default().as_bytes());
                }
                if document.spans {
                    let spans = verdict.spans.as_deref().unwrap_or_default();
                    let words: Vec<&str> = spans
                        .iter()
                        .filter_map(|span| content.text.get(span.bytes.range()))
                        .collect();
                    record.push_field(words.join("; ").as_bytes());
                }
                record.push_field(b"");
            }
            Err(failure) => {
                let empty = 2 + document.labels.len() + usize::from(document.spans);
                record.extend(std::iter::repeat_n("", empty));
                record.push_field(failure.0.as_bytes());
            }
        }
        record
    }
}

impl Layout for Csv {
    fn begin(&self, output: &mut Vec<u8>) {
        write(std::iter::once(self.header()), output);
    }

    fn rows(&self, rows: &[ScoredRow], _first: bool, output: &mut Vec<u8>) {
        write(rows.iter().map(|row| self.record(row)), output);
    }

    fn end(&self, _output: &mut Vec<u8>) {}
}

fn write(records: impl Iterator<Item = ByteRecord>, output: &mut Vec<u8>) {
    let mut writer = Writer::from_writer(output);
    for record in records {
        writer
            .write_byte_record(&record)
            .expect("records of one length go into memory");
    }
    writer.flush().expect("writing to memory does not fail");
}
