//! A JSON object per line.

use std::io::BufRead;

use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::column::USUAL_NAMES;
use super::line::{Line, Lines};
use super::text::{decoded, too_long};
use super::{MAX_ROW_BYTES, Opened, ReadOptions, ReadRowError, Shape};
use crate::row::{Content, Original, RowFailure};

/// The fields of an object, their values as they were written.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub struct Fields<'a>(#[serde(borrow)] IndexMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The fields of the object that `text` is.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn parse(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Their names, in the order of the text.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value at `path`, whose steps are separated by dots. A name that holds a dot itself is found too.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&'a str> {
        if let Some(value) = self.0.get(path) {
            return Some(value.get());
        }
        path.match_indices('.').find_map(|(dot, _)| {
            let value = self.0.get(&path[..dot])?;
            Self::parse(value.get()).ok()?.find(&path[dot + 1..])
        })
    }
}

pub(super) fn open(reader: impl BufRead + Send + 'static, options: &ReadOptions) -> Opened {
    let (path, added) = (options.column.clone(), options.added.clone());
    let contents = Lines::new(reader, MAX_ROW_BYTES).map(move |line| match line? {
        Line::TooLong => Ok(too_long()),
        Line::Whole(bytes) => content(bytes, path.as_deref(), added.as_deref()),
    });
    Opened {
        shape: Shape::Objects,
        contents: Box::new(contents),
    }
}

fn content(line: Vec<u8>, path: Option<&str>, added: Option<&str>) -> Result<Content, ReadRowError> {
    let mut decoded = decoded(line, Original::Unreadable);
    if decoded.failure.is_some() {
        decoded.text.clear();
        return Ok(decoded);
    }
    let line = decoded.text;
    let fields = match Fields::parse(&line) {
        Ok(fields) => fields,
        Err(error) => {
            return Ok(Content::failed(
                Original::Unreadable,
                not_an_object(&line, &error),
            ));
        }
    };
    if let Some(added) = added.filter(|added| fields.0.contains_key(*added)) {
        return Err(ReadRowError::AddVerdict(added.to_owned()));
    }
    let text = match path {
        Some(path) => find_text(&fields, path),
        None => USUAL_NAMES
            .iter()
            .find(|name| fields.0.contains_key(**name))
            .ok_or_else(|| RowFailure("the row has no field \"text\"; name one with --column".to_owned()))
            .and_then(|name| find_text(&fields, name)),
    };
    Ok(match text {
        Ok(text) => Content {
            text,
            original: Original::Object(line),
            failure: None,
        },
        Err(failure) => Content::failed(Original::Object(line), failure),
    })
}

fn find_text(fields: &Fields, path: &str) -> Result<String, RowFailure> {
    let value = fields
        .find(path)
        .ok_or_else(|| RowFailure(format!("the row has no field \"{path}\"")))?;
    serde_json::from_str(value)
        .map_err(|_| RowFailure(format!("the field \"{path}\" is {}, not a text", kind(value))))
}

/// What a JSON value is, by its first character.
fn kind(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'"') => "a string with half a character",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'n') => "null",
        Some(b't' | b'f') => "a boolean",
        _ => "a number",
    }
}

fn not_an_object(line: &str, error: &serde_json::Error) -> RowFailure {
    RowFailure(if line.trim().is_empty() {
        "the line is empty".to_owned()
    } else if line.trim_start().starts_with('[') {
        "the line begins a list; one JSON object per line is read (jq -c '.[]' takes a list apart)".to_owned()
    } else {
        format!("the line is no JSON object: {error}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, path: Option<&str>) -> Content {
        content(line.into(), path, Some("toxicity")).unwrap()
    }

    fn failure(line: &str, path: Option<&str>) -> String {
        read(line, path).failure.expect("the row fails").0
    }

    #[test]
    fn a_text_is_found_by_its_path() {
        let line = r#"{"id": 7, "author": {"bio": {"en": "hi \"there\""}, "a.b": "dotted"}, "x.y": "flat"}"#;
        let text = |path| read(line, Some(path)).text;
        assert_eq!(text("author.bio.en"), "hi \"there\"");
        assert_eq!(text("author.a.b"), "dotted");
        assert_eq!(text("x.y"), "flat");
        assert_eq!(
            read(line, Some("x.y")).original,
            Original::Object(line.to_owned()),
            "the line is kept as it was written"
        );
    }

    #[test]
    fn without_a_path_the_usual_names_are_tried() {
        assert_eq!(read(r#"{"body": "a", "text": "b"}"#, None).text, "b");
        assert_eq!(read(r#"{"id": 1, "comment": "😀"}"#, None).text, "😀");
        assert!(failure(r#"{"id": 1}"#, None).contains("--column"));
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said() {
        assert!(failure(r#"{"a": {"b": 1}}"#, Some("a.c")).contains("no field \"a.c\""));
        assert!(failure(r#"{"a": {"b": 1}}"#, Some("a.b")).contains("a number, not a text"));
        assert!(failure(r#"{"a": null}"#, Some("a")).contains("null, not a text"));
        assert!(failure(r#"{"a": "\ud800"}"#, Some("a")).contains("half a character"));
        assert!(failure("[", None).contains("jq"));
        assert!(failure("", None).contains("empty"));
        assert!(failure("{\"a\": ", None).contains("no JSON object"));
        assert!(failure("7", None).contains("no JSON object"));
    }

    #[test]
    fn a_field_of_the_name_of_the_verdicts_is_not_written_over() {
        let error = content(
            br#"{"text": "a", "toxicity": 0.3}"#.to_vec(),
            None,
            Some("toxicity"),
        );
        assert!(error.unwrap_err().to_string().contains("--into"));
        assert!(content(br#"{"text": "a", "toxicity": 0.3}"#.to_vec(), None, None).is_ok());
    }
}
