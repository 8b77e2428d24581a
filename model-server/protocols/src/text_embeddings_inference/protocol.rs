//! `POST /predict` is a route of this server's own protocol too; the name of the field tells them apart.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::json::{self, InvalidJson};

/// The protocols of `POST /predict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredictProtocol {
    /// `{"input": …}`: this server's own.
    Native,
    /// `{"inputs": …}`: text-embeddings-inference and Hugging Face.
    TextEmbeddingsInference,
}

/// Why a body belongs to neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PredictProtocolError {
    /// It is not JSON.
    #[error("the body is not valid JSON: {0}")]
    Malformed(String),
    /// It is no object.
    #[error("the body must be a JSON object")]
    NoObject,
    /// It has neither field.
    #[error(
        "the body holds no text; send `input` (one text, in this server's own protocol) or `inputs` (one text or a \
         batch, in that of text-embeddings-inference)"
    )]
    Neither,
    /// It has both.
    #[error("the body holds `input` and `inputs`; send one or the other")]
    Both,
}

impl PredictProtocol {
    /// The protocol of a body, by its top-level fields; their values are only skipped.
    ///
    /// # Errors
    /// When it is not JSON, or when its fields do not say.
    pub fn of(body: &[u8]) -> Result<Self, PredictProtocolError> {
        let fields: Fields = json::read(body).map_err(|error| match error {
            InvalidJson::Malformed(problem) => PredictProtocolError::Malformed(problem),
            InvalidJson::UnknownField { .. } | InvalidJson::Field { .. } => PredictProtocolError::NoObject,
        })?;
        match (fields.input, fields.inputs) {
            (true, false) => Ok(Self::Native),
            (false, true) => Ok(Self::TextEmbeddingsInference),
            (false, false) => Err(PredictProtocolError::Neither),
            (true, true) => Err(PredictProtocolError::Both),
        }
    }
}

/// Which of the fields that count are there.
#[derive(Default)]
struct Fields {
    input: bool,
    inputs: bool,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Input,
    Inputs,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::Input => fields.input = true,
                        Field::Inputs => fields.inputs = true,
                        Field::Other => {}
                    }
                    map.next_value::<IgnoredAny>()?;
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}
