//! A model with all its parts in memory, from which sessions are made.

use crate::backend::{Backend, OnnxBackend, OnnxModel, OnnxRuntime};
use crate::drift::Reference;
use crate::engine::{EngineOptions, LoadEngineError};
use crate::model::{Model, ModelFolder};
use crate::tokenization::Tokenization;

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
