//! The protocol of text-embeddings-inference and of the Hugging Face inference clients, as its clients see it.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use toxicity_api::Limits;
use toxicity_protocols::failure::Failure;
use toxicity_protocols::scored::{Labels, ScoredText};
use toxicity_protocols::text_embeddings_inference::{
    Error, Info, ModelType, PredictProtocol, PredictProtocolError, PredictRequest, Timings,
};

const LIMITS: Limits = Limits {
    body_bytes: 4096,
    texts: 8,
    characters: 1000,
    concurrent_requests: 1,
};

fn labels() -> Vec<String> {
    ["toxic", "threat", "insult"].map(str::to_owned).to_vec()
}

fn scored(count: usize) -> Vec<ScoredText> {
    let text = ScoredText {
        scores: vec![0.25, 0.125, 0.75],
        logits: vec![0.0, -1.0, 1.0],
        flagged: vec![false, false, true],
        tokens: 3,
        windows: 1,
    };
    vec![text; count]
}

fn read(body: &str) -> Result<PredictRequest, Error> {
    PredictRequest::read(body.as_bytes(), None, &LIMITS)
}

/// The answer to a request.
fn answer_to(body: &str, user_agent: Option<&str>) -> Value {
    let request = PredictRequest::read(body.as_bytes(), user_agent, &LIMITS).expect("a request");
    let names = labels();
    let labels = Labels {
        names: &names,
        thresholds: &[0.5; 3],
    };
    let scored = scored(request.texts.len());
    serde_json::to_value(request.form.answer(&labels, &scored)).expect("JSON")
}

fn best_first() -> Value {
    json!([
        {"score": 0.75, "label": "insult"},
        {"score": 0.25, "label": "toxic"},
        {"score": 0.125, "label": "threat"},
    ])
}

#[test]
fn one_text_is_answered_with_a_list_and_a_batch_with_a_list_of_lists() {
    assert_eq!(answer_to(r#"{"inputs": "a"}"#, None), best_first());
    assert_eq!(answer_to(r#"{"inputs": ["a"]}"#, None), best_first());
    assert_eq!(answer_to(r#"{"inputs": [["a"]]}"#, None), json!([best_first()]));
    assert_eq!(
        answer_to(r#"{"inputs": [["a"], ["b"]]}"#, None),
        json!([best_first(), best_first()])
    );
}

#[test]
fn the_hugging_face_clients_get_a_list_of_lists_for_one_text() {
    // huggingface_hub 2.4 sends `parameters` always.
    assert_eq!(
        answer_to(r#"{"inputs": "a", "parameters": {}}"#, None),
        json!([best_first()])
    );
    let javascript = Some("@huggingface/inference/4.13.0 Node.js/22");
    assert_eq!(answer_to(r#"{"inputs": "a"}"#, javascript), json!([best_first()]));
    assert_eq!(answer_to(r#"{"inputs": "a"}"#, Some("curl/8.5")), best_first());
}

#[test]
fn top_k_keeps_the_highest() {
    for (top_k, count) in [(1, 1), (2, 2), (99, 3)] {
        let body = json!({"inputs": "a", "parameters": {"top_k": top_k}}).to_string();
        let answer = answer_to(&body, None);
        assert_eq!(
            answer[0].as_array().unwrap()[..],
            best_first().as_array().unwrap()[..count]
        );
    }
}

#[test]
fn logits_become_scores_as_asked() {
    let scores = |fields: Value| -> Vec<f64> {
        let mut body = json!({"inputs": [["a"]]});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let answer = answer_to(&body.to_string(), None);
        answer[0]
            .as_array()
            .unwrap()
            .iter()
            .map(|prediction| prediction["score"].as_f64().unwrap())
            .collect()
    };
    let logits = [1.0, 0.0, -1.0];
    let sigmoid = [0.731_058_6, 0.5, 0.268_941_4];
    let softmax = [0.665_240_96, 0.244_728_5, 0.090_030_57];
    for (fields, expected) in [
        (json!({"raw_scores": true}), logits),
        (json!({"raw_scores": false}), [0.75, 0.25, 0.125]),
        (
            json!({"parameters": {"function_to_apply": null}}),
            [0.75, 0.25, 0.125],
        ),
        (json!({"parameters": {"function_to_apply": "none"}}), logits),
        (json!({"parameters": {"function_to_apply": "sigmoid"}}), sigmoid),
        (json!({"parameters": {"function_to_apply": "softmax"}}), softmax),
        (
            json!({"raw_scores": true, "parameters": {"function_to_apply": "sigmoid"}}),
            sigmoid,
        ),
    ] {
        let got = scores(fields.clone());
        let close = got
            .iter()
            .zip(expected)
            .all(|(got, expected): (&f64, f64)| (got - expected).abs() < 1e-6);
        assert!(close && got.len() == 3, "{fields}: {got:?}");
    }
}

#[test]
fn what_would_cut_a_text_is_taken_without_effect() {
    for fields in [
        r#""truncate": null"#,
        r#""truncate": true"#,
        r#""truncate": false, "truncation_direction": "Left""#,
        r#""truncation_direction": "right", "options": {"wait_for_model": true}"#,
    ] {
        assert_eq!(
            answer_to(&format!(r#"{{"inputs": "a", {fields}}}"#), None),
            best_first(),
            "{fields}"
        );
    }
}

#[test]
fn a_request_that_is_not_as_it_should_be_is_refused_by_field() {
    for (body, status, problem) in [
        ("", 400, "the body is not valid JSON"),
        ("{\"inputs\": \"a\"", 400, "the body is not valid JSON"),
        ("[]", 422, "expected an object"),
        ("{}", 422, "missing field `inputs`"),
        (
            r#"{"inputs": ["a", "b"]}"#,
            422,
            "`inputs`: a flat list of two texts is a pair in this protocol, and the model scores single texts; send \
             one text, or a batch of texts in lists of one each: [[\"first\"], [\"second\"]]",
        ),
        (
            r#"{"inputs": [["a"], ["b", "c"]]}"#,
            422,
            "`inputs[1]`: a list of more than one text is a pair",
        ),
        (
            r#"{"inputs": "a", "truncate": 1}"#,
            422,
            "`truncate`: invalid type: integer `1`",
        ),
        (
            r#"{"inputs": "a", "truncation_direction": "up"}"#,
            422,
            "unknown variant `up`",
        ),
        (
            r#"{"inputs": "a", "raw_scores": "yes"}"#,
            422,
            "`raw_scores`: invalid type: string",
        ),
        (
            r#"{"inputs": "a", "parameters": []}"#,
            422,
            "`parameters`: invalid type: sequence",
        ),
        (
            r#"{"inputs": "a", "parameters": {"top_k": 0}}"#,
            422,
            "`parameters.top_k`: must be at least 1",
        ),
        (
            r#"{"inputs": "a", "parameters": {"top_k": -1}}"#,
            422,
            "`parameters.top_k`",
        ),
        (
            r#"{"inputs": "a", "parameters": {"function_to_apply": "tanh"}}"#,
            422,
            "unknown variant `tanh`",
        ),
    ] {
        let error = read(body).unwrap_err();
        assert_eq!(error.status(), status, "{body}");
        let body = serde_json::to_value(error.body()).unwrap();
        assert!(body["error"].as_str().unwrap().contains(problem), "{body}");
        assert_eq!(body["error_type"], "Validation");
    }
}

#[test]
fn texts_are_checked_against_the_limits() {
    for (inputs, status, problem) in [
        (
            json!(""),
            400,
            "the text at index 0 holds nothing that can be scored",
        ),
        (
            json!([["a"], [" "]]),
            400,
            "the text at index 1 holds nothing that can be scored",
        ),
        (
            json!("x".repeat(1001)),
            422,
            "the text at index 0 has 1001 characters; the limit is 1000",
        ),
        (
            json!(vec![["a"]; 9]),
            422,
            "the request holds 9 texts; the limit is 8 per call",
        ),
    ] {
        let error = read(&json!({ "inputs": inputs }).to_string()).unwrap_err();
        assert_eq!(error.status(), status, "{error}");
        assert_eq!(error.to_string(), problem);
    }
}

#[test]
fn failures_have_the_kinds_and_the_status_of_the_protocol() {
    let (index, limit) = (1, 10);
    for (failure, status, error_type) in [
        (Failure::EmptyText { index }, 400, "Empty"),
        (
            Failure::TextTooLong {
                index,
                length: 11,
                limit,
            },
            422,
            "Validation",
        ),
        (Failure::TooManyTexts { count: 11, limit }, 422, "Validation"),
        (Failure::BodyTooLarge { limit }, 413, "Validation"),
        (
            Failure::InvalidHeader {
                name: "x-request-timeout",
                problem: "is wrong".to_owned(),
            },
            422,
            "Validation",
        ),
        (Failure::MissingKey, 401, "Validation"),
        (Failure::Unauthenticated("no key".to_owned()), 401, "Validation"),
        (
            Failure::Overloaded {
                retry_after_seconds: 1,
            },
            429,
            "Overloaded",
        ),
        (
            Failure::RateLimited {
                limit: 1,
                retry_after_seconds: 1,
            },
            429,
            "Overloaded",
        ),
        (
            Failure::Unavailable("the model is still loading".to_owned()),
            503,
            "Unhealthy",
        ),
    ] {
        let error = Error::from(failure.clone());
        assert_eq!(error.status(), status, "{failure}");
        assert_eq!(
            serde_json::to_value(error.body()).unwrap(),
            json!({"error": failure.to_string(), "error_type": error_type})
        );
    }
}

#[test]
fn the_field_says_which_protocol_a_body_is() {
    for (body, expected) in [
        (r#"{"input": "a"}"#, Ok(PredictProtocol::Native)),
        (r#"{"inputs": "a"}"#, Ok(PredictProtocol::TextEmbeddingsInference)),
        (
            r#"{"truncate": {"input": 1}, "inputs": [["a"]]}"#,
            Ok(PredictProtocol::TextEmbeddingsInference),
        ),
        (r#"{"in\u0070ut": 1}"#, Ok(PredictProtocol::Native)),
        ("{}", Err(PredictProtocolError::Neither)),
        (r#"{"text": "a"}"#, Err(PredictProtocolError::Neither)),
        (
            r#"{"input": "a", "inputs": "b"}"#,
            Err(PredictProtocolError::Both),
        ),
        (r#"["input"]"#, Err(PredictProtocolError::NoObject)),
    ] {
        assert_eq!(PredictProtocol::of(body.as_bytes()), expected, "{body}");
    }
    for body in ["", "{", r#"{"input": "a"} x"#, r#"{"input": tru}"#] {
        let outcome = PredictProtocol::of(body.as_bytes());
        assert!(
            matches!(outcome, Err(PredictProtocolError::Malformed(_))),
            "{body}"
        );
    }
}

#[test]
fn headers_tell_of_the_work() {
    let timings = Timings {
        compute_type: "cpu",
        characters: 11,
        tokens: 3,
        total: Duration::from_micros(7_900),
        tokenization: Duration::from_micros(100),
        queue: Duration::from_millis(2),
        inference: Duration::from_millis(5),
    };
    let headers = timings.headers();
    for (name, value) in [
        ("x-compute-type", "cpu"),
        ("x-compute-time", "7"),
        ("x-compute-characters", "11"),
        ("x-compute-tokens", "3"),
        ("x-total-time", "7"),
        ("x-tokenization-time", "0"),
        ("x-queue-time", "2"),
        ("x-inference-time", "5"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    assert_eq!(headers.len(), 8);
}

#[test]
fn the_info_has_the_fields_that_clients_read() {
    let names = labels();
    let labels = Labels {
        names: &names,
        thresholds: &[0.5; 3],
    };
    let info = Info {
        model_id: "unitary/toxic-bert".to_owned(),
        model_sha: None,
        model_dtype: "int8".to_owned(),
        served_model_name: "toxic-bert".to_owned(),
        model_type: ModelType::from(labels),
        max_concurrent_requests: 256,
        max_input_length: 512,
        max_batch_tokens: 1024,
        max_batch_requests: None,
        max_client_batch_size: 1000,
        auto_truncate: false,
        tokenization_workers: 2,
        sha: None,
        docker_label: None,
    };
    let info = serde_json::to_value(info).unwrap();
    assert_eq!(
        info["model_type"],
        json!({"classifier": {
            "id2label": {"0": "toxic", "1": "threat", "2": "insult"},
            "label2id": {"toxic": 0, "threat": 1, "insult": 2},
        }})
    );
    assert_eq!(info["model_sha"], Value::Null);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = PredictProtocol::of(&body);
        let _ = PredictRequest::read(&body, None, &LIMITS);
    }

    #[test]
    fn whatever_inputs_are_they_are_texts_or_refused(
        inputs in prop::collection::vec(prop_oneof![
            ".{0,3}".prop_map(Value::from),
            prop::collection::vec(".{0,3}".prop_map(Value::from), 0..3).prop_map(Value::from),
            Just(Value::Null),
        ], 0..4),
    ) {
        if let Ok(request) = read(&json!({ "inputs": inputs }).to_string()) {
            prop_assert_eq!(request.texts.len(), inputs.len());
        }
    }

    #[test]
    fn a_batch_is_read_as_it_was_sent(texts in prop::collection::vec("[^\\pZ\\pC].{0,20}", 1..8)) {
        let lists: Vec<_> = texts.iter().map(|text| [text]).collect();
        prop_assert_eq!(read(&json!({ "inputs": lists }).to_string()).unwrap().texts, texts);
    }
}
