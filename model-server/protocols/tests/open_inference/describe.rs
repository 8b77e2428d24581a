//! What the server and its model say of themselves, and errors.

use std::time::Duration;

use serde_json::json;
use toxicity_protocols::failure::Failure;
use toxicity_protocols::open_inference::Error;
use toxicity_protocols::open_inference::metadata::{ModelConfiguration, ModelMetadata, ServerMetadata};
use toxicity_protocols::open_inference::repository::IndexRequest;
use toxicity_protocols::open_inference::statistics::{
    CountedDuration, Counts, InferenceDurations, Statistics,
};

use crate::fixture::model;

#[test]
fn the_server_names_its_extensions() {
    assert_eq!(
        serde_json::to_value(ServerMetadata::new("1.2.3")).unwrap(),
        json!({
            "name": "toxicity-model-server",
            "version": "1.2.3",
            "extensions":
                ["classification", "parameters", "binary_tensor_data", "model_configuration", "statistics"],
        })
    );
}

#[test]
fn the_metadata_names_every_tensor_and_what_it_does_not_say_as_properties() {
    let tensor = |name: &str, datatype: &str, shape: &[i64]| json!({"name": name, "datatype": datatype, "shape": shape});
    let metadata = serde_json::to_value(ModelMetadata::of(&model())).unwrap();
    assert_eq!(metadata["name"], "toxic");
    assert_eq!(metadata["versions"], json!(["5eedf00d"]));
    assert_eq!(metadata["platform"], "onnx_onnxv1");
    assert_eq!(
        metadata["inputs"],
        json!([
            tensor("text", "BYTES", &[-1]),
            tensor("input_ids", "INT64", &[-1, -1]),
            tensor("attention_mask", "INT64", &[-1, -1]),
            tensor("token_type_ids", "INT64", &[-1, -1]),
        ])
    );
    assert_eq!(
        metadata["outputs"],
        json!([
            tensor("scores", "FP32", &[-1, 3]),
            tensor("logits", "FP32", &[-1, 3]),
            tensor("flags", "BOOL", &[-1, 3]),
            tensor("flagged", "BOOL", &[-1]),
            tensor("labels", "BYTES", &[3]),
        ])
    );
    assert_eq!(metadata["properties"]["labels"], "toxic,threat,insult");
    assert_eq!(metadata["properties"]["thresholds"], "0.5,0.25,0.75");
}

#[test]
fn the_configuration_says_that_each_input_may_be_absent() {
    let configuration = serde_json::to_value(ModelConfiguration::of(&model())).unwrap();
    assert_eq!(configuration["max_batch_size"], 0);
    assert_eq!(
        configuration["input"][0],
        json!({"name": "text", "data_type": "TYPE_STRING", "dims": [-1], "optional": true})
    );
    assert_eq!(
        configuration["output"][0],
        json!({"name": "scores", "data_type": "TYPE_FP32", "dims": [-1, 3]})
    );
}

#[test]
fn the_index_lists_the_loaded_model_with_its_state() {
    let index = |body: &[u8], loaded: bool, ready: bool| {
        let view = model();
        let request = IndexRequest::read(body).unwrap();
        serde_json::to_value(request.answer(loaded.then_some(&view), ready)).unwrap()
    };
    let ready = json!([{"name": "toxic", "version": "5eedf00d", "state": "READY", "reason": ""}]);
    assert_eq!(index(b"", true, true), ready);
    assert_eq!(index(b"{}", true, true), ready);
    assert_eq!(index(br#"{"ready": true}"#, true, true), ready);
    assert_eq!(index(b"{}", true, false)[0]["state"], "UNAVAILABLE");
    assert_eq!(index(br#"{"ready": true}"#, true, false), json!([]));
    assert_eq!(index(b"{}", false, false), json!([]));
    assert!(IndexRequest::read(br#"{"ready": 1}"#).is_err());
}

#[test]
fn statistics_count_per_stage() {
    let counts = Counts {
        last_inference: 1_700_000_000_000,
        inference_count: 3,
        execution_count: 4,
        inference_stats: InferenceDurations {
            queue: CountedDuration::new(4, Duration::from_micros(5)),
            ..InferenceDurations::default()
        },
    };
    let statistics = serde_json::to_value(Statistics::of(Some(&model()), counts)).unwrap();
    let model = &statistics["model_stats"][0];
    assert_eq!(model["name"], "toxic");
    assert_eq!(model["inference_count"], 3);
    assert_eq!(model["inference_stats"]["queue"], json!({"count": 4, "ns": 5000}));
    assert_eq!(model["batch_stats"], json!([]));
    assert_eq!(Statistics::of(None, counts).model_stats, []);
}

#[test]
fn a_request_means_the_served_model_in_its_served_version() {
    for version in [None, Some(""), Some("1"), Some("5eedf00d")] {
        assert_eq!(model().check("toxic", version), Ok(()), "{version:?}");
    }
    for (name, version, problem) in [
        (
            "other",
            None,
            "there is no model \"other\"; this server serves \"toxic\"",
        ),
        (
            "toxic",
            Some("2"),
            "the model \"toxic\" has no version \"2\"; this server serves \"5eedf00d\"",
        ),
    ] {
        let error = model().check(name, version).unwrap_err();
        assert_eq!(error.to_string(), problem);
        assert_eq!(error.status(), 404);
    }
}

#[test]
fn failures_have_the_body_and_the_status_of_the_protocol() {
    let (index, limit) = (1, 10);
    for (failure, status) in [
        (Failure::MalformedBody("x".to_owned()), 400),
        (Failure::EmptyText { index }, 400),
        (
            Failure::TextTooLong {
                index,
                length: 11,
                limit,
            },
            400,
        ),
        (Failure::TooManyTexts { count: 11, limit }, 400),
        (Failure::SlowBody { seconds: 1 }, 408),
        (Failure::BodyTooLarge { limit }, 413),
        (
            Failure::InvalidHeader {
                name: "x-request-timeout",
                problem: "is wrong".to_owned(),
            },
            400,
        ),
        (Failure::MissingKey, 401),
        (Failure::Unauthenticated("no key".to_owned()), 401),
        (Failure::Forbidden("no".to_owned()), 403),
        (
            Failure::Overloaded {
                retry_after_seconds: 1,
            },
            429,
        ),
        (Failure::DeadlineExceeded { seconds: 1 }, 503),
        (Failure::Unavailable("the model is still loading".to_owned()), 503),
    ] {
        let error = Error::from(failure.clone());
        assert_eq!(error.status(), status, "{failure}");
        assert_eq!(
            serde_json::to_value(error.body()).unwrap(),
            json!({"error": failure.to_string()})
        );
    }
}
