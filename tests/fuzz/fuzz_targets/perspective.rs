//! `comments:analyze` and `comments:suggestscore`: the body of a request, and the answer to it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toxicity_fuzz::{LIMITS, Model, assert_refusal};
use toxicity_protocols::perspective::{AnalyzeRequest, Languages, SuggestScoreRequest};

fuzz_target!(|body: &[u8]| {
    analyze(body);
    suggest(body);
});

fn analyze(body: &[u8]) {
    let model = Model::jigsaw();
    let languages = Languages {
        supported: &model.languages,
        detected: &[],
    };
    let request = match AnalyzeRequest::read(body, &LIMITS, &model.labels()) {
        Ok(request) => request,
        Err(error) => return assert_refusal(error.status(), &error.body()),
    };
    assert!(request.text.chars().count() <= LIMITS.characters);
    let analysis = match request.plan(&languages) {
        Ok(analysis) => analysis,
        Err(error) => return assert_refusal(error.status(), &error.body()),
    };
    let texts = analysis.texts();
    assert!(texts.iter().all(|text| request.text.contains(text)));
    let answer = analysis.answer(&model.scored(texts.len()));
    serde_json::to_vec(&answer).expect("an answer is JSON");
    let units: Vec<u16> = request.text.encode_utf16().collect();
    for scores in answer.attribute_scores.values() {
        for span in &scores.span_scores {
            let part = units
                .get(span.begin..span.end)
                .expect("a span lies in the comment");
            String::from_utf16(part).expect("a span cuts no character");
        }
        assert!(scores.span_scores.is_sorted_by(|a, b| a.end <= b.begin));
    }
}

fn suggest(body: &[u8]) {
    let model = Model::jigsaw();
    let request = match SuggestScoreRequest::read(body, &LIMITS, &model.labels()) {
        Ok(request) => request,
        Err(error) => return assert_refusal(error.status(), &error.body()),
    };
    assert!(!request.suggestions.is_empty());
    for suggestion in &request.suggestions {
        assert!(suggestion.label < model.names.len());
        assert!(suggestion.whole.is_some() || !suggestion.spans.is_empty());
        for span in &suggestion.spans {
            let part = request.text.get(span.range.clone());
            assert!(part.is_some_and(|part| !part.is_empty()), "{span:?}");
            assert!((0.0..=1.0).contains(&span.score));
        }
    }
    serde_json::to_vec(&request.answer(&[])).expect("an answer is JSON");
}
