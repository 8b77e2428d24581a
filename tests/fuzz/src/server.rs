//! The HTTP surface of the model server, without ONNX Runtime and without a socket.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use toxicity_api::ModelIdentity;
use toxicity_model_server::backend::{Backend, BackendError, Logits, Provider};
use toxicity_model_server::drift::DriftOptions;
use toxicity_model_server::engine::{Engine, EngineParts};
use toxicity_model_server::http::{AppState, Services, Settings, router as server_router};
use toxicity_model_server::metrics::Metrics;
use toxicity_model_server::model::{Activation, Model as LoadedModel};
use toxicity_model_server::scheduler::{Batching, Scheduler};
use toxicity_model_server::tokenization::Tokenization;

use crate::{LIMITS, Model};

/// Scores by the ids alone: cheap, and another score for another text.
struct RemainderBackend {
    labels: usize,
}

impl Backend for RemainderBackend {
    fn logits(&mut self, batch: &[&[u32]]) -> Result<Vec<Logits>, BackendError> {
        let logits = batch.iter().map(|ids| {
            let sum = ids
                .iter()
                .fold(0_u32, |sum, &id| sum.wrapping_mul(31).wrapping_add(id));
            let labels = 0..self.labels;
            let logits = labels
                .map(|label| f32::from(u8::try_from((sum >> label) % 16).expect("it is below 16")) - 8.0);
            Logits::from(logits.collect::<Vec<_>>())
        });
        Ok(logits.collect())
    }
}

/// All routes, before the tokenizer of the bundled model and a backend of no weight.
///
/// # Panics
/// When the tokenizer is not there or the system gives no thread.
pub fn router() -> Router {
    let metrics = Arc::new(Metrics::new());
    let settings = Settings {
        limits: LIMITS,
        request_timeout: Duration::from_secs(20),
        normalize: false,
        cors_origins: Vec::new(),
    };
    let state = AppState::new(settings, Services::default(), Arc::clone(&metrics));
    let Model {
        names,
        thresholds,
        languages,
    } = Model::jigsaw().clone();
    let backend = RemainderBackend { labels: names.len() };
    let backends: Vec<Box<dyn Backend>> = vec![Box::new(backend)];
    let scheduler = Scheduler::start(backends, 1, Batching::Single, &metrics);
    let tokenizer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/toxic-minilm/tokenizer.json");
    let parts = EngineParts {
        model: LoadedModel {
            identity: ModelIdentity {
                name: "model".to_owned(),
                revision: "1".to_owned(),
            },
            labels: names,
            thresholds,
            activation: Activation::Sigmoid,
            languages,
            window_tokens: 64,
            overlap_tokens: 16,
        },
        runtime: "none".to_owned(),
        provider: Provider::Cpu,
        tokenization: Tokenization::load(&tokenizer).expect("the bundled tokenizer is there"),
        scheduler: scheduler.expect("the system has a thread"),
        reference: None,
    };
    // Without a cache an input does the same every time.
    state.set_engine(Engine::new(parts, 0, DriftOptions::default(), &metrics));
    server_router(state)
}
