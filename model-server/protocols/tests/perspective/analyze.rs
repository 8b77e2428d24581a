//! `comments:analyze`.

use serde_json::{Value, json};
use toxicity_protocols::perspective::{MOST_SENTENCES, available_attributes};

use crate::fixture::{Model, scored};
use crate::{Known, read, read_for};

/// The texts that a request has scored, and its answer when they score `scores` in turn.
fn answer(model: &Model, known: &Known, body: &Value, scores: &[&[f32]]) -> (Vec<String>, Value) {
    let request = read_for(model, body).expect("the request must be read");
    let analysis = request.plan(&known.languages()).expect("the model must answer");
    let texts: Vec<String> = analysis.texts().into_iter().map(str::to_owned).collect();
    assert_eq!(texts.len(), scores.len(), "{texts:?}");
    let results: Vec<_> = scores.iter().map(|scores| scored(scores)).collect();
    let answer = serde_json::to_value(analysis.answer(&results)).expect("an answer is JSON");
    (texts, answer)
}

fn english() -> Known {
    Known::of(&["en"], &["en"])
}

/// A score as JSON holds it.
fn probability(value: f32) -> Value {
    json!({"value": value, "type": "PROBABILITY"})
}

const TOXIC: [f32; 6] = [0.75, 0.125, 0.25, 0.375, 0.5, 0.625];
const MILD: [f32; 6] = [0.25, 0.0, 0.0, 0.0, 0.0, 0.0];

#[test]
fn the_example_of_the_documentation_is_answered_by_sentence() {
    let body = json!({
        "comment": {"text": "What kind of idiot name is foo? Sorry, I like your name.", "type": "PLAIN_TEXT"},
        "languages": ["en"],
        "requestedAttributes": {"TOXICITY": {}, "INSULT": {"scoreType": "PROBABILITY"}},
        "spanAnnotations": true,
        "clientToken": "comment:1",
    });
    let (texts, answer) = answer(&Model::jigsaw(), &english(), &body, &[&TOXIC, &TOXIC, &MILD]);
    assert_eq!(
        texts,
        [
            "What kind of idiot name is foo? Sorry, I like your name.",
            "What kind of idiot name is foo?",
            "Sorry, I like your name.",
        ]
    );
    let scores = |toxic: f32, mild: f32| {
        json!({
            "spanScores": [
                {"begin": 0, "end": 31, "score": probability(toxic)},
                {"begin": 32, "end": 56, "score": probability(mild)},
            ],
            "summaryScore": probability(toxic),
        })
    };
    let expected = json!({
        "attributeScores": {"TOXICITY": scores(0.75, 0.25), "INSULT": scores(0.5, 0.0)},
        "languages": ["en"],
        "detectedLanguages": ["en"],
        "clientToken": "comment:1",
    });
    assert_eq!(answer, expected);
}

#[test]
fn without_span_annotations_the_whole_comment_is_the_one_span() {
    let body = json!({
        "comment": {"text": " Idiot 😀. Bye. "},
        "doNotStore": true,
        "requestedAttributes": {"TOXICITY": {}},
        "languages": ["en"],
    });
    let known = Known::of(&["en"], &[]);
    let (texts, answer) = answer(&Model::jigsaw(), &known, &body, &[&TOXIC]);
    assert_eq!(texts, [" Idiot 😀. Bye. "]);
    let expected = json!({
        "attributeScores": {"TOXICITY": {
            "spanScores": [{"begin": 0, "end": 16, "score": probability(0.75)}],
            "summaryScore": probability(0.75),
        }},
        "languages": ["en"],
    });
    assert_eq!(answer, expected);
}

#[test]
fn a_comment_of_one_sentence_is_scored_once() {
    let body = json!({
        "comment": {"text": " You fool! "},
        "requestedAttributes": {"TOXICITY": {}},
        "spanAnnotations": true,
    });
    let (texts, answer) = answer(&Model::jigsaw(), &english(), &body, &[&TOXIC]);
    assert_eq!(texts, [" You fool! "]);
    let spans = &answer["attributeScores"]["TOXICITY"]["spanScores"];
    assert_eq!(
        *spans,
        json!([{"begin": 1, "end": 10, "score": probability(0.75)}])
    );
}

#[test]
fn a_comment_of_many_sentences_is_scored_in_a_bounded_number_of_parts() {
    let text = "No. ".repeat(5_000);
    let body = json!({
        "comment": {"text": text},
        "requestedAttributes": {"TOXICITY": {}},
        "spanAnnotations": true,
    });
    let request = read(&body).unwrap();
    let known = english();
    let analysis = request.plan(&known.languages()).unwrap();
    let texts = analysis.texts();
    assert_eq!(texts.len(), 1 + MOST_SENTENCES);
    assert_eq!(texts[1..].join(" "), text.trim());
}

#[test]
fn spans_are_counted_in_utf16_code_units() {
    let body = json!({
        "comment": {"text": "Ugh 😀😀.\r\nCafe\u{301} \u{1d11e} no!\n\u{4f60}\u{597d}\u{3002}"},
        "requestedAttributes": {"TOXICITY": {}},
        "spanAnnotations": true,
    });
    let (texts, answer) = answer(&Model::jigsaw(), &english(), &body, &[TOXIC.as_slice(); 4]);
    assert_eq!(
        texts[1..],
        [
            "Ugh 😀😀.",
            "Cafe\u{301} \u{1d11e} no!",
            "\u{4f60}\u{597d}\u{3002}"
        ]
    );
    let spans = answer["attributeScores"]["TOXICITY"]["spanScores"]
        .as_array()
        .unwrap();
    let offsets: Vec<_> = spans
        .iter()
        .map(|span| (span["begin"].as_u64(), span["end"].as_u64()))
        .collect();
    let expected = [(0, 9), (11, 23), (24, 27)].map(|(begin, end)| (Some(begin), Some(end)));
    assert_eq!(offsets, expected);
}

#[test]
fn an_attribute_is_scored_by_its_label_in_either_family() {
    let cases = [
        ("TOXICITY", 0),
        ("TOXICITY_EXPERIMENTAL", 0),
        ("TOXICITY_FAST", 0),
        ("SEVERE_TOXICITY", 1),
        ("SEVERE_TOXICITY_EXPERIMENTAL", 1),
        ("PROFANITY", 2),
        ("PROFANITY_EXPERIMENTAL", 2),
        ("OBSCENE", 2),
        ("THREAT", 3),
        ("THREAT_EXPERIMENTAL", 3),
        ("INSULT", 4),
        ("INSULT_EXPERIMENTAL", 4),
        ("IDENTITY_ATTACK", 5),
        ("IDENTITY_ATTACK_EXPERIMENTAL", 5),
        ("SEXUALLY_EXPLICIT", 6),
    ];
    let scores = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875];
    for (model, labels) in [(Model::jigsaw(), 6), (Model::detoxify(), 7)] {
        let available = available_attributes(&model.labels());
        for (attribute, label) in cases {
            assert_eq!(available.contains(&attribute), label < labels, "{attribute}");
            if label >= labels {
                continue;
            }
            let body = json!({"comment": {"text": "x"}, "requestedAttributes": {attribute: {}}});
            let (_, answer) = answer(&model, &english(), &body, &[&scores[..labels]]);
            let summary = &answer["attributeScores"][attribute]["summaryScore"];
            assert_eq!(*summary, probability(scores[label]), "{attribute}");
        }
        assert_eq!(
            available.len(),
            cases.iter().filter(|(_, label)| *label < labels).count()
        );
    }
}

#[test]
fn scores_below_the_threshold_are_left_out() {
    let body = |threshold: f32| {
        json!({
            "comment": {"text": "One. Two."},
            "requestedAttributes": {"TOXICITY": {"scoreThreshold": threshold}},
            "spanAnnotations": true,
        })
    };
    let span =
        |begin: usize, value: f32| json!({"begin": begin, "end": begin + 4, "score": probability(value)});
    let cases = [
        (
            0.0,
            json!({"spanScores": [span(0, 0.75), span(5, 0.25)], "summaryScore": probability(0.5)}),
        ),
        (
            0.5,
            json!({"spanScores": [span(0, 0.75)], "summaryScore": probability(0.5)}),
        ),
        (0.6, json!({"spanScores": [span(0, 0.75)]})),
        (0.9, json!({})),
    ];
    let whole = [0.5, 0.0, 0.0, 0.0, 0.0, 0.0];
    for (threshold, expected) in cases {
        let (_, answer) = answer(
            &Model::jigsaw(),
            &english(),
            &body(threshold),
            &[&whole, &TOXIC, &MILD],
        );
        assert_eq!(
            answer["attributeScores"],
            json!({"TOXICITY": expected}),
            "{threshold}"
        );
    }
}

#[test]
fn the_languages_of_the_request_count_before_the_detected_ones() {
    // Requested, supported by the model, detected; answered.
    type Codes = &'static [&'static str];
    let cases: [(Codes, Codes, Codes, Codes); 6] = [
        (&["en-US"], &["en"], &["om"], &["en-US"]),
        (&["EN", "de"], &["de", "en"], &[], &["EN", "de"]),
        (&[], &["en"], &["en", "fil"], &["en"]),
        (&[], &["*"], &["om"], &["om"]),
        (&[], &["*"], &[], &[]),
        (&["tlh"], &["*"], &[], &["tlh"]),
    ];
    for (requested, supported, detected, answered) in cases {
        let known = Known::of(supported, detected);
        let mut body = json!({"comment": {"text": "x"}, "requestedAttributes": {"TOXICITY": {}}});
        body["languages"] = json!(requested);
        let (_, answer) = answer(&Model::jigsaw(), &known, &body, &[&TOXIC]);
        assert_eq!(answer["languages"], json!(answered));
        assert_eq!(
            answer.get("detectedLanguages").cloned().unwrap_or(json!([])),
            json!(detected)
        );
    }
}

#[test]
fn unsupported_attributes_are_dropped_where_the_client_says_so() {
    let body = |language: &str| {
        json!({
            "comment": {"text": "x"},
            "requestedAttributes": {"FLIRTATION": {}, "TOXICITY": {}, "SEXUALLY_EXPLICIT": {}},
            "languages": [language],
            "dropUnsupportedAttributes": true,
        })
    };
    let (_, scores) = answer(&Model::jigsaw(), &english(), &body("en"), &[&TOXIC]);
    let names: Vec<_> = scores["attributeScores"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["TOXICITY"]);
    let (texts, scores) = answer(&Model::jigsaw(), &english(), &body("om"), &[]);
    assert!(texts.is_empty());
    assert_eq!(scores["attributeScores"], json!({}));
}

#[test]
fn what_the_record_needs_is_carried_through() {
    let body = json!({
        "comment": {"text": "x", "type": "TEXT_TYPE_UNSPECIFIED"},
        "context": {"entries": [{"text": "{\"id\": 1}", "type": "PLAIN_TEXT"}], "articleAndParentComment": null},
        "requestedAttributes": {"TOXICITY": {"scoreType": null, "scoreThreshold": null}},
        "spanAnnotations": null,
        "languages": null,
        "dropUnsupportedAttributes": null,
        "doNotStore": true,
        "clientToken": "token",
        "sessionId": "session",
        "communityId": "Coral:tenant",
    });
    let request = read(&body).unwrap();
    assert!(request.do_not_store);
    assert!(request.languages.is_empty());
    assert_eq!(request.client_token.as_deref(), Some("token"));
    assert_eq!(request.session_id.as_deref(), Some("session"));
    assert_eq!(request.community_id.as_deref(), Some("Coral:tenant"));
    let context = serde_json::to_value(&request.context).unwrap();
    assert_eq!(
        context,
        json!({"entries": [{"text": "{\"id\": 1}", "type": "PLAIN_TEXT"}]})
    );

    let plain = read(&json!({"comment": {"text": "x"}, "requestedAttributes": {"TOXICITY": {}}})).unwrap();
    assert!(!plain.do_not_store);
    assert_eq!((plain.context, plain.client_token), (None, None));
}

#[test]
fn an_article_and_its_comment_are_a_context_too() {
    let context =
        json!({"articleAndParentComment": {"article": {"text": "a"}, "parentComment": {"text": "b"}}});
    let mut body =
        json!({"comment": {"text": "x"}, "requestedAttributes": {"TOXICITY": {}}, "context": context});
    let request = read(&body).unwrap();
    assert_eq!(serde_json::to_value(&request.context).unwrap(), context);
    body["context"]["entries"] = json!([]);
    assert!(read(&body).is_ok());
}
