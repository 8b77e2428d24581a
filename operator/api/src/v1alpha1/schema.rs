//! Parts of the schema that the types alone do not say.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A map of label to threshold.
pub fn thresholds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": { "type": "number", "minimum": 0.0, "maximum": 1.0 },
    })
}

/// A list of objects of which each name occurs once, merged by name when several people apply parts of it.
pub fn named_list<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 64,
        "items": generator.subschema_for::<T>(),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    })
}

/// The conditions of a status: one of each type.
pub fn conditions(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": generator.subschema_for::<k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition>(),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    })
}
