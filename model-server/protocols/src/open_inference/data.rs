//! The `data` of a tensor in JSON: a list, or a list of lists as the shape says.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use utoipa::ToSchema;

use super::tensor::Elements;

/// Deepest nesting that a tensor of this server has.
const DEEPEST: usize = 2;

/// The elements, and how they were nested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) elements: Elements,
    /// Length of the outer list.
    pub(super) outer: usize,
    /// Length of each inner list, where there are any.
    pub(super) inner: Option<usize>,
}

/// Elements of a tensor, flat or nested as the shape says.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = OpenInferenceInputData)]
#[allow(dead_code, reason = "it only documents")]
pub(super) enum DataSchema {
    Strings(Vec<String>),
    Integers(Vec<i64>),
    NestedStrings(Vec<Vec<String>>),
    NestedIntegers(Vec<Vec<i64>>),
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut reading = Reading::default();
        let outer = List {
            reading: &mut reading,
            depth: 1,
        }
        .deserialize(deserializer)?;
        let elements = if reading.texts.is_empty() {
            Elements::Integers(reading.integers)
        } else {
            Elements::Texts(reading.texts)
        };
        Ok(Self {
            elements,
            outer,
            inner: reading.inner,
        })
    }
}

#[derive(Default)]
struct Reading {
    texts: Vec<String>,
    integers: Vec<i64>,
    inner: Option<usize>,
}

/// Reads a list into `reading` and gives its length.
struct List<'a> {
    reading: &'a mut Reading,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<usize, A::Error> {
        let mut length = 0;
        while list
            .next_element_seed(Element {
                reading: &mut *self.reading,
                depth: self.depth,
                index: length,
            })?
            .is_some()
        {
            length += 1;
        }
        Ok(length)
    }
}

/// Reads what stands at `index` of a list.
struct Element<'a> {
    reading: &'a mut Reading,
    depth: usize,
    index: usize,
}

impl Element<'_> {
    /// Checks that a plain element may stand here.
    fn plain<E: Error>(&self, mixed: bool) -> Result<(), E> {
        if mixed {
            Err(E::custom("the elements must be all strings or all integers"))
        } else if self.depth == 1 && self.reading.inner.is_some() {
            Err(E::custom("an element stands beside lists"))
        } else {
            Ok(())
        }
    }

    fn integer<E: Error>(self, integer: i64) -> Result<(), E> {
        self.plain(!self.reading.texts.is_empty())?;
        self.reading.integers.push(integer);
        Ok(())
    }

    fn text<E: Error>(self, text: String) -> Result<(), E> {
        self.plain(!self.reading.integers.is_empty())?;
        self.reading.texts.push(text);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or an integer")
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<(), E> {
        self.integer(integer)
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<(), E> {
        let integer = i64::try_from(integer).map_err(|_| E::custom("the integer is larger than 64 bits"))?;
        self.integer(integer)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.text(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<(), E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        if self.depth == DEEPEST {
            return Err(A::Error::custom(
                "the lists are nested deeper than any shape here",
            ));
        }
        if self.index > 0 && self.reading.inner.is_none() {
            return Err(A::Error::custom("a list stands beside elements"));
        }
        let length = List {
            reading: &mut *self.reading,
            depth: self.depth + 1,
        }
        .visit_seq(list)?;
        if *self.reading.inner.get_or_insert(length) == length {
            Ok(())
        } else {
            Err(A::Error::custom(
                "the lists are not all of one length; pad the shorter ones",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Data, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_are_read_flat_with_their_nesting() {
        let data = |elements, outer, inner| {
            Ok(Data {
                elements,
                outer,
                inner,
            })
        };
        let integers = |integers: &[i64]| Elements::Integers(integers.to_vec());
        let texts = |texts: &[&str]| Elements::Texts(texts.iter().map(|&text| text.to_owned()).collect());
        for (json, expected) in [
            ("[]", data(integers(&[]), 0, None)),
            ("[1, -2]", data(integers(&[1, -2]), 2, None)),
            (r#"["a", "\u00fc"]"#, data(texts(&["a", "ü"]), 2, None)),
            (
                "[[1, 2], [3, 4], [5, 6]]",
                data(integers(&[1, 2, 3, 4, 5, 6]), 3, Some(2)),
            ),
            (r#"[["a"], ["b"]]"#, data(texts(&["a", "b"]), 2, Some(1))),
            ("[[], []]", data(integers(&[]), 2, Some(0))),
        ] {
            assert_eq!(read(json), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_tensor_is_refused() {
        for (json, problem) in [
            ("\"a\"", "expected a list"),
            ("[1.5]", "expected a string or an integer"),
            ("[true]", "expected a string or an integer"),
            ("[null]", "expected a string or an integer"),
            ("[{}]", "expected a string or an integer"),
            ("[1, \"a\"]", "all strings or all integers"),
            ("[\"a\", 1]", "all strings or all integers"),
            ("[[1], 2]", "an element stands beside lists"),
            ("[1, [2]]", "a list stands beside elements"),
            ("[[1], [2, 3]]", "not all of one length"),
            ("[[[1]]]", "nested deeper"),
            ("[9223372036854775808]", "larger than 64 bits"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(problem), "{json}: {error}");
        }
    }
}
