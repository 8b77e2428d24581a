//! The Open Inference Protocol over gRPC: the message of a request, and the message of the answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message;
use toxicity_fuzz::{LIMITS, Model, assert_refusal, checked_count};
use toxicity_protocols::open_inference::InferRequest;
use toxicity_protocols::open_inference::grpc::message::ModelInferRequest;

fuzz_target!(|message: &[u8]| {
    let Ok(message) = ModelInferRequest::decode(message) else {
        return;
    };
    let model = Model::jigsaw();
    let view = model.view();
    let request = match InferRequest::from_message(message, &view, &LIMITS) {
        Ok(request) => request,
        Err(error) => return assert_refusal(error.status(), &error.body()),
    };
    let texts = checked_count(&request.inputs, &view);
    let answer = request.form.into_message(&view, &model.scored(texts));
    assert!(!answer.outputs.is_empty());
    assert!(!answer.encode_to_vec().is_empty());
});
