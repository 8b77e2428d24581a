//! `comments:suggestscore`.

use serde_json::{Value, json};
use toxicity_protocols::perspective::{SpanSuggestion, Suggestion};

use crate::read_suggestion;

#[test]
fn the_request_of_a_moderator_is_read_and_answered() {
    let body = json!({
        "comment": {"text": "Hi there"},
        "context": {"entries": [{"text": "{\"storyID\": 1}"}]},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0}}},
        "languages": ["om"],
        "communityId": "Coral:https://example.org",
        "clientToken": "comment:123",
        "sessionId": "s",
    });
    let request = read_suggestion(&body).unwrap();
    assert_eq!(request.text, "Hi there");
    assert_eq!(request.community_id.as_deref(), Some("Coral:https://example.org"));
    assert_eq!(request.session_id.as_deref(), Some("s"));
    let expected = Suggestion {
        attribute: "TOXICITY".to_owned(),
        label: 0,
        whole: Some(0.0),
        spans: Vec::new(),
    };
    assert_eq!(request.suggestions, [expected]);
    let answer = serde_json::to_value(request.answer(&["en".to_owned()])).unwrap();
    let expected =
        json!({"clientToken": "comment:123", "detectedLanguages": ["en"], "requestedLanguages": ["om"]});
    assert_eq!(answer, expected);
}

#[test]
fn nothing_is_answered_that_was_not_given() {
    let body =
        json!({"comment": {"text": "x"}, "attributeScores": {"INSULT": {"summaryScore": {"value": 1}}}});
    let request = read_suggestion(&body).unwrap();
    assert_eq!(serde_json::to_value(request.answer(&[])).unwrap(), json!({}));
}

#[test]
fn spans_are_told_in_utf16_and_kept_in_bytes() {
    let body = json!({
        "comment": {"text": "😀 you fool"},
        "attributeScores": {"INSULT": {
            "summaryScore": {"value": 0.5, "type": "PROBABILITY"},
            "spanScores": [
                {"begin": 7, "end": 11, "score": {"value": 1, "type": "SCORE_TYPE_UNSPECIFIED"}},
                {"begin": 0, "end": 2, "score": {}},
            ],
        }},
    });
    let [suggestion] = &read_suggestion(&body).unwrap().suggestions[..] else {
        panic!("there must be one suggestion");
    };
    assert_eq!((suggestion.label, suggestion.whole), (4, Some(0.5)));
    let span = |range, score| SpanSuggestion { range, score };
    assert_eq!(suggestion.spans, [span(9..13, 1.0), span(0..4, 0.0)]);
}

#[test]
fn every_rule_is_kept() {
    let span = |begin: Value, end: Value| json!({"TOXICITY": {"spanScores": [{"begin": begin, "end": end, "score": {"value": 1}}]}});
    let place = "Invalid value at 'attributeScores.TOXICITY";
    let outside = format!(
        "{place}.spanScores[0]': begin and end must hold a part of the comment, in UTF-16 code units"
    );
    let cases = [
        (
            json!({}),
            "Invalid value at 'attributeScores': attribute_scores must not be empty".to_owned(),
        ),
        (
            json!({"TOXICITY": {}}),
            format!("{place}': needs a summary_score or span_scores"),
        ),
        (
            json!({"TOXICITY": {"spanScores": []}}),
            format!("{place}': needs a summary_score or span_scores"),
        ),
        (
            json!({"TOXICITY": {"spanScores": [{"end": 1, "score": {"value": 1}}]}}),
            format!("{place}.spanScores[0]': missing field `begin`"),
        ),
        (
            json!({"TOXICITY": {"spanScores": [{"begin": 0, "score": {"value": 1}}]}}),
            format!("{place}.spanScores[0]': missing field `end`"),
        ),
        (
            json!({"TOXICITY": {"spanScores": [{"begin": 0, "end": 1}]}}),
            format!("{place}.spanScores[0]': missing field `score`"),
        ),
        (span(json!(2), json!(2)), outside.clone()),
        (span(json!(3), json!(2)), outside.clone()),
        (span(json!(0), json!(4)), outside.clone()),
        (span(json!(0), json!(1)), outside.clone()),
        (span(json!(1), json!(2)), outside),
        (
            span(json!(-1), json!(2)),
            format!("{place}.spanScores[0].begin': invalid value: integer `-1`, expected usize"),
        ),
        (
            json!({"TOXICITY": {"summaryScore": {"value": 1.5}}}),
            format!("{place}.summaryScore.value': a probability must be from 0 to 1"),
        ),
        (
            json!({"TOXICITY": {"spanScores": [{"begin": 0, "end": 2, "score": {"value": -1}}]}}),
            format!("{place}.spanScores[0].score.value': a probability must be from 0 to 1"),
        ),
        (
            json!({"TOXICITY": {"summaryScore": {"value": 1, "type": "RAW"}}}),
            "Requested score type RAW is not supported by attribute TOXICITY".to_owned(),
        ),
        (
            json!({"SPAM": {"summaryScore": {"value": 1}}}),
            "Unknown requested attribute: SPAM".to_owned(),
        ),
    ];
    for (scores, message) in cases {
        let body = json!({"comment": {"text": "😀x"}, "attributeScores": scores});
        let error = read_suggestion(&body).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.body().error.status, "INVALID_ARGUMENT", "{message}");
    }
}

#[test]
fn the_comment_keeps_the_rules_of_analyze() {
    let scores = json!({"TOXICITY": {"summaryScore": {"value": 1}}});
    let cases = [
        (json!({"text": " "}), "Comment must be non-empty."),
        (json!({"text": "x".repeat(20_481)}), "Comment text too long."),
        (
            json!({"text": "x", "type": "HTML"}),
            "Currently, only 'PLAIN_TEXT' comments are supported",
        ),
    ];
    for (comment, message) in cases {
        let body = json!({"comment": comment, "attributeScores": scores});
        assert_eq!(read_suggestion(&body).unwrap_err().to_string(), message);
    }
}
