//! The Open Inference Protocol over HTTP, and version 1 of `KServe`: the body of a request, and the answer to it.
//!
//! What stands before the first byte 0xFF, which JSON cannot hold, is the JSON; what stands behind it are the binary
//! tensors.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toxicity_fuzz::{LIMITS, Model, assert_refusal, checked_count};
use toxicity_protocols::open_inference::repository::IndexRequest;
use toxicity_protocols::open_inference::rest::HEADER_LENGTH;
use toxicity_protocols::open_inference::{Error, InferRequest, v1};

fuzz_target!(|body: &[u8]| {
    match body.iter().position(|&byte| byte == 0xFF) {
        None => {
            infer(None, body);
            refused(v1::PredictRequest::read(body, &LIMITS).err());
            refused(IndexRequest::read(body).err());
        }
        Some(length) => {
            let parts = [&body[..length], &body[length + 1..]].concat();
            infer(Some(&length.to_string()), &parts);
        }
    }
});

fn infer(header_length: Option<&str>, body: &[u8]) {
    let model = Model::jigsaw();
    let view = model.view();
    let request = match InferRequest::from_http(header_length.map(str::as_bytes), body, &view, &LIMITS) {
        Ok(request) => request,
        Err(error) => return refused(Some(error)),
    };
    let texts = checked_count(&request.inputs, &view);
    let answer = request.form.into_http(&view, &model.scored(texts));
    let json = match answer.headers.get(HEADER_LENGTH) {
        None => &answer.body[..],
        Some(length) => {
            let length = length.to_str().ok().and_then(|length| length.parse().ok());
            &answer.body[..length.expect("the header is a number")]
        }
    };
    serde_json::from_slice::<serde_json::Value>(json).expect("an answer is JSON");
}

fn refused(error: Option<Error>) {
    if let Some(error) = error {
        assert_refusal(error.status(), &error.body());
    }
}
