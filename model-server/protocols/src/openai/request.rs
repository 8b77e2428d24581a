//! A request of moderation: one text, a list of texts, or the parts of one message.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use toxicity_api::Limits;
use utoipa::openapi::schema::{AdditionalProperties, OneOfBuilder};
use utoipa::openapi::{ArrayBuilder, Object, ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::Error;
use crate::{json, text};

/// Request of `POST /v1/moderations`.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateModerationRequest {
    /// What to judge: a text, a list of texts, or the text parts of one message.
    #[schema(required = true, value_type = Input)]
    input: Option<Input>,

    /// The model that the client means. The loaded model answers, whatever the name.
    #[schema(example = "omni-moderation-latest")]
    model: Option<String>,
}

/// A request whose texts are within the limits.
#[derive(Debug, Clone, PartialEq)]
pub struct ModerationRequest {
    /// The model that the client means.
    pub model: Option<String>,
    /// The texts to score, in their order; at least one.
    pub texts: Vec<String>,
    /// Whether the texts are parts of one message, which gets one result.
    pub(super) is_one_message: bool,
}

impl ModerationRequest {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// When it is not the JSON of a [`CreateModerationRequest`], holds an image, or a limit is passed.
    pub fn read(body: &[u8], limits: &Limits) -> Result<Self, Error> {
        let CreateModerationRequest { input, model } = json::read(body)?;
        let (texts, is_one_message) = match input {
            None => return Err(Error::MissingParameter("input".to_owned())),
            Some(Input::Text(text)) => (vec![text], true),
            Some(Input::List(items)) => texts_of(items)?,
        };
        text::check_all(&texts, limits)?;
        Ok(Self {
            model,
            texts,
            is_one_message,
        })
    }
}

/// The texts of a list, and whether they are parts of one message.
fn texts_of(items: Vec<Item>) -> Result<(Vec<String>, bool), Error> {
    let is_one_message = match items.first() {
        None => return Err(Error::EmptyInput),
        Some(Item::Text(_)) => false,
        Some(Item::Part(_)) => true,
    };
    let texts = items.into_iter().enumerate().map(|(index, item)| match item {
        Item::Text(text) if !is_one_message => Ok(text),
        Item::Part(part) if is_one_message => part.text_at(index),
        _ => Err(Error::MixedInput { index }),
    });
    Ok((texts.collect::<Result<_, _>>()?, is_one_message))
}

/// What to judge, as it comes, so that what is wrong with an item can be said.
#[derive(Debug, Clone, PartialEq)]
enum Input {
    Text(String),
    List(Vec<Item>),
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Text(String),
    Part(Part),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
    image_url: Option<IgnoredAny>,
}

impl Part {
    /// The text of the part at `index`.
    fn text_at(self, index: usize) -> Result<String, Error> {
        let missing = |name: &str| Error::MissingParameter(format!("input[{index}].{name}"));
        match self.kind.as_deref() {
            None => Err(missing("type")),
            Some("text") if self.image_url.is_some() => {
                Err(Error::UnknownParameter(format!("input[{index}].image_url")))
            }
            Some("text") => self.text.ok_or_else(|| missing("text")),
            Some(kind) => Err(Error::UnsupportedPart {
                index,
                kind: kind.to_owned(),
            }),
        }
    }
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InputVisitor;

        impl<'de> Visitor<'de> for InputVisitor {
            type Value = Input;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an array of strings or of text parts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Input, E> {
                Ok(Input::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Input, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Input::List(list))
            }
        }

        deserializer.deserialize_any(InputVisitor)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;

        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a text part")
            }

            fn visit_str<E>(self, text: &str) -> Result<Item, E> {
                Ok(Item::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
                Part::deserialize(MapAccessDeserializer::new(map)).map(Item::Part)
            }
        }

        deserializer.deserialize_any(ItemVisitor)
    }
}

impl PartialSchema for Input {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
        let list = |item: Object| ArrayBuilder::new().items(item).min_items(Some(1));
        let part = ObjectBuilder::new()
            .property("type", text().enum_values(Some(["text"])))
            .required("type")
            .property("text", text())
            .required("text")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        OneOfBuilder::new()
            .item(text().description(Some("One text: one result.")))
            .item(list(text().build()).description(Some("Several texts: a result for each.")))
            .item(list(part.build()).description(Some(
                "The parts of one message: one result. The model reads text only, so an image is refused rather than \
                 passed as harmless.",
            )))
            .examples([serde_json::json!("Thanks for sharing the sources.")])
            .into()
    }
}

impl ToSchema for Input {
    fn name() -> Cow<'static, str> {
        "ModerationInput".into()
    }
}
