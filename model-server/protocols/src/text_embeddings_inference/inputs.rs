//! The forms of `inputs`: one text, or a batch in lists of one text each.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

const EXPECTED: &str = "one text, or a batch of texts in lists of one each: [[\"first\"], [\"second\"]]";

/// The texts of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Texts {
    /// At least one.
    pub(super) texts: Vec<String>,
    /// Whether they came as a batch, and want an answer that is one.
    pub(super) batch: bool,
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Texts, E> {
        Ok(Texts {
            texts: vec![text],
            batch: false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        let Some(first) = list.next_element_seed(Element)? else {
            return Err(A::Error::custom("the list is empty; send at least one text"));
        };
        match first {
            Item::Text(text) => single(text, list),
            Item::List(text) => batch(text, list),
        }
    }
}

/// A flat list: of one text it is that text, as in text-embeddings-inference.
fn single<'de, A: SeqAccess<'de>>(text: String, mut rest: A) -> Result<Texts, A::Error> {
    let mut others = 0_usize;
    while rest.next_element::<IgnoredAny>()?.is_some() {
        others += 1;
    }
    match others {
        0 => Ok(Texts {
            texts: vec![text],
            batch: false,
        }),
        1 => Err(A::Error::custom(format_args!(
            "a flat list of two texts is a pair in this protocol, and the model scores single texts; send {EXPECTED}"
        ))),
        _ => Err(A::Error::custom(format_args!(
            "a flat list of {} texts is no form of this protocol; send {EXPECTED}",
            others + 1
        ))),
    }
}

fn batch<'de, A: SeqAccess<'de>>(first: String, mut rest: A) -> Result<Texts, A::Error> {
    let mut texts = vec![first];
    while let Some(item) = rest.next_element_seed(Element)? {
        match item {
            Item::List(text) => texts.push(text),
            Item::Text(_) => {
                return Err(A::Error::custom(format_args!(
                    "a text stands beside lists; send {EXPECTED}"
                )));
            }
        }
    }
    Ok(Texts { texts, batch: true })
}

/// What stands in the list.
enum Item {
    Text(String),
    /// A list of one text.
    List(String),
}

struct Element;

impl<'de> DeserializeSeed<'de> for Element {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element {
    type Value = Item;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a list of one text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Item, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Item, E> {
        Ok(Item::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let Some(text) = list.next_element()? else {
            return Err(A::Error::custom("the list is empty; it must hold one text"));
        };
        if list.next_element::<IgnoredAny>()?.is_none() {
            Ok(Item::List(text))
        } else {
            Err(A::Error::custom(
                "a list of more than one text is a pair in this protocol, and the model scores single texts; give \
                 each text a list of its own",
            ))
        }
    }
}

impl PartialSchema for Texts {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let list_of_one = || {
            ArrayBuilder::new()
                .items(text())
                .min_items(Some(1))
                .max_items(Some(1))
        };
        OneOfBuilder::new()
            .description(Some(
                "One text, also in a list of one; or a batch, each text in a list of its own.",
            ))
            .item(text())
            .item(list_of_one())
            .item(ArrayBuilder::new().items(list_of_one()).min_items(Some(1)))
            .examples([serde_json::json!("Thanks for sharing the sources.")])
            .into()
    }
}

impl ToSchema for Texts {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("TextEmbeddingsInputs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Texts, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_come_alone_or_as_a_batch() {
        let texts = |texts: &[&str], batch| {
            let texts = texts.iter().map(|&text| text.to_owned()).collect();
            Ok(Texts { texts, batch })
        };
        for (json, expected) in [
            (r#""a""#, texts(&["a"], false)),
            (r#"["a"]"#, texts(&["a"], false)),
            (r#"[["a"]]"#, texts(&["a"], true)),
            (r#"[["a"], ["b"], ["\u00fc"]]"#, texts(&["a", "b", "ü"], true)),
        ] {
            assert_eq!(read(json), expected, "{json}");
        }
    }

    #[test]
    fn every_other_form_is_refused_with_the_way_to_send_a_batch() {
        for (json, problem) in [
            (r#"["a", "b"]"#, "two texts is a pair"),
            (r#"["a", "b"]"#, r#"[["first"], ["second"]]"#),
            (r#"["a", "b", "c"]"#, "a flat list of 3 texts"),
            (r#"[["a", "b"]]"#, "more than one text is a pair"),
            (r#"[["a"], ["b", "c"]]"#, "a list of its own"),
            (r#"[["a"], "b"]"#, "a text stands beside lists"),
            (r#"["a", ["b"]]"#, "two texts is a pair"),
            ("[]", "the list is empty"),
            ("[[]]", "the list is empty"),
            ("1", "one text, or a batch"),
            ("null", "one text, or a batch"),
            ("[1]", "a text or a list of one text"),
            ("[[1]]", "expected a string"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(problem), "{json}: {error}");
        }
    }
}
