//! What the OpenAPI document says of the wire types.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use toxicity_protocols::failure::Failure;
use toxicity_protocols::perspective::{
    AnalyzeCommentRequest, AnalyzeCommentResponse, AttributeScores, Detail, Error, ErrorBody, SpanScore,
    Status, SuggestCommentScoreRequest, SuggestedSpanScore,
};
use utoipa::PartialSchema;

fn schema<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).expect("a schema is JSON")
}

#[test]
fn required_fields_are_those_without_which_a_request_is_refused() {
    let cases = [
        (
            schema::<AnalyzeCommentRequest>(),
            json!(["comment", "requestedAttributes"]),
        ),
        (
            schema::<SuggestCommentScoreRequest>(),
            json!(["comment", "attributeScores"]),
        ),
        (schema::<SuggestedSpanScore>(), json!(["begin", "end", "score"])),
    ];
    for (schema, required) in cases {
        assert_eq!(schema["required"], required, "{schema:#}");
        assert_eq!(schema["additionalProperties"], false);
    }
}

#[test]
fn required_fields_of_an_answer_are_always_there() {
    let cases = [
        (
            schema::<AnalyzeCommentResponse>(),
            json!(["attributeScores", "languages"]),
        ),
        (schema::<AttributeScores>(), json!(null)),
        (schema::<SpanScore>(), json!(["begin", "end", "score"])),
        (schema::<ErrorBody>(), json!(["error"])),
        (schema::<Status>(), json!(["code", "message", "status"])),
    ];
    for (schema, required) in cases {
        assert_eq!(schema["required"], required, "{schema:#}");
    }
}

#[test]
fn fields_refer_to_their_types() {
    let request = schema::<AnalyzeCommentRequest>();
    let comment = &request["properties"]["comment"];
    assert!(
        comment.to_string().contains("#/components/schemas/TextEntry"),
        "{comment:#}"
    );
    let attributes = &request["properties"]["requestedAttributes"]["additionalProperties"];
    assert_eq!(
        *attributes,
        json!({"$ref": "#/components/schemas/AttributeParameters"})
    );
}

#[test]
fn the_details_of_an_error_are_as_documented() {
    let limit = Failure::RateLimited {
        limit: 1,
        retry_after_seconds: 1,
    };
    let language = Error::LanguageNotSupported {
        attribute: "TOXICITY".to_owned(),
        requested: vec!["om".to_owned()],
        detected: vec!["om".to_owned()],
        supported: vec!["en".to_owned()],
    };
    let documented = schema::<Detail>();
    let mut seen = BTreeSet::new();
    for error in [language, Error::from(limit)] {
        for detail in serde_json::to_value(error.body()).unwrap()["error"]["details"]
            .as_array()
            .unwrap()
        {
            let variants = documented["oneOf"].as_array().unwrap();
            let is_of = |variant: &&Value| variant["properties"]["@type"]["enum"][0] == detail["@type"];
            let variant = variants.iter().find(is_of).unwrap();
            for name in detail.as_object().unwrap().keys() {
                assert!(
                    !variant["properties"][name].is_null(),
                    "{name} is missing in {variant:#}"
                );
            }
            seen.insert(detail["@type"].to_string());
        }
    }
    assert_eq!(seen.len(), 4);
}
