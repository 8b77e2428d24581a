//! What is refused, in which words.

use serde_json::{Value, json};
use toxicity_protocols::failure::Failure;
use toxicity_protocols::openai::Error;

use crate::read;

/// Asserts that `body` is refused with this message, `param` and `code`.
fn assert_refused(body: &Value, message: &str, param: &str, code: &str) {
    let error = read(body).expect_err("the request must be refused");
    assert_eq!(error.status(), 400, "{message}");
    let expected = json!({"error": {
        "message": message, "type": "invalid_request_error", "param": param, "code": code,
    }});
    assert_eq!(
        serde_json::to_value(error.body()).expect("a refusal is JSON"),
        expected
    );
}

#[test]
fn a_wrong_field_is_named() {
    let image = json!({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}});
    let text = json!({"type": "text", "text": "a"});
    let cases = [
        (
            json!({}),
            "Missing required parameter: 'input'.",
            "input",
            "missing_required_parameter",
        ),
        (
            json!({"input": null}),
            "Missing required parameter: 'input'.",
            "input",
            "missing_required_parameter",
        ),
        (
            json!({"input": "x", "inputs": 1}),
            "Unknown parameter: 'inputs'.",
            "inputs",
            "unknown_parameter",
        ),
        (
            json!({"input": 5}),
            "Invalid type for 'input': invalid type: integer `5`, expected a string or an array of strings or of text \
             parts.",
            "input",
            "invalid_type",
        ),
        (
            json!({"input": [["a"]]}),
            "Invalid type for 'input[0]': invalid type: sequence, expected a string or a text part.",
            "input[0]",
            "invalid_type",
        ),
        (
            json!({"input": ["a", text]}),
            "Invalid type for 'input[1]': an array must hold strings or text parts, not both.",
            "input[1]",
            "invalid_type",
        ),
        (
            json!({"input": [text, "a"]}),
            "Invalid type for 'input[1]': an array must hold strings or text parts, not both.",
            "input[1]",
            "invalid_type",
        ),
        (
            json!({"input": [text, image]}),
            "Invalid value: 'image_url'. Supported values are: 'text'. This model judges text only; nothing was judged.",
            "input[1].type",
            "invalid_value",
        ),
        (
            json!({"input": [{"type": "text", "text": "a", "image_url": {"url": "data:,"}}]}),
            "Unknown parameter: 'input[0].image_url'.",
            "input[0].image_url",
            "unknown_parameter",
        ),
        (
            json!({"input": [{"text": "a"}]}),
            "Missing required parameter: 'input[0].type'.",
            "input[0].type",
            "missing_required_parameter",
        ),
        (
            json!({"input": [{"type": "text"}]}),
            "Missing required parameter: 'input[0].text'.",
            "input[0].text",
            "missing_required_parameter",
        ),
        (
            json!({"input": [{"type": "text", "text": "a", "role": "b"}]}),
            "Unknown parameter: 'input[0].role'.",
            "input[0].role",
            "unknown_parameter",
        ),
    ];
    for (body, message, param, code) in cases {
        assert_refused(&body, message, param, code);
    }
}

#[test]
fn a_limit_is_named() {
    let long = "é".repeat(20_001);
    let cases = [
        (
            json!({"input": []}),
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "input",
            "empty_array",
        ),
        (
            json!({"input": ["a", " "]}),
            "Invalid 'input': the text at index 1 holds nothing to judge.",
            "input",
            "empty_string",
        ),
        (
            json!({"input": long}),
            "Invalid 'input': string too long at index 0. Expected a string with maximum length 20000, but got a string \
             with length 20001 instead.",
            "input",
            "string_above_max_length",
        ),
        (
            json!({"input": ["a", "b", "c", "d", "e", "f"]}),
            "Invalid 'input': array too long. Expected an array with maximum length 5, but got an array with length 6 \
             instead.",
            "input",
            "array_above_max_length",
        ),
    ];
    for (body, message, param, code) in cases {
        assert_refused(&body, message, param, code);
    }
}

#[test]
fn what_can_happen_in_every_protocol_takes_openais_shape() {
    let invalid = "invalid_request_error";
    let cases = [
        (Failure::MalformedBody("eof".to_owned()), 400, invalid, None),
        (Failure::SlowBody { seconds: 9 }, 408, invalid, None),
        (Failure::BodyTooLarge { limit: 9 }, 413, invalid, None),
        (
            Failure::UnsupportedMediaType {
                expected: "application/json",
            },
            415,
            invalid,
            Some("unsupported_content_type"),
        ),
        (
            Failure::InvalidHeader {
                name: "x-request-timeout",
                problem: "is wrong".to_owned(),
            },
            400,
            invalid,
            Some("invalid_value"),
        ),
        (Failure::MissingKey, 401, invalid, Some("invalid_api_key")),
        (
            Failure::Unauthenticated("no such key".to_owned()),
            401,
            invalid,
            Some("invalid_api_key"),
        ),
        (
            Failure::Forbidden("not this".to_owned()),
            403,
            invalid,
            Some("insufficient_permissions"),
        ),
        (
            Failure::RateLimited {
                limit: 5,
                retry_after_seconds: 2,
            },
            429,
            "requests",
            Some("rate_limit_exceeded"),
        ),
        (
            Failure::Overloaded {
                retry_after_seconds: 3,
            },
            429,
            "server_error",
            Some("overloaded"),
        ),
        (
            Failure::DeadlineExceeded { seconds: 8 },
            503,
            "server_error",
            None,
        ),
        (
            Failure::Unavailable("loading".to_owned()),
            503,
            "server_error",
            None,
        ),
    ];
    for (failure, status, error_type, code) in cases {
        let retry_after = failure.retry_after_seconds();
        let error = Error::from(failure);
        assert_eq!(error.retry_after_seconds(), retry_after);
        assert_eq!(error.status(), status, "{error}");
        let body = error.body().error;
        assert_eq!(
            (body.error_type, body.param.as_deref(), body.code),
            (error_type, None, code),
            "{error}"
        );
        assert!(!body.message.is_empty());
    }
    // Both keys are there even when they are empty.
    let body = serde_json::to_value(Error::from(Failure::BodyTooLarge { limit: 9 }).body()).unwrap();
    assert_eq!(
        (&body["error"]["param"], &body["error"]["code"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(body["error"].as_object().unwrap().len(), 4);
}
