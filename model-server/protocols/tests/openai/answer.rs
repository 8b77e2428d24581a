//! From scores to categories.

use serde_json::{Value, json};

use crate::fixture::{Model, scored};
use crate::{CATEGORIES, read};

/// The answer to `input` when its texts score `scores` in turn.
fn answer(model: &Model, input: &Value, scores: &[&[f32]]) -> Value {
    let request = read(&json!({"input": input})).expect("the request must be read");
    assert_eq!(request.texts.len(), scores.len());
    let results: Vec<_> = scores.iter().map(|scores| scored(scores)).collect();
    serde_json::to_value(request.answer("toxic-minilm", 0xabc, &model.labels(), &results))
        .expect("an answer is JSON")
}

/// `default` for all categories but those of `changes`.
fn per_category(default: &Value, changes: &Value) -> Value {
    let value = |name: &str| changes.get(name).unwrap_or(default).clone();
    CATEGORIES
        .iter()
        .map(|&name| (name.to_owned(), value(name)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn a_text_gets_a_result_of_all_categories() {
    let scores = [0.75, 0.125, 0.25, 0.625, 0.875, 0.5];
    let answer = answer(&Model::jigsaw(), &json!("I will find you, fool."), &[&scores]);
    let expected = json!({
        "id": "modr-00000000000000000000000000000abc",
        "model": "toxic-minilm",
        "results": [{
            "flagged": true,
            "categories": per_category(&json!(false), &json!({
                "harassment": true, "harassment/threatening": true, "hate": true, "hate/threatening": true,
                "violence": true,
            })),
            "category_scores": per_category(&json!(0.0), &json!({
                "harassment": 0.875, "harassment/threatening": 0.625, "hate": 0.5, "hate/threatening": 0.5,
                "violence": 0.625,
            })),
            "category_applied_input_types": per_category(&json!([]), &json!({
                "harassment": ["text"], "harassment/threatening": ["text"], "hate": ["text"],
                "hate/threatening": ["text"], "violence": ["text"],
            })),
            "flagged_labels": ["toxic", "threat", "insult", "identity_hate"],
            "label_scores": {
                "toxic": 0.75, "severe_toxic": 0.125, "obscene": 0.25, "threat": 0.625, "insult": 0.875,
                "identity_hate": 0.5,
            },
        }],
        "unsupported_categories": [
            "illicit", "illicit/violent", "self-harm", "self-harm/intent", "self-harm/instructions", "sexual",
            "sexual/minors", "violence/graphic",
        ],
    });
    assert_eq!(answer, expected);
}

#[test]
fn categories_come_from_the_labels_of_either_family() {
    // Labels at 0.75; categories that are true.
    type Names = &'static [&'static str];
    let cases: [(Names, Names); 10] = [
        (&[], &[]),
        (&["toxic"], &["harassment"]),
        (&["toxicity"], &["harassment"]),
        (&["severe_toxicity"], &["harassment"]),
        (&["insult"], &["harassment"]),
        (&["obscene"], &[]),
        (&["threat"], &["harassment/threatening", "violence"]),
        (&["identity_attack"], &["hate"]),
        (
            &["threat", "identity_hate"],
            &["harassment/threatening", "hate", "hate/threatening", "violence"],
        ),
        (&["sexual_explicit"], &["sexual"]),
    ];
    for (high, categories) in cases {
        let has = |model: &Model, name: &&str| model.labels().names.iter().any(|label| label == name);
        let models = [Model::jigsaw(), Model::detoxify()];
        let model = models
            .iter()
            .find(|model| high.iter().all(|name| has(model, name)))
            .unwrap();
        let score = |label: &String| {
            if high.contains(&label.as_str()) {
                0.75
            } else {
                0.125
            }
        };
        let scores: Vec<f32> = model.labels().names.iter().map(score).collect();
        let result = &answer(model, &json!("x"), &[&scores])["results"][0];
        let is_true = |name: &&str| result["categories"][name] == true;
        assert_eq!(
            CATEGORIES.into_iter().filter(is_true).collect::<Vec<_>>(),
            categories,
            "{high:?}"
        );
        assert_eq!(result["flagged"], !high.is_empty(), "{high:?}");
        assert_eq!(result["flagged_labels"], json!(high), "{high:?}");
    }
}

#[test]
fn what_has_no_category_still_flags() {
    let scores = [0.25, 0.0, 0.75, 0.0, 0.0, 0.0];
    let result = &answer(&Model::jigsaw(), &json!("x"), &[&scores])["results"][0];
    assert_eq!(result["flagged"], true);
    assert_eq!(result["categories"], per_category(&json!(false), &json!({})));
    assert_eq!(result["flagged_labels"], json!(["obscene"]));
}

#[test]
fn a_model_of_other_labels_supports_no_category() {
    let answer = answer(&Model::of(&["spam", "ham"]), &json!("x"), &[&[0.75, 0.25]]);
    assert_eq!(answer["unsupported_categories"], json!(CATEGORIES));
    assert_eq!(answer["results"][0]["flagged"], true);
    assert_eq!(
        answer["results"][0]["category_scores"],
        per_category(&json!(0.0), &json!({}))
    );
    // Both labels of a pair are needed.
    let of_hate = Model::of(&["identity_hate"]);
    let answer = self::answer(&of_hate, &json!("x"), &[&[0.75]]);
    assert!(
        answer["unsupported_categories"]
            .as_array()
            .unwrap()
            .contains(&json!("hate/threatening"))
    );
    assert_eq!(
        answer["results"][0]["categories"],
        per_category(&json!(false), &json!({"hate": true}))
    );
}

#[test]
fn a_list_of_texts_gets_a_result_for_each() {
    let (high, low): ([f32; 6], [f32; 6]) = ([0.75; 6], [0.25; 6]);
    let answer = answer(&Model::jigsaw(), &json!(["a", "b", "c"]), &[&low, &high, &low]);
    let results = answer["results"].as_array().unwrap();
    let flagged: Vec<_> = results
        .iter()
        .map(|result| result["flagged"].as_bool().unwrap())
        .collect();
    assert_eq!(flagged, [false, true, false]);
}

#[test]
fn the_parts_of_a_message_get_one_result_of_the_highest_scores() {
    let parts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
    let scores: [&[f32]; 2] = [
        &[0.75, 0.0, 0.0, 0.0, 0.0, 0.25],
        &[0.25, 0.0, 0.0, 0.625, 0.0, 0.0],
    ];
    let answer = answer(&Model::jigsaw(), &parts, &scores);
    assert_eq!(answer["results"].as_array().unwrap().len(), 1);
    let result = &answer["results"][0];
    assert_eq!(result["flagged_labels"], json!(["toxic", "threat"]));
    assert_eq!(result["category_scores"]["harassment"], 0.75);
    assert_eq!(result["category_scores"]["violence"], 0.625);
    assert_eq!(result["category_scores"]["hate/threatening"], 0.25);
}

#[test]
fn the_model_is_read_and_may_be_left_out() {
    let read = |body: Value| read(&body).unwrap().model;
    assert_eq!(
        read(json!({"input": "x", "model": "omni-moderation-latest"})).as_deref(),
        Some("omni-moderation-latest")
    );
    assert_eq!(read(json!({"input": "x"})), None);
    assert_eq!(read(json!({"input": "x", "model": null})), None);
}
