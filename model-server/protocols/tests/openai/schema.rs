//! What the OpenAPI document says of the wire types.

use serde_json::json;
use toxicity_protocols::openai::{
    Category, CreateModerationRequest, CreateModerationResponse, ErrorDetail, ModerationResult,
};
use utoipa::PartialSchema;

use crate::CATEGORIES;

#[test]
fn the_schemas_say_what_is_required() {
    let schema =
        |schema| serde_json::to_value::<utoipa::openapi::RefOr<utoipa::openapi::Schema>>(schema).unwrap();
    let request = schema(CreateModerationRequest::schema());
    assert_eq!(request["required"], json!(["input"]), "{request:#}");
    assert_eq!(request["additionalProperties"], false);
    let cases = [
        (
            schema(CreateModerationResponse::schema()),
            json!(["id", "model", "results", "unsupported_categories"]),
        ),
        (
            schema(ModerationResult::schema()),
            json!([
                "flagged",
                "categories",
                "category_scores",
                "category_applied_input_types",
                "flagged_labels",
                "label_scores",
            ]),
        ),
        (
            schema(ErrorDetail::schema()),
            json!(["message", "type", "param", "code"]),
        ),
    ];
    for (schema, required) in cases {
        assert_eq!(schema["required"], required, "{schema:#}");
    }
    assert_eq!(schema(Category::schema())["enum"], json!(CATEGORIES));
}
