//! Whatever is sent, it is read or refused.

use proptest::prelude::*;
use serde_json::{Value, json};
use toxicity_protocols::open_inference::InferRequest;
use toxicity_protocols::open_inference::repository::IndexRequest;
use toxicity_protocols::open_inference::v1::PredictRequest;

use crate::fixture::{LIMITS, model, read_binary, scored};

/// A tensor that is nearly right.
fn tensor() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["text", "input_ids", "attention_mask", "token_type_ids", "x"]);
    let datatype = prop::sample::select(vec!["BYTES", "INT64", "INT32", "FP32", ""]);
    let shape = prop::collection::vec(prop_oneof![0..4_i64, any::<i64>()], 0..4);
    let element = prop_oneof![
        (-2..3_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,3}".prop_map(Value::from),
        Just(Value::Null),
    ];
    let data = prop_oneof![
        prop::collection::vec(element.clone(), 0..6).prop_map(Value::from),
        prop::collection::vec(prop::collection::vec(element, 0..3).prop_map(Value::from), 0..4)
            .prop_map(Value::from),
        Just(Value::Null),
    ];
    let size = prop_oneof![
        Just(Value::Null),
        (0..64_u64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from)
    ];
    (name, datatype, shape, data, size).prop_map(|(name, datatype, shape, data, size)| {
        json!({
            "name": name, "datatype": datatype, "shape": shape, "data": data,
            "parameters": {"binary_data_size": size},
        })
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(
        length in prop::option::of("[0-9]{0,3}|.{0,3}"),
        body in prop::collection::vec(any::<u8>(), 0..256),
    ) {
        let _ = InferRequest::from_http(length.as_deref().map(str::as_bytes), &body, &model(), &LIMITS);
        let _ = PredictRequest::read(&body, &LIMITS);
        let _ = IndexRequest::read(&body);
    }

    #[test]
    fn tensors_that_are_nearly_right_are_scored_or_refused(
        tensors in prop::collection::vec(tensor(), 0..4),
        binary in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let request = json!({ "inputs": tensors }).to_string();
        if let Ok(request) = read_binary(&request, &binary) {
            prop_assert!(request.inputs.count() > 0);
            let _ = request.form.into_http(&model(), &scored());
        }
    }
}

#[test]
fn lists_in_lists_without_end_are_refused() {
    for depth in [3, 127, 100_000] {
        let data = "[".repeat(depth);
        let body =
            format!(r#"{{"inputs": [{{"name": "text", "shape": [1], "datatype": "BYTES", "data": {data}"#);
        let error = InferRequest::from_http(None, body.as_bytes(), &model(), &LIMITS).unwrap_err();
        assert_eq!(error.status(), 400, "{depth}");
        assert!(error.to_string().len() < 500, "{error}");
    }
}

#[test]
fn what_is_quoted_back_is_short() {
    let long = "x".repeat(100_000);
    for body in [
        format!(r#"{{"inputs": [{{"name": "{long}", "shape": [1], "datatype": "BYTES"}}]}}"#),
        format!(r#"{{"inputs": [{{"name": "text", "shape": [1], "datatype": "{long}"}}]}}"#),
        format!(
            r#"{{"inputs": [{{"name": "text", "shape": [{}1], "datatype": "BYTES"}}]}}"#,
            "1,".repeat(10_000)
        ),
        format!(r#"{{"inputs": "{long}"}}"#),
        format!(r#"{{"inputs": [], "outputs": [{{"name": "{long}"}}]}}"#),
    ] {
        let error = InferRequest::from_http(None, body.as_bytes(), &model(), &LIMITS).unwrap_err();
        assert!(error.to_string().len() < 600, "{error}");
    }
}
