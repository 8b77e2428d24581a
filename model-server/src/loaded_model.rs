//! A model with all its parts in memory, from which sessions are made.

use std::time::{Duration, Instant};

use crate::backend::{Backend, OnnxBackend, OnnxModel, OnnxRuntime, Provider};
use crate::drift::Reference;
use crate::engine::{EngineOptions, LoadEngineError};
use crate::model::{Model, ModelFolder};
use crate::priority::stand_back;
use crate::scheduler::JointBackend;
use crate::tokenization::Tokenization;

/// Tokens of a comment, about.
const TYPICAL_TOKENS: usize = 32;

/// A pass over a comment that takes so long is worth the work of several cores.
const LONG_PASS: Duration = Duration::from_micros(500);

/// Threads beyond these wait for each other more than they work.
const MOST_JOINT_THREADS: usize = 4;

/// The parts of a model.
pub(crate) struct LoadedModel {
    pub(crate) model: Model,
    pub(crate) tokenization: Tokenization,
    pub(crate) runtime: OnnxRuntime,
    pub(crate) reference: Option<Reference>,
    onnx: OnnxModel,
}

impl LoadedModel {
    pub(crate) fn load(options: &EngineOptions) -> Result<Self, LoadEngineError> {
        let runtime = OnnxRuntime::load(options.onnxruntime.as_deref())?;
        let folder = ModelFolder::open(&options.folder, &options.overrides)?;
        let tokenization = Tokenization::load(&folder.tokenizer)?;
        let onnx = OnnxModel::read(
            &runtime,
            &folder.onnx,
            folder.model.labels.len(),
            tokenization.padding_id(),
            options.session,
        )?;
        Ok(Self {
            model: folder.model,
            tokenization,
            runtime,
            reference: folder.reference,
            onnx,
        })
    }

    /// Sessions that have each scored a first text, so that the first request is as fast as the next. They load one
    /// after the other: side by side they would be ready some 40 ms sooner, and need the memory for loading twice.
    pub(crate) fn sessions(&self, count: usize) -> Result<Vec<OnnxBackend>, LoadEngineError> {
        let warm_up = self
            .tokenization
            .sequence(self.tokenization.tokens("warm up")?.ids);
        (0..count)
            .map(|_| {
                let mut session = self.onnx.session()?;
                session.logits(&[&warm_up]).map_err(LoadEngineError::WarmUp)?;
                Ok(session)
            })
            .collect()
    }

    /// A session of several threads for passes that are alone, where that pays: hand-overs between threads cost more
    /// than they gain where a pass takes next to nothing. Measured on two cores, a comment alone is scored in 0.75 of the
    /// time by the bundled model and in 0.55 by BERT-base, with the same scores to the bit.
    pub(crate) fn joint_session(
        &self,
        sessions: &mut [OnnxBackend],
    ) -> Result<Option<JointBackend>, LoadEngineError> {
        let options = self.onnx.options();
        let [session, _, ..] = sessions else {
            return Ok(None);
        };
        if options.provider != Provider::Cpu || options.intra_threads != 1 {
            return Ok(None);
        }
        let text = vec![self.tokenization.padding_id(); TYPICAL_TOKENS];
        let started = Instant::now();
        session.logits(&[&text]).map_err(LoadEngineError::WarmUp)?;
        if started.elapsed() < LONG_PASS {
            return Ok(None);
        }
        let threads = sessions.len().min(MOST_JOINT_THREADS);
        let joint = std::thread::scope(|scope| {
            // The threads of the session take their priority from the one that makes them.
            let making = scope.spawn(|| {
                stand_back();
                let mut joint = self.onnx.session_of_threads(threads)?;
                joint.logits(&[&text]).map_err(LoadEngineError::WarmUp)?;
                Ok::<_, LoadEngineError>(joint)
            });
            making.join().expect("making a session does not panic")
        });
        Ok(Some(JointBackend {
            backend: Box::new(joint?),
            threads,
        }))
    }

    /// The windows of a text as sequences, ready for forward passes.
    pub(crate) fn sequences(&self, text: &str) -> Result<Vec<Vec<u32>>, LoadEngineError> {
        let ids = self.tokenization.tokens(text)?.ids;
        let windows = self.model.windows(ids.len(), self.tokenization.special_count());
        let sequences = windows
            .into_iter()
            .map(|window| self.tokenization.sequence(ids[window].iter().copied()));
        Ok(sequences.collect())
    }
}
