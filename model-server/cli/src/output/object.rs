//! A row as a JSON object: what it held, and its verdict.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use toxicity_api::TextVerdict;
use toxicity_input::{Original, RowFailure, Shape};

use super::Document;
use crate::row::ScoredRow;

/// What is added to a row.
#[derive(Serialize)]
struct Added<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    row: u64,
    #[serde(flatten)]
    outcome: Written<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Verdict(&'a TextVerdict),
    Failure { error: &'a RowFailure },
}

/// Appends the row as one JSON object on one line, without an end of line.
pub(super) fn write_object(document: &Document, row: &ScoredRow, output: &mut Vec<u8>) {
    let added = Added {
        file: document.input_of(row),
        row: row.row.number,
        outcome: match &row.outcome {
            Ok(verdict) => Written::Verdict(verdict),
            Err(error) => Written::Failure { error },
        },
    };
    let written = match &row.row.content.original {
        Original::Object(line) => extend_object(line, &document.added, &added, output),
        Original::Text => {
            let fields = [("text".into(), row.row.content.text.as_str().into())];
            write_fields(fields.into_iter(), &document.added, &added, output)
        }
        Original::Record(record) => {
            let fields = record.iter().enumerate().map(|(index, value)| {
                let name = match &document.shape {
                    Shape::Records(columns) => columns.get(index).cloned(),
                    Shape::Texts | Shape::Objects => None,
                };
                let name = name.unwrap_or_else(|| format!("column{}", index + 1));
                (name, String::from_utf8_lossy(value))
            });
            write_fields(fields, &document.added, &added, output)
        }
        Original::Unreadable => write_fields(std::iter::empty(), &document.added, &added, output),
    };
    written.expect("writing to memory does not fail");
}

fn write_fields<'a>(
    fields: impl Iterator<Item = (String, std::borrow::Cow<'a, str>)>,
    name: &str,
    added: &Added,
    output: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let mut serializer = serde_json::Serializer::new(output);
    let mut object = serializer.serialize_map(None)?;
    for (name, value) in fields {
        object.serialize_entry(&name, &value)?;
    }
    object.serialize_entry(name, added)?;
    object.end()
}

/// Adds to an object as it was written, so that its numbers and the order of its fields stay what they are.
fn extend_object(line: &str, name: &str, added: &Added, output: &mut Vec<u8>) -> serde_json::Result<()> {
    let open = line.trim_end().strip_suffix('}').unwrap_or(line).trim_end();
    output.extend_from_slice(open.as_bytes());
    if !open.trim_start().eq("{") {
        output.push(b',');
    }
    serde_json::to_writer(&mut *output, name)?;
    output.push(b':');
    serde_json::to_writer(&mut *output, added)?;
    output.push(b'}');
    Ok(())
}
