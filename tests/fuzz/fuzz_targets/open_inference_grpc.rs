//! The Open Inference Protocol over gRPC: the message of a request, and the message of the answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message;
use toxicity_fuzz::{LIMITS, Model, assert_refusal};
use toxicity_protocols::open_inference::grpc::message::ModelInferRequest;
use toxicity_protocols::open_inference::{InferRequest, Inputs};

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
    let texts = match &request.inputs {
        Inputs::Texts(texts) => texts.len(),
        Inputs::Tokens(rows) => {
            assert!(
                rows.iter()
                    .all(|row| (1..=view.window_tokens).contains(&row.len()))
            );
            rows.len()
        }
    };
    assert!((1..=LIMITS.texts).contains(&texts));
    let answer = request.form.into_message(&view, &model.scored(texts));
    assert!(!answer.outputs.is_empty());
    assert!(!answer.encode_to_vec().is_empty());
});
