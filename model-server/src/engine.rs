//! The way of one text: tokenize, cut into windows, score, judge, and on request find the words behind it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use toxicity_api::TextVerdict;

use crate::backend::{Backend, BackendError, LoadOnnxError};
use crate::loaded_model::LoadedModel;
use crate::metrics::{Metrics, Stage};
use crate::model::{Model, ModelOverrides, ModelSource, ModelSourceError, OpenModelFolderError};
use crate::scheduler::{Lane, PassError, Scheduler};
use crate::span::{self, Explanation, Found};
use crate::tokenization::{Tokenization, TokenizationError, Tokens};
use crate::verdict::Judgement;

/// Texts above this many bytes are tokenized off the threads that answer requests.
const INLINE_TOKENIZE_BYTES: usize = 4 * 1024;

/// What to load, and how wide.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Where the model comes from.
    pub source: ModelSource,
    /// What to change about it.
    pub overrides: ModelOverrides,
    /// The ONNX Runtime library; absent means beside the executable.
    pub onnxruntime: Option<PathBuf>,
    /// Sessions that score at the same time.
    pub sessions: usize,
    /// Requests that may send passes at the same time.
    pub max_requests: usize,
}

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum LoadEngineError {
    /// The source names no folder.
    #[error(transparent)]
    FindModel(#[from] ModelSourceError),
    /// The folder is unusable.
    #[error(transparent)]
    OpenFolder(#[from] OpenModelFolderError),
    /// The tokenizer is unusable.
    #[error(transparent)]
    Tokenizer(#[from] TokenizationError),
    /// ONNX Runtime or the weights do not load.
    #[error(transparent)]
    Onnx(#[from] LoadOnnxError),
    /// The system gives no thread.
    #[error("failed to start a session thread")]
    StartThread(#[source] std::io::Error),
    /// The model loads but does not answer.
    #[error("failed to score a first text")]
    WarmUp(#[source] BackendError),
}

/// Why a text was not scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The tokenizer found nothing in it.
    #[error("the text holds nothing that can be scored")]
    Empty,
    /// The tokenizer failed.
    #[error(transparent)]
    Tokenize(#[from] TokenizationError),
    /// A forward pass failed.
    #[error(transparent)]
    Pass(#[from] PassError),
}

/// What to find out about a text.
#[derive(Debug, Clone)]
pub struct Question {
    /// Indices of the labels that count.
    pub labels: Vec<usize>,
    /// Whether to say which words carry the verdict.
    pub spans: bool,
}

/// A loaded model, ready to answer.
pub struct Engine {
    /// What is loaded.
    pub model: Model,
    /// Build information of what runs it.
    pub runtime: String,
    tokenization: Arc<Tokenization>,
    scheduler: Scheduler,
    metrics: Arc<Metrics>,
}

impl Engine {
    /// Loads a model and starts its sessions.
    ///
    /// # Errors
    /// When anything is missing, does not fit or does not answer.
    pub fn load(options: &EngineOptions, metrics: &Arc<Metrics>) -> Result<Self, LoadEngineError> {
        let loaded = LoadedModel::load(options)?;
        let sessions = loaded.sessions(options.sessions)?;
        let backends = sessions
            .into_iter()
            .map(|session| Box::new(session) as Box<dyn Backend>)
            .collect();
        let scheduler = Scheduler::start(backends, options.max_requests, metrics)
            .map_err(LoadEngineError::StartThread)?;
        let runtime = loaded.runtime.build_info().to_owned();
        Ok(Self::new(
            loaded.model,
            runtime,
            loaded.tokenization,
            scheduler,
            metrics,
        ))
    }

    /// An engine of ready parts.
    #[must_use]
    pub fn new(
        model: Model,
        runtime: String,
        tokenization: Tokenization,
        scheduler: Scheduler,
        metrics: &Arc<Metrics>,
    ) -> Self {
        metrics.set_model(&model);
        let tokenization = Arc::new(tokenization);
        Self {
            model,
            runtime,
            tokenization,
            scheduler,
            metrics: Arc::clone(metrics),
        }
    }

    /// The queue and its sessions.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Scores `text` through the lane of its request.
    ///
    /// # Errors
    /// When the text holds no token, or a stage fails.
    pub async fn verdict(
        &self,
        lane: &Lane<'_>,
        text: &str,
        question: &Question,
    ) -> Result<TextVerdict, ScoreError> {
        let tokens = self.tokenize(text, false).await?;
        if tokens.ids.is_empty() {
            return Err(ScoreError::Empty);
        }
        let windows = self
            .model
            .windows(tokens.ids.len(), self.tokenization.special_count());
        let passes = windows.iter().map(|window| {
            lane.logits(
                self.tokenization
                    .sequence(tokens.ids[window.clone()].iter().copied()),
            )
        });
        let logits = futures_util::future::try_join_all(passes).await?;
        let judgement = Judgement::of(&self.model, &question.labels, &logits);
        self.metrics
            .observe_judgement(&judgement, tokens.ids.len(), windows.len());

        let found = if question.spans {
            Some(
                self.spans(lane, text, &windows, &logits, &judgement.flagged)
                    .await?,
            )
        } else {
            None
        };
        Ok(TextVerdict {
            flagged: !judgement.flagged.is_empty(),
            flags: judgement
                .flagged
                .iter()
                .map(|&label| self.model.labels[label].clone())
                .collect(),
            scores: judgement.score_map(&self.model),
            tokens: tokens.ids.len(),
            windows: windows.len(),
            spans_complete: found.as_ref().map(|found| found.complete),
            spans: found.map(|found| found.spans),
        })
    }

    async fn spans(
        &self,
        lane: &Lane<'_>,
        text: &str,
        windows: &[Range<usize>],
        logits: &[Vec<f32>],
        flagged: &[usize],
    ) -> Result<Found, ScoreError> {
        if flagged.is_empty() {
            return Ok(Found {
                spans: Vec::new(),
                complete: true,
            });
        }
        let started = Instant::now();
        let tokens = self.tokenize(text, true).await?;
        let found = span::find(&Explanation {
            model: &self.model,
            tokenization: &self.tokenization,
            lane,
            text,
            tokens: &tokens,
            windows,
            logits,
            flagged,
        })
        .await?;
        self.metrics.observe_stage(Stage::Spans, started.elapsed());
        Ok(found)
    }

    async fn tokenize(&self, text: &str, offsets: bool) -> Result<Tokens, ScoreError> {
        let started = Instant::now();
        let run = move |tokenization: &Tokenization, text: &str| {
            if offsets {
                tokenization.tokens_with_offsets(text)
            } else {
                tokenization.tokens(text)
            }
        };
        let tokens = if text.len() <= INLINE_TOKENIZE_BYTES {
            run(&self.tokenization, text)
        } else {
            let (tokenization, text) = (Arc::clone(&self.tokenization), text.to_owned());
            tokio::task::spawn_blocking(move || run(&tokenization, &text))
                .await
                .map_err(|error| TokenizationError::Encode(error.to_string()))?
        };
        self.metrics.observe_stage(Stage::Tokenize, started.elapsed());
        tokens
            .inspect_err(|_| self.metrics.exceptions.inc())
            .map_err(ScoreError::from)
    }
}
