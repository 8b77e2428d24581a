//! `POST /predict` and `POST /`: the body of a request, which of two protocols it is, and the answer to it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toxicity_fuzz::{LIMITS, Model, assert_refusal};
use toxicity_protocols::text_embeddings_inference::{
    PredictProtocol, PredictProtocolError, PredictRequest, Predictions,
};

fuzz_target!(|body: &[u8]| {
    let protocol = PredictProtocol::of(body);
    let model = Model::jigsaw();
    for user_agent in [None, Some("@huggingface/inference/4.0.0")] {
        let PredictRequest { texts, form } = match PredictRequest::read(body, user_agent, &LIMITS) {
            Ok(request) => request,
            Err(error) => {
                assert_refusal(error.status(), &error.body());
                continue;
            }
        };
        // A field of another protocol is passed over where the path leaves no doubt.
        assert!(
            matches!(
                protocol,
                Ok(PredictProtocol::TextEmbeddingsInference) | Err(PredictProtocolError::Both)
            ),
            "{protocol:?}"
        );
        assert!((1..=LIMITS.texts).contains(&texts.len()));
        let predictions = form.answer(&model.labels(), &model.scored(texts.len()));
        let lists = match &predictions {
            Predictions::Single(list) => std::slice::from_ref(list),
            Predictions::Batch(lists) => lists,
        };
        assert_eq!(lists.len(), texts.len());
        for list in lists {
            assert!((1..=model.names.len()).contains(&list.len()));
            assert!(list.is_sorted_by(|a, b| a.score >= b.score));
        }
    }
});
