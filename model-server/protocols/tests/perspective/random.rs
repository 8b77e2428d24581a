//! Whatever is sent, nothing panics and what is answered holds together.

use proptest::prelude::*;
use serde_json::{Value, json};
use toxicity_protocols::perspective::{AnalyzeRequest, MOST_SENTENCES, SuggestScoreRequest};

use crate::fixture::{Model, limits, scored};
use crate::{Known, read};

/// JSON in the form of a request, right or wrong.
fn any_request() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec!["PLAIN_TEXT", "HTML", "PROBABILITY", "RAW", "en", "x"])
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        "\\PC{0,8}",
        prop::sample::select(vec![
            "comment",
            "text",
            "type",
            "context",
            "entries",
            "articleAndParentComment",
            "requestedAttributes",
            "attributeScores",
            "TOXICITY",
            "INSULT",
            "scoreType",
            "scoreThreshold",
            "summaryScore",
            "spanScores",
            "begin",
            "end",
            "score",
            "value",
            "spanAnnotations",
            "languages",
            "doNotStore",
            "clientToken",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..8)
                .prop_map(|fields| Value::from(serde_json::Map::from_iter(fields))),
        ]
    })
}

fn read_both(body: &[u8]) {
    let (model, known) = (Model::jigsaw(), Known::of(&["en"], &["en"]));
    match AnalyzeRequest::read(body, &limits(), &model.labels()) {
        Ok(request) => {
            if let Ok(analysis) = request.plan(&known.languages()) {
                assert!(analysis.texts().len() <= MOST_SENTENCES + 1);
            }
        }
        Err(error) => assert!(error.status().is_client_error()),
    }
    if let Err(error) = SuggestScoreRequest::read(body, &limits(), &model.labels()) {
        assert!(error.status().is_client_error());
        serde_json::to_value(error.body()).expect("a refusal is JSON");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body: Vec<u8>) {
        read_both(&body);
    }

    #[test]
    fn any_json_is_read_or_refused(body in any_request()) {
        read_both(body.to_string().as_bytes());
    }

    #[test]
    fn any_value_of_a_field_is_read_or_refused(
        field in prop::sample::select(vec!["comment", "context", "requestedAttributes", "attributeScores", "languages"]),
        value in any_request(),
    ) {
        let mut body = json!({"comment": {"text": "😀 x"}, "requestedAttributes": {"TOXICITY": {}}});
        body[field] = value;
        read_both(body.to_string().as_bytes());
    }

    #[test]
    fn spans_are_whole_characters_in_order(text in "(\\PC|[.!?\r\n\t \u{301}\u{200d}😀🇩🇪A-Za-z]){1,300}") {
        let body = json!({
            "comment": {"text": text},
            "requestedAttributes": {"TOXICITY": {}},
            "languages": ["en"],
            "spanAnnotations": true,
        });
        let Ok(request) = read(&body) else {
            prop_assert!(text.trim().is_empty());
            return Ok(());
        };
        let known = Known::of(&["en"], &[]);
        let analysis = request.plan(&known.languages()).unwrap();
        let texts = analysis.texts();
        prop_assert!(texts.len() <= MOST_SENTENCES + 1);
        prop_assert_ne!(texts.len(), 2);
        let scores: Vec<_> = texts.iter().map(|_| scored(&[0.5; 6])).collect();
        let answer = analysis.answer(&scores);
        let spans = &answer.attribute_scores["TOXICITY"].span_scores;
        prop_assert!(!spans.is_empty());

        let units: Vec<u16> = text.encode_utf16().collect();
        let mut end = 0;
        for (index, span) in spans.iter().enumerate() {
            prop_assert!(end <= span.begin && span.begin < span.end);
            end = span.end;
            // A cut surrogate pair would not decode.
            let part = String::from_utf16(&units[span.begin..span.end]).unwrap();
            let expected = texts.get(index + 1).copied().unwrap_or(text.trim());
            prop_assert_eq!(part, expected);
        }
        prop_assert!(end <= units.len());
    }
}
