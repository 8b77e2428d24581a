//! Scores with the model in this process. The one place that knows the model server's library.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use toxicity_api::{ModelIdentity, ModelInfo};
use toxicity_input::RowFailure;
use toxicity_model_server::engine::{self, Engine, EngineOptions, LoadEngineError, ScoreError};
use toxicity_model_server::environment::{PrepareEnvironmentError, prepare_environment};
use toxicity_model_server::metrics::Metrics;
use toxicity_model_server::model::OpenModelFolderError;

use crate::labels::{self, LabelError};
use crate::row::Outcome;
use crate::scorer::{Capacity, Question, Scorer};

pub use toxicity_model_server::config::ModelArguments;

/// Texts of one call.
const TEXTS: usize = 32;
/// Bytes of the texts of one call.
const TEXT_BYTES: usize = 1024 * 1024;
/// Calls at the same time: while one ends, the other keeps all sessions busy.
const CALLS: usize = 2;
/// No text of a file is in a hurry.
const PATIENCE: Duration = Duration::from_hours(24);

/// Why the model in this process does not score.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The process cannot be started as the model needs it.
    #[error(transparent)]
    PrepareProcess(#[from] PrepareEnvironmentError),
    /// The model does not load.
    #[error("failed to load the model")]
    Load(#[from] LoadEngineError),
    /// The model does not have what is asked for.
    #[error(transparent)]
    Label(#[from] LabelError),
}

impl LocalError {
    /// Whether the command line is wrong, and not the world.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Label(_)
                | Self::Load(LoadEngineError::OpenFolder(
                    OpenModelFolderError::ApplyThresholds(_)
                ))
        )
    }
}

/// Starts this process anew if the libraries under the model need another environment. To be called before anything is
/// read.
///
/// # Errors
/// When the process cannot be started anew.
pub fn prepare_process() -> Result<(), LocalError> {
    Ok(prepare_environment()?)
}

/// What `arguments` would load, without its weights. Downloads it where it is not on this machine.
///
/// # Errors
/// When the model is missing or does not fit together.
pub fn describe(arguments: &ModelArguments) -> Result<ModelInfo, LocalError> {
    let model = Engine::describe(&options(arguments)?)?;
    Ok(ModelInfo {
        thresholds: model.threshold_map(),
        activation: model.activation.name().to_owned(),
        identity: model.identity,
        labels: model.labels,
        languages: model.languages,
        window_tokens: model.window_tokens,
        spans: None,
    })
}

fn options(arguments: &ModelArguments) -> Result<EngineOptions, LoadEngineError> {
    Ok(EngineOptions {
        folder: arguments.fetch()?.folder,
        ..arguments.engine_options(CALLS)
    })
}

/// Thresholds of the command line, by label.
#[must_use]
pub fn thresholds(arguments: &ModelArguments) -> Vec<(String, f32)> {
    let thresholds = arguments.thresholds.iter();
    thresholds
        .map(|threshold| (threshold.label.clone(), threshold.value))
        .collect()
}

/// Options of the model, beside its thresholds, that scores depend on.
pub(crate) fn settings(arguments: &ModelArguments) -> impl Iterator<Item = (&'static str, Option<String>)> {
    let tokens = |tokens: Option<usize>| tokens.map(|tokens| tokens.to_string());
    [
        ("--window-tokens", tokens(arguments.window_tokens)),
        ("--window-overlap", tokens(arguments.window_overlap)),
    ]
    .into_iter()
}

/// A model that is loaded.
pub struct Local {
    engine: Engine,
    question: engine::Question,
    labels: Vec<String>,
}

impl Local {
    /// Loads the model and starts its sessions. Must not be called within an asynchronous runtime.
    ///
    /// # Errors
    /// When it does not load or does not have what is asked for.
    pub fn load(arguments: &ModelArguments, question: &Question) -> Result<Self, LocalError> {
        let options = options(arguments)?;
        // Before the weights are loaded, so that a wrong name is told at once.
        let chosen = labels::choose(&Engine::describe(&options)?.labels, &question.labels)?;
        let engine = Engine::load(&options, &Arc::new(Metrics::new()))?;
        Ok(Self {
            labels: chosen
                .iter()
                .map(|&label| engine.model.labels[label].clone())
                .collect(),
            question: engine::Question {
                labels: chosen,
                spans: question.spans,
                normalize: question.normalize,
                ..engine::Question::all(&engine.model)
            },
            engine,
        })
    }

    /// Threads that keep the sessions busy.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.engine.feeding_threads()
    }
}

impl Scorer for Local {
    type Error = ScoreError;

    fn model(&self) -> &ModelIdentity {
        &self.engine.model.identity
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn capacity(&self) -> Capacity {
        Capacity {
            texts: TEXTS,
            bytes: TEXT_BYTES,
            text_bytes: usize::MAX,
            text_characters: usize::MAX,
            calls: CALLS,
        }
    }

    async fn score(&self, texts: &[&str]) -> Result<Vec<Outcome>, ScoreError> {
        let lane = self.engine.scheduler().lane(PATIENCE);
        let verdicts =
            texts.iter().map(
                async |text| match self.engine.verdict(&lane, text, &self.question).await {
                    Ok(verdict) => Ok(Ok(verdict.into_text_verdict(&self.engine.model))),
                    Err(error @ (ScoreError::Empty | ScoreError::Tokenize(_))) => {
                        Ok(Err(RowFailure(toxicity_service::error_chain(&error))))
                    }
                    Err(error @ ScoreError::Pass(_)) => Err(error),
                },
            );
        try_join_all(verdicts).await
    }
}
