//! Reads JSON bodies, with errors that name the field.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::text::shortened;

/// Bytes of a message about a field: serde quotes what it found, however long that is.
const LONGEST_PROBLEM: usize = 400;

/// Why a body is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidJson {
    /// It is not JSON at all.
    #[error("{0}")]
    Malformed(String),
    /// It holds a field that the protocol does not have.
    #[error("`{path}` is not known; expected {known}")]
    UnknownField {
        /// Path of the field, for example `comment.txet`.
        path: String,
        /// The fields there are, as a phrase.
        known: String,
    },
    /// A field is missing or of a wrong type.
    #[error("{}{problem}", prefix(path))]
    Field {
        /// Path of the field, for example `inputs[0].shape`; empty for the body as a whole.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

fn prefix(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("`{path}`: ")
    }
}

/// Reads a body that must be one JSON object.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, InvalidJson> {
    // Checked first because serde would say it of the place in the middle of a string where it noticed.
    let text = std::str::from_utf8(body)
        .map_err(|error| InvalidJson::Malformed(format!("byte {} is not UTF-8", error.valid_up_to())))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed: JsonObject<T> = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if !cause.is_data() {
            return malformed(&cause);
        }
        // A wrong type is reported where it stands; whether the rest is JSON decides what is said of the body.
        match serde_json::from_str::<IgnoredAny>(text) {
            Err(error) => malformed(&error),
            Ok(_) => invalid_field(if path == "." { "" } else { &path }, &cause),
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(parsed.0)
}

fn malformed(error: &serde_json::Error) -> InvalidJson {
    InvalidJson::Malformed(error.to_string())
}

fn invalid_field(path: &str, error: &serde_json::Error) -> InvalidJson {
    let path = shortened(path).into_owned();
    let full = error.to_string();
    let problem = full
        .rsplit_once(" at line ")
        .map_or(full.as_str(), |(problem, _)| problem);
    match problem
        .strip_prefix("unknown field ")
        .and_then(|rest| rest.rsplit_once(", expected "))
    {
        Some((_, known)) => InvalidJson::UnknownField {
            path,
            known: known.to_owned(),
        },
        None => InvalidJson::Field {
            path,
            problem: problem[..problem.floor_char_boundary(LONGEST_PROBLEM)].to_owned(),
        },
    }
}

/// A value that is a JSON object and nothing else: serde's derive alone would also take an array for the fields of a
/// struct in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        name: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        list: Vec<JsonObject<Inner>>,
    }

    fn error(body: &str) -> InvalidJson {
        read::<Outer>(body.as_bytes()).unwrap_err()
    }

    fn field(path: &str, problem: &str) -> InvalidJson {
        InvalidJson::Field {
            path: path.to_owned(),
            problem: problem.to_owned(),
        }
    }

    #[test]
    fn a_wrong_field_is_named_by_its_path() {
        assert_eq!(
            error(r#"{"list": [{"name": "a"}, {"name": 1}]}"#),
            field("list[1].name", "invalid type: integer `1`, expected a string")
        );
        assert_eq!(error("{}"), field("", "missing field `list`"));
    }

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        let problem = "invalid type: sequence, expected an object";
        assert_eq!(error("[[]]"), field("", problem));
        assert_eq!(error(r#"{"list": [["a"]]}"#), field("list[0]", problem));
    }

    #[test]
    fn an_unknown_field_is_told_apart() {
        assert_eq!(
            error(r#"{"list": [{"nmae": "a"}]}"#),
            InvalidJson::UnknownField {
                path: "list[0].nmae".to_owned(),
                known: "`name`".to_owned()
            }
        );
    }

    #[test]
    fn what_is_no_json_is_malformed_even_after_a_wrong_field() {
        for body in ["", "{", r#"{"list": 1, "#, r#"{"list": []} x"#, "[1,"] {
            assert!(matches!(error(body), InvalidJson::Malformed(_)), "{body}");
        }
        let quoted = format!(r#""{}"{{"#, "a".repeat(5_000));
        assert_eq!(
            error(&quoted),
            InvalidJson::Malformed("trailing characters at line 1 column 5003".to_owned())
        );
        assert_eq!(
            read::<Outer>(b"{\"list\": \"\xff\"}").unwrap_err(),
            InvalidJson::Malformed("byte 10 is not UTF-8".to_owned())
        );
    }
}
