//! Version 1 of `KServe`.

use serde_json::json;
use toxicity_protocols::open_inference::v1::{PredictRequest, PredictResponse};

use crate::fixture::{LIMITS, model, scored, texts};

#[test]
fn instances_are_texts_and_predictions_scores_by_label() {
    let inputs = PredictRequest::read(br#"{"instances": ["a", "b"]}"#, &LIMITS).unwrap();
    assert_eq!(inputs, texts(&["a", "b"]));
    assert_eq!(
        serde_json::to_value(PredictResponse::of(&model(), &scored())).unwrap(),
        json!({"predictions": [
            {"toxic": 0.25, "threat": 0.125, "insult": 0.5},
            {"toxic": 0.125, "threat": 0.75, "insult": 0.5},
        ]})
    );
}

#[test]
fn what_holds_no_texts_is_refused() {
    for (body, problem) in [
        ("{}", "missing field `instances`"),
        (r#"{"instances": []}"#, "`instances` must hold at least one text"),
        (
            r#"{"instances": [{"text": "a"}]}"#,
            "`instances[0]`: invalid type: map, expected a string",
        ),
        (r#"{"instances": ["a", ""]}"#, "the text at index 1 holds nothing"),
        (r#"{"instances": "a"}"#, "`instances`: invalid type: string"),
    ] {
        let error = PredictRequest::read(body.as_bytes(), &LIMITS).unwrap_err();
        assert!(error.to_string().contains(problem), "{body}: {error}");
        assert_eq!(error.status(), 400);
    }
}
