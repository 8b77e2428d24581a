//! The discovery document says the same as the types that requests are read with.

use serde_json::Value;
use toxicity_protocols::perspective::{
    AnalyzeCommentRequest, AnalyzeCommentResponse, ArticleAndParentComment, AttributeParameters,
    AttributeScores, Context, Score, SpanScore, SuggestCommentScoreRequest, SuggestCommentScoreResponse,
    SuggestedScore, SuggestedScores, SuggestedSpanScore, TextEntry, discovery_document,
};
use utoipa::PartialSchema;

fn fields(schema: &Value) -> Vec<&String> {
    let mut names: Vec<_> = schema["properties"]
        .as_object()
        .expect("a schema has properties")
        .keys()
        .collect();
    names.sort_unstable();
    names
}

fn assert_same_fields<T: PartialSchema>(name: &str) {
    let document = discovery_document("http://localhost/");
    let schema = serde_json::to_value(T::schema()).expect("a schema is JSON");
    assert_eq!(fields(&document["schemas"][name]), fields(&schema), "{name}");
}

#[test]
fn its_schemas_have_the_fields_of_the_types() {
    assert_same_fields::<AnalyzeCommentRequest>("AnalyzeCommentRequest");
    assert_same_fields::<AnalyzeCommentResponse>("AnalyzeCommentResponse");
    assert_same_fields::<ArticleAndParentComment>("ArticleAndParentComment");
    assert_same_fields::<AttributeParameters>("AttributeParameters");
    assert_same_fields::<AttributeScores>("AttributeScores");
    assert_same_fields::<SuggestedScores>("AttributeScores");
    assert_same_fields::<Context>("Context");
    assert_same_fields::<Score>("Score");
    assert_same_fields::<SuggestedScore>("Score");
    assert_same_fields::<SpanScore>("SpanScore");
    assert_same_fields::<SuggestedSpanScore>("SpanScore");
    assert_same_fields::<SuggestCommentScoreRequest>("SuggestCommentScoreRequest");
    assert_same_fields::<SuggestCommentScoreResponse>("SuggestCommentScoreResponse");
    assert_same_fields::<TextEntry>("TextEntry");
}

#[test]
fn its_methods_lead_to_this_server() {
    let document = discovery_document("https://toxicity.example.org/");
    assert_eq!(document["rootUrl"], "https://toxicity.example.org/");
    assert_eq!(document["baseUrl"], document["rootUrl"]);
    let methods = document["resources"]["comments"]["methods"].as_object().unwrap();
    let paths: Vec<_> = methods.values().map(|method| &method["path"]).collect();
    assert_eq!(
        paths,
        ["v1alpha1/comments:analyze", "v1alpha1/comments:suggestscore"]
    );
}
