//! `POST /v1/moderations`: the body of a request, and the answer to it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toxicity_fuzz::{LIMITS, Model, assert_refusal};
use toxicity_protocols::openai::ModerationRequest;

fuzz_target!(|body: &[u8]| {
    let model = Model::jigsaw();
    let request = match ModerationRequest::read(body, &LIMITS) {
        Ok(request) => request,
        Err(error) => return assert_refusal(error.status(), &error.body()),
    };
    assert!((1..=LIMITS.texts).contains(&request.texts.len()));
    assert!(
        request
            .texts
            .iter()
            .all(|text| text.chars().count() <= LIMITS.characters)
    );
    let answer = request.answer("model", 7, &model.labels(), &model.scored(request.texts.len()));
    assert!(answer.results.len() == request.texts.len() || answer.results.len() == 1);
    serde_json::to_vec(&answer).expect("an answer is JSON");
});
