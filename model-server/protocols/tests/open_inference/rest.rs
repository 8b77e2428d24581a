//! Inference over HTTP.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use proptest::prelude::*;
use serde_json::{Value, json};
use toxicity_protocols::open_inference::rest::HEADER_LENGTH;
use toxicity_protocols::open_inference::{InferRequest, Inputs};

use crate::fixture::{LIMITS, answer, encoded, model, parts, read, read_binary, texts, tokens};

/// What `tritonclient.http` 2.73 sends for two texts, and for two rows of tokens with the mask in JSON.
mod tritonclient {
    pub const TEXTS: (&str, &[u8]) = (
        r#"{"id":"42","inputs":[{"name":"text","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":30}}],"parameters":{"binary_data_output":true}}"#,
        b"\r\0\0\0you are great\t\0\0\0\xc3\xbcn\xc3\xafcode",
    );
    pub const SOME_OUTPUTS: (&str, &[u8]) = (
        r#"{"inputs":[{"name":"text","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":30}}],"outputs":[{"name":"scores","parameters":{"binary_data":true}},{"name":"flagged","parameters":{"binary_data":false}}],"parameters":{"timeout":500000}}"#,
        TEXTS.1,
    );
    pub const CLASSIFICATION: &str = r#"{"inputs":[{"name":"text","shape":[2,1],"datatype":"BYTES","data":["a","b"]}],"outputs":[{"name":"scores","parameters":{"classification":2,"binary_data":true}}]}"#;
    pub const TOKENS: (&str, &[u8]) = (
        r#"{"inputs":[{"name":"input_ids","shape":[2,3],"datatype":"INT64","parameters":{"binary_data_size":48}},{"name":"attention_mask","shape":[2,3],"datatype":"INT64","data":[1,1,1,1,1,0]}],"parameters":{"binary_data_output":true}}"#,
        b"e\0\0\0\0\0\0\0\xa8\x1d\0\0\0\0\0\0f\0\0\0\0\0\0\0e\0\0\0\0\0\0\0f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    );
}

/// A request with one input `text`.
fn text_input(fields: &str) -> String {
    format!(r#"{{"inputs": [{{"name": "text", {fields}}}]}}"#)
}

#[test]
fn a_text_is_read_from_flat_and_nested_data() {
    for fields in [
        r#""shape": [2], "datatype": "BYTES", "data": ["a", "b"]"#,
        r#""shape": [2, 1], "datatype": "BYTES", "data": ["a", "b"]"#,
        r#""shape": [2, 1], "datatype": "BYTES", "data": [["a"], ["b"]]"#,
        r#""data": ["a", "b"], "datatype": "BYTES", "parameters": null, "shape": [2]"#,
        r#""shape": [2], "datatype": "BYTES", "data": ["a", "b"], "parameters": {"content_type": "str"}"#,
    ] {
        assert_eq!(
            read(&text_input(fields)).unwrap().inputs,
            texts(&["a", "b"]),
            "{fields}"
        );
    }
}

#[test]
fn the_bytes_of_tritonclient_are_read() {
    let read = |(json, binary): (&str, &[u8])| read_binary(json, binary).unwrap();
    assert_eq!(
        read(tritonclient::TEXTS).inputs,
        texts(&["you are great", "ünïcode"])
    );
    assert_eq!(read(tritonclient::TEXTS).timeout, None);
    assert_eq!(
        read(tritonclient::SOME_OUTPUTS).timeout,
        Some(Duration::from_millis(500))
    );
    assert_eq!(
        read(tritonclient::TOKENS).inputs,
        tokens(&[&[101, 7592, 102], &[101, 102]])
    );
}

#[test]
fn a_timeout_of_zero_is_none() {
    let request = |timeout: u64| {
        let input = json!({"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]});
        let request = json!({"inputs": [input], "parameters": {"timeout": timeout}});
        read(&request.to_string()).unwrap().timeout
    };
    assert_eq!(request(0), None);
    assert_eq!(request(1), Some(Duration::from_micros(1)));
}

#[test]
fn all_outputs_come_as_json_when_none_is_named() {
    let request = read(&text_input(
        r#""shape": [2], "datatype": "BYTES", "data": ["a", "b"]"#,
    ))
    .unwrap();
    let answer = answer(request);
    assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
    assert_eq!(answer.headers.get(HEADER_LENGTH), None);
    assert_eq!(
        parts(&answer),
        (
            json!({
                "model_name": "toxic",
                "model_version": "5eedf00d",
                "outputs": [
                    {
                        "name": "scores", "datatype": "FP32", "shape": [2, 3],
                        "data": [0.25, 0.125, 0.5, 0.125, 0.75, 0.5],
                    },
                    {
                        "name": "logits", "datatype": "FP32", "shape": [2, 3],
                        "data": [-1.5, -2.0, 0.0, -2.0, 1.5, 0.0],
                    },
                    {
                        "name": "flags", "datatype": "BOOL", "shape": [2, 3],
                        "data": [false, false, false, false, true, false],
                    },
                    { "name": "flagged", "datatype": "BOOL", "shape": [2], "data": [false, true] },
                    {
                        "name": "labels", "datatype": "BYTES", "shape": [3],
                        "data": ["toxic", "threat", "insult"],
                    },
                ],
            }),
            Vec::new()
        )
    );
}

#[test]
fn outputs_come_in_the_order_and_the_form_asked_for() {
    let (json, binary) = tritonclient::SOME_OUTPUTS;
    let answer = answer(read_binary(json, binary).unwrap());
    assert_eq!(answer.headers[CONTENT_TYPE], "application/octet-stream");
    let (json, binary) = parts(&answer);
    assert_eq!(
        json["outputs"],
        json!([
            { "name": "scores", "datatype": "FP32", "shape": [2, 3], "parameters": { "binary_data_size": 24 } },
            { "name": "flagged", "datatype": "BOOL", "shape": [2], "data": [false, true] },
        ])
    );
    assert_eq!(json["id"], Value::Null);
    let scores: Vec<u8> = [0.25_f32, 0.125, 0.5, 0.125, 0.75, 0.5]
        .iter()
        .flat_map(|score| score.to_le_bytes())
        .collect();
    assert_eq!(binary, scores);
}

#[test]
fn binary_outputs_follow_one_another_and_the_id_comes_back() {
    let (json, binary) = tritonclient::TEXTS;
    let (json, binary) = parts(&answer(read_binary(json, binary).unwrap()));
    assert_eq!(json["id"], "42");
    let sizes: Vec<_> = json["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|output| output["parameters"]["binary_data_size"].as_u64().unwrap())
        .collect();
    assert_eq!(sizes, [24, 24, 6, 2, 29]);
    assert_eq!(binary[48..54], [0, 0, 0, 0, 1, 0]);
    assert_eq!(binary[54..56], [0, 1]);
    assert_eq!(binary[56..], encoded(&["toxic", "threat", "insult"]));
}

#[test]
fn what_an_output_says_of_binary_data_goes_before_what_the_request_says() {
    let request = r#"{
        "inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]}],
        "outputs": [{"name": "flagged"}, {"name": "labels", "parameters": {"binary_data": false}}],
        "parameters": {"binary_data_output": true}
    }"#;
    let (json, binary) = parts(&answer(read(request).unwrap()));
    assert_eq!(json["outputs"][0]["parameters"]["binary_data_size"], 2);
    assert_eq!(json["outputs"][1]["data"], json!(["toxic", "threat", "insult"]));
    assert_eq!(binary, [0, 1]);
}

#[test]
fn a_classification_ranks_values_with_index_and_label() {
    let (json, binary) = parts(&answer(read(tritonclient::CLASSIFICATION).unwrap()));
    assert_eq!(json["outputs"][0]["datatype"], "BYTES");
    assert_eq!(json["outputs"][0]["shape"], json!([2, 2]));
    let expected = [
        "0.500000:2:insult",
        "0.250000:0:toxic",
        "0.750000:1:threat",
        "0.500000:2:insult",
    ];
    assert_eq!(binary, encoded(&expected));
}

#[test]
fn a_classification_into_more_classes_than_labels_gives_all_labels() {
    let request = tritonclient::CLASSIFICATION
        .replace("\"classification\":2", "\"classification\":18446744073709551615")
        .replace("\"binary_data\":true", "\"binary_data\":false");
    let (json, _) = parts(&answer(read(&request).unwrap()));
    assert_eq!(json["outputs"][0]["shape"], json!([2, 3]));
    assert_eq!(json["outputs"][0]["data"][2], "0.125000:1:threat");
}

#[test]
fn a_body_without_json_is_one_text() {
    let request = InferRequest::from_http(Some(b"0"), "naïve text".as_bytes(), &model(), &LIMITS).unwrap();
    assert_eq!(request.inputs, texts(&["naïve text"]));
    let (json, binary) = parts(&request.form.into_http(&model(), &crate::fixture::scored()[..1]));
    assert_eq!(json["outputs"].as_array().unwrap().len(), 5);
    assert_eq!(binary.len(), 12 + 12 + 3 + 1 + 29);
}

#[test]
fn null_stands_for_what_is_absent() {
    let request = r#"{
        "id": null, "parameters": null, "outputs": null,
        "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"], "parameters": null}]
    }"#;
    assert_eq!(read(request).unwrap().inputs, texts(&["a"]));
}

#[test]
fn a_request_that_is_not_as_it_says_is_refused_by_name() {
    for (request, problem) in [
        ("", "the body is not valid JSON"),
        ("[]", "expected an object"),
        ("{}", "missing field `inputs`"),
        (r#"{"inputs": {}}"#, "`inputs`: invalid type: map"),
        (
            r#"{"inputs": [["text", [1], "BYTES"]]}"#,
            "`inputs[0]`: invalid type: sequence, expected an object",
        ),
        (
            r#"{"inputs": [], "id": 42}"#,
            "`id`: invalid type: integer `42`, expected a string",
        ),
        (
            r#"{"inputs": []}"#,
            "the request holds no input; send `text`, or `input_ids`",
        ),
        (
            r#"{"inputs": [], "parameters": {"binary_data_output": 1}}"#,
            "`parameters.binary_data_output`",
        ),
        (
            r#"{"inputs": [], "parameters": {"timeout": -1}}"#,
            "`parameters.timeout`",
        ),
    ] {
        let error = read(request).unwrap_err();
        assert!(error.to_string().contains(problem), "{request}: {error}");
        assert_eq!(error.status(), 400, "{request}");
    }
}

#[test]
fn a_tensor_that_is_not_as_it_says_is_refused_by_name() {
    for (fields, problem) in [
        (
            r#""datatype": "BYTES", "data": []"#,
            "`inputs[0]`: missing field `shape`",
        ),
        (
            r#""shape": [1], "datatype": "FP32", "data": []"#,
            "has the datatype \"FP32\"; it must be BYTES",
        ),
        (
            r#""shape": [], "datatype": "BYTES", "data": []"#,
            "has the shape []; it must be [texts] or [texts, 1]",
        ),
        (
            r#""shape": [0], "datatype": "BYTES", "data": []"#,
            "has the shape [0]",
        ),
        (
            r#""shape": [-1], "datatype": "BYTES", "data": ["a"]"#,
            "has the shape [-1]",
        ),
        (
            r#""shape": [1, 2], "datatype": "BYTES", "data": ["a", "b"]"#,
            "has the shape [1, 2]",
        ),
        (
            r#""shape": [1, 1, 1], "datatype": "BYTES", "data": ["a"]"#,
            "has the shape [1, 1, 1]",
        ),
        (
            r#""shape": [2], "datatype": "BYTES", "data": ["a"]"#,
            "has a shape of 2 elements, but holds 1",
        ),
        (
            r#""shape": [1], "datatype": "BYTES", "data": ["a", "b"]"#,
            "has a shape of 1 elements, but holds 2",
        ),
        (
            r#""shape": [9223372036854775807], "datatype": "BYTES", "data": ["a"]"#,
            "but holds 1",
        ),
        (
            r#""shape": [1], "datatype": "BYTES", "data": [1]"#,
            "holds numbers, which its datatype is not",
        ),
        (
            r#""shape": [2], "datatype": "BYTES", "data": [["a", "b"]]"#,
            "has `data` nested as [1, 2]",
        ),
        (
            r#""shape": [1], "datatype": "BYTES", "data": [true]"#,
            "`inputs[0].data[0]`: invalid type: boolean",
        ),
        (
            r#""shape": [1], "datatype": "BYTES", "data": "a""#,
            "`inputs[0].data`: invalid type: string",
        ),
        (r#""shape": [1], "datatype": "BYTES""#, "holds no data"),
        (
            r#""shape": [1], "datatype": "BYTES", "parameters": {"shared_memory_region": "r"}"#,
            "lies in shared memory",
        ),
        (
            r#""shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 5}"#,
            "has the `binary_data_size` 5, but only 0 bytes are left",
        ),
        (
            r#""shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": -1}"#,
            "`inputs[0].parameters.binary_data_size`",
        ),
    ] {
        let error = read(&text_input(fields)).unwrap_err();
        assert!(error.to_string().contains(problem), "{fields}: {error}");
        let named =
            error.to_string().contains("the tensor `text`") || error.to_string().contains("`inputs[0]");
        assert!(named, "{error}");
        assert_eq!(error.status(), 400, "{fields}");
    }
}

#[test]
fn binary_data_that_is_not_as_it_says_is_refused_by_name() {
    let json = |size: usize, elements: u64| {
        text_input(&format!(
            r#""shape": [{elements}], "datatype": "BYTES", "parameters": {{"binary_data_size": {size}}}"#
        ))
    };
    let huge = [0xff; 8];
    for (elements, binary, problem) in [
        (2, &encoded(&["a"])[..], "the tensor `text` ends within element 1"),
        (
            1,
            &b"\x05\0\0\0abc"[..],
            "the tensor `text` ends within element 0",
        ),
        (1, b"\x05\0", "the tensor `text` ends within element 0"),
        (1, &huge, "the tensor `text` ends within element 0"),
        (
            u64::MAX >> 1,
            &encoded(&["a"]),
            "the tensor `text` ends within element 1",
        ),
        (
            1,
            &encoded(&["a", "bc"]),
            "the tensor `text` holds 6 bytes more than the 1 elements",
        ),
        (
            2,
            &encoded(&[&b"a"[..], b"\xff"]),
            "the tensor `text` holds an element that is not UTF-8, at index 1",
        ),
    ] {
        let error = read_binary(&json(binary.len(), elements), binary).unwrap_err();
        assert!(error.to_string().contains(problem), "{problem}: {error}");
        assert_eq!(error.status(), 400);
    }
    let with_data = text_input(
        r#""shape": [1], "datatype": "BYTES", "data": ["a"], "parameters": {"binary_data_size": 5}"#,
    );
    let error = read_binary(&with_data, &encoded(&["a"])).unwrap_err();
    assert!(
        error.to_string().contains("holds `data` beside binary data"),
        "{error}"
    );
}

#[test]
fn every_byte_behind_the_json_belongs_to_a_tensor() {
    let json = text_input(r#""shape": [1], "datatype": "BYTES", "data": ["a"]"#);
    let error = read_binary(&json, b"xy").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("2 bytes follow the data of the last tensor"),
        "{error}"
    );
}

#[test]
fn the_length_of_the_json_must_be_one() {
    for length in ["x", "", "-1", "3", "99999999999999999999999"] {
        let error = InferRequest::from_http(Some(length.as_bytes()), b"{}", &model(), &LIMITS).unwrap_err();
        assert!(
            error.to_string().contains("Inference-Header-Content-Length"),
            "{length}: {error}"
        );
    }
    assert!(InferRequest::from_http(Some(b"\xff"), b"{}", &model(), &LIMITS).is_err());
}

#[test]
fn texts_are_checked_against_the_limits() {
    let request = |texts: &[&str]| {
        let input = json!({"name": "text", "shape": [texts.len()], "datatype": "BYTES", "data": texts});
        read(&json!({ "inputs": [input] }).to_string())
    };
    let long = "x".repeat(LIMITS.characters + 1);
    for (texts, problem) in [
        (
            &["a", " "][..],
            "the text at index 1 holds nothing that can be scored",
        ),
        (
            &[long.as_str()],
            "the text at index 0 has 1001 characters; the limit is 1000",
        ),
        (&["a"; 9], "the request holds 9 texts; the limit is 8 per call"),
    ] {
        let error = request(texts).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        assert_eq!(error.status(), 400);
    }
    assert!(request(&["a"; 8]).is_ok());
    assert!(InferRequest::from_http(Some(b"0"), b"", &model(), &LIMITS).is_err());
}

#[test]
fn inputs_are_known_and_sent_once() {
    let text = r#"{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}"#;
    for (inputs, problem) in [
        (
            format!("{text}, {text}"),
            "the tensor `text` is sent more than once",
        ),
        (
            text.replace("text", "TEXT"),
            "the tensor `TEXT` is no input of this model; it takes `text`",
        ),
        (
            [text; 5].join(","),
            "the request holds 5 inputs; the model takes at most 4",
        ),
    ] {
        let error = read(&format!(r#"{{"inputs": [{inputs}]}}"#)).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn outputs_are_known_and_asked_for_once() {
    for (outputs, problem) in [
        (
            r#"{"name": "score"}"#,
            "the output `score` is no output of this model; it gives `scores`",
        ),
        (
            r#"{"name": "scores"}, {"name": "scores"}"#,
            "the output `scores` is requested more than once",
        ),
        (
            r#"{"name": "flags", "parameters": {"classification": 1}}"#,
            "the output `flags` cannot take the parameter `classification`",
        ),
        (
            r#"{"name": "scores", "parameters": {"shared_memory_region": "r"}}"#,
            "the output `scores` cannot be put into shared memory",
        ),
        (
            r#"{"name": "scores", "parameters": {"classification": -1}}"#,
            "`outputs[0].parameters.classification`",
        ),
        (
            &[r#"{"name": "scores"}"#; 6].join(","),
            "asks for 6 outputs; the model gives at most 5",
        ),
    ] {
        let inputs = r#"[{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]"#;
        let error = read(&format!(r#"{{"inputs": {inputs}, "outputs": [{outputs}]}}"#)).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        assert_eq!(error.status(), 400);
    }
}

proptest! {
    #[test]
    fn texts_are_the_same_in_json_and_in_binary(expected in prop::collection::vec("[^\\pZ\\pC].{0,20}", 1..8)) {
        let inputs = Inputs::Texts(expected.clone());
        let count = expected.len();
        let in_json = json!({"inputs": [{
            "name": "text", "shape": [count], "datatype": "BYTES", "data": expected,
        }]});
        prop_assert_eq!(&read(&in_json.to_string()).unwrap().inputs, &inputs);

        let binary = encoded(&expected);
        let in_binary = json!({"inputs": [{
            "name": "text", "shape": [count, 1], "datatype": "BYTES",
            "parameters": {"binary_data_size": binary.len()},
        }]});
        prop_assert_eq!(&read_binary(&in_binary.to_string(), &binary).unwrap().inputs, &inputs);
    }
}
