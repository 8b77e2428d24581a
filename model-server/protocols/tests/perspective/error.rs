//! What is refused, in which words.

use serde_json::{Value, json};
use toxicity_protocols::failure::Failure;
use toxicity_protocols::perspective::{AnalyzeRequest, Error};

use crate::fixture::{Model, limits};
use crate::{read, refusal};

const COMMENT_ANALYZER: &str = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

fn body_of(error: &Error) -> Value {
    let body = serde_json::to_value(error.body()).expect("a refusal is JSON");
    assert_eq!(body["error"]["code"], error.status().as_u16());
    body["error"].clone()
}

/// A request for TOXICITY of "x", with `changes`.
fn request(changes: &Value) -> Value {
    let mut body =
        json!({"comment": {"text": "x"}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]});
    for (name, value) in changes.as_object().expect("changes are named") {
        body[name] = value.clone();
    }
    body
}

#[test]
fn every_rule_of_perspective_has_its_message_and_error_type() {
    let cases = [
        (
            json!({"comment": {"text": ""}}),
            "Comment must be non-empty.",
            "COMMENT_EMPTY",
        ),
        (
            json!({"comment": {"text": " \n\u{3000}"}}),
            "Comment must be non-empty.",
            "COMMENT_EMPTY",
        ),
        (
            json!({"comment": {}}),
            "Comment must be non-empty.",
            "COMMENT_EMPTY",
        ),
        (
            json!({"comment": {"text": "x".repeat(20_481)}}),
            "Comment text too long.",
            "COMMENT_TOO_LONG",
        ),
        (
            json!({"comment": {"text": "é".repeat(10_241)}}),
            "Comment text too long.",
            "COMMENT_TOO_LONG",
        ),
        (
            json!({"comment": {"text": "x", "type": "HTML"}}),
            "Currently, only 'PLAIN_TEXT' comments are supported",
            "INVALID_REQUEST",
        ),
        (
            json!({"context": {"entries": [{"text": "a"}], "articleAndParentComment": {}}}),
            "Context can have either entries or article_and_parent_comment, but both fields were populated.",
            "INVALID_REQUEST",
        ),
        (
            json!({"requestedAttributes": {}}),
            "Missing requested_attributes",
            "NO_REQUESTED_ATTRIBUTES",
        ),
        (
            json!({"requestedAttributes": {"TOXICITY": {}, "FLIRTATION": {}}}),
            "Unknown requested attribute: FLIRTATION",
            "INVALID_REQUEST",
        ),
        (
            json!({"requestedAttributes": {"toxicity": {}}, "dropUnsupportedAttributes": true}),
            "Unknown requested attribute: toxicity",
            "INVALID_REQUEST",
        ),
        (
            json!({"requestedAttributes": {"TOXICITY": {"scoreType": "PERCENTILE"}}}),
            "Requested score type PERCENTILE is not supported by attribute TOXICITY",
            "INVALID_REQUEST",
        ),
        (
            json!({"languages": ["om", "en"]}),
            "Attribute TOXICITY does not support request languages: om, en",
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        ),
        (
            json!({"languages": []}),
            "Attribute TOXICITY does not support request languages: om",
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        ),
    ];
    for (changes, message, error_type) in cases {
        let error = body_of(&refusal(&request(&changes), &["om"]));
        assert_eq!(error["code"], 400);
        assert_eq!(error["status"], "INVALID_ARGUMENT");
        assert_eq!(error["message"], message);
        assert_eq!(error["details"][0]["@type"], COMMENT_ANALYZER, "{message}");
        assert_eq!(error["details"][0]["errorType"], error_type, "{message}");
    }
}

#[test]
fn a_comment_of_the_longest_size_is_read() {
    assert!(read(&request(&json!({"comment": {"text": "é".repeat(10_240)}}))).is_ok());
}

#[test]
fn a_failed_detection_is_told() {
    let error = body_of(&refusal(&request(&json!({"languages": null})), &[]));
    let expected = json!({
        "code": 400,
        "message": "Unable to detect language",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": COMMENT_ANALYZER, "errorType": "LANGUAGE_DETECTION_FAILED"}],
    });
    assert_eq!(error, expected);
}

#[test]
fn an_unsupported_language_is_told_in_full() {
    let error = body_of(&refusal(&request(&json!({"languages": ["om"]})), &[]));
    let expected = json!([
        {
            "@type": COMMENT_ANALYZER,
            "errorType": "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            "languageNotSupportedByAttributeError": {"requestedLanguages": ["om"], "attribute": "TOXICITY"},
        },
        {"@type": BAD_REQUEST, "fieldViolations": [{"field": "languages", "description": "the model judges en"}]},
    ]);
    assert_eq!(error["details"], expected);
    let error = body_of(&refusal(&request(&json!({"languages": []})), &["om", "en"]));
    let expected = json!({"detectedLanguages": ["om", "en"], "attribute": "TOXICITY"});
    assert_eq!(
        error["details"][0]["languageNotSupportedByAttributeError"],
        expected
    );
}

#[test]
fn what_the_message_leaves_unsaid_is_in_the_details() {
    let cases = [
        (
            json!({"comment": {"text": "x".repeat(20_001)}}),
            "comment.text",
            "the comment has 20001 characters; the limit is 20000",
        ),
        (
            json!({"comment": {"text": "é".repeat(10_241)}}),
            "comment.text",
            "the comment has 20482 bytes; the limit is 20480",
        ),
        (
            json!({"requestedAttributes": {"SPAM": {}}}),
            "requestedAttributes",
            "the model scores TOXICITY, TOXICITY_EXPERIMENTAL, TOXICITY_FAST, SEVERE_TOXICITY, \
             SEVERE_TOXICITY_EXPERIMENTAL, IDENTITY_ATTACK, IDENTITY_ATTACK_EXPERIMENTAL, INSULT, INSULT_EXPERIMENTAL, \
             PROFANITY, PROFANITY_EXPERIMENTAL, OBSCENE, THREAT, THREAT_EXPERIMENTAL",
        ),
    ];
    for (changes, field, description) in cases {
        let error = body_of(&refusal(&request(&changes), &[]));
        let expected = json!({
            "@type": BAD_REQUEST,
            "fieldViolations": [{"field": field, "description": description}],
        });
        assert_eq!(error["details"][1], expected);
    }
}

#[test]
fn unknown_names_are_refused_in_googles_words() {
    let cases = [
        (json!({"thinking": 1}), "thinking", ""),
        (json!({"comment": {"text": "x", "txet": 1}}), "txet", "comment"),
        (
            json!({"requestedAttributes": {"TOXICITY": {"threshold": 1}}}),
            "threshold",
            "requestedAttributes.TOXICITY",
        ),
        (
            json!({"context": {"entries": [{"text": "a"}, {"author": "b"}]}}),
            "author",
            "context.entries[1]",
        ),
    ];
    for (changes, name, parent) in cases {
        let error = body_of(&refusal(&request(&changes), &[]));
        let place = if parent.is_empty() {
            String::new()
        } else {
            format!(" at '{parent}'")
        };
        let message =
            format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
        let mut violation = json!({"description": message});
        if !parent.is_empty() {
            violation["field"] = json!(parent);
        }
        let expected = json!({
            "code": 400,
            "message": message,
            "status": "INVALID_ARGUMENT",
            "details": [{"@type": BAD_REQUEST, "fieldViolations": [violation]}],
        });
        assert_eq!(error, expected);
    }
}

#[test]
fn values_that_cannot_be_name_their_field() {
    let cases = [
        (
            json!({"comment": {"text": 5}}),
            "comment.text",
            "invalid type: integer `5`, expected a string",
        ),
        (
            json!({"comment": ["x"]}),
            "comment",
            "invalid type: sequence, expected an object",
        ),
        (
            json!({"requestedAttributes": ["TOXICITY"]}),
            "requestedAttributes",
            "invalid type: sequence, expected a map",
        ),
        (
            json!({"requestedAttributes": {"TOXICITY": null}}),
            "requestedAttributes.TOXICITY",
            "invalid type: null, expected an object",
        ),
        (
            json!({"comment": {"text": "x", "type": "MARKDOWN"}}),
            "comment.type",
            "unknown variant `MARKDOWN`, expected one of `TEXT_TYPE_UNSPECIFIED`, `PLAIN_TEXT`, `HTML`",
        ),
        (
            json!({"languages": "en"}),
            "languages",
            "invalid type: string \"en\", expected a sequence",
        ),
        (
            json!({"doNotStore": "true"}),
            "doNotStore",
            "invalid type: string \"true\", expected a boolean",
        ),
    ];
    for (changes, field, problem) in cases {
        let error = body_of(&refusal(&request(&changes), &[]));
        let message = format!("Invalid value at '{field}': {problem}");
        assert_eq!(error["message"], message);
        let violation = json!({"field": field, "description": message});
        assert_eq!(
            error["details"],
            json!([{"@type": BAD_REQUEST, "fieldViolations": [violation]}])
        );
    }
}

#[test]
fn what_is_no_json_object_is_refused() {
    let message = |body: &[u8]| {
        let error = AnalyzeRequest::read(body, &limits(), &Model::jigsaw().labels()).unwrap_err();
        assert_eq!(error.status(), 400);
        error.to_string()
    };
    for body in ["", "{", "{\"comment\": }", "{} {}", "nul"] {
        assert!(
            message(body.as_bytes()).starts_with("Invalid JSON payload received. "),
            "{body}"
        );
    }
    assert!(message(b"{\"comment\": {\"text\": \"\xff\"}}").contains("UTF-8"));
    for body in ["[]", "null", "5", "\"x\""] {
        assert!(
            message(body.as_bytes()).starts_with("Invalid value: invalid type: "),
            "{body}"
        );
    }
}

#[test]
fn what_can_happen_in_every_protocol_takes_googles_shape() {
    let info = |reason: &str, metadata: Value| json!({"@type": ERROR_INFO, "reason": reason, "domain": "googleapis.com", "metadata": metadata});
    let service = "commentanalyzer.googleapis.com";
    let retry = |seconds: u64| json!({"@type": RETRY_INFO, "retryDelay": format!("{seconds}s")});
    let rate = Failure::RateLimited {
        limit: 5,
        retry_after_seconds: 2,
    };
    let quota = format!("Quota exceeded for quota metric 'Analysis requests (AnalyzeComment)': {rate}");
    let limits = json!([
        info(
            "RATE_LIMIT_EXCEEDED",
            json!({"quota_limit_value": "5", "service": service})
        ),
        retry(2),
    ]);
    let json = Failure::UnsupportedMediaType {
        expected: "application/json",
    };
    // Where no message of Google's is known, the failure's own stands.
    let cases = [
        (
            Failure::MalformedBody("eof".to_owned()),
            (
                400,
                "INVALID_ARGUMENT",
                Some("Invalid JSON payload received. eof"),
            ),
            json!(null),
        ),
        (
            Failure::BodyTooLarge { limit: 9 },
            (
                413,
                "INVALID_ARGUMENT",
                Some("Request payload size exceeds the limit: 9 bytes."),
            ),
            json!(null),
        ),
        (
            Failure::SlowBody { seconds: 9 },
            (408, "DEADLINE_EXCEEDED", None),
            json!(null),
        ),
        (json, (415, "INVALID_ARGUMENT", None), json!(null)),
        (
            Failure::Unauthenticated("no such key".to_owned()),
            (
                400,
                "INVALID_ARGUMENT",
                Some("API key not valid. Please pass a valid API key."),
            ),
            json!([info("API_KEY_INVALID", json!({"service": service}))]),
        ),
        (
            Failure::Forbidden("not this".to_owned()),
            (403, "PERMISSION_DENIED", None),
            json!(null),
        ),
        (rate, (429, "RESOURCE_EXHAUSTED", Some(quota.as_str())), limits),
        (
            Failure::NoPlace {
                limit: 8,
                retry_after_seconds: 4,
            },
            (429, "RESOURCE_EXHAUSTED", None),
            json!([retry(4)]),
        ),
        (
            Failure::Overloaded {
                retry_after_seconds: 3,
            },
            (429, "RESOURCE_EXHAUSTED", None),
            json!([retry(3)]),
        ),
        (
            Failure::DeadlineExceeded { seconds: 8 },
            (504, "DEADLINE_EXCEEDED", None),
            json!([retry(1)]),
        ),
        (
            Failure::Unavailable("loading".to_owned()),
            (503, "UNAVAILABLE", None),
            json!([retry(1)]),
        ),
    ];
    for (failure, (code, status, message), details) in cases {
        let message = message.map_or_else(|| failure.to_string(), str::to_owned);
        let retry_after = failure.retry_after_seconds();
        let error = Error::from(failure);
        assert_eq!(error.retry_after_seconds(), retry_after);
        let mut expected = json!({"code": code, "status": status, "message": message});
        if !details.is_null() {
            expected["details"] = details;
        }
        assert_eq!(body_of(&error), expected);
    }
    assert_eq!(Error::from(Failure::EmptyText { index: 2 }), Error::CommentEmpty);
}

#[test]
fn a_missing_key_is_not_a_wrong_one() {
    let error = Error::from(Failure::MissingKey);
    let message = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or \
                   other form of API consumer identity to call this API.";
    assert_eq!(
        body_of(&error),
        json!({"code": 403, "status": "PERMISSION_DENIED", "message": message})
    );
}

#[test]
fn a_wrong_header_is_a_wrong_argument() {
    let failure = Failure::InvalidHeader {
        name: "x-request-timeout",
        problem: "is empty".to_owned(),
    };
    assert_eq!(
        body_of(&Error::from(failure)),
        json!({"code": 400, "status": "INVALID_ARGUMENT", "message": "the header `x-request-timeout` is empty"})
    );
}

#[test]
fn what_is_only_carried_through_is_bounded_too() {
    let cases = [
        (
            json!({"languages": vec!["en"; 101]}),
            "Invalid value at 'languages': there are 101 languages; the limit is 100",
        ),
        (
            json!({"context": {"entries": vec![json!({"text": ""}); 6]}}),
            "the request holds 6 texts; the limit is 5 per call",
        ),
    ];
    for (changes, message) in cases {
        assert_eq!(body_of(&refusal(&request(&changes), &[]))["message"], message);
    }
}

#[test]
fn a_message_quotes_little_of_what_was_sent() {
    let long = "A".repeat(100_000);
    let bodies = [
        json!({"requestedAttributes": {&long: {}}}),
        json!({"languages": vec!["om"; 100]}),
        json!({&long: 1}),
        json!({"doNotStore": long}),
    ];
    for changes in bodies {
        assert!(refusal(&request(&changes), &[]).to_string().len() < 1_000);
    }
}
